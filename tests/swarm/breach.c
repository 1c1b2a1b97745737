/* SPDX-License-Identifier: MIT */
/*
 * A backend that breaks its contract. Each breach is a message the engine must refuse, posted
 * beside the true one.
 */
#include <string.h>

#include "swarm/world.h"

static void post(struct world *world, const struct vmres_event *event, enum fault fault)
{
    struct message *message = world_post(world, *event, true);

    if (!message)
        return;
    world_fault(world, fault);
    /* What was claimed too much before is forgotten: then less may come after it. */
    message->breach = fault != BREACH_AMOUNT_SHRINKS;
}

static void two_finals(struct world *world, struct vmres_event event)
{
    if (event.flags & VMRES_FLAG_FINAL)
        post(world, &event, BREACH_TWO_FINALS);
}

static void unknown_id(struct world *world, struct vmres_event event)
{
    event.id = dice_chance(&world->dice, 500) ? 0 : event.id + (UINT64_C(1) << 60);
    post(world, &event, BREACH_UNKNOWN_ID);
}

static void unknown_vm(struct world *world, struct vmres_event event)
{
    struct message *message;

    event.vm = dice_chance(&world->dice, 500) ? VMRES_VM_NONE : world->options.max_vms;
    message = world_post(world, event, false);
    world_fault(world, BREACH_UNKNOWN_VM);
    message->breach = true;
}

static void wrong_type(struct world *world, struct vmres_event event)
{
    event.type = event.type == VMRES_EVENT_PINNED ? VMRES_EVENT_REMOVED : VMRES_EVENT_PINNED;
    post(world, &event, BREACH_WRONG_TYPE);
}

static void amount_shrinks(struct world *world, struct vmres_event event)
{
    uint64_t granule = world->resources[event.kind].granule;

    if ((event.flags & VMRES_FLAG_FINAL) || event.as.answer.amount < granule)
        return;
    event.as.answer.amount -= granule;
    post(world, &event, BREACH_AMOUNT_SHRINKS);
}

static void amount_exceeds(struct world *world, struct vmres_event event)
{
    if (event.type != VMRES_EVENT_REMOVED && event.type != VMRES_EVENT_INCORPORATED)
        return;
    event.as.answer.amount = UINT64_MAX / 2;
    post(world, &event, BREACH_AMOUNT_EXCEEDS);
}

static void time_back(struct world *world, struct vmres_event event)
{
    struct message *message;

    message = world_post(world, event, true);
    world_fault(world, BREACH_TIME_BACK);
    message->breach = true;
    message->past = true;
}

static void former_life(struct world *world, struct vmres_event event)
{
    event.incarnation -= 1;
    post(world, &event, BREACH_FORMER_LIFE);
}

/* 64 random bytes. What they might say in the host's name would be a lie, so such types are left
 * out; the kind or the type or the VM then are out of range. */
static void random_bytes(struct world *world, struct vmres_event event)
{
    uint64_t words[8];
    struct message *message;

    for (uint32_t i = 0; i < 8; i++)
        words[i] = dice_throw(&world->dice);
    memcpy(&event, words, sizeof event);
    if (event.type <= VMRES_EVENT_RESUME)
        event.kind |= 0x80;
    message = world_post(world, event, false);
    world_fault(world, BREACH_RANDOM);
    message->breach = true;
}

typedef void breach_function(struct world *world, struct vmres_event event);

void faults_breach(struct world *world, const struct vmres_event *event)
{
    static breach_function *const breaches[] = {two_finals, unknown_id,     unknown_vm,
                                                wrong_type, amount_shrinks, amount_exceeds,
                                                time_back,  former_life,    random_bytes};

    if (world->calm || dice_below(&world->dice, 2000) >= world->fault_permille)
        return;
    breaches[dice_below(&world->dice, sizeof breaches / sizeof *breaches)](world, *event);
}
