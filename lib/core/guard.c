/* SPDX-License-Identifier: MIT */
/*
 * Bounds a verdict before it is planned: whatever a policy says, no target lies below a floor or
 * above a ceiling; no VM is shrunk on the strength of a report that is too old; none that claims
 * need is put below min(need, entitlement); one that refuses to give back is lent nothing beyond
 * its entitlement. A policy that carries out an operator's commands is held to floor and ceiling
 * only.
 */
#include "internal.h"

/* What a VM is to keep, because it says that it needs it and is entitled to it. */
static uint32_t protected_of(const struct vmres_view *view)
{
    uint32_t need = view->stall > 0 ? max_u32(view->used, view->charge) : view->used;

    return min_u32(need, view->entitlement);
}

/* The least a charge may fall to. What is in dispute since an earlier removal is charged, but no VM
 * is told to hold it: the floor must be kept without it. */
static uint32_t least(const struct vmres_engine *engine, uint8_t kind, uint32_t vm)
{
    const struct vmres_view *view = view_of(engine, vm, kind);
    uint32_t disputed = account_of(engine, vm, kind)->disputed;

    return min_u32(view->floor + disputed - vmres__removal_contested(engine, vm, kind),
                   view->charge);
}

static uint32_t bound_shrink(const struct kind *kind, const struct vmres_view *view,
                             uint32_t target)
{
    if (!(view->flags & VMRES_VIEW_DONOR))
        return view->charge;
    if (kind->policy->commands)
        return target;
    if (!(view->flags & VMRES_VIEW_FRESH))
        return view->charge;
    return min_u32(max_u32(target, protected_of(view)), view->charge);
}

static uint32_t bound_growth(const struct vmres_view *view, const struct account *account,
                             uint32_t target)
{
    bool stale = !(view->flags & VMRES_VIEW_DONOR) && (view->flags & VMRES_VIEW_FRESH) &&
                 account->unincorporated == 0 && (account->participation & VMRES_PARTICIPATE_DONOR);

    if (!(view->flags & VMRES_VIEW_RECIPIENT))
        return view->charge;
    /* One that is stuck, or was not heard of lately, keeps its claim up to its share. */
    if (stale || (view->flags & VMRES_VIEW_UNCOOPERATIVE))
        return min_u32(target, max_u32(view->charge, view->entitlement));
    return target;
}

static void bound(struct vmres_engine *engine, uint8_t kind_index, uint32_t vm)
{
    struct kind *kind = &engine->kinds[kind_index];
    const struct vmres_view *view = &kind->views[vm];
    uint32_t *target = &engine->work.verdict.targets[vm];

    if (!(view->flags & VMRES_VIEW_PRESENT) || !vm_takes_part(engine, vm)) {
        *target = view->charge;
        return;
    }
    *target = min_u32(max_u32(*target, view->floor), view->ceiling);
    if (*target < view->charge)
        *target = bound_shrink(kind, view, max_u32(*target, least(engine, kind_index, vm)));
    else if (*target > view->charge)
        *target = bound_growth(view, &kind->accounts[vm], *target);
}

/* Limits that were changed hold for VMs no policy speaks of, too. */
static void enforce_limits(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct vmres_verdict *verdict = &engine->work.verdict;

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        const struct vmres_view *view = &kind->views[vm];

        if (!(view->flags & VMRES_VIEW_PRESENT) || !vm_takes_part(engine, vm))
            continue;
        if (view->charge < view->floor && (!verdict->set[vm] || verdict->targets[vm] < view->floor))
            vmres_verdict_set(verdict, vm, view->floor, "its floor is above what it has");
        if (view->charge > view->ceiling)
            vmres_verdict_set(verdict, vm, view->ceiling, "its ceiling is below what it has");
    }
}

void vmres__guard(struct vmres_engine *engine, uint8_t kind)
{
    struct vmres_verdict *verdict = &engine->work.verdict;

    for (uint32_t i = 0; i < verdict->count; i++)
        bound(engine, kind, verdict->named[i]);
    if (engine->kinds[kind].out_of_bounds)
        enforce_limits(engine, kind);
}
