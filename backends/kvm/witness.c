/* SPDX-License-Identifier: MIT */
/*
 * What the host's kernel sees the QEMU process hold: resident, swapped out, in huge pages. It is
 * the second opinion without which nothing counts as released.
 *
 * Two ways. Counters cost microseconds and are taken at every piece; they count QEMU's own memory
 * too, the overhead, which is taken off. Mappings tell the guest's memory from QEMU's and so
 * measure that overhead (survey.c), but that takes long: they are read when a VM is met, and when
 * the counters say something worse than the device, before that is repeated. Invariant: nothing is
 * repeated of a process that was never surveyed, nor is anything final said while a survey that it
 * calls for is on its way, unless that takes for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SURVEY_LOOKS 10u /* surveys are at least so many idle looks apart */

bool vmres__kvm_witness_line(const char *line, const char *key, uint64_t *bytes)
{
    size_t length = strlen(key);

    if (strncmp(line, key, length) != 0 || line[length] != ':')
        return false;
    *bytes = strtoull(line + length + 1, NULL, 10) * 1024;
    return true;
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
    vm->witness.seen = kvm_less(vm->witness.total, vm->witness.overhead);
}

bool vmres__kvm_witness_waits(struct kvm_vm *vm, uint64_t expected)
{
    bool never = vm->surveyed_ms == 0;
    uint64_t pause = (uint64_t)SURVEY_LOOKS * vm->kvm->options.idle_ms;

    vmres__kvm_witness_look(vm);
    if (vm->overhead != 0 || vm->witness.seen == KVM_UNKNOWN)
        return false;
    if (!never && (vm->witness.seen <= expected + vm->kvm->options.tolerance ||
                   kvm_now(vm) - vm->surveyed_ms < pause)) {
        vm->doubted_ms = 0;
        return false;
    }
    if (vm->doubted_ms == 0)
        vm->doubted_ms = kvm_now(vm);
    return vmres__kvm_survey_begin(vm) &&
           (never || kvm_now(vm) - vm->doubted_ms < vm->kvm->options.command_ms);
}
