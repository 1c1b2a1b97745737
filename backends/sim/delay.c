/* SPDX-License-Identifier: MIT */
/*
 * What is asked of a VM and has still to arrive there: a slow hypervisor, a call that blocks. One
 * queue for the whole host, in order of asking. Invariant: what is asked of a VM arrives in that
 * order, cancellations included; nothing is lost but with its VM.
 */
#include "internal.h"

bool vmres__sim_delay_fits(const struct vmres_sim *sim)
{
    return sim->delayed_count < sim->delayed_room;
}

static bool waits(const struct vmres_sim *sim, const struct sim_vm *vm)
{
    for (uint32_t i = 0; i < sim->delayed_count; i++) {
        if (sim->delayed[i].action.vm == vm->id)
            return true;
    }
    return false;
}

bool vmres__sim_delay_keep(struct vmres_sim *sim, const struct sim_vm *vm,
                           const struct vmres_action *action)
{
    const struct vmres_sim_fault *late = sim_vm_hurt_by(vm, VMRES_SIM_LATENCY);

    if (!late && !sim_vm_hurt_by(vm, VMRES_SIM_HANG) && !waits(sim, vm))
        return false;
    if (vmres__sim_delay_fits(sim))
        sim->delayed[sim->delayed_count++] =
            (struct sim_delayed){*action, sim->now + (late ? late->amount : 0)};
    return true;
}

uint32_t vmres__sim_delay_whose(const struct vmres_sim *sim, uint64_t command)
{
    for (uint32_t i = 0; i < sim->delayed_count; i++) {
        if (sim->delayed[i].action.id == command)
            return sim->delayed[i].action.vm;
    }
    return VMRES_VM_NONE;
}

static void take_out(struct vmres_sim *sim, uint32_t place)
{
    sim->delayed_count--;
    for (uint32_t i = place; i < sim->delayed_count; i++)
        sim->delayed[i] = sim->delayed[i + 1];
}

void vmres__sim_delay_drop(struct vmres_sim *sim, const struct sim_vm *vm)
{
    uint32_t place = 0;

    if (vm->id == VMRES_VM_NONE)
        return;
    while (place < sim->delayed_count) {
        if (sim->delayed[place].action.vm == vm->id)
            take_out(sim, place);
        else
            place++;
    }
}

/* The first that may arrive now: due, its VM not hanging, and none before it that waits. */
static bool arrives(const struct vmres_sim *sim, uint32_t place)
{
    const struct sim_delayed *it = &sim->delayed[place];
    const struct sim_vm *vm = &sim->vms[sim->by_id[it->action.vm]];

    if (it->due_ms > sim->now || sim_vm_hurt_by(vm, VMRES_SIM_HANG))
        return false;
    for (uint32_t i = 0; i < place; i++) {
        if (sim->delayed[i].action.vm == it->action.vm)
            return false;
    }
    return true;
}

void vmres__sim_delay_tick(struct vmres_sim *sim)
{
    uint32_t place = 0;

    while (place < sim->delayed_count) {
        struct vmres_action action = sim->delayed[place].action;

        if (!arrives(sim, place)) {
            place++;
            continue;
        }
        take_out(sim, place);
        vmres__sim_command_carry_out(sim, vmres__sim_attach_find(sim, action.vm), &action);
    }
}
