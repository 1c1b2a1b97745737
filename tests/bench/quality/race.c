/* SPDX-License-Identifier: MIT */
/*
 * A race on the simulated host, run by the engine. The books are looked at in the end, the
 * simulator's own shadow at every command; whatever is broken is told by name.
 */
#include "quality/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/driver.h>
#include <vmres/policies.h>
#include <vmres/query.h>
#include <vmres/units.h>

#include "peers/adapter.h"
#include "traces/dice.h"

enum { STEP_ROWS = 60 }; /* to be seen of what follows a step */

struct track {
    const struct race *race;
    struct vmres_resource resource;
    struct vmres_sim_device device;
    struct vmres_pressure_options pressure;
    struct vmres_policy policy;
    struct peer_options peer;
    struct peer_seat seat;
    double *resident; /* [vms]: what each has touched of what it holds, for those who look */
    struct dice dice;
    struct vmres_sim *sim;
    struct vmres_driver *driver;
    uint64_t *cells; /* times, then demand, then cache */
    struct vmres_sim_demand *demand;
    uint64_t unit;
    struct result result;
};

static void breach(struct track *track, const char *what)
{
    if (!track->result.breach[0])
        (void)snprintf(track->result.breach, sizeof track->result.breach, "%.79s", what);
}

/* --- the step of a trace --- */

static uint32_t last_change(const struct trace *trace)
{
    for (uint32_t row = trace->rows; row-- > 1;) {
        for (uint32_t vm = 0; vm < trace->vms; vm++) {
            if (trace_wish(trace, vm, row) != trace_wish(trace, vm, row - 1))
                return row;
        }
    }
    return 0;
}

uint32_t race_step(const struct trace *trace, uint32_t *size)
{
    uint32_t row = last_change(trace), changed = 0;

    if (row == 0 || row + STEP_ROWS > trace->rows)
        return 0;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t now = trace_wish(trace, vm, row), before = trace_wish(trace, vm, row - 1);

        if (now < before)
            return 0;
        changed += now > before;
        if (now > before)
            *size = now - before;
    }
    return changed == 1 ? row : 0;
}

/* --- getting ready --- */

static int make_demand(struct track *track)
{
    const struct trace *trace = track->race->trace;
    size_t rows = trace->rows, columns = 1 + (size_t)trace->vms * (trace->cache ? 2 : 1);

    track->cells = calloc(rows * columns, sizeof *track->cells);
    track->demand = calloc(trace->vms, sizeof *track->demand);
    track->resident = calloc(trace->vms, sizeof *track->resident);
    if (!track->cells || !track->demand || !track->resident)
        return 0;
    for (size_t row = 0; row < rows; row++)
        track->cells[row] = row * 1000;
    for (size_t cell = 0; cell < rows * trace->vms; cell++) {
        track->cells[rows + cell] = trace->demand[cell] * track->unit;
        if (trace->cache)
            track->cells[rows * (1 + trace->vms) + cell] = trace->cache[cell] * track->unit;
    }
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        track->demand[vm] = (struct vmres_sim_demand){
            .points = trace->rows, .at_ms = track->cells, .amount = track->cells + rows * (1 + vm)};
        if (trace->cache)
            track->demand[vm].cache = track->cells + rows * (1 + trace->vms + vm);
    }
    return 1;
}

static void choose_policy(struct track *track)
{
    const struct contestant *contestant = track->race->contestant;

    if (contestant->peer) {
        track->peer.seat = &track->seat;
        track->policy = (struct vmres_policy){&peer_policy, &track->peer};
        return;
    }
    track->policy.ops = vmres_policy_find(contestant->name);
    if (strcmp(contestant->name, "pressure") != 0)
        return;
    track->pressure = (struct vmres_pressure_options){
        .release = track->device.release, .grant = track->device.grant, .margin = VMRES_PPM / 16};
    track->policy.options = &track->pressure;
}

static void describe_host(struct track *track)
{
    const struct trace *trace = track->race->trace;
    bool memory = trace->unit == VMRES_UNIT_BYTES;

    track->unit = memory ? VMRES_MIB : 1;
    track->resource = (struct vmres_resource){
        .name = memory ? "memory" : "cpu",
        .unit = trace->unit,
        .removal = memory ? VMRES_REMOVAL_GUEST : VMRES_REMOVAL_HOST,
        .granule = memory ? 64 * VMRES_KIB : 10,
        .capacity = trace->capacity * track->unit,
    };
    if (memory)
        track->device = (struct vmres_sim_device){.release = (uint64_t)(RACE_RELEASE * VMRES_GIB),
                                                  .grant = (uint64_t)(RACE_GRANT * VMRES_GIB),
                                                  .swap_out = (uint64_t)(RACE_SWAP * VMRES_GIB)};
}

static enum vmres_status add_vms(struct track *track)
{
    const struct trace *trace = track->race->trace;
    enum vmres_status status = VMRES_OK;

    for (uint32_t vm = 0; vm < trace->vms && status == VMRES_OK; vm++) {
        struct vmres_vm_limits limits = {.floor = trace->floors[vm] * track->unit,
                                         .ceiling = trace->ceilings[vm] * track->unit,
                                         .initial = UINT64_MAX,
                                         .weight = trace->weights[vm],
                                         .participation = VMRES_PARTICIPATE_BOTH};
        char name[VMRES_VM_NAME_MAX];
        struct vmres_sim_vm_spec spec = {.spec = {.name = name, .limits = &limits},
                                         .demand = &track->demand[vm]};
        uint32_t index;

        (void)snprintf(name, sizeof name, "vm%u", vm + 1);
        status = vmres_sim_add_vm(track->sim, &spec, &index);
    }
    return status;
}

static enum vmres_status add_fault(struct track *track)
{
    const struct condition *condition = track->race->condition;
    struct vmres_sim_fault fault = {.fault = condition->fault, .share = condition->share};

    return fault.fault ? vmres_sim_add_fault(track->sim, &fault) : VMRES_OK;
}

static enum vmres_status make_sim(struct track *track)
{
    const struct condition *condition = track->race->condition;
    struct vmres_sim_options options;
    enum vmres_status status;

    vmres_sim_options_init(&options);
    options.max_vms = track->race->trace->vms;
    options.kinds = 1;
    options.resources = &track->resource;
    options.devices = &track->device;
    options.sensors = (struct vmres_sim_sensors){.stall = track->race->contestant->stall,
                                                 .available_noise = 10000 * condition->noise,
                                                 .stall_noise = 200000 * condition->noise};
    status = vmres_sim_create(&options, &track->sim, NULL);
    if (status == VMRES_OK)
        status = add_vms(track);
    return status == VMRES_OK ? add_fault(track) : status;
}

static enum vmres_status make_driver(struct track *track)
{
    struct vmres_driver_options options;
    enum vmres_status status;

    vmres_driver_options_init(&options);
    options.engine.max_vms = track->race->trace->vms;
    options.engine.kinds = 1;
    options.engine.resources = &track->resource;
    options.engine.policies = &track->policy;
    options.engine.period_ms = 1000 * track->race->condition->period_s;
    options.backend = vmres_sim_backend(track->sim);
    status = vmres_driver_create(&options, &track->driver, NULL);
    return status == VMRES_OK ? vmres_driver_start(track->driver, 0, NULL) : status;
}

/* --- running --- */

/* What rules know beside the views: demand, noisy, and what VMs have touched of the host. */
static void show_peer(struct track *track, uint32_t row)
{
    const struct trace *trace = track->race->trace;
    struct peer_host *host = &track->seat.host;

    host->free = (double)track->resource.capacity;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        double wish = (double)trace_wish(trace, vm, row) * (double)track->unit;
        size_t cell = (size_t)vm * trace->rows + row;
        double touched = wish + (trace->cache ? trace->cache[cell] * (double)track->unit : 0);
        struct vmres_sim_state state;

        if (vmres_sim_vm(track->sim, vm, 0, &state) != VMRES_OK || (row > 0 && state.vm != vm))
            breach(track, "the ids are not in order");
        if (touched > track->resident[vm])
            track->resident[vm] = touched;
        if (row > 0 && track->resident[vm] > (double)state.held)
            track->resident[vm] = (double)state.held;
        host->free -= track->resident[vm];
        host->vms[vm].demand = wish * (1 + 0.01 * dice_bell(&track->dice) / DICE_ONE);
    }
}

static struct vmres_sim_metrics metrics_of(struct track *track, uint32_t vm)
{
    struct vmres_sim_metrics metrics = {0};

    if (vmres_sim_metrics(track->sim, vm, 0, &metrics) != VMRES_OK)
        breach(track, "no measures");
    return metrics;
}

static void run(struct track *track)
{
    const struct trace *trace = track->race->trace;
    uint32_t size = 0, step = race_step(trace, &size);
    double before = 0;

    for (uint32_t row = 0; row < trace->rows; row++) {
        if (row == step)
            before = metrics_of(track, VMRES_VM_NONE).unmet;
        if (track->race->contestant->peer)
            show_peer(track, row);
        vmres_sim_run(track->sim, (row + 1) * (uint64_t)1000);
    }
    track->result.relief = -1;
    if (step > 0)
        track->result.relief = (metrics_of(track, VMRES_VM_NONE).unmet - before) /
                               ((double)size / (trace->unit == VMRES_UNIT_BYTES ? 1024 : 1000));
}

static void look_for_breaches(struct track *track)
{
    struct vmres_sim_violations seen;
    struct vmres_error error = {0};

    if (vmres_engine_audit(vmres_driver_engine(track->driver), &error) != VMRES_OK)
        breach(track, error.message);
    vmres_sim_violations(track->sim, &seen);
    if (seen.capacity || seen.conservation)
        breach(track, "more was promised than the host has");
    if (seen.floor || seen.ceiling)
        breach(track, "a VM was put outside of its limits");
    if (seen.single_transfer)
        breach(track, "a VM was in two transfers at once");
    if (seen.bound || track->result.unmet < track->result.bound * (1 - 1e-9))
        breach(track, "less was missing than can be");
}

static void sum_up(struct track *track)
{
    struct vmres_sim_metrics all = metrics_of(track, VMRES_VM_NONE), first = metrics_of(track, 0);
    struct result *result = &track->result;

    result->unmet = all.unmet;
    result->bound = all.unmet_bound;
    result->moved = all.moved;
    result->cost = all.cost;
    result->shortfall = all.shortfall_pct;
    result->others_shortfall = all.shortfall_pct - first.shortfall_pct;
    result->others_unmet = all.unmet - first.unmet;
    result->cache = all.cache_missing;
    result->reversed = all.reversed;
    result->oom_ticks = all.oom_ticks;
    look_for_breaches(track);
}

struct result race_run(const struct race *race)
{
    struct track track = {.race = race, .dice = dice_open(race->trace->name, 1)};
    const struct peer *peer = race->contestant->peer;

    describe_host(&track);
    choose_policy(&track);
    if (!make_demand(&track) || (peer && !peer_seat_open(&track.seat, peer, race->trace->vms)))
        breach(&track, "no memory");
    else if (make_sim(&track) != VMRES_OK || make_driver(&track) != VMRES_OK)
        breach(&track, "the host cannot be made");
    else {
        run(&track);
        sum_up(&track);
    }
    vmres_driver_destroy(track.driver);
    vmres_sim_destroy(track.sim);
    peer_seat_close(&track.seat);
    free(track.cells);
    free(track.demand);
    free(track.resident);
    return track.result;
}
