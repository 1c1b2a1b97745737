/* SPDX-License-Identifier: MIT */
/*
 * A look at everything after each step: the audit, conservation (I2), charges against what devices
 * truly hold (I6), that a refused event changed nothing (I9), bounds (I11); and in the end whether
 * everything has come to rest (I7).
 */
#include <stdio.h>
#include <string.h>

#include "swarm/world.h"

struct vmres_account_info check_account(const struct world *world, uint32_t vm, uint8_t kind)
{
    struct vmres_account_info info;

    memset(&info, 0, sizeof info);
    if (vmres_engine_account(world->engine, vm, kind, &info) != VMRES_OK)
        memset(&info, 0, sizeof info);
    return info;
}

/* --- all that can be asked, in one number; ages move with the clock and are left out --- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * 0x9e3779b97f4a7c15u ^ hash >> 29;
}

static uint64_t mix_account(uint64_t hash, const struct vmres_account_info *info)
{
    const uint64_t words[] = {
        info->floor,         info->ceiling, info->entitlement, info->charge,   info->disputed,
        info->target,        info->held,    info->witness,     info->limit,    info->used,
        info->available,     info->free,    info->outgoing,    info->incoming, info->weight,
        info->participation, info->stall,   info->flags};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        hash = mix(hash, words[i]);
    return hash;
}

static uint64_t mix_transfers(uint64_t hash, const struct world *world)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info)) {
        hash = mix(hash, info.id);
        hash = mix(hash, (uint64_t)info.state << 32 | info.kind);
        hash = mix(hash, info.asked);
        hash = mix(hash, info.released);
        hash = mix(hash, info.placed);
        hash = mix(hash, info.incorporated);
    }
    return hash;
}

uint64_t check_digest(const struct world *world)
{
    struct vmres_vm_info vm;
    struct vmres_account_info info;
    struct vmres_pool_info pool;
    uint64_t hash = 1;

    for (uint32_t v = 0; v < world->slots; v++) {
        if (vmres_engine_vm(world->engine, v, &vm) == VMRES_OK)
            hash = mix(hash, (uint64_t)vm.state << 32 | vm.incarnation);
        for (uint8_t k = 0; k < world->options.kinds; k++) {
            info = check_account(world, v, k);
            hash = mix_account(hash, &info);
        }
    }
    for (uint8_t k = 0; k < world->options.kinds; k++)
        if (vmres_engine_pool(world->engine, k, &pool) == VMRES_OK)
            hash = mix(mix(mix(mix(hash, pool.free), pool.deficit), pool.reserved),
                       pool.capacity - pool.reserve);
    return mix_transfers(hash, world);
}

/* --- one account --- */

/* I6: the charge covers what the VM holds and was told to hold, as far as the engine was told. */
static void check_charge(struct world *world, uint32_t vm, uint8_t kind, uint64_t charge)
{
    const struct device *device = &world->guests[vm].devices[kind];
    uint64_t most = device->held > device->target ? device->held : device->target;

    if (!world->guests[vm].present || device->before != NEVER ||
        world->shadow.vms[vm].incarnation != world->guests[vm].incarnation)
        return;
    if (charge + world->shadow.tolerance[kind] < most)
        world_fail(world, "I6: vm%u kind%u is charged with %llu, holds %llu, was told %llu", vm,
                   kind, (unsigned long long)charge, (unsigned long long)device->held,
                   (unsigned long long)device->target);
}

/* A charge rises to what was seen, no further. */
static void check_rise(struct world *world, const struct vmres_event *event, uint64_t charge)
{
    const struct shadow_account *account = &world->shadow.vms[event->vm].accounts[event->kind];
    uint64_t granule = world->resources[event->kind].granule;
    uint64_t seen = account->charge;
    struct vmres_vm_info vm;

    if (vmres_engine_vm(world->engine, event->vm, &vm) != VMRES_OK || vm.state != VMRES_VM_LIVE)
        return;
    if ((event->valid & VMRES_VALID_HELD) && event->as.observed.held > seen)
        seen = event->as.observed.held;
    if ((event->valid & VMRES_VALID_TARGET) && event->as.observed.target > seen)
        seen = event->as.observed.target;
    if ((event->valid & VMRES_VALID_WITNESS) && event->as.observed.witness > seen)
        seen = event->as.observed.witness;
    if (charge > seen && charge - seen >= granule)
        world_fail(world, "vm%u kind%u: charged with %llu, but only %llu was seen", event->vm,
                   event->kind, (unsigned long long)charge, (unsigned long long)seen);
}

static uint64_t check_accounts(struct world *world, const struct vmres_event *event, uint8_t kind)
{
    uint64_t charged = 0;

    for (uint32_t vm = 0; vm < world->slots; vm++) {
        struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];
        struct vmres_account_info info = check_account(world, vm, kind);

        charged += info.charge;
        if (!world->shadow.vms[vm].known)
            continue;
        check_charge(world, vm, kind, info.charge);
        if (event->type == VMRES_EVENT_OBSERVED && event->vm == vm && event->kind == kind)
            check_rise(world, event, info.charge);
        account->charge = info.charge;
        if (!world->shadow.vms[vm].live || info.charge < account->own)
            account->own = info.charge; /* it passes nothing on, or has given */
        account->used = account->used < info.held ? account->used : info.held;
    }
    return charged;
}

/* --- one kind, and all --- */

static void check_kind(struct world *world, const struct vmres_event *event, uint8_t kind)
{
    uint64_t charged = check_accounts(world, event, kind);
    struct vmres_pool_info pool;

    if (vmres_engine_pool(world->engine, kind, &pool) != VMRES_OK)
        return;
    world->shadow.deficit[kind] = pool.deficit;
    charged += pool.reserved;
    if (pool.charged != charged || pool.transit != 0 ||
        pool.capacity != world->shadow.capacity[kind] ||
        pool.reserve != world->shadow.reserve[kind] || (pool.deficit > 0 && pool.free > 0) ||
        pool.free + charged + pool.transit + pool.reserve != pool.capacity + pool.deficit)
        world_fail(world,
                   "I2: kind%u: free %llu + charged %llu + reserve %llu, capacity %llu, "
                   "deficit %llu",
                   kind, (unsigned long long)pool.free, (unsigned long long)charged,
                   (unsigned long long)pool.reserve, (unsigned long long)pool.capacity,
                   (unsigned long long)pool.deficit);
}

static void check_transfers(struct world *world)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0, count = 0;
    uint32_t most = world->options.max_transfers ? world->options.max_transfers
                                                 : 2 * world->options.max_vms + 64;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info)) {
        count++;
        orders_transfer(world, &info);
        if (info.donor == info.recipient || info.kind >= world->options.kinds ||
            info.state >= VMRES_TRANSFER_DONE)
            world_fail(world, "I5: a transfer that cannot be");
        if (info.state == VMRES_TRANSFER_PLANNED && !world->shadow.dry)
            world_fail(world, "a plan of a dry run outlives it");
    }
    if (count > most)
        world_fail(world, "I11: %u transfers of %u at most", count, most);
}

void check_step(struct world *world, const struct vmres_event *event, enum vmres_status status)
{
    bool refused = status != VMRES_OK && status != VMRES_MORE;
    uint64_t digest = check_digest(world);
    struct vmres_error error;
    struct vmres_vm_info info;

    if (refused && digest != world->shadow.digest)
        world_fail(world, "I9: a refused event of type %u changed something: %s", event->type,
                   vmres_status_name(status));
    world->shadow.digest = digest;
    if (refused)
        return;
    if (vmres_engine_audit(world->engine, &error) != VMRES_OK)
        world_fail(world, "audit: %s", error.message);
    for (uint8_t k = 0; k < world->options.kinds; k++)
        check_kind(world, event, k);
    check_transfers(world);
    orders_check(world);
    for (uint32_t vm = 0; vm < world->slots; vm++)
        world->shadow.vms[vm].live =
            vmres_engine_vm(world->engine, vm, &info) == VMRES_OK && info.state == VMRES_VM_LIVE;
}

/* --- rest --- */

/* Whether one that takes no part keeps others from what lies behind it. */
static bool has_walls(const struct world *world, uint8_t kind)
{
    for (uint32_t vm = 0; vm < world->slots && place_matters(world, kind); vm++)
        if (world->shadow.vms[vm].known &&
            check_account(world, vm, kind).participation == VMRES_PARTICIPATE_OFF)
            return true;
    return false;
}

/* Limits may be changed on a host that has become too small for what it had promised. */
static bool has_floors(const struct world *world, uint8_t kind)
{
    uint64_t floors = world->shadow.reserve[kind];

    for (uint32_t vm = 0; vm < world->slots; vm++)
        if (world->shadow.vms[vm].known)
            floors += world->shadow.vms[vm].accounts[kind].floor;
    return floors <= world->shadow.capacity[kind];
}

static void check_rest(const struct world *world, uint8_t kind, char *why, size_t size)
{
    bool walled = has_walls(world, kind) || !has_floors(world, kind);
    struct vmres_pool_info pool;
    bool all_live = true;

    for (uint32_t vm = 0; vm < world->slots; vm++) {
        const struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];
        struct vmres_vm_info info;
        uint64_t floor = account->floor < account->limit ? account->floor : account->limit;

        if (vmres_engine_vm(world->engine, vm, &info) != VMRES_OK)
            continue;
        all_live &= info.state == VMRES_VM_LIVE || info.state == VMRES_VM_VACANT;
        if (info.state == VMRES_VM_SILENT || info.state == VMRES_VM_ADOPTING)
            snprintf(why, size, "vm%u is silent or adopting", vm);
        else if (info.state == VMRES_VM_FROZEN)
            snprintf(why, size, "vm%u is frozen", vm);
        /* Where there is hardly a table of transfers, the first to ask may starve the others. */
        else if (info.state == VMRES_VM_LIVE && world->options.max_transfers == 0 && !walled &&
                 check_account(world, vm, kind).charge < floor)
            snprintf(why, size, "vm%u kind%u is below its floor", vm, kind);
    }
    if (vmres_engine_pool(world->engine, kind, &pool) == VMRES_OK && pool.deficit > 0)
        snprintf(why, size, "kind%u has a deficit", kind);
    /* A VM that never came up may keep what others miss. */
    if (!all_live && strstr(why, "silent") == NULL)
        why[0] = '\0';
}

/* Says why it is not at rest yet; empty: it is. */
void check_settled(struct world *world, char *why, size_t size)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    why[0] = '\0';
    for (uint8_t k = 0; k < world->options.kinds && !why[0]; k++)
        check_rest(world, k, why, size);
    while (vmres_engine_next_transfer(world->engine, &cursor, &info))
        snprintf(why, size, "a transfer from vm%d to vm%d is open", (int)info.donor,
                 (int)info.recipient);
    if (world->shadow.command_count > 0)
        snprintf(why, size, "a command to vm%u of type %u is open", world->shadow.commands[0].vm,
                 world->shadow.commands[0].type);
}
