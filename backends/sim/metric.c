/* SPDX-License-Identifier: MIT */
/*
 * The measures of a run, added up at the end of every tick in integers (unit x milliseconds; 128
 * bits) and turned into doubles only when read:
 *
 *     U     sum of max(0, demand - held) dt over VMs and ticks: what was missing
 *     U_lb  sum of max(0, sum of max(demand, floor) - capacity) dt: nobody can do better
 *     V     what devices released, memory in use included
 *     J     U + V (1 / release + 1 / grant): moves priced in the same unit
 *     E     sum of max(0, min(demand, entitlement) - held) dt, of capacity x time
 *     R     page-cache wish not held
 *     hops  on a contiguous host: of what was released, what its VM had taken in to pass it on; not
 *           in V, nor in what VMs gave and took, so that a byte counts once, end to end. Nobody
 *           gives and gets at once but a link: so the lesser of what a VM took in and released,
 *           from one moment without open resizes to the next, only passed through.
 *     oom   VM-ticks with more memory missing than the guest can swap out
 *     reversed: what a VM moved in a tick in which it turned less than 120 s after its last move
 *
 * Knows what is, not what anybody says: lies and noise play no part.
 */
#include "internal.h"

enum { TURN_MS = 120000, MS = 1000 };

/* Units in one of what is printed: a GiB, a CPU, a piece. */
static uint64_t scale_of(const struct vmres_resource *resource)
{
    switch (resource->unit) {
    case VMRES_UNIT_BYTES:
        return VMRES_GIB;
    case VMRES_UNIT_MILLI:
        return 1000;
    case VMRES_UNIT_COUNT:
        break;
    }
    return 1;
}

/* What a guest swaps out is memory, the first kind that is not a rate: who gets too little CPU is
 * slow, and lives. */
uint8_t vmres__sim_metric_memory(const struct vmres_sim *sim)
{
    uint8_t kind = 0;

    while (kind < sim->kind_count && sim->kinds[kind].resource.unit == VMRES_UNIT_MILLI)
        kind++;
    return kind;
}

static bool at_rest(const struct sim_holding *holding)
{
    return holding->commands[SIM_SHRINK].id == 0 && holding->commands[SIM_GROW].id == 0;
}

/* Closes the tick, or the time since it was last at rest, for the movement of one holding. What
 * moves less than 1/10000 stands still. */
static void add_movement(struct sim_tally *tally, uint64_t scale, uint64_t now)
{
    int32_t direction = tally->in > tally->out ? 1 : -1;
    uint64_t net = tally->in > tally->out ? tally->in - tally->out : tally->out - tally->in;

    tally->given += tally->out;
    tally->taken += tally->in;
    tally->passed += sim_min(tally->in, tally->out);
    tally->in = 0;
    tally->out = 0;
    if (net <= scale / 10000)
        return;
    if (tally->direction == -direction && now - tally->turned_ms < TURN_MS)
        tally->reversed += net;
    tally->direction = direction;
    tally->turned_ms = now;
}

/* Adds one running VM's tick; returns what it is short of. */
static uint64_t add_need(const struct sim_vm *vm, struct sim_holding *holding, uint64_t tick_ms,
                         bool swaps)
{
    struct sim_tally *tally = &holding->tally;
    uint64_t missing = sim_less(holding->demand, holding->held);
    uint64_t due = sim_min(holding->demand, tally->entitlement);

    tally->unmet += (sim_wide)missing * tick_ms;
    tally->shortfall += (sim_wide)sim_less(due, holding->held) * tick_ms;
    tally->cache_missing +=
        (sim_wide)sim_less(holding->cache, sim_less(holding->held, holding->demand)) * tick_ms;
    if (swaps && missing > vm->swap)
        tally->oom_ticks++;
    return missing;
}

static void add_kind(struct vmres_sim *sim, uint8_t kind)
{
    struct sim_kind *world = &sim->kinds[kind];
    uint64_t scale = scale_of(&world->resource);
    bool blocks = vmres__sim_place_matters(sim, kind);
    bool swaps = kind == vmres__sim_metric_memory(sim);
    sim_wide missing = 0;
    sim_wide wanted = 0;
    sim_wide held = 0;
    sim_wide room = world->resource.capacity;
    sim_wide bound;

    for (uint32_t i = 0; i < sim->vm_count; i++) {
        const struct sim_vm *vm = &sim->vms[i];
        struct sim_holding *holding = &vm->holdings[kind];

        held += holding->held;
        if (!blocks || at_rest(holding))
            add_movement(&holding->tally, scale, sim->now);
        if (!sim_running(vm))
            continue;
        missing += add_need(vm, holding, sim->options.tick_ms, swaps);
        wanted += sim_max(holding->demand, sim_min(holding->limits.floor, holding->held));
    }
    bound = wanted > room ? wanted - room : 0;
    /* Who takes what it was not given, or keeps it while the host shrinks, has what lies there. */
    if (sim->unruly && held > room)
        bound = wanted > held ? wanted - held : 0;
    world->unmet_bound += bound * sim->options.tick_ms;
    if (missing < bound)
        sim->violations.bound++;
}

void vmres__sim_metric_tick(struct vmres_sim *sim)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (sim->shares_stale)
            vmres__sim_share_compute(sim, kind);
        add_kind(sim, kind);
    }
    sim->shares_stale = false;
    sim->ticks++;
}

/* What is not closed yet counts, too. */
static void add_tally(struct sim_tally *sum, const struct sim_tally *tally)
{
    sum->unmet += tally->unmet;
    sum->shortfall += tally->shortfall;
    sum->cache_missing += tally->cache_missing;
    sum->given += tally->given + tally->out;
    sum->taken += tally->taken + tally->in;
    sum->passed += tally->passed + sim_min(tally->out, tally->in);
    sum->reversed += tally->reversed;
    sum->oom_ticks += tally->oom_ticks;
}

/* Seconds per amount moved; a device that works at once costs nothing. */
static double price_of(const struct vmres_sim_device *device, double scale)
{
    double price = 0;

    if (device->release != 0)
        price += scale / (double)device->release;
    if (device->grant != 0)
        price += scale / (double)device->grant;
    return price;
}

enum vmres_status vmres_sim_metrics(const struct vmres_sim *sim, uint32_t index, uint8_t kind,
                                    struct vmres_sim_metrics *metrics)
{
    const bool all = index == VMRES_VM_NONE;
    const struct sim_kind *world;
    struct sim_tally sum = {0};
    double scale, over_time, time_ms;

    if (kind >= sim->options.kinds || (index >= sim->vm_count && !all))
        return VMRES_INVALID;
    world = &sim->kinds[kind];
    for (uint32_t i = all ? 0 : index; i < (all ? sim->vm_count : index + 1); i++)
        add_tally(&sum, &sim->vms[i].holdings[kind].tally);
    if (!vmres__sim_place_matters(sim, kind))
        sum.passed = 0; /* any part will do: nothing need pass through */
    scale = (double)scale_of(&world->resource);
    over_time = scale * MS;
    time_ms = (double)sim->ticks * sim->options.tick_ms;
    *metrics = (struct vmres_sim_metrics){
        .capacity = (double)world->resource.capacity / scale,
        .unmet = (double)sum.unmet / over_time,
        .unmet_bound = all ? (double)world->unmet_bound / over_time : 0,
        .moved = (double)(sum.given - sum.passed) / scale,
        .cost = (double)(sum.taken - sum.passed) / scale,
        .hops = (double)sum.passed / scale,
        .reversed = (double)sum.reversed / scale,
        .cache_missing = (double)sum.cache_missing / over_time,
        .oom_ticks = sum.oom_ticks,
        .ticks = sim->ticks,
    };
    if (sim->ticks > 0 && world->resource.capacity > 0)
        metrics->shortfall_pct =
            100 * (double)sum.shortfall / ((double)world->resource.capacity * time_ms);
    if (index == VMRES_VM_NONE)
        metrics->cost = metrics->unmet + metrics->moved * price_of(&world->device, scale);
    return VMRES_OK;
}
