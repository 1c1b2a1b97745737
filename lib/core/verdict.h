/* SPDX-License-Identifier: MIT */
/*
 * What a judgement says: for some VMs, what they should hold and why. The engine owns the arrays,
 * sized for `limit` VMs, and clears them between judgements; a policy writes through
 * vmres_verdict_set() alone.
 *
 * Invariant: named[0 .. count - 1] are the VMs with set[vm], each once, in order of first naming.
 */
#ifndef VMRES_CORE_VERDICT_H
#define VMRES_CORE_VERDICT_H

#include <stdint.h>

#include <vmres/policy.h>

struct vmres_verdict {
    uint32_t *targets;    /* [vm] granules */
    uint32_t *named;      /* [0 .. count - 1] VM ids */
    const char **reasons; /* [vm] static texts */
    uint8_t *set;         /* [vm] 1: named */
    uint32_t count, limit;
};

#endif
