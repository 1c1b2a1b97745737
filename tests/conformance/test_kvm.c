/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend's world, with QEMUs that are fakes of 7.2 (support/fake_qmp.h) and sockets, loop
 * and backend that are real. A guest of QEMU's never says that it gives no more than a part, and
 * one socket that fails is not the loss of a hypervisor: both tests are skipped.
 */
#include <stdio.h>

#include <vmres/conformance.h>

#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB
#define STEP (2 * MIB)

static struct kvm_world world;

static int open_host(void *user, uint32_t vms)
{
    (void)user;
    kvm_world_init(&world, vms);
    world.resource.capacity = vms * 256 * MIB;
    world.options.command_ms = 5000; /* these answer, however slow the machine is */
    world.options.greeting_ms = 5000;
    world.driver_options.engine.progress_ms = 1000;
    kvm_world_create_backend(&world);
    for (uint32_t vm = 0; vm < vms; vm++) {
        struct fake_qmp *qmp = &world.guests[vm].qmp;

        qmp->base = 512 * MIB;
        qmp->actual = qmp->target = 256 * MIB;
        qmp->step = STEP; /* a reading; it is read every millisecond or so */
        kvm_world_process(&world.guests[vm]);
        kvm_world_add(&world, vm, 64, 448);
    }
    return 1;
}

static struct vmres_driver *connect_driver(void *user, struct vmres_driver_options *options)
{
    struct vmres_driver_options filled = world.driver_options;
    struct vmres_driver *driver;

    (void)user;
    filled.engine.policies = options->engine.policies;
    filled.engine.resources = &world.resource;
    filled.backend = vmres_kvm_backend(world.kvm);
    filled.recorder = options->recorder;
    *options = filled;
    if (vmres_driver_create(options, &driver, NULL) != VMRES_OK ||
        vmres_driver_start(driver, uv_now(&world.loop), NULL) != VMRES_OK)
        return NULL;
    world.driver = driver;
    return driver;
}

static void disconnect(void *user, struct vmres_driver *driver)
{
    (void)user;
    world.driver = NULL;
    vmres_driver_destroy(driver);
}

static void close_host(void *user)
{
    (void)user;
    kvm_world_close(&world);
}

static uint64_t now(void *user)
{
    (void)user;
    return uv_now(&world.loop);
}

static void run_until(void *user, int (*done)(void *context), void *context, uint32_t ms)
{
    uint64_t end;

    (void)user;
    uv_update_time(&world.loop);
    end = uv_now(&world.loop) + ms;
    while (!done(context) && uv_now(&world.loop) < end) {
        kvm_world_turn(&world, 1);
        if (world.driver)
            vmres_driver_pump(world.driver, uv_now(&world.loop));
    }
}

static int set_need(void *user, uint32_t vm, uint64_t amount)
{
    (void)user;
    world.guests[vm].qmp.used = amount;
    return 1;
}

/* Its driver finds all there is, and fills the balloon to what it was told before. */
static void reboot(struct kvm_guest *guest)
{
    guest->qmp.actual = guest->qmp.base;
    guest->qmp.step = 16 * MIB;
    kvm_world_process(guest);
    fake_qmp_event(&guest->qmp, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
}

static void retake(struct kvm_guest *guest)
{
    guest->qmp.actual += 8 * MIB;
    guest->qmp.target = guest->qmp.actual;
    kvm_world_process(guest);
    fake_qmp_event(&guest->qmp, "BALLOON_CHANGE", "{\"actual\": 0}"); /* it is read, not believed */
}

static int hurt(void *user, uint32_t vm, enum vmres_conformance_harm harm)
{
    struct kvm_guest *guest = &world.guests[vm];

    (void)user;
    if (harm == VMRES_HARM_MEND) {
        guest->qmp.step = STEP;
        guest->qmp.command = NULL;
    } else if (harm == VMRES_HARM_REFUSE) {
        guest->qmp.command = "balloon";
        guest->qmp.reply =
            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": %d}";
    } else if (harm == VMRES_HARM_IGNORE) {
        guest->qmp.step = 0;
    } else if (harm == VMRES_HARM_VANISH) {
        kvm_world_kill(&world, vm);
    } else if (harm == VMRES_HARM_REBOOT) {
        reboot(guest);
    } else {
        retake(guest);
    }
    return 1;
}

int main(void)
{
    const struct vmres_conformance_fixture fixture = {
        .size = sizeof fixture,
        .name = "kvm",
        .capabilities = VMRES_CONFORMANCE_SLOW | VMRES_CONFORMANCE_REPORTS |
                        VMRES_CONFORMANCE_ADOPTS | 1 << VMRES_HARM_REFUSE | 1 << VMRES_HARM_IGNORE |
                        1 << VMRES_HARM_VANISH | 1 << VMRES_HARM_REBOOT | 1 << VMRES_HARM_RETAKE,
        .open = open_host,
        .connect = connect_driver,
        .disconnect = disconnect,
        .close = close_host,
        .now = now,
        .run_until = run_until,
        .set_need = set_need,
        .hurt = hurt,
    };

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout) != 0;
}
