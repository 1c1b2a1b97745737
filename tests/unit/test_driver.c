/* SPDX-License-Identifier: MIT */
/* The driver's calls: VMs and their names, what may be posted, starting and stopping. */
#include <vmres/driver.h>

#include <stdio.h>
#include <string.h>

#include <vmres/null.h>
#include <vmres/query.h>

#include "support/check.h"

enum { MAX_VMS = 4 };

static const struct vmres_resource resources[] = {
    {.name = "memory", .granule = 1, .capacity = 1000},
    {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 1, .capacity = 1000},
};
static const struct vmres_vm_limits limits[] = {
    {.floor = 10, .ceiling = 100, .initial = 50, .participation = VMRES_PARTICIPATE_BOTH},
    {.floor = 10, .ceiling = 100, .initial = UINT64_MAX},
};

static struct vmres_backend *backend;
static struct vmres_driver *driver;

static struct vmres_driver_options usual_options(void)
{
    struct vmres_driver_options options;

    vmres_driver_options_init(&options);
    options.engine.max_vms = MAX_VMS;
    options.engine.kinds = 2;
    options.engine.resources = resources;
    options.backend = backend;
    return options;
}

static int setup(void **state)
{
    struct vmres_driver_options options;

    (void)state;
    EXPECT_OK(vmres_null_create(NULL, &backend));
    options = usual_options();
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    EXPECT_OK(vmres_driver_start(driver, 0, NULL));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres_driver_destroy(driver);
    vmres_backend_destroy(backend);
    return 0;
}

static uint32_t add(const char *name)
{
    const struct vmres_vm_spec spec = {.name = name, .tag = 4711, .limits = limits};
    uint32_t vm;

    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    return vm;
}

static struct vmres_vm_info info_of(uint32_t vm)
{
    struct vmres_vm_info info;

    EXPECT_OK(vmres_engine_vm(vmres_driver_engine(driver), vm, &info));
    return info;
}

static void options_must_make_sense(void **state)
{
    struct vmres_driver_options options = usual_options();
    struct vmres_driver *made = driver;
    struct vmres_error error;

    (void)state;
    options.backend = NULL;
    EXPECT_STATUS(vmres_driver_create(&options, &made, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, "backend"));
    options = usual_options();
    options.size = 8;
    EXPECT_STATUS(vmres_driver_create(&options, &made, &error), VMRES_INVALID);
    options = usual_options();
    options.engine.max_vms = VMRES_MAX_VMS + 1;
    EXPECT_STATUS(vmres_driver_create(&options, &made, &error), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_create(NULL, &made, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_driver_create(&options, NULL, NULL), VMRES_INVALID);
    assert_ptr_equal(made, driver);
}

static void an_added_vm_reaches_the_engine(void **state)
{
    uint32_t vm = add("web");
    struct vmres_account_info books;

    (void)state;
    assert_int_equal(info_of(vm).state, VMRES_VM_VACANT); /* not before the pump */
    vmres_driver_pump(driver, 1);
    assert_int_equal(info_of(vm).state, VMRES_VM_BOOTING);
    assert_int_equal(info_of(vm).tag, 4711);
    assert_int_equal(info_of(vm).incarnation, vmres_driver_vm_incarnation(driver, vm));
    EXPECT_OK(vmres_engine_account(vmres_driver_engine(driver), vm, 0, &books));
    assert_int_equal(books.floor, 10);
    assert_int_equal(books.ceiling, 100);
    assert_int_equal(books.weight, 1);
    assert_int_equal(books.participation, VMRES_PARTICIPATE_BOTH);
}

static void names_and_ids_go_both_ways(void **state)
{
    uint32_t vm = add("web");

    (void)state;
    assert_int_equal(vmres_driver_vm_id(driver, "web"), vm);
    assert_string_equal(vmres_driver_vm_name(driver, vm), "web");
    assert_int_equal(vmres_driver_vm_id(driver, "db"), VMRES_VM_NONE);
    assert_int_equal(vmres_driver_vm_id(driver, NULL), VMRES_VM_NONE);
    assert_null(vmres_driver_vm_name(driver, vm + 1));
    assert_null(vmres_driver_vm_name(driver, VMRES_VM_NONE));
    assert_int_equal(vmres_driver_vm_incarnation(driver, vm + 1), 0);
}

static void the_first_allotment_is_the_one_given(void **state)
{
    uint32_t vm = add("web");
    struct vmres_account_info books;

    (void)state;
    EXPECT_OK(vmres_driver_allot(driver));
    vmres_driver_pump(driver, 1);
    assert_int_equal(info_of(vm).state, VMRES_VM_LIVE);
    EXPECT_OK(vmres_engine_account(vmres_driver_engine(driver), vm, 0, &books));
    assert_int_equal(books.held, 50);
    EXPECT_OK(vmres_engine_account(vmres_driver_engine(driver), vm, 1, &books));
    assert_int_equal(books.held, 100); /* auto: as much as there is */
}

static void a_vm_must_be_described(void **state)
{
    struct vmres_vm_limits wrong[2] = {limits[0], limits[1]};
    struct vmres_vm_spec spec = {.name = "web", .limits = wrong};
    uint32_t vm = 77;

    (void)state;
    wrong[1].floor = 101;
    EXPECT_STATUS(vmres_driver_add_vm(driver, &spec, &vm), VMRES_INVALID);
    wrong[1] = limits[1];
    wrong[0].participation = (enum vmres_participation)4;
    EXPECT_STATUS(vmres_driver_add_vm(driver, &spec, &vm), VMRES_INVALID);
    spec.limits = NULL;
    EXPECT_STATUS(vmres_driver_add_vm(driver, &spec, &vm), VMRES_INVALID);
    spec.limits = limits;
    spec.name = "";
    EXPECT_STATUS(vmres_driver_add_vm(driver, &spec, &vm), VMRES_INVALID);
    spec.name = NULL;
    EXPECT_STATUS(vmres_driver_add_vm(driver, &spec, &vm), VMRES_INVALID);
    assert_int_equal(vm, 77);
    assert_true(vmres_driver_deadline(driver) > 0); /* nothing was queued */
}

static void there_is_room_for_so_many(void **state)
{
    const struct vmres_vm_spec again = {.name = "vm2", .limits = limits};
    const struct vmres_vm_spec more = {.name = "more", .limits = limits};
    uint32_t vm;

    (void)state;
    for (int i = 0; i < MAX_VMS; i++) {
        char name[8];

        snprintf(name, sizeof name, "vm%d", i);
        add(name);
    }
    EXPECT_STATUS(vmres_driver_add_vm(driver, &again, &vm), VMRES_EXISTS);
    EXPECT_STATUS(vmres_driver_add_vm(driver, &more, &vm), VMRES_LIMIT);
}

static void what_is_posted_is_checked(void **state)
{
    static const struct {
        int type;
        uint32_t vm;
        uint8_t kind;
        enum vmres_status status;
    } posts[] = {
        {0, 0, 0, VMRES_INVALID},
        {99, 0, 0, VMRES_INVALID},
        {VMRES_EVENT_TIMEOUT, 0, 0, VMRES_INVALID},
        {VMRES_EVENT_VM_ADDED, 1, 0, VMRES_INVALID},
        {VMRES_EVENT_REPORT, 0, 2, VMRES_INVALID},
        {VMRES_EVENT_REPORT, MAX_VMS, 0, VMRES_INVALID},
        {VMRES_EVENT_REPORT, VMRES_VM_NONE, 0, VMRES_INVALID},
        {VMRES_EVENT_REPORT, 1, 0, VMRES_UNKNOWN},
        {VMRES_EVENT_REPORT, 0, 1, VMRES_OK},
        {VMRES_EVENT_VM_LIVE, 0, 9, VMRES_OK},
        {VMRES_EVENT_VM_LIVE, 1, 0, VMRES_UNKNOWN},
        {VMRES_EVENT_CAPACITY, 99, 1, VMRES_OK},
        {VMRES_EVENT_CAPACITY, 0, 2, VMRES_INVALID},
        {VMRES_EVENT_ALLOT, 99, 99, VMRES_OK},
    };

    (void)state;
    assert_int_equal(add("web"), 0);
    for (size_t i = 0; i < sizeof posts / sizeof *posts; i++) {
        struct vmres_event event =
            vmres_event_make((enum vmres_event_type)posts[i].type, 0, posts[i].vm, 0);

        event.kind = posts[i].kind;
        EXPECT_STATUS(vmres_driver_post(driver, &event), posts[i].status);
    }
    EXPECT_STATUS(vmres_driver_post(driver, NULL), VMRES_INVALID);
}

static void a_reboot_is_a_higher_incarnation(void **state)
{
    uint32_t vm = add("web"), first = vmres_driver_vm_incarnation(driver, vm);
    struct vmres_event observed = vmres_event_make(VMRES_EVENT_OBSERVED, 0, vm, first + 1);
    struct vmres_event live = vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm, first + 1);

    (void)state;
    EXPECT_STATUS(vmres_driver_post(driver, &live), VMRES_STATE); /* that tells of no birth */
    EXPECT_OK(vmres_driver_allot(driver));
    vmres_driver_pump(driver, 1);
    observed.valid = VMRES_VALID_HELD;
    observed.as.observed.held = 100;
    EXPECT_OK(vmres_driver_post(driver, &observed));
    assert_int_equal(vmres_driver_vm_incarnation(driver, vm), first + 1);
    vmres_driver_pump(driver, 2);
    assert_int_equal(info_of(vm).incarnation, first + 1);
    observed.incarnation = first;
    EXPECT_STATUS(vmres_driver_post(driver, &observed), VMRES_STALE);
    observed.incarnation = 0;
    EXPECT_OK(vmres_driver_post(driver, &observed));
}

static void a_flood_is_counted(void **state)
{
    uint32_t vm = add("web");
    struct vmres_event report = vmres_event_make(VMRES_EVENT_REPORT, 0, vm, 0);
    struct vmres_event live = vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm, 0);
    struct vmres_driver_counters counters;
    const struct vmres_vm_spec late = {.name = "late", .limits = limits};
    uint32_t late_vm;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        EXPECT_OK(vmres_driver_post(driver, &report));
    vmres_driver_counters(driver, &counters);
    assert_int_equal(counters.posted, 1003);
    assert_int_equal(counters.coalesced, 999);
    assert_int_equal(counters.dropped, 0);
    while (vmres_driver_post(driver, &live) == VMRES_OK)
        ;
    vmres_driver_counters(driver, &counters);
    assert_int_equal(counters.dropped, 1);
    EXPECT_STATUS(vmres_driver_add_vm(driver, &late, &late_vm), VMRES_LIMIT);
    vmres_driver_pump(driver, 1);
    EXPECT_OK(vmres_driver_add_vm(driver, &late, &late_vm));
}

static void a_backend_has_one_driver_at_a_time(void **state)
{
    struct vmres_driver_options options = usual_options();
    struct vmres_driver *second;
    struct vmres_error error;

    (void)state;
    EXPECT_STATUS(vmres_driver_start(driver, 0, &error), VMRES_STATE);
    assert_non_null(strstr(error.message, "null"));
    EXPECT_OK(vmres_driver_create(&options, &second, NULL));
    EXPECT_STATUS(vmres_driver_start(second, 0, &error), VMRES_STATE);
    vmres_driver_stop(driver, 1);
    EXPECT_OK(vmres_driver_start(second, 2, &error));
    vmres_driver_destroy(second);
    EXPECT_OK(vmres_driver_start(driver, 3, &error));
}

static void nothing_runs_before_the_start(void **state)
{
    struct vmres_vm_info info;

    (void)state;
    vmres_driver_stop(driver, 0);
    assert_int_equal(add("web"), 0);
    assert_true(vmres_driver_deadline(driver) == UINT64_MAX);
    vmres_driver_pump(driver, 1);
    info = info_of(0);
    assert_int_equal(info.state, VMRES_VM_VACANT);
    EXPECT_OK(vmres_driver_start(driver, 2, NULL));
    vmres_driver_pump(driver, 2);
    assert_int_equal(info_of(0).state, VMRES_VM_BOOTING);
}

static void null_is_harmless(void **state)
{
    (void)state;
    vmres_driver_destroy(NULL);
    vmres_driver_stop(NULL, 0);
    vmres_driver_pump(NULL, 0);
    vmres_driver_options_init(NULL);
    assert_null(vmres_driver_engine(NULL));
    assert_null(vmres_driver_vm_name(NULL, 0));
    assert_true(vmres_driver_deadline(NULL) == UINT64_MAX);
}

#define WITH_DRIVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DRIVER(options_must_make_sense),
        WITH_DRIVER(an_added_vm_reaches_the_engine),
        WITH_DRIVER(names_and_ids_go_both_ways),
        WITH_DRIVER(the_first_allotment_is_the_one_given),
        WITH_DRIVER(a_vm_must_be_described),
        WITH_DRIVER(there_is_room_for_so_many),
        WITH_DRIVER(what_is_posted_is_checked),
        WITH_DRIVER(a_reboot_is_a_higher_incarnation),
        WITH_DRIVER(a_flood_is_counted),
        WITH_DRIVER(a_backend_has_one_driver_at_a_time),
        WITH_DRIVER(nothing_runs_before_the_start),
        cmocka_unit_test(null_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
