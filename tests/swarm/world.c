/* SPDX-License-Identifier: MIT */
/*
 * Time and messages: what comes next, a message, the engine's timer or a tick in which devices move
 * and faults are injected; then one step, its actions, and a look at everything.
 */
#include "swarm/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUTS_MOST 64u /* in a row at the same time: more is a loop */

void world_fail(struct world *world, const char *format, ...)
{
    va_list arguments;
    int length;

    if (world->failure[0])
        return;
    length = snprintf(world->failure, sizeof world->failure, "event %llu, [%5llu] ",
                      (unsigned long long)world->steps, (unsigned long long)world->now);
    va_start(arguments, format);
    vsnprintf(world->failure + length, sizeof world->failure - (size_t)length, format, arguments);
    va_end(arguments);
}

bool world_failed(const struct world *world)
{
    return world->failure[0] != '\0';
}

void world_fault(struct world *world, enum fault fault)
{
    world->tally->faults[fault]++;
}

/* --- messages --- */

struct vmres_event world_event(const struct world *world, enum vmres_event_type type, uint32_t vm,
                               uint8_t kind)
{
    struct vmres_event event =
        vmres_event_make(type, world->now, vm == VMRES_VM_NONE ? 0 : vm,
                         vm == VMRES_VM_NONE ? 0 : world->guests[vm].incarnation);

    event.kind = kind;
    return event;
}

struct vmres_event world_limits(const struct world *world, uint32_t vm, uint8_t kind,
                                uint64_t floor, uint64_t ceiling)
{
    struct vmres_event event =
        vmres_event_limits(world->now, vm, world->guests[vm].incarnation, floor, ceiling);

    event.kind = kind;
    return event;
}

static uint64_t delay(struct world *world)
{
    if (world->calm || world->prompt || !dice_chance(&world->dice, 400))
        return 0;
    if (dice_chance(&world->dice, 100)) {
        world_fault(world, ANSWER_LATE);
        return dice_below(&world->dice, 10 * (uint64_t)world->delay_ms + 1);
    }
    return dice_below(&world->dice, world->delay_ms + 1);
}

struct message *world_post(struct world *world, struct vmres_event event, bool in_order)
{
    struct message *message;
    uint64_t due = world->now + delay(world);

    if (world->queued == QUEUE) {
        world_fail(world, "the queue of messages is full");
        return NULL;
    }
    if (in_order) {
        struct guest *guest = &world->guests[event.vm];

        guest->order_ms = due > guest->order_ms ? due : guest->order_ms;
        due = guest->order_ms;
    }
    message = &world->queue[world->queued++];
    *message = (struct message){.due_ms = due, .number = ++world->number, .event = event};
    return message;
}

static uint32_t first_message(const struct world *world)
{
    uint32_t first = UINT32_MAX;

    for (uint32_t i = 0; i < world->queued; i++) {
        const struct message *it = &world->queue[i];

        if (first == UINT32_MAX || it->due_ms < world->queue[first].due_ms ||
            (it->due_ms == world->queue[first].due_ms && it->number < world->queue[first].number))
            first = i;
    }
    return first;
}

/* --- steps --- */

static void take_actions(struct world *world, const struct vmres_actions *actions)
{
    uint32_t room =
        world->options.max_actions ? world->options.max_actions : world->options.max_vms + 16;

    if (actions->count > room)
        world_fail(world, "I11: %u actions of %u at most", actions->count, room);
    for (uint32_t i = 0; i < actions->count && !world_failed(world); i++) {
        const struct vmres_action action = actions->items[i];
        uint64_t words[8];

        memcpy(words, &action, sizeof words);
        for (uint32_t w = 0; w < 8; w++)
            world->hash = dice_mix(world->hash ^ words[w]);
        world->tally->actions++;
        world->tally->commands[action.type % 8]++;
        log_action(world, &action);
        shadow_action(world, &action);
        backend_submit(world, &action);
    }
}

static void step(struct world *world, const struct message *message)
{
    const struct vmres_event *event = &message->event;
    struct vmres_actions actions;
    enum vmres_status status;

    if (message->breach && event->type == VMRES_EVENT_EXTENT &&
        place_is_asked(world, event->vm, event->kind))
        return; /* it has come again since, and has no place: that would be believed */
    status = vmres_engine_step(world->engine, event, &actions);
    world->steps++;
    log_event(world, event, status);
    world->tally->statuses[status % STATUSES]++;
    world->hash = dice_mix(world->hash ^ (uint64_t)status);
    if (message->breach && (status == VMRES_OK || status == VMRES_MORE))
        world_fail(world, "a breach of the contract was accepted");
    if (status != VMRES_OK && status != VMRES_MORE && actions.count > 0)
        world_fail(world, "actions after a refused event");
    shadow_event(world, event, status);
    if (status == VMRES_OK || status == VMRES_MORE) {
        world->last_ms = event->time_ms;
        backend_seen(world, message);
    }
    take_actions(world, &actions);
    for (uint32_t more = 0; status == VMRES_MORE && !world_failed(world); more++) {
        status = vmres_engine_step(world->engine, NULL, &actions);
        world->tally->statuses[status % STATUSES]++;
        if (more > 1000)
            world_fail(world, "the engine always has more");
        take_actions(world, &actions);
        if (status != VMRES_MORE)
            check_step(world, event, status);
        if (status != VMRES_MORE)
            return;
    }
    check_step(world, event, status);
}

static void deliver(struct world *world, uint32_t index)
{
    struct message message = world->queue[index];

    world->queue[index] = world->queue[--world->queued];
    message.event.time_ms = world->now;
    if (message.past && world->last_ms == 0)
        return; /* nothing is before the beginning */
    if (message.past)
        message.event.time_ms = dice_below(&world->dice, world->last_ms);
    step(world, &message);
}

static void time_out(struct world *world)
{
    struct message message = {.event = world_event(world, VMRES_EVENT_TIMEOUT, VMRES_VM_NONE, 0)};

    if (++world->timeouts > TIMEOUTS_MOST)
        world_fail(world, "the deadline does not move");
    step(world, &message);
}

/* --- time --- */

static void tick(struct world *world, uint64_t passed)
{
    uint64_t most = world->options.period_ms;

    for (uint32_t vm = 0; vm < world->slots; vm++) {
        backend_move(world, vm, passed);
        life_boots(world, vm);
        operate_tick(world, vm);
    }
    if (!world->calm)
        faults_inject(world);
    if (world->calm) /* chains are long, and pass on by pieces */
        most = most / 16 + 1;
    world->tick_ms = world->now + dice_between(&world->dice, 1, most);
}

static void go_to(struct world *world, uint64_t time_ms)
{
    if (time_ms <= world->now)
        return;
    world->now = time_ms;
    world->timeouts = 0;
}

/* The one thing that comes next. */
static void advance(struct world *world)
{
    uint64_t timer = vmres_engine_deadline(world->engine);
    uint32_t first = first_message(world);
    uint64_t message = first == UINT32_MAX ? NEVER : world->queue[first].due_ms;
    uint64_t began = world->tick_ms;

    if (timer != NEVER && !world->calm && dice_chance(&world->dice, 50)) {
        bool late = dice_chance(&world->dice, 500);

        world_fault(world, late ? TIMER_LATE : TIMER_EARLY);
        timer = late ? timer + dice_below(&world->dice, 3000) : world->now;
    }
    if (message <= world->tick_ms && message <= timer) {
        go_to(world, message);
        deliver(world, first);
    } else if (timer <= world->tick_ms) {
        go_to(world, timer);
        time_out(world);
    } else {
        go_to(world, world->tick_ms);
        tick(world, world->now - began + world->options.period_ms / 2);
    }
}

void world_run(struct world *world, uint64_t steps)
{
    while (world->steps < steps && !world_failed(world))
        advance(world);
}

static void expect_old_closed(struct world *world, uint64_t began)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info))
        if (info.started_ms <= began && info.state != VMRES_TRANSFER_PLANNED &&
            !place_matters(world, info.kind)) /* a chain goes on for as long as it does go on */
            world_fail(world, "I7: a transfer of [%llu] is open 2 x progress after faults stopped",
                       (unsigned long long)info.started_ms);
}

/* When the last of what was said before faults stopped arrives. */
static uint64_t last_word(const struct world *world)
{
    uint64_t last = world->now;

    for (uint32_t i = 0; i < world->queued; i++)
        if (world->queue[i].due_ms > last)
            last = world->queue[i].due_ms;
    return last;
}

/* Faults stop. Every transfer that is open must be over in time; then, when wild policies are
 * silent too, everything must come to rest. */
bool world_settle(struct world *world)
{
    uint64_t began = world->now;
    uint64_t progress = world->options.progress_ms, period = world->options.period_ms;
    uint64_t most = 140 * progress + (fleet_contiguous(world) ? 600 : 60) * period;
    char why[200] = "";

    faults_stop(world);
    while (world->now <= began + 2 * progress + 2 * period && !world_failed(world))
        advance(world);
    expect_old_closed(world, began);
    world->quiet = true;
    began = last_word(world);
    do {
        for (uint32_t i = 0; i < 8 && !world_failed(world); i++)
            advance(world);
        check_settled(world, why, sizeof why);
    } while (why[0] && !world_failed(world) && world->now < began + most);
    if (why[0])
        world_fail(world, "I7: does not come to rest: %s", why);
    return !world_failed(world);
}
