/* SPDX-License-Identifier: MIT */
/*
 * Holds the toy's backend to the conformance suite: a fixture says how a world is made, how time
 * passes in it, and what it can do. Yours looks the same, with your event loop in run_until().
 */
#include <stdio.h>
#include <vmres/conformance.h>

#include "toy.h"

static struct world {
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    struct vmres_resource memory;
    uint64_t now_ms;
} world;

static int open(void *user, uint32_t vms)
{
    (void)user;
    world = (struct world){
        .backend = toy_create(vms),
        .memory = {.name = "memory", .granule = VMRES_MIB, .capacity = vms * 128 * VMRES_MIB}};
    return world.backend != NULL;
}

static struct vmres_driver *connect(void *user, struct vmres_driver_options *options)
{
    (void)user;
    options->backend = world.backend;
    options->engine.max_vms = TOY_VMS;
    options->engine.kinds = 1;
    options->engine.resources = &world.memory;
    if (vmres_driver_create(options, &world.driver, NULL) != VMRES_OK ||
        vmres_driver_start(world.driver, world.now_ms, NULL) != VMRES_OK)
        return NULL;
    return world.driver;
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
    uint64_t end_ms = world.now_ms + ms;

    (void)user;
    for (; !done(context) && world.now_ms < end_ms; world.now_ms += TOY_TICK_MS) {
        toy_tick();
        vmres_driver_pump(world.driver, world.now_ms);
    }
}

int main(void)
{
    const struct vmres_conformance_fixture fixture = {
        .size = sizeof fixture,
        .name = "toy",
        .capabilities = VMRES_CONFORMANCE_SLOW | VMRES_CONFORMANCE_ADOPTS,
        .open = open,
        .connect = connect,
        .disconnect = disconnect,
        .close = close,
        .now = now,
        .run_until = run_until,
    };

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout) != 0;
}
