/* SPDX-License-Identifier: MIT */
/*
 * The five operations of a backend, each passed on to the VM it is about. It knows which VM that
 * is, and nothing of QEMU.
 */
#include <stdio.h>
#include <string.h>

#include <vmres/query.h>

#include "internal.h"

static struct vmres_kvm *kvm_of(struct vmres_backend *backend)
{
    return (struct vmres_kvm *)backend;
}

/* Why this driver cannot be served, or NULL. */
static const char *misfit(const struct vmres_kvm *kvm, const struct vmres_engine *engine)
{
    struct vmres_pool_info pool;
    struct vmres_vm_info vm;

    if (vmres_engine_pool(engine, 1, &pool) == VMRES_OK)
        return "the kvm backend moves one kind, memory; give the driver no other";
    if (vmres_engine_vm(engine, kvm->options.max_vms, &vm) == VMRES_OK)
        return "the driver's max_vms is more than the kvm backend's; give both the same";
    return NULL;
}

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    struct vmres_kvm *kvm = kvm_of(backend);
    const char *why_not = misfit(kvm, vmres_driver_engine(driver));

    if (why_not) {
        if (error) {
            error->status = VMRES_UNSUPPORTED;
            (void)snprintf(error->message, sizeof error->message, "%s", why_not);
        }
        return VMRES_UNSUPPORTED;
    }
    memset(kvm->by_id, 0, kvm->options.max_vms * sizeof(struct kvm_vm *));
    for (struct kvm_vm *vm = kvm->vms; vm; vm = vm->next) {
        vmres__kvm_life_return(vm);
        vmres__kvm_agenda_turn(vm);
    }
    return VMRES_OK;
}

static void inquire(struct vmres_kvm *kvm, uint64_t inquiry)
{
    for (struct kvm_vm *vm = kvm->vms; vm; vm = vm->next)
        if (kvm_known(vm) && !vm->leaving)
            vmres__kvm_report_inquire(vm, inquiry);
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct vmres_kvm *kvm = kvm_of(backend);
    struct kvm_vm *vm;

    if (action->type == VMRES_ACTION_INQUIRE) {
        inquire(kvm, action->id);
        return VMRES_OK;
    }
    vm = action->vm < kvm->options.max_vms ? kvm->by_id[action->vm] : NULL;
    if (!vm || vm->leaving)
        return VMRES_UNKNOWN;
    return action->incarnation == vm->incarnation ? vmres__kvm_command_take(vm, action)
                                                  : VMRES_STALE;
}

static void cancel(struct vmres_backend *backend, uint64_t command)
{
    for (struct kvm_vm *vm = kvm_of(backend)->vms; vm; vm = vm->next)
        if (vmres__kvm_command_cancel(vm, command))
            return;
}

static void stop(struct vmres_backend *backend)
{
    for (struct kvm_vm *vm = kvm_of(backend)->vms; vm; vm = vm->next) {
        vmres__kvm_life_forget(vm);
        vmres__kvm_talk_end(vm);
        uv_timer_stop(&vm->timer);
    }
}

static void destroy(struct vmres_backend *backend)
{
    vmres_kvm_close(kvm_of(backend), NULL, NULL);
}

const struct vmres_backend_ops vmres__kvm_backend_ops = {
    .size = sizeof(struct vmres_backend_ops),
    .name = "kvm",
    .start = start,
    .submit = submit,
    .cancel = cancel,
    .stop = stop,
    .destroy = destroy,
};
