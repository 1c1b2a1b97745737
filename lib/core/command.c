/* SPDX-License-Identifier: MIT */
/*
 * Commands: what was sent to a VM and is not finally answered. A pool, and one answer's way in.
 *
 *     OPEN --newer one--> SUPERSEDED --final--> (free)
 *       |  --called off--> CANCELLING --final--> (free)
 *       |  --final-------> (free)                  |
 *       +--------------- no final in time ---------+--> LOST --late final--> (free)
 *
 * Invariant: an account has at most one command per slot (shrink, reassign, notify), and each of
 * these at most one older, superseded one, which stays in the slot when its final comes last;
 * claimed >= credited. Answers are checked here, against the contract in event.h; what they mean is
 * removal.c's, grant.c's, pin.c's.
 */
#include <assert.h>
#include <string.h>

#include "internal.h"

static uint32_t take_slot(struct vmres_engine *engine)
{
    uint32_t index = engine->command_free;

    if (index != NONE)
        engine->command_free = engine->commands[index].next;
    else if (engine->command_top < engine->max_commands)
        index = engine->command_top++;
    else
        engine->counters.limits_hit++;
    return index;
}

/* Returns NONE when the pool is empty: the account stays marked and is tried again. */
uint32_t vmres__command_open(struct vmres_engine *engine, uint8_t type, uint32_t vm, uint8_t kind)
{
    uint32_t index = take_slot(engine);
    struct command *command;

    if (index == NONE)
        return NONE;
    command = &engine->commands[index];
    *command = (struct command){.id = ++engine->serial << SLOT_BITS | index,
                                .progress_ms = engine->now,
                                .mark_ms = engine->now,
                                .vm = vm,
                                .older = NONE,
                                .next = engine->command_open,
                                .previous = NONE,
                                .kind = kind,
                                .type = type,
                                .state = COMMAND_OPEN};
    if (command->next != NONE)
        engine->commands[command->next].previous = index;
    engine->command_open = index;
    if (engine->command_deadline_ms > engine->now + engine->progress_ms)
        engine->command_deadline_ms = engine->now + engine->progress_ms;
    return index;
}

/* The account's slot that a command of this type occupies. */
static uint32_t *slot_of(struct account *account, uint8_t type)
{
    if (type == VMRES_ACTION_REASSIGN)
        return &account->reassign;
    return type == VMRES_ACTION_NOTIFY ? &account->notify : &account->shrink;
}

static void drop(struct vmres_engine *engine, uint32_t index)
{
    struct command *command = &engine->commands[index];
    uint32_t *slot = slot_of(account_of(engine, command->vm, command->kind), command->type);

    if (*slot == index)
        *slot = command->older; /* whose final is owed still: until then nothing new is sent */
    else if (*slot != NONE && engine->commands[*slot].older == index)
        engine->commands[*slot].older = NONE;
    if (command->next != NONE)
        engine->commands[command->next].previous = command->previous;
    if (command->previous != NONE)
        engine->commands[command->previous].next = command->next;
    else
        engine->command_open = command->next;
    vmres__settle_mark(engine, command->vm, command->kind);
    command->id = 0;
    command->state = COMMAND_FREE;
    command->next = engine->command_free;
    engine->command_free = index;
}

/* A newer command of the same slot goes on: the clocks of one that made no progress go on too, so
 * that a new plan every second does not hide a guest that never moves. */
void vmres__command_supersede(struct vmres_engine *engine, uint32_t older, uint32_t newer)
{
    struct command *was = &engine->commands[older];
    struct command *is = &engine->commands[newer];

    assert(was->state == COMMAND_OPEN && was->older == NONE);
    was->state = COMMAND_SUPERSEDED;
    is->older = older;
    is->progress_ms = was->progress_ms;
    is->mark_ms = was->mark_ms;
    is->marked = was->marked - (int32_t)was->claimed;
}

struct command *vmres__command_heir(struct vmres_engine *engine, const struct command *older)
{
    uint32_t slot = *slot_of(account_of(engine, older->vm, older->kind), older->type);
    struct command *newer = slot == NONE ? NULL : &engine->commands[slot];

    return newer && newer->older != NONE && &engine->commands[newer->older] == older ? newer : NULL;
}

/* The VM is gone or reborn: nothing more will be answered, and what is is refused. */
void vmres__command_drop_all(struct vmres_engine *engine, uint32_t vm)
{
    uint32_t index = engine->command_open;

    while (index != NONE) {
        uint32_t next = engine->commands[index].next;

        if (engine->commands[index].vm == vm)
            drop(engine, index);
        index = next;
    }
}

/* --- answers --- */

static enum vmres_status check_answer(const struct vmres_engine *engine,
                                      const struct vmres_event *event,
                                      const struct command *command)
{
    const struct kind *kind = &engine->kinds[command->kind];
    uint32_t amount = granules_down(kind, event->as.answer.amount);

    if (command->vm != event->vm || command->kind != event->kind ||
        vmres__event_answering(command->type) != event->type || event->result > VMRES_RESULT_GONE)
        return VMRES_CONTRACT;
    if (command->type == VMRES_ACTION_PIN || command->type == VMRES_ACTION_REASSIGN)
        return VMRES_OK;
    return amount < command->claimed || amount > command->bound ? VMRES_CONTRACT : VMRES_OK;
}

/* What the end of a command that was taken over tells of is progress of the one that did. */
static void note_progress(struct vmres_engine *engine, struct command *command, uint32_t amount)
{
    struct command *heir = vmres__command_heir(engine, command);

    if (amount <= command->claimed)
        return;
    command->progress_ms = engine->now;
    if (!heir)
        return;
    heir->progress_ms = engine->now;
    heir->marked -= (int32_t)(amount - command->claimed);
}

static void take_answer(struct vmres_engine *engine, struct command *command,
                        const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];

    note_progress(engine, command, granules_down(kind, event->as.answer.amount));
    if (event->valid & VMRES_VALID_HELD)
        vmres__observe_held(engine, command->vm, command->kind,
                            granules_up(kind, event->as.answer.held));
    account->witness =
        event->valid & VMRES_VALID_WITNESS ? granules_up(kind, event->as.answer.witness) : NONE;
    vmres__observe_enforced(account, event->valid);
    switch (command->type) {
    case VMRES_ACTION_REQUEST_REMOVAL:
        vmres__removal_answered(engine, command, event);
        break;
    case VMRES_ACTION_REASSIGN:
        vmres__grant_reassigned(engine, command, event);
        break;
    case VMRES_ACTION_NOTIFY:
        vmres__grant_incorporated(engine, command, event);
        break;
    default:
        vmres__pin_answered(engine, command, event);
    }
    /* A retake may show first in the answer to something else. */
    if (event->valid & (VMRES_VALID_HELD | VMRES_VALID_WITNESS))
        vmres__observe_raised(engine, event->vm, event->kind);
}

enum vmres_status vmres__command_answer(struct vmres_engine *engine,
                                        const struct vmres_event *event)
{
    uint32_t index = (uint32_t)(event->id & ((1u << SLOT_BITS) - 1));
    uint32_t vm = event->vm;
    enum vmres_status status;
    struct command *command;

    if (event->id == 0) /* what a free slot has */
        return VMRES_UNKNOWN;
    if (index >= engine->command_top || engine->commands[index].id != event->id) {
        uint64_t serial = event->id >> SLOT_BITS;
        return serial > 0 && serial <= engine->serial ? VMRES_CONTRACT : VMRES_UNKNOWN;
    }
    command = &engine->commands[index];
    status = check_answer(engine, event, command);
    if (status != VMRES_OK)
        return status;
    take_answer(engine, command, event);
    if ((event->flags & VMRES_FLAG_FINAL) && !BROKEN(FINAL)) {
        drop(engine, index);
        vmres__vm_speaks(engine, vm);
    }
    return VMRES_OK;
}

/* --- deadlines --- */

/* No progress for progress_ms, or less than 1 % of the request a second over twice that time. */
static bool too_slow(struct vmres_engine *engine, struct command *command)
{
    uint64_t window = engine->now - command->mark_ms;
    int64_t bounded = window > INT32_MAX ? INT32_MAX : (int64_t)window;

    if (engine->now - command->progress_ms >= engine->progress_ms)
        return true;
    if (command->state != COMMAND_OPEN || window < 2ull * engine->progress_ms)
        return false;
    if (((int64_t)command->claimed - command->marked) * 100000 < command->amount * bounded)
        return true;
    command->mark_ms = engine->now;
    command->marked = (int32_t)command->claimed;
    return false;
}

/* When it is to be looked at next. */
static uint64_t due_of(const struct vmres_engine *engine, const struct command *command)
{
    uint64_t due = command->progress_ms + engine->progress_ms;
    uint64_t window = command->mark_ms + 2ull * engine->progress_ms;

    return command->state == COMMAND_OPEN && window < due ? window : due;
}

static void give_up(struct vmres_engine *engine, struct command *command)
{
    if (command->state != COMMAND_OPEN) {
        command->state = COMMAND_LOST;
        vmres__vm_silent(engine, command->vm);
        return;
    }
    command->progress_ms = command->mark_ms = engine->now; /* the time its final answer has */
    command->wanted_cancel = 1;
    vmres__settle_mark(engine, command->vm, command->kind);
    if (command->type == VMRES_ACTION_REQUEST_REMOVAL)
        vmres__removal_given_up(engine, command);
    else if (command->type != VMRES_ACTION_PIN)
        vmres__grant_given_up(engine, command);
}

void vmres__command_expire(struct vmres_engine *engine)
{
    uint64_t soonest = UINT64_MAX;
    uint32_t index, next;

    if (engine->now < engine->command_deadline_ms)
        return;
    for (index = engine->command_open; index != NONE; index = next) {
        struct command *command = &engine->commands[index];
        uint64_t due;

        next = command->next;
        if (command->state == COMMAND_LOST)
            continue;
        if (too_slow(engine, command))
            give_up(engine, command);
        due = due_of(engine, command);
        if (command->state != COMMAND_LOST && due < soonest)
            soonest = due;
    }
    engine->command_deadline_ms = soonest;
}
