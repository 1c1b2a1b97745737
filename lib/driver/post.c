/* SPDX-License-Identifier: MIT */
/*
 * What comes into the driver: events of a backend or an embedder, and new VMs. Everything is
 * checked here as far as the queue and the registry need it; whether it makes sense is the engine's
 * to say. Nothing here steps the engine. What other threads post waits in the mailbox, and is
 * checked when the pump takes it out.
 */
#include "driver/internal.h"

#include <stddef.h>

/* Whom a type of event is about. */
enum subject { NOT_POSTED = 0, OF_ALL, OF_KIND, OF_VM, OF_VM_AND_KIND };

static enum subject subject_of(uint8_t type)
{
    switch (type) {
    case VMRES_EVENT_ALLOT:
    case VMRES_EVENT_BACKEND_LOST:
    case VMRES_EVENT_BACKEND_READY:
    case VMRES_EVENT_CANCEL:
    case VMRES_EVENT_DRY_RUN:
    case VMRES_EVENT_RELEASE:
    case VMRES_EVENT_SETTLE:
    case VMRES_EVENT_RESUME:
        return OF_ALL;
    case VMRES_EVENT_CAPACITY:
    case VMRES_EVENT_RESERVE:
        return OF_KIND;
    case VMRES_EVENT_VM_LIVE:
    case VMRES_EVENT_VM_GONE:
    case VMRES_EVENT_FREEZE:
    case VMRES_EVENT_THAW:
    case VMRES_EVENT_CLAIM:
        return OF_VM;
    case VMRES_EVENT_VM_LIMITS:
    case VMRES_EVENT_REPORT:
    case VMRES_EVENT_SAMPLES:
    case VMRES_EVENT_OBSERVED:
    case VMRES_EVENT_REMOVED:
    case VMRES_EVENT_REASSIGNED:
    case VMRES_EVENT_INCORPORATED:
    case VMRES_EVENT_PINNED:
    case VMRES_EVENT_EXTENT:
    case VMRES_EVENT_SET:
    case VMRES_EVENT_MOVE:
        return OF_VM_AND_KIND;
    default: /* TIMEOUT and VM_ADDED are the driver's own */
        return NOT_POSTED;
    }
}

/* Queues an event and wakes the embedder if nothing was waiting. A pump that runs needs no waking:
 * it looks at the queue before it ends. */
static enum vmres_status enqueue(struct vmres_driver *driver, const struct vmres_event *event)
{
    int was_empty = driver->queue.count == 0;
    enum vmres_status status = vmres__queue_post(&driver->queue, event);

    if (was_empty && status == VMRES_OK && !driver->pumping && driver->wake)
        driver->wake(driver->wake_user);
    return status;
}

/* A new life is told of by what the host sees or the guest says, or by its end; nothing else may
 * come first, for the engine would not take it. */
static int tells_of_birth(uint8_t type)
{
    return type == VMRES_EVENT_OBSERVED || type == VMRES_EVENT_REPORT ||
           type == VMRES_EVENT_SAMPLES || type == VMRES_EVENT_VM_GONE;
}

/* The VM rebooted. No answer to a command of its former life is owed, nor would it be heard. */
static void begin_life(struct vmres_driver *driver, uint32_t vm, uint32_t incarnation)
{
    vmres__registry_vm(&driver->registry, vm)->incarnation = incarnation;
    vmres__queue_forgive(&driver->queue, vm);
}

enum vmres_status vmres_driver_post(struct vmres_driver *driver, const struct vmres_event *event)
{
    const struct vmres__registry_vm *vm;
    struct vmres_event copy;
    enum subject subject;

    if (!driver || !event)
        return VMRES_INVALID;
    subject = subject_of(event->type);
    if (subject == NOT_POSTED)
        return VMRES_INVALID;
    if ((subject == OF_KIND || subject == OF_VM_AND_KIND) && event->kind >= driver->kinds)
        return VMRES_INVALID;
    if (subject == OF_ALL || subject == OF_KIND)
        return enqueue(driver, event);
    if (event->vm >= driver->registry.max_vms)
        return VMRES_INVALID;
    vm = vmres__registry_vm(&driver->registry, event->vm);
    if (!vm)
        return VMRES_UNKNOWN;
    copy = *event;
    if (copy.incarnation == 0)
        copy.incarnation = vm->incarnation;
    if (copy.incarnation < vm->incarnation)
        return VMRES_STALE;
    if (copy.incarnation == UINT32_MAX) /* nothing could come after it */
        return VMRES_INVALID;
    if (copy.incarnation > vm->incarnation && !tells_of_birth(event->type))
        return VMRES_STATE;
    if (copy.incarnation > vm->incarnation)
        begin_life(driver, event->vm, copy.incarnation);
    return enqueue(driver, &copy);
}

struct vmres_event vmres__post_limits(const struct vmres_vm_limits *limits, uint32_t vm,
                                      uint32_t incarnation, uint8_t kind)
{
    struct vmres_event event =
        vmres_event_limits(0, vm, incarnation, limits->floor, limits->ceiling);

    event.kind = kind;
    event.as.limits.weight = limits->weight ? limits->weight : 1;
    event.as.limits.participation = (uint32_t)limits->participation;
    if (limits->initial != UINT64_MAX) {
        event.flags = 0;
        event.as.limits.initial = limits->initial;
    }
    return event;
}

enum vmres_status vmres_driver_post_threadsafe(struct vmres_driver *driver,
                                               const struct vmres_event *event)
{
    int was_empty = 0;
    enum vmres_status status;

    if (!driver || !event || subject_of(event->type) == NOT_POSTED)
        return VMRES_INVALID;
    status = vmres__mailbox_put(&driver->mailbox, event, &was_empty);
    if (was_empty && driver->wake)
        driver->wake(driver->wake_user);
    return status;
}

static int limits_are_valid(const struct vmres_driver *driver, const struct vmres_vm_limits *limits)
{
    for (uint32_t kind = 0; limits && kind < driver->kinds; kind++) {
        if (limits[kind].floor > limits[kind].ceiling || limits[kind].weight > VMRES_WEIGHT_MAX ||
            (uint32_t)limits[kind].participation > VMRES_PARTICIPATE_BOTH)
            return 0;
    }
    return limits != NULL;
}

enum vmres_status vmres_driver_add_vm(struct vmres_driver *driver, const struct vmres_vm_spec *spec,
                                      uint32_t *vm)
{
    struct vmres_event event;
    enum vmres_status status;
    uint32_t id, incarnation;

    if (!driver || !spec || !vm || !limits_are_valid(driver, spec->limits))
        return VMRES_INVALID;
    /* All its events or none. */
    if (!vmres__queue_fits(&driver->queue, 1 + driver->kinds))
        return VMRES_LIMIT;
    status = vmres__registry_add(&driver->registry, spec->name, &id);
    if (status != VMRES_OK)
        return status;
    incarnation = vmres_driver_vm_incarnation(driver, id);
    event = vmres_event_make(VMRES_EVENT_VM_ADDED, 0, id, incarnation);
    event.as.added.tag = spec->tag;
    event.flags = spec->adopted ? VMRES_FLAG_ADOPTED : 0;
    status = enqueue(driver, &event);
    for (uint8_t kind = 0; status == VMRES_OK && kind < driver->kinds; kind++) {
        event = vmres__post_limits(&spec->limits[kind], id, incarnation, kind);
        status = enqueue(driver, &event);
    }
    *vm = id;
    return status;
}

enum vmres_status vmres_driver_allot(struct vmres_driver *driver)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_ALLOT, 0, VMRES_VM_NONE, 0);

    return driver ? enqueue(driver, &event) : VMRES_INVALID;
}
