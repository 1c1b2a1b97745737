/* SPDX-License-Identifier: MIT */
/*
 * Whether a VM takes part, and if not, why. It follows from the VM's state alone: nothing here is
 * remembered but what the driver was last told, so that it is told of changes only. Who cannot be
 * spoken to, or has nothing that would move, is left alone; its charge stays.
 *
 * Who is paused, migrated or in a snapshot is frozen: what is open on it is called off, and when it
 * runs again it is adopted anew, at what it then holds. Invariant: that is QEMU's reason alone, and
 * ends with it; whom the embedder freezes or thaws meanwhile is frozen, or not, for the embedder's.
 */
#include <vmres/query.h>

#include "internal.h"

static const char *out_of_reach(const struct kvm_vm *vm)
{
    if (vm->talk.busy)
        return "QEMU does not answer: it is stopped, or hangs";
    if (vm->talk.phase != KVM_TALK_UP)
        return vm->talk.why ? vm->talk.why : "it is being connected to";
    if (!kvm_known(vm))
        return vm->refusal ? vm->refusal : "the driver does not know it yet";
    return NULL;
}

static const char *out_of_play(const struct kvm_vm *vm)
{
    if (vm->backing.count == 0 && vm->parts.count == 0 && !kvm_probed(vm))
        return "it is being asked what it can do";
    if (vm->down)
        return "the guest has shut down";
    if (vmres__kvm_part_limit(&vm->parts) == 0)
        return "QEMU does not say how large it is: it is too old, or refuses";
    if (vm->parts.count == 0)
        return "it has neither a balloon nor a virtio-mem device with an id";
    if (!vmres__kvm_part_movable(&vm->parts, VMRES_KVM_BALLOON) &&
        !vmres__kvm_part_movable(&vm->parts, VMRES_KVM_VIRTIO_MEM))
        return vm->fixed_why;
    if (kvm_balloon(vm) && !vm->heard)
        return "the balloon driver of its guest has not been heard of";
    return NULL;
}

const char *vmres__kvm_standing_still(const struct kvm_vm *vm)
{
    return vm->migrating ? "it is on its way to another host" : vm->stopped;
}

/* All that its process holds counts as the guest's, and what that gives is disputed. */
static bool is_unmeasured(const struct kvm_vm *vm)
{
    bool tried = vm->surveyed_ms != 0 || (vm->backing.count > 0 && !vm->backing.whole);

    return vm->overhead == 0 && tried && !vm->measured;
}

const char *vmres__kvm_standing_obstacle(const struct kvm_vm *vm)
{
    const char *why = out_of_reach(vm);

    if (!why)
        why = vmres__kvm_standing_still(vm);
    if (!why)
        why = out_of_play(vm);
    if (!why)
        why = vm->fixed_why;
    if (!why && vm->sight.spurned)
        why = "blocks plugged into it were of no use: let its guest bring them online by itself "
              "(memhp_default_state=online_movable)";
    if (!why && vm->surveyed_ms == 0 && vm->survey.flying)
        why = "what its process holds beside the guest is being measured";
    if (!why && vm->process.pid == 0)
        why = "its process cannot be seen, so nothing it gave would be believed: give its pid";
    if (!why && is_unmeasured(vm))
        why = "what its process holds beside the guest cannot be measured: state its overhead";
    return why;
}

static enum vmres_participation participation_of(const struct kvm_vm *vm)
{
    if (out_of_reach(vm) || out_of_play(vm))
        return VMRES_PARTICIPATE_OFF;
    return vm->process.pid == 0 ? vm->limits.participation & VMRES_PARTICIPATE_RECIPIENT
                                : vm->limits.participation;
}

static bool can_be_frozen(const struct kvm_vm *vm)
{
    struct vmres_vm_info info;

    return vmres_engine_vm(vmres_driver_engine(kvm_driver(vm)), vm->id, &info) == VMRES_OK &&
           (info.state == VMRES_VM_LIVE || info.state == VMRES_VM_ADOPTING ||
            (info.state == VMRES_VM_FROZEN && !vm->frozen));
}

/* Freezing is said again where the engine did not take it. Who is paused again and again stays
 * frozen meanwhile: all of it is said once in an idle look at most. */
static void hold(struct kvm_vm *vm)
{
    bool still = vmres__kvm_standing_still(vm) != NULL;
    struct vmres_event event = {.type = still ? VMRES_EVENT_FREEZE : VMRES_EVENT_THAW,
                                .flags = VMRES_FLAG_HOST};

    if (still ? !can_be_frozen(vm) : !vm->frozen)
        return;
    if (vm->frozen && kvm_now(vm) - vm->frozen_ms < vm->kvm->options.idle_ms)
        return;
    if (vmres__kvm_life_post(vm, &event) != VMRES_OK)
        return; /* at the next look */
    vm->frozen = still;
    vm->frozen_ms = kvm_now(vm);
}

static void tell_limits(struct kvm_vm *vm)
{
    enum vmres_participation participation = participation_of(vm);
    uint64_t floor = kvm_max(vm->limits.floor, vmres__kvm_part_least(&vm->parts));
    uint64_t ceiling = kvm_max(vm->limits.ceiling, floor);
    struct vmres_event event;

    if (participation == vm->told.participation && floor == vm->told.floor &&
        ceiling == vm->told.ceiling)
        return;
    event = vmres_event_limits(0, 0, 0, floor, ceiling);
    event.flags = 0;
    event.as.limits.initial = floor;
    event.as.limits.weight = vm->limits.weight ? vm->limits.weight : 1;
    event.as.limits.participation = participation;
    if (vmres__kvm_life_post(vm, &event) != VMRES_OK)
        return; /* said again at the next look */
    vm->told.participation = participation;
    vm->told.floor = floor;
    vm->told.ceiling = ceiling;
}

void vmres__kvm_standing_tell(struct kvm_vm *vm)
{
    if (!kvm_known(vm))
        return;
    hold(vm);
    tell_limits(vm);
}
