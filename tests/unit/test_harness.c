/* SPDX-License-Identifier: MIT */
/*
 * The harness for embedders' own tests: two VMs on a host of 4 GiB, with its driver, with another's
 * and with none.
 */
#include <vmres/harness.h>

#include <string.h>

#include <vmres/policies.h>
#include <vmres/units.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static struct host {
    struct vmres_harness *harness;
    uint32_t idle, busy;
} host;

static void open_host(const struct vmres_harness_options *options)
{
    EXPECT_OK(vmres_harness_create(options, &host.harness, NULL));
    host.idle = vmres_harness_add(host.harness, "idle", 256 * VMRES_MIB, 3 * VMRES_GIB);
    host.busy = vmres_harness_add(host.harness, "busy", 256 * VMRES_MIB, 3 * VMRES_GIB);
}

static int setup(void **state)
{
    (void)state;
    open_host(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres_harness_destroy(host.harness);
    return 0;
}

static uint64_t held_mib(uint32_t vm)
{
    return vmres_harness_vm(host.harness, vm, 0).held / VMRES_MIB;
}

static void expect_sound(void)
{
    const char *breach = vmres_harness_breach(host.harness);

    if (breach)
        fail_msg("%s", breach);
}

static void want_3_gib(void)
{
    vmres_harness_want(host.harness, host.idle, 0, 512 * VMRES_MIB);
    vmres_harness_want(host.harness, host.busy, 0, 3 * VMRES_GIB);
}

static void memory_goes_to_whom_it_misses_and_comes_to_rest(void **state)
{
    (void)state;
    vmres_harness_start(host.harness);
    vmres_harness_run(host.harness, 1000);
    assert_int_equal(held_mib(host.busy), 2048);
    want_3_gib();
    assert_true(vmres_harness_settle(host.harness, 60000));
    assert_int_equal(held_mib(host.busy), 3072);
    assert_int_equal(held_mib(host.idle), 1024);
    assert_true(vmres_harness_account(host.harness, host.busy, 0).charge == 3 * VMRES_GIB);
    assert_int_equal(vmres_harness_state(host.harness, host.busy), VMRES_VM_LIVE);
    expect_sound();
}

static void what_is_still_open_is_not_at_rest(void **state)
{
    (void)state;
    vmres_harness_start(host.harness);
    vmres_harness_run(host.harness, 2000);
    want_3_gib();
    vmres_harness_hurt(host.harness,
                       &(struct vmres_sim_fault){.fault = VMRES_SIM_SLOW, .share = 1000});
    assert_false(vmres_harness_settle(host.harness, 10000));
    assert_int_equal(vmres_harness_now(host.harness), 12000);
    expect_sound();
}

static void a_fault_strikes_from_now(void **state)
{
    (void)state;
    vmres_harness_start(host.harness);
    vmres_harness_run(host.harness, 20000);
    vmres_harness_hurt(host.harness, &(struct vmres_sim_fault){.fault = VMRES_SIM_VANISH,
                                                               .vm = host.idle,
                                                               .at_ms = 1000,
                                                               .for_ms = 5000});
    vmres_harness_run(host.harness, 1000);
    assert_int_equal(vmres_harness_state(host.harness, host.idle), VMRES_VM_LIVE);
    vmres_harness_run(host.harness, 1000);
    assert_int_equal(vmres_harness_state(host.harness, host.idle), VMRES_VM_VACANT);
    assert_int_equal(vmres_harness_account(host.harness, host.idle, 0).charge, 0);
    assert_true(vmres_harness_settle(host.harness, 60000));
    assert_int_equal(vmres_harness_state(host.harness, host.idle), VMRES_VM_LIVE);
    expect_sound();
}

static void a_call_that_makes_no_sense_is_told_later(void **state)
{
    (void)state;
    vmres_harness_run(host.harness, 3000);
    vmres_harness_want(host.harness, 7, 0, 1);
    vmres_harness_start(host.harness);
    vmres_harness_start(host.harness);
    vmres_harness_run(host.harness, 1000);
    assert_string_equal(vmres_harness_breach(host.harness),
                        "by 3000 ms: want: an argument is not valid");
}

static void a_fault_beyond_all_time_never_strikes(void **state)
{
    (void)state;
    vmres_harness_start(host.harness);
    vmres_harness_run(host.harness, 5000);
    vmres_harness_hurt(
        host.harness,
        &(struct vmres_sim_fault){.fault = VMRES_SIM_VANISH, .vm = host.idle, .at_ms = UINT64_MAX});
    vmres_harness_run(host.harness, 5000);
    assert_int_equal(vmres_harness_state(host.harness, host.idle), VMRES_VM_LIVE);
    expect_sound();
}

static void a_name_that_is_taken_is_told(void **state)
{
    (void)state;
    assert_int_equal(vmres_harness_add(host.harness, "idle", 0, VMRES_GIB), VMRES_VM_NONE);
    assert_string_equal(vmres_harness_breach(host.harness), "by 0 ms: add: it exists already");
}

/* First the floors do not fit; then they do, but what it is to have is not free. */
static void who_waits_for_room_is_seen_to_wait(void **state)
{
    struct vmres_sim_fault vanish = {.fault = VMRES_SIM_VANISH, .vm = host.idle};
    uint32_t third = vmres_harness_add(host.harness, "third", 3800 * VMRES_MIB, 4 * VMRES_GIB);

    (void)state;
    vmres_harness_start(host.harness);
    assert_false(vmres_harness_settle(host.harness, 30000));
    assert_int_equal(vmres_harness_state(host.harness, third), VMRES_VM_VACANT);
    assert_int_equal(vmres_harness_state(host.harness, host.busy), VMRES_VM_LIVE);
    vmres_harness_hurt(host.harness, &vanish);
    assert_true(vmres_harness_settle(host.harness, 60000));
    assert_int_equal(vmres_harness_state(host.harness, third), VMRES_VM_BOOTING);
    assert_int_equal(held_mib(third), 0);
    vanish.vm = host.busy;
    vmres_harness_hurt(host.harness, &vanish);
    assert_true(vmres_harness_settle(host.harness, UINT64_MAX));
    assert_int_equal(vmres_harness_state(host.harness, third), VMRES_VM_LIVE);
    expect_sound();
}

static void without_a_driver_nothing_happens(void **state)
{
    (void)state;
    want_3_gib();
    assert_true(vmres_harness_settle(host.harness, 60000));
    assert_int_equal(held_mib(host.busy), 0);
    assert_null(vmres_harness_driver(host.harness));
    assert_int_equal(vmres_harness_state(host.harness, host.busy), VMRES_VM_VACANT);
    expect_sound();
}

/* A manager that makes a driver of its own, by its own ideas of what the host has. */
static struct vmres_driver *start_own(uint64_t capacity)
{
    struct vmres_driver_options options;
    struct vmres_resource memory;
    struct vmres_driver *driver;

    vmres_harness_driver_options(host.harness, &options);
    memory = options.engine.resources[0];
    memory.capacity = capacity;
    options.engine.resources = &memory;
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    EXPECT_OK(vmres_driver_start(driver, vmres_harness_now(host.harness), NULL));
    return driver;
}

static void another_driver_is_pumped_as_well(void **state)
{
    struct vmres_driver *driver = start_own(4 * VMRES_GIB);

    (void)state;
    assert_ptr_equal(vmres_harness_driver(host.harness), driver);
    want_3_gib();
    assert_true(vmres_harness_settle(host.harness, 60000));
    assert_int_equal(held_mib(host.busy), 3072);
    expect_sound();
    vmres_driver_destroy(driver);
}

static void one_that_gives_away_what_is_not_there_is_caught(void **state)
{
    struct vmres_driver *driver = start_own(6 * VMRES_GIB);

    (void)state;
    vmres_harness_run(host.harness, 5000);
    assert_string_equal(vmres_harness_breach(host.harness),
                        "by 1000 ms: a command would let the VMs hold more than the host has");
    vmres_driver_destroy(driver);
}

static void count(void *user, uint64_t now_ms)
{
    uint64_t *calls = user;

    assert_int_equal(now_ms, *calls * 1000);
    ++*calls;
}

static void a_managers_loop_is_called_in_every_tick(void **state)
{
    struct vmres_harness_options options;
    uint64_t calls = 0;

    (void)state;
    vmres_harness_options_init(&options);
    options.manager = count;
    options.user = &calls;
    open_host(&options);
    vmres_harness_run(host.harness, 5000);
    assert_int_equal(calls, 5);
    vmres_harness_destroy(host.harness);
}

static void several_kinds_and_policies(void **state)
{
    const struct vmres_resource resources[] = {
        {.name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB},
        {.name = "cpu",
         .unit = VMRES_UNIT_MILLI,
         .removal = VMRES_REMOVAL_HOST,
         .granule = 10,
         .capacity = 4000}};
    const struct vmres_policy policies[] = {{.ops = vmres_policy_find("static")},
                                            {.ops = vmres_policy_find("pressure")}};
    struct vmres_harness_options options;

    (void)state;
    vmres_harness_options_init(&options);
    options.sim.kinds = 2;
    options.sim.resources = resources;
    options.policies = policies;
    open_host(&options);
    vmres_harness_start(host.harness);
    vmres_harness_want(host.harness, host.busy, 0, VMRES_GIB);
    vmres_harness_want(host.harness, host.busy, 1, 3000);
    assert_true(vmres_harness_settle(host.harness, 20000));
    assert_int_equal(held_mib(host.busy), 512);
    assert_int_equal(vmres_harness_vm(host.harness, host.busy, 1).held, 3000);
    expect_sound();
    vmres_harness_destroy(host.harness);
}

static void what_cannot_be_made_is_not(void **state)
{
    struct vmres_harness_options options;
    struct vmres_harness *harness = NULL;
    struct vmres_error error;

    (void)state;
    vmres_harness_options_init(&options);
    options.size = 1;
    EXPECT_STATUS(vmres_harness_create(&options, &harness, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, "vmres_harness_options_init"));
    vmres_harness_options_init(&options);
    options.sim.max_vms = 0;
    EXPECT_STATUS(vmres_harness_create(&options, &harness, &error), VMRES_INVALID);
    assert_null(harness);
    vmres_harness_destroy(NULL);
}

static void every_failed_allocation_is_clean(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct vmres_harness_options options;
        struct vmres_harness *harness = NULL;
        struct failing_allocator heap;
        enum vmres_status status;
        const char *breach = NULL;

        failing_allocator_init(&heap, n);
        vmres_harness_options_init(&options);
        options.sim.allocator = &heap.allocator;
        status = vmres_harness_create(&options, &harness, NULL);
        if (status == VMRES_OK) {
            vmres_harness_start(harness);
            breach = vmres_harness_breach(harness) ? "no memory for it" : NULL;
        }
        vmres_harness_destroy(harness);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK && !breach)
            break;
        assert_true(status == VMRES_OK || status == VMRES_NOMEM);
    }
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOST(memory_goes_to_whom_it_misses_and_comes_to_rest),
        WITH_HOST(what_is_still_open_is_not_at_rest),
        WITH_HOST(a_fault_strikes_from_now),
        WITH_HOST(a_call_that_makes_no_sense_is_told_later),
        WITH_HOST(a_fault_beyond_all_time_never_strikes),
        WITH_HOST(a_name_that_is_taken_is_told),
        WITH_HOST(who_waits_for_room_is_seen_to_wait),
        WITH_HOST(without_a_driver_nothing_happens),
        WITH_HOST(another_driver_is_pumped_as_well),
        WITH_HOST(one_that_gives_away_what_is_not_there_is_caught),
        cmocka_unit_test(a_managers_loop_is_called_in_every_tick),
        cmocka_unit_test(several_kinds_and_policies),
        cmocka_unit_test(what_cannot_be_made_is_not),
        cmocka_unit_test(every_failed_allocation_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
