/* SPDX-License-Identifier: MIT */
/*
 * Largest first without sorting: amounts drop into 128 buckets, four to each doubling, found by the
 * leading zeros and the next two bits; emptying the buckets from the top then meets the amounts in
 * descending order, to within a quarter. Both cost O(n), and n list links that lie wherever the
 * caller has room for them, as a rule in its state of each VM.
 *
 * Invariant: within a bucket, the last dropped comes out first. Knows nothing of VMs but their ids.
 */
#ifndef VMRES_CORE_BUCKET_H
#define VMRES_CORE_BUCKET_H

#include <stdint.h>

#include <vmres/resource.h>

#define BUCKETS 128u

struct buckets {
    uint32_t first[BUCKETS]; /* VM ids; VMRES_VM_NONE ends a list */
};

static inline void bucket_clear(struct buckets *buckets)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        buckets->first[i] = VMRES_VM_NONE;
}

/* amount > 0 */
static inline uint32_t bucket_of(uint32_t amount)
{
    uint32_t zeros = (uint32_t)__builtin_clz(amount);

    return 4 * (31 - zeros) + ((amount << zeros) >> 29 & 3);
}

/* Drops `vm` into the bucket of `amount` > 0; `next` is the link of that VM. */
static inline void bucket_drop(struct buckets *buckets, uint32_t amount, uint32_t vm,
                               uint32_t *next)
{
    uint32_t *first = &buckets->first[bucket_of(amount)];

    *next = *first;
    *first = vm;
}

#endif
