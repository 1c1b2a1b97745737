/* SPDX-License-Identifier: MIT */
/*
 * What operators have asked for, as far as the engine accepted it: who is frozen, who is to hold
 * what, what is reserved, whether everything is to come to rest. And what must follow from it.
 */
#include "swarm/world.h"

/* --- what was ordered --- */

static uint64_t within_limits(const struct shadow_account *account, uint64_t amount)
{
    return least(most(amount, least(account->floor, account->limit)),
                 least(account->ceiling, account->limit));
}

static void order(struct world *world, uint32_t vm, uint8_t kind, uint64_t amount)
{
    struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];

    amount -= amount % world->resources[kind].granule;
    account->ordered = within_limits(account, amount);
    account->ordered_low = least(account->ordered_low, account->ordered);
    account->reached = false;
}

static void take_order(struct world *world, const struct vmres_event *event)
{
    uint64_t granule = world->resources[event->kind].granule;
    uint64_t amount = event->as.order.amount - event->as.order.amount % granule;
    uint32_t to = (uint32_t)event->as.order.recipient;

    if (event->type == VMRES_EVENT_SET) {
        order(world, event->vm, event->kind, amount);
        return;
    }
    order(world, event->vm, event->kind,
          world->shadow.vms[event->vm].accounts[event->kind].charge - amount);
    order(world, to, event->kind, world->shadow.vms[to].accounts[event->kind].charge + amount);
}

/* The least an account may be told to hold because of an order; NEVER: there is none. */
uint64_t orders_lowest(const struct world *world, uint32_t vm, uint8_t kind)
{
    const struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];

    return account->ordered_low == NEVER ? NEVER : within_limits(account, account->ordered_low);
}

/* An order that was carried out by the last step, or that cannot be, ends with a judgement. */
void orders_judged(struct world *world, uint32_t vm, uint8_t kind)
{
    struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];

    if (account->ordered == NEVER)
        return;
    if (account->reached || (check_account(world, vm, kind).flags & VMRES_VIEW_UNCOOPERATIVE))
        account->ordered = NEVER;
    account->ordered_low = account->ordered;
}

static bool waits(const struct world *world, uint32_t vm, uint8_t kind)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info))
        if (info.kind == kind && info.recipient == vm && info.placed > info.incorporated)
            return true;
    return false;
}

static void look_at_order(struct world *world, uint32_t vm, uint8_t kind)
{
    struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];
    struct vmres_account_info info;
    struct vmres_vm_info state;

    if (account->ordered == NEVER)
        return;
    info = check_account(world, vm, kind);
    if (vmres_engine_vm(world->engine, vm, &state) != VMRES_OK || state.state != VMRES_VM_LIVE)
        account->ordered = account->ordered_low = NEVER;
    else
        account->reached = info.disputed == 0 && !waits(world, vm, kind) &&
                           info.charge == within_limits(account, account->ordered);
}

/* --- what is reserved --- */

static struct shadow_reservation *find(struct shadow *shadow, uint64_t id)
{
    for (uint32_t i = 0; i < shadow->reservation_count; i++)
        if (shadow->reservations[i].id == id)
            return &shadow->reservations[i];
    return NULL;
}

static void take_reservation(struct world *world, const struct vmres_event *event)
{
    struct shadow *shadow = &world->shadow;
    uint64_t within = event->as.terms.within_ms;

    if (shadow->reservation_count == RESERVATIONS || find(shadow, event->id)) {
        world_fail(world, "more reservations, or the same one twice");
        return;
    }
    shadow->reservations[shadow->reservation_count++] = (struct shadow_reservation){
        .id = event->id,
        .most = event->as.terms.maximum,
        .expires_ms = within > NEVER - world->now ? NEVER : world->now + within,
        .kind = event->kind};
}

static void drop(struct shadow *shadow, struct shadow_reservation *reservation)
{
    *reservation = shadow->reservations[--shadow->reservation_count];
}

/* What was kept for it is charged to the VM, up to its ceiling; no more than its floor where a
 * deficit must be worked off first. */
static void take_claim(struct world *world, const struct vmres_event *event)
{
    struct shadow_reservation *reservation = find(&world->shadow, event->id);
    const struct shadow_account *account;
    uint64_t expected, charge;

    if (!reservation) {
        world_fail(world, "what was never reserved is claimed");
        return;
    }
    world_fault(world, CLAIM_TAKEN);
    account = &world->shadow.vms[event->vm].accounts[reservation->kind];
    expected = least(reservation->charge, least(account->ceiling, account->limit));
    expected = most(expected, account->charge);
    charge = check_account(world, event->vm, reservation->kind).charge;
    if (charge != expected && (world->shadow.deficit[reservation->kind] == 0 || charge > expected ||
                               charge < account->floor))
        world_fail(world, "vm%u claims %llu and is charged with something else", event->vm,
                   (unsigned long long)reservation->charge);
    drop(&world->shadow, reservation);
}

static void expire(struct shadow *shadow, uint64_t now)
{
    for (uint32_t i = shadow->reservation_count; i-- > 0;)
        if (now >= shadow->reservations[i].expires_ms)
            drop(shadow, &shadow->reservations[i]);
    shadow->settle_over |= shadow->settling && now >= shadow->settle_ms;
}

static void look_at_reservations(struct world *world)
{
    struct shadow *shadow = &world->shadow;
    uint64_t sums[KINDS] = {0};
    struct vmres_reservation_info info;
    struct vmres_pool_info pool;

    for (uint32_t i = 0; i < shadow->reservation_count; i++) {
        struct shadow_reservation *it = &shadow->reservations[i];

        if (vmres_engine_reservation(world->engine, it->id, &info) != VMRES_OK ||
            vmres_engine_pool(world->engine, it->kind, &pool) != VMRES_OK) {
            world_fail(world, "reservation %llu is lost", (unsigned long long)it->id);
            return;
        }
        if (info.charge > it->most || info.ready != (info.charge >= info.minimum))
            world_fail(world, "a reservation has more than its maximum, or is not ready");
        if (info.charge > it->charge && pool.deficit > 0)
            world_fail(world, "I2: reserved while there is a deficit");
        it->charge = info.charge;
        sums[it->kind] += info.charge;
    }
    for (uint8_t k = 0; k < world->options.kinds; k++)
        if (vmres_engine_pool(world->engine, k, &pool) == VMRES_OK && pool.reserved != sums[k])
            world_fail(world, "kind%u: somebody else's room is reserved", k);
}

/* --- events --- */

void orders_event(struct world *world, const struct vmres_event *event)
{
    struct shadow *shadow = &world->shadow;

    switch (event->type) {
    case VMRES_EVENT_FREEZE:
    case VMRES_EVENT_THAW:
        shadow->vms[event->vm].frozen[(event->flags & VMRES_FLAG_HOST) != 0] =
            event->type == VMRES_EVENT_FREEZE;
        break;
    case VMRES_EVENT_SET:
    case VMRES_EVENT_MOVE:
        take_order(world, event);
        break;
    case VMRES_EVENT_RESERVE:
        take_reservation(world, event);
        break;
    case VMRES_EVENT_RELEASE:
        drop(shadow, find(shadow, event->id));
        break;
    case VMRES_EVENT_CLAIM:
        take_claim(world, event);
        break;
    case VMRES_EVENT_TIMEOUT:
        expire(shadow, world->now);
        break;
    default: /* SETTLE, RESUME */
        shadow->settling = event->type == VMRES_EVENT_SETTLE;
        shadow->settle_over = false;
        shadow->settled_ms = world->now;
        shadow->settle_ms = event->as.terms.within_ms > NEVER - world->now
                                ? NEVER
                                : world->now + event->as.terms.within_ms;
    }
}

/* While all is to settle nothing is begun, and in the end nothing more is to leave anybody. */
void orders_transfer(struct world *world, const struct vmres_transfer_info *info)
{
    const struct shadow *shadow = &world->shadow;

    if (shadow->settling && info->started_ms > shadow->settled_ms)
        world_fail(world, "a transfer is begun while everything is to settle");
    if (shadow->settle_over && info->asked > info->released &&
        info->state != VMRES_TRANSFER_PLANNED)
        world_fail(world, "a transfer goes on when all was to have settled");
    if (fleet_vetoes(world, info->id) && info->started_ms < world->calm_ms)
        world_fail(world, "a transfer is begun that the embedder would not have");
}

void orders_check(struct world *world)
{
    look_at_reservations(world);
    for (uint32_t vm = 0; vm < world->slots; vm++)
        for (uint8_t k = 0; k < world->options.kinds && world->shadow.vms[vm].known; k++)
            look_at_order(world, vm, k);
}
