/* SPDX-License-Identifier: MIT */
/*
 * Bounds a verdict before it is planned: whatever a policy says, no target lies below a floor or
 * above a ceiling; no VM is shrunk on the strength of a report that is too old; none that claims
 * need is put below min(need, entitlement); one that refuses to give back is lent nothing beyond
 * its entitlement before it gives, or for long. A policy that carries out an operator's commands is
 * held to floor and ceiling only.
 */
#include "internal.h"

#define LENT_NOTHING_DOUBLINGS 3 /* so many times twice as long as it would be left alone next */

/* A VM that waits until it may be asked again, is lent more, and refuses again, would end up with
 * all that is ever lent. So what it refused is remembered longer, and longer each time. Not of a
 * block: whether that can give is up to its neighbours, too. */
bool vmres__guard_lends_nothing(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);
    uint32_t doublings = min_u32(account->failures, 6) + LENT_NOTHING_DOUBLINGS;

    return !engine->kinds[kind].blocks && account->failures > 0 && account->backoff_ms > 0 &&
           engine->now < account->backoff_ms + ((uint64_t)engine->progress_ms << doublings);
}

/* What a VM is to keep, because it says that it needs it and is entitled to it. */
static uint32_t protected_of(const struct vmres_view *view, uint32_t told)
{
    uint32_t need = view->stall > 0 ? max_u32(view->used, told) : view->used;

    return BROKEN(ENTITLEMENT) ? 0 : min_u32(need, view->entitlement);
}

static uint32_t bound_shrink(const struct kind *kind, const struct vmres_view *view, uint32_t told,
                             uint32_t target)
{
    if (!(view->flags & VMRES_VIEW_DONOR))
        return told;
    if (kind->policy->commands)
        return target;
    if (!(view->flags & VMRES_VIEW_FRESH))
        return told;
    return min_u32(max_u32(target, protected_of(view, told)), told);
}

static uint32_t bound_growth(const struct vmres_engine *engine, uint8_t kind, uint32_t vm,
                             uint32_t told, uint32_t target)
{
    const struct vmres_view *view = view_of(engine, vm, kind);
    const struct account *account = account_of(engine, vm, kind);
    bool refused =
        !engine->kinds[kind].policy->commands && vmres__guard_lends_nothing(engine, vm, kind);
    bool stale = !(view->flags & VMRES_VIEW_DONOR) && (view->flags & VMRES_VIEW_FRESH) &&
                 account->unincorporated == 0 && (account->flags & ACCOUNT_DONOR);

    if (!(view->flags & VMRES_VIEW_RECIPIENT))
        return told;
    /* One that is stuck, or was not heard of lately, keeps its claim up to its share. */
    if (stale || refused || (view->flags & VMRES_VIEW_UNCOOPERATIVE))
        return min_u32(target, max_u32(told, view->entitlement));
    return target;
}

/* A target says what a VM is to be told to hold. What is in dispute since an earlier removal is
 * charged on top of that: bounds are kept without it, the charge with it. */
static void bound(struct vmres_engine *engine, uint8_t kind_index, uint32_t vm)
{
    struct kind *kind = &engine->kinds[kind_index];
    const struct vmres_view *view = &kind->views[vm];
    uint32_t told = vmres__removal_undisputed(engine, vm, kind_index);
    uint32_t *target = &engine->work.verdict.targets[vm];

    if (!(view->flags & VMRES_VIEW_PRESENT) || !vm_takes_part(engine, vm)) {
        *target = view->charge;
        return;
    }
    *target = max_u32(*target, BROKEN(FLOOR) ? 0 : view->floor);
    *target = min_u32(*target, ceiling_of(view));
    if (*target < told)
        *target = bound_shrink(kind, view, told, *target);
    else if (*target > told)
        *target = bound_growth(engine, kind_index, vm, told, *target);
    *target += view->charge - told;
}

/* Limits that were changed hold for VMs no policy speaks of, too; but nobody gives while it gets,
 * or is asked again at once when it did not give. */
static void enforce_limits(struct vmres_engine *engine, uint8_t kind_index, uint32_t vm)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct vmres_verdict *verdict = &engine->work.verdict;
    const struct vmres_view *view = &kind->views[vm];
    uint32_t told = vmres__removal_undisputed(engine, vm, kind_index);
    uint32_t disputed = view->charge - told;

    if (!(view->flags & VMRES_VIEW_PRESENT) || !vm_takes_part(engine, vm))
        return;
    if (told < view->floor && !refuses_now(engine, &kind->accounts[vm]) &&
        (!verdict->set[vm] || verdict->targets[vm] < view->floor + disputed))
        vmres_verdict_set(verdict, vm, view->floor + disputed, "its floor is above what it has");
    if (told > view->ceiling && kind->accounts[vm].unincorporated == 0 &&
        !(view->flags & VMRES_VIEW_UNCOOPERATIVE))
        vmres_verdict_set(verdict, vm, view->ceiling + disputed,
                          "its ceiling is below what it has");
}

void vmres__guard(struct vmres_engine *engine, uint8_t kind)
{
    struct vmres_verdict *verdict = &engine->work.verdict;

    for (uint32_t i = 0; i < verdict->count; i++)
        bound(engine, kind, verdict->named[i]);
    if (engine->kinds[kind].orders > 0)
        vmres__order_apply(engine, kind);
    for (uint32_t vm = 0; vm < engine->top && engine->kinds[kind].out_of_bounds; vm++)
        enforce_limits(engine, kind, vm);
}
