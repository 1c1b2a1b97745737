/* SPDX-License-Identifier: MIT */
/*
 * First allotments: every VM that has limits and no allotment yet gets one, all at once or none. A
 * stated amount is kept; "auto" is the floor plus the same share of (ceiling - floor) for all, as
 * much as is free. Admission has seen to it that the floors fit the host; whether they fit what is
 * free now is asked here.
 */
#include "internal.h"
#include "share.h"

struct wish {
    uint64_t fixed; /* stated amounts, and the floors of the others */
    uint64_t room;  /* ceiling - floor of the others */
};

static bool waits(const struct vmres_engine *engine, uint32_t vm, uint32_t kind)
{
    const struct vm *it = &engine->vms[vm];

    return it->state == VMRES_VM_BOOTING && !(it->flags & VM_ADOPTED) &&
           (it->limited & (1u << kind)) && !(it->allotted & (1u << kind));
}

/* What it starts with, or, if that is for us to say, at least. */
static uint32_t least_of(const struct vmres_engine *engine, uint32_t vm, uint32_t kind)
{
    uint32_t initial = account_of(engine, vm, kind)->initial;

    return initial == NONE ? view_of(engine, vm, kind)->floor : initial;
}

static struct wish wishes(const struct vmres_engine *engine, uint32_t kind)
{
    struct wish wish = {0, 0};

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        const struct vmres_view *view = view_of(engine, vm, kind);

        if (!waits(engine, vm, kind))
            continue;
        if (account_of(engine, vm, kind)->initial == NONE)
            wish.room += view->ceiling - view->floor;
        wish.fixed += least_of(engine, vm, kind);
    }
    return wish;
}

/* Says who has to wait, and why; the others wait with it. */
static enum vmres_status refuse(const struct vmres_engine *engine, uint8_t kind, uint32_t vm,
                                uint32_t amount, const char *reason)
{
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_REFUSED,
                                                     .level = VMRES_TRACE_WARN,
                                                     .kind = kind,
                                                     .vm = vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = amount,
                                                     .reason = reason});
    return VMRES_NOROOM;
}

/* Elsewhere who is not pinned is charged with the most it could hold; a block is charged as it was
 * seen, and its device may still be on the way to what was asked of it before us. */
static bool may_reach_out(const struct kind *kind)
{
    return kind->blocks && kind->adopting > 0;
}

/* Whether what is free is enough for all that wait, wherever it lies. */
static enum vmres_status check_free(const struct vmres_engine *engine, uint8_t kind)
{
    uint64_t left = vmres__ledger_grantable(&engine->kinds[kind].ledger);

    if (may_reach_out(&engine->kinds[kind]))
        return refuse(engine, kind, VMRES_VM_NONE, 0, "VMs that ran before are pinned first");
    for (uint32_t vm = 0; vm < engine->top; vm++) {
        uint32_t least = least_of(engine, vm, kind);

        if (!waits(engine, vm, kind))
            continue;
        if (least > left)
            return refuse(engine, kind, vm, least, "so much is not free");
        left -= least;
    }
    return VMRES_OK;
}

/* Charges a VM with its first allotment; on a contiguous host there must be a hole for it. */
static bool charge(struct kind *kind, uint32_t vm, uint32_t amount, struct extent_search *search)
{
    if (kind->blocks && !vmres__extent_fit(kind, vm, amount, search))
        return false;
    if (amount == 0)
        return true; /* even while there is a deficit */
    vmres__ledger_draw(&kind->ledger, amount);
    vmres__ledger_place(&kind->ledger, &kind->views[vm].charge, amount);
    return true;
}

static enum vmres_status charge_all(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct wish wish = wishes(engine, kind_index);
    uint64_t spare = kind->ledger.free - wish.fixed;
    uint64_t shared = spare < wish.room ? spare : wish.room;
    struct extent_search search = {NONE, 0};

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        const struct vmres_view *view = &kind->views[vm];
        uint32_t amount = kind->accounts[vm].initial;

        if (!waits(engine, vm, kind_index))
            continue;
        if (amount == NONE)
            amount = view->floor + portion(&shared, &wish.room, view->ceiling - view->floor);
        if (!charge(kind, vm, amount, &search))
            return refuse(engine, kind_index, vm, amount, "no hole is large enough");
    }
    return VMRES_OK;
}

/* None of them, then. A block that was not placed yet was charged with nothing. */
static void take_back(struct vmres_engine *engine)
{
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        struct kind *kind = &engine->kinds[k];

        for (uint32_t vm = 0; kind->blocks && vm < engine->top; vm++) {
            if (!waits(engine, vm, k))
                continue;
            vmres__ledger_shed(&kind->ledger, &kind->views[vm].charge, kind->views[vm].charge);
            vmres__extent_remove(kind, vm);
        }
    }
}

static void announce(struct vmres_engine *engine, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct vmres_trace_record record = {.type = VMRES_TRACE_ALLOT,
                                        .level = VMRES_TRACE_INFO,
                                        .kind = kind_index,
                                        .other = VMRES_VM_NONE,
                                        .reason = "first allotment"};

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        if (!waits(engine, vm, kind_index))
            continue;
        engine->vms[vm].allotted |= (uint8_t)(1u << kind_index);
        kind->accounts[vm].flags |= ACCOUNT_INITIAL;
        vmres__settle_mark(engine, vm, kind_index);
        record.vm = vm;
        record.amount = record.target = kind->views[vm].charge;
        if (kind->blocks) {
            record.block = record.front = kind->blocks[vm].front;
            record.size = record.amount;
        }
        vmres__trace(engine, record);
    }
}

enum vmres_status vmres__allot(struct vmres_engine *engine)
{
    enum vmres_status status = VMRES_OK;

    for (uint8_t k = 0; k < engine->kind_count && status == VMRES_OK; k++)
        status = check_free(engine, k);
    if (status != VMRES_OK)
        return status;
    /* Blocks first: only they can fail still, for want of a hole. */
    for (uint8_t k = 0; k < engine->kind_count && status == VMRES_OK; k++)
        if (engine->kinds[k].blocks)
            status = charge_all(engine, k);
    if (status != VMRES_OK) {
        take_back(engine);
        return status;
    }
    for (uint8_t k = 0; k < engine->kind_count; k++)
        if (!engine->kinds[k].blocks)
            (void)charge_all(engine, k);
    for (uint8_t k = 0; k < engine->kind_count; k++)
        announce(engine, k);
    return VMRES_OK;
}

/* A deficit came up before a VM was told its first allotment: unless that was stated or reserved
 * it starts with less, down to its floor. False: it has to wait. */
bool vmres__allot_fits(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index)
{
    const struct kind *kind = &engine->kinds[kind_index];
    const struct vmres_view *view = &kind->views[vm];
    uint32_t undisputed = view->charge - view->disputed;
    uint64_t spare = undisputed - min_u32(undisputed, view->floor);

    if (!vmres__grant_waits(kind))
        return true;
    if (!kind->blocks && kind->accounts[vm].initial == NONE && spare > 0)
        vmres__observe_untold(
            engine, vm, kind_index,
            (uint32_t)(spare < kind->ledger.deficit ? spare : kind->ledger.deficit));
    return !vmres__grant_waits(kind);
}
