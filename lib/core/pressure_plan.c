/* SPDX-License-Identifier: MIT */
/*
 * Who gives and who gets, once it is known who asks. Surplus is collected largest first, or from
 * all alike where moving costs nothing, memory in use only for those below their entitlement; what
 * there is then is handed out up to a common level of allotment per weight.
 *
 * Invariant: supply is what the pool has free and what was taken, and no more is handed out.
 */
#include "pressure.h"

#include <vmres/units.h>

#include "share.h"

__extension__ typedef unsigned __int128 wide;

#define LEVEL_BITS 24u /* of the fraction of a level: granules per weight */

/* What the VM would not miss: what was available, less what it has let go since it said so, less a
 * margin for noise and to breathe. */
uint32_t vmres__pressure_surplus(const struct pressure *policy, const struct pressure_vm *vm,
                                 const struct vmres_view *view)
{
    uint64_t available = above(view->available, above(vm->held, view->held));
    uint64_t part = policy->costless ? 0 : VMRES_PPM - 1; /* of a granule that is kept as a whole */
    uint64_t margin = (available * policy->margin + part) / VMRES_PPM;

    if (view->stall > 0 || (vm->flags & PRESSURE_SHORT) || !may_give(view))
        return 0;
    return least(available - margin, above(view->held, view->floor));
}

static uint32_t surplus_of(const struct pressure_plan *plan, uint32_t id)
{
    return vmres__pressure_surplus(plan->policy, &plan->vms[id], &plan->round->views[id]);
}

/* What it is to hold, by what was taken from it so far. */
static uint32_t target_of(const struct pressure_plan *plan, uint32_t id)
{
    return plan->vms[id].flags & PRESSURE_SHORT ? plan->round->views[id].held
                                                : plan->turns[id].target;
}

static void take(struct pressure_plan *plan, uint32_t id, uint32_t amount, const char *reason)
{
    uint32_t target = target_of(plan, id) - amount;

    plan->supply += amount;
    vmres_verdict_set(plan->verdict, id, target, reason);
    if (!(plan->vms[id].flags & PRESSURE_SHORT))
        plan->turns[id].target = target;
}

static void take_surplus(struct pressure_plan *plan, uint32_t id, uint64_t amount,
                         const char *reason)
{
    plan->vms[id].flags |= PRESSURE_TRIED;
    take(plan, id, least(amount, plan->policy->release), reason);
}

static void sort_surpluses(struct pressure_plan *plan)
{
    bucket_clear(&plan->policy->surplus);
    for (uint32_t i = plan->round->count; i-- > 0;) {
        uint32_t surplus = surplus_of(plan, i);

        if (!(plan->vms[i].flags & PRESSURE_SHORT))
            plan->turns[i].target = plan->round->views[i].held;
        if (surplus > 0)
            bucket_drop(&plan->policy->surplus, surplus, i, &plan->turns[i].next);
        plan->surplus += surplus;
    }
}

/* What of its surplus is counted on at first: of who grew when it last moved a quarter, so that it
 * need not turn round. */
static uint32_t at_first(const struct pressure_plan *plan, uint32_t id)
{
    uint32_t surplus = surplus_of(plan, id);

    return plan->vms[id].flags & PRESSURE_GREW ? surplus / 4 : surplus;
}

/* Takes so much, from each its part of what there is at first, or of what is left after that. */
static void share_part(struct pressure_plan *plan, uint64_t wanted, uint64_t rest, bool first)
{
    wanted = wanted < rest ? wanted : rest;
    for (uint32_t i = 0; i < plan->round->count && wanted > 0; i++) {
        uint32_t part = first ? at_first(plan, i) : surplus_of(plan, i) - at_first(plan, i);
        uint32_t share = portion(&wanted, &rest, part);

        if (share > 0)
            take_surplus(plan, i, share, "its part of all surplus");
    }
}

/* Where moving costs nothing: from all, the same part of what each has. */
static void share_surplus(struct pressure_plan *plan)
{
    uint64_t wanted = plan->asked - plan->supply;
    uint64_t first = 0;

    for (uint32_t i = 0; i < plan->round->count; i++)
        first += at_first(plan, i);
    share_part(plan, wanted, first, true);
    if (wanted > first)
        share_part(plan, wanted - first, plan->surplus - first, false);
}

/* Empties the buckets from the top until there is enough. */
static void give_surplus(struct pressure_plan *plan)
{
    for (uint32_t bucket = BUCKETS; bucket-- > 0 && plan->supply < plan->asked;) {
        for (uint32_t i = plan->policy->surplus.first[bucket];
             i != VMRES_VM_NONE && plan->supply < plan->asked; i = plan->turns[i].next) {
            uint32_t most = surplus_of(plan, i);

            take_surplus(plan, i, least(most, plan->asked - plan->supply), "largest surplus");
        }
    }
}

/* What the VM holds above its entitlement, once its surplus is gone. */
static uint32_t excess_of(const struct pressure_plan *plan, uint32_t id)
{
    const struct vmres_view *view = &plan->round->views[id];
    uint32_t target = target_of(plan, id);

    if (!may_give(view) || view->held - target < surplus_of(plan, id))
        return 0;
    return above(target, view->entitlement);
}

/* Takes memory in use, in proportion to the excess; whoever loses it does not get at once. */
static void squeeze(struct pressure_plan *plan, uint64_t owed)
{
    uint64_t excess = 0;

    for (uint32_t i = 0; i < plan->round->count; i++)
        excess += excess_of(plan, i);
    if (owed > excess)
        owed = excess;
    for (uint32_t i = 0; i < plan->round->count && owed > 0; i++) {
        uint32_t share = portion(&owed, &excess, excess_of(plan, i));

        if (share == 0)
            continue;
        take(plan, i, share, "above its entitlement, while others are below theirs");
        if (plan->vms[i].flags & PRESSURE_SHORT)
            plan->turns[i].ask = 0;
    }
}

void vmres__pressure_collect(struct pressure_plan *plan)
{
    uint64_t without = plan->supply;

    sort_surpluses(plan);
    if (plan->policy->costless)
        share_surplus(plan);
    else
        give_surplus(plan);
    without += plan->surplus;
    if (plan->owed > without)
        squeeze(plan, plan->owed - without);
}

/* What a VM of this weight that counts with so much gets of an amount, at a level per weight. */
static uint32_t rise(uint64_t level, uint32_t weight, uint32_t counts, uint32_t amount)
{
    wide allotment = (wide)level * weight >> LEVEL_BITS;

    if (allotment <= counts)
        return 0;
    return allotment - counts < amount ? (uint32_t)(allotment - counts) : amount;
}

/*
 * What an asker gets at a level of allotment per weight. Entitlements come first. Of what there is
 * beyond them it gets as if it held less, by what it gave and did not get back: so the giver is
 * paid back before others get more, but never more than it gave.
 */
static uint32_t share_at(const struct pressure_plan *plan, uint32_t id, uint64_t level)
{
    const struct vmres_view *view = &plan->round->views[id];
    uint32_t charge = charge_of(view);
    uint32_t ask = plan->turns[id].ask;
    uint32_t owed = least(ask, above(view->entitlement, charge));
    uint32_t counts;

    if (plan->owed >= plan->supply)
        return rise(level, view->weight, charge, owed);
    counts = above((uint64_t)charge + owed, credit_of(&plan->vms[id], view));
    return owed + rise(level, view->weight, counts, ask - owed);
}

/* The level at which all askers have all they asked for. */
static uint64_t level_of_plenty(const struct pressure_plan *plan)
{
    uint64_t level = 0;

    for (uint32_t i = plan->policy->askers; i != VMRES_VM_NONE; i = plan->turns[i].next) {
        const struct vmres_view *view = &plan->round->views[i];
        uint64_t allotment = (uint64_t)charge_of(view) + plan->turns[i].ask;
        uint64_t own = (allotment << LEVEL_BITS) / view->weight + 1;

        if (level < own)
            level = own;
    }
    return level;
}

/* The highest level at which the askers get no more than there is; what then is over in *rest. */
static uint64_t common_level(const struct pressure_plan *plan, uint64_t plenty, uint64_t *rest)
{
    uint64_t low = 0;
    uint64_t high = plenty;

    *rest = plan->supply;
    while (high - low > 1 && *rest > 0) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t sum = 0;

        for (uint32_t i = plan->policy->askers; i != VMRES_VM_NONE; i = plan->turns[i].next)
            sum += share_at(plan, i, middle);
        if (sum > plan->supply) {
            high = middle;
        } else {
            low = middle;
            *rest = plan->supply - sum;
        }
    }
    return low;
}

static const char *reason_of(const struct pressure_plan *plan, uint32_t id)
{
    const struct vmres_view *view = &plan->round->views[id];

    if (plan->asked > plan->supply && plan->supply > plan->owed &&
        credit_of(&plan->vms[id], view) > 0)
        return "stalls after giving: is paid back first";
    return view->stall > 0 ? "stalls: gets what it misses"
                           : "has used up all: gets what it may miss";
}

/* Lowest allotment per weight first; the last granules, less than one each, in order of id. */
void vmres__pressure_hand_out(struct pressure_plan *plan)
{
    uint64_t level = level_of_plenty(plan);
    uint64_t rest = 0;

    if (plan->asked > plan->supply)
        level = common_level(plan, level, &rest);
    for (uint32_t i = plan->policy->askers; i != VMRES_VM_NONE; i = plan->turns[i].next) {
        uint32_t share = share_at(plan, i, level);
        uint32_t extra = least(share_at(plan, i, level + 1) - share, rest);
        uint32_t target = charge_of(&plan->round->views[i]) + share + extra;

        rest -= extra;
        if (target > plan->round->views[i].held && plan->turns[i].ask > 0)
            vmres_verdict_set(plan->verdict, i, target, reason_of(plan, i));
    }
}
