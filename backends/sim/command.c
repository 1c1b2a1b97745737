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
    event.as.answer.held = vmres__sim_host_reading(holding);
    holding->told.held = event.as.answer.held;
    holding->told.witness = vmres__sim_host_witness(sim, holding);
    if (event.valid & VMRES_VALID_WITNESS)
        event.as.answer.witness = holding->told.witness;
    vmres__sim_shadow_seen(sim, vm, kind);
    /* There is always room for an answer; it is refused only where the VM is known to be gone. */
    (void)vmres__sim_host_post(sim, &event);
}

static enum vmres_event_type answering(const struct sim_command *command,
                                       enum sim_direction direction)
{
    if (command->pin)
        return VMRES_EVENT_PINNED;
    return direction == SIM_SHRINK ? VMRES_EVENT_REMOVED : VMRES_EVENT_INCORPORATED;
}

/* Answers an open resize; `result` is of account with VMRES_FLAG_FINAL, which also ends it. */
static void tell(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                 enum sim_direction direction, struct sim_end end)
{
    struct sim_command *command = &vm->holdings[kind].commands[direction];
    struct vmres_event event = vmres__sim_host_event(vm, answering(command, direction), kind);

    event.id = command->id;
    event.flags = end.final ? VMRES_FLAG_FINAL : 0;
    event.result = (uint16_t)end.result;
    event.as.answer.amount = command->amount;
    command->untold = false;
    command->told_ms = sim->now;
    if (end.final)
        command->id = 0;
    answer(sim, vm, kind, event);
}

/* Moves the cumulative amount on by what the device reads now. */
static void count_progress(struct sim_command *command, enum sim_direction direction,
                           uint64_t reading)
{
    uint64_t moved = direction == SIM_SHRINK ? sim_less(command->from, reading)
                                             : sim_less(reading, command->from);

    moved = sim_min(moved, command->asked);
    if (moved <= command->amount)
        return;
    command->amount = moved;
    command->untold = true;
}

/* The target, as near as whole pieces come to it from above or from below. */
static uint64_t rounded(const struct sim_holding *holding, bool up)
{
    const struct vmres_sim_fault *rough = sim_hurt_by(holding, VMRES_SIM_ROUGH);
    uint64_t rest = rough && rough->amount ? holding->target % rough->amount : 0;

    if (rest == 0)
        return holding->target;
    return up ? holding->target + (rough->amount - rest) : holding->target - rest;
}

uint64_t vmres__sim_command_limit(const struct sim_holding *holding)
{
    const struct sim_command *command = &holding->commands[SIM_SHRINK];
    const struct vmres_sim_fault *partial = sim_hurt_by(holding, VMRES_SIM_PARTIAL);
    uint64_t limit = rounded(holding, true);

    if (command->id == 0 || command->pin || !partial)
        return limit;
    return sim_max(limit, command->from -
                              sim_share(sim_less(command->from, command->target), partial->share));
}

uint64_t vmres__sim_command_reach(const struct sim_holding *holding)
{
    return rounded(holding, false);
}

/* Whether the guest has gone as far as it will, short of the target. */
static bool gives_up(const struct sim_holding *holding, enum sim_direction direction,
                     uint64_t reading)
{
    if (holding->commands[direction].pin)
        return false;
    if (direction == SIM_SHRINK)
        return (sim_hurt_by(holding, VMRES_SIM_PARTIAL) || sim_hurt_by(holding, VMRES_SIM_ROUGH)) &&
               reading <= vmres__sim_command_limit(holding);
    return sim_hurt_by(holding, VMRES_SIM_ROUGH) && reading >= vmres__sim_command_reach(holding);
}

/* Whether what has come so far is to be told now, before the end. */
static bool is_worth_telling(const struct vmres_sim *sim, const struct sim_holding *holding,
                             const struct sim_command *command)
{
    const struct vmres_sim_fault *throttle = sim_hurt_by(holding, VMRES_SIM_THROTTLE);

    if (throttle && sim->now - command->told_ms < throttle->amount)
        return false;
    return command->untold || sim_hurt_by(holding, VMRES_SIM_REPEAT);
}

static bool is_reached(const struct vmres_sim *sim, const struct sim_holding *holding, uint8_t kind,
                       enum sim_direction direction)
{
    uint64_t reading = vmres__sim_host_reading(holding);
    uint64_t target = holding->commands[direction].target;

    if (direction == SIM_GROW)
        return reading >= target;
    return vmres__sim_place_matters(sim, kind) ? vmres__sim_place_outside(holding) == 0
                                               : reading <= target;
}

void vmres__sim_command_progress(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                                 enum sim_direction direction)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct sim_command *command = &holding->commands[direction];
    uint64_t reading = vmres__sim_host_reading(holding);

    if (command->id == 0)
        return;
    count_progress(command, direction, reading);
    if (is_reached(sim, holding, kind, direction)) {
        tell(sim, vm, kind, direction, (struct sim_end){true, VMRES_RESULT_DONE});
    } else if (gives_up(holding, direction, reading)) {
        holding->moving = false;
        tell(sim, vm, kind, direction, (struct sim_end){true, VMRES_RESULT_PARTIAL});
    } else if (is_worth_telling(sim, holding, command)) {
        tell(sim, vm, kind, direction, (struct sim_end){false, VMRES_RESULT_DONE});
    }
}

/* Whether this guest will not, or its device is not there. */
static bool refuses(const struct vmres_sim *sim, const struct sim_holding *holding,
                    const struct vmres_action *action)
{
    const struct vmres_sim_fault *refusal = sim_hurt_by(holding, VMRES_SIM_REFUSE);
    uint64_t chance = vmres__sim_noise_stream(sim->options.seed ^ action->id, action->vm,
                                              action->kind, SIM_FOR_CHANCE);

    return sim_hurt_by(holding, VMRES_SIM_NO_DEVICE) ||
           (refusal && chance % VMRES_PPM < refusal->share);
}

/* From now on the device pursues this. */
static void aim(struct vmres_sim *sim, struct sim_vm *vm, const struct vmres_action *action)
{
    struct sim_holding *holding = &vm->holdings[action->kind];

    if (vmres__sim_place_matters(sim, action->kind))
        vmres__sim_place_obey(holding, action);
    vmres__sim_device_aim(holding, action->as.resize.target);
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
        .from = vmres__sim_host_reading(holding),
        .told_ms = sim->now,
    };
    if (refuses(sim, holding, action)) {
        vmres__sim_shadow_cancelled(sim, vm, action->kind);
        tell(sim, vm, action->kind, direction, (struct sim_end){true, VMRES_RESULT_REFUSED});
        return;
    }
    if (sim_hurt_by(holding, VMRES_SIM_FALSE_DONE)) {
        if (direction == SIM_GROW) /* of a release none but the witness can tell */
            vmres__sim_shadow_cancelled(sim, vm, action->kind);
        holding->feigned = direction == SIM_SHRINK;
        command->amount = command->asked;
        holding->told.target = command->target; /* so the driver must think */
        tell(sim, vm, action->kind, direction, (struct sim_end){true, VMRES_RESULT_DONE});
        return;
    }
    *guess_of(sim, action->id) = (uint32_t)(holding - sim->holdings) * 2 + (uint32_t)direction;
    aim(sim, vm, action);
}

/* Answered at once: it is the host that acts. */
static void configure(struct vmres_sim *sim, struct sim_vm *vm, const struct vmres_action *action)
{
    struct sim_holding *holding = &vm->holdings[action->kind];
    bool pin = action->type == VMRES_ACTION_PIN;
    bool first = !pin && (action->flags & VMRES_ACTION_INITIAL) != 0 && vm->life == SIM_ADDED;
    struct vmres_event event =
        vmres__sim_host_event(vm, pin ? VMRES_EVENT_PINNED : VMRES_EVENT_REASSIGNED, action->kind);

    if (vmres__sim_place_matters(sim, action->kind))
        vmres__sim_place_obey(holding, action);
    if (first)
        holding->held = action->as.resize.target;
    if (first || pin)
        vmres__sim_device_aim(holding, action->as.resize.target);
    if (pin) /* an engine that heard late of a lost link has closed what we still work at */
        holding->commands[SIM_SHRINK].id = holding->commands[SIM_GROW].id = 0;
    event.id = action->id;
    event.flags = VMRES_FLAG_FINAL;
    event.result =
        sim_hurt_by(holding, VMRES_SIM_NO_DEVICE) ? VMRES_RESULT_REFUSED : VMRES_RESULT_DONE;
    answer(sim, vm, action->kind, event);
    if (first)
        vmres__sim_life_allotted(sim, vm, action->kind);
}

/* A block is where it is to be when nothing of its VM lies outside any more. */
static void pin_block(struct vmres_sim *sim, struct sim_vm *vm, const struct vmres_action *action)
{
    struct sim_holding *holding = &vm->holdings[action->kind];

    holding->commands[SIM_GROW].id = 0;
    holding->commands[SIM_SHRINK] = (struct sim_command){.id = action->id,
                                                         .target = action->as.resize.target,
                                                         .from = vmres__sim_host_reading(holding),
                                                         .told_ms = sim->now,
                                                         .pin = true};
    if (sim_hurt_by(holding, VMRES_SIM_NO_DEVICE)) {
        vmres__sim_shadow_cancelled(sim, vm, action->kind);
        tell(sim, vm, action->kind, SIM_SHRINK, (struct sim_end){true, VMRES_RESULT_REFUSED});
        return;
    }
    *guess_of(sim, action->id) = (uint32_t)(holding - sim->holdings) * 2 + (uint32_t)SIM_SHRINK;
    aim(sim, vm, action);
    vmres__sim_command_progress(sim, vm, action->kind, SIM_SHRINK);
}

/* Ends a command early, if it is still open. */
static void call_off(struct vmres_sim *sim, uint64_t id)
{
    uint32_t place = find(sim, id);
    struct sim_vm *vm;
    uint8_t kind;

    if (place == VMRES_VM_NONE)
        return;
    vm = vm_of(sim, place);
    kind = (uint8_t)(place / 2 % sim->options.kinds);
    vmres__sim_device_aim(&vm->holdings[kind], sim_reading(&vm->holdings[kind]));
    vmres__sim_place_stay(&vm->holdings[kind]);
    vmres__sim_shadow_cancelled(sim, vm, kind);
    tell(sim, vm, kind, (enum sim_direction)(place % 2),
         (struct sim_end){true, VMRES_RESULT_CANCELLED});
}

enum vmres_status vmres__sim_command_take(struct vmres_sim *sim, const struct vmres_action *action)
{
    struct sim_vm *vm = vmres__sim_attach_find(sim, action->vm);

    if (!vm || action->kind >= sim->options.kinds)
        return VMRES_UNKNOWN;
    if (action->incarnation != vm->incarnation)
        return VMRES_STALE;
    if (action->type < VMRES_ACTION_REQUEST_REMOVAL || action->type > VMRES_ACTION_PIN)
        return VMRES_UNSUPPORTED;
    if (sim->link_down)
        return VMRES_IO;
    if (!vmres__sim_delay_fits(sim))
        return VMRES_LIMIT;
    vmres__sim_shadow_command(sim, vm, action);
    if (vm->life == SIM_LOST)
        return VMRES_OK; /* nobody is there who would answer */
    if (!vmres__sim_delay_keep(sim, vm, action))
        vmres__sim_command_carry_out(sim, vm, action);
    return VMRES_OK;
}

void vmres__sim_command_carry_out(struct vmres_sim *sim, struct sim_vm *vm,
                                  const struct vmres_action *action)
{
    vmres__sim_shadow_arrived(sim, vm, action);
    if (action->type == VMRES_ACTION_CANCEL)
        call_off(sim, action->as.cancel.command);
    else if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        resize(sim, vm, action, SIM_SHRINK);
    else if (action->type == VMRES_ACTION_NOTIFY)
        resize(sim, vm, action, SIM_GROW);
    else if (action->type == VMRES_ACTION_PIN && vmres__sim_place_matters(sim, action->kind))
        pin_block(sim, vm, action);
    else
        configure(sim, vm, action);
}

void vmres__sim_command_cancel(struct vmres_sim *sim, uint64_t id)
{
    struct vmres_action action = {.type = VMRES_ACTION_CANCEL, .as.cancel.command = id};
    uint32_t place = find(sim, id);
    struct sim_vm *vm = place == VMRES_VM_NONE
                            ? vmres__sim_attach_find(sim, vmres__sim_delay_whose(sim, id))
                            : vm_of(sim, place);

    if (!vm)
        return;
    action.vm = vm->id;
    if (!vmres__sim_delay_keep(sim, vm, &action))
        vmres__sim_command_carry_out(sim, vm, &action);
}

void vmres__sim_command_drop(struct vmres_sim *sim, struct sim_vm *vm)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        vm->holdings[kind].commands[SIM_SHRINK].id = 0;
        vm->holdings[kind].commands[SIM_GROW].id = 0;
    }
    vmres__sim_delay_drop(sim, vm);
}
