/* SPDX-License-Identifier: MIT */
/* The calls of a fixture that a world without time needs; it owns nothing but a clock's reading. */
#include "instant.h"

#include <vmres/units.h>

void instant_open(struct instant *world, struct vmres_backend *backend, uint32_t vms)
{
    *world = (struct instant){
        .backend = backend,
        .memory = {.name = "memory", .granule = VMRES_MIB, .capacity = vms * VMRES_GIB / 4},
        .vms = vms,
    };
}

static int add_vms(const struct instant *world, struct vmres_driver *driver)
{
    const struct vmres_vm_limits limits = {.ceiling = VMRES_GIB / 2,
                                           .initial = VMRES_GIB / 4,
                                           .participation = VMRES_PARTICIPATE_BOTH};
    char name[] = "vm0";
    const struct vmres_vm_spec spec = {.name = name, .limits = &limits};
    uint32_t vm;

    for (; name[2] < '0' + (char)world->vms; name[2]++) {
        if (vmres_driver_add_vm(driver, &spec, &vm) != VMRES_OK)
            return 0;
    }
    return vmres_driver_allot(driver) == VMRES_OK;
}

struct vmres_driver *instant_connect(void *user, struct vmres_driver_options *options)
{
    struct instant *world = user;
    struct vmres_driver *driver;

    options->backend = world->backend;
    options->engine.max_vms = world->vms;
    options->engine.kinds = 1;
    options->engine.resources = &world->memory;
    if (vmres_driver_create(options, &driver, NULL) != VMRES_OK)
        return NULL;
    if (vmres_driver_start(driver, world->now_ms, NULL) == VMRES_OK && add_vms(world, driver))
        return driver;
    vmres_driver_destroy(driver);
    return NULL;
}

void instant_tick(void *user, uint64_t now_ms)
{
    ((struct instant *)user)->now_ms = now_ms;
}
