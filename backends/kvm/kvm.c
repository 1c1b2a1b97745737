/* SPDX-License-Identifier: MIT */
/*
 * The objects: the backend, and the VMs it was given. Invariant: a VM is freed when the driver was
 * told that it is gone, its handles, timer and sockets, are closed and no thread surveys it; the
 * backend when its last VM is. Until then one that leaves stays in the list, and neither speaks nor
 * is spoken to.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static enum vmres_status fail(struct vmres_error *error, enum vmres_status status,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum vmres_status fail(struct vmres_error *error, enum vmres_status status,
                              const char *format, ...)
{
    va_list arguments;

    if (!error)
        return status;
    error->status = status;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

static char *copy_text(struct vmres_kvm *kvm, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = vmres_allocate(&kvm->heap, size, 1);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static void free_text(struct vmres_kvm *kvm, char *text)
{
    if (text)
        vmres_release(&kvm->heap, text, strlen(text) + 1, 1);
}

/* --- the backend --- */

void vmres_kvm_options_init(struct vmres_kvm_options *options)
{
    if (options)
        *options = (struct vmres_kvm_options){.size = sizeof *options,
                                              .max_vms = 64,
                                              .greeting_ms = 2000,
                                              .command_ms = 2000,
                                              .poll_ms = 20,
                                              .idle_ms = 1000,
                                              .retry_ms = 100,
                                              .tolerance = 8 * VMRES_MIB,
                                              .proc = "/proc"};
}

static void set_options(struct vmres_kvm_options *chosen, const struct vmres_kvm_options *given)
{
    vmres_kvm_options_init(chosen);
    if (!given)
        return;
    chosen->max_vms = given->max_vms ? given->max_vms : chosen->max_vms;
    chosen->greeting_ms = given->greeting_ms ? given->greeting_ms : chosen->greeting_ms;
    chosen->command_ms = given->command_ms ? given->command_ms : chosen->command_ms;
    chosen->poll_ms = given->poll_ms ? given->poll_ms : chosen->poll_ms;
    chosen->idle_ms = given->idle_ms ? given->idle_ms : chosen->idle_ms;
    chosen->retry_ms = given->retry_ms ? given->retry_ms : chosen->retry_ms;
    chosen->tolerance = given->tolerance ? given->tolerance : chosen->tolerance;
    chosen->proc = given->proc ? given->proc : chosen->proc;
    chosen->tracer = given->tracer;
}

static void free_kvm(struct vmres_kvm *kvm)
{
    struct vmres_allocator heap = kvm->heap;

    free_text(kvm, kvm->proc);
    vmres_release(&heap, kvm->gone, kvm->options.max_vms, sizeof *kvm->gone);
    vmres_release(&heap, kvm->by_id, kvm->options.max_vms, sizeof(struct kvm_vm *));
    vmres_release(&heap, kvm, 1, sizeof *kvm);
}

enum vmres_status vmres_kvm_create(struct uv_loop_s *loop, const struct vmres_kvm_options *options,
                                   struct vmres_kvm **kvm, struct vmres_error *error)
{
    struct vmres_kvm *created;

    if (!loop || !kvm)
        return fail(error, VMRES_INVALID, "loop and kvm must be given");
    if (options && options->size < sizeof *options)
        return fail(error, VMRES_INVALID, "kvm options: start from vmres_kvm_options_init()");
    created = vmres_allocate(options ? options->allocator : NULL, 1, sizeof *created);
    if (!created)
        return fail(error, VMRES_NOMEM, "no memory for a kvm backend");
    if (options && options->allocator)
        created->heap = *options->allocator;
    set_options(&created->options, options);
    created->loop = loop;
    created->proc = copy_text(created, created->options.proc);
    created->by_id =
        vmres_allocate(&created->heap, created->options.max_vms, sizeof(struct kvm_vm *));
    created->gone = vmres_allocate(&created->heap, created->options.max_vms, sizeof *created->gone);
    if (!created->proc || !created->by_id || !created->gone) {
        free_kvm(created);
        return fail(error, VMRES_NOMEM, "no memory for a kvm backend");
    }
    *kvm = created;
    return vmres_backend_init(&created->backend, &vmres__kvm_backend_ops, error);
}

struct vmres_backend *vmres_kvm_backend(struct vmres_kvm *kvm)
{
    return kvm ? &kvm->backend : NULL;
}

/* --- VMs come --- */

struct kvm_vm *vmres__kvm_find(const struct vmres_kvm *kvm, const char *name)
{
    for (struct kvm_vm *vm = kvm->vms; vm; vm = vm->next)
        if (!vm->leaving && strcmp(vm->name, name) == 0)
            return vm;
    return NULL;
}

static enum vmres_status check_spec(const struct vmres_kvm *kvm,
                                    const struct vmres_kvm_vm_spec *spec, struct vmres_error *error)
{
    if (!kvm || !spec || !spec->name || !spec->socket)
        return fail(error, VMRES_INVALID, "a VM needs a name and the path of its QMP socket");
    if (kvm->closing)
        return fail(error, VMRES_STATE, "VM '%s': the kvm backend was closed", spec->name);
    if (*spec->name == '\0' || strlen(spec->name) >= VMRES_VM_NAME_MAX)
        return fail(error, VMRES_INVALID, "a VM's name has 1 to %u bytes", VMRES_VM_NAME_MAX - 1);
    if (*spec->socket == '\0' || strlen(spec->socket) >= KVM_SOCKET_ROOM)
        return fail(error, VMRES_INVALID, "VM '%s': its socket's path must have 1 to %u bytes",
                    spec->name, KVM_SOCKET_ROOM - 1);
    if (spec->agent && strlen(spec->agent) >= KVM_SOCKET_ROOM)
        return fail(error, VMRES_INVALID, "VM '%s': its agent's path must have at most %u bytes",
                    spec->name, KVM_SOCKET_ROOM - 1);
    if (spec->limits.floor > spec->limits.ceiling || spec->limits.weight > VMRES_WEIGHT_MAX ||
        (uint32_t)spec->limits.participation > VMRES_PARTICIPATE_BOTH)
        return fail(error, VMRES_INVALID,
                    "VM '%s': its limits contradict each other; floor is at most ceiling",
                    spec->name);
    if (vmres__kvm_find(kvm, spec->name))
        return fail(error, VMRES_EXISTS, "VM '%s' was added already", spec->name);
    if (kvm->count >= kvm->options.max_vms)
        return fail(error, VMRES_LIMIT, "VM '%s': there are max_vms (%u) VMs already", spec->name,
                    kvm->options.max_vms);
    return VMRES_OK;
}

static void fill_vm(struct kvm_vm *vm, const struct vmres_kvm_vm_spec *spec)
{
    (void)snprintf(vm->name, sizeof vm->name, "%s", spec->name);
    (void)snprintf(vm->socket, sizeof vm->socket, "%s", spec->socket);
    (void)snprintf(vm->agent.path, sizeof vm->agent.path, "%s", spec->agent ? spec->agent : "");
    vm->tag = spec->tag;
    vm->pid = spec->pid;
    vm->overhead = spec->overhead;
    vm->witness.seen = KVM_UNKNOWN;
    vmres__kvm_survey_drop(vm);
    vm->limits = spec->limits;
    vm->id = VMRES_VM_NONE;
    vm->dregs = KVM_UNKNOWN;
    vmres__kvm_talk_init(vm);
    vmres__kvm_agent_init(vm);
}

static void free_vm(struct vmres_kvm *kvm, struct kvm_vm *vm)
{
    vmres__kvm_lines_finish(&vm->wire.lines);
    vmres__kvm_lines_finish(&vm->agent.wire.lines);
    free_text(kvm, vm->pidfile);
    vmres_release(&kvm->heap, vm, 1, sizeof *vm);
}

enum vmres_status vmres_kvm_add_vm(struct vmres_kvm *kvm, const struct vmres_kvm_vm_spec *spec,
                                   struct vmres_error *error)
{
    enum vmres_status status = check_spec(kvm, spec, error);
    struct kvm_vm **last, *vm;

    if (status != VMRES_OK)
        return status;
    last = &kvm->vms;
    vm = vmres_allocate(&kvm->heap, 1, sizeof *vm);
    if (!vm)
        return fail(error, VMRES_NOMEM, "no memory for VM '%s'", spec->name);
    vm->kvm = kvm;
    fill_vm(vm, spec);
    if (spec->pidfile) {
        vm->pidfile = copy_text(kvm, spec->pidfile);
        if (!vm->pidfile) {
            free_vm(kvm, vm);
            return fail(error, VMRES_NOMEM, "no memory for VM '%s'", spec->name);
        }
    }
    uv_timer_init(kvm->loop, &vm->timer);
    vm->timer.data = vm;
    while (*last)
        last = &(*last)->next;
    *last = vm;
    kvm->count++;
    vmres__kvm_agenda_turn(vm);
    return VMRES_OK;
}

/* --- VMs leave --- */

static void finish(struct vmres_kvm *kvm)
{
    void (*closed)(void *user) = kvm->closed;
    void *user = kvm->closed_user;

    free_kvm(kvm);
    if (closed)
        closed(user);
}

void vmres__kvm_release(struct kvm_vm *vm)
{
    struct vmres_kvm *kvm = vm->kvm;
    struct kvm_vm **at = &kvm->vms;

    if (!vm->timer_closed || vm->wire.state != KVM_WIRE_CLOSED ||
        vm->agent.wire.state != KVM_WIRE_CLOSED || vm->survey.flying)
        return;
    while (*at != vm)
        at = &(*at)->next;
    *at = vm->next;
    free_vm(kvm, vm);
    if (kvm->closing && !kvm->vms)
        finish(kvm);
}

static void timer_closed(uv_handle_t *handle)
{
    struct kvm_vm *vm = handle->data;

    vm->timer_closed = true;
    vmres__kvm_release(vm);
}

static void try_to_part(uv_timer_t *timer)
{
    vmres__kvm_part(timer->data);
}

/* The driver's queue is full for a moment only; one that is stopped hears of it when it is started.
 * Whoever closes the backend tells nobody any more. */
void vmres__kvm_part(struct kvm_vm *vm)
{
    struct vmres_kvm *kvm = vm->kvm;

    if (uv_is_closing((uv_handle_t *)&vm->timer))
        return;
    if (vmres__kvm_life_gone(vm) || kvm->closing)
        uv_close((uv_handle_t *)&vm->timer, timer_closed);
    else if (kvm_started(kvm))
        uv_timer_start(&vm->timer, try_to_part, kvm->options.poll_ms, 0);
}

static void leave(struct kvm_vm *vm)
{
    if (!vm->leaving) {
        vm->leaving = true;
        vm->kvm->count--;
        vmres__kvm_talk_end(vm);
    }
    vmres__kvm_part(vm);
}

enum vmres_status vmres_kvm_remove_vm(struct vmres_kvm *kvm, const char *name)
{
    struct kvm_vm *vm = kvm && name ? vmres__kvm_find(kvm, name) : NULL;

    if (!vm)
        return VMRES_UNKNOWN;
    leave(vm);
    return VMRES_OK;
}

void vmres_kvm_close(struct vmres_kvm *kvm, void (*closed)(void *user), void *user)
{
    if (!kvm || kvm->closing)
        return;
    kvm->closing = true;
    kvm->closed = closed;
    kvm->closed_user = user;
    for (struct kvm_vm *vm = kvm->vms; vm; vm = vm->next)
        leave(vm);
    if (!kvm->vms)
        finish(kvm);
}

/* --- what is known --- */

static enum vmres_kvm_state state_of(const struct kvm_vm *vm)
{
    if (vm->talk.busy)
        return VMRES_KVM_BUSY;
    if (vm->talk.phase != KVM_TALK_UP)
        return kvm_known(vm) ? VMRES_KVM_UNREACHABLE : VMRES_KVM_ABSENT;
    return kvm_probed(vm) || vm->parts.count > 0 ? VMRES_KVM_READY : VMRES_KVM_ASKED;
}

enum vmres_status vmres_kvm_vm(const struct vmres_kvm *kvm, const char *name,
                               struct vmres_kvm_vm_info *info)
{
    const struct kvm_vm *vm = kvm && name && info ? vmres__kvm_find(kvm, name) : NULL;

    if (!vm)
        return VMRES_UNKNOWN;
    *info =
        (struct vmres_kvm_vm_info){.state = state_of(vm),
                                   .vm = vm->id,
                                   .pid = vm->process.pid,
                                   .held = vmres__kvm_part_held(&vm->parts),
                                   .limit = vmres__kvm_part_limit(&vm->parts),
                                   .witness = vm->witness.seen,
                                   .overhead = vm->witness.overhead,
                                   .reason = vmres__kvm_standing_obstacle(vm),
                                   .connections = vm->connections,
                                   .lost = vm->lost,
                                   .timeouts = vm->timeouts,
                                   .rejected = vm->nonsense.count,
                                   .notices = vm->notices,
                                   .verified = vm->verified,
                                   .unverified = vm->unverified,
                                   .unseen = vm->unseen,
                                   .agent = vm->agent.phase == KVM_AGENT_UP && !vm->agent.silent};
    if (vmres__kvm_part_movable(&vm->parts, VMRES_KVM_BALLOON))
        info->devices |= VMRES_KVM_BALLOON;
    if (vmres__kvm_part_movable(&vm->parts, VMRES_KVM_VIRTIO_MEM))
        info->devices |= VMRES_KVM_VIRTIO_MEM;
    return VMRES_OK;
}
