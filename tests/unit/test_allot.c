/* SPDX-License-Identifier: MIT */
/* First allotments: stated ones kept, the others an equal share of what is left, all or none. */
#include "support/rig.h"

static void auto_shares_sum_to_the_capacity(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 100, 300, NONE);
    rig_add(rig, 1, 100, 500, NONE);
    rig_add(rig, 2, 0, 1000, NONE);
    rig_boot(rig);
    EXPECT_TRACE(rig, "[    0.000] vm0 booting\n"
                      "[    0.000] vm1 booting\n"
                      "[    0.000] vm2 booting\n"
                      "[    0.000] vm0 allot 200MiB, now 200MiB: first allotment\n"
                      "[    0.000] vm1 allot 300MiB, now 300MiB: first allotment\n"
                      "[    0.000] vm2 allot 500MiB, now 500MiB: first allotment\n"
                      "[    0.000] vm0 live\n"
                      "[    0.000] vm1 live\n"
                      "[    0.000] vm2 live\n");
    EXPECT_BOOKS(rig, "200 300 500 + 0");
    rig_delete(rig);
}

static void and_to_no_more_than_the_ceilings(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 0, 150, NONE);
    rig_add(rig, 1, 0, 250, NONE);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "150 250 + 600");
    rig_delete(rig);
}

static void odd_shares_leave_nothing_over(void **state)
{
    struct rig *rig = rig_new(100);

    (void)state;
    for (uint32_t vm = 0; vm < 7; vm++)
        rig_add(rig, vm, 0, 100, NONE);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "14 14 14 14 14 15 15 + 0");
    rig_delete(rig);
}

static void a_stated_amount_is_kept_within_the_limits(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 100, 300, 250);
    rig_add(rig, 1, 100, 300, 20);
    rig_add(rig, 2, 100, 300, 400);
    rig_add(rig, 3, 100, 300, NONE);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "250 100 300 300 + 50");
    rig_delete(rig);
}

static void all_get_theirs_or_nobody_does(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 0, 1000, 600);
    rig_add(rig, 1, 0, 1000, 500);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0), VMRES_NOROOM);
    EXPECT_BOOKS(rig, "0 0 + 1000");
    rig_told(rig, vmres_event_limits(0, 1, 1, 0, 400 * VMRES_MIB));
    rig_boot(rig);
    EXPECT_BOOKS(rig, "600 400 + 0");
    rig_delete(rig);
}

static void one_kind_without_room_holds_all_up(void **state)
{
    struct rig *rig = rig_prepare(1000, 2, true);
    struct vmres_event limits = vmres_event_limits(0, 0, 1, 0, 10000);

    (void)state;
    rig_start(rig);
    rig_add(rig, 0, 0, 1000, 600);
    rig_add(rig, 1, 0, 1000, 300);
    limits.kind = CPU;
    limits.flags = 0;
    limits.as.limits.initial = 8000;
    rig_told(rig, limits);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0), VMRES_NOROOM);
    limits.as.limits.initial = 7000;
    rig_told(rig, limits);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "600 300 + 100");
    assert_int_equal(rig_charge(rig, 0, CPU), 700);
    rig_delete(rig);
}

static void whoever_comes_later_gets_of_what_is_free(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 0, 400, NONE);
    rig_boot(rig);
    rig_add(rig, 1, 100, 1000, NONE);
    rig_add(rig, 2, 100, 1000, NONE);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "400 300 300 + 0");
    rig_add(rig, 3, 0, 1000, NONE);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "400 300 300 0 + 0");
    EXPECT_STATE(rig, 3, VMRES_VM_LIVE);
    rig_delete(rig);
}

/* The floors fit the host, but others hold more than theirs just now. */
static void a_floor_that_is_not_free_now_has_to_wait(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 0, 1000, 900);
    rig_boot(rig);
    rig_add(rig, 1, 200, 1000, NONE);
    rig_forget_trace(rig);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0), VMRES_NOROOM);
    EXPECT_TRACE(rig, "[    0.000] vm1 waits for 200MiB: so much is not free\n");
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 0, 700 * VMRES_MIB));
    rig_round(rig);
    rig_boot(rig);
    EXPECT_BOOKS(rig, "700 300 + 0");
    rig_delete(rig);
}

static void nothing_is_allotted_twice(void **state)
{
    struct rig *rig = rig_new(1000);

    (void)state;
    rig_add(rig, 0, 0, 400, 100);
    rig_boot(rig);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    assert_int_equal(rig->sent_count, 0);
    EXPECT_BOOKS(rig, "100 + 900");
    rig_delete(rig);
}

static void it_is_an_initial_reassignment(void **state)
{
    struct rig *rig = rig_new(1000);
    const struct vmres_action *action;

    (void)state;
    rig_add(rig, 0, 0, 400, 100);
    rig_withhold(rig, 0, RIG_REASSIGN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    action = &rig_open(rig, 0, VMRES_ACTION_REASSIGN)->action;
    assert_int_equal(action->flags, VMRES_ACTION_INITIAL);
    assert_int_equal(action->as.resize.target, 100 * VMRES_MIB);
    assert_int_equal(action->as.resize.transfer, 0);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 100, VMRES_RESULT_DONE);
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0));
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_shares_sum_to_the_capacity),
        cmocka_unit_test(and_to_no_more_than_the_ceilings),
        cmocka_unit_test(odd_shares_leave_nothing_over),
        cmocka_unit_test(a_stated_amount_is_kept_within_the_limits),
        cmocka_unit_test(all_get_theirs_or_nobody_does),
        cmocka_unit_test(one_kind_without_room_holds_all_up),
        cmocka_unit_test(whoever_comes_later_gets_of_what_is_free),
        cmocka_unit_test(a_floor_that_is_not_free_now_has_to_wait),
        cmocka_unit_test(nothing_is_allotted_twice),
        cmocka_unit_test(it_is_an_initial_reassignment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
