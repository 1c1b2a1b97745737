/* SPDX-License-Identifier: MIT */
/*
 * The shadow's books, and what each action must obey: I1 capacity, I3 floor, I4 ceiling and
 * granule, I5 single command, I8 and I10 as of the judgement, I12 without a backend. The truth of
 * what VMs hold is taken from the world, never from the engine.
 */
#include <string.h>

#include "swarm/world.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

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

static struct shadow_command *find(struct shadow *shadow, uint64_t id)
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

static void end_command(struct shadow *shadow, const struct vmres_event *event)
{
    struct shadow_command *command = find(shadow, event->id);

    if (command && (event->flags & VMRES_FLAG_FINAL))
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
            vm->accounts[k].limit = NEVER;
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

static void judge_account(struct world *world, uint32_t vm, uint8_t kind)
{
    struct shadow_account *account = &world->shadow.vms[vm].accounts[kind];
    struct vmres_account_info info = check_account(world, vm, kind);
    uint32_t periods = world->options.stale_periods ? world->options.stale_periods : 3;
    uint64_t need;

    account->used = least(account->used, info.held);
    need = account->stall > 0 ? most(account->used, info.charge) : account->used;
    account->protected = least(need, info.entitlement);
    account->fresh = account->reported && world->now - account->reported_ms <=
                                              (uint64_t)periods * world->options.period_ms;
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

/* --- actions --- */

#define BREACH(world, action, text) \
    world_fail(world, "%s: vm%u kind%u type %u target %llu", text, (action)->vm, (action)->kind, \
               (action)->type, (unsigned long long)(action)->as.resize.target)

/* The most this VM can hold by all commands it was sent and all that was told of it. */
static uint64_t bound_of(const struct world *world, uint32_t vm, uint8_t kind)
{
    const struct device *device = &world->guests[vm].devices[kind];
    const struct shadow *shadow = &world->shadow;
    uint64_t bound = least(most(device->held, device->target), device->before);

    for (uint32_t i = 0; i < shadow->command_count; i++) {
        const struct shadow_command *command = &shadow->commands[i];
        bool grows = command->type == VMRES_ACTION_REASSIGN || command->type == VMRES_ACTION_NOTIFY;

        if (grows && command->vm == vm && command->kind == kind)
            bound = most(bound, command->target);
    }
    return bound;
}

/* I1: this growth is entered among the shadow's commands already. */
static void expect_room(struct world *world, const struct vmres_action *action)
{
    const struct shadow *shadow = &world->shadow;
    struct vmres_pool_info pool;
    uint64_t sum = shadow->reserve[action->kind];
    uint64_t charge = check_account(world, action->vm, action->kind).charge;

    if (action->as.resize.target > charge)
        BREACH(world, action, "I1: promised more than it is charged with");
    if (vmres_engine_pool(world->engine, action->kind, &pool) != VMRES_OK)
        return;
    if (pool.deficit > 0) {
        /* What was seen in this step may have raised the charge; nothing else may. */
        if (!shadow->seeing &&
            action->as.resize.target > shadow->vms[action->vm].accounts[action->kind].charge)
            BREACH(world, action, "I2: granted while there is a deficit");
        return;
    }
    for (uint32_t vm = 0; vm < world->slots; vm++)
        sum += bound_of(world, vm, action->kind);
    if (sum > shadow->capacity[action->kind] + shadow->tolerance[action->kind] * world->slots)
        BREACH(world, action, "I1: all VMs together could hold more than the host has");
}

static void expect_growth(struct world *world, const struct vmres_action *action)
{
    const struct shadow_account *account = &world->shadow.vms[action->vm].accounts[action->kind];

    expect_room(world, action);
    if (action->as.resize.target > least(account->ceiling, account->limit))
        BREACH(world, action, "I4: above its ceiling");
}

static void expect_shrink(struct world *world, const struct vmres_action *action)
{
    const struct shadow_account *account = &world->shadow.vms[action->vm].accounts[action->kind];
    uint64_t target = action->as.resize.target;

    if (target < least(account->floor, account->limit))
        BREACH(world, action, "I3: below its floor");
    /* An operator's command, a lowered ceiling among them, needs no report. */
    if (world->policies[action->kind].ops->commands ||
        target >= least(account->ceiling, account->limit))
        return;
    if (!account->fresh)
        BREACH(world, action, "I10: shrunk on an old report");
    if (target < account->protected)
        BREACH(world, action, "I8: shrunk below min(need, entitlement)");
}

/* I5: what else is open on this account. */
static void expect_alone(struct world *world, const struct vmres_action *action)
{
    struct shadow *shadow = &world->shadow;
    bool owed = false;

    for (uint32_t i = 0; i < shadow->command_count; i++) {
        struct shadow_command *other = &shadow->commands[i];
        bool grant = action->type == VMRES_ACTION_REASSIGN || action->type == VMRES_ACTION_NOTIFY;

        if (other->vm != action->vm || other->kind != action->kind)
            continue;
        if (grant && other->type != action->type &&
            (other->type == VMRES_ACTION_REASSIGN || other->type == VMRES_ACTION_NOTIFY))
            continue;
        if (action->type != other->type)
            BREACH(world, action, "I5: a command of the other direction is open");
        else if (action->type == VMRES_ACTION_PIN || action->type == VMRES_ACTION_REASSIGN ||
                 other->cancelled || owed)
            BREACH(world, action, "I5: a command of this direction is open");
        owed = other->superseded;
        other->superseded = true;
    }
}

static void enter(struct world *world, const struct vmres_action *action)
{
    struct shadow *shadow = &world->shadow;

    if (shadow->command_count == COMMANDS) {
        world_fail(world, "I11: too many commands are open");
        return;
    }
    shadow->commands[shadow->command_count++] =
        (struct shadow_command){.id = action->id,
                                .target = action->as.resize.target,
                                .vm = action->vm,
                                .kind = action->kind,
                                .type = action->type};
}

static void take_cancel(struct world *world, const struct vmres_action *action)
{
    struct shadow_command *command = find(&world->shadow, action->as.cancel.command);

    if (!command || command->cancelled || command->superseded)
        BREACH(world, action, "I5: cancels what is not open");
    else
        command->cancelled = true;
}

static void take_resize(struct world *world, const struct vmres_action *action)
{
    bool initial = (action->flags & VMRES_ACTION_INITIAL) != 0;
    struct vmres_vm_info vm;

    if (vmres_engine_vm(world->engine, action->vm, &vm) != VMRES_OK)
        return;
    if (action->type != VMRES_ACTION_PIN && !initial && vm.state != VMRES_VM_LIVE)
        BREACH(world, action, "a VM that is not live is resized");
    if (action->as.resize.target % world->resources[action->kind].granule != 0)
        BREACH(world, action, "I4: not a multiple of the granule");
    expect_alone(world, action);
    enter(world, action);
    if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        expect_shrink(world, action);
    else if (action->type == VMRES_ACTION_PIN)
        expect_room(world, action);
    else
        expect_growth(world, action);
}

void shadow_action(struct world *world, const struct vmres_action *action)
{
    struct shadow *shadow = &world->shadow;

    if (shadow->halted)
        BREACH(world, action, "I12: an action while there is no backend");
    if (action->id == 0 || action->time_ms != world->now)
        BREACH(world, action, "an action without id or of another time");
    if (action->type == VMRES_ACTION_INQUIRE)
        return;
    if (action->vm >= world->slots || action->kind >= world->options.kinds ||
        !shadow->vms[action->vm].known ||
        shadow->vms[action->vm].incarnation != action->incarnation) {
        BREACH(world, action, "I9: a command to nobody");
        return;
    }
    if (action->type == VMRES_ACTION_CANCEL)
        take_cancel(world, action);
    else
        take_resize(world, action);
}
