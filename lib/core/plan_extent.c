/* SPDX-License-Identifier: MIT */
/*
 * From targets to transfers, on a host where each VM has one contiguous block.
 *
 * Blocks keep their order, so memory reaches a VM only through the neighbours on the way: each
 * gives on one side what it took in on the other, and keeps its size. A plan is therefore a flow
 * across each boundary between neighbours, found by a prefix sum: who needs is supplied from the
 * nearest holes and donors, every supply adds to the boundaries it crosses, and opposite flows
 * cancel before anything is sent. Each boundary's flow is one transfer. Holes are supplies like
 * donors, and cost nothing to take from, so donors give only what holes cannot.
 *
 * A VM that cannot pass anything on (not live, taking no part, not known where it lies) is a wall:
 * what lies between two walls is planned by itself. O(n) in the number of blocks.
 *
 * No flow is longer than it must be for what each hole and donor gives. Where holes hold more than
 * is wanted, each recipient in turn empties the nearest, which is not always, though nearly, the
 * best choice of holes (tests/unit/test_plan_extent.c measures it).
 *
 * Invariant: flows are such that every VM ends at its target, donors at or above it; its block
 * keeps that end, so that nobody gives more when a part of a plan fails.
 */
#include <assert.h>

#include "internal.h"
#include "share.h"

/* One stretch between walls: row[first .. end - 1] are VM ids in order of address. */
struct stretch {
    struct vmres_engine *engine;
    struct kind *kind;
    uint32_t first, end;
};

static uint32_t vm_at(const struct stretch *s, uint32_t place)
{
    return s->engine->work.row[place];
}

static bool passes(const struct vmres_engine *engine, const struct kind *kind, uint32_t vm)
{
    return vm_takes_part(engine, vm) &&
           (kind->accounts[vm].flags & (ACCOUNT_DONOR | ACCOUNT_RECIPIENT)) &&
           engine->now >= kind->accounts[vm].backoff_ms && vmres__extent_known(kind, vm);
}

/* What it has is not known: it is asked to stay there, once a plan, until it does. */
static void ask_to_stay(struct vmres_engine *engine, const struct kind *kind, uint32_t vm)
{
    struct account *account = &kind->accounts[vm];

    if (!vm_takes_part(engine, vm) || engine->dry_run || account->shrink != NONE ||
        vmres__extent_known(kind, vm))
        return;
    account->flags |= ACCOUNT_PIN;
    vmres__settle_mark(engine, vm, (uint8_t)(kind - engine->kinds));
}

static uint32_t list_row(struct vmres_engine *engine, struct kind *kind)
{
    struct work *work = &engine->work;
    uint32_t count = 0;

    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above) {
        work->place[vm] = count;
        work->flows[count] = 0;
        work->from_below[count] = 0;
        work->from_above[count] = 0;
        ask_to_stay(engine, kind, vm);
        /* What only lies here on its way is not this VM's: it is a supply. */
        if (passes(engine, kind, vm) && !work->verdict.set[vm])
            work->gaps[vm] = -(int32_t)vmres__extent_passing(kind, vm);
        work->row[count++] = vm;
    }
    return count;
}

/* --- how much --- */

/* Holes of the stretch; hole i lies below place i, the last one above the last place. */
static uint32_t hole_at(const struct stretch *s, uint32_t i)
{
    return i < s->end ? vmres__extent_hole_below(s->kind, vm_at(s, i))
                      : vmres__extent_hole_above(s->kind, vm_at(s, i - 1));
}

/* What of a donor's gap only lies there on its way. */
static uint32_t passing_in(const struct stretch *s, uint32_t vm)
{
    int32_t gap = s->engine->work.gaps[vm];

    return gap < 0 ? min_u32((uint32_t)-gap, vmres__extent_passing(s->kind, vm)) : 0;
}

/* What of a recipient's gap lies below its floor. */
static uint32_t missing_to_floor(const struct stretch *s, uint32_t vm)
{
    const struct vmres_view *view = &s->kind->views[vm];
    int32_t gap = s->engine->work.gaps[vm];

    return gap > 0 ? min_u32((uint32_t)gap, view->floor - min_u32(view->floor, view->charge)) : 0;
}

/* Recipients get no more than `most`: floors first, then in proportion. */
static void scale_wanted(struct stretch *s, uint64_t wanted, uint64_t most)
{
    int32_t *gaps = s->engine->work.gaps;
    uint64_t low = 0, for_low;

    if (most >= wanted)
        return;
    for (uint32_t i = s->first; i < s->end; i++)
        low += missing_to_floor(s, vm_at(s, i));
    wanted -= low;
    for_low = most < low ? most : low;
    most -= for_low;
    for (uint32_t i = s->first; i < s->end; i++) {
        uint32_t vm = vm_at(s, i), first = missing_to_floor(s, vm);

        if (gaps[vm] > 0)
            gaps[vm] = (int32_t)(portion(&for_low, &low, first) +
                                 portion(&most, &wanted, (uint32_t)gaps[vm] - first));
    }
}

/* Donors give no more than `most` of their own, in proportion, beyond what is on its way. */
static void scale_offered(struct stretch *s, uint64_t offered, uint64_t most)
{
    int32_t *gaps = s->engine->work.gaps;

    if (most >= offered)
        return;
    for (uint32_t i = s->first; i < s->end; i++) {
        uint32_t vm = vm_at(s, i), passing = passing_in(s, vm);

        if (gaps[vm] < 0)
            gaps[vm] =
                -(int32_t)(passing + portion(&most, &offered, (uint32_t)-gaps[vm] - passing));
    }
}

/* Recipients get no more than there is; donors give only what holes do not, and what is on its way
 * already. */
static void balance(struct stretch *s)
{
    const int32_t *gaps = s->engine->work.gaps;
    uint64_t wanted = 0, offered = 0, there = 0, most;

    for (uint32_t i = s->first; i < s->end; i++) {
        uint32_t vm = vm_at(s, i), passing = passing_in(s, vm);

        there += hole_at(s, i) + (uint64_t)passing;
        wanted += gaps[vm] > 0 ? (uint64_t)gaps[vm] : 0;
        offered += gaps[vm] < 0 ? (uint64_t)-gaps[vm] - passing : 0;
    }
    there += hole_at(s, s->end);
    most = s->kind->adopting > 0 ? 0 : there + offered;
    scale_wanted(s, wanted, most);
    if (wanted > most)
        wanted = most;
    scale_offered(s, offered, wanted > there ? wanted - there : 0);
}

/* --- from where --- */

/* `amount` of VM memory moves from place `from` to place `to`. */
static void flow(struct stretch *s, uint32_t from, uint32_t to, uint32_t amount)
{
    int64_t *flows = s->engine->work.flows; /* differences, summed up later; [i]: from i to i + 1 */
    int64_t signed_amount = from < to ? amount : -(int64_t)amount;
    uint32_t low = from < to ? from : to, high = from < to ? to : from;

    if (low == high)
        return;
    flows[low] += signed_amount;
    flows[high] -= signed_amount;
}

/* `amount` comes out of hole i and flows to place `to`. */
static void tap(struct stretch *s, uint32_t i, uint32_t to, uint32_t amount)
{
    struct work *work = &s->engine->work;

    if (i <= to) { /* the hole lies below: in at the front of place i */
        work->from_below[i] += amount;
        flow(s, i, to, amount);
    } else {
        work->from_above[i - 1] += amount;
        flow(s, i - 1, to, amount);
    }
}

/* What can still be had at position p: hole i is at 2 i, the VM at place i at 2 i + 1. */
static uint32_t supply_at(const struct stretch *s, uint32_t p)
{
    int32_t gap;

    if (p % 2 == 0)
        return s->engine->work.holes[p / 2];
    gap = s->engine->work.gaps[vm_at(s, p / 2)];
    return gap < 0 ? (uint32_t)-gap : 0;
}

static void take_from(struct stretch *s, uint32_t p, uint32_t to, uint32_t amount)
{
    if (p % 2 == 0) {
        s->engine->work.holes[p / 2] -= amount;
        tap(s, p / 2, to, amount);
    } else {
        s->engine->work.gaps[vm_at(s, p / 2)] += (int32_t)amount;
        flow(s, p / 2, to, amount);
    }
}

/* The first position from p on, in the direction of `skips`, where something is to be had; NONE
 * at the wall. What was found empty stays empty: the paths over it are shortened for who comes
 * next. */
static uint32_t seek(const struct stretch *s, uint32_t *skips, uint32_t p)
{
    uint32_t found = p;

    while (found >= 2 * s->first && found <= 2 * s->end && supply_at(s, found) == 0)
        found = skips[found];
    if (found < 2 * s->first || found > 2 * s->end)
        found = NONE;
    while (p != found && p >= 2 * s->first && p <= 2 * s->end) {
        uint32_t next = skips[p];

        skips[p] = found;
        p = next;
    }
    return found;
}

static void supply(struct stretch *s, uint32_t to)
{
    struct work *work = &s->engine->work;
    int32_t *gap = &work->gaps[vm_at(s, to)];
    uint32_t here = 2 * to + 1;

    while (*gap > 0) {
        uint32_t below = seek(s, work->skip_down, here - 1);
        uint32_t above = seek(s, work->skip_up, here + 1);
        bool down = above == NONE || (below != NONE && here - below <= above - here);
        uint32_t from = down ? below : above;
        uint32_t amount;

        if (from == NONE)
            return;
        amount = min_u32((uint32_t)*gap, supply_at(s, from));
        *gap -= (int32_t)amount;
        take_from(s, from, to, amount);
    }
}

static void plan_stretch(struct stretch *s)
{
    if (s->first == s->end)
        return;
    balance(s);
    for (uint32_t i = s->first; i <= s->end; i++)
        s->engine->work.holes[i] = hole_at(s, i);
    for (uint32_t p = 2 * s->first; p <= 2 * s->end; p++) {
        s->engine->work.skip_up[p] = p + 1;
        s->engine->work.skip_down[p] = p - 1; /* below 0: NONE */
    }
    for (uint32_t i = s->first; i < s->end; i++)
        if (s->engine->work.gaps[vm_at(s, i)] > 0)
            supply(s, i);
}

/* --- transfers --- */

/* The place below the boundary a transfer crosses, or NONE if it crosses none (any more). */
static uint32_t boundary_of(const struct vmres_engine *engine, const struct kind *kind,
                            const struct transfer *t)
{
    uint32_t low = t->up ? t->donor : t->recipient;
    uint32_t high = t->up ? t->recipient : t->donor;

    if (t->donor == VMRES_VM_NONE || t->recipient == VMRES_VM_NONE ||
        kind->blocks[low].above != high)
        return NONE;
    return engine->work.place[low];
}

/* How much of a transfer to the pool is still wanted. */
static uint32_t keep_for_pool(struct vmres_engine *engine, const struct transfer *t, uint32_t rest)
{
    uint32_t *surplus = &engine->work.surplus[engine->work.place[t->donor]];
    uint32_t wanted = min_u32(rest, *surplus);

    *surplus -= wanted;
    return wanted;
}

static void keep_or_trim(struct vmres_engine *engine, struct kind *kind, uint8_t kind_index)
{
    uint32_t index, next;

    for (index = engine->transfer_open; index != NONE; index = next) {
        struct transfer *t = &engine->transfers[index];
        uint32_t rest = t->asked - t->released;
        uint32_t boundary;
        int64_t wanted = 0;

        next = t->next;
        if (t->kind != kind_index || t->donor == VMRES_VM_NONE || rest == 0)
            continue;
        boundary = boundary_of(engine, kind, t);
        if (boundary != NONE)
            wanted = t->up ? engine->work.flows[boundary] : -engine->work.flows[boundary];
        else if (t->recipient == VMRES_VM_NONE)
            wanted = keep_for_pool(engine, t, rest);
        wanted = wanted < 0 ? 0 : wanted;
        if (wanted < rest) {
            vmres__transfer_trim(engine, index, rest - (uint32_t)wanted);
            rest = (uint32_t)wanted;
        }
        if (boundary != NONE)
            engine->work.flows[boundary] -= t->up ? (int64_t)rest : -(int64_t)rest;
        if (rest > 0) /* whoever takes it may have room for more since the last plan */
            vmres__settle_mark(engine, t->donor, kind_index);
    }
}

static void grant_hole(struct vmres_engine *engine, uint8_t kind_index, uint32_t vm,
                       bool from_below, uint32_t amount)
{
    uint32_t index;

    if (!engine->dry_run) {
        uint32_t most = vmres__extent_most(&engine->kinds[kind_index], vm);
        uint32_t charge = engine->kinds[kind_index].views[vm].charge;

        amount = min_u32(amount, most - min_u32(most, charge));
    }
    if (amount == 0)
        return;
    index = vmres__transfer_open(engine, kind_index, VMRES_VM_NONE, vm, amount);
    if (index == NONE || engine->dry_run)
        return;
    engine->transfers[index].up = from_below;
    vmres__ledger_draw(&engine->kinds[kind_index].ledger, amount);
    engine->transfers[index].released = amount;
    vmres__grant_place(engine, &engine->transfers[index], amount);
    vmres__transfer_review(engine, index);
}

static void open_flow(struct vmres_engine *engine, uint8_t kind, uint32_t place, int64_t amount)
{
    uint32_t low = engine->work.row[place], index;

    if (amount == 0)
        return;
    index = amount > 0 ? vmres__transfer_open(engine, kind, low, engine->work.row[place + 1],
                                              (uint32_t)amount)
                       : vmres__transfer_open(engine, kind, engine->work.row[place + 1], low,
                                              (uint32_t)-amount);
    if (index != NONE)
        engine->transfers[index].up = amount > 0;
}

static void release(struct vmres_engine *engine, uint8_t kind, uint32_t vm, uint32_t amount)
{
    uint32_t index = vmres__transfer_open(engine, kind, vm, VMRES_VM_NONE, amount);

    if (index != NONE)
        engine->transfers[index].up = true;
}

/* Flows first: a link's piece out of a hole is then seen to be on its way. */
static void open_transfers(struct vmres_engine *engine, uint8_t kind, uint32_t count)
{
    struct work *work = &engine->work;

    for (uint32_t i = 0; i + 1 < count; i++)
        open_flow(engine, kind, i, work->flows[i]);
    for (uint32_t i = 0; i < count; i++) {
        grant_hole(engine, kind, work->row[i], true, work->from_below[i]);
        grant_hole(engine, kind, work->row[i], false, work->from_above[i]);
        if (work->surplus[i] > 0)
            release(engine, kind, work->row[i], work->surplus[i]);
    }
}

/* The most a VM is to end with, though nobody waits for the rest: its ceiling, or by order. What an
 * order moves to another VM waits for that. */
static uint32_t most_of(const struct kind *kind, uint32_t vm)
{
    const struct account *account = &kind->accounts[vm];
    uint32_t most = kind->views[vm].ceiling;

    if (account->ordered_with == VMRES_VM_NONE)
        most = min_u32(most, account->ordered); /* NONE: no order */
    return max_u32(most, kind->views[vm].floor);
}

/* What each VM is to end with, and what of what it has is its own: what nobody waits for is. What
 * it has too much then goes to the pool. */
static void set_ends(struct vmres_engine *engine, struct kind *kind, uint32_t count)
{
    struct work *work = &engine->work;
    int64_t below = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t vm = work->row[i];
        uint32_t own = kind->views[vm].charge - vmres__extent_passing(kind, vm);
        int64_t above = work->flows[i];
        uint32_t end = (uint32_t)(kind->views[vm].charge + below - above + work->from_below[i] +
                                  work->from_above[i]);
        uint32_t most = most_of(kind, vm);

        work->surplus[i] = passes(engine, kind, vm) && work->gaps[vm] <= 0 && end > most &&
                                   kind->accounts[vm].unincorporated == 0
                               ? end - most
                               : 0;
        below = above;
        if (engine->dry_run)
            continue;
        kind->blocks[vm].keep = end - work->surplus[i];
        kind->blocks[vm].own = max_u32(kind->blocks[vm].keep, own);
    }
}

void vmres__plan_extents(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;
    uint32_t count = list_row(engine, kind);
    struct stretch s = {engine, kind, 0, 0};
    int64_t sum = 0;

    for (uint32_t i = 0; i <= count; i++) {
        if (i < count && passes(engine, kind, work->row[i]))
            continue;
        s.end = i;
        plan_stretch(&s);
        s.first = i + 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += work->flows[i];
        work->flows[i] = sum;
    }
    set_ends(engine, kind, count);
    if (!engine->dry_run)
        keep_or_trim(engine, kind, kind_index);
    open_transfers(engine, kind_index, count);
    for (uint32_t i = 0; i < count; i++)
        work->gaps[work->row[i]] = 0;
}
