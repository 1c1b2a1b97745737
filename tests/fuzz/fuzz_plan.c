/* SPDX-License-Identifier: MIT */
/*
 * Bytes become a simulated host and a plan: who wants how much and when, what goes wrong for how
 * long, when the driver dies and another adopts what runs. In the end all is mended, and everything
 * must come to rest. The simulator's shadow of every command and the audit of the engine's books
 * must never have seen a breach: harness.h.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <vmres/harness.h>
#include <vmres/units.h>

#include "fuzz/heap.h"

enum {
    VMS_MAX = 5,
    KINDS_MAX = 2,
    TICK_MS = 1000,
    TICKS_MAX = 120,   /* of one plan, before all is mended */
    REST_MS = 3600000, /* within an hour it must */
    CAPACITY = 512,    /* granules of memory */
    UNITS = 1 << 20,   /* of a granule */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
    const uint8_t *data;
    size_t left;
    struct heap heap;
    struct vmres_harness *host;
    struct vmres_driver *driver;
    uint32_t vms, ticks;
    bool blocks; /* a contiguous host */
};

static uint8_t take(struct play *play)
{
    if (play->left == 0)
        return 0;
    play->left--;
    return *play->data++;
}

static uint64_t amount(struct play *play, uint8_t kind)
{
    return take(play) * (uint64_t)(kind == 0 ? 2 * UNITS + 4096 : 17);
}

static void fail(const char *what)
{
    fprintf(stderr, "plan: %s\n", what);
    abort();
}

/* --- a host --- */

static bool open_host(struct play *play)
{
    static const struct vmres_sim_device devices[KINDS_MAX] = {{.release = 40 * UNITS,
                                                                .grant = 80 * UNITS,
                                                                .swap_out = 10 * UNITS,
                                                                .relocate = 60 * UNITS}};
    struct vmres_resource resources[KINDS_MAX] = {
        {.name = "memory", .granule = UNITS, .capacity = (uint64_t)CAPACITY * UNITS},
        {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 10, .capacity = 4000}};
    struct vmres_harness_options options;
    uint8_t shape = take(play), more = take(play);

    play->blocks = shape & 1;
    resources[0].placement = play->blocks ? VMRES_PLACEMENT_EXTENT : VMRES_PLACEMENT_AMOUNT;
    resources[0].tolerance = more % 4 * UNITS;
    resources[0].reserve = more / 4 % 8 * UNITS;
    resources[1].removal = shape >> 1 & 1;
    vmres_harness_options_init(&options);
    options.sim.max_vms = VMS_MAX;
    options.sim.kinds = 1 + (shape >> 2 & 1);
    options.sim.resources = resources;
    options.sim.devices = devices;
    options.sim.tick_ms = TICK_MS;
    options.sim.seed = more;
    options.sim.sensors.stall = shape >> 3 & 1;
    options.sim.sensors.stall_noise = more;
    options.sim.allocator = &play->heap.allocator;
    play->vms = 2 + (uint32_t)(shape >> 4) % (VMS_MAX - 1);
    return vmres_harness_create(&options, &play->host, NULL) == VMRES_OK;
}

static void add_vms(struct play *play)
{
    char name[] = "vm0";

    for (uint32_t vm = 0; vm < play->vms; vm++, name[2]++) {
        uint64_t floor = take(play) % 64 * (uint64_t)UNITS;

        (void)vmres_harness_add(play->host, name, floor,
                                floor + (64 + take(play)) * (uint64_t)UNITS);
    }
}

static void start_driver(struct play *play)
{
    struct vmres_driver_options options;

    vmres_harness_driver_options(play->host, &options);
    if (vmres_driver_create(&options, &play->driver, NULL) != VMRES_OK)
        fail("no driver can be made");
    /* While the link is down it cannot be started: later, then. */
    if (vmres_driver_start(play->driver, vmres_harness_now(play->host), NULL) == VMRES_OK)
        return;
    vmres_driver_destroy(play->driver);
    play->driver = NULL;
}

static void run(struct play *play, uint32_t ticks)
{
    for (; ticks > 0 && play->ticks < TICKS_MAX; ticks--, play->ticks++)
        vmres_harness_run(play->host, TICK_MS);
    if (vmres_harness_breach(play->host))
        fail(vmres_harness_breach(play->host));
}

/* --- a plan --- */

/* Which figure each fault takes. */
static const uint8_t figures[] = {
#define FIGURE(constant, name, figure, scope) [VMRES_SIM_##constant] = VMRES_SIM_FIGURE_##figure,
    VMRES_SIM_FAULT_LIST(FIGURE)
#undef FIGURE
};

static uint64_t figure(struct play *play, const struct vmres_sim_fault *fault)
{
    if (figures[fault->fault] == VMRES_SIM_FIGURE_COUNT)
        return take(play);
    if (figures[fault->fault] == VMRES_SIM_FIGURE_DELAY)
        return take(play) * 250u;
    return amount(play, fault->kind);
}

static void add_fault(struct play *play)
{
    struct vmres_sim_fault fault = {
        .fault = (enum vmres_sim_fault_kind)(1 + take(play) % (sizeof figures - 1))};
    uint8_t who = take(play);

    fault.vm = who % play->vms;
    fault.kind = who >> 7;
    fault.at_ms = vmres_harness_now(play->host) + take(play) % 32 * 500;
    fault.for_ms = take(play) * 250;
    fault.amount = figure(play, &fault);
    fault.share = take(play) * 4000u % (VMRES_PPM + 1);
    (void)!vmres_sim_add_fault(vmres_harness_sim(play->host), &fault);
}

static void want(struct play *play)
{
    uint8_t who = take(play);

    (void)!vmres_sim_set_demand(vmres_harness_sim(play->host), who % play->vms, who >> 7,
                                amount(play, who >> 7));
}

static void replace_driver(struct play *play)
{
    vmres_driver_destroy(play->driver);
    play->driver = NULL;
    run(play, take(play) % 4);
    start_driver(play);
}

static void play_one(struct play *play)
{
    uint8_t what = take(play);

    if (what % 8 < 3)
        add_fault(play);
    else if (what % 8 < 5)
        want(play);
    else if (what % 8 < 7)
        run(play, 1 + what / 8 % 8);
    else if (what < 64)
        vmres_harness_mend(play->host, what / 8 % play->vms);
    else if (!play->driver || what < 128)
        replace_driver(play);
}

static void mend_all(struct play *play)
{
    for (uint32_t vm = 0; vm < play->vms; vm++)
        vmres_harness_mend(play->host, vm);
    vmres_harness_mend(play->host, VMRES_VM_NONE);
    if (!play->driver)
        start_driver(play);
    if (!vmres_harness_settle(play->host, REST_MS))
        fail("it does not come to rest");
    if (vmres_harness_breach(play->host))
        fail(vmres_harness_breach(play->host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play play = {.data = data, .left = size};

    heap_init(&play.heap);
    if (open_host(&play)) {
        add_vms(&play);
        start_driver(&play);
        while (play.left > 0)
            play_one(&play);
        mend_all(&play);
        vmres_driver_destroy(play.driver);
        vmres_harness_destroy(play.host);
    }
    heap_expect_empty(&play.heap);
    return 0;
}
