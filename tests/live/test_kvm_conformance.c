/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend's world, as the conformance suite wants it, of real guests. They are started once
 * and handed from test to test; who was killed is started again. That removals take time cannot be
 * promised here: what needs it is tried with fake guests (tests/conformance/test_kvm.c).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <vmres/conformance.h>

#include "live/qemu.h"
#include "support/check.h"

#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/units.h>

#define MIB VMRES_MIB
#define GUESTS 4u
#define GUEST_MIB 256u
#define START (192 * MIB) /* what each has when a test begins */

static const char *directory;
static const char *const names[GUESTS] = {"vm0", "vm1", "vm2", "vm3"};

static struct {
    struct qemu guests[GUESTS];
    uv_loop_t loop;
    uv_timer_t clock;
    struct vmres_kvm *kvm;
    struct vmres_driver *driver;
    struct vmres_resource memory;
    uint32_t vms;
} world;

/* --- the guests --- */

static void start_missing(uint32_t count)
{
    for (uint32_t vm = 0; vm < count; vm++)
        if (world.guests[vm].pid == 0)
            qemu_start(&world.guests[vm], &(struct qemu_options){.directory = directory,
                                                                 .name = names[vm],
                                                                 .words = "",
                                                                 .mib = GUEST_MIB,
                                                                 .reboots = true});
    for (uint32_t vm = 0; vm < count; vm++)
        qemu_wait(&world.guests[vm]);
}

static void set_sizes(uint32_t count)
{
    for (uint32_t vm = 0; vm < count; vm++)
        qemu_balloon(&world.guests[vm], START);
    for (uint32_t vm = 0; vm < count; vm++)
        while (qemu_actual(&world.guests[vm]) != START)
            qemu_pause_ms(5);
}

/* --- the fixture --- */

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

static int open_host(void *user, uint32_t vms)
{
    struct vmres_kvm_options options;

    (void)user;
    start_missing(vms);
    set_sizes(vms);
    world.vms = vms;
    world.memory = (struct vmres_resource){.name = "memory",
                                           .removal = VMRES_REMOVAL_GUEST,
                                           .granule = 2 * MIB,
                                           .capacity = vms * START,
                                           .tolerance = 16 * MIB};
    vmres_kvm_options_init(&options);
    options.max_vms = vms;
    options.idle_ms = 100;
    options.command_ms = 10000;
    options.tolerance = 16 * MIB;
    if (uv_loop_init(&world.loop) != 0 || uv_timer_init(&world.loop, &world.clock) != 0 ||
        vmres_kvm_create(&world.loop, &options, &world.kvm, NULL) != VMRES_OK)
        return 0;
    for (uint32_t vm = 0; vm < vms; vm++) {
        struct vmres_kvm_vm_spec spec = {.name = names[vm],
                                         .socket = world.guests[vm].socket,
                                         .limits = {.floor = START - 64 * MIB,
                                                    .ceiling = GUEST_MIB * MIB,
                                                    .participation = VMRES_PARTICIPATE_BOTH}};

        if (vmres_kvm_add_vm(world.kvm, &spec, NULL) != VMRES_OK)
            return 0;
    }
    return 1;
}

static struct vmres_driver *connect_driver(void *user, struct vmres_driver_options *options)
{
    (void)user;
    options->backend = vmres_kvm_backend(world.kvm);
    options->engine.max_vms = world.vms;
    options->engine.kinds = 1;
    options->engine.resources = &world.memory;
    options->engine.period_ms = 100;
    options->engine.progress_ms = 3000;
    if (vmres_driver_create(options, &world.driver, NULL) != VMRES_OK ||
        vmres_driver_start(world.driver, uv_now(&world.loop), NULL) != VMRES_OK)
        return NULL;
    return world.driver;
}

static void disconnect(void *user, struct vmres_driver *driver)
{
    (void)user;
    vmres_driver_destroy(driver);
    world.driver = NULL;
}

static void close_host(void *user)
{
    (void)user;
    vmres_kvm_close(world.kvm, NULL, NULL);
    uv_close((uv_handle_t *)&world.clock, NULL);
    (void)uv_run(&world.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&world.loop);
}

static uint64_t now(void *user)
{
    (void)user;
    uv_update_time(&world.loop);
    return uv_now(&world.loop);
}

static void run_until(void *user, int (*done)(void *context), void *context, uint32_t ms)
{
    uint64_t end = now(user) + ms;

    uv_timer_start(&world.clock, tick, 5, 5);
    while (!done(context) && uv_now(&world.loop) < end) {
        uv_run(&world.loop, UV_RUN_ONCE);
        if (world.driver)
            vmres_driver_pump(world.driver, uv_now(&world.loop));
    }
    uv_timer_stop(&world.clock);
}

static int hurt(void *user, uint32_t vm, enum vmres_conformance_harm harm)
{
    (void)user;
    if (harm == VMRES_HARM_VANISH)
        qemu_end(&world.guests[vm]);
    else if (harm == VMRES_HARM_REBOOT)
        qemu_do(&world.guests[vm], "system_reset");
    else if (harm == VMRES_HARM_RETAKE) /* somebody else's doing, to the guest its own */
        qemu_balloon(&world.guests[vm], START + 8 * MIB);
    return 1;
}

int main(int count, char **arguments)
{
    const struct vmres_conformance_fixture fixture = {
        .size = sizeof fixture,
        .name = "kvm, real",
        .capabilities = VMRES_CONFORMANCE_REPORTS | VMRES_CONFORMANCE_ADOPTS |
                        1 << VMRES_HARM_VANISH | 1 << VMRES_HARM_REBOOT | 1 << VMRES_HARM_RETAKE,
        .open = open_host,
        .connect = connect_driver,
        .disconnect = disconnect,
        .close = close_host,
        .patience_ms = 180000, /* emulated, on a host that may be busy */
        .now = now,
        .run_until = run_until,
        .hurt = hurt,
    };
    int failures;

    directory = qemu_directory(count, arguments);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    failures = vmres_conformance_run(&fixture, vmres_conformance_print, stdout);
    for (uint32_t vm = 0; vm < GUESTS; vm++)
        qemu_end(&world.guests[vm]);
    return failures != 0;
}
