/* SPDX-License-Identifier: MIT */
/* A driver on a libuv loop: rounds come by themselves, posts are delivered, nothing is left. */
#include <vmres/uv.h>

#include <poll.h>
#include <string.h>

#include <uv.h>
#include <vmres/null.h>
#include <vmres/query.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static const struct vmres_resource memory = {.name = "memory", .granule = 1, .capacity = 1000};
static const struct vmres_vm_limits limits = {.ceiling = 100, .initial = 50};

static struct host {
    uv_loop_t loop;
    struct failing_allocator heap;
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    struct vmres_uv *uv;
    int closed;
} host;

static struct vmres_driver *open_driver(struct vmres_backend *backend, struct vmres_uv *uv)
{
    struct vmres_driver_options options;
    struct vmres_driver *driver;

    vmres_driver_options_init(&options);
    options.engine.max_vms = 2;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.period_ms = 4;
    options.engine.inquiry_ms = 1;
    options.engine.allocator = &host.heap.allocator;
    options.backend = backend;
    options.wake = vmres_uv_wake;
    options.wake_user = uv;
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    return driver;
}

static void count_closed(void *user)
{
    int *closed = user;

    (*closed)++;
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof host);
    failing_allocator_init(&host.heap, 0);
    assert_int_equal(uv_loop_init(&host.loop), 0);
    EXPECT_OK(vmres_uv_create(&host.loop, &host.heap.allocator, &host.uv));
    EXPECT_OK(vmres_null_create(&host.heap.allocator, &host.backend));
    host.driver = open_driver(host.backend, host.uv);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres_uv_close(host.uv, count_closed, &host.closed);
    assert_int_equal(host.closed, 0); /* later, from the loop */
    uv_run(&host.loop, UV_RUN_DEFAULT);
    assert_int_equal(host.closed, 1);
    vmres_driver_destroy(host.driver);
    vmres_backend_destroy(host.backend);
    assert_int_equal(uv_loop_close(&host.loop), 0);
    failing_allocator_expect_empty(&host.heap);
    return 0;
}

static uint64_t rounds_of(const struct vmres_driver *driver)
{
    struct vmres_counters counters;

    vmres_engine_counters(vmres_driver_engine(driver), &counters);
    return counters.rounds;
}

static enum vmres_vm_state state_of(uint32_t vm)
{
    struct vmres_vm_info info;

    EXPECT_OK(vmres_engine_vm(vmres_driver_engine(host.driver), vm, &info));
    return info.state;
}

static uint32_t add_vm(struct vmres_driver *driver)
{
    const struct vmres_vm_spec spec = {.name = "vm", .limits = &limits};
    uint32_t vm;

    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    EXPECT_OK(vmres_driver_allot(driver));
    return vm;
}

static void stop_after_rounds(uv_check_t *check)
{
    if (rounds_of(check->data) >= 3)
        vmres_uv_stop(host.uv);
}

static void rounds_come_by_themselves(void **state)
{
    uv_check_t check;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    add_vm(host.driver);
    uv_check_init(&host.loop, &check);
    check.data = host.driver;
    uv_check_start(&check, stop_after_rounds);
    uv_unref((uv_handle_t *)&check);
    uv_run(&host.loop, UV_RUN_DEFAULT); /* ends: a stopped one does not keep the loop alive */
    assert_true(rounds_of(host.driver) >= 3);
    uv_close((uv_handle_t *)&check, NULL);
    uv_run(&host.loop, UV_RUN_NOWAIT);
}

static void the_loop_s_clock_is_the_engine_s(void **state)
{
    struct vmres_counters counters;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    add_vm(host.driver);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    vmres_engine_counters(vmres_driver_engine(host.driver), &counters);
    assert_true(counters.events >= 3);
    assert_true(vmres_driver_deadline(host.driver) <= uv_now(&host.loop) + 4);
    assert_true(vmres_driver_deadline(host.driver) > 0);
}

static void what_is_posted_outside_wakes_an_embedded_loop(void **state)
{
    uint32_t vm;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    assert_int_equal(uv_backend_timeout(&host.loop), 0);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    assert_int_not_equal(uv_backend_timeout(&host.loop), 0);
    vm = add_vm(host.driver);
    assert_int_equal(poll(&(struct pollfd){uv_backend_fd(&host.loop), POLLIN, 0}, 1, 0), 1);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    assert_int_equal(state_of(vm), VMRES_VM_LIVE);
}

static void post_from_elsewhere(void *user)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_FREEZE, 0, *(uint32_t *)user, 0);

    EXPECT_OK(vmres_driver_post_threadsafe(host.driver, &event));
}

/* The loop waits for a round that never is; another thread's post ends that. */
static void another_thread_wakes_the_loop(void **state)
{
    uv_thread_t thread;
    uint32_t vm;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    vm = add_vm(host.driver);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_thread_create(&thread, post_from_elsewhere, &vm), 0);
    while (state_of(vm) != VMRES_VM_FROZEN)
        uv_run(&host.loop, UV_RUN_ONCE);
    uv_thread_join(&thread);
}

static void post_live(uv_timer_t *timer)
{
    timer->data = (void *)(uintptr_t)(1 + add_vm(host.driver));
    uv_close((uv_handle_t *)timer, NULL);
}

static void what_a_callback_posts_is_delivered_in_the_same_turn(void **state)
{
    uv_timer_t timer;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    uv_timer_init(&host.loop, &timer);
    timer.data = NULL;
    uv_timer_start(&timer, post_live, 0, 0);
    while (!timer.data)
        uv_run(&host.loop, UV_RUN_NOWAIT);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    assert_int_equal(state_of(0), VMRES_VM_LIVE);
}

static void it_can_be_started_once_at_a_time(void **state)
{
    struct vmres_error error;

    (void)state;
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, &error));
    EXPECT_STATUS(vmres_uv_start(host.uv, host.driver, &error), VMRES_STATE);
    vmres_uv_stop(host.uv);
    vmres_uv_stop(host.uv);
    assert_true(vmres_driver_deadline(host.driver) == UINT64_MAX);
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, &error));
}

static void a_driver_that_does_not_start_leaves_it_stopped(void **state)
{
    struct vmres_error error;

    (void)state;
    EXPECT_OK(vmres_driver_start(host.driver, 0, NULL));
    EXPECT_STATUS(vmres_uv_start(host.uv, host.driver, &error), VMRES_STATE);
    assert_int_equal(uv_run(&host.loop, UV_RUN_DEFAULT), 0); /* nothing to wait for */
    vmres_driver_stop(host.driver, 0);
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, &error));
}

static void two_drivers_share_a_loop(void **state)
{
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    struct vmres_uv *uv;
    int closed = 0;

    (void)state;
    EXPECT_OK(vmres_null_create(NULL, &backend));
    EXPECT_OK(vmres_uv_create(&host.loop, NULL, &uv));
    driver = open_driver(backend, uv);
    EXPECT_OK(vmres_uv_start(host.uv, host.driver, NULL));
    EXPECT_OK(vmres_uv_start(uv, driver, NULL));
    add_vm(host.driver);
    add_vm(driver);
    while (rounds_of(host.driver) < 2 || rounds_of(driver) < 2)
        uv_run(&host.loop, UV_RUN_ONCE);
    vmres_uv_close(uv, count_closed, &closed);
    while (!closed)
        uv_run(&host.loop, UV_RUN_NOWAIT);
    vmres_driver_destroy(driver);
    vmres_backend_destroy(backend);
}

static void arguments_are_checked(void **state)
{
    struct failing_allocator heap;
    struct vmres_uv *uv = NULL;
    uv_loop_t loop;

    (void)state;
    failing_allocator_init(&heap, 1);
    assert_int_equal(uv_loop_init(&loop), 0);
    EXPECT_STATUS(vmres_uv_create(NULL, NULL, &uv), VMRES_INVALID);
    EXPECT_STATUS(vmres_uv_create(&loop, NULL, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_uv_start(NULL, NULL, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_uv_create(&loop, &heap.allocator, &uv), VMRES_NOMEM);
    assert_null(uv);
    vmres_uv_close(NULL, count_closed, NULL);
    vmres_uv_stop(NULL);
    assert_int_equal(uv_loop_close(&loop), 0);
}

#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LOOP(rounds_come_by_themselves),
        ON_LOOP(the_loop_s_clock_is_the_engine_s),
        ON_LOOP(what_is_posted_outside_wakes_an_embedded_loop),
        ON_LOOP(another_thread_wakes_the_loop),
        ON_LOOP(what_a_callback_posts_is_delivered_in_the_same_turn),
        ON_LOOP(it_can_be_started_once_at_a_time),
        ON_LOOP(a_driver_that_does_not_start_leaves_it_stopped),
        ON_LOOP(two_drivers_share_a_loop),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
