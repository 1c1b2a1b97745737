/* SPDX-License-Identifier: MIT */
/*
 * What the driver is told of a VM: that it is there, what the host sees of it, whether it takes
 * part, that it began a new life, that it is gone.
 *
 * Careful on both ends. A VM is known to the driver, and so charged with the most it could hold, as
 * soon as somebody listens at its socket. It takes part (VM_LIVE) only when its guest's driver was
 * heard of in this life and what it holds has come to rest; for after a reset the balloon's size
 * stays what it was while the guest has everything. It is gone when its process is, not when it
 * stops to talk. Each greeting begins a new life: what happened in between cannot be known.
 */
#include <string.h>

#include <vmres/query.h>

#include "internal.h"

#define PLUG_WAIT_MS 30000u /* a guest that boots plugs again what was plugged */

static struct vmres_driver *driver_of(const struct kvm_vm *vm)
{
    return vm->kvm->backend.driver;
}

enum vmres_status vmres__kvm_life_post(struct kvm_vm *vm, struct vmres_event *event)
{
    if (!kvm_started(vm->kvm) || !kvm_known(vm))
        return VMRES_STATE;
    event->vm = vm->id;
    event->incarnation = vm->incarnation;
    return vmres_driver_post(driver_of(vm), event);
}

/* --- added and gone --- */

static bool balloon_of(const struct kvm_vm *vm)
{
    return vmres__kvm_part_find(&vm->parts, VMRES_KVM_BALLOON) != NULL;
}

static void begin(struct kvm_vm *vm)
{
    vmres__kvm_command_drop(vm);
    vm->told = (struct kvm_told){
        .held = KVM_UNKNOWN, .witness = KVM_UNKNOWN, .limit = KVM_UNKNOWN, .floor = KVM_UNKNOWN};
    vm->sample.used = KVM_UNKNOWN;
    vm->stats_update = KVM_UNKNOWN;
    vm->inquiry = 0;
    vm->since_ms = kvm_now(vm);
    vm->moved_ms = kvm_now(vm);
    vm->live_ms = 0;
    vm->heard = false;
}

static void take_id(struct kvm_vm *vm, uint32_t id)
{
    vm->kvm->by_id[id] = vm;
    vm->id = id;
    vm->incarnation = vmres_driver_vm_incarnation(driver_of(vm), id);
    vm->refusal = NULL;
    begin(vm);
}

/* The driver still knows one of this name: from before it was stopped, or it has yet to hear that
 * the former one is gone. */
static bool recognise(struct kvm_vm *vm)
{
    uint32_t id = vmres_driver_vm_id(driver_of(vm), vm->name);

    if (id >= vm->kvm->options.max_vms)
        return false;
    if (vm->gone_incarnation != 0 &&
        vmres_driver_vm_incarnation(driver_of(vm), id) <= vm->gone_incarnation)
        return false;
    take_id(vm, id);
    return true;
}

static void add(struct kvm_vm *vm)
{
    struct vmres_vm_spec spec = {
        .name = vm->name, .tag = vm->tag, .adopted = 1, .limits = &vm->limits};
    uint32_t id;

    if (kvm_known(vm) || recognise(vm))
        return;
    switch (vmres_driver_add_vm(driver_of(vm), &spec, &id)) {
    case VMRES_OK:
        break;
    case VMRES_EXISTS:
        vm->refusal = "the driver knows another VM of this name";
        return;
    default:
        vm->refusal = "the driver has no room for another VM";
        return;
    }
    if (id < vm->kvm->options.max_vms) {
        take_id(vm, id);
        vm->told.floor = vm->limits.floor;
        vm->told.ceiling = vm->limits.ceiling;
        vm->told.participation = vm->limits.participation;
    } else {
        vm->refusal = "max_vms of the backend is less than the driver's";
    }
}

void vmres__kvm_life_forget(struct kvm_vm *vm)
{
    vmres__kvm_command_drop(vm);
    if (kvm_known(vm))
        vm->kvm->by_id[vm->id] = NULL;
    vm->id = VMRES_VM_NONE;
    vm->inquiry = 0;
    vm->parts.count = 0;
    vm->surveyed_ms = 0;
    vm->down = vm->paused = vm->migrating = false;
}

void vmres__kvm_life_gone(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_VM_GONE};

    if (kvm_known(vm)) {
        (void)vmres__kvm_life_post(vm, &event);
        vm->gone_incarnation = vm->incarnation;
    }
    vmres__kvm_life_forget(vm);
    vm->process = (struct kvm_process){0};
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

/* --- the connection --- */

static int64_t pid_of(const struct kvm_vm *vm)
{
    int64_t pid = vm->pid;

    if (pid == 0 && vm->pidfile)
        pid = vmres__kvm_process_pidfile(vm->pidfile);
    return pid != 0 ? pid : vmres__kvm_wire_peer(vm);
}

void vmres__kvm_life_met(struct kvm_vm *vm)
{
    struct kvm_process found = {0};
    bool other;

    if (!vmres__kvm_process_look(vm->kvm, pid_of(vm), &found))
        found = vm->process; /* it cannot be seen; whether it still is will show */
    other = found.pid != vm->process.pid || found.started != vm->process.started;
    if (kvm_known(vm) && vm->process.pid != 0 && other)
        vmres__kvm_life_gone(vm);
    vm->process = found;
    add(vm);
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
    add(vm);
    vmres__kvm_life_changed(vm);
}

void vmres__kvm_life_tried(struct kvm_vm *vm)
{
    struct kvm_process now;

    vmres__kvm_report_answer(vm);
    if (!kvm_known(vm))
        return;
    if (vm->process.pid == 0) {
        if (vm->wire.deserted)
            vmres__kvm_life_gone(vm);
    } else if (!vmres__kvm_process_look(vm->kvm, vm->process.pid, &now) ||
               now.started != vm->process.started) {
        vmres__kvm_life_gone(vm);
    }
    vmres__kvm_life_changed(vm);
}

/* --- whether it can take part --- */

static const char *out_of_reach(const struct kvm_vm *vm)
{
    if (vm->talk.phase != KVM_TALK_UP)
        return vm->talk.why ? vm->talk.why : "it is being connected to";
    if (!kvm_known(vm))
        return vm->refusal ? vm->refusal : "the driver does not know it yet";
    if (vm->talk.busy)
        return "QEMU does not answer: it is stopped, or hangs";
    return NULL;
}

static const char *out_of_play(const struct kvm_vm *vm)
{
    if (vm->surveyed_ms == 0 && vm->parts.count == 0 && !kvm_probed(vm))
        return "it is being asked what it can do";
    if (vm->down)
        return "the guest has shut down";
    if (vm->migrating)
        return "it is on its way to another host";
    if (vm->paused)
        return "it is paused";
    if (vm->parts.count == 0)
        return "it has neither a balloon nor a virtio-mem device with an id";
    if (!vmres__kvm_part_movable(&vm->parts, VMRES_KVM_BALLOON) &&
        !vmres__kvm_part_movable(&vm->parts, VMRES_KVM_VIRTIO_MEM))
        return vm->fixed_why;
    if (balloon_of(vm) && !vm->heard)
        return "the balloon driver of its guest has not been heard of";
    return NULL;
}

const char *vmres__kvm_life_obstacle(const struct kvm_vm *vm)
{
    const char *why = out_of_reach(vm);

    if (!why)
        why = out_of_play(vm);
    if (!why && vm->process.pid == 0)
        why = "its process cannot be seen, so nothing it gave would be believed: give its pid";
    return why;
}

static enum vmres_participation participation_of(const struct kvm_vm *vm)
{
    if (out_of_reach(vm) || out_of_play(vm))
        return VMRES_PARTICIPATE_OFF;
    return vm->process.pid == 0 ? vm->limits.participation & VMRES_PARTICIPATE_RECIPIENT
                                : vm->limits.participation;
}

void vmres__kvm_life_changed(struct kvm_vm *vm)
{
    enum vmres_participation participation = participation_of(vm);
    uint64_t floor = kvm_max(vm->limits.floor, vmres__kvm_part_least(&vm->parts));
    uint64_t ceiling = kvm_max(vm->limits.ceiling, floor);
    struct vmres_event event;

    if (!kvm_known(vm) || (participation == vm->told.participation && floor == vm->told.floor &&
                           ceiling == vm->told.ceiling))
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

/* --- what is seen --- */

static bool is_trusted(const struct kvm_vm *vm)
{
    return vm->heard || !balloon_of(vm);
}

static bool is_far(uint64_t a, uint64_t b, uint64_t tolerance)
{
    if (a == KVM_UNKNOWN || b == KVM_UNKNOWN)
        return a != b;
    return kvm_max(a, b) - kvm_min(a, b) >= tolerance;
}

static void observe(struct kvm_vm *vm, bool always)
{
    uint64_t held = is_trusted(vm) ? vmres__kvm_part_held(&vm->parts) : KVM_UNKNOWN;
    uint64_t limit = vmres__kvm_part_limit(&vm->parts);
    uint64_t witness = vm->witness.seen;
    struct vmres_event event = {.type = VMRES_EVENT_OBSERVED, .valid = VMRES_VALID_LIMIT};

    if (!always && held == vm->told.held && limit == vm->told.limit &&
        !is_far(witness, vm->told.witness, vm->kvm->options.tolerance))
        return;
    event.as.observed.limit = limit;
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

    return is_trusted(vm) && !is_plugging(vm) && kvm_now(vm) - vm->moved_ms >= idle_ms &&
           (vm->live_ms == 0 || kvm_now(vm) - vm->live_ms >= idle_ms);
}

/* Said again as long as the engine has not taken it: it may be lost, or have come too early. */
static void come_alive(struct kvm_vm *vm)
{
    struct vmres_event event = {.type = VMRES_EVENT_VM_LIVE};
    struct vmres_vm_info info;

    if (!is_at_rest(vm) ||
        vmres_engine_vm(vmres_driver_engine(driver_of(vm)), vm->id, &info) != VMRES_OK ||
        info.state != VMRES_VM_BOOTING || info.incarnation != vm->incarnation)
        return;
    observe(vm, true);
    if (vmres__kvm_life_post(vm, &event) == VMRES_OK)
        vm->live_ms = kvm_now(vm);
}

void vmres__kvm_life_seen(struct kvm_vm *vm)
{
    uint64_t held = vmres__kvm_part_held(&vm->parts);

    if (held != vm->seen_held)
        vm->moved_ms = kvm_now(vm);
    vm->seen_held = held;
    vmres__kvm_witness_check(vm, held);
    add(vm);
    if (!kvm_known(vm))
        return;
    observe(vm, false);
    vmres__kvm_life_changed(vm);
    come_alive(vm);
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
        vm->paused = true;
    else if (strcmp(event, "MIGRATION") == 0)
        vm->migrating = vmres__kvm_probe_migrates(data);
    vmres__kvm_life_changed(vm);
}
