/* SPDX-License-Identifier: MIT */
/*
 * Turns the clock for a test, a tick at a time, and looks on: whether anything still moves, and
 * whether anything was ever wrong. Invariant: a breach is found in the tick in which it happens.
 */
#include "harness.h"

#include <stddef.h>
#include <vmres/query.h>

#include "internal.h"

/* What each count of the simulator's shadow means. */
static const struct {
    size_t offset;
    const char *text;
} shadows[] = {
    {offsetof(struct vmres_sim_violations, capacity),
     "a command would let the VMs hold more than the host has"},
    {offsetof(struct vmres_sim_violations, conservation), "the engine's books do not add up"},
    {offsetof(struct vmres_sim_violations, floor), "a VM was told to go below its floor"},
    {offsetof(struct vmres_sim_violations, ceiling),
     "a target is above the VM's ceiling, or not in whole granules"},
    {offsetof(struct vmres_sim_violations, single_transfer),
     "a command's id was used twice, or a VM was told to give and to take at once"},
    {offsetof(struct vmres_sim_violations, bound), "less was missed than is possible"},
};

const char *vmres_harness_breach(struct vmres_harness *harness)
{
    const struct vmres_driver *driver = vmres_harness_driver(harness);
    struct vmres_sim_violations seen;
    struct vmres_error error;

    if (driver && vmres_engine_audit(vmres_driver_engine(driver), &error) != VMRES_OK)
        vmres__harness_fail(harness, "%s", error.message);
    vmres_sim_violations(harness->sim, &seen);
    for (size_t i = 0; i < sizeof shadows / sizeof shadows[0]; i++) {
        if (*(const uint64_t *)((const char *)&seen + shadows[i].offset) > 0)
            vmres__harness_fail(harness, "%s", shadows[i].text);
    }
    return harness->breach.status == VMRES_OK ? NULL : harness->breach.message;
}

static void tick(struct vmres_harness *harness)
{
    uint64_t now = vmres_harness_now(harness);

    if (harness->options.manager)
        harness->options.manager(harness->options.user, now);
    vmres_sim_run(harness->sim, now + 1);
    (void)vmres_harness_breach(harness);
}

/* So long from now; there is no later than the end of time. */
static uint64_t after(const struct vmres_harness *harness, uint64_t ms)
{
    uint64_t now = vmres_harness_now(harness);

    return now + sim_min(ms, UINT64_MAX - now);
}

void vmres_harness_run(struct vmres_harness *harness, uint64_t ms)
{
    uint64_t end = after(harness, ms);

    while (vmres_harness_now(harness) < end)
        tick(harness);
}

static bool has_open_transfers(const struct vmres_harness *harness)
{
    const struct vmres_driver *driver = vmres_harness_driver(harness);
    struct vmres_transfer_info transfer;
    uint32_t cursor = 0;

    while (driver && vmres_engine_next_transfer(vmres_driver_engine(driver), &cursor, &transfer)) {
        if (transfer.state != VMRES_TRANSFER_PLANNED) /* in a dry run plans stay */
            return true;
    }
    return false;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(1099511628211);
}

/* Stands for all that could change; 0: something is still open. */
static uint64_t look(const struct vmres_harness *harness)
{
    const struct vmres_sim *sim = harness->sim;
    uint64_t sum = 1;

    if (has_open_transfers(harness))
        return 0;
    for (uint32_t vm = 0; vm < sim->vm_count; vm++) {
        sum = mix(mix(sum, sim->vms[vm].life), sim->vms[vm].incarnation);
        sum = mix(sum, vmres_harness_state(harness, vm));
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            const struct sim_holding *holding = &sim->vms[vm].holdings[kind];

            if (holding->commands[SIM_SHRINK].id != 0 || holding->commands[SIM_GROW].id != 0)
                return 0;
            sum = mix(mix(sum, holding->held), holding->hidden);
            sum = mix(mix(sum, holding->target), vmres_harness_account(harness, vm, kind).charge);
        }
    }
    return sum | 1;
}

int vmres_harness_settle(struct vmres_harness *harness, uint64_t limit_ms)
{
    uint64_t end = after(harness, limit_ms);
    uint64_t before = look(harness);
    uint32_t quiet = 0;

    while (vmres_harness_now(harness) < end && quiet < harness->options.quiet_ticks) {
        uint64_t sum;

        tick(harness);
        sum = look(harness);
        quiet = sum != 0 && sum == before ? quiet + 1 : 0;
        before = sum;
    }
    return quiet >= harness->options.quiet_ticks;
}
