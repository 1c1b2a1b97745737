/* SPDX-License-Identifier: MIT */
/*
 * What the host sees of a VM, and the way of all events to the driver. The host trusts the device's
 * reading for what a VM holds, and its own witness for what it really does. Invariant: `told` is
 * what the driver was last told, so that an observation is posted only where it says something new,
 * or where something happened that nobody asked for.
 */
#include "internal.h"

struct vmres_event vmres__sim_host_event(const struct sim_vm *vm, enum vmres_event_type type,
                                         uint8_t kind)
{
    return (struct vmres_event){
        .vm = vm->id,
        .type = (uint8_t)type,
        .kind = kind,
        .incarnation = vm->incarnation,
    };
}

enum vmres_status vmres__sim_host_post(struct vmres_sim *sim, const struct vmres_event *event)
{
    if (!sim->backend.driver)
        return VMRES_STATE;
    return vmres_driver_post(sim->backend.driver, event);
}

uint16_t vmres__sim_host_words(const struct vmres_sim *sim, uint8_t kind)
{
    bool enforced = sim->kinds[kind].resource.removal == VMRES_REMOVAL_HOST;

    return VMRES_VALID_HELD | (enforced ? VMRES_VALID_ENFORCED : VMRES_VALID_WITNESS);
}

bool vmres__sim_host_differs(const struct sim_holding *holding)
{
    return holding->unseen || holding->told.held != sim_reading(holding) ||
           holding->told.witness != holding->held || holding->told.target != holding->target;
}

enum vmres_status vmres__sim_host_observe(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_OBSERVED, kind);
    enum vmres_status status;

    event.valid =
        (uint16_t)(vmres__sim_host_words(sim, kind) | VMRES_VALID_TARGET | VMRES_VALID_LIMIT);
    event.as.observed.held = sim_reading(holding);
    event.as.observed.target = holding->target;
    if (event.valid & VMRES_VALID_WITNESS)
        event.as.observed.witness = holding->held;
    event.as.observed.limit = holding->limits.ceiling;
    status = vmres__sim_host_post(sim, &event);
    if (status != VMRES_OK)
        return status; /* said again at the next chance */
    holding->told.held = sim_reading(holding);
    holding->told.witness = holding->held;
    holding->told.target = holding->target;
    holding->unseen = false;
    vmres__sim_shadow_seen(sim, vm, kind);
    return VMRES_OK;
}
