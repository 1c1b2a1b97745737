/* SPDX-License-Identifier: MIT */
/*
 * What to ask a VM next. It follows from the VM's state: what is unknown is asked, what should be
 * otherwise is set, what is old is read again. Invariant: as long as something is unanswered,
 * nothing else is asked; when nothing is left to ask, the timer says when there will be.
 */
#include "internal.h"

#define PROBE_LOOKS 16u /* so many looks while idle, and it is asked anew what there is */

static bool aims(const struct kvm_vm *vm)
{
    return vm->aim == KVM_AIM_TARGET || vm->aim == KVM_AIM_STAYING || vm->aim == KVM_AIM_BACK;
}

static enum kvm_question next_question(const struct kvm_vm *vm, uint32_t *index)
{
    const struct kvm_parts *parts = &vm->parts;

    if (vm->probe.next < KVM_ASK_PROBED)
        return vm->probe.next;
    for (*index = 0; aims(vm) && *index < parts->count; ++*index) {
        const struct kvm_part *part = &parts->parts[*index];

        if (!part->fixed && vmres__kvm_part_next(part) != part->told)
            return KVM_ASK_SET;
    }
    for (*index = 0; *index < parts->count; ++*index)
        if (!parts->parts[*index].read)
            return KVM_ASK_READ;
    if (!kvm_balloon(vm))
        return KVM_ASK_NOTHING; /* it speaks for the guest; without one there is nobody to ask */
    if (vm->sight.hushed || vm->sight.wake)
        return vm->sight.hushed ? KVM_ASK_INTERVAL : KVM_ASK_HUSH;
    return vm->ask_stats ? KVM_ASK_STATS : KVM_ASK_NOTHING;
}

static void ask(struct kvm_vm *vm)
{
    uint32_t index = 0;
    enum kvm_question question = next_question(vm, &index);
    struct kvm_part *part = &vm->parts.parts[index];

    switch (question) {
    case KVM_ASK_NOTHING:
        break;
    case KVM_ASK_SET:
        part->telling = vmres__kvm_part_next(part);
        vmres__kvm_talk_ask(vm, question, index, part->mechanism->set(part, part->telling));
        break;
    case KVM_ASK_READ:
        vmres__kvm_talk_ask(vm, question, index, part->mechanism->read(part));
        break;
    case KVM_ASK_STATS:
        vmres__kvm_talk_ask(vm, question, 0, vmres__kvm_stats_ask(vm));
        break;
    default:
        vmres__kvm_talk_ask(vm, question, 0, vmres__kvm_probe_ask(vm, question));
    }
}

static void arm(struct kvm_vm *vm)
{
    uint64_t due = kvm_min(vmres__kvm_talk_due(vm), vm->agent.due_ms);
    uint64_t now = kvm_now(vm);

    if (kvm_probed(vm))
        due = kvm_min(due, vm->look_ms);
    if (due == KVM_NEVER)
        uv_timer_stop(&vm->timer);
    else
        uv_timer_start(&vm->timer, vmres__kvm_agenda_wake, kvm_less(due, now), 0);
}

void vmres__kvm_agenda_turn(struct kvm_vm *vm)
{
    if (vm->leaving)
        return;
    if (!kvm_started(vm->kvm)) {
        uv_timer_stop(&vm->timer);
        return;
    }
    if (vm->talk.phase == KVM_TALK_UP && vm->talk.in_flight == 0)
        ask(vm);
    arm(vm);
}

void vmres__kvm_agenda_look(struct kvm_vm *vm)
{
    for (uint32_t i = 0; i < vm->parts.count; i++)
        vm->parts.parts[i].read = false;
    vm->look_ms = KVM_NEVER; /* set when all are read */
}

void vmres__kvm_agenda_wake(uv_timer_t *timer)
{
    struct kvm_vm *vm = timer->data;

    uv_update_time(vm->kvm->loop);
    vmres__kvm_talk_tick(vm);
    vmres__kvm_agent_tick(vm);
    if (kvm_probed(vm) && kvm_now(vm) >= vm->look_ms) {
        if (++vm->looks >= PROBE_LOOKS && !vmres__kvm_command_open(vm))
            vmres__kvm_probe_again(vm);
        vmres__kvm_agenda_look(vm);
        if (vm->parts.count == 0)
            vmres__kvm_agenda_seen(vm);
    }
    vmres__kvm_agenda_turn(vm);
}

/* What is quickly done is to be seen quickly: late by an eighth of its time at most. */
static uint64_t pause_of(const struct kvm_vm *vm)
{
    const struct vmres_kvm_options *options = &vm->kvm->options;

    if (!vmres__kvm_command_open(vm))
        return options->idle_ms;
    return kvm_min(kvm_max((kvm_now(vm) - vm->begun_ms) / 8, 2), options->poll_ms);
}

void vmres__kvm_agenda_seen(struct kvm_vm *vm)
{
    vm->peak = kvm_max(vm->peak, vmres__kvm_part_held(&vm->parts));
    vmres__kvm_sight_look(vm);
    vmres__kvm_command_seen(vm);
    vmres__kvm_observe_seen(vm);
    /* What the guest says of itself must be paired with what it held just then. */
    vm->ask_stats |= vmres__kvm_command_open(vm) || !vm->heard;
    vm->look_ms = kvm_now(vm) + pause_of(vm);
}

/* What cannot be read, or is out of range, counts as all there could be. */
static void take_size(struct kvm_vm *vm, struct kvm_part *part, struct kvm_reply reply)
{
    uint64_t size;

    if (!reply.value && vm->looks > 0) { /* the device may have gone */
        vmres__kvm_probe_again(vm);
        return;
    }
    if (!reply.value) {
        size = part->most;
    } else if (!part->mechanism->size(reply.value, &size) || size > part->most) {
        vmres__kvm_nonsense(vm, "no device of its is of such a size");
        size = part->most;
    }
    part->now = size;
    part->read = true;
    if (vmres__kvm_part_read(&vm->parts))
        vmres__kvm_agenda_seen(vm);
}

static void take_set(struct kvm_vm *vm, struct kvm_part *part, struct kvm_reply reply)
{
    if (!reply.value) {
        vm->looks = PROBE_LOOKS; /* something has changed: ask anew, when it is quiet */
        vmres__kvm_command_refused(vm);
        return;
    }
    part->told = part->telling; /* by now something else may be wanted */
    part->requested = part->telling;
    part->read = false;
    vm->begun_ms = kvm_now(vm);
}

static void take_stats(struct kvm_vm *vm, struct kvm_reply reply)
{
    vm->ask_stats = false;
    if (reply.value)
        vmres__kvm_stats_take(vm, reply.value);
    if (!vmres__kvm_agent_is_awaited(vm))
        vmres__kvm_report_answer(vm);
}

void vmres__kvm_agenda_take(struct kvm_vm *vm, enum kvm_question question, uint32_t index,
                            struct kvm_reply reply)
{
    struct kvm_part *part = &vm->parts.parts[index];

    switch (question) {
    case KVM_ASK_SET:
        take_set(vm, part, reply);
        break;
    case KVM_ASK_READ:
        take_size(vm, part, reply);
        break;
    case KVM_ASK_STATS:
        take_stats(vm, reply);
        break;
    case KVM_ASK_HUSH:
        vm->sight.wake = false;
        vm->sight.hushed = true;
        break;
    case KVM_ASK_INTERVAL:
        vm->sight.hushed = false;
        vmres__kvm_probe_take(vm, question, reply);
        break;
    default:
        vmres__kvm_probe_take(vm, question, reply);
    }
}
