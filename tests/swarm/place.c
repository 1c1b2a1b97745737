/* SPDX-License-Identifier: MIT */
/*
 * Where blocks truly lie, on a contiguous host: kept from the actions alone. A VM has [front, front
 * + held) and moves towards its goal, the block it was told last: what lies outside of that leaves,
 * at the front first, then it takes in the rest, at the front first, all by whole granules. Its
 * *claim* is both, what it has and what it may have by then.
 *
 * The check on whoever commands: claims never overlap, they end within the host, and a block grows
 * around what its VM has.
 */
#include "swarm/world.h"

bool place_matters(const struct world *world, uint8_t kind)
{
    return world->resources[kind].placement == VMRES_PLACEMENT_EXTENT;
}

static uint64_t end_of_host(const struct world *world, uint8_t kind)
{
    return world->shadow.capacity[kind] - world->shadow.reserve[kind];
}

static uint64_t claim_front(const struct device *device)
{
    return device->held == 0 ? device->goal : least(device->front, device->goal);
}

static uint64_t claim_final(const struct device *device)
{
    return most(device->held == 0 ? 0 : device->front + device->held,
                device->goal + device->target);
}

/* --- what moves --- */

/* Of a step towards what is `rest` away: whole granules. What is begun of one counts later. */
uint64_t place_whole(const struct world *world, struct device *device, uint8_t kind, uint64_t step,
                     uint64_t rest)
{
    uint64_t granule = world->resources[kind].granule;
    uint64_t done = step < rest && device->begun < rest - step ? device->begun + step : rest;

    device->begun = done % granule;
    return done - device->begun;
}

/* What of it has to leave: it lies outside of the block it is to have. */
uint64_t place_outside(const struct device *device)
{
    uint64_t front = device->front, final = front + device->held;
    uint64_t end = device->goal + device->target;
    uint64_t below = device->goal > front ? device->goal - front : 0;
    uint64_t above = final > end ? final - end : 0;

    return least(below + above, device->held);
}

/* To be called before `held` falls, or rises. */
void place_leaves(struct device *device, uint64_t amount)
{
    if (device->goal > device->front)
        device->front += least(amount, device->goal - device->front);
}

void place_enters(struct device *device, uint64_t amount)
{
    if (device->held == 0)
        device->front = least(most(device->front, device->goal), device->goal + device->target);
    device->front -= least(amount, device->front - device->goal);
}

/* It stays where it is. */
static void stay(struct device *device)
{
    device->goal = device->front;
    device->target = device->held;
}

/* --- what is commanded --- */

/* Nobody else may have any of what one claims. */
static void expect_alone(struct world *world, uint32_t vm, uint8_t kind)
{
    const struct device *device = &world->guests[vm].devices[kind];

    if (claim_final(device) > end_of_host(world, kind))
        world_fail(world, "I1: vm%u kind%u is to lie beyond the end of the host", vm, kind);
    for (uint32_t v = 0; v < world->slots; v++) {
        const struct device *other = &world->guests[v].devices[kind];

        if (v != vm && world->guests[v].present &&
            most(claim_front(device), claim_front(other)) <
                least(claim_final(device), claim_final(other)))
            world_fail(world,
                       "I1: vm%u and vm%u, kind%u, could have the same memory: [%llu, %llu) and "
                       "[%llu, %llu)",
                       vm, v, kind, (unsigned long long)claim_front(device),
                       (unsigned long long)claim_final(device),
                       (unsigned long long)claim_front(other),
                       (unsigned long long)claim_final(other));
    }
}

/* A command that will be obeyed: from now on this is where it is to be. */
void place_command(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];
    uint64_t front = action->as.resize.front, final = front + action->as.resize.target;
    bool initial = (action->flags & VMRES_ACTION_INITIAL) != 0;
    bool grows = action->type == VMRES_ACTION_REASSIGN || action->type == VMRES_ACTION_NOTIFY;

    if (initial)
        device->front = front;
    else if (grows && device->held > 0 &&
             (front > device->front || final < device->front + device->held))
        world_fail(world, "vm%u kind%u is to grow, and not around what it has: [%llu, %llu)",
                   action->vm, action->kind, (unsigned long long)front, (unsigned long long) final);
    if (!grows && device->held == 0)
        device->front = front;
    device->goal = front;
    device->target = action->as.resize.target;
    expect_alone(world, action->vm, action->kind);
}

/* --- what ran before --- */

/* Finds a place for what a VM held before anybody counted, or lets it hold nothing. */
void place_find(struct world *world, uint32_t vm, uint8_t kind)
{
    struct device *device = &world->guests[vm].devices[kind];
    bool moved = true;

    device->held -= device->held % world->resources[kind].granule;
    device->front = 0;
    while (moved && device->held > 0) {
        moved = false;
        for (uint32_t v = 0; v < world->slots; v++) {
            const struct device *other = &world->guests[v].devices[kind];

            if (v == vm || !world->guests[v].present || other->held == 0 ||
                device->front >= other->front + other->held ||
                other->front >= device->front + device->held)
                continue;
            device->front = other->front + other->held;
            moved = true;
        }
    }
    if (device->front + device->held > end_of_host(world, kind))
        device->held = device->front = 0;
    stay(device);
}

/* All that it has, and may have by what it was told: whoever told it may be gone. */
void place_show(struct world *world, uint32_t vm, uint8_t kind)
{
    const struct device *device = &world->guests[vm].devices[kind];
    struct vmres_event event = world_event(world, VMRES_EVENT_EXTENT, vm, kind);

    world_fault(world, EXTENT_SHOWN);
    event.as.extent.front = claim_front(device);
    event.as.extent.size = claim_final(device) - claim_front(device);
    world_post(world, event, true);
}

/* Whether the engine has yet to hear where a VM lies: then it believes what it is told. */
bool place_is_asked(const struct world *world, uint32_t vm, uint8_t kind)
{
    struct vmres_vm_info info;

    return kind < world->options.kinds && place_matters(world, kind) &&
           vmres_engine_vm(world->engine, vm, &info) == VMRES_OK && info.state == VMRES_VM_BOOTING;
}

/* Said of one that has its place, or of a host where places do not matter: to be refused. */
void place_mislead(struct world *world, uint32_t vm)
{
    uint8_t kind = (uint8_t)dice_below(&world->dice, world->options.kinds);
    struct vmres_event event = world_event(world, VMRES_EVENT_EXTENT, vm, kind);
    struct message *message;

    if (place_is_asked(world, vm, kind))
        return;
    world_fault(world, EXTENT_BAD);
    event.as.extent.front = dice_below(&world->dice, world->resources[kind].capacity);
    event.as.extent.size = dice_below(&world->dice, world->resources[kind].capacity);
    message = world_post(world, event, true);
    if (message)
        message->breach = true;
}
