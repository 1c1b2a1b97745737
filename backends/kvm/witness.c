/* SPDX-License-Identifier: MIT */
/*
 * What the host's kernel sees the QEMU process hold: resident, swapped out, in huge pages. It is
 * the second opinion without which nothing counts as released.
 *
 * Two ways. Counters cost microseconds and are taken at every piece; they count QEMU's own memory
 * too, the overhead, which is taken off. Mappings tell the guest's memory from QEMU's by their size
 * and so measure that overhead, but the kernel walks page tables for them: they are read when a VM
 * is met, and when the counters say something worse than the device, before that is repeated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SURVEY_LOOKS 10u /* surveys are at least so many idle looks apart */

/* The number of kB in a line "Key:   123 kB", as bytes. */
static bool line_of(const char *line, const char *key, uint64_t *bytes)
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
        if (!line_of(line, "VmRSS", &resident) && !line_of(line, "VmSwap", &swapped) &&
            !line_of(line, "HugetlbPages", &huge) && !line_of(line, "VmLck", &locked))
            (void)line_of(line, "VmPin", &pinned);
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

/* Guest memory is mapped in one piece for each RAM backend: of the size of that backend. Which of
 * them a mapping of this size may be: a bit each, the base memory's first. */
static uint32_t backends_of(const struct kvm_vm *vm, uint64_t size)
{
    uint32_t backends = size == vm->probe.base ? 1 : 0;

    for (uint32_t i = 0; i < vm->parts.count; i++)
        if (vm->parts.parts[i].mechanism->device == VMRES_KVM_VIRTIO_MEM &&
            size == vm->parts.parts[i].most)
            backends |= 2u << i;
    return backends;
}

static uint32_t all_backends(const struct kvm_vm *vm)
{
    uint32_t backends = 1;

    for (uint32_t i = 0; i < vm->parts.count; i++)
        if (vm->parts.parts[i].mechanism->device == VMRES_KVM_VIRTIO_MEM)
            backends |= 2u << i;
    return backends;
}

/* The line that opens a mapping: "7f0010000000-7f0020000000 rw-p ..." */
static bool opens_mapping(const char *line, uint64_t *size)
{
    char *at;
    uint64_t begin = strtoull(line, &at, 16);

    if (at == line || *at != '-')
        return false;
    *size = strtoull(at + 1, NULL, 16) - begin;
    return true;
}

struct sums {
    uint64_t guest, total;
    uint32_t backends; /* that were among the mappings */
};

static void sum_up(const struct kvm_vm *vm, FILE *file, struct sums *sums)
{
    bool guest = false;
    uint64_t bytes;
    char line[512];

    while (fgets(line, sizeof line, file)) {
        if (opens_mapping(line, &bytes)) {
            guest = backends_of(vm, bytes) != 0;
            sums->backends |= backends_of(vm, bytes);
        } else if (line_of(line, "Rss", &bytes) || line_of(line, "Swap", &bytes) ||
                   line_of(line, "Private_Hugetlb", &bytes) ||
                   line_of(line, "Shared_Hugetlb", &bytes)) {
            sums->total += bytes;
            sums->guest += guest ? bytes : 0;
        }
    }
}

static void survey(struct kvm_vm *vm)
{
    FILE *file = vmres__kvm_process_open(vm->kvm, vm->process.pid, "smaps");
    struct sums sums = {0};

    vm->surveyed_ms = kvm_now(vm);
    if (!file)
        return;
    sum_up(vm, file, &sums);
    (void)fclose(file);
    /* With DIMMs, or where a mapping was split, not all of the guest's memory is recognised. */
    if (sums.backends == all_backends(vm) && vm->probe.dimms == 0 && sums.total > 0)
        vm->witness.overhead = sums.total - sums.guest;
}

void vmres__kvm_witness_check(struct kvm_vm *vm, uint64_t expected)
{
    bool never = vm->surveyed_ms == 0;
    uint64_t pause = (uint64_t)SURVEY_LOOKS * vm->kvm->options.idle_ms;

    vmres__kvm_witness_look(vm);
    if (vm->overhead != 0 || vm->witness.seen == KVM_UNKNOWN)
        return;
    if (!never && (vm->witness.seen <= expected + vm->kvm->options.tolerance ||
                   kvm_now(vm) - vm->surveyed_ms < pause))
        return;
    survey(vm);
    vmres__kvm_witness_look(vm);
}
