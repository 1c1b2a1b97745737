/* SPDX-License-Identifier: MIT */
/*
 * What the driver asked for, and the answers it is owed.
 *
 *     resize:       aim at the target --> read, read, ... --> reached, or nothing more will come
 *     that grew:    and its guest sees it, or nobody can tell; else what it does not see goes back
 *     cancel, pin:  read --> tell it to stay at that --> read the same, twice --> answered
 *     by another:   superseded: a resize by one of its direction, or by a pin; a pin by either
 *
 * Invariants: every command taken is answered by exactly one final, unless its life of the VM ends;
 * cumulative amounts never shrink and never exceed what was asked; an answer speaks of what was
 * read after the last setting. A command is never given up here because it is slow: that is the
 * engine's business, and while QEMU does not answer there is no truthful answer to give.
 */
#include "internal.h"

static bool can_move(const struct kvm_vm *vm)
{
    return vmres__kvm_part_movable(&vm->parts, VMRES_KVM_BALLOON) ||
           vmres__kvm_part_movable(&vm->parts, VMRES_KVM_VIRTIO_MEM);
}

#define STILL_LOOKS 2  /* so often seen to hold the same, it rests */
#define WAIT_LOOKS 16u /* then it is not waited for any more */

bool vmres__kvm_command_open(const struct kvm_vm *vm)
{
    return vm->commands[KVM_SHRINK].id != 0 || vm->commands[KVM_GROW].id != 0 || vm->pin != 0;
}

/* What was doubted of one command is not of the next, which begins later. */
static void forget_doubt(struct kvm_vm *vm)
{
    vm->doubted_ms[KVM_SAYING_FINAL] = 0;
}

void vmres__kvm_command_drop(struct kvm_vm *vm)
{
    forget_doubt(vm);
    vm->commands[KVM_SHRINK].id = 0;
    vm->commands[KVM_GROW].id = 0;
    vm->pin = 0;
    vm->aim = KVM_AIM_NONE;
    vmres__kvm_sight_grow(vm, false);
}

/* --- answers --- */

static void answer(struct kvm_vm *vm, struct vmres_event *event)
{
    event->as.answer.held = vmres__kvm_part_held(&vm->parts);
    event->valid = VMRES_VALID_HELD;
    if (vm->witness.seen != KVM_UNKNOWN) {
        event->as.answer.witness = vm->witness.seen;
        event->valid |= VMRES_VALID_WITNESS;
    }
    vm->told.held = event->as.answer.held;
    vm->told.witness = vm->witness.seen;
    /* There is always room for a final; of the others the next one says as much. */
    (void)vmres__kvm_life_post(vm, event);
    if (!vmres__kvm_command_open(vm))
        forget_doubt(vm);
}

static void tell(struct kvm_vm *vm, enum kvm_direction direction)
{
    struct vmres_event event = {.type = direction == KVM_SHRINK ? VMRES_EVENT_REMOVED
                                                                : VMRES_EVENT_INCORPORATED,
                                .id = vm->commands[direction].id};

    event.as.answer.amount = vm->commands[direction].amount;
    vmres__kvm_witness_look(vm);
    answer(vm, &event);
}

/* By whose word it counts as taken in. */
static void end_growth(struct kvm_vm *vm, enum vmres_result result)
{
    if (result == VMRES_RESULT_DONE && vmres__kvm_sight_judge(vm) == KVM_SEEN)
        vm->verified++;
    else if (result == VMRES_RESULT_DONE)
        vm->unverified++;
    vmres__kvm_sight_grow(vm, false);
}

static void end(struct kvm_vm *vm, enum kvm_direction direction, enum vmres_result result)
{
    struct kvm_command *command = &vm->commands[direction];
    struct vmres_event event = {.type = direction == KVM_SHRINK ? VMRES_EVENT_REMOVED
                                                                : VMRES_EVENT_INCORPORATED,
                                .id = command->id,
                                .flags = VMRES_FLAG_FINAL,
                                .result = (uint16_t)result};

    event.as.answer.amount = command->amount;
    vmres__kvm_witness_look(vm);
    command->id = 0;
    if (direction == KVM_GROW && result != VMRES_RESULT_SUPERSEDED)
        end_growth(vm, result);
    answer(vm, &event);
}

static void end_pin(struct kvm_vm *vm, enum vmres_result result)
{
    struct vmres_event event = {.type = VMRES_EVENT_PINNED,
                                .id = vm->pin,
                                .flags = VMRES_FLAG_FINAL,
                                .result = (uint16_t)result};

    if (vm->pin == 0)
        return;
    vm->pin = 0;
    vmres__kvm_witness_look(vm);
    answer(vm, &event);
}

static bool is_cancelled(const struct kvm_vm *vm, int direction)
{
    return vm->commands[direction].id != 0 && vm->commands[direction].cancelled;
}

static void end_cancelled(struct kvm_vm *vm)
{
    for (int direction = KVM_SHRINK; direction <= KVM_GROW; direction++)
        if (is_cancelled(vm, direction))
            end(vm, (enum kvm_direction)direction, VMRES_RESULT_CANCELLED);
}

/* As much as there is, and no more will come. */
static void end_short(struct kvm_vm *vm)
{
    enum kvm_direction direction = vm->direction;

    vm->aim = KVM_AIM_NONE;
    if (vm->commands[direction].id != 0)
        end(vm, direction,
            vm->commands[direction].amount > 0 ? VMRES_RESULT_PARTIAL : VMRES_RESULT_REFUSED);
}

/* --- progress --- */

/* What it holds and, as far as is known, its guest has use of. */
static uint64_t taken_in(const struct kvm_vm *vm)
{
    return kvm_less(vmres__kvm_part_held(&vm->parts), vmres__kvm_sight_missing(vm));
}

static void count(struct kvm_vm *vm, enum kvm_direction direction)
{
    struct kvm_command *command = &vm->commands[direction];
    uint64_t held = vmres__kvm_part_held(&vm->parts);
    uint64_t moved;

    if (command->id == 0)
        return;
    moved = direction == KVM_SHRINK ? kvm_less(command->from, held)
                                    : kvm_less(taken_in(vm), command->from);
    moved = kvm_min(moved, command->asked);
    if (moved <= command->amount)
        return;
    command->amount = moved;
    tell(vm, direction);
}

static bool reached(const struct kvm_vm *vm)
{
    uint64_t held = vmres__kvm_part_held(&vm->parts);

    return vm->direction == KVM_SHRINK ? held <= vm->target : held >= vm->target;
}

/* What the host sees of it has to be made sure of, before something final is said. */
static bool is_doubted(struct kvm_vm *vm)
{
    return vmres__kvm_witness_waits(vm, KVM_SAYING_FINAL);
}

/* Whether a device has still to move. Aims anew where something else moved meanwhile. */
static bool is_moving(struct kvm_vm *vm)
{
    if (reached(vm))
        return false;
    if (!vmres__kvm_part_settled(&vm->parts))
        return true;
    vmres__kvm_part_aim(&vm->parts, vm->target);
    return !vmres__kvm_part_settled(&vm->parts);
}

static void end_reached(struct kvm_vm *vm)
{
    vm->aim = KVM_AIM_NONE;
    if (vm->commands[vm->direction].id != 0)
        end(vm, vm->direction, VMRES_RESULT_DONE);
}

static void progress(struct kvm_vm *vm)
{
    enum kvm_sighting sighting;

    if (is_moving(vm))
        return;
    sighting = vm->direction == KVM_GROW ? vmres__kvm_sight_judge(vm) : KVM_UNTOLD;
    if (sighting == KVM_AWAITED)
        vmres__kvm_sight_wake(vm);
    else if (sighting == KVM_UNSEEN && vmres__kvm_sight_spurn(vm))
        vm->aim = KVM_AIM_BACK;
    else if (is_doubted(vm))
        return; /* it is seen again soon */
    else if (sighting == KVM_UNSEEN || !reached(vm))
        end_short(vm);
    else
        end_reached(vm);
}

static bool told(const struct kvm_vm *vm)
{
    for (uint32_t i = 0; i < vm->parts.count; i++) {
        const struct kvm_part *part = &vm->parts.parts[i];

        if (!part->fixed && part->told != vmres__kvm_part_next(part))
            return false;
    }
    return true;
}

/* Something ends now, whatever is still pursued. */
static bool must_be_sure(const struct kvm_vm *vm)
{
    return vm->aim != KVM_AIM_TARGET || is_cancelled(vm, KVM_SHRINK) || is_cancelled(vm, KVM_GROW);
}

/* A guest goes on for a while, and comes back. Where it does not, it is told to stay there. */
static bool is_still(struct kvm_vm *vm)
{
    bool moved = vmres__kvm_part_held(&vm->parts) != vm->seen_held;

    vm->still = moved ? 0 : vm->still + 1;
    if (++vm->waited >= WAIT_LOOKS)
        return true;
    if (vm->still < STILL_LOOKS)
        return false;
    if (vmres__kvm_part_settled(&vm->parts))
        return true;
    vmres__kvm_part_stay(&vm->parts);
    vm->still = 0;
    return false;
}

void vmres__kvm_command_seen(struct kvm_vm *vm)
{
    count(vm, KVM_SHRINK);
    count(vm, KVM_GROW);
    if (vm->aim == KVM_AIM_STAY) {
        vmres__kvm_part_stay(&vm->parts);
        vm->aim = KVM_AIM_STAYING;
        vm->still = vm->waited = 0;
    }
    if (vm->aim == KVM_AIM_NONE || !told(vm))
        return;
    if (vm->aim == KVM_AIM_STAYING && !is_still(vm))
        return;
    if (vm->aim == KVM_AIM_BACK && !vmres__kvm_part_settled(&vm->parts))
        return;
    if (must_be_sure(vm) && is_doubted(vm))
        return;
    end_cancelled(vm); /* no older wish is pursued any more */
    if (vm->aim == KVM_AIM_TARGET) {
        progress(vm);
    } else if (vm->aim == KVM_AIM_BACK) {
        end_short(vm);
    } else {
        vm->aim = KVM_AIM_NONE;
        end_pin(vm, VMRES_RESULT_DONE);
    }
}

void vmres__kvm_command_refused(struct kvm_vm *vm)
{
    bool stay = vm->aim == KVM_AIM_STAYING;

    end_cancelled(vm);
    if (stay) {
        vm->aim = KVM_AIM_NONE;
        end_pin(vm, VMRES_RESULT_REFUSED);
    } else {
        end_short(vm);
    }
}

/* --- what comes in --- */

/* It is to stay, and nothing older is pursued. What is called off already ends with that. */
static void pin(struct kvm_vm *vm, uint64_t id)
{
    end_pin(vm, VMRES_RESULT_SUPERSEDED);
    for (int direction = KVM_SHRINK; direction <= KVM_GROW; direction++)
        if (vm->commands[direction].id != 0 && !vm->commands[direction].cancelled)
            end(vm, (enum kvm_direction)direction, VMRES_RESULT_SUPERSEDED);
    forget_doubt(vm);
    vm->pin = id;
    vm->aim = KVM_AIM_STAY;
}

static void resize(struct kvm_vm *vm, const struct vmres_action *action,
                   enum kvm_direction direction)
{
    struct kvm_command *command = &vm->commands[direction];

    end_pin(vm, VMRES_RESULT_SUPERSEDED); /* it is not to stay any more */
    if (command->id != 0)
        end(vm, direction, VMRES_RESULT_SUPERSEDED);
    if (direction == KVM_GROW)
        vmres__kvm_sight_grow(vm, true);
    forget_doubt(vm);
    *command = (struct kvm_command){
        .id = action->id,
        .target = action->as.resize.target,
        .asked = action->as.resize.amount,
        .from = direction == KVM_GROW ? taken_in(vm) : vmres__kvm_part_held(&vm->parts),
    };
    vm->direction = direction;
    vm->target = command->target;
    vm->aim = KVM_AIM_TARGET;
    vmres__kvm_part_aim(&vm->parts, vm->target);
}

/* Nothing of ours caps a VM: its allotment is what it is told. */
static enum vmres_status reassign(struct kvm_vm *vm, const struct vmres_action *action)
{
    struct vmres_event event = {.type = VMRES_EVENT_REASSIGNED,
                                .id = action->id,
                                .flags = VMRES_FLAG_FINAL,
                                .result = VMRES_RESULT_DONE};

    if (action->flags & VMRES_ACTION_INITIAL)
        return VMRES_UNSUPPORTED; /* we start no guests */
    return vmres__kvm_life_post(vm, &event);
}

enum vmres_status vmres__kvm_command_take(struct kvm_vm *vm, const struct vmres_action *action)
{
    if (action->type == VMRES_ACTION_REASSIGN)
        return reassign(vm, action);
    if (!can_move(vm))
        return VMRES_UNSUPPORTED;
    switch (action->type) {
    case VMRES_ACTION_REQUEST_REMOVAL:
        resize(vm, action, KVM_SHRINK);
        break;
    case VMRES_ACTION_NOTIFY:
        resize(vm, action, KVM_GROW);
        break;
    case VMRES_ACTION_PIN:
        pin(vm, action->id);
        break;
    default:
        return VMRES_UNSUPPORTED;
    }
    vm->begun_ms = kvm_now(vm);
    vmres__kvm_agenda_look(vm);
    vmres__kvm_agenda_turn(vm);
    return VMRES_OK;
}

bool vmres__kvm_command_cancel(struct kvm_vm *vm, uint64_t id)
{
    for (int direction = KVM_SHRINK; direction <= KVM_GROW; direction++) {
        if (vm->commands[direction].id != id)
            continue;
        vm->commands[direction].cancelled = true;
        vm->aim = KVM_AIM_STAY;
        vmres__kvm_agenda_look(vm);
        vmres__kvm_agenda_turn(vm);
        return true;
    }
    return vm->pin == id; /* it is on its way, and ends by itself */
}
