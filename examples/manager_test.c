/* SPDX-License-Identifier: MIT */
/*
 * How a hypervisor manager is tested without a hypervisor: a small one of ours, with a driver and a
 * loop of its own, over the simulated host of vmres-sim's harness. Its idea: "usage" is calm and
 * good enough until somebody is badly short, then "pressure" takes over until the next day.
 *
 * In a real project the manager has its own file; from here it is seen through four functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmres/harness.h>
#include <vmres/vmres.h>

/* --- the manager --- */

enum { BADLY_SHORT = VMRES_STALL_ONE / 4 };

struct manager {
    struct vmres_driver_options options;
    struct vmres_driver *driver;
    struct vmres_policy policy;
    uint32_t vms, handovers;
};

static int manager_start(struct manager *manager, const char *policy, uint64_t now_ms)
{
    manager->policy = (struct vmres_policy){.ops = vmres_policy_find(policy)};
    manager->options.engine.policies = &manager->policy;
    return vmres_driver_create(&manager->options, &manager->driver, NULL) == VMRES_OK &&
           vmres_driver_start(manager->driver, now_ms, NULL) == VMRES_OK;
}

static void manager_stop(struct manager *manager)
{
    vmres_driver_destroy(manager->driver);
    manager->driver = NULL;
}

static int is_badly_short(const struct manager *manager)
{
    struct vmres_account_info account;

    for (uint32_t vm = 0; vm < manager->vms; vm++) {
        if (vmres_engine_account(vmres_driver_engine(manager->driver), vm, 0, &account) ==
                VMRES_OK &&
            account.stall >= BADLY_SHORT)
            return 1;
    }
    return 0;
}

/* Called whenever its loop wakes up. Whoever takes over adopts the VMs that run. */
static void manager_loop(void *user, uint64_t now_ms)
{
    struct manager *manager = user;

    if (!manager->driver || manager->handovers > 0 || !is_badly_short(manager))
        return;
    manager_stop(manager);
    manager->handovers++;
    if (!manager_start(manager, "pressure", now_ms))
        manager_stop(manager);
}

/* --- its tests --- */

struct test {
    struct manager manager;
    struct vmres_harness *host;
    uint32_t a, b;
};

static int setup(void **state)
{
    static struct test test;
    struct vmres_harness_options options;

    test = (struct test){.manager = {.vms = 2}};
    vmres_harness_options_init(&options);
    options.manager = manager_loop;
    options.user = &test.manager;
    if (vmres_harness_create(&options, &test.host, NULL) != VMRES_OK)
        return 1;
    test.a = vmres_harness_add(test.host, "a", VMRES_GIB / 4, 4 * VMRES_GIB);
    test.b = vmres_harness_add(test.host, "b", VMRES_GIB / 4, 4 * VMRES_GIB);
    vmres_harness_want(test.host, test.a, 0, VMRES_GIB);
    vmres_harness_want(test.host, test.b, 0, VMRES_GIB);
    vmres_harness_driver_options(test.host, &test.manager.options);
    *state = &test;
    return manager_start(&test.manager, "usage", 0) ? 0 : 1;
}

/* One check for every test: no command ever broke a rule, and the books always added up. */
static int teardown(void **state)
{
    struct test *test = *state;
    const char *breach = vmres_harness_breach(test->host);

    if (breach)
        print_error("%s\n", breach);
    manager_stop(&test->manager);
    vmres_harness_destroy(test->host);
    return breach != NULL;
}

static uint64_t held(const struct test *test, uint32_t vm)
{
    return vmres_harness_vm(test->host, vm, 0).held;
}

static void it_stays_calm_while_all_have_enough(void **state)
{
    struct test *test = *state;

    vmres_harness_run(test->host, 60000);
    assert_int_equal(test->manager.handovers, 0);
    assert_true(held(test, test->a) >= VMRES_GIB && held(test, test->b) >= VMRES_GIB);
}

static void it_hurries_when_one_is_badly_short(void **state)
{
    struct test *test = *state;

    vmres_harness_run(test->host, 10000);
    vmres_harness_want(test->host, test->a, 0, 3 * VMRES_GIB);
    vmres_harness_run(test->host, 15000);
    assert_int_equal(test->manager.handovers, 1);
    assert_true(vmres_harness_settle(test->host, 60000));
    assert_true(held(test, test->a) >= 29 * VMRES_GIB / 10);
}

static void it_survives_a_vm_that_does_not(void **state)
{
    struct test *test = *state;

    vmres_harness_run(test->host, 10000);
    vmres_harness_want(test->host, test->a, 0, 3 * VMRES_GIB);
    vmres_harness_hurt(test->host, &(struct vmres_sim_fault){
                                       .fault = VMRES_SIM_CRASH, .vm = test->b, .at_ms = 3000});
    vmres_harness_run(test->host, 30000);
    assert_int_equal(vmres_harness_state(test->host, test->b), VMRES_VM_VACANT);
    assert_true(held(test, test->a) >= 3 * VMRES_GIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_stays_calm_while_all_have_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(it_hurries_when_one_is_badly_short, setup, teardown),
        cmocka_unit_test_setup_teardown(it_survives_a_vm_that_does_not, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
