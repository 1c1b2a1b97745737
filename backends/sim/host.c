/* SPDX-License-Identifier: MIT */
/*
 * What the host sees of a VM, what is configured, and the way of all events to the driver. The host
 * trusts the device's reading for what a VM holds, and its own witness for what it really does.
 * Invariant: `told` is what the driver was last told, so that an observation is posted only where
 * it says something new, or where something happened that nobody asked for.
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
    if (!sim->backend.driver || sim->link_down)
        return VMRES_STATE;
    return vmres_driver_post(sim->backend.driver, event);
}

uint16_t vmres__sim_host_words(const struct vmres_sim *sim, uint8_t kind)
{
    bool enforced = sim->kinds[kind].resource.removal == VMRES_REMOVAL_HOST;

    return VMRES_VALID_HELD | (enforced ? VMRES_VALID_ENFORCED : VMRES_VALID_WITNESS);
}

uint64_t vmres__sim_host_reading(const struct sim_holding *holding)
{
    const struct vmres_sim_fault *lie = sim_hurt_by(holding, VMRES_SIM_LIE_HELD);

    return lie ? lie->amount : sim_reading(holding);
}

/* What a process grows by beyond its guest, since this began. */
static uint64_t overhead(const struct vmres_sim *sim, const struct sim_holding *holding)
{
    const struct vmres_sim_fault *drift = sim_hurt_by(holding, VMRES_SIM_OVERHEAD);

    return drift ? (uint64_t)((sim_wide)drift->amount * (sim->now - drift->at_ms) / 1000) : 0;
}

/* Noise has no state: who looks twice in a tick sees the same. */
uint64_t vmres__sim_host_witness(const struct vmres_sim *sim, const struct sim_holding *holding)
{
    const struct vmres_sim_fault *noise = sim_hurt_by(holding, VMRES_SIM_WITNESS_NOISE);
    uint64_t seen = holding->held + holding->traces + overhead(sim, holding);
    uint64_t stream;

    if (!noise)
        return seen;
    stream = vmres__sim_noise_stream(sim->options.seed ^ sim->now, noise->vm, noise->kind,
                                     SIM_FOR_CHANCE);
    return vmres__sim_noise_add(seen, noise->share, vmres__sim_noise_draw(&stream));
}

bool vmres__sim_host_differs(const struct vmres_sim *sim, const struct sim_holding *holding)
{
    return holding->unseen || sim_hurt_by(holding, VMRES_SIM_REPEAT) ||
           holding->told.held != vmres__sim_host_reading(holding) ||
           holding->told.witness != vmres__sim_host_witness(sim, holding) ||
           holding->told.target != holding->target;
}

enum vmres_status vmres__sim_host_observe(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_OBSERVED, kind);
    enum vmres_status status;

    event.valid =
        (uint16_t)(vmres__sim_host_words(sim, kind) | VMRES_VALID_TARGET | VMRES_VALID_LIMIT);
    event.as.observed.held = vmres__sim_host_reading(holding);
    event.as.observed.target = holding->target;
    if (event.valid & VMRES_VALID_WITNESS)
        event.as.observed.witness = vmres__sim_host_witness(sim, holding);
    event.as.observed.limit = holding->most;
    status = vmres__sim_host_post(sim, &event);
    if (status != VMRES_OK)
        return status; /* said again at the next chance */
    holding->told.held = event.as.observed.held;
    holding->told.witness = vmres__sim_host_witness(sim, holding);
    holding->told.target = holding->target;
    holding->told.limit = holding->most;
    holding->unseen = false;
    vmres__sim_shadow_observed(sim, vm, kind);
    return VMRES_OK;
}

struct vmres_vm_limits vmres__sim_host_limits(const struct sim_holding *holding)
{
    struct vmres_vm_limits limits = holding->limits;

    if (sim_hurt_by(holding, VMRES_SIM_NO_DEVICE))
        limits.participation = VMRES_PARTICIPATE_OFF;
    return limits;
}

static void tell_limits(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_vm_limits limits = vmres__sim_host_limits(holding);
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_VM_LIMITS, kind);

    event.as.limits.floor = limits.floor;
    event.as.limits.ceiling = limits.ceiling;
    event.as.limits.weight = limits.weight;
    event.as.limits.participation = limits.participation;
    if (limits.initial == UINT64_MAX)
        event.flags = VMRES_FLAG_AUTO;
    else
        event.as.limits.initial = limits.initial;
    if (vmres__sim_host_post(sim, &event) == VMRES_OK)
        holding->reconfigured = false;
}

static void tell_capacity(struct vmres_sim *sim, uint8_t kind)
{
    struct sim_kind *world = &sim->kinds[kind];
    struct vmres_event event = {.type = VMRES_EVENT_CAPACITY, .vm = VMRES_VM_NONE, .kind = kind};

    event.as.capacity.capacity = world->resource.capacity;
    event.as.capacity.reserve = world->resource.reserve;
    if (vmres__sim_host_post(sim, &event) == VMRES_OK)
        world->restocked = false;
}

void vmres__sim_host_configure(struct vmres_sim *sim)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (sim->kinds[kind].restocked)
            tell_capacity(sim, kind);
        for (uint32_t i = 0; i < sim->vm_count; i++) {
            if (sim->vms[i].holdings[kind].reconfigured && sim->vms[i].id != VMRES_VM_NONE)
                tell_limits(sim, &sim->vms[i], kind);
        }
    }
}
