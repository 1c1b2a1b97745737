/* SPDX-License-Identifier: MIT */
/*
 * What each action must obey: I1 capacity, I3 floor, I4 ceiling and granule, I5 single command, I8
 * and I10 as of the judgement, I12 without a backend. The truth of what VMs hold is taken from the
 * world, never from the engine.
 */
#include "swarm/world.h"

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

/* Whether some VM is being adopted; where there are more kinds than one, it may be for another. */
static bool being_adopted(const struct world *world)
{
    struct vmres_vm_info info;

    for (uint32_t vm = 0; vm < world->slots && world->options.kinds == 1; vm++)
        if (vmres_engine_vm(world->engine, vm, &info) == VMRES_OK &&
            info.state == VMRES_VM_ADOPTING)
            return true;
    return false;
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
        if (!shadow->seeing && !shadow->claiming &&
            action->as.resize.target > shadow->vms[action->vm].accounts[action->kind].charge)
            BREACH(world, action, "I2: granted while there is a deficit");
        return;
    }
    sum += pool.reserved;
    for (uint32_t vm = 0; vm < world->slots; vm++)
        sum += bound_of(world, vm, action->kind);
    if (sum > shadow->capacity[action->kind] + shadow->tolerance[action->kind] * world->slots)
        BREACH(world, action, "I1: all VMs together could hold more than the host has");
}

/* A link may hold a piece beyond its ceiling, for as long as it has to pass it on. */
static uint64_t ceiling_of(const struct world *world, uint32_t vm, uint8_t kind)
{
    const struct shadow *shadow = &world->shadow;
    const struct shadow_account *account = &shadow->vms[vm].accounts[kind];
    uint64_t granule = world->resources[kind].granule;
    uint64_t piece = (shadow->capacity[kind] - shadow->reserve[kind]) / granule / 64 * granule;

    if (!place_matters(world, kind) || check_account(world, vm, kind).outgoing == 0)
        return least(account->ceiling, account->limit);
    return least(account->ceiling, account->limit) + most(piece, granule);
}

static void expect_growth(struct world *world, const struct vmres_action *action)
{
    const struct shadow_account *account = &world->shadow.vms[action->vm].accounts[action->kind];

    expect_room(world, action);
    if (action->as.resize.target > account->charge && !(action->flags & VMRES_ACTION_INITIAL) &&
        being_adopted(world))
        BREACH(world, action, "I13: granted before all VMs that ran before are pinned");
    if (action->as.resize.target > ceiling_of(world, action->vm, action->kind))
        BREACH(world, action, "I4: above its ceiling");
}

/* Of the other removals that are open on this account. */
static uint64_t lowest_target(const struct shadow *shadow, const struct vmres_action *action)
{
    uint64_t lowest = NEVER;

    for (uint32_t i = 0; i < shadow->command_count; i++) {
        const struct shadow_command *other = &shadow->commands[i];

        if (other->vm == action->vm && other->kind == action->kind && other->id != action->id &&
            other->type == action->type)
            lowest = least(lowest, other->target);
    }
    return lowest;
}

/* What was under way goes on, and is not judged again: what is told to stop no lower than before;
 * in a dry run, which asks for nothing new, every link and piece of a chain. */
static bool goes_on(const struct world *world, const struct vmres_action *action)
{
    if (place_matters(world, action->kind))
        return world->shadow.dry;
    return action->as.resize.target >= lowest_target(&world->shadow, action);
}

static void expect_shrink(struct world *world, const struct vmres_action *action)
{
    const struct shadow_account *account = &world->shadow.vms[action->vm].accounts[action->kind];
    uint64_t target = action->as.resize.target;
    bool old = goes_on(world, action);

    if (place_matters(world, action->kind) && target >= account->own) {
        world_fault(world, LINK_GIVES); /* what is not its own */
        return;
    }
    if (world->shadow.dry && !old)
        BREACH(world, action, "a removal in a dry run");
    if (target < least(account->floor, account->limit))
        BREACH(world, action, "I3: below its floor");
    if (old)
        return;
    /* An operator's command, a lowered ceiling among them, needs no report. */
    if (world->policies[action->kind].ops->commands ||
        target >= least(account->ceiling, account->limit) ||
        target >= orders_lowest(world, action->vm, action->kind))
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
    struct shadow_command *command = shadow_find(&world->shadow, action->as.cancel.command);

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
    if (world->shadow.vms[action->vm].frozen[0] || world->shadow.vms[action->vm].frozen[1])
        BREACH(world, action, "a VM that is to be left alone is resized");
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
    if (action->type == VMRES_ACTION_INQUIRE && shadow->settling)
        BREACH(world, action, "an inquiry while everything is to settle");
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
