/* SPDX-License-Identifier: MIT */
/*
 * Driver and null backend, end to end: the method's figure 2, three VMs at 100 %, 40 % and 70 %
 * use. What is recorded meanwhile is replayed without a difference.
 */
#include <vmres/null.h>

#include <stdlib.h>
#include <string.h>

#include <vmres/driver.h>
#include <vmres/policies.h>
#include <vmres/query.h>
#include <vmres/replay.h>
#include <vmres/units.h>

#include "driver/log.h"
#include "support/check.h"
#include "support/failing_allocator.h"

enum { VMS = 3, FILE_ROOM = 1 << 20 };

#define REGION (48 * VMRES_MIB)

static struct host {
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    uint32_t vms[VMS];
    uint64_t need[VMS];
} host;

static struct {
    unsigned char *bytes;
    size_t size, at;
} file;

static const struct vmres_resource resources[] = {
    {.name = "memory", .granule = VMRES_MIB, .capacity = 3 * VMRES_GIB},
    {.name = "cpu",
     .unit = VMRES_UNIT_MILLI,
     .removal = VMRES_REMOVAL_HOST,
     .granule = 10,
     .capacity = 3000},
};

static enum vmres_status record(void *user, const void *data, size_t size)
{
    (void)user;
    assert_true(file.size + size <= FILE_ROOM);
    memcpy(file.bytes + file.size, data, size);
    file.size += size;
    return VMRES_OK;
}

static size_t play(void *user, void *data, size_t size)
{
    size_t some = file.size - file.at < size ? file.size - file.at : size;

    (void)user;
    memcpy(data, file.bytes + file.at, some);
    file.at += some;
    return some;
}

static uint64_t held(int i, uint8_t kind)
{
    struct vmres_account_info books;

    EXPECT_OK(vmres_engine_account(vmres_driver_engine(host.driver), host.vms[i], kind, &books));
    return books.held;
}

static enum vmres_vm_state state_of(int i)
{
    struct vmres_vm_info info;

    EXPECT_OK(vmres_engine_vm(vmres_driver_engine(host.driver), host.vms[i], &info));
    return info.state;
}

static void add_vms(void)
{
    static const char *const names[VMS] = {"vm1", "vm2", "vm3"};
    const struct vmres_vm_limits limits[] = {
        {.floor = 128 * VMRES_MIB,
         .ceiling = 2 * VMRES_GIB,
         .initial = VMRES_GIB,
         .participation = VMRES_PARTICIPATE_BOTH},
        {.floor = 100,
         .ceiling = 2000,
         .initial = UINT64_MAX,
         .participation = VMRES_PARTICIPATE_BOTH},
    };

    for (int i = 0; i < VMS; i++) {
        const struct vmres_vm_spec spec = {.name = names[i], .limits = limits};

        EXPECT_OK(vmres_driver_add_vm(host.driver, &spec, &host.vms[i]));
    }
    EXPECT_OK(vmres_driver_allot(host.driver));
}

static void open_host(uint32_t kinds)
{
    static const struct vmres_usage_options usage_options = {
        .low = 600000, .high = 800000, .region = REGION, .regions = 1};
    const struct vmres_policy policies[] = {
        {.ops = vmres_policy_find("usage"), .options = &usage_options},
        {.ops = vmres_policy_find("static")},
    };
    struct vmres_driver_options options;

    vmres_driver_options_init(&options);
    EXPECT_OK(vmres_null_create(NULL, &host.backend));
    options.backend = host.backend;
    options.engine.max_vms = VMS;
    options.engine.kinds = kinds;
    options.engine.resources = resources;
    options.engine.policies = policies;
    options.recorder.write = record;
    file.size = 0;
    EXPECT_OK(vmres_driver_create(&options, &host.driver, NULL));
    EXPECT_OK(vmres_driver_start(host.driver, 0, NULL));
    add_vms();
    vmres_driver_pump(host.driver, 0);
}

static int setup(void **state)
{
    (void)state;
    file.bytes = malloc(FILE_ROOM);
    open_host(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres_driver_destroy(host.driver);
    vmres_backend_destroy(host.backend);
    free(file.bytes);
    return 0;
}

static void report(int i)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_REPORT, 0, host.vms[i], 0);
    uint64_t has = held(i, 0);
    uint64_t used = host.need[i] < has ? host.need[i] : has;

    event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE;
    event.as.report.used = used;
    event.as.report.available = has - used;
    EXPECT_OK(vmres_driver_post(host.driver, &event));
}

static void run_until(uint64_t end_ms)
{
    uint64_t now = vmres_driver_deadline(host.driver);

    while (now <= end_ms) {
        for (int i = 0; i < VMS; i++)
            report(i);
        vmres_driver_pump(host.driver, now);
        assert_true(held(0, 0) + held(1, 0) + held(2, 0) <= 3 * VMRES_GIB);
        EXPECT_OK(vmres_engine_audit(vmres_driver_engine(host.driver), NULL));
        now = vmres_driver_deadline(host.driver);
    }
}

static void run_figure_2(void)
{
    host.need[0] = 1300 * VMRES_MIB;
    host.need[1] = 410 * VMRES_MIB;
    host.need[2] = 717 * VMRES_MIB;
    run_until(60000);
}

static void vms_live_after_their_first_allotment(void **state)
{
    (void)state;
    for (int i = 0; i < VMS; i++) {
        assert_int_equal(state_of(i), VMRES_VM_LIVE);
        assert_int_equal(held(i, 0), VMRES_GIB);
    }
}

static void memory_moves_from_the_idle_to_the_busy(void **state)
{
    uint64_t moved;

    (void)state;
    run_figure_2();
    moved = held(0, 0) - VMRES_GIB;
    assert_true(moved >= 4 * REGION);
    assert_int_equal(held(1, 0), VMRES_GIB - moved);
    assert_int_equal(held(2, 0), VMRES_GIB);
    assert_int_equal(moved % REGION, 0);
}

static void several_kinds_come_to_life_too(void **state)
{
    (void)state;
    vmres_driver_destroy(host.driver);
    vmres_backend_destroy(host.backend);
    open_host(2);
    for (int i = 0; i < VMS; i++) {
        assert_int_equal(state_of(i), VMRES_VM_LIVE);
        assert_int_equal(held(i, 1), 1000);
    }
}

static void another_life_under_the_same_name(void **state)
{
    struct vmres_event gone = vmres_event_make(VMRES_EVENT_VM_GONE, 0, host.vms[1], 0);
    const struct vmres_vm_limits limits = {.floor = 0, .ceiling = VMRES_GIB, .initial = 0};
    const struct vmres_vm_spec spec = {.name = "vm2", .limits = &limits};
    uint32_t incarnation = vmres_driver_vm_incarnation(host.driver, host.vms[1]);
    uint32_t again;

    (void)state;
    EXPECT_OK(vmres_driver_post(host.driver, &gone));
    /* Its name is its own until the engine has heard of it. */
    EXPECT_STATUS(vmres_driver_add_vm(host.driver, &spec, &again), VMRES_EXISTS);
    vmres_driver_pump(host.driver, 1);
    assert_int_equal(vmres_driver_vm_id(host.driver, "vm2"), VMRES_VM_NONE);
    assert_null(vmres_driver_vm_name(host.driver, host.vms[1]));
    assert_int_equal(vmres_driver_vm_incarnation(host.driver, host.vms[1]), 0);
    EXPECT_OK(vmres_driver_add_vm(host.driver, &spec, &again));
    vmres_driver_pump(host.driver, 2);
    assert_int_equal(again, host.vms[1]);
    assert_true(vmres_driver_vm_incarnation(host.driver, again) > incarnation);
    assert_int_equal(state_of(1), VMRES_VM_BOOTING);
}

static void a_stopped_host_goes_on_where_it_was(void **state)
{
    (void)state;
    vmres_driver_stop(host.driver, 10);
    EXPECT_OK(vmres_driver_start(host.driver, 20, NULL));
    vmres_driver_pump(host.driver, 20);
    run_figure_2();
    for (int i = 0; i < VMS; i++)
        assert_int_equal(state_of(i), VMRES_VM_LIVE);
    assert_true(held(0, 0) >= VMRES_GIB + 4 * REGION);
}

/* --- the log of such a run --- */

static struct {
    int lines;
    int with_names;
} trace;

static void count_line(void *user, const char *line)
{
    (void)user;
    trace.lines++;
    trace.with_names += strstr(line, "vm1") != NULL;
}

static enum vmres_status replay(struct vmres_replay_result *result, struct vmres_error *error)
{
    struct vmres_replay_options options;

    vmres_replay_options_init(&options);
    options.read = play;
    options.line = count_line;
    memset(&trace, 0, sizeof trace);
    file.at = 0;
    return vmres_replay_run(&options, result, error);
}

static void a_recorded_run_replays_without_a_difference(void **state)
{
    struct vmres_replay_result result;
    struct vmres_counters counters;

    (void)state;
    run_figure_2();
    vmres_engine_counters(vmres_driver_engine(host.driver), &counters);
    EXPECT_OK(replay(&result, NULL));
    assert_int_equal(result.differences, 0);
    assert_int_equal(result.first_difference, 0);
    assert_int_equal(result.events, counters.events);
    assert_int_equal(result.actions, counters.actions);
    assert_true(result.actions > 20);
    assert_true(trace.lines > 20);
    assert_true(trace.with_names > 4);
}

/* Where the n-th ACTION record begins, from 1, and what comes after it. */
static size_t find_action(int n)
{
    size_t at = 12;

    for (;;) {
        assert_true(at + 12 < file.size);
        if (file.bytes[at + 4] == VMRES__LOG_ACTION && --n == 0)
            return at;
        at += 12 + file.bytes[at] + 256u * file.bytes[at + 1];
    }
}

static void a_missing_action_is_a_difference(void **state)
{
    struct vmres_replay_result result;
    size_t at;

    (void)state;
    run_figure_2();
    at = find_action(3);
    memmove(file.bytes + at, file.bytes + at + 76, file.size - at - 76);
    file.size -= 76;
    EXPECT_OK(replay(&result, NULL));
    assert_true(result.differences >= 1);
    assert_int_equal(result.first_difference, 3);
}

static void an_action_too_many_is_a_difference(void **state)
{
    struct vmres_replay_result result;
    size_t at;

    (void)state;
    run_figure_2();
    at = find_action(5);
    memmove(file.bytes + at + 76, file.bytes + at, file.size - at);
    file.size += 76;
    EXPECT_OK(replay(&result, NULL));
    assert_true(result.differences >= 1);
    assert_int_equal(result.first_difference, 6);
}

static void a_damaged_log_is_told_from_a_differing_one(void **state)
{
    struct vmres_replay_result result = {.events = 77};
    struct vmres_error error;

    (void)state;
    run_figure_2();
    file.bytes[find_action(5) + 30] ^= 4;
    EXPECT_STATUS(replay(&result, &error), VMRES_PARSE);
    assert_non_null(strstr(error.message, "byte"));
    assert_int_equal(result.events, 77);
}

static void every_failed_allocation_of_a_replay_is_clean(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct failing_allocator heap;
        struct vmres_replay_options options;
        struct vmres_replay_result result;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        vmres_replay_options_init(&options);
        options.read = play;
        options.line = count_line;
        options.allocator = &heap.allocator;
        file.at = 0;
        status = vmres_replay_run(&options, &result, NULL);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK)
            break;
        EXPECT_STATUS(status, VMRES_NOMEM);
    }
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOST(vms_live_after_their_first_allotment),
        WITH_HOST(memory_moves_from_the_idle_to_the_busy),
        WITH_HOST(several_kinds_come_to_life_too),
        WITH_HOST(another_life_under_the_same_name),
        WITH_HOST(a_stopped_host_goes_on_where_it_was),
        WITH_HOST(a_recorded_run_replays_without_a_difference),
        WITH_HOST(a_missing_action_is_a_difference),
        WITH_HOST(an_action_too_many_is_a_difference),
        WITH_HOST(a_damaged_log_is_told_from_a_differing_one),
        WITH_HOST(every_failed_allocation_of_a_replay_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
