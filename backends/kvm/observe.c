/* SPDX-License-Identifier: MIT */
/*
 * What the host sees of a VM: what its devices say it holds, what its process holds, what it could
 * hold at most. The driver is told whatever differs from what it was told last.
 *
 * A VM comes alive, and takes part, only when its guest's driver was heard of in this life and what
 * it holds has come to rest. For after a reset the balloon's size stays what it was while the guest
 * has everything, until its driver is there and fills the balloon again.
 */
#include <vmres/query.h>

#include "internal.h"

#define PLUG_WAIT_MS 30000u /* a guest that boots plugs again what was plugged */

static bool is_trusted(const struct kvm_vm *vm)
{
    return vmres__kvm_part_limit(&vm->parts) > 0 && (vm->heard || !kvm_balloon(vm));
}

static bool is_far(uint64_t a, uint64_t b, uint64_t tolerance)
{
    if (a == KVM_UNKNOWN || b == KVM_UNKNOWN)
        return a != b;
    return kvm_max(a, b) - kvm_min(a, b) >= tolerance;
}

/* With what the witness says, or without, where that is not to be repeated. */
static void observe(struct kvm_vm *vm, uint64_t witness, bool always)
{
    uint64_t held = is_trusted(vm) ? vmres__kvm_part_held(&vm->parts) : KVM_UNKNOWN;
    uint64_t limit = vmres__kvm_part_limit(&vm->parts);
    struct vmres_event event = {.type = VMRES_EVENT_OBSERVED};

    if (!always && held == vm->told.held && limit == vm->told.limit &&
        !is_far(witness, vm->told.witness, vm->kvm->options.tolerance))
        return;
    if (limit > 0) { /* else nobody knows it: it is charged as before */
        event.as.observed.limit = limit;
        event.valid |= VMRES_VALID_LIMIT;
    }
    if (held != KVM_UNKNOWN) {
        event.as.observed.held = held;
        event.valid |= VMRES_VALID_HELD;
    }
    if (witness != KVM_UNKNOWN) {
        event.as.observed.witness = witness;
        event.valid |= VMRES_VALID_WITNESS;
    }
    if (vmres__kvm_life_post(vm, &event) != VMRES_OK)
        return;
    vm->told.held = held;
    vm->told.limit = limit;
    vm->told.witness = witness;
}

static bool is_plugging(const struct kvm_vm *vm)
{
    if (kvm_now(vm) - vm->since_ms >= PLUG_WAIT_MS)
        return false;
    for (uint32_t i = 0; i < vm->parts.count; i++)
        if (vm->parts.parts[i].now < vm->parts.parts[i].requested)
            return true;
    return false;
}

static bool is_at_rest(const struct kvm_vm *vm)
{
    uint32_t idle_ms = vm->kvm->options.idle_ms;

    return is_trusted(vm) && !is_plugging(vm) && !vmres__kvm_standing_still(vm) &&
           kvm_now(vm) - vm->moved_ms >= idle_ms &&
           (vm->live_ms == 0 || kvm_now(vm) - vm->live_ms >= idle_ms);
}

/* Said again as long as the engine has not taken it: it may be lost, or have come too early. */
static void come_alive(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_VM_LIVE};
    struct vmres_vm_info info;

    if (!is_at_rest(vm) ||
        vmres_engine_vm(vmres_driver_engine(kvm_driver(vm)), vm->id, &info) != VMRES_OK ||
        info.state != VMRES_VM_BOOTING || info.incarnation != vm->incarnation)
        return;
    observe(vm, vm->witness.seen, true);
    if (vmres__kvm_life_post(vm, &event) == VMRES_OK)
        vm->live_ms = kvm_now(vm);
}

void vmres__kvm_observe_seen(struct kvm_vm *vm)
{
    uint64_t held = vmres__kvm_part_held(&vm->parts);
    bool waits;

    if (held != vm->seen_held)
        vm->moved_ms = kvm_now(vm);
    vm->seen_held = held;
    waits = vmres__kvm_witness_waits(vm, KVM_SAYING_OBSERVED);
    vmres__kvm_life_add(vm);
    if (!kvm_known(vm))
        return;
    observe(vm, waits ? KVM_UNKNOWN : vm->witness.seen, false);
    vmres__kvm_standing_tell(vm);
    if (!waits)
        come_alive(vm);
}
