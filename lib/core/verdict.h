/* SPDX-License-Identifier: MIT */
/*
 * What a judgement says: for some VMs, what they should hold and why. The engine owns the arrays,
 * sized for `limit` VMs, and clears them between judgements; a policy writes through
 * vmres_verdict_set() alone. The reasons stay, as a byte per VM: there are few different ones.
 *
 * Invariant: named[0 .. count - 1] are the VMs with set[vm], each once, in order of first naming.
 */
#ifndef VMRES_CORE_VERDICT_H
#define VMRES_CORE_VERDICT_H

#include <stdint.h>

#include <vmres/policy.h>

#define REASONS_MAX 256u

/* Of one kind: why each VM was last named. */
struct reasons {
    uint8_t *of;                    /* [vm] which text */
    const char *texts[REASONS_MAX]; /* static; the first is NULL */
    uint32_t last;                  /* text in use */
};

struct vmres_verdict {
    uint32_t *targets; /* [vm] granules */
    uint32_t *named;   /* [0 .. count - 1] VM ids */
    struct reasons *reasons;
    uint8_t *set; /* [vm] 1: named */
    uint32_t count, limit;
};

/* NULL: none was given. */
static inline const char *verdict_reason(const struct reasons *reasons, uint32_t vm)
{
    return reasons->texts[reasons->of[vm]];
}

#endif
