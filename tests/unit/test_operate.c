/* SPDX-License-Identifier: MIT */
/* The operator's calls, through a driver to an engine and back; and posts of other threads. */
#include <vmres/operate.h>

#include <vmres/null.h>
#include <vmres/query.h>

#include "support/check.h"

static const struct vmres_resource resources[] = {
    {.name = "memory", .granule = 1, .capacity = 1000},
    {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 1, .capacity = 1000},
};
static const struct vmres_vm_limits limits[] = {
    {.floor = 10, .ceiling = 400, .initial = 100, .participation = VMRES_PARTICIPATE_BOTH},
    {.floor = 10, .ceiling = 400, .initial = 100, .participation = VMRES_PARTICIPATE_BOTH},
};

enum { POSTS = 3 };

static struct vmres_backend *backend;
static struct vmres_driver *driver;
static uint64_t now;
static int wakes;
static uint64_t refused_before;

static void wake(void *user)
{
    (void)user;
    wakes++;
}

static void pump(void)
{
    vmres_driver_pump(driver, now += 1);
}

/* Far enough for a round. */
static void live_on(void)
{
    for (int i = 0; i < 3; i++)
        vmres_driver_pump(driver, now += 1000);
}

static uint64_t orders_refused(void)
{
    struct vmres_driver_counters counters;

    vmres_driver_counters(driver, &counters);
    return counters.orders_refused;
}

static uint64_t refused(void)
{
    struct vmres_counters counters;

    vmres_engine_counters(vmres_driver_engine(driver), &counters);
    return counters.refused - refused_before;
}

static uint32_t add(const char *name)
{
    const struct vmres_vm_spec spec = {.name = name, .limits = limits};
    uint32_t vm;

    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    return vm;
}

static int setup(void **state)
{
    struct vmres_driver_options options;

    (void)state;
    now = 0;
    wakes = 0;
    refused_before = 0;
    EXPECT_OK(vmres_null_create(NULL, &backend));
    vmres_driver_options_init(&options);
    options.engine.max_vms = 4;
    options.engine.kinds = 2;
    options.engine.resources = resources;
    options.backend = backend;
    options.max_posts = POSTS;
    options.wake = wake;
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    EXPECT_OK(vmres_driver_start(driver, 0, NULL));
    add("a");
    add("b");
    EXPECT_OK(vmres_driver_allot(driver));
    pump();
    refused_before = refused();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(vmres_engine_audit(vmres_driver_engine(driver), NULL), VMRES_OK);
    vmres_driver_destroy(driver);
    vmres_backend_destroy(backend);
    return 0;
}

static enum vmres_vm_state state_of(uint32_t vm)
{
    struct vmres_vm_info info;

    EXPECT_OK(vmres_engine_vm(vmres_driver_engine(driver), vm, &info));
    return info.state;
}

static struct vmres_account_info books_of(uint32_t vm, uint8_t kind)
{
    struct vmres_account_info info;

    EXPECT_OK(vmres_engine_account(vmres_driver_engine(driver), vm, kind, &info));
    return info;
}

static void a_vm_is_frozen_and_thawed(void **state)
{
    (void)state;
    EXPECT_OK(vmres_driver_freeze(driver, 0));
    assert_int_equal(state_of(0), VMRES_VM_LIVE); /* not before the pump */
    pump();
    assert_int_equal(state_of(0), VMRES_VM_FROZEN);
    EXPECT_OK(vmres_driver_thaw(driver, 0));
    pump();
    assert_int_equal(state_of(0), VMRES_VM_LIVE);
    assert_int_equal(orders_refused(), 0);
    EXPECT_OK(vmres_driver_thaw(driver, 0)); /* queued; the engine refuses it */
    pump();
    assert_int_equal(refused(), 1);
    assert_int_equal(orders_refused(), 1);
    EXPECT_STATUS(vmres_driver_freeze(driver, 3), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_driver_freeze(driver, 4), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_freeze(NULL, 0), VMRES_INVALID);
}

static void amounts_are_set_and_moved(void **state)
{
    (void)state;
    EXPECT_OK(vmres_driver_set(driver, 0, 1, 150));
    live_on();
    assert_int_equal(books_of(0, 1).held, 150);
    assert_int_equal(books_of(0, 0).held, 100);
    EXPECT_OK(vmres_driver_move(driver, 0, 1, 0, 40));
    live_on();
    assert_int_equal(books_of(0, 0).held, 60);
    assert_int_equal(books_of(1, 0).held, 140);
    EXPECT_STATUS(vmres_driver_set(driver, 0, 2, 10), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_move(driver, 0, 0, 0, 10), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_move(driver, 0, 9, 0, 10), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_move(driver, 0, 3, 0, 10), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_driver_move(NULL, 0, 1, 0, 10), VMRES_INVALID);
}

static void limits_and_capacity_change(void **state)
{
    struct vmres_vm_limits other = limits[0];
    struct vmres_pool_info pool;

    (void)state;
    other.floor = 120;
    other.weight = 3;
    EXPECT_OK(vmres_driver_set_limits(driver, 0, 0, &other));
    EXPECT_OK(vmres_driver_set_capacity(driver, 0, 900, 50));
    live_on();
    assert_int_equal(books_of(0, 0).held, 120);
    assert_int_equal(books_of(0, 0).weight, 3);
    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(driver), 0, &pool));
    assert_int_equal(pool.capacity, 900);
    assert_int_equal(pool.free, 900 - 50 - 220);
    other.floor = 500;
    EXPECT_STATUS(vmres_driver_set_limits(driver, 0, 0, &other), VMRES_INVALID);
    other = limits[0];
    other.participation = (enum vmres_participation)4;
    EXPECT_STATUS(vmres_driver_set_limits(driver, 0, 0, &other), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_set_limits(driver, 0, 0, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_set_capacity(driver, 0, 10, 11), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_set_capacity(driver, 2, 10, 0), VMRES_INVALID);
}

static void room_is_reserved_claimed_and_released(void **state)
{
    struct vmres_reservation wanted = {
        .id = 7, .minimum = 300, .maximum = 350, .within_ms = UINT64_MAX, .owner = 4711};
    struct vmres_reservation_info info;
    uint32_t vm;

    (void)state;
    EXPECT_OK(vmres_driver_reserve(driver, &wanted));
    wanted.id = 8;
    wanted.kind = 1;
    EXPECT_OK(vmres_driver_reserve(driver, &wanted));
    live_on();
    EXPECT_OK(vmres_engine_reservation(vmres_driver_engine(driver), 7, &info));
    assert_int_equal(info.ready, 1);
    assert_int_equal(info.owner, 4711);
    assert_int_equal(info.charge, 350);
    EXPECT_OK(vmres_engine_reservation(vmres_driver_engine(driver), 8, &info));
    assert_int_equal(info.kind, 1);
    EXPECT_OK(vmres_driver_release(driver, 8));
    vm = add("c");
    EXPECT_OK(vmres_driver_claim(driver, vm, 7));
    EXPECT_OK(vmres_driver_allot(driver));
    pump();
    assert_int_equal(state_of(vm), VMRES_VM_LIVE);
    assert_int_equal(books_of(vm, 0).held, 350);
    assert_int_equal(books_of(vm, 1).held, 100);
    EXPECT_STATUS(vmres_engine_reservation(vmres_driver_engine(driver), 8, &info), VMRES_UNKNOWN);
}

static void reservations_are_checked(void **state)
{
    const struct vmres_reservation good = {.id = 1, .minimum = 1, .maximum = 2, .within_ms = 3};
    struct vmres_reservation wrong;

    (void)state;
    wrong = good;
    wrong.id = 0;
    EXPECT_STATUS(vmres_driver_reserve(driver, &wrong), VMRES_INVALID);
    wrong = good;
    wrong.minimum = 3;
    EXPECT_STATUS(vmres_driver_reserve(driver, &wrong), VMRES_INVALID);
    wrong = good;
    wrong.within_ms = 0;
    EXPECT_STATUS(vmres_driver_reserve(driver, &wrong), VMRES_INVALID);
    wrong = good;
    wrong.kind = 2;
    EXPECT_STATUS(vmres_driver_reserve(driver, &wrong), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_reserve(driver, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_release(driver, 0), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_claim(driver, 0, 0), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_claim(driver, 3, 1), VMRES_UNKNOWN);
}

static void everything_comes_to_rest_and_goes_on(void **state)
{
    (void)state;
    EXPECT_OK(vmres_driver_settle(driver, 1000));
    EXPECT_OK(vmres_driver_set(driver, 0, 0, 200));
    live_on();
    assert_int_equal(books_of(0, 0).held, 100);
    assert_int_equal(vmres_engine_settled(vmres_driver_engine(driver)), 1);
    EXPECT_OK(vmres_driver_resume(driver));
    live_on();
    assert_int_equal(books_of(0, 0).held, 200);
    EXPECT_OK(vmres_driver_dry_run(driver, 1));
    EXPECT_OK(vmres_driver_set(driver, 0, 0, 300));
    live_on();
    assert_int_equal(books_of(0, 0).held, 200);
    EXPECT_OK(vmres_driver_dry_run(driver, 0));
    live_on();
    assert_int_equal(books_of(0, 0).held, 300);
    EXPECT_OK(vmres_driver_cancel(driver, 12345)); /* there is none such */
    pump();
    assert_int_equal(refused(), 1);
}

/* --- what other threads post --- */

static struct vmres_event freeze_of(uint32_t vm)
{
    return vmres_event_make(VMRES_EVENT_FREEZE, 0, vm, 0);
}

static void a_post_waits_for_the_pump_and_wakes_once(void **state)
{
    struct vmres_event event = freeze_of(0);
    struct vmres_driver_counters counters;

    (void)state;
    wakes = 0;
    assert_true(vmres_driver_deadline(driver) > 0);
    EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
    assert_int_equal(vmres_driver_deadline(driver), 0);
    event = freeze_of(1);
    EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
    assert_int_equal(wakes, 1);
    pump();
    assert_int_equal(state_of(0), VMRES_VM_FROZEN);
    assert_int_equal(state_of(1), VMRES_VM_FROZEN);
    event = freeze_of(3); /* what is wrong with it is found by the pump */
    EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
    assert_int_equal(wakes, 2);
    pump();
    vmres_driver_counters(driver, &counters);
    assert_int_equal(counters.mail, 3);
    assert_int_equal(counters.mail_refused, 1);
}

static void only_so_many_wait(void **state)
{
    struct vmres_event event = freeze_of(0);

    (void)state;
    for (int turn = 0; turn < 3; turn++) { /* around the ring */
        for (int i = 0; i < POSTS; i++)
            EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
        EXPECT_STATUS(vmres_driver_post_threadsafe(driver, &event), VMRES_LIMIT);
        pump();
        EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
        pump();
    }
}

/* The queue of the driver's own thread may be full: then it is emptied first. */
static void a_full_queue_loses_none_of_them(void **state)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_BACKEND_READY, 0, 0, 0);
    struct vmres_driver_counters counters;

    (void)state;
    while (vmres_driver_post(driver, &event) == VMRES_OK)
        continue;
    event = freeze_of(0);
    EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
    pump();
    vmres_driver_counters(driver, &counters);
    assert_int_equal(counters.mail_refused, 0);
    assert_int_equal(state_of(0), VMRES_VM_FROZEN);
}

static void what_is_posted_to_a_stopped_driver_waits(void **state)
{
    struct vmres_event event = freeze_of(0);

    (void)state;
    vmres_driver_stop(driver, now);
    EXPECT_OK(vmres_driver_post_threadsafe(driver, &event));
    assert_true(vmres_driver_deadline(driver) == UINT64_MAX);
    pump();
    EXPECT_OK(vmres_driver_start(driver, now, NULL));
    live_on();
    assert_int_equal(state_of(0), VMRES_VM_FROZEN);
}

static void what_nobody_posts(void **state)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_TIMEOUT, 0, 0, 0);

    (void)state;
    EXPECT_STATUS(vmres_driver_post_threadsafe(driver, &event), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_post_threadsafe(driver, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_post_threadsafe(NULL, &event), VMRES_INVALID);
}

#define WITH_DRIVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DRIVER(a_vm_is_frozen_and_thawed),
        WITH_DRIVER(amounts_are_set_and_moved),
        WITH_DRIVER(limits_and_capacity_change),
        WITH_DRIVER(room_is_reserved_claimed_and_released),
        WITH_DRIVER(reservations_are_checked),
        WITH_DRIVER(everything_comes_to_rest_and_goes_on),
        WITH_DRIVER(a_post_waits_for_the_pump_and_wakes_once),
        WITH_DRIVER(only_so_many_wait),
        WITH_DRIVER(a_full_queue_loses_none_of_them),
        WITH_DRIVER(what_is_posted_to_a_stopped_driver_waits),
        WITH_DRIVER(what_nobody_posts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
