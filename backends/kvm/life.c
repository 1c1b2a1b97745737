/* SPDX-License-Identifier: MIT */
/*
 * A VM's life, as far as the driver is told of it: that it is there, that it began a new life, that
 * it is gone.
 *
 * Careful on both ends. A VM is known to the driver, and so charged with the most it could hold, as
 * soon as somebody listens at its socket. It is gone when its process is, not when it stops to
 * talk. Each greeting, and each reset, begins a new life: what was known before does not count.
 */
#include <string.h>

#include "internal.h"

enum vmres_status vmres__kvm_life_post(struct kvm_vm *vm, struct vmres_event *event)
{
    if (!kvm_started(vm->kvm) || !kvm_known(vm))
        return VMRES_STATE;
    event->vm = vm->id;
    event->incarnation = vm->incarnation;
    return vmres_driver_post(kvm_driver(vm), event);
}

/* --- added and gone --- */

static void begin(struct kvm_vm *vm)
{
    vmres__kvm_command_drop(vm);
    vm->told = (struct kvm_told){
        .held = KVM_UNKNOWN, .witness = KVM_UNKNOWN, .limit = KVM_UNKNOWN, .floor = KVM_UNKNOWN};
    vm->sample.used = KVM_UNKNOWN;
    vm->stats_update = KVM_UNKNOWN;
    vm->stats_tick = 0;
    vm->dregs = KVM_UNKNOWN;
    vm->inquiry = 0;
    vm->since_ms = kvm_now(vm);
    vm->moved_ms = kvm_now(vm);
    vm->live_ms = 0;
    vm->heard = false;
    vmres__kvm_sight_renew(vm);
    vmres__kvm_agent_renew(vm);
}

static void take_id(struct kvm_vm *vm, uint32_t id)
{
    vm->kvm->by_id[id] = vm;
    vm->id = id;
    vm->incarnation = vmres_driver_vm_incarnation(kvm_driver(vm), id);
    vm->refusal = NULL;
    vm->introduced = true;
    vm->kvm->gone[id] = 0; /* that has been heard */
    begin(vm);
}

/* The same slot, a new life: nothing of the former counts. */
static void begin_anew(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_OBSERVED};

    if (!kvm_known(vm))
        return;
    vm->incarnation++;
    begin(vm);
    if (vm->parts.count > 0) {
        vm->told.limit = vmres__kvm_part_limit(&vm->parts);
        event.as.observed.limit = vm->told.limit;
        event.valid = VMRES_VALID_LIMIT;
    }
    (void)vmres__kvm_life_post(vm, &event); /* the next one of this life will do as well */
}

/* The driver still knows one of this name, from before it was stopped, unless that is one of which
 * it has yet to hear that it is gone. */
static bool recognise(struct kvm_vm *vm)
{
    const struct vmres_kvm *kvm = vm->kvm;
    uint32_t id = vmres_driver_vm_id(kvm_driver(vm), vm->name);

    if (id >= kvm->options.max_vms || kvm->by_id[id] ||
        vmres_driver_vm_incarnation(kvm_driver(vm), id) <= kvm->gone[id])
        return false;
    take_id(vm, id);
    return true;
}

/* What happened meanwhile is not known. */
void vmres__kvm_life_return(struct kvm_vm *vm)
{
    vm->introduced = recognise(vm);
    if (vm->leaving)
        vmres__kvm_part(vm);
    else if (vm->introduced)
        begin_anew(vm);
}

void vmres__kvm_life_add(struct kvm_vm *vm)
{
    struct vmres_vm_spec spec = {
        .name = vm->name, .tag = vm->tag, .adopted = 1, .limits = &vm->limits};
    uint32_t id;

    if (kvm_known(vm))
        return;
    if (recognise(vm)) {
        begin_anew(vm);
        return;
    }
    switch (vmres_driver_add_vm(kvm_driver(vm), &spec, &id)) {
    case VMRES_OK:
        break;
    case VMRES_EXISTS:
        vm->refusal = "the driver knows another VM of this name";
        return;
    default:
        vm->refusal = "the driver has no room for another VM";
        return;
    }
    take_id(vm, id);
    vm->frozen = false;
    vm->told.floor = vm->limits.floor;
    vm->told.ceiling = vm->limits.ceiling;
    vm->told.participation = vm->limits.participation;
}

void vmres__kvm_life_forget(struct kvm_vm *vm)
{
    vmres__kvm_command_drop(vm);
    if (kvm_known(vm))
        vm->kvm->by_id[vm->id] = NULL;
    vm->id = VMRES_VM_NONE;
    vm->inquiry = 0;
    vm->parts = (struct kvm_parts){0};
    vmres__kvm_survey_drop(vm);
    vm->down = vm->migrating = false;
    vm->stopped = NULL;
}

bool vmres__kvm_life_gone(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_VM_GONE};

    if (kvm_known(vm)) {
        if (vmres__kvm_life_post(vm, &event) == VMRES_LIMIT)
            return false; /* the queue is full: said again when it is tried again */
        vm->kvm->gone[vm->id] = vm->incarnation;
        vm->introduced = false;
    }
    vmres__kvm_life_forget(vm);
    vm->process = (struct kvm_process){0};
    return !vm->introduced;
}

/* --- the connection --- */

static int64_t pid_of(const struct kvm_vm *vm)
{
    int64_t pid = vm->pid;

    if (pid == 0 && vm->pidfile)
        pid = vmres__kvm_process_pidfile(vm->pidfile);
    return pid != 0 ? pid : vmres__kvm_wire_peer(&vm->wire);
}

void vmres__kvm_life_met(struct kvm_vm *vm)
{
    struct kvm_process found = {0};
    bool other;

    if (!vmres__kvm_process_look(vm->kvm, pid_of(vm), &found))
        found = vm->process; /* it cannot be seen; whether it still is will show */
    other = found.pid != vm->process.pid || found.started != vm->process.started;
    if (kvm_known(vm) && vm->process.pid != 0 && other) {
        if (!vmres__kvm_life_gone(vm))
            return; /* it could not be said: until then it is the one it was */
    }
    if (other)
        vmres__kvm_survey_drop(vm); /* also where the driver knows nothing of it */
    vm->process = found;
    vmres__kvm_life_add(vm);
}

void vmres__kvm_life_greeted(struct kvm_vm *vm)
{
    bool anew = vm->connections > 1 && vm->live_ms != 0;

    for (uint32_t i = 0; i < vm->parts.count; i++)
        vm->parts.parts[i].told = KVM_UNKNOWN;
    vm->down = false;
    if (anew)
        begin_anew(vm);
    vmres__kvm_probe_again(vm);
    vmres__kvm_life_add(vm);
    vmres__kvm_standing_tell(vm);
    vmres__kvm_agent_begin(vm);
}

void vmres__kvm_life_tried(struct kvm_vm *vm)
{
    struct kvm_process now;

    vmres__kvm_report_answer(vm);
    if (!kvm_known(vm))
        return;
    if (vm->process.pid == 0) {
        if (vm->wire.deserted)
            (void)vmres__kvm_life_gone(vm);
    } else if (!vmres__kvm_process_look(vm->kvm, vm->process.pid, &now) ||
               now.started != vm->process.started) {
        (void)vmres__kvm_life_gone(vm);
    }
    vmres__kvm_standing_tell(vm);
}

/* --- what QEMU says unasked --- */

static void reset(struct kvm_vm *vm)
{
    vm->down = false;
    /* One reset is told several times. Before it took part in this life there is nothing to end. */
    if (vm->live_ms != 0)
        begin_anew(vm);
    else
        begin(vm);
}

void vmres__kvm_life_event(struct kvm_vm *vm, const char *event, const json_t *data)
{
    static const char *const sizes[] = {"BALLOON_CHANGE", "MEMORY_DEVICE_SIZE_CHANGE"};
    static const char *const changes[] = {"STOP", "RESUME", "DEVICE_DELETED"};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(event, sizes[i]) == 0 && kvm_probed(vm))
            vmres__kvm_agenda_look(vm);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (strcmp(event, changes[i]) == 0)
            vmres__kvm_probe_again(vm);
    if (strcmp(event, "RESET") == 0)
        reset(vm);
    else if (strcmp(event, "SHUTDOWN") == 0)
        vm->down = true;
    else if (strcmp(event, "STOP") == 0)
        vm->stopped = "it is paused";
    else if (strcmp(event, "MIGRATION") == 0)
        vm->migrating = vmres__kvm_probe_migrates(data);
    vmres__kvm_standing_tell(vm);
}
