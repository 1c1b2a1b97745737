/* SPDX-License-Identifier: MIT */
/* A vtable is checked once, and what is missing in it is named. */
#include <vmres/backend.h>

#include <string.h>

#include "support/check.h"

static int destroyed;

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)backend, (void)driver, (void)error;
    return VMRES_OK;
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    (void)backend, (void)action;
    return VMRES_OK;
}

static void stop(struct vmres_backend *backend)
{
    (void)backend;
}

static void destroy(struct vmres_backend *backend)
{
    (void)backend;
    destroyed++;
}

static const struct vmres_backend_ops complete = {
    .size = sizeof(struct vmres_backend_ops),
    .name = "test",
    .start = start,
    .submit = submit,
    .stop = stop,
    .destroy = destroy,
};

static void expect_refused(const struct vmres_backend_ops *ops, const char *word)
{
    struct vmres_backend backend = {.driver = (struct vmres_driver *)&destroyed};
    struct vmres_error error;

    EXPECT_STATUS(vmres_backend_init(&backend, ops, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, word));
    assert_int_equal(error.status, VMRES_INVALID);
    assert_null(backend.ops);
    EXPECT_STATUS(vmres_backend_init(&backend, ops, NULL), VMRES_INVALID);
}

static void a_complete_vtable_is_taken(void **state)
{
    struct vmres_backend backend = {.driver = (struct vmres_driver *)&destroyed};

    (void)state;
    EXPECT_OK(vmres_backend_init(&backend, &complete, NULL));
    assert_ptr_equal(backend.ops, &complete);
    assert_null(backend.driver);
}

static void a_later_and_larger_one_is_taken_too(void **state)
{
    struct vmres_backend_ops ops = complete;
    struct vmres_backend backend;

    (void)state;
    ops.size += 64;
    EXPECT_OK(vmres_backend_init(&backend, &ops, NULL));
}

static void each_missing_slot_is_named(void **state)
{
    struct vmres_backend_ops ops;

    (void)state;
    ops = complete, ops.name = NULL;
    expect_refused(&ops, "name is missing");
    ops = complete, ops.start = NULL;
    expect_refused(&ops, "start is missing");
    ops = complete, ops.submit = NULL;
    expect_refused(&ops, "submit is missing");
    ops = complete, ops.stop = NULL;
    expect_refused(&ops, "stop is missing");
    ops = complete, ops.destroy = NULL;
    expect_refused(&ops, "destroy is missing");
}

static void a_vtable_that_is_too_small_is_refused(void **state)
{
    struct vmres_backend_ops ops = complete;

    (void)state;
    ops.size--;
    expect_refused(&ops, "size");
    ops.size = 0;
    expect_refused(&ops, "size");
}

static void nothing_at_all_is_refused(void **state)
{
    struct vmres_backend backend;
    struct vmres_error error;

    (void)state;
    EXPECT_STATUS(vmres_backend_init(&backend, NULL, &error), VMRES_INVALID);
    EXPECT_STATUS(vmres_backend_init(NULL, &complete, &error), VMRES_INVALID);
}

static void destroying_calls_destroy(void **state)
{
    struct vmres_backend backend;

    (void)state;
    EXPECT_OK(vmres_backend_init(&backend, &complete, NULL));
    destroyed = 0;
    vmres_backend_destroy(&backend);
    assert_int_equal(destroyed, 1);
    vmres_backend_destroy(NULL);
    assert_int_equal(destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_vtable_is_taken),
        cmocka_unit_test(a_later_and_larger_one_is_taken_too),
        cmocka_unit_test(each_missing_slot_is_named),
        cmocka_unit_test(a_vtable_that_is_too_small_is_refused),
        cmocka_unit_test(nothing_at_all_is_refused),
        cmocka_unit_test(destroying_calls_destroy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
