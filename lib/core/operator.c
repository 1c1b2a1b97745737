/* SPDX-License-Identifier: MIT */
/*
 * What an operator asks for: freeze a VM while it is migrated or snapshot, set what one holds, move
 * an amount from one to another, let all open transfers come to an end. An order stands above the
 * policy's verdict and below floor and ceiling, and ends when it is carried out or cannot be.
 *
 * Invariant: kind->orders counts the accounts whose `ordered` is not NONE.
 */
#include "internal.h"

static void trace_order(const struct vmres_engine *engine, uint32_t vm, uint8_t kind,
                        const char *reason)
{
    vmres__trace(engine,
                 (struct vmres_trace_record){.type = VMRES_TRACE_ORDER,
                                             .level = VMRES_TRACE_INFO,
                                             .kind = kind,
                                             .vm = vm,
                                             .other = VMRES_VM_NONE,
                                             .target = account_of(engine, vm, kind)->ordered,
                                             .reason = reason});
}

static const char *const impossible = "the order cannot be carried out";

static void end(struct vmres_engine *engine, uint32_t vm, uint8_t kind, const char *reason)
{
    struct account *account = account_of(engine, vm, kind);

    trace_order(engine, vm, kind, reason);
    account->ordered = NONE;
    engine->kinds[kind].orders--;
}

/* From now on each end of a move stands for itself. Returns the other end, or VMRES_VM_NONE. */
static uint32_t part(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t other = account_of(engine, vm, kind)->ordered_with;

    if (other == VMRES_VM_NONE)
        return VMRES_VM_NONE;
    account_of(engine, vm, kind)->ordered_with = VMRES_VM_NONE;
    account_of(engine, other, kind)->ordered_with = VMRES_VM_NONE;
    return other;
}

/* What one end does not give is not taken from a third, nor does it go elsewhere. */
static void give_up_partner(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    uint32_t other = part(engine, vm, kind);

    if (other != VMRES_VM_NONE)
        end(engine, other, kind, impossible);
}

void vmres__order_give_up(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    if (account_of(engine, vm, kind)->ordered == NONE)
        return;
    give_up_partner(engine, vm, kind);
    end(engine, vm, kind, impossible);
}

static void order(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t target)
{
    const struct vmres_view *view = view_of(engine, vm, kind);
    struct account *account = account_of(engine, vm, kind);

    give_up_partner(engine, vm, kind);
    if (account->ordered == NONE)
        engine->kinds[kind].orders++;
    account->ordered = min_u32(max_u32(target, view->floor), view->ceiling);
    engine->round.notice = true; /* at once */
    trace_order(engine, vm, kind, "ordered");
}

static enum vmres_status set(struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct kind *kind = &engine->kinds[event->kind];

    if (!vm_takes_part(engine, event->vm))
        return VMRES_STATE;
    order(engine, event->vm, event->kind, granules_down(kind, event->as.order.amount));
    return VMRES_OK;
}

/* Both ends or none: what the donor cannot give above its floor, or the recipient cannot take below
 * its ceiling, is refused as a whole. */
static enum vmres_status move(struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct kind *kind = &engine->kinds[event->kind];
    uint32_t amount = granules_down(kind, event->as.order.amount);
    const struct vmres_view *donor = &kind->views[event->vm];
    const struct vmres_view *recipient;
    uint32_t to = (uint32_t)event->as.order.recipient;

    if (event->as.order.recipient >= engine->max_vms || to == event->vm || amount == 0)
        return VMRES_INVALID;
    recipient = &kind->views[to];
    if (!vm_takes_part(engine, event->vm) || !vm_takes_part(engine, to))
        return VMRES_STATE;
    if (donor->charge < donor->floor || amount > donor->charge - donor->floor ||
        recipient->charge > recipient->ceiling || amount > recipient->ceiling - recipient->charge)
        return VMRES_NOROOM;
    order(engine, event->vm, event->kind, donor->charge - amount);
    order(engine, to, event->kind, recipient->charge + amount);
    kind->accounts[event->vm].ordered_with = to;
    kind->accounts[to].ordered_with = event->vm;
    return VMRES_OK;
}

/* What an order comes to now: within bounds that may have changed, and nobody gives while it
 * grows. */
static uint32_t ordered_now(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);
    const struct vmres_view *view = view_of(engine, vm, kind);
    uint32_t target = min_u32(max_u32(account->ordered, view->floor), view->ceiling);

    if (account->unincorporated == 0)
        return target;
    return max_u32(target, vmres__removal_undisputed(engine, vm, kind));
}

static void end_if_through(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    if (!vm_takes_part(engine, vm) ||
        (view_of(engine, vm, kind)->flags & VMRES_VIEW_UNCOOPERATIVE)) {
        vmres__order_give_up(engine, vm, kind);
    } else if (account_of(engine, vm, kind)->unincorporated == 0 &&
               vmres__removal_undisputed(engine, vm, kind) == ordered_now(engine, vm, kind)) {
        (void)part(engine, vm, kind);
        end(engine, vm, kind, "the order is carried out");
    }
}

/* Ends orders that are through; puts what is ordered in the place of the verdict. */
void vmres__order_apply(struct vmres_engine *engine, uint8_t kind_index)
{
    const struct kind *kind = &engine->kinds[kind_index];

    for (uint32_t vm = 0; vm < engine->top; vm++)
        if ((kind->views[vm].flags & VMRES_VIEW_PRESENT) && kind->accounts[vm].ordered != NONE)
            end_if_through(engine, vm, kind_index);
    for (uint32_t vm = 0; vm < engine->top && kind->orders > 0; vm++) {
        uint32_t told = vmres__removal_undisputed(engine, vm, kind_index);

        if ((kind->views[vm].flags & VMRES_VIEW_PRESENT) && kind->accounts[vm].ordered != NONE)
            vmres_verdict_set(&engine->work.verdict, vm,
                              ordered_now(engine, vm, kind_index) + kind->views[vm].charge - told,
                              "ordered");
    }
}

/* --- an end to everything --- */

static enum vmres_status settle(struct vmres_engine *engine, const struct vmres_event *event)
{
    engine->settling = true;
    engine->settle_ms = later(engine->now, event->as.terms.within_ms);
    return VMRES_OK;
}

static enum vmres_status resume(struct vmres_engine *engine)
{
    if (!engine->settling)
        return VMRES_STATE;
    engine->settling = false;
    return VMRES_OK;
}

/* Time is up: what is still to leave a donor is not waited for. What was given stays given. */
void vmres__settle_expire(struct vmres_engine *engine)
{
    uint32_t index, next;

    if (!engine->settling || engine->now < engine->settle_ms)
        return;
    engine->settle_ms = UINT64_MAX;
    for (index = engine->transfer_open; index != NONE; index = next) {
        struct transfer *t = &engine->transfers[index];

        next = t->next;
        if (t->state != VMRES_TRANSFER_PLANNED && t->asked > t->released)
            vmres__transfer_trim(engine, index, t->asked - t->released);
    }
}

int vmres_engine_settled(const struct vmres_engine *engine)
{
    return !engine || (engine->transfer_count == 0 && engine->command_open == NONE);
}

enum vmres_status vmres__operator_event(struct vmres_engine *engine,
                                        const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_FREEZE:
        return vmres__vm_freeze(engine, event);
    case VMRES_EVENT_THAW:
        return vmres__vm_thaw(engine, event);
    case VMRES_EVENT_SET:
        return set(engine, event);
    case VMRES_EVENT_MOVE:
        return move(engine, event);
    case VMRES_EVENT_SETTLE:
        return settle(engine, event);
    default:
        return resume(engine);
    }
}
