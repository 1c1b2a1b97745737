/* SPDX-License-Identifier: MIT */
/*
 * Kinds on one simulated host: memory, which guests give up at their speed; CPU rate, which the
 * host takes at once; huge pages, counted in pieces; two memory nodes. Each has books and a policy
 * of its own.
 */
#include <vmres/harness.h>
#include <vmres/operate.h>

#include <vmres/units.h>

#include "support/check.h"
#include "support/sim_world.h"

enum { KIND_MEMORY, KIND_CPU, KIND_PAGES, KINDS };

static const struct vmres_resource resources[KINDS] = {
    {.name = "memory", .granule = 2 * VMRES_MIB, .capacity = 8 * VMRES_GIB},
    {.name = "cpu",
     .unit = VMRES_UNIT_MILLI,
     .removal = VMRES_REMOVAL_HOST,
     .granule = 10,
     .capacity = 8000},
    {.name = "hugepages", .unit = VMRES_UNIT_COUNT, .granule = 1, .capacity = 512},
};
static const struct vmres_sim_device devices[KINDS] = {
    {.release = 500 * VMRES_MIB, .grant = 2 * VMRES_GIB, .swap_out = 100 * VMRES_MIB},
    {0},
    {.release = 50, .grant = 50, .swap_out = 1},
};
static const struct vmres_vm_limits limits[KINDS] = {
    {256 * VMRES_MIB, 6 * VMRES_GIB, 4 * VMRES_GIB, 1, VMRES_PARTICIPATE_BOTH},
    {100, 8000, 4000, 1, VMRES_PARTICIPATE_BOTH},
    {16, 512, 256, 1, VMRES_PARTICIPATE_BOTH},
};

static struct vmres_harness *host;

static uint32_t add(const char *name)
{
    const struct vmres_sim_vm_spec spec = {.spec = {.name = name, .limits = limits}};
    uint32_t vm;

    EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(host), &spec, &vm));
    return vm;
}

static int setup(void **state)
{
    struct vmres_harness_options options;

    (void)state;
    vmres_harness_options_init(&options);
    options.sim.kinds = KINDS;
    options.sim.resources = resources;
    options.sim.devices = devices;
    EXPECT_OK(vmres_harness_create(&options, &host, NULL));
    add("a");
    add("b");
    vmres_harness_start(host);
    vmres_harness_run(host, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sim_world_end_harness(host);
}

static uint64_t held(uint32_t vm, uint8_t kind)
{
    return vmres_harness_vm(host, vm, kind).held;
}

/* One gets memory and gives CPU, and huge pages do not move. */
static void each_moves_on_its_own(void **state)
{
    (void)state;
    vmres_harness_want(host, 0, KIND_MEMORY, 6 * VMRES_GIB);
    vmres_harness_want(host, 1, KIND_MEMORY, VMRES_GIB);
    vmres_harness_want(host, 0, KIND_CPU, 1000);
    vmres_harness_want(host, 1, KIND_CPU, 6000);
    vmres_harness_want(host, 0, KIND_PAGES, 200);
    vmres_harness_want(host, 1, KIND_PAGES, 200);
    vmres_harness_run(host, 30000);
    assert_true(held(0, KIND_MEMORY) > 5 * VMRES_GIB);
    assert_true(held(1, KIND_CPU) >= 5990);
    assert_int_equal(held(0, KIND_PAGES), 256);
    assert_int_equal(held(1, KIND_PAGES), 256);
}

/* The host takes CPU and gives it in the same tick; memory and pages come at the device's speed. */
static void only_what_the_host_enforces_moves_at_once(void **state)
{
    struct vmres_driver *driver = vmres_harness_driver(host);

    (void)state;
    EXPECT_OK(vmres_driver_move(driver, 0, 1, KIND_CPU, 3000));
    EXPECT_OK(vmres_driver_move(driver, 0, 1, KIND_MEMORY, VMRES_GIB));
    EXPECT_OK(vmres_driver_move(driver, 0, 1, KIND_PAGES, 120));
    vmres_harness_run(host, 1000);
    assert_int_equal(held(0, KIND_CPU), 1000);
    assert_int_equal(held(1, KIND_CPU), 7000);
    assert_int_equal(held(0, KIND_MEMORY), 4 * VMRES_GIB - 500 * VMRES_MIB);
    assert_int_equal(held(0, KIND_PAGES), 206);
    vmres_harness_run(host, 5000);
    assert_int_equal(held(1, KIND_MEMORY), 5 * VMRES_GIB);
    assert_int_equal(held(0, KIND_PAGES), 136);
    assert_int_equal(held(1, KIND_PAGES), 376);
}

/* A VM that wants nothing keeps its minimum: to most hypervisors a quota of 0 means no limit. */
static void nobody_falls_to_zero(void **state)
{
    (void)state;
    vmres_harness_want(host, 0, KIND_CPU, 0);
    vmres_harness_want(host, 1, KIND_CPU, 8000);
    for (uint32_t tick = 0; tick < 60; tick++) {
        vmres_harness_run(host, 1000);
        assert_true(vmres_harness_vm(host, 0, KIND_CPU).target >= 100);
    }
    assert_int_equal(held(0, KIND_CPU), 100);
    assert_int_equal(held(1, KIND_CPU), 7900);
    /* An operator cannot either. */
    EXPECT_OK(vmres_driver_set(vmres_harness_driver(host), 0, KIND_CPU, 0));
    vmres_harness_run(host, 3000);
    assert_int_equal(held(0, KIND_CPU), 100);
}

/* Where a minimum is 0, a VM may come to have nothing: the other gets all of it. */
static void zero_is_not_unlimited(void **state)
{
    struct vmres_harness_options options;
    struct vmres_harness *cpus;

    (void)state;
    vmres_harness_options_init(&options);
    options.sim.kinds = 1;
    options.sim.resources = &resources[KIND_CPU];
    options.sim.devices = &devices[KIND_CPU];
    EXPECT_OK(vmres_harness_create(&options, &cpus, NULL));
    assert_int_equal(vmres_harness_add(cpus, "a", 0, 8000), 0);
    assert_int_equal(vmres_harness_add(cpus, "b", 0, 8000), 1);
    vmres_harness_start(cpus);
    vmres_harness_want(cpus, 1, 0, 8000);
    vmres_harness_run(cpus, 2000);
    EXPECT_OK(vmres_driver_set(vmres_harness_driver(cpus), 0, 0, 0));
    vmres_harness_run(cpus, 5000);
    assert_int_equal(vmres_harness_vm(cpus, 0, 0).held, 0);
    assert_int_equal(vmres_harness_vm(cpus, 1, 0).held, 8000);
    vmres_harness_want(cpus, 0, 0, 1000); /* and it comes back from there */
    vmres_harness_run(cpus, 10000);
    assert_int_equal(vmres_harness_vm(cpus, 0, 0).held, 1000);
    assert_null(vmres_harness_breach(cpus));
    vmres_harness_destroy(cpus);
}

static void room_is_kept_for_one_kind(void **state)
{
    const struct vmres_reservation pages = {
        .id = 1, .minimum = 100, .maximum = 100, .within_ms = UINT64_MAX, .kind = KIND_PAGES};
    struct vmres_pool_info pool;

    (void)state;
    EXPECT_OK(vmres_driver_reserve(vmres_harness_driver(host), &pages));
    vmres_harness_run(host, 10000);
    for (uint8_t kind = 0; kind < KINDS; kind++) {
        EXPECT_OK(vmres_engine_pool(vmres_driver_engine(vmres_harness_driver(host)), kind, &pool));
        assert_int_equal(pool.reserved, kind == KIND_PAGES ? 100 : 0);
    }
    assert_int_equal(held(0, KIND_PAGES) + held(1, KIND_PAGES), 412);
    assert_int_equal(held(0, KIND_MEMORY), 4 * VMRES_GIB);
}

enum { NODE_0, NODE_1, NODES };

/* A host of two memory nodes: who is short on the one gets nothing of the other, though it lies
 * idle there, and though it is the VM's own. */
static void a_node_is_not_helped_by_another(void **state)
{
    static const struct vmres_resource nodes[NODES] = {
        {.name = "node0", .granule = 2 * VMRES_MIB, .capacity = 2 * VMRES_GIB},
        {.name = "node1", .granule = 2 * VMRES_MIB, .capacity = 8 * VMRES_GIB}};
    static const struct vmres_sim_device fast[NODES];
    static const struct vmres_vm_limits on_nodes[NODES] = {
        {256 * VMRES_MIB, 2 * VMRES_GIB, VMRES_GIB, 1, VMRES_PARTICIPATE_BOTH},
        {256 * VMRES_MIB, 8 * VMRES_GIB, 2 * VMRES_GIB, 1, VMRES_PARTICIPATE_BOTH}};
    struct vmres_sim_vm_spec spec = {.spec = {.limits = on_nodes}};
    struct vmres_harness_options options;
    uint32_t vm;

    (void)state;
    vmres_harness_options_init(&options);
    options.sim.kinds = NODES;
    options.sim.resources = nodes;
    options.sim.devices = fast;
    EXPECT_OK(vmres_harness_create(&options, &host, NULL));
    for (uint32_t i = 0; i < 2; i++) {
        spec.spec.name = i == 0 ? "a" : "b";
        EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(host), &spec, &vm));
        vmres_harness_want(host, i, NODE_0, VMRES_GIB);
        vmres_harness_want(host, i, NODE_1, 512 * VMRES_MIB);
    }
    vmres_harness_start(host);
    vmres_harness_run(host, 2000);
    vmres_harness_want(host, 0, NODE_0, 2 * VMRES_GIB);
    vmres_harness_run(host, 60000);
    assert_true(vmres_harness_vm(host, 0, NODE_0).missing >= 900 * VMRES_MIB);
    assert_true(held(0, NODE_0) + held(1, NODE_0) <= 2 * VMRES_GIB);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(held(i, NODE_1), 2 * VMRES_GIB);
    vmres_harness_want(host, 1, NODE_0, 256 * VMRES_MIB); /* but by its own, as soon as it can */
    vmres_harness_run(host, 30000);
    assert_true(held(0, NODE_0) > 1500 * VMRES_MIB);
    assert_int_equal(held(0, NODE_1), 2 * VMRES_GIB);
    assert_int_equal(sim_world_end_harness(host), 0);
}

#define ON_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_HOST(each_moves_on_its_own),     ON_HOST(only_what_the_host_enforces_moves_at_once),
        ON_HOST(nobody_falls_to_zero),      cmocka_unit_test(zero_is_not_unlimited),
        ON_HOST(room_is_kept_for_one_kind), cmocka_unit_test(a_node_is_not_helped_by_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
