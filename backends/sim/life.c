/* SPDX-License-Identifier: MIT */
/*
 * The lives of VMs, and what of them the driver is told.
 *
 *     AWAITED --due--> ADDED --allotted--> ALLOTTED --VM_LIVE posted--> LIVE
 *        ^               |not taken                                   |  ^
 *        |<--------------+                                     reboot |  | balloon as it was
 *        |                                                            v  |
 *        |   may return      vanish, crash (from ADDED .. SETTLING)   SILENT --3 ticks--> SETTLING
 *        +------------------ LOST --VM_GONE posted, may not return--> GONE
 *
 * Invariant: only the edges drawn here are taken. A VM that is turned away for want of room is
 * AWAITED again. Ids and drivers are attach.c's, what a VM holds is device.c's.
 */
#include "internal.h"

enum { SILENT_TICKS = 3 };

void vmres__sim_life_enter(struct vmres_sim *sim, struct sim_vm *vm, enum sim_life life)
{
    vm->life = life;
    vm->since_ms = sim->now;
    sim->shares_stale = true;
}

void vmres__sim_life_blank(struct vmres_sim *sim, struct sim_vm *vm)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &vm->holdings[kind];

        holding->held = 0;
        vmres__sim_place_stay(holding);
        holding->hidden = 0;
        holding->traces = 0;
        holding->target = 0;
        holding->moving = false;
        holding->allotted = false;
        holding->stalled = false;
        holding->notice = 0;
        holding->report = (struct vmres_event){0};
        holding->ring.count = 0;
        holding->sensor.sample = (struct sim_sample){0};
    }
    vmres__sim_command_drop(sim, vm);
}

static void go_live(struct vmres_sim *sim, struct sim_vm *vm)
{
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_VM_LIVE, 0);

    if (sim_vm_hurt_by(vm, VMRES_SIM_SLOW_BOOT))
        return;
    if (vmres__sim_host_post(sim, &event) == VMRES_OK)
        vmres__sim_life_enter(sim, vm, SIM_LIVE);
}

void vmres__sim_life_begin(struct vmres_sim *sim, struct sim_vm *vm)
{
    vmres__sim_life_enter(sim, vm, SIM_ALLOTTED);
    vm->lived = true;
    vmres__sim_guest_measure(sim, vm);
    go_live(sim, vm);
}

void vmres__sim_life_allotted(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    vm->holdings[kind].allotted = true;
    for (kind = 0; kind < sim->kind_count; kind++) {
        if (!vm->holdings[kind].allotted)
            return;
    }
    vmres__sim_life_begin(sim, vm);
}

/* Its guest driver is back and pursues the target it finds. */
static void wake_up(struct vmres_sim *sim, struct sim_vm *vm)
{
    if (sim->now - vm->since_ms < (uint64_t)SILENT_TICKS * sim->options.tick_ms)
        return;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        vm->holdings[kind].moving = true;
        vm->holdings[kind].hidden = 0; /* it reads true again */
    }
    vmres__sim_life_enter(sim, vm, SIM_SETTLING);
}

static void tell_gone(struct vmres_sim *sim, struct sim_vm *vm)
{
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_VM_GONE, 0);

    if (vm->id != VMRES_VM_NONE && vmres__sim_host_post(sim, &event) != VMRES_OK)
        return; /* tried again in the next tick */
    vmres__sim_attach_forget(sim, vm);
    vmres__sim_life_enter(sim, vm, vm->return_ms == SIM_NEVER ? SIM_GONE : SIM_AWAITED);
}

static void live_on(struct vmres_sim *sim, struct sim_vm *vm)
{
    if (vm->life == SIM_SILENT)
        wake_up(sim, vm);
    else if (sim->link_down)
        return; /* nobody can be told */
    else if (vm->life == SIM_AWAITED && vm->return_ms <= sim->now && vm->since_ms < sim->now)
        (void)vmres__sim_attach_introduce(sim, vm);
    else if (vm->life == SIM_ADDED)
        vmres__sim_attach_await(sim, vm);
    else if (sim_running(vm) && vm->id == VMRES_VM_NONE)
        (void)vmres__sim_attach_introduce(sim, vm);
    else if (vm->life == SIM_ALLOTTED)
        go_live(sim, vm);
    else if (vm->life == SIM_LOST && vm->since_ms < sim->now)
        tell_gone(sim, vm);
}

void vmres__sim_life_tick(struct vmres_sim *sim)
{
    if (!sim->backend.driver)
        return;
    for (uint32_t i = 0; i < sim->vm_count; i++)
        live_on(sim, &sim->vms[i]);
    if (!sim->link_down)
        vmres__sim_attach_allot(sim);
}

/* What a reboot emptied is still to come back. A block is never emptied. */
static bool fills(const struct vmres_sim *sim, const struct sim_holding *holding, uint8_t kind)
{
    return holding->moving && !vmres__sim_place_matters(sim, kind) &&
           sim_reading(holding) < vmres__sim_command_reach(holding);
}

/* After the releases: a balloon that does not grow any more is as large as it will be, and a device
 * that has all it is to have is full. */
void vmres__sim_life_settle(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];
        bool moved = false;

        if (vm->life != SIM_SETTLING)
            continue;
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            moved |= vm->holdings[kind].tally.out > 0 || fills(sim, &vm->holdings[kind], kind);
            if (vmres__sim_host_differs(sim, &vm->holdings[kind]))
                (void)vmres__sim_host_observe(sim, vm, kind);
        }
        if (!moved)
            go_live(sim, vm);
    }
}

void vmres__sim_life_crash(struct vmres_sim *sim, struct sim_vm *vm, uint64_t return_ms)
{
    vmres__sim_life_blank(sim, vm);
    vm->return_ms = return_ms;
    vmres__sim_life_enter(sim, vm, SIM_LOST);
}

void vmres__sim_life_vanish(struct vmres_sim *sim, struct sim_vm *vm, uint64_t return_ms)
{
    vmres__sim_life_crash(sim, vm, return_ms);
    tell_gone(sim, vm);
}

/* Nothing of its former life counts. false: it has none that anybody knows of. */
static bool begin_anew(struct vmres_sim *sim, struct sim_vm *vm, enum sim_life life)
{
    if (!sim_running(vm) || vm->id == VMRES_VM_NONE)
        return false;
    vmres__sim_command_drop(sim, vm);
    vm->incarnation = vmres_driver_vm_incarnation(sim->backend.driver, vm->id) + 1;
    vmres__sim_life_enter(sim, vm, life);
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &vm->holdings[kind];

        holding->ring.count = 0;
        holding->report = (struct vmres_event){0};
        holding->sensor.sample = (struct sim_sample){0};
    }
    return true;
}

/* A block is the VM's whatever its device has of it. */
static void empty(const struct vmres_sim *sim, struct sim_holding *holding, uint8_t kind)
{
    if (!vmres__sim_place_matters(sim, kind))
        holding->held = 0;
}

void vmres__sim_life_reboot(struct vmres_sim *sim, struct sim_vm *vm, enum vmres_sim_fault_kind how)
{
    if (!begin_anew(sim, vm, SIM_SILENT))
        return;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &vm->holdings[kind];
        uint64_t before = sim_reading(holding);

        if (sim->kinds[kind].resource.removal == VMRES_REMOVAL_GUEST) {
            if (how == VMRES_SIM_REBOOT_EMPTY)
                empty(sim, holding, kind);
            else
                vmres__sim_device_retake(sim, holding, SIM_NEVER);
            holding->hidden = how == VMRES_SIM_REBOOT_STALE ? holding->held - before : 0;
            holding->moving = false;
        }
        (void)vmres__sim_host_observe(sim, vm, kind);
    }
}

void vmres__sim_life_restore(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                             uint64_t amount)
{
    struct sim_holding *holding = &vm->holdings[kind];

    if (!begin_anew(sim, vm, SIM_SETTLING))
        return;
    if (vmres__sim_place_matters(sim, kind)) /* what is outside of its block it cannot reach */
        amount = sim_min(amount, holding->held);
    vmres__sim_place_forget(holding);
    holding->held = vmres__sim_place_part(sim, kind, sim_min(amount, holding->most));
    holding->target = holding->held;
    holding->promise = holding->held;
    holding->hidden = 0;
    holding->moving = false;
    sim->unruly = true;
    for (kind = 0; kind < sim->kind_count; kind++)
        (void)vmres__sim_host_observe(sim, vm, kind);
}
