/* SPDX-License-Identifier: MIT */
/*
 * The order of things in one tick, (a) to (g). It matters: one tick of lag between sensor and
 * device costs a quarter to a half of what a policy can gain. Invariant: all that is due at a time
 * happens at that time; nothing here decides what.
 */
#include "internal.h"

static void pump(struct vmres_sim *sim, uint64_t now)
{
    if (sim_active(sim->host_faults, VMRES_SIM_NO_PUMP))
        return;
    if (sim->backend.driver)
        vmres_driver_pump(sim->backend.driver, now);
    vmres__sim_shadow_settle(sim);
}

/* Inquiry, reports, judgement, requests. Where a VM did not answer, the engine's patience ends
 * within the tick. */
static void judge(struct vmres_sim *sim)
{
    uint64_t deadline;

    sim->unanswered = false;
    pump(sim, sim->now);
    if (!sim->unanswered || !sim->backend.driver)
        return;
    deadline = vmres_driver_deadline(sim->backend.driver);
    if (deadline < sim->now + sim->options.tick_ms)
        pump(sim, deadline);
}

static void tick(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++)
        vmres__sim_guest_measure(sim, &sim->vms[i]); /* (a) */
    vmres__sim_fault_tick(sim);                      /* (b) */
    vmres__sim_host_configure(sim);
    vmres__sim_delay_tick(sim);
    vmres__sim_life_tick(sim);
    vmres__sim_guest_speak(sim); /* (g) of the last tick */
    judge(sim);                  /* (c) */
    vmres__sim_device_release_all(sim);
    vmres__sim_life_settle(sim);
    pump(sim, sim->now); /* (d) */
    vmres__sim_device_grant_all(sim);
    pump(sim, sim->now);         /* (e) */
    vmres__sim_metric_tick(sim); /* (f) */
    vmres__sim_guest_feel(sim);
    vmres__sim_shadow_audit(sim);
    sim->now += sim->options.tick_ms;
}

void vmres_sim_run(struct vmres_sim *sim, uint64_t until_ms)
{
    while (sim->now < until_ms)
        tick(sim);
}

uint64_t vmres_sim_now(const struct vmres_sim *sim)
{
    return sim->now;
}
