/* SPDX-License-Identifier: MIT */
/*
 * Sweeps: every allocation fails once, and every operation of the backend fails once. Neither may
 * leave anything behind, break the books, or keep memory from moving in the end.
 */
#include <vmres/driver.h>

#include <string.h>

#include <vmres/null.h>
#include <vmres/query.h>
#include <vmres/units.h>

#include "support/check.h"
#include "support/failing_allocator.h"

enum { VMS = 2, END_MS = 60000 };

static const struct vmres_resource memory = {
    .name = "memory", .granule = VMRES_MIB, .capacity = 2 * VMRES_GIB};

/* A backend in front of another one, whose n-th operation fails. */
static struct flaky {
    struct vmres_backend backend;
    struct vmres_backend *inner;
    int operations, fail_at;
} flaky;

static int fails(void)
{
    return ++flaky.operations == flaky.fail_at;
}

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)backend;
    if (fails()) {
        *error = (struct vmres_error){.status = VMRES_IO, .message = "no hypervisor; start one"};
        return VMRES_IO;
    }
    flaky.inner->driver = driver;
    return flaky.inner->ops->start(flaky.inner, driver, error);
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    (void)backend;
    return fails() ? VMRES_IO : flaky.inner->ops->submit(flaky.inner, action);
}

static void stop(struct vmres_backend *backend)
{
    (void)backend;
    flaky.inner->ops->stop(flaky.inner);
    flaky.inner->driver = NULL;
}

static void destroy(struct vmres_backend *backend)
{
    (void)backend;
    vmres_backend_destroy(flaky.inner);
}

static const struct vmres_backend_ops ops = {
    .size = sizeof ops,
    .name = "flaky",
    .start = start,
    .submit = submit,
    .stop = stop,
    .destroy = destroy,
};

static enum vmres_status open_driver(const struct vmres_allocator *allocator,
                                     struct vmres_backend *backend, struct vmres_driver **driver)
{
    const struct vmres_policy usage = {.ops = vmres_policy_find("usage")};
    struct vmres_driver_options options;

    vmres_driver_options_init(&options);
    options.engine.max_vms = VMS;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.policies = &usage;
    options.engine.allocator = allocator;
    options.backend = backend;
    return vmres_driver_create(&options, driver, NULL);
}

static void every_failed_allocation_is_clean(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct failing_allocator heap;
        struct vmres_backend *backend = NULL;
        struct vmres_driver *driver = NULL;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        status = vmres_null_create(&heap.allocator, &backend);
        if (status == VMRES_OK)
            status = open_driver(&heap.allocator, backend, &driver);
        assert_true((status == VMRES_OK) == (driver != NULL));
        vmres_driver_destroy(driver);
        vmres_backend_destroy(backend);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK) {
            assert_true(n > 5);
            break;
        }
        EXPECT_STATUS(status, VMRES_NOMEM);
    }
}

static void running_takes_no_memory(void **state)
{
    struct failing_allocator heap;
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    size_t asked;

    (void)state;
    failing_allocator_init(&heap, 0);
    EXPECT_OK(vmres_null_create(&heap.allocator, &backend));
    EXPECT_OK(open_driver(&heap.allocator, backend, &driver));
    asked = heap.asked;
    EXPECT_OK(vmres_driver_start(driver, 0, NULL));
    vmres_driver_pump(driver, 10000);
    vmres_driver_stop(driver, 20000);
    assert_int_equal(heap.asked, asked);
    vmres_driver_destroy(driver);
    vmres_backend_destroy(backend);
    failing_allocator_expect_empty(&heap);
}

static uint64_t held(const struct vmres_driver *driver, uint32_t vm)
{
    struct vmres_account_info books;

    EXPECT_OK(vmres_engine_account(vmres_driver_engine(driver), vm, 0, &books));
    return books.held;
}

static void post(struct vmres_driver *driver, enum vmres_event_type type, uint32_t vm,
                 uint64_t word)
{
    struct vmres_event event = vmres_event_make(type, 0, vm, 0);

    event.valid = type == VMRES_EVENT_OBSERVED ? VMRES_VALID_HELD : VMRES_VALID_USED;
    event.as.words[0] = word;
    EXPECT_OK(vmres_driver_post(driver, &event));
}

/* VM 0 uses 200 MiB, VM 1 all it has, up to 1.5 GiB. A VM whose first allotment was refused is
 * started by its owner with what it was to have. */
static void turn(struct vmres_driver *driver, uint64_t now_ms)
{
    static const uint64_t needs[VMS] = {200 * VMRES_MIB, 1536 * VMRES_MIB};

    for (uint32_t vm = 0; vm < VMS; vm++) {
        struct vmres_vm_info info;
        uint64_t has = held(driver, vm);

        EXPECT_OK(vmres_engine_vm(vmres_driver_engine(driver), vm, &info));
        if (info.state == VMRES_VM_BOOTING) {
            post(driver, VMRES_EVENT_OBSERVED, vm, VMRES_GIB);
            post(driver, VMRES_EVENT_VM_LIVE, vm, 0);
        }
        post(driver, VMRES_EVENT_REPORT, vm, needs[vm] < has ? needs[vm] : has);
    }
    vmres_driver_pump(driver, now_ms);
    EXPECT_OK(vmres_engine_audit(vmres_driver_engine(driver), NULL));
    assert_true(held(driver, 0) + held(driver, 1) <= 2 * VMRES_GIB);
}

static void run(struct vmres_driver *driver)
{
    const struct vmres_vm_limits limits = {
        .ceiling = 2 * VMRES_GIB, .initial = VMRES_GIB, .participation = VMRES_PARTICIPATE_BOTH};
    const struct vmres_vm_spec first = {.name = "a", .limits = &limits};
    const struct vmres_vm_spec second = {.name = "b", .limits = &limits};
    uint32_t vm;

    EXPECT_OK(vmres_driver_add_vm(driver, &first, &vm));
    EXPECT_OK(vmres_driver_add_vm(driver, &second, &vm));
    EXPECT_OK(vmres_driver_allot(driver));
    vmres_driver_pump(driver, 0);
    for (uint64_t now = 0; now < END_MS; now = vmres_driver_deadline(driver))
        turn(driver, now);
}

static void every_failed_operation_is_survived(void **state)
{
    int last = 0;

    (void)state;
    for (int n = 1;; n++) {
        struct vmres_driver *driver;
        struct vmres_error error;
        enum vmres_status status;

        memset(&flaky, 0, sizeof flaky);
        flaky.fail_at = n;
        EXPECT_OK(vmres_backend_init(&flaky.backend, &ops, NULL));
        EXPECT_OK(vmres_null_create(NULL, &flaky.inner));
        EXPECT_OK(open_driver(NULL, &flaky.backend, &driver));
        status = vmres_driver_start(driver, 0, &error);
        if (status != VMRES_OK) {
            EXPECT_STATUS(status, VMRES_IO);
            assert_int_equal(n, 1);
            EXPECT_OK(vmres_driver_start(driver, 0, &error));
        }
        run(driver);
        assert_true(held(driver, 1) >= 1536 * VMRES_MIB);
        vmres_driver_destroy(driver);
        vmres_backend_destroy(&flaky.backend);
        if (n > flaky.operations)
            break;
        last = n;
    }
    assert_true(last > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_clean),
        cmocka_unit_test(running_takes_no_memory),
        cmocka_unit_test(every_failed_operation_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
