/* SPDX-License-Identifier: MIT */
/*
 * From targets to transfers, for resources of which any part will do.
 *
 * A plan starts from what VMs are charged with: each named VM has a gap, target less charge. Open
 * transfers that still close gaps are kept, as far as they do; all others are trimmed, so that an
 * old promise never outlives the judgement that made it. What is left of the gaps is met from the
 * free pool, then by matching donors to recipients. While the host has a deficit, that is the
 * plan: nothing grows, and VMs above their entitlement give first.
 *
 * Matching is one walk along donors and recipients, O(n). Recipients stand in windows of FAN: a
 * donor's amount is shared within a window in proportion to the gaps, so that no recipient depends
 * on the slowest of several donors, and a donor has about FAN transfers at the most.
 *
 * Invariant: gaps are zero between plans; a transfer never exceeds the gap on either side.
 */
#include <assert.h>

#include "internal.h"
#include "share.h"

#define FAN 8u

/* --- what must be had, whatever the policy says --- */

/* For whom it must be had: floors and deficits, or whatever must be had. */
enum purpose { FOR_BOUNDS, FOR_ALL };

/* What VM `vm` could give beyond its gap: first what is above its entitlement, then what it
 * does not use; never what it needs and is entitled to. The operator's word is not undone for
 * less than a floor or a deficit. */
static uint32_t givable(const struct kind *kind, uint32_t vm, int32_t gap, enum purpose purpose,
                        bool unused)
{
    const struct vmres_view *view = &kind->views[vm];
    uint32_t keep = max_u32(view->entitlement, view->floor);
    uint32_t has = view->charge - (gap < 0 ? (uint32_t)-gap : 0);

    if (!(view->flags & VMRES_VIEW_DONOR) || view->disputed > 0 ||
        (kind->accounts[vm].ordered != NONE && purpose == FOR_ALL))
        return 0;
    if (unused)
        keep = (view->flags & VMRES_VIEW_FRESH) && view->stall == 0
                   ? max_u32(view->used, view->floor)
                   : keep;
    return has > keep ? has - keep : 0;
}

/* Opens gaps that sum to `need`, in proportion to what each VM can give. Returns what is
 * missing. */
static uint64_t gather(struct vmres_engine *engine, uint8_t kind_index, uint64_t need,
                       enum purpose purpose, bool unused)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;
    uint64_t total = 0, left, missing;

    for (uint32_t vm = 0; vm < engine->top; vm++)
        total += givable(kind, vm, work->gaps[vm], purpose, unused);
    left = need < total ? need : total;
    missing = need - left;
    for (uint32_t vm = 0; vm < engine->top && left > 0; vm++) {
        uint32_t piece = portion(&left, &total, givable(kind, vm, work->gaps[vm], purpose, unused));

        if (piece == 0)
            continue;
        if (work->gaps[vm] > 0) /* who must give does not grow */
            work->gaps[vm] = 0;
        work->gaps[vm] -= (int32_t)piece;
        vmres_verdict_set(&work->verdict, vm, kind->views[vm].charge - piece,
                          unused ? "the host must have it, and it does not use it"
                                 : "the host must have it, and it is above its entitlement");
    }
    return missing;
}

static uint64_t gather_both(struct vmres_engine *engine, uint8_t kind, uint64_t need,
                            enum purpose purpose)
{
    uint64_t missing = need > 0 ? gather(engine, kind, need, purpose, false) : 0;

    return missing > 0 ? gather(engine, kind, missing, purpose, true) : 0;
}

/* --- gaps --- */

static void clear_gaps(struct work *work)
{
    for (uint32_t i = 0; i < work->verdict.count; i++) {
        uint32_t vm = work->verdict.named[i];

        work->gaps[vm] = 0;
        work->verdict.set[vm] = 0;
    }
    work->verdict.count = 0;
    work->donor_count = 0;
    work->recipient_count = 0;
}

/* What must be had, whatever the policy says, beyond what is free and what others give up anyway:
 * for VMs below their floor, for growth that was ordered, for reservations. */
static uint64_t must_have(const struct vmres_engine *engine, uint8_t kind_index,
                          enum purpose purpose)
{
    const struct kind *kind = &engine->kinds[kind_index];
    uint64_t need = purpose == FOR_ALL ? vmres__reserve_need(engine, kind_index) : 0;
    uint64_t supply = vmres__ledger_grantable(&kind->ledger);

    if (!kind->out_of_bounds && kind->orders == 0 && need == 0)
        return 0;
    for (uint32_t vm = 0; vm < engine->top; vm++) {
        uint32_t wanted = kind->views[vm].floor;
        uint32_t told;

        if (!vm_takes_part(engine, vm))
            continue;
        told = vmres__removal_undisputed(engine, vm, kind_index);
        if (engine->work.gaps[vm] < 0) {
            supply += (uint64_t)-engine->work.gaps[vm];
            continue;
        }
        if (refuses_now(engine, &kind->accounts[vm]))
            continue;
        if (purpose == FOR_ALL && kind->accounts[vm].ordered != NONE)
            wanted = max_u32(wanted, kind->accounts[vm].ordered);
        need += wanted > told ? wanted - told : 0;
    }
    return need > supply ? need - supply : 0;
}

/* What VMs are charged with that ran before us and were not seen yet: soon it will be less. Not
 * for ever: a guest without a driver is never seen. */
static uint64_t charged_unseen(const struct vmres_engine *engine, const struct kind *kind)
{
    uint64_t charged = 0;

    if (engine->now >= kind->unseen_ms)
        return 0;
    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (engine->vms[vm].state == VMRES_VM_BOOTING && (engine->vms[vm].flags & VM_ADOPTED))
            charged += kind->views[vm].charge;
    return charged;
}

/* Deficits and floors: room that is merely kept for a VM to come goes before what VMs need and are
 * entitled to, first what of it is beyond its minimum. */
static void find_for_bounds(struct vmres_engine *engine, uint8_t kind, uint64_t missing)
{
    if (!engine->dry_run)
        missing = vmres__reserve_yield(engine, kind, missing, false);
    missing = gather_both(engine, kind, missing, FOR_BOUNDS);
    if (!engine->dry_run)
        vmres__reserve_yield(engine, kind, missing, true);
}

static void work_off_deficit(struct vmres_engine *engine, uint8_t kind_index)
{
    const struct kind *kind = &engine->kinds[kind_index];
    uint64_t unseen = charged_unseen(engine, kind);

    /* VMs being adopted are charged with the most they could hold: soon it will be less. */
    if (kind->adopting == 0 && kind->ledger.deficit > unseen)
        find_for_bounds(engine, kind_index, kind->ledger.deficit - unseen);
}

static void open_gaps(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;

    if (kind->ledger.deficit > 0) {
        clear_gaps(work);
        work_off_deficit(engine, kind_index);
        return;
    }
    for (uint32_t i = 0; i < work->verdict.count; i++) {
        uint32_t vm = work->verdict.named[i];

        work->gaps[vm] = (int32_t)((int64_t)work->verdict.targets[vm] - kind->views[vm].charge);
    }
    find_for_bounds(engine, kind_index, must_have(engine, kind_index, FOR_BOUNDS));
    gather_both(engine, kind_index, must_have(engine, kind_index, FOR_ALL), FOR_ALL);
}

/* --- open transfers --- */

/* What must go though nobody waits for it: above the ceiling, or by order. */
static uint32_t must_give(const struct kind *kind, uint32_t vm)
{
    const struct vmres_view *view = &kind->views[vm];
    uint32_t most = min_u32(view->ceiling, kind->accounts[vm].ordered); /* NONE: no order */

    return view->charge > most ? view->charge - most : 0;
}

/* What donors give goes to the pool: a deficit, or reservations, wait for it. */
static bool host_must_have(const struct vmres_engine *engine, uint8_t kind)
{
    return engine->kinds[kind].ledger.deficit > 0 || vmres__reserve_need(engine, kind) > 0;
}

static uint32_t still_wanted(const struct vmres_engine *engine, const struct transfer *t)
{
    const int32_t *gaps = engine->work.gaps;
    const struct kind *kind = &engine->kinds[t->kind];
    uint32_t keep = t->asked - t->released;

    keep = gaps[t->donor] < 0 ? min_u32(keep, (uint32_t)-gaps[t->donor]) : 0;
    if (t->recipient != VMRES_VM_NONE)
        return gaps[t->recipient] > 0 ? min_u32(keep, (uint32_t)gaps[t->recipient]) : 0;
    /* To the pool: as long as the host must have it, or the donor must give it. */
    return host_must_have(engine, t->kind) || must_give(kind, t->donor) > 0 ? keep : 0;
}

static void keep_or_trim(struct vmres_engine *engine, uint8_t kind)
{
    uint32_t index, next;

    for (index = engine->transfer_open; index != NONE; index = next) {
        struct transfer *t = &engine->transfers[index];
        uint32_t rest = t->asked - t->released;
        uint32_t keep;

        next = t->next;
        if (t->kind != kind || t->donor == VMRES_VM_NONE || rest == 0)
            continue;
        keep = still_wanted(engine, t);
        engine->work.gaps[t->donor] += (int32_t)keep;
        if (t->recipient != VMRES_VM_NONE)
            engine->work.gaps[t->recipient] -= (int32_t)keep;
        if (keep < rest)
            vmres__transfer_trim(engine, index, rest - keep);
    }
}

/* --- new transfers --- */

static bool below_floor(const struct kind *kind, uint32_t vm)
{
    return kind->views[vm].charge < kind->views[vm].floor;
}

static bool ordered(const struct kind *kind, uint32_t vm)
{
    return kind->accounts[vm].ordered != NONE;
}

static void list_parties(struct work *work)
{
    for (uint32_t i = 0; i < work->verdict.count; i++) {
        uint32_t vm = work->verdict.named[i];

        if (work->gaps[vm] < 0)
            work->donors[work->donor_count++] = vm;
        else if (work->gaps[vm] > 0)
            work->recipients[work->recipient_count++] = vm;
    }
}

/* Of the recipients from place `first` on, those who pass the test come first; returns the place
 * behind them. */
static uint32_t put_first(const struct kind *kind, struct work *work, uint32_t first,
                          bool (*test)(const struct kind *kind, uint32_t vm))
{
    for (uint32_t i = first; i < work->recipient_count; i++) {
        uint32_t vm = work->recipients[i];

        if (!test(kind, vm))
            continue;
        work->recipients[i] = work->recipients[first];
        work->recipients[first++] = vm;
    }
    return first;
}

static void grant_from_pool(struct vmres_engine *engine, uint8_t kind_index, uint32_t vm,
                            uint32_t amount)
{
    uint32_t index = vmres__transfer_open(engine, kind_index, VMRES_VM_NONE, vm, amount);

    if (index == NONE || engine->dry_run)
        return;
    vmres__ledger_draw(&engine->kinds[kind_index].ledger, amount);
    engine->transfers[index].released = amount;
    vmres__grant_place(engine, &engine->transfers[index], amount);
    vmres__transfer_review(engine, index);
}

/* Recipients [first, end) share what is free. */
static void empty_pool(struct vmres_engine *engine, uint8_t kind_index, uint32_t first,
                       uint32_t end)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;
    uint64_t total = 0;
    uint64_t left = BROKEN(FREE) ? kind->ledger.capacity : vmres__ledger_grantable(&kind->ledger);

    if (left == 0 || kind->adopting > 0)
        return;
    for (uint32_t i = first; i < end; i++)
        total += (uint64_t)work->gaps[work->recipients[i]];
    left = left < total ? left : total;
    for (uint32_t i = first; i < end; i++) {
        uint32_t vm = work->recipients[i];
        uint32_t piece = portion(&left, &total, (uint32_t)work->gaps[vm]);

        work->gaps[vm] -= (int32_t)piece;
        if (piece > 0)
            grant_from_pool(engine, kind_index, vm, piece);
    }
}

struct window { /* recipients [first, end), and what they want */
    uint32_t first, end;
    uint64_t wanted;
};

static struct window window_at(const struct work *work, uint32_t first, uint32_t end)
{
    struct window window = {first, min_u32(first + FAN, end), 0};

    for (uint32_t i = first; i < window.end; i++)
        window.wanted += (uint64_t)work->gaps[work->recipients[i]];
    return window;
}

/* Shares `cell` of a donor among the window's recipients. */
static void fill_window(struct vmres_engine *engine, uint8_t kind, uint32_t donor, uint64_t cell,
                        struct window window)
{
    struct work *work = &engine->work;
    uint64_t total = window.wanted;

    for (uint32_t i = window.first; i < window.end; i++) {
        uint32_t vm = work->recipients[i];
        uint32_t piece = portion(&cell, &total, (uint32_t)work->gaps[vm]);

        if (piece == 0)
            continue;
        work->gaps[vm] -= (int32_t)piece;
        vmres__transfer_open(engine, kind, donor, vm, piece);
    }
}

/* Recipients [first, end) and all donors. */
static void match(struct vmres_engine *engine, uint8_t kind, uint32_t first, uint32_t end)
{
    struct work *work = &engine->work;

    for (uint32_t i = 0; i < work->donor_count && first < end; i++) {
        uint32_t donor = work->donors[i];
        uint64_t has = (uint64_t)-work->gaps[donor];

        while (has > 0 && first < end) {
            struct window window = window_at(work, first, end);
            uint64_t cell = has < window.wanted ? has : window.wanted;

            if (window.wanted == 0) {
                first += FAN;
                continue;
            }
            fill_window(engine, kind, donor, cell, window);
            has -= cell;
        }
        work->gaps[donor] = -(int32_t)has;
    }
}

/* What the operator moves goes from the one to the other, past pool and windows. */
static void match_moves(struct vmres_engine *engine, uint8_t kind_index)
{
    const struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;

    for (uint32_t i = 0; i < work->donor_count && kind->orders > 0; i++) {
        uint32_t donor = work->donors[i];
        uint32_t recipient = kind->accounts[donor].ordered_with;
        uint32_t piece;

        if (recipient == VMRES_VM_NONE || work->gaps[recipient] <= 0)
            continue;
        piece = min_u32((uint32_t)-work->gaps[donor], (uint32_t)work->gaps[recipient]);
        work->gaps[donor] += (int32_t)piece;
        work->gaps[recipient] -= (int32_t)piece;
        vmres__transfer_open(engine, kind_index, donor, recipient, piece);
    }
}

/* What the pool waits for, beyond what is on its way to it. */
static uint64_t awaited_by_pool(const struct vmres_engine *engine, uint8_t kind)
{
    uint64_t awaited = engine->kinds[kind].ledger.deficit + vmres__reserve_need(engine, kind);
    uint64_t coming = 0;

    if (awaited == 0)
        return 0;
    for (uint32_t i = engine->transfer_open; i != NONE; i = engine->transfers[i].next) {
        const struct transfer *t = &engine->transfers[i];

        if (t->kind == kind && t->recipient == VMRES_VM_NONE)
            coming += t->asked - t->released;
    }
    return awaited > coming ? awaited - coming : 0;
}

static void to_pool(struct vmres_engine *engine, uint8_t kind, uint32_t donor, uint32_t amount)
{
    if (amount == 0)
        return;
    engine->work.gaps[donor] += (int32_t)amount;
    vmres__transfer_open(engine, kind, donor, VMRES_VM_NONE, amount);
}

/* Nobody grows on what a deficit or a reservation waits for. */
static void release_awaited(struct vmres_engine *engine, uint8_t kind)
{
    struct work *work = &engine->work;
    uint64_t awaited = awaited_by_pool(engine, kind);

    for (uint32_t i = 0; i < work->donor_count && awaited > 0; i++) {
        uint32_t rest = (uint32_t)-work->gaps[work->donors[i]];
        uint32_t piece = awaited < rest ? (uint32_t)awaited : rest;

        awaited -= piece;
        to_pool(engine, kind, work->donors[i], piece);
    }
}

/* What must go and nobody waits for goes to the pool, too. */
static void release_rest(struct vmres_engine *engine, uint8_t kind)
{
    struct work *work = &engine->work;

    for (uint32_t i = 0; i < work->donor_count; i++) {
        uint32_t rest = (uint32_t)-work->gaps[work->donors[i]];

        to_pool(engine, kind, work->donors[i],
                min_u32(rest, must_give(&engine->kinds[kind], work->donors[i])));
    }
}

/* Dry run: a plan like the last one is not told again. */
static bool same_plan(struct vmres_engine *engine, uint8_t kind)
{
    const struct work *work = &engine->work;
    uint32_t mark = 2166136261u; /* FNV-1a over VMs and gaps */

    for (uint32_t i = 0; i < work->verdict.count; i++) {
        uint32_t vm = work->verdict.named[i];

        mark = (mark ^ vm) * 16777619u;
        mark = (mark ^ (uint32_t)work->gaps[vm]) * 16777619u;
    }
    if (engine->kinds[kind].plan_mark == mark)
        return true;
    engine->kinds[kind].plan_mark = mark;
    return false;
}

/* Who is below its floor comes first, then who is to grow by order, then what the host must have,
 * then what the policy thinks best. */
static void plan_amounts(struct vmres_engine *engine, uint8_t kind_index)
{
    const struct kind *kind = &engine->kinds[kind_index];
    struct work *work = &engine->work;
    uint32_t low = 0, first = 0;

    if (!engine->dry_run)
        keep_or_trim(engine, kind_index);
    list_parties(work);
    if (kind->out_of_bounds)
        first = low = put_first(kind, work, 0, below_floor);
    if (kind->orders > 0)
        first = put_first(kind, work, low, ordered);
    match_moves(engine, kind_index);
    empty_pool(engine, kind_index, 0, low);
    empty_pool(engine, kind_index, low, first);
    empty_pool(engine, kind_index, first, work->recipient_count);
    match(engine, kind_index, 0, low);
    match(engine, kind_index, low, first);
    release_awaited(engine, kind_index);
    match(engine, kind_index, first, work->recipient_count);
    release_rest(engine, kind_index);
}

/* Says so when more is wanted than can be given, and again when that goes on for long. */
static void watch_unmet(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    uint64_t wanted = kind->ledger.deficit + vmres__reserve_need(engine, kind_index);
    uint64_t offered = vmres__ledger_grantable(&kind->ledger);
    struct vmres_trace_record record = {
        .level = VMRES_TRACE_INFO, .kind = kind_index, .vm = VMRES_VM_NONE, .other = VMRES_VM_NONE};
    bool was_unmet = kind->unmet > 0;

    for (uint32_t i = 0; i < engine->work.verdict.count; i++) {
        int32_t gap = engine->work.gaps[engine->work.verdict.named[i]];

        wanted += gap > 0 ? (uint64_t)gap : 0;
        offered += gap < 0 ? (uint64_t)-gap : 0;
    }
    if (kind->blocks)
        offered += vmres__extent_on_its_way(engine, kind);
    if (kind->ledger.deficit > 0 && wanted <= offered)
        return; /* nobody was asked what else is wanted */
    kind->unmet = wanted > offered ? wanted - offered : 0;
    record.amount = kind->unmet;
    if ((kind->unmet > 0) != was_unmet) {
        kind->unmet_since_ms = engine->now;
        kind->relief_asked = false;
        record.type = VMRES_TRACE_UNMET;
        vmres__trace(engine, record);
    }
    if (kind->unmet > 0 && !kind->relief_asked &&
        engine->now - kind->unmet_since_ms >= engine->relief_ms) {
        kind->relief_asked = true;
        record.type = VMRES_TRACE_RELIEF;
        record.level = VMRES_TRACE_WARN;
        vmres__trace(engine, record);
    }
}

void vmres__plan(struct vmres_engine *engine, uint8_t kind)
{
    vmres__reserve_feed(engine, kind);
    open_gaps(engine, kind);
    watch_unmet(engine, kind);
    if (!engine->dry_run || !same_plan(engine, kind)) {
        vmres__transfer_forget_plans(engine, kind);
        if (engine->kinds[kind].blocks)
            vmres__plan_extents(engine, kind);
        else
            plan_amounts(engine, kind);
    }
    clear_gaps(&engine->work);
    vmres__reserve_fill(engine, kind);
}
