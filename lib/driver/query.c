/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a driver: its engine, who its VMs are, what it has counted. Reads only, so
 * that pump and posts may ask as well as an embedder.
 */
#include "driver/internal.h"

#include <stddef.h>

const struct vmres_engine *vmres_driver_engine(const struct vmres_driver *driver)
{
    return driver ? driver->engine : NULL;
}

const char *vmres_driver_vm_name(const struct vmres_driver *driver, uint32_t vm)
{
    const struct vmres__registry_vm *found =
        driver ? vmres__registry_vm(&driver->registry, vm) : NULL;

    return found ? found->name : NULL;
}

uint32_t vmres_driver_vm_id(const struct vmres_driver *driver, const char *name)
{
    return driver && name ? vmres__registry_find(&driver->registry, name) : VMRES_VM_NONE;
}

uint32_t vmres_driver_vm_incarnation(const struct vmres_driver *driver, uint32_t vm)
{
    const struct vmres__registry_vm *found =
        driver ? vmres__registry_vm(&driver->registry, vm) : NULL;

    return found ? found->incarnation : 0;
}

void vmres_driver_counters(const struct vmres_driver *driver,
                           struct vmres_driver_counters *counters)
{
    if (!driver || !counters)
        return;
    *counters = (struct vmres_driver_counters){
        .posted = driver->queue.posted,
        .coalesced = driver->queue.coalesced,
        .dropped = driver->queue.dropped,
        .submitted = driver->submitted,
        .refused = driver->refused,
        .unanswerable = driver->unanswerable,
        .mail = driver->mail,
        .mail_refused = driver->mail_refused,
        .orders_refused = driver->orders_refused,
    };
}
