/* SPDX-License-Identifier: MIT */
/*
 * The backend: carries out actions on the devices and answers them, as the contract in event.h
 * asks. Its own word (witness, target, what is final) is true; what a device says it holds is
 * partly its guest's. A final may be withheld: a device that hangs.
 */
#include <string.h>

#include "swarm/world.h"

/* The guest has no say in it. */
static bool host_rules(const struct world *world, const struct device *device, uint8_t kind)
{
    return device->enforced || place_matters(world, kind) ||
           world->resources[kind].removal == VMRES_REMOVAL_HOST;
}

/* --- what is said --- */

/* What the device says it holds. */
uint64_t backend_said(const struct world *world, uint32_t vm, uint8_t kind)
{
    const struct device *device = &world->guests[vm].devices[kind];

    if (host_rules(world, device, kind))
        return device->held;
    switch (device->mood) {
    case CLAIMS_DONE:
        return device->target;
    case CLAIMS_LITTLE:
        return device->held / 8;
    case CLAIMS_MUCH:
        return device->held % 2 ? UINT64_MAX : 2 * device->limit + 1;
    default:
        return device->held;
    }
}

/* To be called before a device changes unasked. */
void backend_changed(struct device *device)
{
    if (device->before == NEVER)
        device->before = most(device->held, device->target);
    device->changes++;
}

/* The engine took this message. */
void backend_seen(struct world *world, const struct message *message)
{
    const struct vmres_event *event = &message->event;
    struct device *device;

    if (!message->tells || event->incarnation != world->guests[event->vm].incarnation)
        return;
    device = &world->guests[event->vm].devices[event->kind];
    device->told = message->changes > device->told ? message->changes : device->told;
    if (device->told == device->changes)
        device->before = NEVER;
}

static uint64_t witness_of(struct world *world, const struct device *device, uint8_t kind)
{
    uint64_t noise = dice_below(&world->dice, world->resources[kind].tolerance + 1);

    if (noise > 0)
        world_fault(world, WITNESS_NOISE);
    if (host_rules(world, device, kind))
        return device->held + noise;
    return device->held + device->overhead + device->unscrubbed + noise;
}

/* Words of the host in an answer: as things are now. */
static void fill_answer(struct world *world, struct vmres_event *event)
{
    const struct device *device = &world->guests[event->vm].devices[event->kind];

    event->valid = VMRES_VALID_HELD;
    event->as.answer.held = backend_said(world, event->vm, event->kind);
    event->as.answer.witness = 0;
    if (device->enforced)
        event->valid |= VMRES_VALID_ENFORCED;
    if (dice_chance(&world->dice, world->calm ? 1000 : device->witness)) {
        event->valid |= VMRES_VALID_WITNESS;
        event->as.answer.witness = witness_of(world, device, event->kind);
    } else {
        world_fault(world, ANSWER_NO_WITNESS);
    }
}

/* Marks what of the device the engine will know when it takes this message. */
static void mark(struct world *world, struct message *message, uint64_t words)
{
    const struct vmres_event *event = &message->event;
    struct device *device = &world->guests[event->vm].devices[event->kind];

    message->changes = device->changes;
    message->tells = words >= most(device->held, device->target);
    if (message->tells)
        device->posted = device->changes;
}

/* An answer tells no maximum: it is believed up to the one that was told, or else the ceiling. */
static bool believed(const struct world *world, const struct vmres_event *event)
{
    const struct shadow_account *account = &world->shadow.vms[event->vm].accounts[event->kind];

    return event->as.answer.held <= (account->limit != NEVER ? account->limit : account->ceiling);
}

static void post_answer(struct world *world, struct vmres_event event)
{
    const struct guest *guest = &world->guests[event.vm];
    struct message *message;
    uint64_t words = 0;

    fill_answer(world, &event);
    if (event.valid & VMRES_VALID_WITNESS)
        words = event.as.answer.witness;
    else if (guest->devices[event.kind].enforced && believed(world, &event))
        words = event.as.answer.held;
    message = world_post(world, event, true);
    if (message && event.incarnation == guest->incarnation)
        mark(world, message, words);
    faults_breach(world, &event);
    if (!(event.flags & VMRES_FLAG_FINAL) && !world->calm && dice_chance(&world->dice, 50)) {
        world_fault(world, ANSWER_TWICE);
        message = world_post(world, event, true);
    }
}

/* What the host sees now. */
void backend_observe(struct world *world, uint32_t vm, uint8_t kind)
{
    const struct device *device = &world->guests[vm].devices[kind];
    struct vmres_event event = world_event(world, VMRES_EVENT_OBSERVED, vm, kind);
    struct message *message;
    uint64_t words;

    event.valid = VMRES_VALID_HELD | VMRES_VALID_TARGET | VMRES_VALID_LIMIT;
    event.as.observed.held = backend_said(world, vm, kind);
    event.as.observed.target = device->target;
    event.as.observed.limit = device->limit;
    words = device->target;
    if (device->enforced) {
        event.valid |= VMRES_VALID_ENFORCED;
        words = most(words, event.as.observed.held);
    }
    if (dice_chance(&world->dice, world->calm ? 1000 : device->witness)) {
        event.valid |= VMRES_VALID_WITNESS;
        event.as.observed.witness = witness_of(world, device, kind);
        words = most(words, event.as.observed.witness);
    }
    if (event.as.observed.held >= device->held && device->held <= device->limit)
        words = most(words, device->held);
    message = world_post(world, event, true);
    if (message)
        mark(world, message, words);
}

/* --- answers --- */

static struct vmres_event answer_to(const struct world *world, uint32_t vm, uint8_t kind,
                                    uint8_t type, uint64_t id)
{
    struct vmres_event event = world_event(world, (enum vmres_event_type)type, vm, kind);

    event.id = id;
    return event;
}

static void post_final(struct world *world, struct vmres_event event, uint8_t result)
{
    const uint32_t room = sizeof world->withheld / sizeof *world->withheld;

    event.flags = VMRES_FLAG_FINAL;
    event.result = result;
    if (!world->calm && world->withheld_count < room &&
        dice_below(&world->dice, 4000) < world->fault_permille) {
        world_fault(world, ANSWER_NEVER);
        world->withheld[world->withheld_count++].event = event;
        return;
    }
    post_answer(world, event);
}

static void finish(struct world *world, uint32_t vm, uint8_t kind, struct order *order,
                   uint8_t result)
{
    struct device *device = &world->guests[vm].devices[kind];
    struct vmres_event event = answer_to(world, vm, kind,
                                         order == &device->shrink ? VMRES_EVENT_REMOVED
                                         : order == &device->grow ? VMRES_EVENT_INCORPORATED
                                                                  : VMRES_EVENT_PINNED,
                                         order->id);

    event.as.answer.amount = order->amount;
    order->id = 0;
    post_final(world, event, result);
}

/* Finals that were withheld come after all. */
void backend_release(struct world *world)
{
    for (uint32_t i = 0; i < world->withheld_count; i++)
        post_answer(world, world->withheld[i].event);
    world->withheld_count = 0;
}

/* More than it is to have, or elsewhere. */
static bool has_more(const struct world *world, const struct device *device, uint8_t kind,
                     uint64_t said, uint64_t target)
{
    return place_matters(world, kind) ? place_outside(device) > 0 : said > target;
}

/* Lets the order follow what the device says. */
static void follow(struct world *world, uint32_t vm, uint8_t kind, struct order *order)
{
    struct device *device = &world->guests[vm].devices[kind];
    bool shrinks = order == &device->shrink;
    uint64_t said = backend_said(world, vm, kind);
    uint64_t moved =
        shrinks ? order->start - least(order->start, said) : said - least(said, order->start);
    bool done =
        shrinks ? !has_more(world, device, kind, said, order->target) : said >= order->target;
    uint64_t amount = most(order->amount, least(moved, order->asked));
    struct vmres_event event;

    if (order->id == 0)
        return;
    if (done) {
        order->amount = amount;
        finish(world, vm, kind, order, VMRES_RESULT_DONE);
    } else if (world->now - order->since_ms > world->options.progress_ms &&
               dice_chance(&world->dice, 100)) {
        order->amount = amount;
        finish(world, vm, kind, order, VMRES_RESULT_PARTIAL);
    } else if (amount > order->amount && dice_chance(&world->dice, 500)) {
        world_fault(world, ANSWER_COALESCED);
    } else if (amount > order->amount) {
        order->amount = amount;
        event = answer_to(world, vm, kind, shrinks ? VMRES_EVENT_REMOVED : VMRES_EVENT_INCORPORATED,
                          order->id);
        event.as.answer.amount = amount;
        post_answer(world, event);
    }
}

/* It is done at once; a block, when nothing of its VM lies outside any more. */
static void follow_pin(struct world *world, uint32_t vm, uint8_t kind)
{
    struct device *device = &world->guests[vm].devices[kind];

    if (device->pin.id != 0 && (!place_matters(world, kind) || place_outside(device) == 0))
        finish(world, vm, kind, &device->pin, VMRES_RESULT_DONE);
}

/* --- devices move --- */

/* The load of a guest swings between two values. */
static void swing(struct world *world, uint32_t vm, uint8_t kind)
{
    struct device *device = &world->guests[vm].devices[kind];
    uint64_t ceiling = world->guests[vm].ceiling[kind];

    if (device->swing_ms == 0 || world->now / device->swing_ms % 2 == device->swung)
        return;
    device->swung = !device->swung;
    device->need = ceiling - least(ceiling, device->need);
}

static bool stands_still(const struct world *world, const struct device *device)
{
    return device->mood == IGNORES || device->mood == CLAIMS_DONE || device->mood == CLAIMS_MUCH ||
           world->now < device->missing_ms ||
           (device->dodges && world->now / world->options.progress_ms % 4 != 0);
}

static void let_go(struct world *world, struct device *device, uint8_t kind, uint64_t step)
{
    bool host = world->resources[kind].removal == VMRES_REMOVAL_HOST;
    uint64_t stop = device->mood == STOPS && !host ? device->need : 0;
    uint64_t outside = place_matters(world, kind)
                           ? place_outside(device)
                           : device->held - least(device->held, device->target);
    uint64_t rest = least(outside, device->held - least(device->held, stop));
    uint64_t amount = least(step, rest);

    if (place_matters(world, kind))
        amount = place_whole(world, device, kind, step, rest);
    if (device->piece > 0 && !host)
        amount -= amount % device->piece;
    if (place_matters(world, kind))
        place_leaves(device, amount);
    device->held -= amount;
    if (!device->scrubs || amount == 0)
        return;
    world_fault(world, WITNESS_LAGS);
    device->unscrubbed += amount;
}

static void take_in(struct world *world, struct device *device, uint8_t kind, uint64_t step)
{
    /* A link may be told of a piece beyond its maximum. */
    bool placed = place_matters(world, kind);
    uint64_t stop = placed ? device->target : least(device->target, device->limit);
    uint64_t rest = stop - least(stop, device->held);
    uint64_t amount = least(step, rest);

    if (placed) {
        amount = place_whole(world, device, kind, step, rest);
        place_enters(device, amount);
    }
    device->held += amount;
}

static void move_device(struct world *world, struct device *device, uint8_t kind, uint64_t time_ms)
{
    uint64_t step = device->rate * time_ms;

    device->unscrubbed -= least(device->unscrubbed, device->limit / 5000 * time_ms);
    if (world->resources[kind].removal == VMRES_REMOVAL_HOST)
        step = UINT64_MAX;
    else if (stands_still(world, device))
        return;
    if (has_more(world, device, kind, device->held, device->target))
        let_go(world, device, kind, step);
    else
        take_in(world, device, kind, step);
}

/* One that is fragile, and has less than half of what it needs. */
static bool squeezed_to_death(const struct world *world, const struct guest *guest)
{
    for (uint8_t k = 0; k < world->options.kinds && guest->fragile; k++)
        if (guest->devices[k].held < guest->devices[k].need / 2)
            return true;
    return false;
}

void backend_move(struct world *world, uint32_t vm, uint64_t time_ms)
{
    struct guest *guest = &world->guests[vm];

    if (!guest->present || guest->paused || world->now < guest->hang_ms)
        return;
    if (squeezed_to_death(world, guest)) {
        world_fault(world, GUEST_DIES);
        life_crashes(world, vm);
        return;
    }
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        struct device *device = &guest->devices[k];

        swing(world, vm, k);
        move_device(world, device, k, time_ms);
        if (device->before != NEVER)
            device->before = least(device->before, most(device->held, device->target));
        follow(world, vm, k, &device->shrink);
        follow(world, vm, k, &device->grow);
        follow_pin(world, vm, k);
        if (device->posted != device->changes && dice_chance(&world->dice, 500))
            backend_observe(world, vm, k);
    }
}

/* The VM's process is gone, or reborn: nothing is pursued any longer. */
void backend_forget(struct world *world, uint32_t vm)
{
    uint32_t kept = 0;

    for (uint8_t k = 0; k < world->options.kinds; k++) {
        world->guests[vm].devices[k].shrink.id = 0;
        world->guests[vm].devices[k].grow.id = 0;
        world->guests[vm].devices[k].pin.id = 0;
    }
    for (uint32_t i = 0; i < world->withheld_count; i++)
        if (world->withheld[i].event.vm != vm)
            world->withheld[kept++] = world->withheld[i];
    world->withheld_count = kept;
}

/* --- actions --- */

static bool refuses(struct world *world, const struct device *device)
{
    if (world->calm ||
        (world->now >= device->missing_ms && !dice_chance(&world->dice, world->fault_permille / 8)))
        return false;
    world_fault(world, ANSWER_REFUSED);
    return true;
}

/* From now on the device pursues this. */
static void obey(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];

    if (place_matters(world, action->kind))
        place_command(world, action);
    device->target = action->as.resize.target;
}

static void resize(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];
    bool shrinks = action->type == VMRES_ACTION_REQUEST_REMOVAL;
    struct order *order = shrinks ? &device->shrink : &device->grow;

    if (order->id != 0)
        finish(world, action->vm, action->kind, order, VMRES_RESULT_SUPERSEDED);
    *order = (struct order){.id = action->id,
                            .target = action->as.resize.target,
                            .asked = action->as.resize.amount,
                            .start = backend_said(world, action->vm, action->kind),
                            .since_ms = world->now};
    if (refuses(world, device)) {
        finish(world, action->vm, action->kind, order, VMRES_RESULT_REFUSED);
        return;
    }
    obey(world, action);
    follow(world, action->vm, action->kind, order);
}

static void reassign(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];
    struct vmres_event event =
        answer_to(world, action->vm, action->kind, VMRES_EVENT_REASSIGNED, action->id);
    /* One that must know where to begin does not refuse to. */
    bool begins = (action->flags & VMRES_ACTION_INITIAL) && place_matters(world, action->kind);
    uint8_t result = !begins && refuses(world, device) ? VMRES_RESULT_REFUSED : VMRES_RESULT_DONE;

    if (result == VMRES_RESULT_DONE)
        obey(world, action);
    if (result == VMRES_RESULT_DONE && (action->flags & VMRES_ACTION_INITIAL)) {
        device->held = least(device->target, device->limit);
        if (place_matters(world, action->kind))
            device->held -= device->held % world->resources[action->kind].granule;
    }
    post_final(world, event, result);
}

static void pin(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];

    device->pin = (struct order){.id = action->id};
    if (refuses(world, device)) {
        finish(world, action->vm, action->kind, &device->pin, VMRES_RESULT_REFUSED);
        return;
    }
    obey(world, action);
    follow_pin(world, action->vm, action->kind);
}

static void cancel(struct world *world, const struct vmres_action *action)
{
    struct device *device = &world->guests[action->vm].devices[action->kind];
    uint64_t id = action->as.cancel.command;

    if (device->shrink.id == id)
        finish(world, action->vm, action->kind, &device->shrink, VMRES_RESULT_CANCELLED);
    else if (device->grow.id == id)
        finish(world, action->vm, action->kind, &device->grow, VMRES_RESULT_CANCELLED);
    else if (device->pin.id == id)
        finish(world, action->vm, action->kind, &device->pin, VMRES_RESULT_CANCELLED);
}

void backend_submit(struct world *world, const struct vmres_action *action)
{
    if (action->type == VMRES_ACTION_INQUIRE) {
        guest_answer(world, action);
        return;
    }
    /* It may be meant for a life that has ended meanwhile. */
    if (!world->guests[action->vm].present ||
        world->guests[action->vm].incarnation != action->incarnation)
        return;
    switch (action->type) {
    case VMRES_ACTION_REASSIGN:
        reassign(world, action);
        break;
    case VMRES_ACTION_PIN:
        pin(world, action);
        break;
    case VMRES_ACTION_CANCEL:
        cancel(world, action);
        break;
    default:
        resize(world, action);
    }
}
