/* SPDX-License-Identifier: MIT */
/*
 * Guests: what they say of themselves, when they are asked and when they are not. Nothing of it
 * need be true.
 */
#include "swarm/world.h"

static uint64_t lie(struct world *world, uint64_t truth)
{
    switch (dice_below(&world->dice, 5)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return dice_throw(&world->dice);
    default:
        return dice_below(&world->dice, 2 * truth + 2);
    }
}

static uint16_t stall_of(const struct device *device)
{
    if (device->need <= device->held)
        return 0;
    return (uint16_t)((device->need - device->held) * VMRES_STALL_ONE / device->need);
}

static void write_lies(struct world *world, struct vmres_event *event)
{
    struct dice *dice = &world->dice;
    uint64_t held = world->guests[event->vm].devices[event->kind].held;

    switch (dice_below(dice, 3)) {
    case 0:
        world_fault(world, REPORT_CLAIMS_NEED);
        event->as.report.used = 2 * held;
        event->as.report.available = event->as.report.free = 0;
        event->result = (uint16_t)dice_below(dice, VMRES_STALL_ONE + 1);
        return;
    case 1:
        world_fault(world, REPORT_HIDES_USE);
        event->as.report.used = 0;
        event->as.report.available = event->as.report.free = held;
        event->result = 0;
        return;
    default:
        break;
    }
    world_fault(world, REPORT_GARBAGE);
    event->valid = (uint16_t)dice_throw(dice);
    event->as.report.used = lie(world, event->as.report.used);
    event->as.report.available = lie(world, event->as.report.available);
    event->as.report.free = lie(world, event->as.report.free);
    event->result = (uint16_t)dice_throw(dice);
}

static void write_samples(struct world *world, uint32_t vm, uint8_t kind)
{
    struct vmres_event event = world_event(world, VMRES_EVENT_SAMPLES, vm, kind);
    uint64_t used = world->guests[vm].devices[kind].need;

    event.as.samples.count = dice_below(&world->dice, 4);
    event.as.samples.last = used;
    event.as.samples.mean = lie(world, used);
    event.as.samples.maximum = lie(world, used);
    world_post(world, event, false);
}

void guest_report(struct world *world, uint32_t vm, uint8_t kind, uint64_t round)
{
    struct guest *guest = &world->guests[vm];
    const struct device *device = &guest->devices[kind];
    struct vmres_event event = world_event(world, VMRES_EVENT_REPORT, vm, kind);
    uint64_t used = device->need < device->held ? device->need : device->held;

    event.id = round;
    event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_FREE | VMRES_VALID_STALL;
    event.as.report.used = used;
    event.as.report.available = device->held - used;
    event.as.report.free = (device->held - used) / 2;
    event.result = stall_of(device);
    if (!world->calm) {
        if (dice_below(&world->dice, 10) < guest->lies)
            write_lies(world, &event);
        if (dice_chance(&world->dice, 30)) {
            world_fault(world, REPORT_OLD);
            event.as.report.age_ms = (uint32_t)dice_below(
                &world->dice, dice_chance(&world->dice, 100) ? UINT32_MAX : 5000);
        }
        if (dice_chance(&world->dice, 20)) {
            world_fault(world, REPORT_WRONG_ROUND);
            event.id = dice_chance(&world->dice, 500) ? 0 : round + 1;
        }
        if (dice_chance(&world->dice, 30))
            write_samples(world, vm, kind);
    }
    if (event.id == 0 && event.result > 0 && dice_chance(&world->dice, 500))
        event.flags = VMRES_FLAG_NOTICE;
    world_post(world, event, false);
    if (!world->calm && dice_chance(&world->dice, 20)) {
        world_fault(world, ANSWER_TWICE);
        world_post(world, event, false);
    }
}

void guest_answer(struct world *world, const struct vmres_action *inquiry)
{
    for (uint32_t vm = 0; vm < world->slots; vm++) {
        struct guest *guest = &world->guests[vm];

        if (!guest->present)
            continue;
        if (world->now < guest->mute_ms) {
            world_fault(world, REPORT_MISSING);
            continue;
        }
        for (uint8_t k = 0; k < world->options.kinds; k++)
            guest_report(world, vm, k, inquiry->id);
    }
}
