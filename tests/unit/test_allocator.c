/* SPDX-License-Identifier: MIT */
/* Arrays come zeroed, from the right heap, and never shorter than asked for. */
#include <vmres/allocator.h>

#include <string.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static void expect_zeros(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], 0);
}

static void null_means_the_heap_of_libc(void **state)
{
    unsigned char *memory = vmres_allocate(NULL, 10, 7);

    (void)state;
    assert_non_null(memory);
    expect_zeros(memory, 70);
    vmres_release(NULL, memory, 10, 7);
}

static void an_allocator_without_functions_means_libc_too(void **state)
{
    struct vmres_allocator allocator = {NULL, NULL, NULL};
    void *memory = vmres_allocate(&allocator, 1, 1);

    (void)state;
    assert_non_null(memory);
    vmres_release(&allocator, memory, 1, 1);
}

static void memory_of_the_embedder_is_zeroed_and_given_back(void **state)
{
    struct failing_allocator heap;
    unsigned char *memory;

    (void)state;
    failing_allocator_init(&heap, 0);
    memory = vmres_allocate(&heap.allocator, 3, 5);
    assert_non_null(memory);
    expect_zeros(memory, 15);
    assert_int_equal(heap.bytes, 15);
    vmres_release(&heap.allocator, memory, 3, 5);
    failing_allocator_expect_empty(&heap);
}

static void failure_is_passed_on(void **state)
{
    struct failing_allocator heap;

    (void)state;
    failing_allocator_init(&heap, 1);
    assert_null(vmres_allocate(&heap.allocator, 1, 1));
    assert_int_equal(heap.asked, 1);
}

static void nothing_and_too_much_are_not_asked_for(void **state)
{
    struct failing_allocator heap;

    (void)state;
    failing_allocator_init(&heap, 0);
    assert_null(vmres_allocate(&heap.allocator, 0, 8));
    assert_null(vmres_allocate(&heap.allocator, 8, 0));
    assert_null(vmres_allocate(&heap.allocator, SIZE_MAX / 2 + 1, 2));
    assert_null(vmres_allocate(&heap.allocator, 2, SIZE_MAX / 2 + 1));
    assert_null(vmres_allocate(&heap.allocator, SIZE_MAX, SIZE_MAX));
    assert_int_equal(heap.asked, 0);
}

static void releasing_null_does_nothing(void **state)
{
    struct failing_allocator heap;

    (void)state;
    failing_allocator_init(&heap, 0);
    vmres_release(&heap.allocator, NULL, 4, 4);
    vmres_release(NULL, NULL, 4, 4);
    failing_allocator_expect_empty(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_means_the_heap_of_libc),
        cmocka_unit_test(an_allocator_without_functions_means_libc_too),
        cmocka_unit_test(memory_of_the_embedder_is_zeroed_and_given_back),
        cmocka_unit_test(failure_is_passed_on),
        cmocka_unit_test(nothing_and_too_much_are_not_asked_for),
        cmocka_unit_test(releasing_null_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
