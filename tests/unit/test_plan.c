/* SPDX-License-Identifier: MIT */
/* From targets to transfers: who gives to whom, how much, and what becomes of older promises. */
#include "support/rig.h"

static void recipients_share_in_proportion_what_there_is(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 80);
    rig_wish(rig, 0, 80 + 20);
    rig_wish(rig, 1, 80 + 40);
    rig_wish(rig, 2, 80 + 60);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] host lacks 60MiB\n"
                      "[    1.000] vm0 (3) gets 10MiB from the pool: wished\n"
                      "[    1.000] vm0 (6) reassign 10MiB from the pool, now 90MiB\n"
                      "[    1.000] vm1 (3) gets 20MiB from the pool: wished\n"
                      "[    1.000] vm1 (6) reassign 20MiB from the pool, now 100MiB\n"
                      "[    1.000] vm2 (3) gets 30MiB from the pool: wished\n"
                      "[    1.000] vm2 (6) reassign 30MiB from the pool, now 110MiB\n"
                      "[    1.000] vm0 (7) notify of 10MiB, now 90MiB: wished\n"
                      "[    1.000] vm1 (7) notify of 20MiB, now 100MiB: wished\n"
                      "[    1.000] vm2 (7) notify of 30MiB, now 110MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 10MiB, holds 90MiB\n"
                      "[    1.000] transfer the pool to vm0 moved 10MiB of 10MiB: done\n"
                      "[    1.000] vm1 (8) incorporated 20MiB, holds 100MiB\n"
                      "[    1.000] transfer the pool to vm1 moved 20MiB of 20MiB: done\n"
                      "[    1.000] vm2 (8) incorporated 30MiB, holds 110MiB\n"
                      "[    1.000] transfer the pool to vm2 moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "90 100 110 + 0");
    rig_delete(rig);
}

static void donors_and_recipients_are_matched_in_one_walk(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    rig_fleet(rig, 4, 100);
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 70);
    rig_wish(rig, 2, 150);
    rig_wish(rig, 3, 120);
    for (uint32_t vm = 0; vm < 2; vm++)
        rig_withhold(rig, vm, RIG_REMOVAL);
    rig_round(rig);
    /* Each donor serves both, in proportion: neither depends on the slowest. */
    EXPECT_TRACE(rig, "[    1.000] vm2 (3) gets 28MiB from vm0: wished\n"
                      "[    1.000] vm3 (3) gets 12MiB from vm0: wished\n"
                      "[    1.000] vm2 (3) gets 22MiB from vm1: wished\n"
                      "[    1.000] vm3 (3) gets 8MiB from vm1: wished\n"
                      "[    1.000] vm0 (4) remove 40MiB, down to 60MiB: wished\n"
                      "[    1.000] vm1 (4) remove 30MiB, down to 70MiB: wished\n");
    rig_delete(rig);
}

/* Eleven recipients are more than one window of eight. */
static void many_are_served_in_windows(void **state)
{
    struct rig *rig = rig_new(1200);

    (void)state;
    rig_fleet(rig, 12, 100);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 12);
    for (uint32_t vm = 1; vm < 12; vm++)
        rig_wish(rig, vm, 108);
    rig_round(rig);
    assert_int_equal(rig_transfers(rig), 11);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 88, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "12 108 108 108 108 108 108 108 108 108 108 108 + 0");
    rig_delete(rig);
}

static void gaps_that_do_not_match_leave_the_last_in_line_short(void **state)
{
    struct rig *rig = rig_new(1200);
    uint32_t sum = 0;

    (void)state;
    rig_fleet(rig, 12, 100);
    for (uint32_t vm = 0; vm < 4; vm++)
        rig_wish(rig, vm, 100 - 7 * (vm + 1));
    for (uint32_t vm = 4; vm < 12; vm++)
        rig_wish(rig, vm, 100 + vm);
    rig_round(rig);
    for (uint32_t vm = 4; vm < 12; vm++) {
        assert_in_range(rig_charge(rig, vm, MEMORY), 100, 100 + vm);
        sum += rig_charge(rig, vm, MEMORY) - 100;
    }
    assert_in_range(sum, 1, 60); /* of 70, they want 60 */
    assert_int_equal(sum, 60);
    assert_int_equal(rig_free(rig, MEMORY), 0);
    rig_delete(rig);
}

/* --- what was promised before --- */

static void a_transfer_that_still_serves_is_kept(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_round(rig);
    EXPECT_TRACE(rig, "");
    assert_int_equal(rig_transfers(rig), 1);
    rig_delete(rig);
}

static void a_transfer_is_cut_to_what_still_serves(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_wish(rig, 0, 130);
    rig_wish(rig, 1, 50); /* it may give more, but nobody wants it */
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] vm1 (4) remove 30MiB, down to 70MiB, for vm0: wished\n");
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "130 70 + 0");
    rig_delete(rig);
}

static void a_donor_may_turn_recipient(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_withhold(rig, 1, 0);
    rig_wish(rig, 0, 80);
    rig_wish(rig, 1, 120);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] transfer vm1 to vm0 moved 10MiB of 50MiB: done\n"
                      "[    2.000] vm1 (3) gets 30MiB from vm0: wished\n"
                      "[    2.000] vm0 (4) remove 30MiB, down to 80MiB, for vm1: wished\n"
                      "[    2.000] vm0 (5) removed 30MiB, now 80MiB\n"
                      "[    2.000] vm1 (6) reassign 30MiB from vm0, now 120MiB\n"
                      "[    2.000] vm1 (7) notify of 30MiB, now 120MiB: wished\n"
                      "[    2.000] vm1 (8) incorporated 30MiB, holds 120MiB\n"
                      "[    2.000] transfer vm0 to vm1 moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "80 120 + 0");
    rig_delete(rig);
}

static void a_donor_found_slow_is_joined_by_another(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_ask(rig);
    rig_forget_trace(rig);
    rig_wish(rig, 0, 170);
    rig_wish(rig, 2, 80);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] vm0 (3) gets 20MiB from vm2: wished\n"
                      "[    2.000] vm2 (4) remove 20MiB, down to 80MiB, for vm0: wished\n"
                      "[    2.000] vm2 (5) removed 20MiB, now 80MiB\n"
                      "[    2.000] vm0 (6) reassign 20MiB from vm2, now 120MiB\n"
                      "[    2.000] vm0 (7) notify of 20MiB, now 120MiB: wished\n"
                      "[    2.000] vm0 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    2.000] transfer vm2 to vm0 moved 20MiB of 20MiB: done\n");
    EXPECT_BOOKS(rig, "120 100 80 + 0");
    rig_delete(rig);
}

/* --- what must be had --- */

static void whoever_is_below_its_floor_is_helped_by_those_above_their_share(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 0, 300, 40);
    rig_add(rig, 1, 0, 300, 60);
    rig_add(rig, 2, 0, 300, 200);
    rig_boot(rig);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 100 * VMRES_MIB, 300 * VMRES_MIB));
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 60 140 + 0");
    rig_delete(rig);
}

/* vm0 took 20 that nobody had given it, and refuses to give them back: then what others do not use
 * goes, in proportion, and no more. */
static void after_that_what_is_not_used_goes(void **state)
{
    struct rig *rig = rig_prepare(300, 1, false);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    for (uint32_t vm = 0; vm < 3; vm++)
        rig->vms[vm].devices[MEMORY].used = 100 - 10 * vm;
    rig_round(rig);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig->vms[0].devices[MEMORY].held = 120;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    rig_until(rig, rig->now);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "120 100 100 + 0 - 20");
    rig_forget_trace(rig);
    rig_round(rig);
    EXPECT_TRACE(rig,
                 "[    2.000] vm1 (3) gives 6MiB to the pool: the host must have it, and it does "
                 "not use it\n"
                 "[    2.000] vm2 (3) gives 14MiB to the pool: the host must have it, and it "
                 "does not use it\n"
                 "[    2.000] vm1 (4) remove 6MiB, down to 94MiB, for the pool: the host must "
                 "have it, and it does not use it\n"
                 "[    2.000] vm2 (4) remove 14MiB, down to 86MiB, for the pool: the host must "
                 "have it, and it does not use it\n"
                 "[    2.000] vm1 (5) removed 6MiB, now 94MiB\n"
                 "[    2.000] transfer vm1 to the pool moved 6MiB of 6MiB: done\n"
                 "[    2.000] vm2 (5) removed 14MiB, now 86MiB\n"
                 "[    2.000] transfer vm2 to the pool moved 14MiB of 14MiB: done\n");
    EXPECT_BOOKS(rig, "120 94 86 + 0");
    rig_delete(rig);
}

static void above_its_ceiling_it_gives_to_the_pool(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 150);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 0, 100 * VMRES_MIB));
    rig_wish(rig, 1, 170);
    rig_round(rig);
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 (3) gets 20MiB from vm0: wished\n"
                 "[    1.000] vm0 (3) gives 30MiB to the pool: its ceiling is below what it has\n"
                 "[    1.000] vm0 (4) remove 50MiB, down to 100MiB: its ceiling is below what it "
                 "has\n"
                 "[    1.000] vm0 (5) removed 50MiB, now 100MiB\n"
                 "[    1.000] transfer vm0 to the pool moved 30MiB of 30MiB: done\n"
                 "[    1.000] vm1 (6) reassign 20MiB from vm0, now 170MiB\n"
                 "[    1.000] vm1 (7) notify of 20MiB, now 170MiB: wished\n"
                 "[    1.000] vm1 (8) incorporated 20MiB, holds 170MiB\n"
                 "[    1.000] transfer vm0 to vm1 moved 20MiB of 20MiB: done\n");
    EXPECT_BOOKS(rig, "100 170 + 30");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients_share_in_proportion_what_there_is),
        cmocka_unit_test(donors_and_recipients_are_matched_in_one_walk),
        cmocka_unit_test(many_are_served_in_windows),
        cmocka_unit_test(gaps_that_do_not_match_leave_the_last_in_line_short),
        cmocka_unit_test(a_transfer_that_still_serves_is_kept),
        cmocka_unit_test(a_transfer_is_cut_to_what_still_serves),
        cmocka_unit_test(a_donor_may_turn_recipient),
        cmocka_unit_test(a_donor_found_slow_is_joined_by_another),
        cmocka_unit_test(whoever_is_below_its_floor_is_helped_by_those_above_their_share),
        cmocka_unit_test(after_that_what_is_not_used_goes),
        cmocka_unit_test(above_its_ceiling_it_gives_to_the_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
