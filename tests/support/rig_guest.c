/* SPDX-License-Identifier: MIT */
/*
 * The rig's guests: what each does when it is told something. They keep the contract of event.h to
 * the letter, and put their answers into the rig's queue; they never call the engine. A resize
 * whose answer is withheld waits in the rig's table of open commands.
 */
#include "support/rig_guest.h"

#include <string.h>

static void post(struct rig *rig, struct vmres_event event)
{
    assert_true(rig->answer_count < RIG_TABLE);
    rig->answers[rig->answer_count++] = event;
}

struct vmres_event rig_event(const struct rig *rig, enum vmres_event_type type, uint32_t vm)
{
    return vmres_event_make(type, rig->now, vm, vm < RIG_VMS ? rig->vms[vm].incarnation : 0);
}

struct vmres_event rig_set(const struct rig *rig, uint32_t vm, uint32_t amount)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_SET, vm);

    event.as.order.amount = amount * VMRES_MIB;
    return event;
}

struct vmres_event rig_move(const struct rig *rig, uint32_t donor, uint32_t recipient,
                            uint32_t amount)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_MOVE, donor);

    event.as.order.amount = amount * VMRES_MIB;
    event.as.order.recipient = recipient;
    return event;
}

static uint64_t units(const struct rig *rig, uint8_t kind, uint64_t granules)
{
    return granules * rig->resources[kind].granule;
}

/* --- reports --- */

static void report(struct rig *rig, uint32_t vm, uint64_t round)
{
    for (uint8_t k = 0; k < rig->options.kinds; k++) {
        const struct rig_device *device = &rig->vms[vm].devices[k];
        struct vmres_event event = rig_event(rig, VMRES_EVENT_REPORT, vm);
        uint32_t used = device->used < device->held ? device->used : device->held;

        event.id = round;
        event.kind = k;
        event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_STALL;
        event.result = (uint16_t)device->stall;
        event.as.report.used = units(rig, k, used);
        event.as.report.available = units(rig, k, device->held - used);
        post(rig, event);
    }
}

struct vmres_event rig_observed(const struct rig *rig, uint32_t vm, uint8_t kind)
{
    const struct rig_device *device = &rig->vms[vm].devices[kind];
    struct vmres_event event = rig_event(rig, VMRES_EVENT_OBSERVED, vm);

    event.kind = kind;
    event.valid = device->valid;
    event.as.observed.held = units(rig, kind, device->held);
    event.as.observed.witness = units(rig, kind, device->held + device->excess);
    return event;
}

/* --- commands that wait --- */

static struct rig_command *find(struct rig *rig, uint32_t vm, uint8_t kind, uint8_t type)
{
    for (uint32_t i = rig->open_count; i > 0; i--) {
        struct vmres_action *action = &rig->open[i - 1].action;

        if (action->vm == vm && action->kind == kind && action->type == type)
            return &rig->open[i - 1];
    }
    return NULL;
}

bool rig_is_open(const struct rig *rig, uint32_t vm, enum vmres_action_type type)
{
    for (uint32_t i = 0; i < rig->open_count; i++)
        if (rig->open[i].action.vm == vm && rig->open[i].action.type == type)
            return true;
    return false;
}

struct rig_command *rig_open(struct rig *rig, uint32_t vm, enum vmres_action_type type)
{
    for (uint8_t k = 0; k < rig->options.kinds; k++) {
        struct rig_command *command = find(rig, vm, k, (uint8_t)type);

        if (command)
            return command;
    }
    fail_msg("vm%u waits for no action of type %d\n%s", vm, type, rig->trace);
    return NULL;
}

struct vmres_event rig_answer(struct rig *rig, const struct rig_command *command, uint64_t amount)
{
    const struct vmres_action *action = &command->action;
    const struct rig_device *device = &rig->vms[action->vm].devices[action->kind];
    struct vmres_event event = vmres_event_answer(action, rig->now, VMRES_RESULT_DONE);

    event.flags = 0;
    event.valid = device->valid;
    event.as.answer.amount = units(rig, action->kind, amount);
    event.as.answer.held = units(rig, action->kind, device->held);
    event.as.answer.witness = units(rig, action->kind, device->held + device->excess);
    return event;
}

static void close_command(struct rig *rig, struct rig_command *command)
{
    size_t at = (size_t)(command - rig->open);

    rig->open_count--;
    memmove(command, command + 1, (rig->open_count - at) * sizeof *command);
}

/* The device moves on. */
static void move(struct rig *rig, struct rig_command *command, uint32_t amount)
{
    struct rig_device *device = &rig->vms[command->action.vm].devices[command->action.kind];

    if (command->action.type == VMRES_ACTION_REQUEST_REMOVAL)
        device->held -= amount;
    else
        device->held += amount;
    command->amount += amount;
}

static struct vmres_event end(struct rig *rig, struct rig_command *command,
                              enum vmres_result result)
{
    struct vmres_event event = rig_answer(rig, command, command->amount);

    event.flags = VMRES_FLAG_FINAL;
    event.result = (uint16_t)result;
    close_command(rig, command);
    return event;
}

void rig_progress(struct rig *rig, uint32_t vm, enum vmres_action_type type, uint32_t amount)
{
    struct rig_command *command = rig_open(rig, vm, type);

    move(rig, command, amount);
    rig_told(rig, rig_answer(rig, command, command->amount));
}

void rig_finish(struct rig *rig, uint32_t vm, enum vmres_action_type type, uint32_t amount,
                enum vmres_result result)
{
    struct rig_command *command = rig_open(rig, vm, type);

    move(rig, command, amount);
    rig_told(rig, end(rig, command, result));
}

void rig_finish_older(struct rig *rig, const struct rig_command *older, uint32_t amount)
{
    struct vmres_event end;

    rig->vms[older->action.vm].devices[older->action.kind].held -= amount;
    end = rig_answer(rig, older, amount);
    end.flags = VMRES_FLAG_FINAL;
    end.result = VMRES_RESULT_SUPERSEDED;
    rig_told(rig, end);
}

/* --- commands that are obeyed --- */

/* A newer command of the same direction takes over. */
static void supersede(struct rig *rig, const struct vmres_action *action)
{
    struct rig_command *older = find(rig, action->vm, action->kind, action->type);

    if (older && !(rig->vms[action->vm].withheld & RIG_SUPERSEDED))
        post(rig, end(rig, older, VMRES_RESULT_SUPERSEDED));
}

/* How far the device is from where it is told to be. */
static uint32_t distance(const struct rig *rig, const struct vmres_action *action)
{
    uint32_t held = rig->vms[action->vm].devices[action->kind].held;
    uint32_t target = (uint32_t)(action->as.resize.target / rig->resources[action->kind].granule);

    if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        return held > target ? held - target : 0;
    if (action->type == VMRES_ACTION_NOTIFY || action->flags & VMRES_ACTION_INITIAL)
        return target > held ? target - held : 0;
    return 0;
}

static void resize(struct rig *rig, const struct vmres_action *action)
{
    struct rig_command *command;

    supersede(rig, action);
    assert_true(rig->open_count < RIG_TABLE);
    command = &rig->open[rig->open_count++];
    *command = (struct rig_command){.action = *action};
    if (rig->vms[action->vm].withheld & RIG_BIT(action->type))
        return;
    move(rig, command, distance(rig, action));
    post(rig, end(rig, command, VMRES_RESULT_DONE));
}

static void call_off(struct rig *rig, const struct vmres_action *action)
{
    if (rig->vms[action->vm].withheld & RIG_CANCEL)
        return;
    for (uint32_t i = 0; i < rig->open_count; i++) {
        if (rig->open[i].action.id == action->as.cancel.command) {
            post(rig, end(rig, &rig->open[i], VMRES_RESULT_CANCELLED));
            return;
        }
    }
}

void rig_guest_hears(struct rig *rig, const struct vmres_action *action)
{
    if (action->type == VMRES_ACTION_INQUIRE) {
        for (uint32_t vm = 0; vm < RIG_VMS; vm++)
            if (rig->vms[vm].present && !(rig->vms[vm].withheld & RIG_REPORTS))
                report(rig, vm, action->id);
        return;
    }
    assert_true(action->vm < RIG_VMS && action->id != 0);
    assert_int_equal(action->incarnation, rig->vms[action->vm].incarnation);
    if (action->type == VMRES_ACTION_CANCEL)
        call_off(rig, action);
    else
        resize(rig, action);
}

/* --- VMs --- */

static void add_limits(struct rig *rig, uint32_t vm, uint32_t bounds[3])
{
    for (uint8_t k = 0; k < rig->options.kinds; k++) {
        struct vmres_event event =
            vmres_event_limits(rig->now, vm, rig->vms[vm].incarnation, units(rig, k, bounds[0]),
                               units(rig, k, bounds[1]));

        event.kind = k;
        if (bounds[2] != NONE) {
            event.flags = 0;
            event.as.limits.initial = units(rig, k, bounds[2]);
        }
        rig_told(rig, event);
    }
}

void rig_add(struct rig *rig, uint32_t vm, uint32_t floor, uint32_t ceiling, uint32_t initial)
{
    struct rig_vm *it = &rig->vms[vm];
    uint32_t incarnation = it->incarnation + 1;

    *it = (struct rig_vm){.incarnation = incarnation};
    for (uint32_t k = 0; k < RIG_KINDS; k++)
        it->devices[k].valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_ADDED, vm));
    it->present = true;
    add_limits(rig, vm, (uint32_t[]){floor, ceiling, initial});
}

void rig_live(struct rig *rig, uint32_t vm)
{
    post(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, vm));
}

void rig_boot(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    rig_pump(rig);
    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        if (rig->vms[vm].present && rig_state(rig, vm) == VMRES_VM_BOOTING)
            rig_live(rig, vm);
    rig_pump(rig);
}

void rig_fleet(struct rig *rig, uint32_t count, uint32_t each)
{
    uint32_t capacity =
        (uint32_t)(rig->resources[MEMORY].capacity / rig->resources[MEMORY].granule);

    for (uint32_t vm = 0; vm < count; vm++)
        rig_add(rig, vm, 0, capacity, each);
    rig_boot(rig);
    rig_forget_trace(rig);
}

/* What it was still to answer is not answered any more. */
void rig_gone(struct rig *rig, uint32_t vm)
{
    for (uint32_t i = rig->open_count; i > 0; i--)
        if (rig->open[i - 1].action.vm == vm)
            close_command(rig, &rig->open[i - 1]);
    for (uint32_t i = rig->answer_count; i > 0; i--) {
        if (rig->answers[i - 1].vm != vm)
            continue;
        rig->answer_count--;
        memmove(&rig->answers[i - 1], &rig->answers[i],
                (rig->answer_count - i + 1) * sizeof *rig->answers);
    }
    rig->vms[vm].present = false;
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_GONE, vm));
}

void rig_withhold(struct rig *rig, uint32_t vm, uint32_t bits)
{
    rig->vms[vm].withheld = bits;
}
