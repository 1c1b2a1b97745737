/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong, one thing at a time, chosen by the dice: limits and the host here, guests and
 * devices in quirks.c, lives in life.c, what is asked for in operate.c, other engines in again.c.
 * At the end all of it stops. What a backend breaks of its contract is breach.c's.
 */
#include "swarm/world.h"

typedef void fault_function(struct world *world, uint32_t vm);

static uint8_t some_kind(struct world *world)
{
    return (uint8_t)dice_below(&world->dice, world->options.kinds);
}

/* --- limits --- */

static void change_maximum(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];
    uint64_t least = device->held > device->target ? device->held : device->target;

    world_fault(world, LIMIT_CHANGES);
    device->limit = least + dice_below(&world->dice, world->resources[kind].capacity / 4);
    backend_observe(world, vm, kind);
}

static void change_limits(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];
    uint8_t kind = some_kind(world);
    uint64_t capacity = world->resources[kind].capacity;
    uint64_t floor = dice_below(&world->dice, capacity / world->slots);
    uint64_t ceiling = floor + dice_below(&world->dice, capacity / 2);
    struct vmres_event event;

    world_fault(world, LIMITS_CHANGE);
    if (dice_chance(&world->dice, 100)) {
        world_fault(world, LIMITS_BAD);
        floor = ceiling + 3 * world->resources[kind].granule;
    } else if (dice_chance(&world->dice, 100)) {
        world_fault(world, LIMITS_HUGE);
        floor = ceiling = 2 * capacity;
    }
    event = world_limits(world, vm, kind, floor, ceiling);
    event.as.limits.weight = (uint32_t)dice_below(&world->dice, 5);
    event.as.limits.participation = dice_chance(&world->dice, 800)
                                        ? VMRES_PARTICIPATE_BOTH
                                        : (uint32_t)dice_below(&world->dice, 5);
    world_post(world, event, true);
    guest->ceiling[kind] = ceiling;
}

/* --- the host --- */

static void change_capacity(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    uint64_t capacity = world->resources[kind].capacity;
    struct vmres_event event = world_event(world, VMRES_EVENT_CAPACITY, VMRES_VM_NONE, kind);
    struct vmres_pool_info pool;

    (void)vm;
    world_fault(world, CAPACITY_CHANGES);
    event.as.capacity.capacity = capacity / 2 + dice_below(&world->dice, capacity);
    event.as.capacity.reserve = dice_below(&world->dice, capacity / 8);
    if (vmres_engine_pool(world->engine, kind, &pool) == VMRES_OK &&
        event.as.capacity.capacity < pool.charged)
        world_fault(world, CAPACITY_SHORT);
    if (dice_chance(&world->dice, 100)) {
        world_fault(world, CAPACITY_BAD);
        event.as.capacity.reserve = 2 * capacity;
    }
    world_post(world, event, false);
}

/* Takes back messages of these types, of those that are on their way. */
static void recall(struct world *world, uint32_t types)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < world->queued; i++)
        if (!(types >> (world->queue[i].event.type & 31) & 1))
            world->queue[kept++] = world->queue[i];
    world->queued = kept;
}

/* The backend goes away with all it had to say, or says it all the same. */
static void lose_backend(struct world *world, uint32_t vm)
{
    const uint32_t words = 1u << VMRES_EVENT_REPORT | 1u << VMRES_EVENT_SAMPLES |
                           1u << VMRES_EVENT_OBSERVED | 1u << VMRES_EVENT_REMOVED |
                           1u << VMRES_EVENT_REASSIGNED | 1u << VMRES_EVENT_INCORPORATED |
                           1u << VMRES_EVENT_PINNED;

    (void)vm;
    world_fault(world, BACKEND_LOST);
    world->lost = true;
    world->ready_ms = world->now + dice_below(&world->dice, 5000);
    recall(world, 1u << VMRES_EVENT_BACKEND_READY);
    if (dice_chance(&world->dice, 500)) {
        world_fault(world, BACKEND_LOSES_WORDS);
        recall(world, words);
    } else {
        world_fault(world, BACKEND_LATE);
    }
    world_post(world, world_event(world, VMRES_EVENT_BACKEND_LOST, VMRES_VM_NONE, 0), false)
        ->due_ms = world->now;
}

static void find_backend(struct world *world)
{
    uint64_t last = world->now;
    struct message *message;

    world_fault(world, BACKEND_FOUND);
    world->lost = false;
    for (uint32_t vm = 0; vm < world->slots; vm++) {
        if (world->guests[vm].present && dice_chance(&world->dice, 500))
            backend_forget(world, vm);
        for (uint8_t k = 0; k < world->options.kinds && world->guests[vm].present; k++)
            backend_observe(world, vm, k);
        if (last < world->guests[vm].order_ms)
            last = world->guests[vm].order_ms;
    }
    message =
        world_post(world, world_event(world, VMRES_EVENT_BACKEND_READY, VMRES_VM_NONE, 0), false);
    if (message)
        message->due_ms = last;
}

static void leap(struct world *world, uint32_t vm)
{
    (void)vm;
    world_fault(world, CLOCK_LEAPS);
    world->now += dice_below(&world->dice, dice_chance(&world->dice, 100) ? 100000000 : 60000);
}

/* --- one of them --- */

static fault_function *const of_lives[] = {
    life_vanishes, life_crashes,  life_reboots,  life_reboots,  life_restored,
    life_comes,    place_mislead, change_limits, change_limits, change_maximum,
};

static fault_function *const of_host[] = {
    change_capacity, lose_backend, leap, life_storm, again_clone, again_restart,
};

void faults_inject(struct world *world)
{
    struct dice *dice = &world->dice;
    uint32_t vm = (uint32_t)dice_below(dice, world->slots);

    if (world->lost) {
        if (world->now >= world->ready_ms)
            find_backend(world);
        return;
    }
    if (!world->guests[vm].present && dice_chance(dice, 100)) {
        life_comes(world, vm);
        return;
    }
    if (!dice_chance(dice, world->fault_permille))
        return;
    if (dice_chance(dice, 250))
        operate(world, vm);
    else if (dice_chance(dice, 100))
        of_host[dice_below(dice, sizeof of_host / sizeof *of_host)](world, vm);
    else if (!world->guests[vm].present)
        return;
    else if (dice_chance(dice, 600))
        quirks_befall(world, vm);
    else
        of_lives[dice_below(dice, sizeof of_lives / sizeof *of_lives)](world, vm);
}

/* --- all of it stops --- */

static void calm_guest(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    quirks_mend(world, vm);
    for (int host = 1; host >= 0; host--)
        if (world->shadow.vms[vm].frozen[host])
            operate_thaw(world, vm, host);
    guest->thaw_ms = 0;
    guest->paused = false;
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        const struct shadow_account *account = &world->shadow.vms[vm].accounts[k];

        backend_observe(world, vm, k);
        if (world->shadow.vms[vm].known)
            world_post(world, world_limits(world, vm, k, account->floor, account->ceiling), true);
    }
}

void faults_stop(struct world *world)
{
    struct vmres_event event;

    world->calm = true;
    world->calm_ms = world->now;
    /* What the embedder said and is on its way would end the calm. */
    recall(world, 1u << VMRES_EVENT_DRY_RUN | 1u << VMRES_EVENT_CAPACITY |
                      1u << VMRES_EVENT_FREEZE | 1u << VMRES_EVENT_SETTLE);
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        event = world_event(world, VMRES_EVENT_CAPACITY, VMRES_VM_NONE, k);
        event.as.capacity.capacity = 2 * world->resources[k].capacity;
        event.as.capacity.reserve = 0;
        world_post(world, event, false);
    }
    event = world_event(world, VMRES_EVENT_DRY_RUN, VMRES_VM_NONE, 0);
    world_post(world, event, false);
    if (world->shadow.settling)
        world_post(world, world_event(world, VMRES_EVENT_RESUME, VMRES_VM_NONE, 0), false);
    for (uint32_t vm = 0; vm < world->slots; vm++)
        if (world->guests[vm].present)
            calm_guest(world, vm);
    if (world->lost)
        find_backend(world);
    backend_release(world);
}
