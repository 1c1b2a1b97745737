/* SPDX-License-Identifier: MIT */
/*
 * The link between the driver and this hypervisor. While it is down nothing is posted and nothing
 * is taken; guests live on, devices go on to what they were told last. Invariant: when it is back,
 * what became of every VM meanwhile is told before the driver hears that it is.
 */
#include "internal.h"

void vmres__sim_link_lose(struct vmres_sim *sim)
{
    struct vmres_event lost = {.type = VMRES_EVENT_BACKEND_LOST, .vm = VMRES_VM_NONE};

    (void)vmres__sim_host_post(sim, &lost);
    sim->link_down = true;
    for (uint32_t i = 0; i < sim->vm_count; i++)
        vmres__sim_command_drop(sim, &sim->vms[i]); /* the engine closes them, too */
}

static void observe(struct vmres_sim *sim, struct sim_vm *vm)
{
    if (!sim_running(vm) || vm->id == VMRES_VM_NONE)
        return;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++)
        (void)vmres__sim_host_observe(sim, vm, kind);
}

void vmres__sim_link_find(struct vmres_sim *sim)
{
    struct vmres_event ready = {.type = VMRES_EVENT_BACKEND_READY, .vm = VMRES_VM_NONE};

    if (!sim->link_down)
        return;
    sim->link_down = false;
    vmres__sim_life_tick(sim); /* who vanished, who came */
    for (uint32_t i = 0; i < sim->vm_count; i++)
        observe(sim, &sim->vms[i]);
    vmres__sim_host_configure(sim); /* of new lives, which are told by now */
    (void)vmres__sim_host_post(sim, &ready);
}
