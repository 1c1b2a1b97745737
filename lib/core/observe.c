/* SPDX-License-Identifier: MIT */
/*
 * What the host sees of a VM, and what that does to the books. A VM that holds, or may hold, more
 * than its charge is charged at once (involuntary: a retake, a self-deflation, somebody else's
 * command), whatever that does to the host: the deficit is then worked off. A charge falls only
 * when nothing is open on the account and the host's witness agrees.
 *
 * Invariant: after an observation the charge covers held, target and witness, tolerance apart.
 */
#include "internal.h"

/* A device's word is partly the guest's (a balloon's size is): it cannot claim to hold more
 * than the device's maximum, or, where that is unknown, its ceiling. */
void vmres__observe_held(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t held)
{
    struct account *account = account_of(engine, vm, kind);
    struct vmres_view *view = view_of(engine, vm, kind);
    uint32_t most =
        account->limit != NONE ? limit_above(account) : max_u32(account->ceiling, view->charge);

    if (engine->kinds[kind].blocks) /* it cannot reach beyond its block */
        most = view->charge;

    view->held = min_u32(held, most);
    view->used = min_u32(view->used, view->held);
    view->available = min_u32(view->available, view->held);
    account->flags |= ACCOUNT_HELD;
}

/* What is still to leave a block can wait: it is trimmed to what is there (extent.c). */
static bool idle(const struct kind *kind, const struct account *account)
{
    return account->shrink == NONE && account->reassign == NONE && account->notify == NONE &&
           account->unincorporated == 0 && (account->outgoing == NONE || kind->blocks) &&
           !(account->flags & (ACCOUNT_PIN | ACCOUNT_INITIAL));
}

/* Whether what the host says of this account may lower its charge. */
static bool trusted(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);

    if (engine->vms[vm].state != VMRES_VM_LIVE && engine->vms[vm].state != VMRES_VM_ADOPTING)
        return false;
    return account->pins == 0 && (engine->kinds[kind].blocks ||
                                  engine->kinds[kind].resource.removal == VMRES_REMOVAL_HOST ||
                                  account->witness != NONE || (account->flags & ACCOUNT_ENFORCED));
}

/* The most the VM holds, by device and witness. A block's bounds are the host's: what a witness
 * sees beyond them is not of this kind. */
static uint32_t held_by(const struct kind *kind, uint32_t vm)
{
    const struct account *account = &kind->accounts[vm];
    uint32_t bound = kind->views[vm].held;

    if (!kind->blocks && account->witness != NONE && account->witness > kind->tolerance)
        bound = max_u32(bound, account->witness - kind->tolerance);
    return kind->blocks ? min_u32(bound, kind->views[vm].charge) : bound;
}

/* The most the VM can hold: its device may be on the way to its target. */
static uint32_t bound_of(const struct kind *kind, uint32_t vm)
{
    uint32_t bound = max_u32(held_by(kind, vm), kind->accounts[vm].target);

    return kind->blocks ? min_u32(bound, kind->views[vm].charge) : bound;
}

static void seize(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index, uint32_t amount)
{
    struct kind *kind = &engine->kinds[kind_index];
    uint64_t deficit = kind->ledger.deficit;

    vmres__ledger_seize(&kind->ledger, &kind->views[vm].charge, amount);
    if (kind->ledger.deficit > deficit) {
        engine->counters.deficits++;
        engine->round.notice = true; /* to be worked off at once */
    }
    vmres__trace(engine, (struct vmres_trace_record){
                             .type = VMRES_TRACE_LEDGER,
                             .level = VMRES_TRACE_WARN,
                             .kind = kind_index,
                             .vm = vm,
                             .other = VMRES_VM_NONE,
                             .amount = amount,
                             .target = kind->views[vm].charge,
                             .reason = kind->ledger.deficit > 0
                                           ? "it holds more than it was charged with: a deficit"
                                           : "it holds more than it was charged with"});
}

static void shed(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index, uint32_t amount,
                 const char *reason)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct vmres_view *view = &kind->views[vm];

    vmres__ledger_shed(&kind->ledger, &view->charge, amount);
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_LEDGER,
                                                     .level = VMRES_TRACE_DEBUG,
                                                     .kind = kind_index,
                                                     .vm = vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = amount,
                                                     .target = view->charge,
                                                     .reason = reason});
}

/* What of a raised charge only the witness sees is in dispute: no target may count on it. */
static void raise_to(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t bound)
{
    struct vmres_view *view = view_of(engine, vm, kind);
    struct account *account = account_of(engine, vm, kind);
    uint32_t undisputed =
        max_u32(view->charge - view->disputed, max_u32(view->held, account->target));

    if (engine->kinds[kind].blocks) { /* what is outside of its block it cannot hold */
        view->held = min_u32(view->held, view->charge);
    } else if (bound > view->charge) {
        seize(engine, vm, kind, bound - view->charge);
        view->disputed = view->charge - min_u32(view->charge, undisputed);
    }
}

/* An answer, too, may show that a VM holds more than it is charged with. Its target is not asked:
 * an older one, seen before the request arrived, may have been heard after it was sent. */
void vmres__observe_raised(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    raise_to(engine, vm, kind, held_by(&engine->kinds[kind], vm));
}

/* What was granted and never told comes back; what the host sees all the same stays charged. */
void vmres__observe_untold(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index,
                           uint32_t amount)
{
    struct kind *kind = &engine->kinds[kind_index];
    uint32_t charge = kind->views[vm].charge;
    uint32_t kept = max_u32(charge - amount, min_u32(bound_of(kind, vm), charge));

    kind->views[vm].disputed += kept - (charge - amount);
    if (kept < charge)
        shed(engine, vm, kind_index, charge - kept, "a deficit came up before it was told");
}

/* What a witness sees beyond the device's own word is in dispute, whether the device said that it
 * released it or the VM's process has grown by it: charged, and no part of any target. What the
 * device says it holds, or aims at, is not. */
static void settle_dispute(struct kind *kind, uint32_t vm)
{
    struct vmres_view *view = &kind->views[vm];
    uint32_t claimed = max_u32(view->held, kind->accounts[vm].target);

    view->disputed = view->charge - min_u32(view->charge, claimed);
}

/* Lets the charge follow what has been seen; but no block follows what is read, for that does not
 * tell where in it the VM lies. */
void vmres__observe_seen(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];
    uint32_t charge, bound;

    raise_to(engine, vm, kind_index, bound_of(kind, vm));
    charge = kind->views[vm].charge;
    bound = bound_of(kind, vm);
    if (kind->blocks || !idle(kind, &kind->accounts[vm]) || !trusted(engine, vm, kind_index))
        return;
    if (bound < charge)
        shed(engine, vm, kind_index, charge - bound, "the host sees that it holds less");
    settle_dispute(kind, vm);
}

/* It stays as it is: what its charge may follow now is known. Of a block that is what it was pinned
 * to, outside of which nothing of the VM lies any more. */
void vmres__observe_pinned(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index,
                           uint32_t target)
{
    struct kind *kind = &engine->kinds[kind_index];
    uint32_t left = kind->views[vm].charge - min_u32(kind->views[vm].charge, target);

    if (!kind->blocks) {
        vmres__observe_seen(engine, vm, kind_index);
        return;
    }
    if (!idle(kind, &kind->accounts[vm]) || !trusted(engine, vm, kind_index))
        return;
    vmres__extent_returned(kind, vm, left);
    if (left > 0)
        shed(engine, vm, kind_index, left, "it did not take in what it was granted");
    vmres__settle_mark(engine, vm, kind_index);
}

/* What was heard while something was open counts when nothing is any more. */
void vmres__observe_again(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    if (idle(&engine->kinds[kind], account_of(engine, vm, kind)))
        vmres__observe_seen(engine, vm, kind);
}

/* A cap counts only while it is said to be there. */
void vmres__observe_enforced(struct account *account, uint16_t valid)
{
    account->flags &= (uint16_t)~ACCOUNT_ENFORCED;
    if (valid & VMRES_VALID_ENFORCED)
        account->flags |= ACCOUNT_ENFORCED;
}

/* The device's maximum bounds floor and ceiling, as long as it stands. */
static void take_limit(struct vmres_engine *engine, uint32_t vm, uint8_t kind_index, uint64_t units)
{
    struct kind *kind = &engine->kinds[kind_index];
    struct account *account = &kind->accounts[vm];
    uint32_t limit = granules_down(kind, units);

    account->flags &= (uint16_t)~ACCOUNT_ROUNDED;
    if (granules_up(kind, units) > limit)
        account->flags |= ACCOUNT_ROUNDED;
    if (account->limit == limit)
        return;
    account->limit = limit;
    kind->views[vm].floor = min_u32(account->floor, limit);
    kind->views[vm].ceiling = min_u32(account->ceiling, limit);
    kind->shares_stale = true;
}

/* Somebody else has told the device to aim higher than what is to shrink it, or pin it, does: that
 * this is done, when it is said so, tells nothing. What the device aimed at before may have been
 * seen before the removal arrived there; and what left a block cannot come back unasked. */
static void contradict(struct vmres_engine *engine, const struct kind *kind,
                       const struct account *account)
{
    uint32_t index = account->shrink;

    for (; index != NONE; index = engine->commands[index].older) {
        struct command *open = &engine->commands[index];

        if (account->target > open->target &&
            (open->type == VMRES_ACTION_PIN || (!kind->blocks && account->target != open->before)))
            open->contradicted = 1;
    }
}

enum vmres_status vmres__observe_event(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    struct account *account = &kind->accounts[event->vm];

    if (event->valid & VMRES_VALID_LIMIT)
        take_limit(engine, event->vm, event->kind, event->as.observed.limit);
    if (event->valid & VMRES_VALID_HELD)
        vmres__observe_held(engine, event->vm, event->kind,
                            granules_up(kind, event->as.observed.held));
    if (event->valid & VMRES_VALID_TARGET) {
        account->target = granules_up(kind, event->as.observed.target);
        contradict(engine, kind, account);
    }
    account->witness =
        event->valid & VMRES_VALID_WITNESS ? granules_up(kind, event->as.observed.witness) : NONE;
    vmres__observe_enforced(account, event->valid);
    vmres__observe_seen(engine, event->vm, event->kind);
    return VMRES_OK;
}
