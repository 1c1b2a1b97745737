/* SPDX-License-Identifier: MIT */
/*
 * Step 2: inquiries are answered with the last sample of what the guest says of itself. The agent
 * in the guest is asked first, the balloon's statistics where there is none or it is silent; who
 * took the sample makes no difference after that. Invariant: every inquiry to a VM the driver knows
 * is answered once, by what there is if need be, so that one VM that cannot answer delays no
 * judgement of the others.
 */
#include "internal.h"

static bool can_be_asked(const struct kvm_vm *vm)
{
    return kvm_probed(vm) && !vm->talk.busy && !vm->stopped;
}

/* What is used stays used when the VM's size changes after the sample: the rest follows. */
static void fill(const struct kvm_vm *vm, struct vmres_event *event)
{
    const struct kvm_sample *sample = &vm->sample;
    uint64_t held = vmres__kvm_part_held(&vm->parts);
    uint64_t age = kvm_now(vm) - sample->taken_ms;

    event->as.report.used = kvm_min(sample->used, held);
    event->as.report.available = held - event->as.report.used;
    event->as.report.age_ms = age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
    event->as.report.samples = 1;
    event->valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE;
    if (sample->free != KVM_UNKNOWN) {
        uint64_t free = held >= sample->held ? sample->free + (held - sample->held)
                                             : kvm_less(sample->free, sample->held - held);

        event->as.report.free = kvm_min(free, event->as.report.available);
        event->valid |= VMRES_VALID_FREE;
    }
    if (sample->has_stall) {
        event->result = sample->stall;
        event->valid |= VMRES_VALID_STALL;
    }
}

void vmres__kvm_report_answer(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_REPORT, .id = vm->inquiry};

    if (vm->inquiry == 0)
        return;
    vm->inquiry = 0;
    if (vm->sample.used != KVM_UNKNOWN)
        fill(vm, &event);
    (void)vmres__kvm_life_post(vm, &event); /* a full queue: the next inquiry comes soon */
}

void vmres__kvm_report_notice(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_REPORT};

    fill(vm, &event);
    event.flags = VMRES_FLAG_NOTICE;
    (void)vmres__kvm_life_post(vm, &event); /* while it is short there will be another */
}

void vmres__kvm_report_without(struct kvm_vm *vm)
{
    if (!can_be_asked(vm) || !kvm_balloon(vm)) {
        vmres__kvm_report_answer(vm);
        return;
    }
    vm->ask_stats = true;
    vmres__kvm_agenda_turn(vm);
}

void vmres__kvm_report_inquire(struct kvm_vm *vm, uint64_t inquiry)
{
    vm->inquiry = inquiry;
    if (can_be_asked(vm) && vmres__kvm_agent_ask(vm))
        vmres__kvm_agenda_turn(vm);
    else
        vmres__kvm_report_without(vm);
}
