/* SPDX-License-Identifier: MIT */
/*
 * VMs come and go: they vanish, crash, reboot into a new incarnation, take slots that others left.
 */
#include "swarm/world.h"

static void leave(struct world *world, uint32_t vm, uint64_t later_ms)
{
    struct guest *guest = &world->guests[vm];

    guest->present = false;
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        guest->devices[k].held = 0;
        guest->devices[k].target = 0;
        guest->devices[k].changes = guest->devices[k].posted;
    }
    backend_forget(world, vm);
    guest->order_ms = (guest->order_ms > world->now ? guest->order_ms : world->now) + later_ms;
    world_post(world, world_event(world, VMRES_EVENT_VM_GONE, vm, 0), true);
}

void life_vanishes(struct world *world, uint32_t vm)
{
    world_fault(world, VM_VANISHES);
    leave(world, vm, 0);
}

void life_crashes(struct world *world, uint32_t vm)
{
    world_fault(world, VM_CRASHES);
    leave(world, vm, dice_below(&world->dice, 4ull * world->options.progress_ms));
}

/* Its boot size is the most it can hold; the device's target survives. */
void life_reboots(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    world_fault(world, VM_REBOOTS);
    backend_forget(world, vm);
    guest->incarnation += 1 + (uint32_t)dice_below(&world->dice, 2);
    guest->adopted = true;
    guest->boot_ms = world->now + dice_below(&world->dice, 4000);
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        struct device *device = &guest->devices[k];

        backend_changed(device);
        if (faults_guest_rules(world, device, k))
            device->held = device->limit;
    }
    if (dice_chance(&world->dice, 200)) {
        world_fault(world, VM_SPEAKS_FIRST);
        guest_report(world, vm, 0, 0);
    }
    if (dice_chance(&world->dice, 100))
        world_post(world, world_event(world, VMRES_EVENT_VM_LIVE, vm, 0), true);
    for (uint8_t k = 0; k < world->options.kinds; k++)
        backend_observe(world, vm, k);
}

/* A VM that is not live yet is said to be, once in a while. */
void life_boots(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];
    struct vmres_vm_info info;

    if (!guest->present || world->lost || world->now < guest->boot_ms ||
        vmres_engine_vm(world->engine, vm, &info) != VMRES_OK || info.state != VMRES_VM_BOOTING)
        return;
    guest->boot_ms = world->now + 500;
    if (!guest->adopted)
        world_post(world, world_event(world, VMRES_EVENT_ALLOT, VMRES_VM_NONE, 0), false);
    if (guest->adopted || dice_chance(&world->dice, 500))
        for (uint8_t k = 0; k < world->options.kinds; k++)
            backend_observe(world, vm, k);
    world_post(world, world_event(world, VMRES_EVENT_VM_LIVE, vm, 0), true);
}

void life_comes(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_VM_ADDED, vm, 0);

    if (world->guests[vm].present) {
        world_fault(world, VM_COMES_TWICE);
        event.incarnation++;
        world_post(world, event, true);
        return;
    }
    world_fault(world, VM_COMES);
    if (dice_chance(&world->dice, 500))
        world_fault(world, VM_ADOPTED);
    world_arrive(world, vm, dice_chance(&world->dice, 500));
}
