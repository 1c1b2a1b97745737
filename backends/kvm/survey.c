/* SPDX-License-Identifier: MIT */
/*
 * Surveys: what of a QEMU process's memory is not its guest's, by its mappings. The kernel walks
 * page tables for that, some 30 ms for each GiB in small pages, so it is done in libuv's pool of
 * threads, which the embedder may use, too: hence a few at once, and no more.
 *
 * Invariant: while a survey flies its thread alone touches its request, and the VM is not freed;
 * what is found of a process that was let go of meanwhile does not count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define FLYING_MOST 2u

/* --- in a thread of the pool --- */

/* Guest memory is mapped in one piece for each RAM backend: of the size of that backend. Notes one
 * of this size; false: it is none of them. */
static bool note_mapping(struct kvm_survey *survey, uint64_t size)
{
    bool guest = false;

    for (uint32_t i = 0; i < survey->backing.count; i++) {
        if (size != survey->backing.sizes[i])
            continue;
        survey->mappings[i]++;
        guest = true;
    }
    return guest;
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

static void sum_up(struct kvm_survey *survey, FILE *file)
{
    bool guest = false;
    uint64_t bytes;
    char line[512];

    while (fgets(line, sizeof line, file)) {
        if (opens_mapping(line, &bytes)) {
            guest = note_mapping(survey, bytes);
        } else if (vmres__kvm_witness_line(line, "Rss", &bytes) ||
                   vmres__kvm_witness_line(line, "Swap", &bytes) ||
                   vmres__kvm_witness_line(line, "Private_Hugetlb", &bytes) ||
                   vmres__kvm_witness_line(line, "Shared_Hugetlb", &bytes)) {
            survey->total += bytes;
            survey->guest += guest ? bytes : 0;
        }
    }
}

static void read_mappings(uv_work_t *work)
{
    struct kvm_survey *survey = work->data;
    FILE *file = vmres__kvm_process_open(survey->kvm, survey->pid, "smaps");

    if (!file)
        return;
    sum_up(survey, file);
    (void)fclose(file);
}

/* --- in the loop's --- */

/* As many mappings of each size as there are backends of it. With fewer, one lies in several (NUMA)
 * or was split; with more, some are nobody knows whose. */
static bool is_recognised(const struct kvm_survey *survey)
{
    for (uint32_t i = 0; i < survey->backing.count; i++) {
        uint32_t backends = 0;

        for (uint32_t j = 0; j < survey->backing.count; j++)
            backends += survey->backing.sizes[j] == survey->backing.sizes[i];
        if (survey->mappings[i] != backends)
            return false;
    }
    return survey->backing.whole && survey->total > 0;
}

/* Where not all of the guest's memory is recognised, nothing is taken for QEMU's own. */
static void take(struct kvm_vm *vm)
{
    const struct kvm_survey *survey = &vm->survey;
    struct kvm_witness *witness = &vm->witness;
    uint64_t overhead = survey->total - survey->guest;

    vm->surveyed_ms = kvm_now(vm);
    witness->mapped = KVM_UNKNOWN;
    vm->futile++;
    if (!is_recognised(survey))
        return;
    vm->futile = 0;
    witness->mapped = survey->guest;
    witness->summed = survey->total;
    if (!vm->measured || overhead < witness->overhead)
        witness->overhead = overhead;
    vm->measured = true;
}

static void look_now(struct kvm_vm *vm)
{
    if (vm->look_ms != KVM_NEVER)
        vm->look_ms = kvm_now(vm);
    vmres__kvm_agenda_turn(vm);
}

/* There is room for one more. */
static void wake_another(struct vmres_kvm *kvm)
{
    for (struct kvm_vm *vm = kvm->vms; vm; vm = vm->next) {
        if (vm->leaving || vm->survey.flying ||
            (vm->doubted_ms[KVM_SAYING_OBSERVED] == 0 && vm->doubted_ms[KVM_SAYING_FINAL] == 0))
            continue;
        look_now(vm);
        break;
    }
}

static void landed(uv_work_t *work, int status)
{
    struct kvm_survey *survey = work->data;
    struct kvm_vm *vm = survey->vm;

    survey->flying = false;
    survey->kvm->surveys--;
    if (status == 0 && !survey->dropped)
        take(vm);
    wake_another(survey->kvm);
    if (vm->leaving)
        vmres__kvm_release(vm);
    else
        look_now(vm); /* somebody waits for it */
}

/* All that the thread is to know. */
static void prepare(struct kvm_vm *vm)
{
    struct kvm_survey *survey = &vm->survey;

    *survey = (struct kvm_survey){.vm = vm,
                                  .kvm = vm->kvm,
                                  .begun_ms = kvm_now(vm),
                                  .pid = vm->process.pid,
                                  .backing = vm->backing};
    survey->work.data = survey;
}

bool vmres__kvm_survey_begin(struct kvm_vm *vm)
{
    struct vmres_kvm *kvm = vm->kvm;

    if (vm->survey.flying || kvm->surveys >= FLYING_MOST)
        return true;
    prepare(vm);
    if (uv_queue_work(kvm->loop, &vm->survey.work, read_mappings, landed) != 0)
        return false;
    vm->survey.flying = true;
    kvm->surveys++;
    return true;
}

static void call_off(struct kvm_vm *vm)
{
    if (!vm->survey.flying)
        return;
    vm->survey.dropped = true;
    (void)uv_cancel((uv_req_t *)&vm->survey.work); /* where it has not begun */
}

static void add_size(struct kvm_backing *backing, uint64_t size)
{
    backing->sizes[backing->count++] = size;
}

static bool are_equal(const struct kvm_backing *a, const struct kvm_backing *b)
{
    return a->whole == b->whole && a->count == b->count &&
           memcmp(a->sizes, b->sizes, a->count * sizeof *a->sizes) == 0;
}

void vmres__kvm_survey_expect(struct kvm_vm *vm)
{
    struct kvm_backing found = {.whole = vm->probe.dimms == 0 && vm->probe.beyond == 0};

    add_size(&found, vm->probe.base);
    for (uint32_t i = 0; i < vm->parts.count; i++)
        if (vm->parts.parts[i].mechanism->device == VMRES_KVM_VIRTIO_MEM)
            add_size(&found, vm->parts.parts[i].most);
    if (are_equal(&found, &vm->backing))
        return;
    vm->backing = found;
    vm->surveyed_ms = 0; /* not as it is now */
    vm->futile = 0;
    vm->witness.mapped = KVM_UNKNOWN;
    call_off(vm);
}

void vmres__kvm_survey_drop(struct kvm_vm *vm)
{
    vm->surveyed_ms = 0;
    vm->futile = 0;
    vm->measured = false;
    vm->witness.overhead = vm->overhead;
    vm->witness.mapped = KVM_UNKNOWN;
    memset(vm->doubted_ms, 0, sizeof vm->doubted_ms);
    vm->backing = (struct kvm_backing){0};
    call_off(vm);
}
