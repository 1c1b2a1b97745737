/* SPDX-License-Identifier: MIT */
/* VMs that are migrated or paused on a simulated host, while a neighbour wants what they have. */
#include <vmres/harness.h>

#include <vmres/units.h>

#include "support/check.h"
#include "support/sim_world.h"

enum { IDLE, BUSY };

static struct vmres_harness *host;

static int setup(void **state)
{
    (void)state;
    EXPECT_OK(vmres_harness_create(NULL, &host, NULL));
    vmres_harness_add(host, "idle", VMRES_GIB / 4, 4 * VMRES_GIB);
    vmres_harness_add(host, "busy", VMRES_GIB / 4, 4 * VMRES_GIB);
    vmres_harness_start(host);
    vmres_harness_run(host, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sim_world_end_harness(host);
}

static uint64_t held(uint32_t vm)
{
    return vmres_harness_vm(host, vm, 0).held;
}

static void hurt(enum vmres_sim_fault_kind fault)
{
    vmres_harness_hurt(host, &(struct vmres_sim_fault){
                                 .fault = fault, .vm = IDLE, .at_ms = 1000, .for_ms = 20000});
}

/* In the middle of what it gives it is frozen, and holds what it holds until that is over. */
static void expect_left_alone(void)
{
    uint64_t before;

    vmres_harness_want(host, BUSY, 0, 3 * VMRES_GIB + VMRES_GIB / 2);
    vmres_harness_run(host, 2000);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_FROZEN);
    before = held(IDLE);
    assert_true(before > VMRES_GIB / 2);
    vmres_harness_run(host, 18000);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_FROZEN);
    assert_int_equal(held(IDLE), before);
    vmres_harness_run(host, 3000);
}

static void a_migration(void **state)
{
    (void)state;
    hurt(VMRES_SIM_MIGRATE);
    expect_left_alone();
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_VACANT);
    vmres_harness_run(host, 5000);
    assert_true(held(BUSY) >= 3 * VMRES_GIB + VMRES_GIB / 2);
}

static void a_migration_that_fails(void **state)
{
    (void)state;
    hurt(VMRES_SIM_MIGRATION_FAILS);
    expect_left_alone();
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    vmres_harness_run(host, 10000);
    assert_true(held(BUSY) >= 3 * VMRES_GIB + VMRES_GIB / 2);
}

static void a_pause(void **state)
{
    (void)state;
    hurt(VMRES_SIM_PAUSE);
    expect_left_alone();
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    vmres_harness_run(host, 10000);
    assert_true(held(BUSY) >= 3 * VMRES_GIB + VMRES_GIB / 2);
}

/* It ends on the way: then there is nobody to be thawed, or to be gone. */
static void one_that_dies_meanwhile(void **state)
{
    (void)state;
    hurt(VMRES_SIM_MIGRATE);
    hurt(VMRES_SIM_PAUSE);
    vmres_harness_hurt(host, &(struct vmres_sim_fault){.fault = VMRES_SIM_CRASH, .at_ms = 6000});
    vmres_harness_run(host, 30000);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_VACANT);
}

#define ON_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_HOST(a_migration),
        ON_HOST(a_migration_that_fails),
        ON_HOST(a_pause),
        ON_HOST(one_that_dies_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
