/* SPDX-License-Identifier: MIT */
/*
 * What the host's kernel sees the QEMU process hold: resident, swapped out, in huge pages. It is
 * the second opinion without which nothing counts as released.
 *
 * Two ways. Counters cost microseconds and are taken at every piece; they count QEMU's own memory
 * too, the overhead, which is taken off. Mappings tell the guest's memory from QEMU's (survey.c),
 * but that takes long: they are read when a VM is met, now and then, and when the counters say
 * something worse than the device, before that is repeated.
 *
 * A guest can make QEMU swell and shrink. So of all overheads measured the least is taken off, with
 * which shrinking hides nothing; and where QEMU is larger for honest reasons, what the last survey
 * found of the guest counts, and all by which the process grew since. Invariants: nothing is
 * repeated of a process that was never surveyed, nor is anything final said while a survey that it
 * calls for is on its way, unless that takes for ever, or the last one could not tell; more than
 * the tolerance is hidden from no two surveys in a row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define DOUBT_LOOKS 10u   /* idle looks between two surveys, where the counters say too much, */
#define ROUTINE_LOOKS 60u /* and where they do not; */
#define FUTILE_MOST 6u    /* doubled so often, where one after the other cannot tell */

bool vmres__kvm_witness_line(const char *line, const char *key, uint64_t *bytes)
{
    size_t length = strlen(key);

    if (strncmp(line, key, length) != 0 || line[length] != ':')
        return false;
    *bytes = strtoull(line + length + 1, NULL, 10) * 1024;
    return true;
}

static uint64_t by_survey(const struct kvm_witness *witness)
{
    if (witness->mapped == KVM_UNKNOWN)
        return KVM_UNKNOWN;
    return witness->mapped + kvm_less(witness->total, witness->summed);
}

void vmres__kvm_witness_look(struct kvm_vm *vm)
{
    FILE *file = vmres__kvm_process_open(vm->kvm, vm->process.pid, "status");
    uint64_t resident = KVM_UNKNOWN, swapped = 0, huge = 0, locked = 0, pinned = 0;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        if (!vmres__kvm_witness_line(line, "VmRSS", &resident) &&
            !vmres__kvm_witness_line(line, "VmSwap", &swapped) &&
            !vmres__kvm_witness_line(line, "HugetlbPages", &huge) &&
            !vmres__kvm_witness_line(line, "VmLck", &locked))
            (void)vmres__kvm_witness_line(line, "VmPin", &pinned);
    }
    if (file)
        (void)fclose(file);
    vm->witness.seen = KVM_UNKNOWN;
    if (resident == KVM_UNKNOWN)
        return; /* no such process, or nothing left of it */
    vm->witness.huge = huge;
    vm->witness.locked = locked + pinned;
    vm->witness.total = resident + swapped + huge;
    vm->witness.seen =
        kvm_min(kvm_less(vm->witness.total, vm->witness.overhead), by_survey(&vm->witness));
}

/* Whether the counters alone say no more than the devices. */
static bool is_plain(const struct kvm_vm *vm)
{
    uint64_t said = vmres__kvm_part_held(&vm->parts) + vm->kvm->options.tolerance;

    return kvm_less(vm->witness.total, vm->witness.overhead) <= said;
}

static bool is_surveyed_since(const struct kvm_vm *vm, uint64_t time_ms)
{
    return vm->surveyed_ms != 0 && !vm->survey.flying && vm->survey.begun_ms >= time_ms;
}

static bool is_old(const struct kvm_vm *vm, uint32_t looks)
{
    uint64_t pause_ms = (uint64_t)looks * vm->kvm->options.idle_ms;

    return kvm_now(vm) - vm->surveyed_ms >= pause_ms << kvm_min(vm->futile, FUTILE_MOST);
}

/* What is final waits for a survey that began after it was first doubted; what is observed is said
 * again soon, and waits for none where the last is young. */
static bool waits(struct kvm_vm *vm, enum kvm_saying saying)
{
    uint64_t *doubted_ms = &vm->doubted_ms[saying];
    bool never = vm->surveyed_ms == 0;

    if (*doubted_ms == 0 && !never && saying == KVM_SAYING_OBSERVED && !is_old(vm, DOUBT_LOOKS))
        return false;
    if (*doubted_ms == 0)
        *doubted_ms = kvm_now(vm);
    if (is_surveyed_since(vm, *doubted_ms)) {
        *doubted_ms = 0;
        return false;
    }
    return vmres__kvm_survey_begin(vm) &&
           (never || kvm_now(vm) - *doubted_ms < vm->kvm->options.command_ms);
}

bool vmres__kvm_witness_waits(struct kvm_vm *vm, enum kvm_saying saying)
{
    bool plain;

    vmres__kvm_witness_look(vm);
    if (vm->overhead != 0 || vm->witness.seen == KVM_UNKNOWN || !vm->backing.whole)
        return false;
    plain = is_plain(vm);
    if (vm->surveyed_ms == 0 || (!plain && vm->futile == 0))
        return waits(vm, saying);
    vm->doubted_ms[saying] = 0;
    if (is_old(vm, plain ? ROUTINE_LOOKS : DOUBT_LOOKS))
        (void)vmres__kvm_survey_begin(vm); /* nobody waits for it */
    return false;
}
