/* SPDX-License-Identifier: MIT */
/*
 * VMs come and go: they vanish, crash, reboot into a new incarnation, take slots that others left.
 */
#include "swarm/world.h"

/* What it leaves in the middle of. */
static void count_business(struct world *world, uint32_t vm)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info)) {
        if (info.donor == vm)
            world_fault(world, DONOR_VANISHES);
        if (info.recipient == vm)
            world_fault(world, RECIPIENT_VANISHES);
    }
}

static void leave(struct world *world, uint32_t vm, uint64_t later_ms)
{
    struct guest *guest = &world->guests[vm];

    count_business(world, vm);
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

void life_boots_in(struct world *world, uint32_t vm, uint64_t ms)
{
    if (ms > world->options.period_ms)
        world_fault(world, BOOT_SLOW);
    world->guests[vm].boot_ms = world->now + ms;
}

static void begin_anew(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    backend_forget(world, vm);
    guest->incarnation += 1 + (uint32_t)dice_below(&world->dice, 2);
    guest->adopted = true;
    life_boots_in(world, vm, dice_below(&world->dice, 4000));
    for (uint8_t k = 0; k < world->options.kinds; k++)
        backend_changed(&guest->devices[k]);
}

/* What it holds when it has booted: the most it can, as a balloon does, whatever its device says;
 * or nothing, until its device has filled again to the target it found. */
static void hold_anew(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];
    uint64_t how = dice_below(&world->dice, 4);

    if (how == 0)
        world_fault(world, REBOOT_EMPTY);
    else if (how == 1)
        world_fault(world, REBOOT_STALE);
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        struct device *device = &guest->devices[k];

        device->mood = how == 1 ? CLAIMS_DONE : device->mood;
        if (!quirks_guest_rules(world, device, k))
            continue;
        device->held = how == 0 ? 0 : device->limit;
    }
}

/* The device's target survives. */
void life_reboots(struct world *world, uint32_t vm)
{
    world_fault(world, VM_REBOOTS);
    begin_anew(world, vm);
    hold_anew(world, vm);
    if (dice_chance(&world->dice, 200)) {
        world_fault(world, VM_SPEAKS_FIRST);
        guest_report(world, vm, 0, 0);
    }
    if (dice_chance(&world->dice, 100))
        world_post(world, world_event(world, VMRES_EVENT_VM_LIVE, vm, 0), true);
    for (uint8_t k = 0; k < world->options.kinds; k++)
        backend_observe(world, vm, k);
}

/* It goes on as it was once, its device too. */
void life_restored(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    world_fault(world, VM_RESTORED);
    begin_anew(world, vm);
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        struct device *device = &guest->devices[k];

        if (!quirks_guest_rules(world, device, k))
            continue;
        device->held = dice_below(&world->dice, device->limit + 1);
        device->target = dice_chance(&world->dice, 500)
                             ? device->held
                             : dice_below(&world->dice, device->limit + 1);
    }
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
    for (uint8_t k = 0; k < world->options.kinds && guest->adopted; k++)
        if (place_matters(world, k) && check_account(world, vm, k).charge == 0)
            place_show(world, vm, k); /* it was reborn before it had any */
    if (guest->adopted || dice_chance(&world->dice, 500))
        for (uint8_t k = 0; k < world->options.kinds; k++)
            backend_observe(world, vm, k);
    world_post(world, world_event(world, VMRES_EVENT_VM_LIVE, vm, 0), true);
}

/* Where places matter nobody can have been there whom nobody was told of. */
void life_comes(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_VM_ADDED, vm, 0);
    bool adopted;

    if (world->guests[vm].present) {
        world_fault(world, VM_COMES_TWICE);
        event.incarnation++;
        world_post(world, event, true);
        return;
    }
    adopted = !fleet_contiguous(world) && dice_chance(&world->dice, 500);
    world_fault(world, VM_COMES);
    if (adopted)
        world_fault(world, VM_ADOPTED);
    world_arrive(world, vm, adopted);
}

void life_storm(struct world *world, uint32_t vm)
{
    (void)vm;
    world_fault(world, START_STORM);
    for (vm = 0; vm < world->slots; vm++)
        if (!world->guests[vm].present)
            world_arrive(world, vm, false);
}
