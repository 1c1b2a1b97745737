/* SPDX-License-Identifier: MIT */
/*
 * An allocator that fails when told to and keeps count, for sweeps over every allocation:
 *
 *     for (size_t n = 1;; n++) {
 *         struct failing_allocator heap;
 *         failing_allocator_init(&heap, n);
 *         status = create(..., &heap.allocator, &thing);
 *         if (status == VMRES_OK)
 *             break;
 *         EXPECT_STATUS(status, VMRES_NOMEM);
 *         failing_allocator_expect_empty(&heap);
 *     }
 */
#ifndef VMRES_TESTS_FAILING_ALLOCATOR_H
#define VMRES_TESTS_FAILING_ALLOCATOR_H

#include <vmres/allocator.h>

struct failing_allocator {
    struct vmres_allocator allocator; /* hand out its address; this struct must stay in place */
    size_t fail_at;                   /* the allocation that fails, from 1; 0: none */
    size_t asked;                     /* allocations asked for */
    size_t blocks;                    /* blocks not released yet */
    size_t bytes;                     /* bytes not released yet */
};

void failing_allocator_init(struct failing_allocator *heap, size_t fail_at);

/* Fails the running test when anything was not released, or released with a wrong size. */
void failing_allocator_expect_empty(const struct failing_allocator *heap);

#endif
