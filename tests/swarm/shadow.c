/* SPDX-License-Identifier: MIT */
/*
 * The shadow's books: what an engine was told and accepted, and what was claimed when it judged.
 * They are compared with nothing here; what each action must obey is obey.c's.
 */
#include <string.h>

#include "swarm/world.h"

static uint64_t round_down(const struct world *world, uint8_t kind, uint64_t amount)
{
    return amount - amount % world->resources[kind].granule;
}

static uint64_t round_up(const struct world *world, uint8_t kind, uint64_t amount)
{
    uint64_t over = amount % world->resources[kind].granule;

    /* Claims may be anything; none of use is near the end of the numbers. */
    if (over == 0 || amount > UINT64_MAX / 2)
        return amount - over;
    return amount - over + world->resources[kind].granule;
}

void shadow_open(struct world *world)
{
    struct shadow *shadow = &world->shadow;

    memset(shadow, 0, sizeof *shadow);
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        shadow->capacity[k] = round_down(world, k, world->resources[k].capacity);
        shadow->reserve[k] =
            least(round_up(world, k, world->resources[k].reserve), shadow->capacity[k]);
    }
    for (uint8_t k = 0; k < world->options.kinds; k++)
        shadow->tolerance[k] = round_up(world, k, world->resources[k].tolerance);
    shadow->dry = world->options.dry_run;
    shadow->digest = check_digest(world);
}

/* --- commands --- */

struct shadow_command *shadow_find(struct shadow *shadow, uint64_t id)
{
    for (uint32_t i = 0; i < shadow->command_count; i++)
        if (shadow->commands[i].id == id)
            return &shadow->commands[i];
    return NULL;
}

static void forget_commands(struct shadow *shadow, uint32_t vm, bool all)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < shadow->command_count; i++)
        if (!all && shadow->commands[i].vm != vm)
            shadow->commands[kept++] = shadow->commands[i];
    shadow->command_count = kept;
}

/* What left a block is its VM's own no longer, whatever comes to lie there on its way. */
static void end_command(struct shadow *shadow, const struct vmres_event *event)
{
    struct shadow_command *command = shadow_find(shadow, event->id);
    struct shadow_account *account = &shadow->vms[event->vm].accounts[event->kind];

    if (!command || !(event->flags & VMRES_FLAG_FINAL))
        return;
    if (command->type == VMRES_ACTION_REQUEST_REMOVAL && event->result == VMRES_RESULT_DONE)
        account->own = least(account->own, command->target);
    *command = shadow->commands[--shadow->command_count];
}

/* --- events --- */

static void take_claim(struct world *world, const struct vmres_event *event)
{
    struct shadow_account *account = &world->shadow.vms[event->vm].accounts[event->kind];
    struct vmres_account_info info = check_account(world, event->vm, event->kind);
    struct vmres_vm_info vm;
    uint64_t available = round_down(world, event->kind, event->as.report.available);

    if (!(event->valid & (VMRES_VALID_USED | VMRES_VALID_AVAILABLE)) ||
        vmres_engine_vm(world->engine, event->vm, &vm) != VMRES_OK ||
        (vm.state != VMRES_VM_LIVE && vm.state != VMRES_VM_ADOPTING))
        return;
    account->used = event->valid & VMRES_VALID_USED
                        ? round_up(world, event->kind, event->as.report.used)
                        : info.held - least(info.held, available);
    account->stall = event->valid & VMRES_VALID_STALL ? event->result : 0;
    account->reported = true;
    account->reported_ms = event->time_ms - least(event->as.report.age_ms, INT32_MAX);
}

static void take_vm(struct world *world, const struct vmres_event *event)
{
    struct shadow_vm *vm = &world->shadow.vms[event->vm];
    struct shadow_account *account = &vm->accounts[event->kind];

    switch (event->type) {
    case VMRES_EVENT_VM_ADDED:
        *vm = (struct shadow_vm){.known = true, .incarnation = event->incarnation};
        for (uint32_t k = 0; k < KINDS; k++)
            vm->accounts[k] =
                (struct shadow_account){.limit = NEVER, .ordered = NEVER, .ordered_low = NEVER};
        break;
    case VMRES_EVENT_VM_LIMITS:
        account->floor = round_up(world, event->kind, event->as.limits.floor);
        account->ceiling = round_down(world, event->kind, event->as.limits.ceiling);
        break;
    case VMRES_EVENT_VM_GONE:
        vm->known = false;
        forget_commands(&world->shadow, event->vm, false);
        break;
    default:
        if (event->valid & VMRES_VALID_LIMIT)
            account->limit = round_down(world, event->kind, event->as.observed.limit);
    }
}

static void take_host(struct shadow *shadow, struct world *world, const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_CAPACITY:
        shadow->capacity[event->kind] = round_down(world, event->kind, event->as.capacity.capacity);
        shadow->reserve[event->kind] = round_up(world, event->kind, event->as.capacity.reserve);
        break;
    case VMRES_EVENT_BACKEND_LOST:
        shadow->halted = true;
        forget_commands(shadow, 0, true);
        break;
    case VMRES_EVENT_BACKEND_READY:
        shadow->halted = false;
        break;
    case VMRES_EVENT_DRY_RUN:
        shadow->dry = event->result == 1;
        break;
    default:
        break;
    }
}

/* A word of a new life. */
static void take_birth(struct shadow *shadow, const struct vmres_event *event)
{
    struct shadow_vm *vm = &shadow->vms[event->vm];

    if (!vm->known || event->incarnation <= vm->incarnation)
        return;
    vm->incarnation = event->incarnation;
    for (uint32_t k = 0; k < KINDS; k++)
        vm->accounts[k].reported = false;
    forget_commands(shadow, event->vm, false);
}

void shadow_event(struct world *world, const struct vmres_event *event, enum vmres_status status)
{
    struct shadow *shadow = &world->shadow;
    struct vmres_counters counters;

    if (status != VMRES_OK && status != VMRES_MORE)
        return;
    shadow->claiming = event->type == VMRES_EVENT_CLAIM;
    shadow->seeing =
        event->type >= VMRES_EVENT_OBSERVED && event->type <= VMRES_EVENT_PINNED &&
        (event->valid & (VMRES_VALID_HELD | VMRES_VALID_WITNESS | VMRES_VALID_TARGET)) != 0;
    switch (event->type) {
    case VMRES_EVENT_REPORT:
    case VMRES_EVENT_SAMPLES:
        take_birth(shadow, event);
        if (event->type == VMRES_EVENT_REPORT)
            take_claim(world, event);
        break;
    case VMRES_EVENT_VM_LIVE:
    case VMRES_EVENT_OBSERVED:
        take_birth(shadow, event);
        take_vm(world, event);
        break;
    case VMRES_EVENT_VM_ADDED:
    case VMRES_EVENT_VM_LIMITS:
    case VMRES_EVENT_VM_GONE:
        take_vm(world, event);
        break;
    case VMRES_EVENT_FREEZE:
    case VMRES_EVENT_THAW:
    case VMRES_EVENT_SET:
    case VMRES_EVENT_MOVE:
    case VMRES_EVENT_RESERVE:
    case VMRES_EVENT_RELEASE:
    case VMRES_EVENT_CLAIM:
    case VMRES_EVENT_SETTLE:
    case VMRES_EVENT_RESUME:
    case VMRES_EVENT_TIMEOUT:
        orders_event(world, event);
        break;
    case VMRES_EVENT_REMOVED:
    case VMRES_EVENT_REASSIGNED:
    case VMRES_EVENT_INCORPORATED:
    case VMRES_EVENT_PINNED:
        end_command(shadow, event);
        break;
    default:
        take_host(shadow, world, event);
    }
    vmres_engine_counters(world->engine, &counters);
    if (counters.judgements != shadow->judgements)
        shadow_judged(world);
    shadow->judgements = counters.judgements;
}

/* --- the judgement --- */

static bool in_transfer(const struct world *world, uint32_t vm, uint8_t kind)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    while (vmres_engine_next_transfer(world->engine, &cursor, &info))
        if (info.kind == kind && (info.donor == vm || info.recipient == vm))
            return true;
    return false;
}

static void judge_account(struct world *world, uint32_t vm, uint8_t kind)
{
    struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];
    struct vmres_account_info info = check_account(world, vm, kind);
    uint32_t periods = world->options.stale_periods ? world->options.stale_periods : 3;
    uint64_t need;

    if (place_matters(world, kind)) {
        bool rests = !world->shadow.dry && !in_transfer(world, vm, kind);

        if (rests && account->rests) /* what nobody waits for any more is its own */
            account->own = info.charge;
        account->rests = rests;
        info.charge = least(info.charge, account->own);
        info.held = least(info.held, account->own);
    }
    account->used = least(account->used, info.held);
    /* Whoever stalls needs no less than it holds; what it says is gone it does not hold. */
    need = account->stall > 0 ? most(account->used, least(info.charge, info.held)) : account->used;
    account->protected = least(need, info.entitlement);
    account->fresh = account->reported && world->now - account->reported_ms <=
                                              (uint64_t)periods * world->options.period_ms;
    orders_judged(world, vm, kind);
    if (info.entitlement < least(account->floor, account->limit) ||
        info.entitlement > least(account->ceiling, account->limit))
        world_fail(world, "vm%u kind%u: its entitlement is not between floor and ceiling", vm,
                   kind);
}

void shadow_judged(struct world *world)
{
    for (uint8_t k = 0; k < world->options.kinds; k++)
        for (uint32_t vm = 0; vm < world->slots; vm++)
            if (world->shadow.vms[vm].known)
                judge_account(world, vm, k);
}
