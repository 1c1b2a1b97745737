/* SPDX-License-Identifier: MIT */
/*
 * What an engine knows, copied out in units. Reads only; keeps nothing.
 */
#include <string.h>

#include "internal.h"

enum vmres_status vmres_engine_vm(const struct vmres_engine *engine, uint32_t vm,
                                  struct vmres_vm_info *info)
{
    if (!engine || !info)
        return VMRES_INVALID;
    if (vm >= engine->max_vms)
        return VMRES_UNKNOWN;
    *info = (struct vmres_vm_info){.state = (enum vmres_vm_state)engine->vms[vm].state,
                                   .incarnation = engine->vms[vm].incarnation,
                                   .tag = engine->vms[vm].tag};
    return VMRES_OK;
}

static uint64_t known(const struct kind *kind, uint32_t granules)
{
    return granules == NONE ? UINT64_MAX : units_of(kind, granules);
}

enum vmres_status vmres_engine_account(const struct vmres_engine *engine, uint32_t vm,
                                       uint8_t kind_index, struct vmres_account_info *info)
{
    const struct kind *kind;
    const struct account *account;
    const struct vmres_view *view;

    if (!engine || !info)
        return VMRES_INVALID;
    if (kind_index >= engine->kind_count || vm >= engine->max_vms ||
        engine->vms[vm].state == VMRES_VM_VACANT)
        return VMRES_UNKNOWN;
    kind = &engine->kinds[kind_index];
    account = &kind->accounts[vm];
    view = &kind->views[vm];
    *info = (struct vmres_account_info){.floor = units_of(kind, account->floor),
                                        .ceiling = units_of(kind, account->ceiling),
                                        .entitlement = units_of(kind, view->entitlement),
                                        .charge = units_of(kind, view->charge),
                                        .disputed = units_of(kind, view->disputed),
                                        .target = units_of(kind, account->target),
                                        .held = units_of(kind, view->held),
                                        .witness = known(kind, account->witness),
                                        .limit = known(kind, account->limit),
                                        .used = units_of(kind, view->used),
                                        .available = units_of(kind, view->available),
                                        .free = units_of(kind, view->free),
                                        .outgoing = units_of(kind, view->outgoing),
                                        .incoming = units_of(kind, view->incoming),
                                        .weight = view->weight,
                                        .participation = participation_of(account),
                                        .stall = view->stall,
                                        .age_ms = account->flags & ACCOUNT_REPORTED
                                                      ? (uint32_t)engine->now - view->reported
                                                      : UINT32_MAX,
                                        .flags = view->flags,
                                        .reason = verdict_reason(&kind->reasons, vm)};
    return VMRES_OK;
}

enum vmres_status vmres_engine_pool(const struct vmres_engine *engine, uint8_t kind_index,
                                    struct vmres_pool_info *info)
{
    const struct kind *kind;
    uint64_t disputed = 0;

    if (!engine || !info)
        return VMRES_INVALID;
    if (kind_index >= engine->kind_count)
        return VMRES_UNKNOWN;
    kind = &engine->kinds[kind_index];
    for (uint32_t vm = 0; vm < engine->top; vm++)
        disputed += kind->views[vm].disputed;
    *info = (struct vmres_pool_info){.capacity = units_of(kind, kind->ledger.capacity),
                                     .reserve = units_of(kind, kind->ledger.reserve),
                                     .free = units_of(kind, kind->ledger.free),
                                     .transit = units_of(kind, kind->ledger.transit),
                                     .deficit = units_of(kind, kind->ledger.deficit),
                                     .charged = units_of(kind, kind->ledger.charged),
                                     .disputed = units_of(kind, disputed),
                                     .reserved =
                                         units_of(kind, vmres__reserve_charged(engine, kind_index)),
                                     .unmet = units_of(kind, kind->unmet)};
    return VMRES_OK;
}

void vmres_engine_counters(const struct vmres_engine *engine, struct vmres_counters *counters)
{
    if (engine && counters)
        *counters = engine->counters;
}

struct vmres_transfer_info vmres__query_transfer(const struct vmres_engine *engine,
                                                 const struct transfer *t)
{
    const struct kind *kind = &engine->kinds[t->kind];

    return (struct vmres_transfer_info){.id = t->id,
                                        .state = (enum vmres_transfer_state)t->state,
                                        .donor = t->donor,
                                        .recipient = t->recipient,
                                        .kind = t->kind,
                                        .asked = units_of(kind, t->asked),
                                        .released = units_of(kind, t->released),
                                        .placed = units_of(kind, t->placed),
                                        .incorporated = units_of(kind, t->incorporated),
                                        .started_ms = t->started_ms,
                                        .reason = t->reason};
}

int vmres_engine_next_transfer(const struct vmres_engine *engine, uint32_t *cursor,
                               struct vmres_transfer_info *info)
{
    if (!engine || !cursor || !info)
        return 0;
    while (*cursor < engine->transfer_top) {
        const struct transfer *t = &engine->transfers[(*cursor)++];

        if (t->id == 0)
            continue;
        *info = vmres__query_transfer(engine, t);
        return 1;
    }
    return 0;
}
