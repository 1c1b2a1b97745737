/* SPDX-License-Identifier: MIT */
/*
 * Transfers: one donor (or the free pool), one recipient (or the free pool), one kind, an amount.
 *
 *     PLANNED                          dry run: goes no further
 *
 *     REQUESTED --piece--> MOVING --last piece--> PLACING --taken in--> DONE
 *         |                  |                      |
 *         |                  +-- called off --------+-- a part came --> PARTIAL
 *         +-- called off --> CANCELLED              +-- nothing came -> FAILED
 *         +-- donor failed -> FAILED
 *
 * A transfer from the pool starts at PLACING. Pieces overlap: while the donor still releases,
 * earlier pieces are already being incorporated. The state follows from the amounts, in review().
 *
 * Invariant: asked >= released >= placed >= incorporated + failed; a VM's `outgoing` and `incoming`
 * in its view are the sums of asked - released over its transfers; a closed transfer is in no list,
 * one whose donor has given all is not in the donor's, one that is merely planned in no account's.
 */
#include <assert.h>
#include <string.h>

#include "internal.h"

#define EDGE(state) (1u << (state))

/* The states each state may become. */
static const uint16_t edges[] = {
    [VMRES_TRANSFER_NONE] = EDGE(VMRES_TRANSFER_PLANNED) | EDGE(VMRES_TRANSFER_REQUESTED) |
                            EDGE(VMRES_TRANSFER_PLACING),
    [VMRES_TRANSFER_PLANNED] = 0,
    [VMRES_TRANSFER_REQUESTED] =
        EDGE(VMRES_TRANSFER_MOVING) | EDGE(VMRES_TRANSFER_CANCELLED) | EDGE(VMRES_TRANSFER_FAILED),
    [VMRES_TRANSFER_MOVING] = EDGE(VMRES_TRANSFER_PLACING) | EDGE(VMRES_TRANSFER_DONE) |
                              EDGE(VMRES_TRANSFER_PARTIAL) | EDGE(VMRES_TRANSFER_CANCELLED) |
                              EDGE(VMRES_TRANSFER_FAILED),
    [VMRES_TRANSFER_PLACING] = EDGE(VMRES_TRANSFER_DONE) | EDGE(VMRES_TRANSFER_PARTIAL) |
                               EDGE(VMRES_TRANSFER_CANCELLED) | EDGE(VMRES_TRANSFER_FAILED),
    [VMRES_TRANSFER_DONE] = 0,
    [VMRES_TRANSFER_PARTIAL] = 0,
    [VMRES_TRANSFER_CANCELLED] = 0,
    [VMRES_TRANSFER_FAILED] = 0,
};

static void become(struct transfer *transfer, enum vmres_transfer_state state)
{
    if (transfer->state == state)
        return;
    (void)edges;
    assert(edges[transfer->state] & EDGE(state));
    transfer->state = (uint8_t)state;
}

/* --- the three lists a transfer is in: its donor's, its recipient's, and that of all; one that is
 * merely planned concerns nobody, and is in the last alone --- */

static void link_all(struct vmres_engine *engine, uint32_t index)
{
    struct transfer *all = engine->transfers;
    struct transfer *t = &all[index];

    t->next = engine->transfer_open;
    t->previous = NONE;
    if (t->next != NONE)
        all[t->next].previous = index;
    engine->transfer_open = index;

    t->out_next = t->out_previous = t->in_next = t->in_previous = NONE;
    if (t->state == VMRES_TRANSFER_PLANNED)
        return;
    if (t->donor != VMRES_VM_NONE) {
        struct account *donor = account_of(engine, t->donor, t->kind);
        t->out_next = donor->outgoing;
        if (t->out_next != NONE)
            all[t->out_next].out_previous = index;
        donor->outgoing = index;
    }
    if (t->recipient != VMRES_VM_NONE) {
        struct account *recipient = account_of(engine, t->recipient, t->kind);
        t->in_next = recipient->incoming;
        if (t->in_next != NONE)
            all[t->in_next].in_previous = index;
        recipient->incoming = index;
    }
}

/* Once it has given all, a donor may go, and its slot be another's, before the transfer ends. */
static void unlink_donor(struct vmres_engine *engine, uint32_t index)
{
    struct transfer *all = engine->transfers;
    struct transfer *t = &all[index];

    if (t->donor == VMRES_VM_NONE || t->given)
        return;
    t->given = 1;
    if (t->out_next != NONE)
        all[t->out_next].out_previous = t->out_previous;
    if (t->out_previous != NONE)
        all[t->out_previous].out_next = t->out_next;
    else
        account_of(engine, t->donor, t->kind)->outgoing = t->out_next;
}

static void unlink_all(struct vmres_engine *engine, uint32_t index)
{
    struct transfer *all = engine->transfers;
    struct transfer *t = &all[index];

    if (t->next != NONE)
        all[t->next].previous = t->previous;
    if (t->previous != NONE)
        all[t->previous].next = t->next;
    else
        engine->transfer_open = t->next;
    if (t->state == VMRES_TRANSFER_PLANNED)
        return;
    unlink_donor(engine, index);
    if (t->recipient != VMRES_VM_NONE) {
        if (t->in_next != NONE)
            all[t->in_next].in_previous = t->in_previous;
        if (t->in_previous != NONE)
            all[t->in_previous].in_next = t->in_next;
        else
            account_of(engine, t->recipient, t->kind)->incoming = t->in_next;
    }
}

/* --- open and close --- */

static uint32_t take_slot(struct vmres_engine *engine)
{
    uint32_t index = engine->transfer_free;

    if (index != NONE)
        engine->transfer_free = engine->transfers[index].next;
    else if (engine->transfer_top < engine->max_transfers)
        index = engine->transfer_top++;
    else
        engine->counters.limits_hit++;
    return index;
}

static void put_slot(struct vmres_engine *engine, uint32_t index)
{
    struct transfer *t = &engine->transfers[index];

    t->state = VMRES_TRANSFER_NONE;
    t->id = 0;
    t->next = engine->transfer_free;
    engine->transfer_free = index;
}

/* Whether the embedder will have this transfer. */
static bool vetoed(struct vmres_engine *engine, const struct transfer *t)
{
    struct vmres_transfer_info info;

    if (engine->veto.function == NULL)
        return false;
    info = vmres__query_transfer(engine, t);
    if (engine->veto.function(engine->veto.user, &info) == 0)
        return false;
    engine->counters.vetoed++;
    return true;
}

/* Returns NONE when the table is full, or the embedder will not have it. */
uint32_t vmres__transfer_open(struct vmres_engine *engine, uint8_t kind, uint32_t donor,
                              uint32_t recipient, uint32_t amount)
{
    uint32_t index = take_slot(engine);
    struct transfer *t;

    assert(amount > 0 && donor != recipient);
    if (index == NONE)
        return NONE;
    t = &engine->transfers[index];
    *t = (struct transfer){.id = ++engine->serial << SLOT_BITS | index,
                           .started_ms = engine->now,
                           .donor = donor,
                           .recipient = recipient,
                           .planned = amount,
                           .asked = amount,
                           .kind = kind};
    /* Who wants it says why; where nobody does, who must give. */
    t->reason = verdict_reason(&engine->kinds[kind].reasons,
                               recipient != VMRES_VM_NONE ? recipient : donor);
    if (vetoed(engine, t)) {
        put_slot(engine, index);
        return NONE;
    }
    if (engine->dry_run)
        become(t, VMRES_TRANSFER_PLANNED);
    else
        become(t, donor == VMRES_VM_NONE ? VMRES_TRANSFER_PLACING : VMRES_TRANSFER_REQUESTED);
    link_all(engine, index);
    engine->transfer_count++;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_PLAN,
                                                     .level = VMRES_TRACE_INFO,
                                                     .step = 3,
                                                     .kind = kind,
                                                     .vm = donor,
                                                     .other = recipient,
                                                     .transfer = t->id,
                                                     .amount = amount,
                                                     .reason = t->reason});
    if (!engine->dry_run && donor != VMRES_VM_NONE) {
        view_of(engine, donor, kind)->outgoing += amount;
        vmres__settle_mark(engine, donor, kind);
        if (engine->kinds[kind].blocks) /* one that passes on may take a piece beyond its ceiling */
            vmres__settle_mark_donors(engine, donor, kind);
        if (recipient != VMRES_VM_NONE)
            view_of(engine, recipient, kind)->incoming += amount;
    }
    return index;
}

static enum vmres_transfer_state outcome(const struct transfer *t)
{
    if (t->incorporated == t->planned)
        return VMRES_TRANSFER_DONE;
    if (t->incorporated == 0)
        return t->broken ? VMRES_TRANSFER_FAILED : VMRES_TRANSFER_CANCELLED;
    /* A plan that shrank on the way is done with what was wanted last. */
    return t->broken || t->called_off || t->incorporated < t->asked ? VMRES_TRANSFER_PARTIAL
                                                                    : VMRES_TRANSFER_DONE;
}

static void free_slot(struct vmres_engine *engine, uint32_t index)
{
    unlink_all(engine, index);
    put_slot(engine, index);
    engine->transfer_count--;
}

static void close_transfer(struct vmres_engine *engine, uint32_t index)
{
    static const char *const words[] = {[VMRES_TRANSFER_DONE] = "done",
                                        [VMRES_TRANSFER_PARTIAL] = "partial",
                                        [VMRES_TRANSFER_CANCELLED] = "cancelled",
                                        [VMRES_TRANSFER_FAILED] = "failed"};
    struct transfer *t = &engine->transfers[index];
    struct vmres_counters *counters = &engine->counters;

    become(t, outcome(t));
    counters->transfers_done += t->state == VMRES_TRANSFER_DONE;
    counters->transfers_partial += t->state == VMRES_TRANSFER_PARTIAL;
    counters->transfers_cancelled += t->state == VMRES_TRANSFER_CANCELLED;
    counters->transfers_failed += t->state == VMRES_TRANSFER_FAILED;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_CLOSED,
                                                     .level = VMRES_TRACE_INFO,
                                                     .kind = t->kind,
                                                     .vm = t->donor,
                                                     .other = t->recipient,
                                                     .transfer = t->id,
                                                     .amount = t->incorporated,
                                                     .target = t->planned,
                                                     .reason = words[t->state]});
    free_slot(engine, index);
}

/* Lets the state follow the amounts; closes what has nothing left to wait for. */
void vmres__transfer_review(struct vmres_engine *engine, uint32_t index)
{
    struct transfer *t = &engine->transfers[index];

    assert(t->asked >= t->released && t->released >= t->placed &&
           t->placed >= t->incorporated + t->failed);
    if (t->asked > t->released) {
        if (t->released > 0)
            become(t, VMRES_TRANSFER_MOVING);
        return;
    }
    if (t->placed > t->incorporated + t->failed) {
        if (t->state == VMRES_TRANSFER_REQUESTED)
            become(t, VMRES_TRANSFER_MOVING);
        become(t, VMRES_TRANSFER_PLACING);
        unlink_donor(engine, index);
        return;
    }
    if (t->state == VMRES_TRANSFER_REQUESTED && t->released > 0)
        become(t, VMRES_TRANSFER_MOVING);
    close_transfer(engine, index);
}

/* Wants `amount` less of what the donor has not released yet. */
void vmres__transfer_trim(struct vmres_engine *engine, uint32_t index, uint32_t amount)
{
    struct transfer *t = &engine->transfers[index];

    assert(amount <= t->asked - t->released);
    t->asked -= amount;
    if (t->donor != VMRES_VM_NONE) {
        view_of(engine, t->donor, t->kind)->outgoing -= amount;
        vmres__settle_mark(engine, t->donor, t->kind);
        if (t->recipient != VMRES_VM_NONE) {
            view_of(engine, t->recipient, t->kind)->incoming -= amount;
            vmres__settle_mark(engine, t->recipient, t->kind); /* it may have been to pass it on */
        }
    }
    vmres__transfer_review(engine, index);
}

/* The donor can give no more, for whatever reason. */
void vmres__transfer_break_out(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t index = account_of(engine, vm, kind)->outgoing;

    while (index != NONE) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->out_next;

        if (t->asked > t->released) {
            t->broken = 1;
            vmres__transfer_trim(engine, index, t->asked - t->released);
        }
        index = next;
    }
}

/* The recipient can take no more: what is on its way to it is not waited for. */
void vmres__transfer_break_in(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t index = account_of(engine, vm, kind)->incoming;

    while (index != NONE) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->in_next;

        t->broken = 1;
        t->failed = t->placed - t->incorporated;
        vmres__transfer_trim(engine, index, t->asked - t->released);
        index = next;
    }
}

/* A dry run's plan is over. */
void vmres__transfer_forget_plans(struct vmres_engine *engine, uint8_t kind)
{
    uint32_t index = engine->transfer_open;

    while (index != NONE) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->next;

        if (t->kind == kind && t->state == VMRES_TRANSFER_PLANNED)
            free_slot(engine, index);
        index = next;
    }
}

/* What is still to leave a donor on one side. Where there are no sides, all is `up` = false. */
uint32_t vmres__transfer_wanted(const struct vmres_engine *engine, uint32_t vm, uint8_t kind,
                                bool up)
{
    uint32_t index = account_of(engine, vm, kind)->outgoing, wanted = 0;

    for (; index != NONE; index = engine->transfers[index].out_next)
        if (engine->transfers[index].up == up)
            wanted += engine->transfers[index].asked - engine->transfers[index].released;
    return wanted;
}

uint32_t vmres__transfer_find(const struct vmres_engine *engine, uint64_t id)
{
    uint32_t index = (uint32_t)(id & ((1u << SLOT_BITS) - 1));

    if (id == 0 || index >= engine->transfer_top || engine->transfers[index].id != id)
        return NONE;
    return index;
}
