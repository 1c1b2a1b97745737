/* SPDX-License-Identifier: MIT */
/*
 * Allocation failure N = 1, 2, ... while an engine is created, with each ready-made policy, for
 * either placement, with one kind and with several: it fails cleanly until it succeeds.
 */
#include <string.h>

#include <vmres/policies.h>
#include <vmres/vmres.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static const uint64_t times[] = {0, 1000};
static const uint64_t cells[] = {100, 200, 300, 50, 60, 70};
static const struct vmres_table table = {
    .times_ms = times, .cells = cells, .rows = 2, .columns = 3};
static const struct vmres_script_options script = {&table};

static struct vmres_engine_options options_of(const struct vmres_resource *resources,
                                              const struct vmres_policy *policies, uint32_t kinds)
{
    struct vmres_engine_options options;

    vmres_engine_options_init(&options);
    options.max_vms = 3;
    options.kinds = kinds;
    options.resources = resources;
    options.policies = policies;
    return options;
}

/* The engine of the sweep's last round is told something, so that it is known to be whole. */
static void try_out(struct vmres_engine *engine)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_VM_ADDED, 5, 0, 1);
    struct vmres_actions actions;

    EXPECT_OK(vmres_engine_step(engine, &event, &actions));
    EXPECT_OK(vmres_engine_audit(engine, NULL));
    vmres_engine_destroy(engine);
}

static size_t sweep(struct vmres_engine_options options)
{
    for (size_t n = 1;; n++) {
        struct vmres_engine *engine = NULL;
        struct vmres_error error = {VMRES_OK, ""};
        struct failing_allocator heap;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        options.allocator = &heap.allocator;
        status = vmres_engine_create(&options, &engine, &error);
        if (status == VMRES_OK) {
            assert_int_equal(heap.asked, n - 1);
            try_out(engine);
            failing_allocator_expect_empty(&heap);
            return n;
        }
        EXPECT_STATUS(status, VMRES_NOMEM);
        EXPECT_STATUS(error.status, VMRES_NOMEM);
        assert_non_null(strstr(error.message, "no memory"));
        assert_null(engine);
        failing_allocator_expect_empty(&heap);
    }
}

static struct vmres_policy policy_at(uint32_t index)
{
    const struct vmres_policy_ops *ops = vmres_policy_at(index);

    return (struct vmres_policy){ops, ops && strcmp(ops->name, "script") == 0 ? &script : NULL};
}

/* An engine is one allocation. */
static void each_policy_and_placement(void **state)
{
    static const enum vmres_placement placements[] = {VMRES_PLACEMENT_AMOUNT,
                                                      VMRES_PLACEMENT_EXTENT};

    (void)state;
    for (uint32_t p = 0; p < 2; p++) {
        struct vmres_resource memory = {.name = "memory",
                                        .placement = placements[p],
                                        .granule = VMRES_MIB,
                                        .capacity = VMRES_GIB};

        for (uint32_t i = 0; vmres_policy_at(i); i++) {
            struct vmres_policy policy = policy_at(i);

            assert_int_equal(sweep(options_of(&memory, &policy, 1)), 2);
        }
    }
}

static void all_policies_at_once(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct vmres_resource resources[VMRES_KINDS_MAX];
    struct vmres_policy policies[VMRES_KINDS_MAX];
    uint32_t kinds = 0;

    (void)state;
    for (; kinds < VMRES_KINDS_MAX && vmres_policy_at(kinds); kinds++) {
        resources[kinds] =
            (struct vmres_resource){.name = names[kinds], .granule = 1, .capacity = 1000};
        policies[kinds] = policy_at(kinds);
    }
    assert_true(kinds >= 4);
    assert_int_equal(sweep(options_of(resources, policies, kinds)), 2);
}

static enum vmres_status refuse(void *state, const void *options,
                                const struct vmres_policy_host *host)
{
    (void)state;
    (void)options;
    (void)host;
    return VMRES_INVALID;
}

static void say_nothing(void *state, void *vm_states, const struct vmres_round *round,
                        struct vmres_verdict *verdict)
{
    (void)state;
    (void)vm_states;
    (void)round;
    (void)verdict;
}

/* What was allotted before a policy refused its options is given back. */
static void a_policy_that_refuses(void **state)
{
    static const struct vmres_policy_ops ops = {.size = sizeof ops,
                                                .name = "refuser",
                                                .state_size = 100,
                                                .vm_state_size = 10,
                                                .start = refuse,
                                                .judge = say_nothing};
    struct vmres_resource memory = {.name = "memory", .granule = 1, .capacity = 1000};
    struct vmres_policy policy = {&ops, NULL};
    struct vmres_engine_options options = options_of(&memory, &policy, 1);
    struct vmres_engine *engine = NULL;
    struct failing_allocator heap;

    (void)state;
    failing_allocator_init(&heap, 0);
    options.allocator = &heap.allocator;
    EXPECT_STATUS(vmres_engine_create(&options, &engine, NULL), VMRES_INVALID);
    assert_int_equal(heap.asked, 1);
    assert_null(engine);
    failing_allocator_expect_empty(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_policy_and_placement),
        cmocka_unit_test(all_policies_at_once),
        cmocka_unit_test(a_policy_that_refuses),
    };

    return cmocka_run_group_tests_name("sweep_engine", tests, NULL, NULL);
}
