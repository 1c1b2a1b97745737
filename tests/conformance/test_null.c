/* SPDX-License-Identifier: MIT */
/* The null backend's world: VMs that the embedder adds, and a clock that jumps from deadline to
 * deadline. It is perfect and instant, so that little can go wrong in it. */
#include <stdio.h>

#include <vmres/conformance.h>
#include <vmres/null.h>
#include <vmres/units.h>

static struct world {
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    struct vmres_resource memory;
    uint32_t vms;
    uint64_t now_ms;
} world;

static int open(void *user, uint32_t vms)
{
    (void)user;
    world = (struct world){
        .memory = {.name = "memory", .granule = VMRES_MIB, .capacity = vms * VMRES_GIB / 4},
        .vms = vms,
    };
    return vmres_null_create(NULL, &world.backend) == VMRES_OK;
}

static struct vmres_driver *connect(void *user, struct vmres_driver_options *options)
{
    const struct vmres_vm_limits limits = {.ceiling = VMRES_GIB / 2,
                                           .initial = VMRES_GIB / 4,
                                           .participation = VMRES_PARTICIPATE_BOTH};
    char name[] = "vm0";
    const struct vmres_vm_spec spec = {.name = name, .limits = &limits};
    uint32_t vm;

    (void)user;
    options->backend = world.backend;
    options->engine.max_vms = world.vms;
    options->engine.kinds = 1;
    options->engine.resources = &world.memory;
    if (vmres_driver_create(options, &world.driver, NULL) != VMRES_OK ||
        vmres_driver_start(world.driver, world.now_ms, NULL) != VMRES_OK)
        return NULL;
    for (; name[2] < '0' + (char)world.vms; name[2]++) {
        if (vmres_driver_add_vm(world.driver, &spec, &vm) != VMRES_OK)
            return NULL;
    }
    return vmres_driver_allot(world.driver) == VMRES_OK ? world.driver : NULL;
}

static void disconnect(void *user, struct vmres_driver *driver)
{
    (void)user;
    vmres_driver_destroy(driver);
    world.driver = NULL;
}

static void close(void *user)
{
    (void)user;
    vmres_backend_destroy(world.backend);
}

static uint64_t now(void *user)
{
    (void)user;
    return world.now_ms;
}

static void run_until(void *user, int (*done)(void *context), void *context, uint32_t ms)
{
    uint64_t end = world.now_ms + ms;

    (void)user;
    for (; !done(context) && world.now_ms < end; world.now_ms += 50)
        vmres_driver_pump(world.driver, world.now_ms);
}

int main(void)
{
    const struct vmres_conformance_fixture fixture = {.size = sizeof fixture,
                                                      .name = "null",
                                                      .open = open,
                                                      .connect = connect,
                                                      .disconnect = disconnect,
                                                      .close = close,
                                                      .now = now,
                                                      .run_until = run_until};

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout) != 0;
}
