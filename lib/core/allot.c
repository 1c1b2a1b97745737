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

static struct wish wishes(const struct vmres_engine *engine, uint32_t kind)
{
    struct wish wish = {0, 0};

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        const struct account *account = account_of(engine, vm, kind);
        const struct vmres_view *view = view_of(engine, vm, kind);

        if (!waits(engine, vm, kind))
            continue;
        if (account->initial == NONE)
            wish.room += view->ceiling - view->floor;
        wish.fixed += account->initial == NONE ? view->floor : account->initial;
    }
    return wish;
}

static void give(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index, uint32_t amount)
{
    struct kind *kind = &engine->kinds[kind_index];

    vmres__ledger_draw(&kind->ledger, amount);
    vmres__ledger_place(&kind->ledger, &kind->views[vm].charge, amount);
    engine->vms[vm].allotted |= (uint8_t)(1u << kind_index);
    kind->accounts[vm].flags |= ACCOUNT_INITIAL;
    vmres__settle_mark(engine, vm, kind_index);
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_ALLOT,
                                                     .level = VMRES_TRACE_INFO,
                                                     .kind = kind_index,
                                                     .vm = vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = amount,
                                                     .target = amount,
                                                     .reason = "first allotment"});
}

static void allot_kind(struct vmres_engine *engine, uint8_t kind, struct wish wish)
{
    uint64_t spare = engine->kinds[kind].ledger.free - wish.fixed;
    uint64_t shared = spare < wish.room ? spare : wish.room;

    for (uint32_t vm = 0; vm < engine->top; vm++) {
        const struct account *account = account_of(engine, vm, kind);
        const struct vmres_view *view = view_of(engine, vm, kind);

        if (!waits(engine, vm, kind))
            continue;
        if (account->initial != NONE)
            give(engine, vm, kind, account->initial);
        else
            give(engine, vm, kind,
                 view->floor + portion(&shared, &wish.room, view->ceiling - view->floor));
    }
}

enum vmres_status vmres__allot(struct vmres_engine *engine)
{
    struct wish wish[VMRES_KINDS_MAX];

    for (uint32_t k = 0; k < engine->kind_count; k++) {
        wish[k] = wishes(engine, k);
        if (wish[k].fixed > vmres__ledger_grantable(&engine->kinds[k].ledger))
            return VMRES_NOROOM;
    }
    for (uint8_t k = 0; k < engine->kind_count; k++)
        allot_kind(engine, k, wish[k]);
    return VMRES_OK;
}
