/* SPDX-License-Identifier: MIT */
/*
 * The simulator's worlds, by way of the harness: everything the suite can ask for, on a paged host
 * and on a contiguous one, of a kind that the host enforces, and of one among three.
 */
#include <stdio.h>

#include <vmres/conformance.h>
#include <vmres/harness.h>
#include <vmres/units.h>

#define MEMORY \
    { \
        .name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB \
    }
#define BLOCKS \
    { \
        .name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB, \
        .placement = VMRES_PLACEMENT_EXTENT \
    }
#define CPU \
    { \
        .name = "cpu", .unit = VMRES_UNIT_MILLI, .removal = VMRES_REMOVAL_HOST, .granule = 10, \
        .capacity = 4000 \
    }
#define PAGES \
    { \
        .name = "pages", .unit = VMRES_UNIT_COUNT, .granule = 1, .capacity = 64 \
    }
#define DEVICE \
    { \
        .release = 10 * VMRES_MIB, .grant = 20 * VMRES_MIB \
    }

static struct vmres_harness *host;

enum { KINDS = 3 };

/* What a guest that must give up a kind can do otherwise; where blocks bound it, all but one. */
#define UNWILLING \
    (1 << VMRES_HARM_PARTIAL | 1 << VMRES_HARM_REFUSE | 1 << VMRES_HARM_IGNORE | \
     VMRES_CONFORMANCE_SLOW)
#define RETAKES (1 << VMRES_HARM_RETAKE)

static struct world {
    const char *name;
    uint32_t capabilities, kinds;
    struct vmres_resource resources[KINDS]; /* the first is tested */
    struct vmres_sim_device devices[KINDS];
} worlds[] = {
    {"sim", UNWILLING | RETAKES, 1, {MEMORY}, {DEVICE}},
    {"sim, blocks", UNWILLING, 1, {BLOCKS}, {DEVICE}},
    {"sim, cpu", 0, 2, {CPU, MEMORY}, {{0}, DEVICE}},
    {"sim, three kinds", UNWILLING | RETAKES, 3, {MEMORY, CPU, PAGES}, {DEVICE, {0}, {0}}},
};

static int open(void *user, uint32_t vms)
{
    const struct world *world = user;
    struct vmres_harness_options options;
    char name[] = "vm0";

    vmres_harness_options_init(&options);
    options.sim.tick_ms = 100;
    options.sim.kinds = world->kinds;
    options.sim.resources = world->resources;
    options.sim.devices = world->devices;
    if (vmres_harness_create(&options, &host, NULL) != VMRES_OK)
        return 0;
    for (; name[2] < '0' + (char)vms; name[2]++)
        (void)vmres_harness_add(host, name, 0, world->resources[0].capacity / 2 / vms * 3);
    return vmres_harness_breach(host) == NULL;
}

static struct vmres_driver *connect(void *user, struct vmres_driver_options *options)
{
    struct vmres_driver_options filled;
    struct vmres_driver *driver;

    (void)user;
    vmres_harness_driver_options(host, &filled);
    filled.engine.policies = options->engine.policies;
    filled.recorder = options->recorder;
    *options = filled;
    if (vmres_driver_create(options, &driver, NULL) != VMRES_OK ||
        vmres_driver_start(driver, vmres_harness_now(host), NULL) != VMRES_OK)
        return NULL;
    return driver;
}

static void close(void *user)
{
    (void)user;
    vmres_harness_destroy(host);
}

static uint64_t now(void *user)
{
    (void)user;
    return vmres_harness_now(host);
}

static void run_until(void *user, int (*done)(void *context), void *context, uint32_t ms)
{
    uint64_t end = vmres_harness_now(host) + ms;

    (void)user;
    while (!done(context) && vmres_harness_now(host) < end)
        vmres_harness_run(host, 1);
}

static int set_need(void *user, uint32_t vm, uint64_t amount)
{
    (void)user;
    vmres_harness_want(host, vm, 0, amount);
    return 1;
}

static void mend(uint32_t vm)
{
    vmres_harness_mend(host, vm);
    vmres_harness_mend(host, VMRES_VM_NONE);
}

static int hurt(void *user, uint32_t vm, enum vmres_conformance_harm harm)
{
    static const struct vmres_sim_fault faults[] = {
        [VMRES_HARM_PARTIAL] = {.fault = VMRES_SIM_PARTIAL, .share = VMRES_PPM / 2},
        [VMRES_HARM_REFUSE] = {.fault = VMRES_SIM_REFUSE, .share = VMRES_PPM},
        [VMRES_HARM_IGNORE] = {.fault = VMRES_SIM_IGNORE_REQUESTS},
        [VMRES_HARM_VANISH] = {.fault = VMRES_SIM_VANISH},
        [VMRES_HARM_REBOOT] = {.fault = VMRES_SIM_REBOOT},
        [VMRES_HARM_RETAKE] = {.fault = VMRES_SIM_RETAKE, .amount = 8 * VMRES_MIB},
        [VMRES_HARM_LINK] = {.fault = VMRES_SIM_LINK_DOWN},
    };
    struct vmres_sim_fault fault = faults[harm];

    (void)user;
    fault.vm = vm;
    if (harm == VMRES_HARM_MEND)
        mend(vm);
    else
        vmres_harness_hurt(host, &fault);
    return vmres_harness_breach(host) == NULL;
}

static int run(struct world *world)
{
    const struct vmres_conformance_fixture fixture = {
        .size = sizeof fixture,
        .name = world->name,
        .user = world,
        .capabilities = world->capabilities | VMRES_CONFORMANCE_REPORTS | VMRES_CONFORMANCE_ADOPTS |
                        1 << VMRES_HARM_VANISH | 1 << VMRES_HARM_REBOOT | 1 << VMRES_HARM_LINK,
        .open = open,
        .connect = connect,
        .close = close,
        .now = now,
        .run_until = run_until,
        .set_need = set_need,
        .hurt = hurt,
    };

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout);
}

int main(void)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
        failures += run(&worlds[i]);
    return failures != 0;
}
