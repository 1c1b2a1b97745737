/* SPDX-License-Identifier: MIT */
/*
 * The ready-made policies, and what more than one of them needs. Private to lib/core; a policy
 * itself uses nothing that an embedder's own could not.
 */
#ifndef VMRES_CORE_POLICY_H
#define VMRES_CORE_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <vmres/policy.h>
#include <vmres/resource.h>

extern const struct vmres_policy_ops vmres__policy_static;
extern const struct vmres_policy_ops vmres__policy_script;
extern const struct vmres_policy_ops vmres__policy_usage;
extern const struct vmres_policy_ops vmres__policy_pressure;

/* Sums are uint64_t, amounts of one VM uint32_t: what does not fit is more than any host has. */
static inline uint32_t clamp(uint64_t granules)
{
    return granules > VMRES_GRANULES_MAX ? VMRES_GRANULES_MAX : (uint32_t)granules;
}

static inline uint32_t least(uint64_t a, uint64_t b)
{
    return clamp(a < b ? a : b);
}

/* By how much a is above b. */
static inline uint32_t above(uint64_t a, uint64_t b)
{
    return clamp(a > b ? a - b : 0);
}

/* What is done to a VM rests on a report of it that can still be believed. */
static inline int view_has(const struct vmres_view *view, uint32_t flags)
{
    flags |= VMRES_VIEW_PRESENT | VMRES_VIEW_FRESH;
    return (view->flags & flags) == flags;
}

/* One that did not release what it was asked for is not asked; it may still be given to. */
static inline int may_give(const struct vmres_view *view)
{
    return view_has(view, VMRES_VIEW_DONOR) && !(view->flags & VMRES_VIEW_UNCOOPERATIVE);
}

static inline int may_receive(const struct vmres_view *view)
{
    return view_has(view, VMRES_VIEW_RECIPIENT);
}

#endif
