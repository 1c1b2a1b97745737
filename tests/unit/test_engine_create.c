/* SPDX-License-Identifier: MIT */
/* Creating an engine: each bad option is refused by name, and nothing is left behind. */
#include <string.h>

#include "support/rig.h"

struct setup {
    struct vmres_engine_options options;
    struct vmres_resource resources[3];
    struct vmres_policy policies[3];
    struct failing_allocator heap;
};

static void good(struct setup *setup)
{
    memset(setup, 0, sizeof *setup);
    setup->resources[0] = (struct vmres_resource){
        .name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB, .reserve = VMRES_MIB};
    setup->resources[1] = (struct vmres_resource){.name = "cpu",
                                                  .unit = VMRES_UNIT_MILLI,
                                                  .removal = VMRES_REMOVAL_HOST,
                                                  .granule = 10,
                                                  .capacity = 16000};
    for (uint32_t k = 0; k < 3; k++)
        setup->policies[k].ops = vmres_policy_find("static");
    failing_allocator_init(&setup->heap, 0);
    vmres_engine_options_init(&setup->options);
    setup->options.max_vms = 4;
    setup->options.kinds = 2;
    setup->options.resources = setup->resources;
    setup->options.policies = setup->policies;
    setup->options.allocator = &setup->heap.allocator;
}

static void refused(struct setup *setup, enum vmres_status status, const char *message)
{
    struct vmres_engine *engine = (struct vmres_engine *)(void *)setup; /* must stay as it is */
    struct vmres_error error = {VMRES_OK, ""};

    EXPECT_STATUS(vmres_engine_create(&setup->options, &engine, &error), status);
    EXPECT_STATUS(error.status, status);
    assert_string_equal(error.message, message);
    assert_ptr_equal(engine, setup);
    EXPECT_STATUS(vmres_engine_create(&setup->options, &engine, NULL), status);
    failing_allocator_expect_empty(&setup->heap);
}

static void zeroes_mean_defaults(void **state)
{
    struct setup setup;
    struct vmres_engine *engine;

    (void)state;
    good(&setup);
    setup.options.policies = NULL;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    assert_int_equal(setup.heap.asked, 1); /* one allocation, now and for ever */
    assert_int_equal(engine->max_transfers, 72);
    assert_int_equal(engine->max_actions, 20);
    assert_int_equal(engine->period_ms, 1000);
    assert_int_equal(engine->inquiry_ms, 250);
    assert_int_equal(engine->progress_ms, 5000);
    assert_int_equal(engine->stale_ms, 3000);
    assert_int_equal(engine->notice_ms, 1000);
    assert_string_equal(engine->kinds[0].policy->name, "static");
    vmres_engine_destroy(engine);
    failing_allocator_expect_empty(&setup.heap);
}

static void the_c_library_s_allocator_will_do(void **state)
{
    struct setup setup;
    struct vmres_engine *engine;

    (void)state;
    good(&setup);
    setup.options.allocator = NULL;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    vmres_engine_destroy(engine);
    vmres_engine_destroy(NULL);
    vmres_engine_options_init(NULL);
}

/* The arrays given are copied: nothing of them is looked at again. */
static void what_is_given_is_copied(void **state)
{
    struct setup setup;
    struct vmres_engine *engine;
    char name[] = "memory";

    (void)state;
    good(&setup);
    setup.resources[0].name = name;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    memset(name, 'x', sizeof name - 1);
    memset(setup.resources, 0, sizeof setup.resources);
    memset(setup.policies, 0, sizeof setup.policies);
    assert_string_equal(engine->kinds[0].resource.name, "memory");
    assert_int_equal(engine->kinds[1].resource.granule, 10);
    vmres_engine_destroy(engine);
    failing_allocator_expect_empty(&setup.heap);
}

static void amounts_are_rounded_to_the_safe_side(void **state)
{
    struct setup setup;
    struct vmres_engine *engine;
    struct vmres_pool_info pool;

    (void)state;
    good(&setup);
    setup.resources[0].capacity = 100 * VMRES_MIB + VMRES_MIB - 1;
    setup.resources[0].reserve = 9 * VMRES_MIB + 1;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    EXPECT_OK(vmres_engine_pool(engine, 0, &pool));
    assert_int_equal(pool.capacity, 100 * VMRES_MIB);
    assert_int_equal(pool.reserve, 10 * VMRES_MIB);
    assert_int_equal(pool.free, 90 * VMRES_MIB);
    vmres_engine_destroy(engine);
}

static void without_memory_there_is_no_engine(void **state)
{
    struct setup setup;
    struct vmres_engine *engine = NULL;
    size_t n = 1;

    (void)state;
    for (;; n++) {
        enum vmres_status status;

        good(&setup);
        failing_allocator_init(&setup.heap, n);
        status = vmres_engine_create(&setup.options, &engine, NULL);
        if (status == VMRES_OK)
            break;
        EXPECT_STATUS(status, VMRES_NOMEM);
        assert_null(engine);
        failing_allocator_expect_empty(&setup.heap);
    }
    assert_int_equal(n, 2);
    vmres_engine_destroy(engine);
    failing_allocator_expect_empty(&setup.heap);
}

static void the_struct_must_be_ours(void **state)
{
    struct setup setup;
    struct vmres_engine *engine;

    (void)state;
    good(&setup);
    setup.options.size--;
    refused(&setup, VMRES_INVALID, "start from vmres_engine_options_init()");
    EXPECT_STATUS(vmres_engine_create(NULL, &engine, NULL), VMRES_INVALID);
    good(&setup);
    setup.options.size += 8; /* of a later version */
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    vmres_engine_destroy(engine);
}

static void numbers_must_be_in_range(void **state)
{
    struct setup setup;

    (void)state;
    good(&setup);
    setup.options.max_vms = 0;
    refused(&setup, VMRES_INVALID, "max_vms must be 1 to 1048576");
    setup.options.max_vms = VMRES_MAX_VMS + 1;
    refused(&setup, VMRES_INVALID, "max_vms must be 1 to 1048576");
    good(&setup);
    setup.options.kinds = 0;
    refused(&setup, VMRES_INVALID, "kinds must be 1 to 8, with resources");
    setup.options.kinds = 9;
    refused(&setup, VMRES_INVALID, "kinds must be 1 to 8, with resources");
    good(&setup);
    setup.options.resources = NULL;
    refused(&setup, VMRES_INVALID, "kinds must be 1 to 8, with resources");
    good(&setup);
    setup.options.max_transfers = 4 * VMRES_MAX_VMS + 1;
    refused(&setup, VMRES_INVALID,
            "max_transfers and max_actions must be at most 4194304, max_reservations 65536");
    good(&setup);
    setup.options.max_actions = 4 * VMRES_MAX_VMS + 1;
    refused(&setup, VMRES_INVALID,
            "max_transfers and max_actions must be at most 4194304, max_reservations 65536");
}

/* Each boundary of a chain has its transfer, and so has each hole. */
static void a_chain_must_find_room(void **state)
{
    struct vmres_engine *engine;
    struct setup setup;

    (void)state;
    good(&setup);
    setup.resources[0].placement = VMRES_PLACEMENT_EXTENT;
    setup.options.max_transfers = 2 * setup.options.max_vms - 1;
    refused(&setup, VMRES_INVALID,
            "memory: contiguous, so max_transfers must be at least 2 * max_vms");
    setup.resources[0].placement = VMRES_PLACEMENT_AMOUNT;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    vmres_engine_destroy(engine);
    setup.resources[0].placement = VMRES_PLACEMENT_EXTENT;
    setup.options.max_transfers++;
    EXPECT_OK(vmres_engine_create(&setup.options, &engine, NULL));
    vmres_engine_destroy(engine);
}

static void times_must_be_in_range(void **state)
{
    static const char message[] = "times must be at most an hour, stale_periods at most 100";
    struct setup setup;

    (void)state;
    good(&setup);
    setup.options.period_ms = 3600001;
    refused(&setup, VMRES_INVALID, message);
    good(&setup);
    setup.options.progress_ms = 3600001;
    refused(&setup, VMRES_INVALID, message);
    good(&setup);
    setup.options.stale_periods = 101;
    refused(&setup, VMRES_INVALID, message);
}

static void resources_must_make_sense(void **state)
{
    static const char *const names[] = {NULL, "", "Memory", "mem ory", "sixteen-letters-"};
    struct setup setup;

    (void)state;
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        good(&setup);
        setup.resources[1].name = names[i];
        refused(&setup, VMRES_INVALID,
                "a resource needs a name of 1 to 15 lower case letters, digits, '-'");
    }
    good(&setup);
    setup.resources[0].granule = 0;
    refused(&setup, VMRES_INVALID, "memory: capacity must be at least one granule");
    setup.resources[0].granule = 2 * VMRES_GIB;
    refused(&setup, VMRES_INVALID, "memory: capacity must be at least one granule");
    setup.resources[0].granule = 1;
    setup.resources[0].capacity = UINT64_C(1) << 31;
    refused(&setup, VMRES_INVALID,
            "memory: capacity must be below 2^31 granules; use a larger granule");
    good(&setup);
    setup.resources[0].reserve = VMRES_GIB + 1;
    refused(&setup, VMRES_INVALID, "memory: reserve must be at most capacity");
    good(&setup);
    setup.resources[1].unit = (enum vmres_unit)3;
    refused(&setup, VMRES_INVALID, "cpu: no such unit or removal; see resource.h");
    good(&setup);
    setup.resources[1].removal = (enum vmres_removal)2;
    refused(&setup, VMRES_INVALID, "cpu: no such unit or removal; see resource.h");
    good(&setup);
    setup.resources[1].placement = (enum vmres_placement)2;
    refused(&setup, VMRES_INVALID, "cpu: no such placement; see enum vmres_placement");
    good(&setup);
    setup.resources[1].name = "memory";
    refused(&setup, VMRES_INVALID, "memory: two resources of this name; rename one");
}

static void policies_must_be_whole(void **state)
{
    static const char message[] = "a policy needs its size, a name and a judge function";
    struct vmres_policy_ops ops = *vmres_policy_find("static");
    struct setup setup;

    (void)state;
    good(&setup);
    setup.policies[1].ops = NULL;
    refused(&setup, VMRES_INVALID, message);
    setup.policies[1].ops = &ops;
    ops.size--;
    refused(&setup, VMRES_INVALID, message);
    ops = *vmres_policy_find("static");
    ops.name = NULL;
    refused(&setup, VMRES_INVALID, message);
    ops = *vmres_policy_find("static");
    ops.judge = NULL;
    refused(&setup, VMRES_INVALID, message);
    ops = *vmres_policy_find("static");
    setup.policies[1].options = &ops;
    refused(&setup, VMRES_INVALID, "policy static has no options; give NULL");
}

/* A policy that refuses its options does so after the memory was taken. */
static void options_a_policy_refuses_are_refused(void **state)
{
    struct vmres_usage_options usage = {.low = 800000, .high = 600000, .regions = 1};
    struct setup setup;

    (void)state;
    good(&setup);
    setup.policies[0].ops = vmres_policy_find("usage");
    setup.policies[0].options = &usage;
    refused(&setup, VMRES_INVALID,
            "memory: policy usage refuses its options: an argument is not valid");
    assert_true(setup.heap.asked > 0);
    setup.policies[0].options = NULL;
    setup.policies[1].ops = vmres_policy_find("script"); /* which must be given a table */
    refused(&setup, VMRES_INVALID,
            "cpu: policy script refuses its options: an argument is not valid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_mean_defaults),
        cmocka_unit_test(the_c_library_s_allocator_will_do),
        cmocka_unit_test(what_is_given_is_copied),
        cmocka_unit_test(amounts_are_rounded_to_the_safe_side),
        cmocka_unit_test(without_memory_there_is_no_engine),
        cmocka_unit_test(the_struct_must_be_ours),
        cmocka_unit_test(numbers_must_be_in_range),
        cmocka_unit_test(a_chain_must_find_room),
        cmocka_unit_test(times_must_be_in_range),
        cmocka_unit_test(resources_must_make_sense),
        cmocka_unit_test(policies_must_be_whole),
        cmocka_unit_test(options_a_policy_refuses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
