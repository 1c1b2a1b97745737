/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong: guests, VMs, the host, the embedder; one thing at a time, chosen by the dice. At
 * the end all of it stops. What a backend breaks of its contract is breach.c's.
 */
#include "swarm/world.h"

typedef void fault_function(struct world *world, uint32_t vm);

static uint8_t some_kind(struct world *world)
{
    return (uint8_t)dice_below(&world->dice, world->options.kinds);
}

static struct device *some_device(struct world *world, uint32_t vm)
{
    return &world->guests[vm].devices[some_kind(world)];
}

/* --- guests --- */

static void change_mood(struct world *world, uint32_t vm)
{
    static const enum fault faults[] = {[IGNORES] = GUEST_IGNORES,
                                        [STOPS] = GUEST_STOPS,
                                        [CLAIMS_DONE] = GUEST_CLAIMS_DONE,
                                        [CLAIMS_LITTLE] = GUEST_CLAIMS_LITTLE,
                                        [CLAIMS_MUCH] = GUEST_CLAIMS_MUCH};
    struct device *device = some_device(world, vm);

    device->mood =
        dice_chance(&world->dice, 500) ? OBEYS : (uint8_t)dice_below(&world->dice, CLAIMS_MUCH + 1);
    if (device->mood != OBEYS)
        world_fault(world, faults[device->mood]);
}

static void change_rate(struct world *world, uint32_t vm)
{
    struct device *device = some_device(world, vm);

    device->rate = device->limit / dice_between(&world->dice, 10, 20000);
    if (device->rate == 0)
        world_fault(world, GUEST_SLOW);
}

static void change_need(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct guest *guest = &world->guests[vm];

    guest->devices[kind].need = dice_below(&world->dice, guest->ceiling[kind] + 1);
}

/* Whether the guest can keep or take what it was told to give. */
bool faults_guest_rules(const struct world *world, const struct device *device, uint8_t kind)
{
    return !device->enforced && world->resources[kind].removal == VMRES_REMOVAL_GUEST;
}

static void retake(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];

    if (!faults_guest_rules(world, device, kind) || device->held >= device->limit)
        return;
    world_fault(world, GUEST_RETAKES);
    backend_changed(device);
    device->held += dice_between(&world->dice, 1, device->limit - device->held);
}

static void let_go(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];

    if (!faults_guest_rules(world, device, kind) || device->held == 0)
        return;
    world_fault(world, GUEST_LETS_GO);
    backend_changed(device);
    device->held -= dice_between(&world->dice, 1, device->held);
}

static void foreign_target(struct world *world, uint32_t vm)
{
    struct device *device = some_device(world, vm);

    world_fault(world, FOREIGN_TARGET);
    backend_changed(device);
    device->target = dice_below(&world->dice, device->limit + 1);
}

static void fall_silent(struct world *world, uint32_t vm)
{
    world->guests[vm].mute_ms =
        world->now + dice_below(&world->dice, 8ull * world->options.period_ms);
}

static void flood(struct world *world, uint32_t vm)
{
    world_fault(world, REPORT_FLOOD);
    for (uint32_t i = 0; i < 20; i++)
        guest_report(world, vm, some_kind(world), 0);
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

    (void)vm;
    world_fault(world, CAPACITY_CHANGES);
    event.as.capacity.capacity = capacity / 2 + dice_below(&world->dice, capacity);
    event.as.capacity.reserve = dice_below(&world->dice, capacity / 8);
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
    if (dice_chance(&world->dice, 500))
        recall(world, words);
    else
        world_fault(world, BACKEND_LATE);
    world_post(world, world_event(world, VMRES_EVENT_BACKEND_LOST, VMRES_VM_NONE, 0), false)
        ->due_ms = world->now;
}

static void find_backend(struct world *world)
{
    uint64_t last = world->now;
    struct message *message;

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

static fault_function *const of_guests[] = {
    change_mood,  change_mood,    change_mood,   change_rate,    change_need,
    change_need,  retake,         let_go,        foreign_target, fall_silent,
    flood,        change_maximum, life_vanishes, life_crashes,   life_reboots,
    life_reboots, change_limits,  change_limits, life_comes,
};

static fault_function *const of_host[] = {
    change_capacity, lose_backend, leap, again_clone, again_restart,
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
    else if (world->guests[vm].present)
        of_guests[dice_below(dice, sizeof of_guests / sizeof *of_guests)](world, vm);
}

/* --- all of it stops --- */

static void calm_guest(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    guest->mute_ms = 0;
    guest->lies = 0;
    if (world->shadow.vms[vm].frozen)
        operate_thaw(world, vm);
    guest->thaw_ms = 0;
    guest->paused = false;
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        const struct shadow_account *account = &world->shadow.vms[vm].accounts[k];
        struct device *device = &guest->devices[k];

        device->mood = OBEYS;
        device->rate = world->resources[k].capacity;
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
