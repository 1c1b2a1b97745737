/* SPDX-License-Identifier: MIT */
/*
 * Sends what follows from the books. An account that was changed is marked, and in the end of each
 * step every marked account is looked at: what should its VM be told, and what has it been told?
 * The answer is a command with an absolute target, a call-off, or nothing. This is the only place
 * where resizes are sent.
 *
 * A VM is told to shrink to its charge less what is disputed and what its open transfers still
 * want; it is told to grow only when nothing shrinks it. Invariant: the charge covers every target
 * sent.
 */
#include <assert.h>

#include "internal.h"

/* FULL: the outbox is; LATER: no command is free, or a deficit is worked off first. */
enum sent { SENT, NOTHING, FULL, LATER };

/* The queue of marked accounts names them by VM and kind in one number. */
static struct account *dirty_account(const struct vmres_engine *engine, uint32_t name)
{
    return account_of(engine, name / engine->kind_count, name % engine->kind_count);
}

static void append(struct vmres_engine *engine, uint32_t name)
{
    dirty_account(engine, name)->next_dirty = NONE;
    if (engine->dirty_first == NONE)
        engine->dirty_first = name;
    else
        dirty_account(engine, engine->dirty_last)->next_dirty = name;
    engine->dirty_last = name;
}

void vmres__settle_mark(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);

    if (account->flags & ACCOUNT_DIRTY)
        return;
    account->flags |= ACCOUNT_DIRTY;
    append(engine, vm * engine->kind_count + kind);
}

/* It may take more now: who gives to it may be asked for more. */
void vmres__settle_mark_donors(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t index = account_of(engine, vm, kind)->incoming;

    for (; index != NONE; index = engine->transfers[index].in_next)
        if (engine->transfers[index].donor != VMRES_VM_NONE)
            vmres__settle_mark(engine, engine->transfers[index].donor, kind);
}

static const struct {
    uint8_t trace, level, step;
} told[] = {
    [VMRES_ACTION_REQUEST_REMOVAL] = {VMRES_TRACE_REMOVE, VMRES_TRACE_INFO, 4},
    /* REASSIGN: told when the ledger gave, in grant.c and allot.c. */
    [VMRES_ACTION_NOTIFY] = {VMRES_TRACE_NOTIFY, VMRES_TRACE_INFO, 7},
    [VMRES_ACTION_PIN] = {VMRES_TRACE_PIN, VMRES_TRACE_DEBUG, 0},
};

/* The one transfer a request to a donor serves, or NULL where there are several. */
static const struct transfer *only_transfer(const struct vmres_engine *engine,
                                            const struct command *plan)
{
    uint32_t first = account_of(engine, plan->vm, plan->kind)->outgoing;

    if (plan->type != VMRES_ACTION_REQUEST_REMOVAL || first == NONE ||
        engine->transfers[first].out_next != NONE)
        return NULL;
    return &engine->transfers[first];
}

/* Where the block begins once the command is carried out. */
static uint32_t front_after(const struct kind *kind, const struct command *plan, uint16_t flags)
{
    if (plan->type == VMRES_ACTION_PIN)
        return vmres__extent_own_front(kind, plan->vm, plan->target);
    if (plan->type == VMRES_ACTION_REASSIGN) /* all that it is charged with */
        return kind->blocks[plan->vm].front;
    return vmres__extent_told_front(kind, plan->vm) +
           (flags & VMRES_ACTION_FRONT ? plan->amount : 0);
}

static void trace_sent(const struct vmres_engine *engine, const struct command *plan,
                       const struct transfer *only)
{
    const struct kind *kind = &engine->kinds[plan->kind];
    const bool pin = plan->type == VMRES_ACTION_PIN;
    struct vmres_trace_record record = {.type = told[plan->type].trace,
                                        .level = told[plan->type].level,
                                        .step = told[plan->type].step,
                                        .kind = plan->kind,
                                        .vm = plan->vm,
                                        .other = only ? only->recipient : VMRES_VM_NONE,
                                        .transfer = only ? only->id : 0,
                                        .amount = pin ? plan->target : plan->amount,
                                        .target = plan->target,
                                        .reason = pin ? "to stay"
                                                      : verdict_reason(&kind->reasons, plan->vm)};

    if (record.type == 0)
        return;
    if (kind->blocks && !pin) { /* what is to go, or all that it has then */
        bool all = plan->type == VMRES_ACTION_NOTIFY;

        record.block = record.front = vmres__extent_told_front(kind, plan->vm);
        record.front += !all && plan->up ? plan->target : 0;
        record.size = all ? plan->target : plan->amount;
    }
    vmres__trace(engine, record);
}

/* Opens a command, puts it into *slot and its action into the outbox. */
static enum sent send(struct vmres_engine *engine, struct command plan, uint32_t *slot,
                      uint16_t flags)
{
    struct kind *kind = &engine->kinds[plan.kind];
    struct vmres_action *action;
    struct command *command;
    const struct transfer *only = only_transfer(engine, &plan);
    uint32_t index;

    if (vmres__outbox_full(engine))
        return FULL;
    index = vmres__command_open(engine, plan.type, plan.vm, plan.kind);
    if (index == NONE)
        return LATER;
    command = &engine->commands[index];
    command->target = plan.target;
    command->before = kind->accounts[plan.vm].target;
    command->amount = plan.amount;
    command->bound = plan.bound;
    command->up = plan.up;
    if (*slot != NONE)
        vmres__command_supersede(engine, *slot, index);
    *slot = index;
    if (plan.type == VMRES_ACTION_REQUEST_REMOVAL)
        kind->accounts[plan.vm].target = plan.target;
    action = vmres__outbox_push(engine, plan.type, plan.vm, plan.kind);
    action->id = command->id;
    action->flags = flags;
    action->as.resize.target = units_of(kind, plan.target);
    action->as.resize.amount = units_of(kind, plan.amount);
    action->as.resize.transfer = only ? only->id : 0;
    if (kind->blocks)
        action->as.resize.front = units_of(kind, front_after(kind, &plan, flags));
    trace_sent(engine, &plan, only);
    return SENT;
}

static enum sent call_off(struct vmres_engine *engine, uint32_t index)
{
    struct command *command;
    struct vmres_action *action;

    if (index == NONE || !engine->commands[index].wanted_cancel ||
        engine->commands[index].state != COMMAND_OPEN)
        return NOTHING;
    if (vmres__outbox_full(engine))
        return FULL;
    command = &engine->commands[index];
    command->state = COMMAND_CANCELLING;
    command->progress_ms = engine->now;
    action = vmres__outbox_push(engine, VMRES_ACTION_CANCEL, command->vm, command->kind);
    action->id = ++engine->serial << SLOT_BITS | ((1u << SLOT_BITS) - 1);
    action->as.cancel.command = command->id;
    return SENT;
}

/* What may be asked for now of what is to leave on one side. */
static uint32_t givable_now(const struct vmres_engine *engine, uint32_t vm, uint8_t kind, bool up)
{
    return engine->kinds[kind].blocks ? vmres__extent_givable(engine, vm, kind, up)
                                      : vmres__transfer_wanted(engine, vm, kind, up);
}

/* What a VM could give at the most. Its floor may have come up since that was planned; what becomes
 * of a block is the chain's (extent.c). */
static uint32_t spare_of(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t undisputed = vmres__removal_undisputed(engine, vm, kind);
    uint32_t floor =
        engine->kinds[kind].blocks || BROKEN(FLOOR) ? 0 : view_of(engine, vm, kind)->floor;

    return undisputed - min_u32(undisputed, floor);
}

/* Of a charge that covers more than what the VM holds, all that is neither held nor below its
 * ceiling goes at once: no device is told to aim beyond both. Nobody waits for that: it is free. */
static void skip_air(const struct vmres_view *view, struct command *plan)
{
    uint32_t highest = max_u32(view->held, ceiling_of(view));
    uint32_t air = plan->target - min_u32(plan->target, highest);

    plan->target -= air;
    plan->amount += air;
}

/* The donor's side: ask, ask anew, or call off. */
static enum sent settle_shrink(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    const struct vmres_view *view = view_of(engine, vm, kind);
    struct command *open = account->shrink == NONE ? NULL : &engine->commands[account->shrink];
    bool asking = open && open->type == VMRES_ACTION_REQUEST_REMOVAL;
    struct command plan = {.type = VMRES_ACTION_REQUEST_REMOVAL, .vm = vm, .kind = kind};
    uint32_t give, contested;

    if (open && open->state != COMMAND_OPEN)
        return NOTHING;
    plan.up = asking ? open->up : givable_now(engine, vm, kind, true) > 0;
    if (asking && vmres__transfer_wanted(engine, vm, kind, plan.up) == 0)
        open->wanted_cancel = 1;
    if (open && (!asking || open->wanted_cancel))
        return call_off(engine, account->shrink);
    give = min_u32(givable_now(engine, vm, kind, plan.up), spare_of(engine, vm, kind));
    /* What the open request says is gone and is not believed yet is a part of both. */
    contested = min_u32(vmres__removal_contested(engine, vm, kind), give);
    plan.amount = give - contested;
    plan.target = view->charge - (view->disputed - contested) - give;
    if (engine->kinds[kind].blocks) /* what it was not told of it does not count */
        plan.target -= account->untold;
    else
        skip_air(view, &plan);
    plan.bound = max_u32(plan.amount, view->held - min_u32(view->held, plan.target));
    /* It says that more is gone than is wanted now: no target may count on that, nor do without. */
    if (view->disputed > contested && plan.target < view->floor) {
        if (asking)
            open->wanted_cancel = 1;
        return call_off(engine, account->shrink);
    }
    if (give == 0 || (open && (open->target == plan.target || open->older != NONE)))
        return NOTHING;
    return send(engine, plan, &account->shrink,
                engine->kinds[kind].blocks && !plan.up ? VMRES_ACTION_FRONT : 0);
}

/* The first allotment: before the VM runs. */
static enum sent settle_initial(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    const struct vmres_view *view = view_of(engine, vm, kind);
    enum sent sent;

    if (!(account->flags & ACCOUNT_INITIAL) || account->reassign != NONE)
        return NOTHING;
    if (!vmres__allot_fits(engine, vm, kind))
        return LATER;
    sent = send(engine,
                (struct command){.type = VMRES_ACTION_REASSIGN,
                                 .vm = vm,
                                 .kind = kind,
                                 .target = min_u32(view->charge - view->disputed, view->ceiling)},
                &account->reassign, VMRES_ACTION_INITIAL);
    if (sent == SENT)
        account->flags &= (uint16_t)~ACCOUNT_INITIAL;
    return sent;
}

static bool growing(const struct account *account)
{
    return account->reassign != NONE || account->notify != NONE;
}

/* A block changes by one thing at a time: what was begun to be given is taken in first. */
static bool taking_in(const struct kind *kind, const struct account *account)
{
    return growing(account) || (kind->blocks && (account->flags & ACCOUNT_NOTIFY));
}

static bool idle(const struct account *account)
{
    return account->shrink == NONE && !growing(account);
}

static enum sent settle_pin(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    struct command plan = {.type = VMRES_ACTION_PIN, .vm = vm, .kind = kind};
    enum sent sent;

    if (!(account->flags & ACCOUNT_PIN) || !idle(account))
        return NOTHING;
    plan.target = engine->kinds[kind].blocks ? vmres__extent_own(&engine->kinds[kind], vm)
                                             : view_of(engine, vm, kind)->held;
    sent = send(engine, plan, &account->shrink, 0);
    if (sent == SENT)
        account->flags &= (uint16_t)~ACCOUNT_PIN;
    return sent;
}

/* The configuration allows it: tell the VM. */
static enum sent settle_notify(struct vmres_engine *engine, struct command plan)
{
    struct account *account = account_of(engine, plan.vm, plan.kind);
    const struct vmres_view *view = view_of(engine, plan.vm, plan.kind);
    enum sent sent;

    if (account->notify != NONE && (engine->commands[account->notify].state != COMMAND_OPEN ||
                                    engine->commands[account->notify].older != NONE))
        return NOTHING;
    plan.type = VMRES_ACTION_NOTIFY;
    plan.amount = vmres__grant_told(engine, plan.vm, plan.kind);
    plan.bound = max_u32(plan.amount, plan.target - min_u32(plan.target, view->held));
    plan.target = min_u32(plan.target, account->target);
    sent = send(engine, plan, &account->notify, 0);
    if (sent == SENT)
        account->flags &= (uint16_t)~ACCOUNT_NOTIFY;
    return sent;
}

/* All that is undisputed; and no less than its floor of what it has openly again, for then to grow
 * to less would be to shrink. */
static uint32_t target_of(const struct vmres_view *view)
{
    return max_u32(view->charge - view->disputed, min_u32(view->held, view->floor));
}

/* The recipient's side: change its configuration, then tell it; unless its ceiling was lowered
 * after the ledger gave: then it stays as it is. */
static enum sent settle_grow(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    const struct vmres_view *view = view_of(engine, vm, kind);
    const struct kind *host = &engine->kinds[kind];
    uint32_t most = host->blocks ? vmres__extent_most(host, vm) : ceiling_of(view) + view->outgoing;
    struct command plan = {.type = VMRES_ACTION_REASSIGN, .vm = vm, .kind = kind};
    enum sent sent;
    bool tell;

    vmres__grant_take_back(engine, vm, kind);
    plan.target = target_of(view) + BROKEN(CHARGE);
    plan.amount = account->untold;
    tell = account->untold > 0 && account->reassign == NONE &&
           !(host->blocks && taking_in(host, account));
    if (!tell && !(account->flags & ACCOUNT_NOTIFY))
        return NOTHING;
    if ((tell ? plan.target : account->target) > most) {
        vmres__grant_fail(engine, vm, kind);
        return settle_pin(engine, vm, kind);
    }
    if (!tell)
        return settle_notify(engine, plan);
    sent = send(engine, plan, &account->reassign, 0);
    if (sent != SENT)
        return sent;
    account->untold = 0;
    if (host->blocks)
        vmres__extent_told(&engine->kinds[kind], vm);
    return SENT;
}

static enum sent settle_account(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    uint8_t state = engine->vms[vm].state;
    enum sent sent;

    if (state == VMRES_VM_VACANT)
        return NOTHING;
    if (engine->kinds[kind].blocks && state != VMRES_VM_SILENT)
        vmres__extent_trim(engine, vm, kind);
    sent = call_off(engine, account->reassign);
    if (sent == NOTHING)
        sent = call_off(engine, account->notify);
    if (sent == NOTHING)
        sent = call_off(engine, account->shrink); /* a pin, too, before its VM takes part */
    if (state == VMRES_VM_FROZEN || state == VMRES_VM_SILENT)
        return sent;
    if (sent == NOTHING)
        sent = settle_initial(engine, vm, kind);
    if (sent == NOTHING)
        sent = settle_pin(engine, vm, kind);
    if (sent == NOTHING && state == VMRES_VM_LIVE && !taking_in(&engine->kinds[kind], account))
        sent = settle_shrink(engine, vm, kind);
    if (sent == NOTHING && state == VMRES_VM_LIVE && account->shrink == NONE)
        sent = settle_grow(engine, vm, kind);
    return sent;
}

/* The first in the queue becomes the last. */
static void put_off(struct vmres_engine *engine)
{
    uint32_t name = engine->dirty_first;

    engine->dirty_first = dirty_account(engine, name)->next_dirty;
    append(engine, name);
}

static enum sent settle_first(struct vmres_engine *engine)
{
    uint32_t name = engine->dirty_first;
    enum sent sent;

    do
        sent =
            settle_account(engine, name / engine->kind_count, (uint8_t)(name % engine->kind_count));
    while (sent == SENT);
    return sent;
}

/* Looks at every marked account; VMRES_MORE when the outbox is full before all were. One that must
 * wait stays marked, and the others have their turn: an answer, or what one gives up, makes room.
 */
enum vmres_status vmres__settle(struct vmres_engine *engine)
{
    uint32_t put_off_first = NONE;

    while (engine->dirty_first != NONE && engine->dirty_first != put_off_first && !engine->halted) {
        uint32_t name = engine->dirty_first;
        enum sent sent = settle_first(engine);

        if (sent == FULL)
            return VMRES_MORE;
        if (sent == LATER) {
            if (put_off_first == NONE)
                put_off_first = name;
            put_off(engine);
            continue;
        }
        dirty_account(engine, name)->flags &= (uint16_t)~ACCOUNT_DIRTY;
        engine->dirty_first = dirty_account(engine, name)->next_dirty;
    }
    return VMRES_OK;
}
