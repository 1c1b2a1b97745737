/* SPDX-License-Identifier: MIT */
/* An outbox that is too small, a pool of commands that is too small: late, never different. */
#include "support/rig.h"

/* Six wants and as many gives on a host of twelve, two kinds. */
static void wish_for_much(struct rig *rig)
{
    for (uint32_t vm = 0; vm < RIG_VMS; vm++) {
        rig->wishes[MEMORY][vm] = vm % 2 ? 100 + 3 * vm : 100 - 4 * vm;
        rig->wishes[CPU][vm] = vm < 6 ? 80 - vm : 120 - vm;
    }
}

static void step(struct rig *rig, const struct vmres_event *event, enum vmres_status status,
                 uint32_t count)
{
    struct vmres_actions actions;

    EXPECT_STATUS(vmres_engine_step(rig->engine, event, &actions), status);
    assert_int_equal(actions.count, count);
}

static void a_step_of_nothing_does_nothing(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    step(rig, NULL, VMRES_OK, 0);
    rig_fleet(rig, 3, 100);
    step(rig, NULL, VMRES_OK, 0);
    assert_int_equal(rig_counters(rig).refused, 0);
    rig_delete(rig);
}

/* One with room for so few actions, and so many VMs that wait for their first allotment. */
static struct rig *crowded(uint32_t max_actions, uint32_t vms)
{
    struct rig *rig = rig_prepare(300, 1, true);

    rig->options.max_actions = max_actions;
    rig_start(rig);
    for (uint32_t vm = 0; vm < vms; vm++)
        rig_add(rig, vm, 0, 300, 10);
    return rig;
}

static void more_says_that_there_is_more(void **state)
{
    struct rig *rig = crowded(2, 5);
    struct vmres_event allot = rig_event(rig, VMRES_EVENT_ALLOT, 0);

    (void)state;
    step(rig, &allot, VMRES_MORE, 2);
    step(rig, NULL, VMRES_MORE, 2);
    step(rig, NULL, VMRES_OK, 1);
    step(rig, NULL, VMRES_OK, 0);
    rig_delete(rig);
}

static void exactly_full_is_not_more(void **state)
{
    struct rig *rig = crowded(2, 2);
    struct vmres_event allot = rig_event(rig, VMRES_EVENT_ALLOT, 0);

    (void)state;
    step(rig, &allot, VMRES_OK, 2);
    rig_delete(rig);
}

/* Whoever ignores MORE gets the rest with the next event, whatever that is. */
static void the_rest_comes_with_the_next_event(void **state)
{
    struct rig *rig = crowded(1, 3);
    struct vmres_event event = rig_event(rig, VMRES_EVENT_ALLOT, 0);

    (void)state;
    step(rig, &event, VMRES_MORE, 1);
    event = rig_event(rig, VMRES_EVENT_TIMEOUT, 0);
    step(rig, &event, VMRES_MORE, 1);
    event.type = 0;
    step(rig, &event, VMRES_INVALID, 0); /* a refused one brings nothing */
    step(rig, NULL, VMRES_OK, 1);
    rig_delete(rig);
}

static void a_vm_that_went_meanwhile_is_not_written_to(void **state)
{
    struct rig *rig = crowded(1, 3);
    struct vmres_event event = rig_event(rig, VMRES_EVENT_ALLOT, 0);

    (void)state;
    step(rig, &event, VMRES_MORE, 1);
    event = rig_event(rig, VMRES_EVENT_VM_GONE, 1);
    step(rig, &event, VMRES_OK, 1);
    rig->vms[1].present = false;
    EXPECT_BOOKS(rig, "10 10 + 280");
    rig_delete(rig);
}

static struct rig *end_of(uint32_t max_actions, uint32_t max_transfers)
{
    struct rig *rig = rig_prepare(RIG_VMS * 100, 2, true);

    rig->options.max_actions = max_actions;
    rig->options.max_transfers = max_transfers;
    rig_start(rig);
    rig_fleet(rig, RIG_VMS, 100);
    wish_for_much(rig);
    for (uint32_t round = 0; round < 400; round++)
        rig_round(rig);
    return rig;
}

static void the_end_is_the_same_whatever_the_room(void **state)
{
    static const uint32_t sizes[][2] = {{1, 0}, {3, 0}, {0, 1}, {1, 2}, {2, 5}};
    struct rig *large = end_of(0, 0);

    (void)state;
    assert_int_equal(large->more, 0);
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rig *small = end_of(sizes[i][0], sizes[i][1]);

        for (uint32_t vm = 0; vm < RIG_VMS; vm++)
            for (uint8_t k = 0; k < 2; k++)
                assert_int_equal(rig_charge(small, vm, k), rig_charge(large, vm, k));
        assert_int_equal(rig_transfers(small), 0);
        assert_true(small->more > 0 || sizes[i][0] == 0);
        rig_delete(small);
    }
    rig_delete(large);
}

/* More commands wanted at once than there are: those left over go out as others end. */
static void an_empty_pool_of_commands_is_waited_for(void **state)
{
    struct rig *rig = rig_prepare(RIG_VMS * 100, 2, true);

    (void)state;
    rig->options.max_transfers = 1; /* and 18 commands, of which 24 are wanted */
    rig_start(rig);
    for (uint32_t vm = 0; vm < RIG_VMS; vm++) {
        rig_add(rig, vm, 0, 1200, 100);
        rig_withhold(rig, vm, RIG_REASSIGN);
    }
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    assert_int_equal(rig->open_count, 18);
    assert_true(rig_counters(rig).limits_hit > 0);
    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        while (rig_is_open(rig, vm, VMRES_ACTION_REASSIGN))
            rig_finish(rig, vm, VMRES_ACTION_REASSIGN, 100, VMRES_RESULT_DONE);
    for (uint32_t vm = 0; vm < RIG_VMS; vm++) {
        while (rig_is_open(rig, vm, VMRES_ACTION_REASSIGN))
            rig_finish(rig, vm, VMRES_ACTION_REASSIGN, 100, VMRES_RESULT_DONE);
        rig_live(rig, vm);
    }
    rig_pump(rig);
    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        EXPECT_STATE(rig, vm, VMRES_VM_LIVE);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_nothing_does_nothing),
        cmocka_unit_test(more_says_that_there_is_more),
        cmocka_unit_test(exactly_full_is_not_more),
        cmocka_unit_test(the_rest_comes_with_the_next_event),
        cmocka_unit_test(a_vm_that_went_meanwhile_is_not_written_to),
        cmocka_unit_test(the_end_is_the_same_whatever_the_room),
        cmocka_unit_test(an_empty_pool_of_commands_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
