/* SPDX-License-Identifier: MIT */
/*
 * The failing allocator. New memory is filled with a pattern, so that whoever counts on zeros from
 * an allocator is found out.
 */
#include "support/failing_allocator.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static void *allocate(void *user, size_t size)
{
    struct failing_allocator *heap = user;
    void *memory;

    heap->asked++;
    if (heap->asked == heap->fail_at)
        return NULL;
    memory = malloc(size);
    assert_non_null(memory);
    memset(memory, 0xa5, size);
    heap->blocks++;
    heap->bytes += size;
    return memory;
}

static void release(void *user, void *memory, size_t size)
{
    struct failing_allocator *heap = user;

    assert_non_null(memory);
    assert_true(heap->blocks > 0 && heap->bytes >= size);
    heap->blocks--;
    heap->bytes -= size;
    free(memory);
}

void failing_allocator_init(struct failing_allocator *heap, size_t fail_at)
{
    *heap = (struct failing_allocator){
        .allocator = {.user = heap, .allocate = allocate, .release = release},
        .fail_at = fail_at,
    };
}

void failing_allocator_expect_empty(const struct failing_allocator *heap)
{
    assert_int_equal(heap->blocks, 0);
    assert_int_equal(heap->bytes, 0);
}
