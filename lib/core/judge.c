/* SPDX-License-Identifier: MIT */
/*
 * Step 3: one judgement per kind. Views are brought up to date, the policy says what VMs should
 * hold, the guard bounds that (guard.c), the planner turns it into transfers (plan.c).
 */
#include "internal.h"

/* Whether what the VM said last still counts, by the host's clock. A VM that stalled when last
 * heard keeps its claim, up to its entitlement, for as long again: agents die first when memory
 * is short. */
static uint16_t freshness(const struct vmres_engine *engine, struct account *account,
                          struct vmres_view *view)
{
    uint32_t age = (uint32_t)engine->now - view->reported;

    if (!(account->flags & ACCOUNT_REPORTED))
        return 0;
    if (age <= engine->stale_ms || BROKEN(STALE))
        return VMRES_VIEW_FRESH | VMRES_VIEW_DONOR | VMRES_VIEW_RECIPIENT;
    if (age <= 2 * engine->stale_ms && view->stall > 0)
        return VMRES_VIEW_FRESH | VMRES_VIEW_RECIPIENT;
    account->flags &= (uint16_t)~ACCOUNT_REPORTED;
    view->stall = 0;
    return 0;
}

/* What it said to have released once is still not believed, however often it is looked at: nothing
 * it offers can be counted on. */
static bool in_old_dispute(struct vmres_engine *engine, const struct kind *kind, uint32_t vm)
{
    uint8_t index = (uint8_t)(kind - engine->kinds);

    vmres__observe_again(engine, vm, index);
    return kind->views[vm].disputed > 0 &&
           vmres__removal_undisputed(engine, vm, index) < kind->views[vm].charge;
}

static void refresh(struct vmres_engine *engine, struct kind *kind, uint32_t vm)
{
    const uint16_t said = VMRES_VIEW_PRESENT | VMRES_VIEW_REPORTED | VMRES_VIEW_NOTICE |
                          VMRES_VIEW_HAS_FREE | VMRES_VIEW_SAMPLES;
    struct account *account = &kind->accounts[vm];
    struct vmres_view *view = &kind->views[vm];
    bool alone = engine->now < account->backoff_ms;
    uint16_t may = freshness(engine, account, view);
    bool disputed = view->disputed > 0 && in_old_dispute(engine, kind, vm);

    /* An operator's command needs no report to be carried out. */
    if (kind->policy->commands)
        may |= VMRES_VIEW_DONOR | VMRES_VIEW_RECIPIENT;
    if (!vm_takes_part(engine, vm))
        may &= VMRES_VIEW_FRESH;
    if (alone || account->unincorporated > 0 || !(account->flags & ACCOUNT_DONOR) || disputed)
        may &= (uint16_t)~VMRES_VIEW_DONOR;
    if (refuses_now(engine, account) || !(account->flags & ACCOUNT_RECIPIENT))
        may &= (uint16_t)~VMRES_VIEW_RECIPIENT;
    if (alone)
        may |= VMRES_VIEW_UNCOOPERATIVE;
    view->flags = (view->flags & said) | may;
    if (vm_takes_part(engine, vm) &&
        (view->charge < view->floor + view->disputed || view->charge > view->ceiling))
        kind->out_of_bounds = true;
}

static void judge_kind(struct vmres_engine *engine, uint8_t index)
{
    const uint16_t since_last = VMRES_VIEW_REPORTED | VMRES_VIEW_NOTICE | VMRES_VIEW_SAMPLES;
    struct kind *kind = &engine->kinds[index];
    struct vmres_round round = {.now_ms = engine->now,
                                .capacity = kind->ledger.capacity,
                                .reserve = kind->ledger.reserve,
                                .free = vmres__ledger_grantable(&kind->ledger),
                                .transit = kind->ledger.transit,
                                .deficit = kind->ledger.deficit,
                                .granule = kind->resource.granule,
                                .period_ms = engine->period_ms,
                                .count = engine->top,
                                .kind = index,
                                .views = kind->views,
                                .scratch = engine->work.scratch};

    vmres__share_entitlements(engine, kind);
    kind->out_of_bounds = false;
    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (kind->views[vm].flags & VMRES_VIEW_PRESENT)
            refresh(engine, kind, vm);
    if (kind->blocks) {
        round.free += vmres__extent_on_its_way(engine, kind);
        vmres__extent_hide(engine, kind);
    }
    engine->work.verdict.reasons = &kind->reasons;
    kind->policy->judge(kind->policy_state, kind->policy_vms, &round, &engine->work.verdict);
    vmres__guard(engine, index);
    if (kind->blocks)
        vmres__extent_show(engine, kind);
    vmres__plan(engine, index);
    for (uint32_t vm = 0; vm < engine->top; vm++)
        kind->views[vm].flags &= (uint16_t)~since_last;
}

void vmres__judge(struct vmres_engine *engine)
{
    engine->counters.judgements++;
    for (uint8_t k = 0; k < engine->kind_count; k++)
        judge_kind(engine, k);
}
