/* SPDX-License-Identifier: MIT */
/*
 * The operator's calls, each one event into the queue. What they mean is the engine's; what is
 * checked here is only what would not survive being written into an event.
 */
#include <vmres/operate.h>

#include "driver/internal.h"

static struct vmres_event about(enum vmres_event_type type, uint32_t vm, uint8_t kind)
{
    struct vmres_event event = vmres_event_make(type, 0, vm, 0);

    event.kind = kind;
    return event;
}

enum vmres_status vmres_driver_freeze(struct vmres_driver *driver, uint32_t vm)
{
    struct vmres_event event = about(VMRES_EVENT_FREEZE, vm, 0);

    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_thaw(struct vmres_driver *driver, uint32_t vm)
{
    struct vmres_event event = about(VMRES_EVENT_THAW, vm, 0);

    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_set(struct vmres_driver *driver, uint32_t vm, uint8_t kind,
                                   uint64_t amount)
{
    struct vmres_event event = about(VMRES_EVENT_SET, vm, kind);

    event.as.order.amount = amount;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_move(struct vmres_driver *driver, uint32_t donor, uint32_t recipient,
                                    uint8_t kind, uint64_t amount)
{
    struct vmres_event event = about(VMRES_EVENT_MOVE, donor, kind);

    if (!driver || recipient >= driver->registry.max_vms || recipient == donor)
        return VMRES_INVALID;
    if (!vmres__registry_vm(&driver->registry, recipient))
        return VMRES_UNKNOWN;
    event.as.order.amount = amount;
    event.as.order.recipient = recipient;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_cancel(struct vmres_driver *driver, uint64_t transfer)
{
    struct vmres_event event = about(VMRES_EVENT_CANCEL, VMRES_VM_NONE, 0);

    event.id = transfer;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_set_limits(struct vmres_driver *driver, uint32_t vm, uint8_t kind,
                                          const struct vmres_vm_limits *limits)
{
    struct vmres_event event;

    if (!limits || limits->floor > limits->ceiling ||
        (uint32_t)limits->participation > VMRES_PARTICIPATE_BOTH)
        return VMRES_INVALID;
    event = vmres__post_limits(limits, vm, 0, kind);
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_set_capacity(struct vmres_driver *driver, uint8_t kind,
                                            uint64_t capacity, uint64_t reserve)
{
    struct vmres_event event = about(VMRES_EVENT_CAPACITY, VMRES_VM_NONE, kind);

    if (reserve > capacity)
        return VMRES_INVALID;
    event.as.capacity.capacity = capacity;
    event.as.capacity.reserve = reserve;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_reserve(struct vmres_driver *driver,
                                       const struct vmres_reservation *reservation)
{
    struct vmres_event event = about(VMRES_EVENT_RESERVE, VMRES_VM_NONE, 0);

    if (!reservation || reservation->id == 0 || reservation->within_ms == 0 ||
        reservation->minimum > reservation->maximum)
        return VMRES_INVALID;
    event.kind = reservation->kind;
    event.id = reservation->id;
    event.as.terms.minimum = reservation->minimum;
    event.as.terms.maximum = reservation->maximum;
    event.as.terms.within_ms = reservation->within_ms;
    event.as.terms.owner = reservation->owner;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_release(struct vmres_driver *driver, uint64_t id)
{
    struct vmres_event event = about(VMRES_EVENT_RELEASE, VMRES_VM_NONE, 0);

    event.id = id;
    return id == 0 ? VMRES_INVALID : vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_claim(struct vmres_driver *driver, uint32_t vm, uint64_t id)
{
    struct vmres_event event = about(VMRES_EVENT_CLAIM, vm, 0);

    event.id = id;
    return id == 0 ? VMRES_INVALID : vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_settle(struct vmres_driver *driver, uint64_t within_ms)
{
    struct vmres_event event = about(VMRES_EVENT_SETTLE, VMRES_VM_NONE, 0);

    event.as.terms.within_ms = within_ms;
    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_resume(struct vmres_driver *driver)
{
    struct vmres_event event = about(VMRES_EVENT_RESUME, VMRES_VM_NONE, 0);

    return vmres_driver_post(driver, &event);
}

enum vmres_status vmres_driver_dry_run(struct vmres_driver *driver, int on)
{
    struct vmres_event event = about(VMRES_EVENT_DRY_RUN, VMRES_VM_NONE, 0);

    event.result = on != 0;
    return vmres_driver_post(driver, &event);
}
