/* SPDX-License-Identifier: MIT */
/*
 * The policy "usage": the method's own rule. A VM whose usage rate, used / held, is above `high` is
 * increased by regions of a fixed size: from the free pool first, then from VMs whose rate is below
 * `low`, which are decreased. The largest deficiency is served first, from the largest excess.
 *
 * Invariants: a decrease leaves a VM at or below `high`, an increase at or above `low`, so neither
 * makes a move the other way, and with constant use all comes to rest. The exception is full use:
 * there the need is unknown, so a region is added whatever follows, and taken away again only if
 * the rule of decrease allows it. Whole regions only: one under way is let arrive.
 */
#include "policy.h"

#include <vmres/policies.h>
#include <vmres/units.h>

#include "bucket.h"
#include "text.h"

#define REGIONS_OF_HOST 64u /* default: so many regions make the capacity */

struct usage {
    struct buckets givers, takers;
    uint64_t low, high; /* ppm */
    uint32_t region;    /* granules */
    uint32_t regions;   /* a VM and round, at most */
};

struct usage_vm {
    uint32_t regions; /* that it could give, or should get */
    uint32_t next;    /* in its bucket */
};

static enum vmres_status start(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    const struct vmres_usage_options *chosen = options;
    struct usage *usage = state;
    uint64_t region = chosen->region;

    if (chosen->low >= chosen->high || chosen->high > VMRES_PPM)
        return VMRES_INVALID;
    if (region == 0)
        region = host->resource->capacity / REGIONS_OF_HOST;
    usage->low = chosen->low;
    usage->high = chosen->high;
    usage->region = clamp(region / host->granule + (region % host->granule != 0));
    usage->regions = clamp(chosen->regions);
    return usage->region > 0 && usage->regions > 0 ? VMRES_OK : VMRES_INVALID;
}

/* What the VM uses: the mean of its samples where it keeps any, for one reading may mislead. */
static uint32_t used_by(const struct vmres_view *view)
{
    uint32_t used = view->flags & VMRES_VIEW_SAMPLES ? view->used_mean : view->used;

    return used < view->held ? used : view->held;
}

/* Up to which holding the VM is not below the rate, and from which on it is not above it. Nothing
 * is below a rate of 0. */
static uint64_t most_held_at(uint64_t used, uint64_t rate)
{
    return rate == 0 ? UINT64_MAX : used * VMRES_PPM / rate;
}

static uint64_t least_held_at(uint64_t used, uint64_t rate)
{
    return (used * VMRES_PPM + rate - 1) / rate;
}

/* Regions the VM could give: enough to be at `low`, not so many as to pass `high` or floor. */
static uint32_t excess_regions(const struct usage *usage, const struct vmres_view *view)
{
    uint64_t used = used_by(view);
    uint64_t excess = above(view->held, most_held_at(used, usage->low));
    uint64_t spare = above(view->held, least_held_at(used, usage->high));
    uint64_t wanted = (excess + usage->region - 1) / usage->region;

    spare = least(spare, above(view->held, view->floor)) / usage->region;
    return least(least(wanted, spare), usage->regions);
}

/* Regions the VM should get: enough to be at `high`, not so many as to pass `low` or ceiling. */
static uint32_t missing_regions(const struct usage *usage, const struct vmres_view *view)
{
    uint64_t used = used_by(view);
    uint64_t missing = above(least_held_at(used, usage->high), view->held);
    uint64_t wanted = (missing + usage->region - 1) / usage->region;
    uint64_t useful = above(most_held_at(used, usage->low), view->held) / usage->region;

    if (used == view->held && useful == 0)
        useful = 1;
    wanted = least(wanted, above(view->ceiling, view->held) / usage->region);
    return least(least(wanted, useful), usage->regions);
}

/* Lets what is under way arrive. Returns whether there is any. */
static int keep_promise(const struct vmres_view *view, uint32_t vm, struct vmres_verdict *verdict)
{
    if (view->incoming > 0)
        vmres_verdict_set(verdict, vm, clamp((uint64_t)view->held + view->incoming),
                          "a region is on its way to it");
    else if (view->outgoing > 0)
        vmres_verdict_set(verdict, vm, above(view->held, view->outgoing), "a region is leaving it");
    return view->incoming > 0 || view->outgoing > 0;
}

/* Puts the VM among those that should get, or could give. Returns the regions it should get. */
static uint32_t sort_in(struct usage *usage, struct usage_vm *vm, uint32_t id,
                        const struct vmres_view *view)
{
    uint64_t used = used_by(view);
    uint32_t missing = may_receive(view) ? missing_regions(usage, view) : 0;
    uint32_t excess = may_give(view) && !missing ? excess_regions(usage, view) : 0;

    vm->regions = missing + excess;
    if (missing > 0)
        bucket_drop(&usage->takers, above(least_held_at(used, usage->high), view->held), id,
                    &vm->next);
    else if (excess > 0)
        bucket_drop(&usage->givers, above(view->held, most_held_at(used, usage->low)), id,
                    &vm->next);
    return missing;
}

/* Who has too much, who too little? Returns the regions that are missing. */
static uint64_t examine(struct usage *usage, struct usage_vm *vms, const struct vmres_round *round,
                        struct vmres_verdict *verdict)
{
    uint64_t wanted = 0;

    bucket_clear(&usage->givers);
    bucket_clear(&usage->takers);
    for (uint32_t i = round->count; i-- > 0;) { /* downwards: among equals the first id wins */
        const struct vmres_view *view = &round->views[i];

        if (view_has(view, 0) && !keep_promise(view, i, verdict))
            wanted += sort_in(usage, &vms[i], i, view);
    }
    return wanted;
}

/* Takes up to `wanted` regions, largest excess first. Returns how many that made. */
static uint64_t take(const struct usage *usage, const struct usage_vm *vms, uint64_t wanted,
                     const struct vmres_round *round, struct vmres_verdict *verdict)
{
    uint64_t taken = 0;

    for (uint32_t bucket = BUCKETS; bucket-- > 0 && taken < wanted;) {
        for (uint32_t i = usage->givers.first[bucket]; i != VMRES_VM_NONE && taken < wanted;
             i = vms[i].next) {
            uint64_t regions = least(vms[i].regions, wanted - taken);

            vmres_verdict_set(verdict, i,
                              round->views[i].held - (uint32_t)(regions * usage->region),
                              "its usage rate is low");
            taken += regions;
        }
    }
    return taken;
}

/* Hands out so many regions, largest deficiency first. */
static void give(const struct usage *usage, const struct usage_vm *vms, uint64_t supply,
                 const struct vmres_round *round, struct vmres_verdict *verdict)
{
    for (uint32_t bucket = BUCKETS; bucket-- > 0 && supply > 0;) {
        for (uint32_t i = usage->takers.first[bucket]; i != VMRES_VM_NONE && supply > 0;
             i = vms[i].next) {
            uint64_t regions = least(vms[i].regions, supply);

            vmres_verdict_set(verdict, i,
                              round->views[i].held + (uint32_t)(regions * usage->region),
                              "its usage rate is high");
            supply -= regions;
        }
    }
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    struct usage *usage = state;
    const struct usage_vm *vms = vm_states;
    uint64_t wanted = examine(usage, vm_states, round, verdict);
    uint64_t pool = least(round->free / usage->region, wanted);

    give(usage, vms, pool + take(usage, vms, wanted - pool, round, verdict), round, verdict);
}

static size_t explain(const void *state, const void *vm_state, const struct vmres_view *view,
                      char *buffer, size_t size)
{
    const struct usage *usage = state;
    uint32_t rate = view->held > 0 ? clamp((uint64_t)used_by(view) * VMRES_PPM / view->held) : 0;
    struct text text = vmres__text_begin(buffer, size);
    char room[VMRES_UNITS_ROOM];

    (void)vm_state;
    vmres__text_add(&text, "usage rate %s", vmres_format_share(room, sizeof room, rate));
    vmres__text_add(&text, "; decreased below %s",
                    vmres_format_share(room, sizeof room, (uint32_t)usage->low));
    vmres__text_add(&text, ", increased above %s",
                    vmres_format_share(room, sizeof room, (uint32_t)usage->high));
    return text.length;
}

static const struct vmres_usage_options defaults = {
    .low = 600000,
    .high = 800000,
    .region = 0,
    .regions = 1,
};

static const struct vmres_option_key keys[] = {
    {"low", VMRES_OPTION_SHARE, offsetof(struct vmres_usage_options, low), 1, VMRES_PPM,
     "usage rate below which a VM is decreased"},
    {"high", VMRES_OPTION_SHARE, offsetof(struct vmres_usage_options, high), 1, VMRES_PPM,
     "usage rate above which a VM is increased"},
    {"region", VMRES_OPTION_AMOUNT, offsetof(struct vmres_usage_options, region), 0, UINT64_MAX,
     "what moves at a time; 0: 1/64 of the capacity"},
    {"regions", VMRES_OPTION_COUNT, offsetof(struct vmres_usage_options, regions), 1, UINT32_MAX,
     "regions a VM gives or gets in a round, at most"},
    {NULL, VMRES_OPTION_COUNT, 0, 0, 0, NULL},
};

const struct vmres_policy_ops vmres__policy_usage = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "usage",
    .options_size = sizeof defaults,
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct usage),
    .vm_state_size = sizeof(struct usage_vm),
    .start = start,
    .judge = judge,
    .explain = explain,
};
