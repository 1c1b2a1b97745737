/* SPDX-License-Identifier: MIT */
/*
 * What a VM said and nobody understands, on its QMP socket or its agent's port. All of it is
 * counted. Who raves fills no log: invariant: in any ten seconds there is one line about a VM at
 * most, by the loop's clock, and it says how often it was since the last.
 */
#include "internal.h"

#define LINE_MS 10000u

void vmres__kvm_nonsense(struct kvm_vm *vm, const char *what)
{
    const struct vmres_tracer *tracer = &vm->kvm->options.tracer;
    struct kvm_nonsense *nonsense = &vm->nonsense;
    struct vmres_trace_record record = {.time_ms = kvm_now(vm),
                                        .vm = vm->id,
                                        .other = VMRES_VM_NONE,
                                        .reason = what,
                                        .type = VMRES_TRACE_NONSENSE,
                                        .level = VMRES_TRACE_WARN};

    nonsense->count++;
    if (!tracer->function || (nonsense->told > 0 && kvm_now(vm) - nonsense->told_ms < LINE_MS))
        return;
    record.amount = nonsense->count - nonsense->told;
    nonsense->told = nonsense->count;
    nonsense->told_ms = kvm_now(vm);
    tracer->function(tracer->user, &record);
}
