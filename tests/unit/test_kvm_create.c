/* SPDX-License-Identifier: MIT */
/* The objects of the KVM backend: options, the lack of memory, what it refuses, how it ends. */
#define _GNU_SOURCE /* mkfifo */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>
#include <vmres/driver.h>
#include <vmres/kvm.h>
#include <vmres/units.h>

#include "kvm/internal.h"
#include "support/check.h"
#include "support/failing_allocator.h"

static int closings;

static void closed(void *user)
{
    (void)user;
    closings++;
}

static void test_refuses_bad_options(void **state)
{
    struct vmres_kvm_options options = {0};
    struct vmres_kvm *kvm = NULL;
    struct vmres_error error = {0};

    (void)state;
    EXPECT_STATUS(vmres_kvm_create(NULL, NULL, &kvm, &error), VMRES_INVALID);
    EXPECT_STATUS(vmres_kvm_create(uv_default_loop(), &options, &kvm, &error), VMRES_INVALID);
    assert_string_equal(error.message, "kvm options: start from vmres_kvm_options_init()");
    assert_null(kvm);
    assert_null(vmres_kvm_backend(NULL));
    vmres_kvm_close(NULL, closed, NULL);
    assert_int_equal(closings, 0);
}

/* Fails at the n-th allocation, for every n there is; returns whether it went through. */
static bool create_and_add(uv_loop_t *loop, size_t fail_at)
{
    struct vmres_kvm_vm_spec spec = {.name = "a", .socket = "/nowhere", .pidfile = "/nobody"};
    struct failing_allocator heap;
    struct vmres_kvm_options options;
    struct vmres_kvm *kvm = NULL;
    enum vmres_status status;

    failing_allocator_init(&heap, fail_at);
    vmres_kvm_options_init(&options);
    options.allocator = &heap.allocator;
    status = vmres_kvm_create(loop, &options, &kvm, NULL);
    if (status == VMRES_OK) {
        status = vmres_kvm_add_vm(kvm, &spec, NULL);
        vmres_kvm_close(kvm, NULL, NULL);
    }
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
    if (status != VMRES_OK)
        EXPECT_STATUS(status, VMRES_NOMEM);
    failing_allocator_expect_empty(&heap);
    return status == VMRES_OK;
}

static void test_lack_of_memory(void **state)
{
    uv_loop_t loop;
    size_t fail_at = 1;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    while (!create_and_add(&loop, fail_at))
        fail_at++;
    assert_true(fail_at > 4);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_closes_with_and_without_vms(void **state)
{
    struct vmres_kvm_vm_spec spec = {.name = "a", .socket = "/nowhere"};
    struct vmres_kvm *kvm;
    uv_loop_t loop;

    (void)state;
    closings = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    EXPECT_OK(vmres_kvm_create(&loop, NULL, &kvm, NULL));
    vmres_kvm_close(kvm, closed, NULL);
    assert_int_equal(closings, 1);
    EXPECT_OK(vmres_kvm_create(&loop, NULL, &kvm, NULL));
    EXPECT_OK(vmres_kvm_add_vm(kvm, &spec, NULL));
    vmres_kvm_close(kvm, closed, NULL);
    assert_int_equal(closings, 1);
    EXPECT_STATUS(vmres_kvm_add_vm(kvm, &spec, NULL), VMRES_STATE);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(closings, 2);
    EXPECT_OK(vmres_kvm_create(&loop, NULL, &kvm, NULL));
    vmres_backend_destroy(vmres_kvm_backend(kvm));
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Nobody writes into it: to wait for that would hold up all the others. */
static void test_pidfile_that_is_a_pipe(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof path, "/tmp/vmres-pidfile-%d", (int)getpid());
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)alarm(10);
    assert_int_equal(vmres__kvm_process_pidfile(path), 0);
    (void)alarm(0);
    unlink(path);
}

static void test_serves_drivers_that_fit(void **state)
{
    const struct vmres_resource resources[2] = {
        {.name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB},
        {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 10, .capacity = 1000}};
    static const struct {
        uint32_t vms, kinds;
        const char *says;
    } cases[] = {{4, 2, "one kind, memory"}, {65, 1, "max_vms is more than the kvm backend's"}};
    struct vmres_driver_options options;
    struct vmres_driver *driver;
    struct vmres_error error;
    struct vmres_kvm *kvm;
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    EXPECT_OK(vmres_kvm_create(&loop, NULL, &kvm, NULL));
    vmres_driver_options_init(&options);
    options.engine.resources = resources;
    options.backend = vmres_kvm_backend(kvm);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        options.engine.max_vms = cases[i].vms;
        options.engine.kinds = cases[i].kinds;
        EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
        EXPECT_STATUS(vmres_driver_start(driver, 0, &error), VMRES_UNSUPPORTED);
        assert_non_null(strstr(error.message, cases[i].says));
        vmres_driver_destroy(driver);
    }
    vmres_kvm_close(kvm, NULL, NULL);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_bad_options),
        cmocka_unit_test(test_lack_of_memory),
        cmocka_unit_test(test_closes_with_and_without_vms),
        cmocka_unit_test(test_pidfile_that_is_a_pipe),
        cmocka_unit_test(test_serves_drivers_that_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
