/* SPDX-License-Identifier: MIT */
/*
 * A VM's life.
 *
 *     VACANT --added--> BOOTING --live--> LIVE --gone--> VACANT
 *                          |               ^  |
 *                          +-live, adopted-|--|--> ADOPTING --pinned--> LIVE
 *                          ^               |  |                  ^
 *                          +--- reborn ----+--+    SILENT -speaks+
 *                                             +------^ a command's end never came
 *
 *                      LIVE, ADOPTING --frozen--> FROZEN --thawed--> ADOPTING
 *
 * gone and reborn are possible in every state but VACANT; so is silent where commands are open. A
 * VM that was frozen, be it while silent, is FROZEN where another would be ADOPTING, until it is
 * thawed.
 *
 * Invariant: a VM that is not LIVE is in no open transfer; only LIVE ones are judged; the former
 * incarnation's words are dropped (engine.c). What a VM leaves behind, its charge, is free exactly
 * once: when it is gone.
 */
#include <assert.h>
#include <string.h>

#include "internal.h"

#define EDGE(state) (1u << (state))

static const uint8_t edges[] = {
    [VMRES_VM_VACANT] = EDGE(VMRES_VM_BOOTING),
    [VMRES_VM_BOOTING] = EDGE(VMRES_VM_LIVE) | EDGE(VMRES_VM_ADOPTING) | EDGE(VMRES_VM_FROZEN) |
                         EDGE(VMRES_VM_SILENT) | EDGE(VMRES_VM_VACANT),
    [VMRES_VM_ADOPTING] = EDGE(VMRES_VM_FROZEN) | EDGE(VMRES_VM_LIVE) | EDGE(VMRES_VM_BOOTING) |
                          EDGE(VMRES_VM_SILENT) | EDGE(VMRES_VM_VACANT),
    [VMRES_VM_LIVE] = EDGE(VMRES_VM_FROZEN) | EDGE(VMRES_VM_BOOTING) | EDGE(VMRES_VM_SILENT) |
                      EDGE(VMRES_VM_VACANT),
    [VMRES_VM_FROZEN] = EDGE(VMRES_VM_ADOPTING) | EDGE(VMRES_VM_SILENT) | EDGE(VMRES_VM_BOOTING) |
                        EDGE(VMRES_VM_VACANT),
    [VMRES_VM_SILENT] = EDGE(VMRES_VM_ADOPTING) | EDGE(VMRES_VM_FROZEN) | EDGE(VMRES_VM_BOOTING) |
                        EDGE(VMRES_VM_VACANT),
};

static bool counts_as_live(enum vmres_vm_state state)
{
    return state == VMRES_VM_LIVE || state == VMRES_VM_ADOPTING;
}

static void become(struct vmres_engine *engine, uint32_t vm, enum vmres_vm_state state)
{
    static const char *const words[] = {
        [VMRES_VM_VACANT] = "gone",       [VMRES_VM_BOOTING] = "booting",
        [VMRES_VM_ADOPTING] = "adopting", [VMRES_VM_LIVE] = "live",
        [VMRES_VM_FROZEN] = "frozen",     [VMRES_VM_SILENT] = "silent: a command has no end"};
    const char *reason =
        state == VMRES_VM_SILENT && engine->halted ? "silent: no backend" : words[state];
    struct vm *it = &engine->vms[vm];

    if (it->state == state)
        return;
    (void)edges;
    assert(edges[it->state] & EDGE(state));
    if (counts_as_live(it->state) && !counts_as_live(state))
        vmres__round_leave(engine, vm);
    if (!counts_as_live(it->state) && counts_as_live(state))
        vmres__round_join(engine, vm);
    engine->live += counts_as_live(state);
    engine->live -= counts_as_live(it->state);
    it->state = (uint8_t)state;
    if (counts_as_live(state) || state == VMRES_VM_FROZEN)
        it->flags |= VM_LIVED;
    vmres__trace(engine,
                 (struct vmres_trace_record){.type = VMRES_TRACE_VM,
                                             .level = state == VMRES_VM_SILENT ? VMRES_TRACE_WARN
                                                                               : VMRES_TRACE_INFO,
                                             .vm = vm,
                                             .other = VMRES_VM_NONE,
                                             .reason = reason});
}

/* Nothing that was open goes on; what it was charged with for it stays charged. */
static void drop_business(struct vmres_engine *engine, uint32_t vm)
{
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        struct account *account = account_of(engine, vm, k);

        if (engine->dry_run) { /* what was planned may be about it */
            vmres__transfer_forget_plans(engine, k);
            engine->kinds[k].plan_mark = 0;
        }
        vmres__transfer_break_out(engine, vm, k);
        vmres__transfer_break_in(engine, vm, k);
        vmres__order_give_up(engine, vm, k);
        account->untold = 0;
        account->unincorporated = 0;
        if (engine->kinds[k].blocks) /* nobody waits any more for what lies there on its way */
            engine->kinds[k].blocks[vm].own = view_of(engine, vm, k)->charge;
        account->flags &= (uint16_t) ~(ACCOUNT_INITIAL | ACCOUNT_PIN | ACCOUNT_NOTIFY);
        if (account->pins > 0)
            engine->kinds[k].adopting--;
        account->pins = 0;
    }
}

static void reset_account(struct kind *kind, uint32_t vm)
{
    struct account *account = &kind->accounts[vm];

    /* An account in the queue to be settled stays in it. */
    *account = (struct account){.witness = NONE,
                                .limit = NONE,
                                .initial = NONE,
                                .shrink = NONE,
                                .reassign = NONE,
                                .ordered = NONE,
                                .ordered_with = VMRES_VM_NONE,
                                .notify = NONE,
                                .outgoing = NONE,
                                .incoming = NONE,
                                .next_dirty = account->next_dirty,
                                .flags = account->flags & ACCOUNT_DIRTY};
    memset(&kind->views[vm], 0, sizeof kind->views[vm]);
    if (kind->blocks)
        vmres__extent_remove(kind, vm);
    kind->reasons.of[vm] = 0;
    kind->shares_stale = true;
}

/* --- added, limits, live, gone --- */

/* What a VM that ran before us is charged with may be far from what it holds: nobody is asked to
 * make up for that until it had time to be seen. */
#define UNSEEN_PATIENCE 2u /* times the time for progress */

static enum vmres_status added(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct vm *vm = &engine->vms[event->vm];

    if (vm->state != VMRES_VM_VACANT)
        return VMRES_EXISTS;
    if (event->incarnation <= vm->incarnation)
        return VMRES_STALE;
    *vm = (struct vm){.tag = event->as.added.tag,
                      .incarnation = event->incarnation,
                      .flags = event->flags & VMRES_FLAG_ADOPTED ? VM_ADOPTED : 0};
    for (uint32_t k = 0; k < engine->kind_count; k++) {
        struct kind *kind = &engine->kinds[k];
        unsigned char *state = kind->policy_vms + event->vm * kind->policy->vm_state_size;

        reset_account(kind, event->vm);
        kind->views[event->vm].flags = VMRES_VIEW_PRESENT;
        if (vm->flags & VM_ADOPTED)
            kind->unseen_ms = engine->now + UNSEEN_PATIENCE * engine->progress_ms;
        memset(state, 0, kind->policy->vm_state_size);
        if (kind->policy->admit)
            kind->policy->admit(kind->policy_state, state, event->vm);
    }
    engine->top = max_u32(engine->top, event->vm + 1);
    become(engine, event->vm, VMRES_VM_BOOTING);
    return VMRES_OK;
}

/* An adopted VM is charged with the most it could hold from the first moment. */
static void charge_most(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct account *account = &kind->accounts[vm];
    struct vmres_view *view = &kind->views[vm];
    uint32_t most = max_u32(account->limit == NONE ? 0 : limit_above(account), account->ceiling);
    uint32_t more = most > view->charge ? most - view->charge : 0;
    uint64_t deficit = kind->ledger.deficit;

    if (more == 0 || kind->blocks) /* a block bounds what its VM can hold */
        return;
    vmres__ledger_seize(&kind->ledger, &view->charge, more);
    engine->counters.deficits += kind->ledger.deficit > deficit;
    vmres__trace(engine,
                 (struct vmres_trace_record){.type = VMRES_TRACE_LEDGER,
                                             .level = VMRES_TRACE_INFO,
                                             .kind = kind_index,
                                             .vm = vm,
                                             .other = VMRES_VM_NONE,
                                             .amount = more,
                                             .target = view->charge,
                                             .reason = "charged with the most it could hold"});
}

/* It ran before us and has still to be seen. It is there, whether it fits or not. */
static bool is_found(const struct vm *vm)
{
    return (vm->flags & VM_ADOPTED) && vm->state == VMRES_VM_BOOTING;
}

static enum vmres_status limits(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    struct account *account = &kind->accounts[event->vm];
    struct vmres_view *view = &kind->views[event->vm];
    struct vm *vm = &engine->vms[event->vm];
    uint32_t floor = granules_up(kind, event->as.limits.floor);
    uint32_t ceiling = granules_down(kind, event->as.limits.ceiling);
    uint32_t weight = event->as.limits.weight ? event->as.limits.weight : 1;

    if (vm->state == VMRES_VM_VACANT)
        return VMRES_UNKNOWN;
    if (floor > ceiling || weight > VMRES_WEIGHT_MAX ||
        event->as.limits.participation > VMRES_PARTICIPATE_BOTH)
        return VMRES_INVALID;
    /* A host that has become too small refuses no floor that is lowered, and no ceiling. */
    if (floor > account->floor && !is_found(vm) &&
        kind->floors - account->floor + floor > kind->ledger.capacity - kind->ledger.reserve)
        return VMRES_NOROOM;
    kind->floors = kind->floors - account->floor + floor;
    account->floor = floor;
    account->ceiling = ceiling;
    account->flags &= (uint16_t) ~(ACCOUNT_DONOR | ACCOUNT_RECIPIENT);
    account->flags |= (uint16_t)(event->as.limits.participation << 8);
    account->initial =
        event->flags & VMRES_FLAG_AUTO
            ? NONE
            : min_u32(max_u32(granules_down(kind, event->as.limits.initial), floor), ceiling);
    view->floor = min_u32(floor, account->limit);
    view->ceiling = min_u32(ceiling, account->limit);
    view->weight = weight;
    kind->shares_stale = true;
    vm->limited |= (uint8_t)(1u << event->kind);
    if (is_found(vm))
        charge_most(engine, event->vm, event->kind);
    return VMRES_OK;
}

/* What it starts with is known, and where it lies. */
static bool ready(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);
    const struct block *blocks = engine->kinds[kind].blocks;

    return (account->flags & ACCOUNT_HELD) && !(account->flags & ACCOUNT_INITIAL) &&
           account->reassign == NONE && (!blocks || blocks[vm].placed);
}

/* Pins every kind at what the VM was seen to hold, to be confirmed twice. */
static void adopt(struct vmres_engine *engine, uint32_t vm)
{
    if (engine->vms[vm].flags & (VM_FROZEN | VM_HALTED)) {
        if (engine->vms[vm].state != VMRES_VM_FROZEN)
            become(engine, vm, VMRES_VM_FROZEN);
        return;
    }
    become(engine, vm, VMRES_VM_ADOPTING);
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        struct account *account = account_of(engine, vm, k);

        account->pins = 2;
        account->flags |= ACCOUNT_PIN;
        engine->kinds[k].adopting++;
        vmres__settle_mark(engine, vm, k);
    }
}

/* It runs: when all is known, it takes part. */
static enum vmres_status begin(struct vmres_engine *engine, uint32_t index)
{
    struct vm *vm = &engine->vms[index];
    uint32_t all = (1u << engine->kind_count) - 1;

    if (vm->state != VMRES_VM_BOOTING || vm->limited != all)
        return VMRES_STATE;
    for (uint8_t k = 0; k < engine->kind_count; k++)
        if (!ready(engine, index, k))
            return VMRES_STATE;
    if (vm->flags & VM_ADOPTED)
        adopt(engine, index);
    else if (vm->allotted != all)
        return VMRES_STATE;
    else
        become(engine, index, VMRES_VM_LIVE);
    return VMRES_OK;
}

/* The backend says so once, and may have said so while its first allotment was sent anew: then it
 * is not to be lost. */
static enum vmres_status live(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct vm *vm = &engine->vms[event->vm];
    enum vmres_status status;

    if (vm->state == VMRES_VM_VACANT)
        return VMRES_UNKNOWN;
    status = begin(engine, event->vm);
    if (status == VMRES_OK || vm->state != VMRES_VM_BOOTING ||
        (vm->flags & (VM_RETOLD | VM_RUNS)) != VM_RETOLD)
        return status;
    vm->flags |= VM_RUNS;
    return VMRES_OK;
}

static enum vmres_status gone(struct vmres_engine *engine, const struct vmres_event *event)
{
    if (engine->vms[event->vm].state == VMRES_VM_VACANT)
        return VMRES_UNKNOWN;
    drop_business(engine, event->vm);
    vmres__command_drop_all(engine, event->vm);
    engine->vms[event->vm].incarnation = event->incarnation;
    become(engine, event->vm, VMRES_VM_VACANT); /* while it is known whether it has answered */
    for (uint32_t k = 0; k < engine->kind_count; k++) {
        struct kind *kind = &engine->kinds[k];
        struct vmres_view *view = &kind->views[event->vm];

        kind->floors -= kind->accounts[event->vm].floor;
        vmres__ledger_shed(&kind->ledger, &view->charge, view->charge);
        reset_account(kind, event->vm);
    }
    return VMRES_OK;
}

/* Where the block of a VM that ran before us lies: what it is charged with. */
static enum vmres_status extent(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    uint32_t front = granules_down(kind, event->as.extent.front);
    uint64_t before = event->as.extent.front % kind->resource.granule; /* in its first granule */
    uint64_t units = event->as.extent.size;
    uint32_t size = granules_up(kind, units > UINT64_MAX - before ? UINT64_MAX : before + units);

    if (!kind->blocks)
        return VMRES_INVALID;
    if (engine->vms[event->vm].state != VMRES_VM_BOOTING || kind->blocks[event->vm].placed ||
        !(engine->vms[event->vm].flags & VM_ADOPTED))
        return VMRES_STATE;
    if (!vmres__extent_adopt(kind, event->vm, front, size))
        return VMRES_NOROOM;
    vmres__ledger_seize(&kind->ledger, &kind->views[event->vm].charge, size);
    kind->accounts[event->vm].target = size;
    kind->views[event->vm].held = size;
    kind->accounts[event->vm].flags |= ACCOUNT_HELD;
    return VMRES_OK;
}

enum vmres_status vmres__vm_event(struct vmres_engine *engine, const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_VM_ADDED:
        return added(engine, event);
    case VMRES_EVENT_VM_LIMITS:
        return limits(engine, event);
    case VMRES_EVENT_VM_LIVE:
        return live(engine, event);
    case VMRES_EVENT_EXTENT:
        return extent(engine, event);
    default:
        return gone(engine, event);
    }
}

/* --- frozen and thawed --- */

static void call_off(struct vmres_engine *engine, uint32_t command)
{
    if (command != NONE)
        engine->commands[command].wanted_cancel = 1;
}

/* Whose reason it is: each ends for itself. */
static uint8_t reason_of(const struct vmres_event *event)
{
    return event->flags & VMRES_FLAG_HOST ? VM_HALTED : VM_FROZEN;
}

/* Nothing is begun, what is open is called off; answers on their way are still taken. */
static void leave_alone(struct vmres_engine *engine, uint32_t vm)
{
    drop_business(engine, vm);
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        const struct account *account = account_of(engine, vm, k);

        call_off(engine, account->shrink);
        call_off(engine, account->reassign);
        call_off(engine, account->notify);
        vmres__settle_mark(engine, vm, k);
    }
    become(engine, vm, VMRES_VM_FROZEN);
}

/* One that is silent is left alone as it is, and frozen when it speaks. */
enum vmres_status vmres__vm_freeze(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct vm *vm = &engine->vms[event->vm];

    if (vm->state == VMRES_VM_BOOTING || !(vm->flags & VM_LIVED))
        return VMRES_STATE;
    vm->flags |= reason_of(event);
    if (counts_as_live(vm->state))
        leave_alone(engine, event->vm);
    return VMRES_OK;
}

/* Whatever happened to it meanwhile: it is seen to first, or when it speaks or is live again. */
enum vmres_status vmres__vm_thaw(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct vm *vm = &engine->vms[event->vm];

    if (!(vm->flags & reason_of(event)))
        return VMRES_STATE;
    vm->flags &= (uint8_t)~reason_of(event);
    if (vm->state == VMRES_VM_FROZEN)
        adopt(engine, event->vm);
    return VMRES_OK;
}

/* --- adoption, silence, rebirth --- */

/* One kind's pins are confirmed; with the last of them the VM takes part. */
void vmres__vm_confirmed(struct vmres_engine *engine, uint32_t vm)
{
    for (uint32_t k = 0; k < engine->kind_count; k++)
        if (account_of(engine, vm, k)->pins > 0)
            return;
    engine->vms[vm].allotted = (uint8_t)((1u << engine->kind_count) - 1);
    become(engine, vm, VMRES_VM_LIVE);
}

void vmres__vm_silent(struct vmres_engine *engine, uint32_t vm)
{
    if (engine->vms[vm].state == VMRES_VM_SILENT)
        return;
    drop_business(engine, vm);
    become(engine, vm, VMRES_VM_SILENT);
}

/* It had not begun to live: it goes on waiting for that, and for the first allotment it was owed;
 * none is to one that has what it had in a former life. */
static void boot_on(struct vmres_engine *engine, uint32_t vm)
{
    become(engine, vm, VMRES_VM_BOOTING);
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        struct account *account = account_of(engine, vm, k);

        if ((engine->vms[vm].flags & VM_ADOPTED) || !(engine->vms[vm].allotted & (1u << k)) ||
            (account->flags & ACCOUNT_HELD))
            continue;
        account->flags |= ACCOUNT_INITIAL;
        engine->vms[vm].flags |= VM_RETOLD;
        vmres__settle_mark(engine, vm, k);
    }
}

/* A command has ended; when the last one of a silent VM has, it is adopted anew. */
void vmres__vm_speaks(struct vmres_engine *engine, uint32_t vm)
{
    if (engine->vms[vm].flags & VM_RUNS)
        (void)begin(engine, vm);
    if (engine->vms[vm].state != VMRES_VM_SILENT)
        return;
    for (uint32_t c = engine->command_open; c != NONE; c = engine->commands[c].next)
        if (engine->commands[c].vm == vm)
            return;
    if (!(engine->vms[vm].flags & VM_LIVED)) {
        boot_on(engine, vm);
        return;
    }
    adopt(engine, vm);
}

/* A new life under the same name: nothing said before counts, and it may hold its whole size; but
 * what the host enforces it enforces on whoever lives behind it. */
void vmres__vm_reborn(struct vmres_engine *engine, uint32_t vm, uint32_t incarnation)
{
    drop_business(engine, vm);
    vmres__command_drop_all(engine, vm);
    engine->vms[vm].incarnation = incarnation;
    engine->vms[vm].flags =
        (uint8_t)((engine->vms[vm].flags | VM_ADOPTED) & ~(VM_LIVED | VM_RETOLD | VM_RUNS));
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        struct account *account = account_of(engine, vm, k);
        struct vmres_view *view = view_of(engine, vm, k);

        view->disputed = 0;
        account->witness = NONE;
        account->flags &= ACCOUNT_DIRTY | ACCOUNT_STANDING;
        account->backoff_ms = 0;
        account->failures = 0;
        view->flags = VMRES_VIEW_PRESENT;
        view->stall = 0;
        if (engine->kinds[k].resource.removal != VMRES_REMOVAL_HOST)
            charge_most(engine, vm, k);
    }
    engine->round.notice = true;
    become(engine, vm, VMRES_VM_BOOTING);
}
