/* SPDX-License-Identifier: MIT */
/*
 * I13: the controller dies at its n-th command, for every n, and the next one adopts what runs. A
 * scene of twenty seconds is played once to count its commands, then once for each of them: from
 * that command on nothing the controller says is heard, devices go on with what they were told, and
 * a little later another driver is started over the same host. The simulator's shadow looks on all
 * the while; that a VM is pinned before it gives or takes is seen between driver and simulator.
 */
#include <stdbool.h>
#include <string.h>

#include <vmres/harness.h>
#include <vmres/policies.h>
#include <vmres/query.h>
#include <vmres/units.h>

#include "support/check.h"

enum {
    VMS = 4,
    KINDS_MAX = 2,
    FAULTS_MAX = 4,
    TICK_MS = 250,
    TICKS = 80,
    REST_MS = 600000,
    PINS = 2,
    FLOOR_MIB = 64,
    CEILING_MIB = 512
};

/* Who wants how much of each kind, in hundredths of the host's, from which tick on. At no time do
 * they want more than there is. */
static const struct want {
    uint32_t tick, of_hundred[VMS];
} wants[] = {
    {0, {15, 15, 15, 15}},
    {6, {43, 10, 15, 15}},
    {28, {12, 43, 10, 15}},
    {50, {12, 12, 35, 35}},
};

struct scene {
    const char *name;
    uint32_t kinds;
    enum vmres_placement placement;
    bool unruly; /* a VM takes what it was not given: there may be more held than there is */
    struct vmres_sim_fault faults[FAULTS_MAX]; /* the first without a name ends them */
};

/* The host, and who stands between a driver and its simulator. */
static struct world {
    const struct scene *scene;
    struct vmres_harness *host;
    struct vmres_driver *driver;
    struct vmres_backend between, *beyond;
    uint32_t commands; /* heard of this driver */
    uint32_t last;     /* of these, the last that will be heard; 0: it does not die */
    uint32_t planned;  /* drivers that die */
    uint32_t doomed;   /* of these, still to come */
    bool dead;
    struct life { /* of a VM that ran before this driver, by the driver's id */
        uint32_t incarnation;
        uint32_t pins[KINDS_MAX];
    } adopted[VMS];
} world;

static const struct vmres_resource *resources(const struct scene *scene)
{
    static struct vmres_resource kinds[KINDS_MAX] = {
        {.name = "memory", .granule = 4 * VMRES_MIB, .capacity = VMRES_GIB},
        {.name = "cpu",
         .unit = VMRES_UNIT_MILLI,
         .removal = VMRES_REMOVAL_HOST,
         .granule = 10,
         .capacity = 4000},
    };

    kinds[0].placement = scene->placement;
    return kinds;
}

/* --- between driver and simulator --- */

static bool is_resize(const struct vmres_action *action)
{
    return action->type == VMRES_ACTION_REQUEST_REMOVAL || action->type == VMRES_ACTION_REASSIGN ||
           action->type == VMRES_ACTION_NOTIFY;
}

/* One that is charged with all it can hold, as one that is just booting, waits for its pin. */
static bool is_pinned(uint32_t id, uint8_t kind)
{
    const struct life *life = &world.adopted[id];
    struct vmres_account_info account;

    if (life->incarnation == 0 || life->pins[kind] >= PINS ||
        life->incarnation != vmres_driver_vm_incarnation(world.driver, id))
        return true;
    EXPECT_OK(vmres_engine_account(vmres_driver_engine(world.driver), id, kind, &account));
    return account.charge >= account.ceiling;
}

static void expect_pinned(const struct vmres_action *action)
{
    const struct life *life = &world.adopted[action->vm];

    if (life->incarnation == action->incarnation && life->pins[action->kind] < PINS)
        fail_msg("vm %u was to give or take before it was pinned twice", action->vm);
    if (action->type == VMRES_ACTION_REQUEST_REMOVAL || action->flags & VMRES_ACTION_INITIAL)
        return;
    for (uint32_t id = 0; id < VMS; id++) {
        if (!is_pinned(id, action->kind))
            fail_msg("vm %u was given something before vm %u was pinned", action->vm, id);
    }
}

static void count(void)
{
    world.dead = ++world.commands == world.last && world.doomed > 0;
}

static enum vmres_status submit(struct vmres_backend *between, const struct vmres_action *action)
{
    (void)between;
    if (world.dead)
        return VMRES_OK;
    if (action->type == VMRES_ACTION_PIN)
        world.adopted[action->vm].pins[action->kind] +=
            world.adopted[action->vm].incarnation == action->incarnation;
    if (is_resize(action))
        expect_pinned(action);
    count();
    return world.beyond->ops->submit(world.beyond, action);
}

static void cancel(struct vmres_backend *between, uint64_t command)
{
    (void)between;
    if (world.dead)
        return;
    count();
    world.beyond->ops->cancel(world.beyond, command);
}

static enum vmres_status start(struct vmres_backend *between, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    enum vmres_status status;

    (void)between;
    world.driver = world.beyond->driver = driver;
    status = world.beyond->ops->start(world.beyond, driver, error);
    for (uint32_t vm = 0; vm < VMS; vm++) {
        struct vmres_sim_state state = vmres_harness_vm(world.host, vm, 0);
        uint32_t id = state.vm;

        if (id != VMRES_VM_NONE && state.held > 0)
            world.adopted[id] = (struct life){vmres_driver_vm_incarnation(driver, id), {0}};
    }
    return status;
}

static void stop(struct vmres_backend *between)
{
    (void)between;
    world.beyond->ops->stop(world.beyond);
    world.beyond->driver = NULL;
}

static void destroy(struct vmres_backend *between)
{
    (void)between;
}

/* --- a host, and time --- */

static void start_driver(void)
{
    static const struct vmres_backend_ops ops = {.size = sizeof ops,
                                                 .name = "between",
                                                 .start = start,
                                                 .submit = submit,
                                                 .cancel = cancel,
                                                 .stop = stop,
                                                 .destroy = destroy};
    struct vmres_driver_options options;
    struct vmres_driver *driver;

    world.dead = false;
    world.commands = 0;
    memset(world.adopted, 0, sizeof world.adopted);
    EXPECT_OK(vmres_backend_init(&world.between, &ops, NULL));
    vmres_harness_driver_options(world.host, &options);
    options.backend = &world.between;
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    EXPECT_OK(vmres_driver_start(driver, vmres_harness_now(world.host), NULL));
}

static void open_world(const struct scene *scene)
{
    static const struct vmres_sim_device devices[KINDS_MAX] = {
        {.release = 100 * VMRES_MIB,
         .grant = 200 * VMRES_MIB,
         .swap_out = 20 * VMRES_MIB,
         .relocate = 400 * VMRES_MIB},
    };
    char name[] = "vm0";
    struct vmres_harness_options options;

    vmres_harness_options_init(&options);
    options.sim.max_vms = VMS;
    options.sim.tick_ms = TICK_MS;
    options.sim.kinds = scene->kinds;
    options.sim.resources = resources(scene);
    options.sim.devices = devices;
    world = (struct world){.scene = scene};
    EXPECT_OK(vmres_harness_create(&options, &world.host, NULL));
    world.beyond = vmres_sim_backend(vmres_harness_sim(world.host));
    for (uint32_t vm = 0; vm < VMS; vm++, name[2]++)
        (void)vmres_harness_add(world.host, name, FLOOR_MIB * VMRES_MIB, CEILING_MIB * VMRES_MIB);
    for (uint32_t i = 0; i < FAULTS_MAX && scene->faults[i].fault != VMRES_SIM_NO_FAULT; i++)
        vmres_harness_hurt(world.host, &scene->faults[i]);
}

static void close_world(void)
{
    vmres_driver_destroy(world.driver);
    vmres_harness_destroy(world.host);
    world.driver = NULL;
    world.host = NULL;
}

static uint64_t wanted(const struct want *want, uint32_t vm, uint8_t kind)
{
    return resources(world.scene)[kind].capacity / 100 * want->of_hundred[vm];
}

static void want_at(uint32_t tick)
{
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        for (uint32_t vm = 0; vm < VMS && wants[i].tick == tick; vm++)
            for (uint8_t kind = 0; kind < world.scene->kinds; kind++)
                vmres_harness_want(world.host, vm, kind, wanted(&wants[i], vm, kind));
    }
}

/* What devices hold, and what they aim at, whoever told them. */
static void expect_room(void)
{
    for (uint8_t kind = 0; kind < world.scene->kinds && !world.scene->unruly; kind++) {
        uint64_t most = 0;

        for (uint32_t vm = 0; vm < VMS; vm++) {
            struct vmres_sim_state state = vmres_harness_vm(world.host, vm, kind);

            most += state.held > state.target ? state.held : state.target;
        }
        if (most > resources(world.scene)[kind].capacity)
            fail_msg("kind %u: the VMs may come to hold %llu", kind, (unsigned long long)most);
    }
}

/* Where blocks lie, no two VMs have the same memory. */
static void expect_apart(void)
{
    for (uint32_t vm = 0; vm < VMS; vm++) {
        struct vmres_sim_state one = vmres_harness_vm(world.host, vm, 0);

        for (uint32_t i = 0; i < vm; i++) {
            struct vmres_sim_state other = vmres_harness_vm(world.host, i, 0);

            if (one.held > 0 && other.held > 0 && one.front < other.front + other.held &&
                other.front < one.front + one.held)
                fail_msg("the blocks of VMs %u and %u overlap", i, vm);
        }
        assert_true(one.front + one.held <= resources(world.scene)[0].capacity);
    }
}

/* The tick is played; a driver that died in it is replaced some ticks later. */
static void play(uint32_t tick, uint32_t *replace_at)
{
    want_at(tick);
    if (tick == *replace_at)
        start_driver();
    vmres_harness_run(world.host, TICK_MS);
    expect_room();
    if (world.scene->placement == VMRES_PLACEMENT_EXTENT)
        expect_apart();
    if (!world.dead || !world.driver)
        return;
    vmres_driver_destroy(world.driver);
    world.driver = NULL;
    world.doomed--;
    *replace_at = tick + 1 + world.last % 4;
}

/* --- what is left in the end --- */

static void expect_books(uint8_t kind)
{
    struct vmres_pool_info pool;
    uint64_t held = 0;

    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(world.driver), kind, &pool));
    for (uint32_t vm = 0; vm < VMS; vm++) {
        struct vmres_sim_state state = vmres_harness_vm(world.host, vm, kind);
        struct vmres_account_info account = vmres_harness_account(world.host, vm, kind);

        if (vmres_harness_state(world.host, vm) == VMRES_VM_VACANT)
            continue;
        held += state.held;
        assert_int_equal(vmres_harness_state(world.host, vm), VMRES_VM_LIVE);
        assert_true(account.charge == state.held);
        assert_true(state.held >= account.floor);
        assert_true(state.held >= state.demand);
    }
    assert_true(pool.deficit == 0 && pool.transit == 0 && pool.disputed == 0);
    assert_true(pool.free + held == pool.capacity);
}

/* Whether everybody has what it wants, and the books know. */
static bool all_is_well(void)
{
    for (uint32_t vm = 0; vm < VMS; vm++) {
        for (uint8_t kind = 0; kind < world.scene->kinds; kind++) {
            struct vmres_sim_state state = vmres_harness_vm(world.host, vm, kind);

            if (state.held < state.demand ||
                state.held != vmres_harness_account(world.host, vm, kind).charge)
                return false;
        }
    }
    return true;
}

/* One that was found uncooperative is left alone for minutes: there is time. */
static void expect_rest(void)
{
    uint64_t end;

    world.doomed = 0;
    for (uint32_t vm = 0; vm < VMS; vm++)
        vmres_harness_mend(world.host, vm);
    vmres_harness_mend(world.host, VMRES_VM_NONE);
    for (end = vmres_harness_now(world.host) + REST_MS; !all_is_well();) {
        vmres_harness_run(world.host, 1000);
        if (vmres_harness_now(world.host) >= end)
            break;
    }
    if (!vmres_harness_settle(world.host, REST_MS))
        fail_msg("it does not come to rest");
    for (uint8_t kind = 0; kind < world.scene->kinds; kind++)
        expect_books(kind);
}

/* Plays a scene in which the first `doomed` drivers die at their `last` command. How many the one
 * that lived to the end gave. */
static uint32_t run(const struct scene *scene, uint32_t last, uint32_t doomed)
{
    uint32_t replace_at = UINT32_MAX, commands;

    open_world(scene);
    world.last = last;
    world.planned = world.doomed = doomed;
    start_driver();
    for (uint32_t tick = 0; tick < TICKS || !world.driver; tick++)
        play(tick, &replace_at);
    commands = world.commands;
    expect_rest();
    if (vmres_harness_breach(world.host))
        fail_msg("%s", vmres_harness_breach(world.host));
    close_world();
    return commands;
}

/* Every command is the last once, then every command of the early days of three drivers. */
static void sweep(const struct scene *scene)
{
    uint32_t commands = run(scene, 0, 0);

    assert_true(commands > 60);
    for (uint32_t last = 1; last <= commands; last++)
        (void)run(scene, last, 1);
    for (uint32_t last = 1; last <= 40; last++)
        (void)run(scene, last, 3);
}

/* Says which run it was that failed. */
static int tell(void **state)
{
    (void)state;
    if (world.host)
        print_error("crash: scene %s, %u drivers die at command %u\n", world.scene->name,
                    world.planned, world.last);
    close_world();
    return 0;
}

/* --- scenes --- */

static void on_a_quiet_host(void **state)
{
    (void)state;
    sweep(&(struct scene){.name = "quiet", .kinds = 1});
}

static void with_two_kinds(void **state)
{
    (void)state;
    sweep(&(struct scene){.name = "two kinds", .kinds = 2});
}

static void with_blocks(void **state)
{
    (void)state;
    sweep(&(struct scene){.name = "blocks", .kinds = 1, .placement = VMRES_PLACEMENT_EXTENT});
}

static void with_blocks_and_another_kind(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "blocks, two kinds", .kinds = 2, .placement = VMRES_PLACEMENT_EXTENT});
}

static void among_the_slow_and_unwilling(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "slow",
        .kinds = 1,
        .faults = {{.fault = VMRES_SIM_SLOW, .vm = 1, .at_ms = 0, .share = 300000},
                   {.fault = VMRES_SIM_PARTIAL, .vm = 2, .at_ms = 0, .share = 500000},
                   {.fault = VMRES_SIM_REFUSE, .vm = 3, .at_ms = 0, .share = 500000},
                   {.fault = VMRES_SIM_IGNORE_REQUESTS, .vm = 0, .at_ms = 7000}}});
}

static void among_liars(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "liars",
        .kinds = 2,
        .unruly = true,
        .faults = {{.fault = VMRES_SIM_LIE_RELEASED, .vm = 1, .at_ms = 1000, .for_ms = 9000},
                   {.fault = VMRES_SIM_LIE_USED, .vm = 2, .at_ms = 4000, .share = 200000},
                   {.fault = VMRES_SIM_RETAKE, .vm = 3, .at_ms = 6000, .amount = 64 * VMRES_MIB},
                   {.fault = VMRES_SIM_REPEAT, .vm = 0, .at_ms = 0}}});
}

static void while_vms_come_and_go(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "lives",
        .kinds = 1,
        .unruly = true,
        .faults = {{.fault = VMRES_SIM_REBOOT, .vm = 1, .at_ms = 3000},
                   {.fault = VMRES_SIM_CRASH, .vm = 2, .at_ms = 8000},
                   {.fault = VMRES_SIM_RESTORE, .vm = 3, .at_ms = 6000, .amount = 100 * VMRES_MIB},
                   {.fault = VMRES_SIM_REBOOT_STALE, .vm = 0, .at_ms = 10000}}});
}

static void over_a_bad_link(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "link",
        .kinds = 1,
        .faults = {{.fault = VMRES_SIM_LATENCY, .vm = 1, .at_ms = 0, .amount = 600},
                   {.fault = VMRES_SIM_HANG, .vm = 0, .at_ms = 8000, .for_ms = 3000},
                   {.fault = VMRES_SIM_THROTTLE, .vm = 2, .at_ms = 0, .amount = 1000},
                   {.fault = VMRES_SIM_SCRUB, .vm = 3, .at_ms = 0, .amount = 30 * VMRES_MIB}}});
}

static void with_blocks_among_the_slow(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "blocks, slow",
        .kinds = 1,
        .placement = VMRES_PLACEMENT_EXTENT,
        .faults = {{.fault = VMRES_SIM_SLOW, .vm = 1, .at_ms = 0, .share = 300000},
                   {.fault = VMRES_SIM_IGNORE_REQUESTS, .vm = 2, .at_ms = 8000, .for_ms = 7000},
                   {.fault = VMRES_SIM_LATENCY, .vm = 3, .at_ms = 0, .amount = 600},
                   {.fault = VMRES_SIM_REBOOT, .vm = 0, .at_ms = 12000}}});
}

static void with_blocks_that_hear_late(void **state)
{
    (void)state;
    sweep(&(struct scene){
        .name = "blocks, late",
        .kinds = 1,
        .placement = VMRES_PLACEMENT_EXTENT,
        .faults = {{.fault = VMRES_SIM_LATENCY, .vm = 0, .at_ms = 0, .amount = 700},
                   {.fault = VMRES_SIM_LATENCY, .vm = 1, .at_ms = 0, .amount = 700},
                   {.fault = VMRES_SIM_LATENCY, .vm = 2, .at_ms = 0, .amount = 700},
                   {.fault = VMRES_SIM_LATENCY, .vm = 3, .at_ms = 0, .amount = 700}}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(on_a_quiet_host, tell),
        cmocka_unit_test_teardown(with_two_kinds, tell),
        cmocka_unit_test_teardown(with_blocks, tell),
        cmocka_unit_test_teardown(with_blocks_and_another_kind, tell),
        cmocka_unit_test_teardown(among_the_slow_and_unwilling, tell),
        cmocka_unit_test_teardown(among_liars, tell),
        cmocka_unit_test_teardown(while_vms_come_and_go, tell),
        cmocka_unit_test_teardown(over_a_bad_link, tell),
        cmocka_unit_test_teardown(with_blocks_among_the_slow, tell),
        cmocka_unit_test_teardown(with_blocks_that_hear_late, tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
