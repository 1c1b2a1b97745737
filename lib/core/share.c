/* SPDX-License-Identifier: MIT */
/*
 * Shares. A VM's entitlement is clip(level * weight, floor, ceiling), with the one level at which
 * they sum to what the host can give: weighted max-min fairness between bounds. It depends on
 * nothing a guest says, and changes only with limits, membership and capacity.
 */
#include "internal.h"

#define LEVEL_BITS 20u /* the level is granules per unit of weight, so many bits after the point */

static uint32_t entitled(const struct vmres_view *view, uint64_t level)
{
    __extension__ typedef unsigned __int128 wide;
    wide share = ((wide)level * view->weight) >> LEVEL_BITS;
    uint32_t bounded = share > view->ceiling ? view->ceiling : (uint32_t)share;

    return max_u32(bounded, view->floor);
}

static uint64_t total_at(const struct vmres_engine *engine, const struct kind *kind, uint64_t level)
{
    uint64_t total = 0;

    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (kind->views[vm].flags & VMRES_VIEW_PRESENT)
            total += entitled(&kind->views[vm], level);
    return total;
}

/* The highest level that fits, by bisection: 52 passes, and only when the shares have changed. */
void vmres__share_entitlements(struct vmres_engine *engine, struct kind *kind)
{
    uint64_t usable = kind->ledger.capacity - kind->ledger.reserve;
    uint64_t low = 0, high = ((uint64_t)VMRES_GRANULES_MAX + 1) << LEVEL_BITS;

    if (!kind->shares_stale)
        return;
    kind->shares_stale = false;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (total_at(engine, kind, middle) <= usable)
            low = middle;
        else
            high = middle;
    }
    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (kind->views[vm].flags & VMRES_VIEW_PRESENT)
            kind->views[vm].entitlement = entitled(&kind->views[vm], low);
}
