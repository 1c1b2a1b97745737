/* SPDX-License-Identifier: MIT */
/*
 * The operator, and the manager above: leaves VMs alone while they are migrated, paused or
 * snapshotted, sets what they hold, moves amounts, keeps room, lets everything settle. Not all that
 * is asked for makes sense, and what is asked for may come late.
 */
#include "swarm/world.h"

typedef void operation(struct world *world, uint32_t vm);

static uint8_t some_kind(struct world *world)
{
    return (uint8_t)dice_below(&world->dice, world->options.kinds);
}

/* --- left alone --- */

static void post_reason(struct world *world, enum vmres_event_type type, uint32_t vm, bool host)
{
    struct vmres_event event = world_event(world, type, vm, 0);

    if (host)
        event.flags = VMRES_FLAG_HOST;
    world_post(world, event, true);
}

/* The hypervisor pauses it by itself, and the operator may freeze it meanwhile. */
static void freeze(struct world *world, uint32_t vm)
{
    static const enum fault why[] = {VM_SNAPSHOT, VM_MIGRATES, VM_PAUSES};
    struct guest *guest = &world->guests[vm];
    enum fault fault = why[dice_below(&world->dice, 3)];

    if (guest->paused)
        post_reason(world, VMRES_EVENT_FREEZE, vm, false);
    if (guest->thaw_ms > 0)
        return;
    world_fault(world, fault);
    guest->migrates = fault == VM_MIGRATES;
    guest->paused = fault == VM_PAUSES;
    guest->thaw_ms = world->now + 1 + dice_below(&world->dice, 4ull * world->options.progress_ms);
    if (guest->paused)
        guest->mute_ms = guest->thaw_ms;
    post_reason(world, VMRES_EVENT_FREEZE, vm, guest->paused);
}

static void thaw(struct world *world, uint32_t vm)
{
    world_fault(world, THAWS_NOTHING);
    post_reason(world, VMRES_EVENT_THAW, vm, false);
}

void operate_thaw(struct world *world, uint32_t vm, bool host)
{
    struct guest *guest = &world->guests[vm];

    guest->thaw_ms = 0;
    if (host && world->shadow.vms[vm].frozen[0])
        guest->thaw_ms = world->now + world->options.progress_ms;
    guest->paused = false;
    post_reason(world, VMRES_EVENT_THAW, vm, host);
}

/* What it was frozen for is over: it goes on here, or has gone to another host. */
void operate_tick(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    if (!guest->present || guest->thaw_ms == 0 || world->now < guest->thaw_ms || world->lost)
        return;
    if (guest->migrates && dice_chance(&world->dice, 500)) {
        world_fault(world, VM_MIGRATED);
        life_vanishes(world, vm);
        return;
    }
    operate_thaw(world, vm, guest->paused);
}

/* --- who holds what --- */

static void set(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct vmres_event event = world_event(world, VMRES_EVENT_SET, vm, kind);

    world_fault(world, ORDER_SET);
    event.as.order.amount = dice_chance(&world->dice, 50)
                                ? UINT64_MAX
                                : dice_below(&world->dice, world->guests[vm].ceiling[kind] * 2 + 1);
    world_post(world, event, true);
}

static void move(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct vmres_event event = world_event(world, VMRES_EVENT_MOVE, vm, kind);

    world_fault(world, ORDER_MOVE);
    event.as.order.amount = dice_below(&world->dice, world->guests[vm].ceiling[kind] / 2 + 1);
    event.as.order.recipient = dice_below(&world->dice, world->slots);
    if (dice_chance(&world->dice, 50))
        event.as.order.recipient = dice_throw(&world->dice);
    world_post(world, event, true);
}

/* --- room for a VM to come --- */

static void reserve(struct world *world, uint32_t vm)
{
    struct dice *dice = &world->dice;
    uint8_t kind = some_kind(world);
    struct vmres_event event = world_event(world, VMRES_EVENT_RESERVE, VMRES_VM_NONE, kind);
    uint64_t most = world->resources[kind].capacity / 4;

    world_fault(world, RESERVES);
    event.id = dice_below(dice, RESERVATIONS);
    event.as.terms.owner = vm;
    event.as.terms.minimum = dice_below(dice, most);
    event.as.terms.maximum = event.as.terms.minimum + dice_below(dice, most);
    event.as.terms.within_ms = dice_below(dice, 20ull * world->options.progress_ms);
    if (dice_chance(dice, 200))
        event.as.terms.within_ms = UINT64_MAX;
    if (dice_chance(dice, 50))
        event.as.terms.maximum = event.as.terms.minimum / 2;
    world_post(world, event, false);
}

static void release(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_RELEASE, VMRES_VM_NONE, 0);

    (void)vm;
    world_fault(world, RELEASES);
    event.id = dice_below(&world->dice, RESERVATIONS);
    world_post(world, event, false);
}

static void claim(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_CLAIM, vm, 0);
    const struct shadow *shadow = &world->shadow;

    world_fault(world, CLAIMS);
    event.id = dice_below(&world->dice, RESERVATIONS);
    if (shadow->reservation_count > 0 && dice_chance(&world->dice, 900))
        event.id = shadow->reservations[dice_below(&world->dice, shadow->reservation_count)].id;
    world_post(world, event, true);
}

/* A VM that comes may have had room kept for it. */
void operate_claim(struct world *world, uint32_t vm)
{
    if (world->shadow.reservation_count > 0 && dice_chance(&world->dice, 500))
        claim(world, vm);
}

/* --- everything at rest, or nothing in earnest --- */

static void settle(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_SETTLE, VMRES_VM_NONE, 0);

    (void)vm;
    world_fault(world, SETTLES);
    event.as.terms.within_ms = dice_below(&world->dice, 3ull * world->options.progress_ms);
    if (dice_chance(&world->dice, 100))
        event.as.terms.within_ms = UINT64_MAX;
    world_post(world, event, false);
    if (dice_chance(&world->dice, 900)) {
        struct message *message =
            world_post(world, world_event(world, VMRES_EVENT_RESUME, VMRES_VM_NONE, 0), false);

        if (message)
            message->due_ms += dice_below(&world->dice, 4ull * world->options.progress_ms);
    }
}

static void resume(struct world *world, uint32_t vm)
{
    (void)vm;
    world_fault(world, RESUMES);
    world_post(world, world_event(world, VMRES_EVENT_RESUME, VMRES_VM_NONE, 0), false);
}

static void toggle_dry_run(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_DRY_RUN, VMRES_VM_NONE, 0);

    (void)vm;
    world_fault(world, DRY_RUN);
    world->dry = !world->dry;
    event.result = world->dry;
    world_post(world, event, false);
}

static void cancel(struct world *world, uint32_t vm)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_CANCEL, VMRES_VM_NONE, 0);
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    (void)vm;
    while (vmres_engine_next_transfer(world->engine, &cursor, &info))
        if (event.id == 0 || dice_chance(&world->dice, 300))
            event.id = info.id;
    if (event.id == 0)
        event.id = dice_throw(&world->dice);
    world_fault(world, cursor > 0 ? CANCELS : CANCELS_NOTHING);
    world_post(world, event, false);
}

/* --- one of them --- */

void operate(struct world *world, uint32_t vm)
{
    static operation *const of_vms[] = {freeze, freeze, freeze, thaw, set,  set,
                                        set,    set,    move,   move, move, claim};
    static operation *const of_host[] = {reserve, reserve, release, settle,        resume,
                                         cancel,  cancel,  cancel,  toggle_dry_run};

    if (dice_chance(&world->dice, 400))
        of_host[dice_below(&world->dice, sizeof of_host / sizeof *of_host)](world, vm);
    else if (world->guests[vm].present)
        of_vms[dice_below(&world->dice, sizeof of_vms / sizeof *of_vms)](world, vm);
}
