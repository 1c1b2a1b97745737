/* SPDX-License-Identifier: MIT */
/*
 * What a device is told to do, and the answers it owes. A holding has at most one open resize of
 * each direction; a newer one takes over from an older, which is ended first. Invariants: every
 * command taken is answered by exactly one final, unless its VM dies; cumulative amounts never
 * shrink, and never exceed what was asked. How fast things move is device.c's.
 */
#include "internal.h"

/* Where to look for a command first: ids are as good as random, holdings are few. */
static uint32_t *guess_of(struct vmres_sim *sim, uint64_t id)
{
    return &sim->by_command[(id ^ id >> 24) & (sim->command_slots - 1)];
}

static struct sim_vm *vm_of(struct vmres_sim *sim, uint32_t place)
{
    return &sim->vms[place / 2 / sim->options.kinds];
}

static struct sim_command *command_at(struct vmres_sim *sim, uint32_t place)
{
    return &sim->holdings[place / 2].commands[place % 2];
}

/* Returns the place of an open command, twice its holding plus its direction; or VMRES_VM_NONE. */
static uint32_t find(struct vmres_sim *sim, uint64_t id)
{
    uint32_t places = sim->vm_count * sim->options.kinds * 2;
    uint32_t place = *guess_of(sim, id);

    if (id == 0)
        return VMRES_VM_NONE;
    if (place < places && command_at(sim, place)->id == id)
        return place;
    for (place = 0; place < places; place++) {
        if (command_at(sim, place)->id == id)
            return place;
    }
    return VMRES_VM_NONE;
}

static void answer(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind, struct vmres_event event)
{
    struct sim_holding *holding = &vm->holdings[kind];

    event.valid = vmres__sim_host_words(sim, kind);
    event.as.answer.held = sim_reading(holding);
    if (event.valid & VMRES_VALID_WITNESS)
        event.as.answer.witness = holding->held;
    holding->told.held = sim_reading(holding);
    holding->told.witness = holding->held;
    vmres__sim_shadow_seen(sim, vm, kind);
    /* There is always room for an answer; it is refused only where the VM is known to be gone. */
    (void)vmres__sim_host_post(sim, &event);
}

/* Answers an open resize; `result` is of account with VMRES_FLAG_FINAL, which also ends it. */
static void tell(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                 enum sim_direction direction, struct sim_end end)
{
    struct sim_command *command = &vm->holdings[kind].commands[direction];
    struct vmres_event event = vmres__sim_host_event(
        vm, direction == SIM_SHRINK ? VMRES_EVENT_REMOVED : VMRES_EVENT_INCORPORATED, kind);

    event.id = command->id;
    event.flags = end.final ? VMRES_FLAG_FINAL : 0;
    event.result = (uint16_t)end.result;
    event.as.answer.amount = command->amount;
    if (end.final)
        command->id = 0;
    answer(sim, vm, kind, event);
}

/* Moves the cumulative amount on by what the device reads now; false: it stands where it stood. */
static bool count_progress(struct sim_command *command, enum sim_direction direction,
                           uint64_t reading)
{
    uint64_t moved = direction == SIM_SHRINK ? sim_less(command->from, reading)
                                             : sim_less(reading, command->from);

    moved = sim_min(moved, command->asked);
    if (moved <= command->amount)
        return false;
    command->amount = moved;
    return true;
}

/* How much of the way a guest goes that will not go all of it. */
static bool gives_up(const struct sim_holding *holding, uint64_t reading)
{
    const struct sim_command *command = &holding->commands[SIM_SHRINK];

    return command->id != 0 && sim_hurt_by(holding, VMRES_SIM_PARTIAL) &&
           reading <= vmres__sim_command_limit(holding);
}

uint64_t vmres__sim_command_limit(const struct sim_holding *holding)
{
    const struct sim_command *command = &holding->commands[SIM_SHRINK];

    if (command->id == 0 || !sim_hurt_by(holding, VMRES_SIM_PARTIAL))
        return holding->target;
    return sim_max(holding->target,
                   command->from -
                       sim_share(sim_less(command->from, command->target), holding->hurt.partial));
}

void vmres__sim_command_progress(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                                 enum sim_direction direction)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct sim_command *command = &holding->commands[direction];
    uint64_t reading = sim_reading(holding);
    bool moved, reached;

    if (command->id == 0)
        return;
    moved = count_progress(command, direction, reading);
    reached = direction == SIM_SHRINK ? reading <= command->target : reading >= command->target;
    if (reached) {
        tell(sim, vm, kind, direction, (struct sim_end){true, VMRES_RESULT_DONE});
    } else if (direction == SIM_SHRINK && gives_up(holding, reading)) {
        holding->moving = false;
        tell(sim, vm, kind, direction, (struct sim_end){true, VMRES_RESULT_PARTIAL});
    } else if (moved) {
        tell(sim, vm, kind, direction, (struct sim_end){false, VMRES_RESULT_DONE});
    }
}

static void resize(struct vmres_sim *sim, struct sim_vm *vm, const struct vmres_action *action,
                   enum sim_direction direction)
{
    struct sim_holding *holding = &vm->holdings[action->kind];
    struct sim_command *command = &holding->commands[direction];

    if (command->id != 0)
        tell(sim, vm, action->kind, direction, (struct sim_end){true, VMRES_RESULT_SUPERSEDED});
    *command = (struct sim_command){
        .id = action->id,
        .target = action->as.resize.target,
        .asked = action->as.resize.amount,
        .from = sim_reading(holding),
    };
    *guess_of(sim, action->id) = (uint32_t)(holding - sim->holdings) * 2 + (uint32_t)direction;
    vmres__sim_device_aim(holding, action->as.resize.target);
}

/* Answered at once: it is the host that acts. */
static void configure(struct vmres_sim *sim, struct sim_vm *vm, const struct vmres_action *action)
{
    struct sim_holding *holding = &vm->holdings[action->kind];
    bool pin = action->type == VMRES_ACTION_PIN;
    bool first = !pin && (action->flags & VMRES_ACTION_INITIAL) != 0 && vm->life == SIM_ADDED;
    struct vmres_event event =
        vmres__sim_host_event(vm, pin ? VMRES_EVENT_PINNED : VMRES_EVENT_REASSIGNED, action->kind);

    if (first)
        holding->held = action->as.resize.target;
    if (first || pin)
        vmres__sim_device_aim(holding, action->as.resize.target);
    event.id = action->id;
    event.flags = VMRES_FLAG_FINAL;
    event.result = VMRES_RESULT_DONE;
    answer(sim, vm, action->kind, event);
    if (first)
        vmres__sim_life_allotted(sim, vm, action->kind);
}

enum vmres_status vmres__sim_command_take(struct vmres_sim *sim, const struct vmres_action *action)
{
    struct sim_vm *vm = vmres__sim_attach_find(sim, action->vm);

    if (!vm || action->kind >= sim->options.kinds)
        return VMRES_UNKNOWN;
    if (action->incarnation != vm->incarnation)
        return VMRES_STALE;
    vmres__sim_shadow_command(sim, vm, action);
    if (vm->life == SIM_LOST)
        return VMRES_OK; /* nobody is there who would answer */
    switch (action->type) {
    case VMRES_ACTION_REQUEST_REMOVAL:
        resize(sim, vm, action, SIM_SHRINK);
        return VMRES_OK;
    case VMRES_ACTION_NOTIFY:
        resize(sim, vm, action, SIM_GROW);
        return VMRES_OK;
    case VMRES_ACTION_REASSIGN:
    case VMRES_ACTION_PIN:
        configure(sim, vm, action);
        return VMRES_OK;
    default:
        return VMRES_UNSUPPORTED;
    }
}

void vmres__sim_command_cancel(struct vmres_sim *sim, uint64_t id)
{
    uint32_t place = find(sim, id);
    struct sim_vm *vm;
    uint8_t kind;

    if (place == VMRES_VM_NONE)
        return;
    vm = vm_of(sim, place);
    kind = (uint8_t)(place / 2 % sim->options.kinds);
    vmres__sim_device_aim(&vm->holdings[kind], sim_reading(&vm->holdings[kind]));
    vmres__sim_shadow_cancelled(sim, vm, kind);
    tell(sim, vm, kind, (enum sim_direction)(place % 2),
         (struct sim_end){true, VMRES_RESULT_CANCELLED});
}

void vmres__sim_command_drop(struct sim_vm *vm, uint32_t kinds)
{
    for (uint32_t kind = 0; kind < kinds; kind++) {
        vm->holdings[kind].commands[SIM_SHRINK].id = 0;
        vm->holdings[kind].commands[SIM_GROW].id = 0;
    }
}
