/* SPDX-License-Identifier: MIT */
/*
 * An allocator that says no beyond a budget, so that an input which asks for a million VMs is not
 * taken for a leak; and notices what is not given back.
 */
#ifndef VMRES_TESTS_FUZZ_HEAP_H
#define VMRES_TESTS_FUZZ_HEAP_H

#include <stdlib.h>

#include <vmres/allocator.h>

#define HEAP_MOST ((size_t)4 << 20)

struct heap {
    struct vmres_allocator allocator;
    size_t bytes;
};

static void *heap_allocate(void *user, size_t size)
{
    struct heap *heap = user;
    void *memory = size <= HEAP_MOST - heap->bytes ? malloc(size) : NULL;

    heap->bytes += memory ? size : 0;
    return memory;
}

static void heap_release(void *user, void *memory, size_t size)
{
    struct heap *heap = user;

    heap->bytes -= size;
    free(memory);
}

static inline void heap_init(struct heap *heap)
{
    *heap = (struct heap){{heap, heap_allocate, heap_release}, 0};
}

static inline void heap_expect_empty(const struct heap *heap)
{
    if (heap->bytes != 0)
        abort();
}

#endif
