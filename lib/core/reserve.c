/* SPDX-License-Identifier: MIT */
/*
 * Reservations: room for a VM that is about to start. Named by the owner's id, between a minimum
 * and a maximum, for a limited time. The minimum is gathered like what a floor demands, before
 * anybody grows; the rest up to the maximum only from what is free when nobody wants it. What a
 * reservation has is charged like a VM's, so nobody else can be given it; claiming it passes the
 * charge on to the VM in one entry, so that it is never in two hands, nor in none. It is no VM,
 * though: in a deficit it gives back what it has beyond its minimum before anybody is asked, and
 * the rest when nobody can be.
 *
 * Invariant: a reservation in use has an id other than 0; charge <= maximum; those in use come
 * first, in order of age.
 */
#include <string.h>

#include "internal.h"

static struct reservation *find(const struct vmres_engine *engine, uint64_t id)
{
    for (uint32_t i = 0; i < engine->max_reservations; i++)
        if (engine->reservations[i].id == id)
            return &engine->reservations[i];
    return NULL;
}

static void tell(const struct vmres_engine *engine, const struct reservation *reservation,
                 const char *reason)
{
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_RESERVED,
                                                     .level = VMRES_TRACE_INFO,
                                                     .kind = reservation->kind,
                                                     .vm = VMRES_VM_NONE,
                                                     .other = VMRES_VM_NONE,
                                                     .transfer = reservation->id,
                                                     .amount = reservation->charge,
                                                     .target = reservation->minimum,
                                                     .reason = reason});
}

static void draw(struct vmres_engine *engine, struct reservation *reservation, uint32_t upto)
{
    struct ledger *ledger = &engine->kinds[reservation->kind].ledger;
    uint64_t grantable = vmres__ledger_grantable(ledger);
    uint32_t wanted = upto > reservation->charge ? upto - reservation->charge : 0;
    bool had_minimum = reservation->charge >= reservation->minimum;

    wanted = grantable < wanted ? (uint32_t)grantable : wanted;
    if (wanted == 0)
        return;
    vmres__ledger_draw(ledger, wanted);
    vmres__ledger_place(ledger, &reservation->charge, wanted);
    if (!had_minimum && reservation->charge >= reservation->minimum)
        tell(engine, reservation, "ready");
}

enum share { TO_MINIMUM, TO_MAXIMUM };

/* One loop for both: in order of age, and never while VMs are being adopted. */
static void draw_all(struct vmres_engine *engine, uint8_t kind, enum share share)
{
    if (engine->kinds[kind].adopting > 0)
        return;
    for (uint32_t i = 0; i < engine->max_reservations; i++) {
        struct reservation *r = &engine->reservations[i];

        if (r->id != 0 && r->kind == kind)
            draw(engine, r, share == TO_MINIMUM ? r->minimum : r->maximum);
    }
}

/* What is free goes to the minima first. */
void vmres__reserve_feed(struct vmres_engine *engine, uint8_t kind)
{
    draw_all(engine, kind, TO_MINIMUM);
}

/* What nobody wanted in this judgement. */
void vmres__reserve_fill(struct vmres_engine *engine, uint8_t kind)
{
    draw_all(engine, kind, TO_MAXIMUM);
}

/* The youngest first. Returns what is still missing. */
uint64_t vmres__reserve_yield(struct vmres_engine *engine, uint8_t kind, uint64_t missing,
                              bool minima_too)
{
    for (uint32_t i = vmres__reserve_count(engine); i-- > 0 && missing > 0;) {
        struct reservation *r = &engine->reservations[i];
        uint32_t least = minima_too ? 0 : r->minimum;
        uint32_t piece = r->charge - min_u32(r->charge, least);

        piece = missing < piece ? (uint32_t)missing : piece;
        if (r->kind != kind || piece == 0)
            continue;
        vmres__ledger_shed(&engine->kinds[kind].ledger, &r->charge, piece);
        missing -= piece;
        tell(engine, r, "the host lacks it: given back");
    }
    return missing;
}

/* How many there are: they come first in the table. */
uint32_t vmres__reserve_count(const struct vmres_engine *engine)
{
    uint32_t count = 0;

    while (count < engine->max_reservations && engine->reservations[count].id != 0)
        count++;
    return count;
}

/* What the minima still miss. */
uint64_t vmres__reserve_need(const struct vmres_engine *engine, uint8_t kind)
{
    uint64_t need = 0;

    for (uint32_t i = 0; i < engine->max_reservations; i++) {
        const struct reservation *r = &engine->reservations[i];

        if (r->id != 0 && r->kind == kind && r->minimum > r->charge)
            need += r->minimum - r->charge;
    }
    return need;
}

uint64_t vmres__reserve_charged(const struct vmres_engine *engine, uint8_t kind)
{
    uint64_t charged = 0;

    for (uint32_t i = 0; i < engine->max_reservations; i++)
        if (engine->reservations[i].id != 0 && engine->reservations[i].kind == kind)
            charged += engine->reservations[i].charge;
    return charged;
}

static void end(struct vmres_engine *engine, struct reservation *reservation, const char *reason)
{
    struct reservation *last = &engine->reservations[engine->max_reservations - 1];

    tell(engine, reservation, reason);
    vmres__ledger_shed(&engine->kinds[reservation->kind].ledger, &reservation->charge,
                       reservation->charge);
    memmove(reservation, reservation + 1, (size_t)(last - reservation) * sizeof *reservation);
    *last = (struct reservation){0};
}

static enum vmres_status reserve(struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct kind *kind = &engine->kinds[event->kind];
    uint32_t minimum = granules_up(kind, event->as.terms.minimum);
    uint32_t maximum = granules_down(kind, event->as.terms.maximum);
    uint64_t usable = kind->ledger.capacity - kind->ledger.reserve;
    struct reservation *slot;

    if (kind->blocks)
        return VMRES_UNSUPPORTED; /* an amount is not a hole */
    if (event->id == 0 || minimum > maximum || event->as.terms.within_ms == 0)
        return VMRES_INVALID;
    if (find(engine, event->id))
        return VMRES_EXISTS;
    if (kind->floors + vmres__reserve_charged(engine, event->kind) +
            vmres__reserve_need(engine, event->kind) + minimum >
        usable)
        return VMRES_NOROOM;
    slot = find(engine, 0);
    if (slot == NULL)
        return VMRES_LIMIT;
    *slot = (struct reservation){.id = event->id,
                                 .owner = event->as.terms.owner,
                                 .expires_ms = later(engine->now, event->as.terms.within_ms),
                                 .minimum = minimum,
                                 .maximum = maximum,
                                 .kind = event->kind};
    tell(engine, slot, "asked for");
    vmres__reserve_feed(engine, event->kind);
    engine->round.notice = true;
    return VMRES_OK;
}

static enum vmres_status release(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct reservation *reservation = event->id == 0 ? NULL : find(engine, event->id);

    if (reservation == NULL)
        return VMRES_UNKNOWN;
    end(engine, reservation, "released");
    return VMRES_OK;
}

/* The VM's first allotment is what was reserved for it, up to its ceiling. What it was seen to hold
 * already is a part of that. */
static enum vmres_status claim(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct reservation *reservation = event->id == 0 ? NULL : find(engine, event->id);
    struct vm *vm = &engine->vms[event->vm];
    struct account *account;
    struct vmres_view *view;
    uint32_t piece;
    uint8_t bit;

    if (reservation == NULL)
        return VMRES_UNKNOWN;
    bit = (uint8_t)(1u << reservation->kind);
    account = account_of(engine, event->vm, reservation->kind);
    view = view_of(engine, event->vm, reservation->kind);
    if (vm->state != VMRES_VM_BOOTING || (vm->flags & VM_ADOPTED) || !(vm->limited & bit) ||
        (vm->allotted & bit))
        return VMRES_STATE;
    if (reservation->charge < view->floor)
        return VMRES_NOROOM;
    piece = min_u32(reservation->charge, view->ceiling);
    piece -= min_u32(piece, view->charge);
    view->charge += piece;
    reservation->charge -= piece;
    vm->allotted |= bit;
    account->initial = view->charge;
    account->flags |= ACCOUNT_INITIAL;
    vmres__settle_mark(engine, event->vm, reservation->kind);
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_ALLOT,
                                                     .level = VMRES_TRACE_INFO,
                                                     .kind = reservation->kind,
                                                     .vm = event->vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = view->charge,
                                                     .target = view->charge,
                                                     .reason = "reserved for it"});
    end(engine, reservation, "claimed");
    return VMRES_OK;
}

uint64_t vmres__reserve_deadline(const struct vmres_engine *engine)
{
    uint64_t soonest = UINT64_MAX;

    for (uint32_t i = 0; i < engine->max_reservations; i++)
        if (engine->reservations[i].id != 0 && engine->reservations[i].expires_ms < soonest)
            soonest = engine->reservations[i].expires_ms;
    return soonest;
}

void vmres__reserve_expire(struct vmres_engine *engine)
{
    struct reservation *all = engine->reservations;
    uint32_t i = 0;

    while (i < engine->max_reservations && all[i].id != 0) {
        if (engine->now >= all[i].expires_ms)
            end(engine, &all[i], "expired"); /* the next one moves up */
        else
            i++;
    }
}

enum vmres_status vmres_engine_reservation(const struct vmres_engine *engine, uint64_t id,
                                           struct vmres_reservation_info *info)
{
    const struct reservation *r;
    const struct kind *kind;

    if (engine == NULL || info == NULL)
        return VMRES_INVALID;
    r = id == 0 ? NULL : find(engine, id);
    if (r == NULL)
        return VMRES_UNKNOWN;
    kind = &engine->kinds[r->kind];
    *info = (struct vmres_reservation_info){
        .owner = r->owner,
        .minimum = units_of(kind, r->minimum),
        .maximum = units_of(kind, r->maximum),
        .charge = units_of(kind, r->charge),
        .expires_ms = r->expires_ms,
        .kind = r->kind,
        .ready = r->charge >= r->minimum,
    };
    return VMRES_OK;
}

enum vmres_status vmres__reserve_event(struct vmres_engine *engine, const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_RESERVE:
        return reserve(engine, event);
    case VMRES_EVENT_RELEASE:
        return release(engine, event);
    default:
        return claim(engine, event);
    }
}
