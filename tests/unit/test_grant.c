/* SPDX-License-Identifier: MIT */
/* Steps 6 to 8: the charge rises first; a grant that fails stays charged until it is seen that the
 * VM cannot hold it. */
#include "support/rig.h"

/* vm0 is to have 60 more from the pool, and leaves these actions unanswered. */
static struct rig *granted(uint32_t withheld)
{
    struct rig *rig = rig_new(300);

    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, withheld);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    rig_wish_nothing(rig);
    rig_forget_trace(rig);
    return rig;
}

static void the_charge_rises_before_anything_is_sent(void **state)
{
    struct rig *rig = granted(RIG_REASSIGN);

    (void)state;
    EXPECT_BOOKS(rig, "160 100 + 40");
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REASSIGN)->action.as.resize.target,
                     160 * VMRES_MIB);
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_NOTIFY));
    rig_delete(rig);
}

static void it_is_told_only_what_its_configuration_allows(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 0, RIG_REASSIGN | RIG_NOTIFY);
    rig_ask(rig);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    EXPECT_BOOKS(rig, "130 70 100 + 0");
    rig_forget_trace(rig);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    EXPECT_TRACE(rig, "[    1.000] vm0 (7) notify of 10MiB, now 110MiB: wished\n");
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REASSIGN)->action.as.resize.target,
                     130 * VMRES_MIB);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_NOTIFY)->action.as.resize.target,
                     110 * VMRES_MIB);
    rig_delete(rig);
}

static void it_takes_its_time(void **state)
{
    struct rig *rig = granted(RIG_NOTIFY);

    (void)state;
    rig_progress(rig, 0, VMRES_ACTION_NOTIFY, 20);
    rig->now += 3000;
    rig_progress(rig, 0, VMRES_ACTION_NOTIFY, 30);
    rig->now += 3000;
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 10, VMRES_RESULT_DONE);
    EXPECT_TRACE(rig, "[    1.000] vm0 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    4.000] vm0 (8) incorporated 30MiB, holds 150MiB\n"
                      "[    7.000] vm0 (8) incorporated 10MiB, holds 160MiB\n"
                      "[    7.000] transfer the pool to vm0 moved 60MiB of 60MiB: done\n");
    assert_int_equal(rig_counters(rig).incorporated, 60);
    rig_delete(rig);
}

/* --- a deficit comes up while a piece waits to be told --- */

/* vm0 was granted 10 and told of it, then 10 more, of which it is not told yet. */
static struct rig *half_told(void)
{
    struct rig *rig = rig_new(300);

    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 0, RIG_REASSIGN | RIG_NOTIFY);
    rig_ask(rig);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    EXPECT_BOOKS(rig, "120 80 100 + 0");
    rig_forget_trace(rig);
    return rig;
}

static void what_is_not_told_in_a_deficit_goes_back(void **state)
{
    struct rig *rig = half_told();

    (void)state;
    rig->vms[2].devices[MEMORY].held = 115;
    rig_told(rig, rig_observed(rig, 2, MEMORY));
    assert_int_equal(rig_deficit(rig, MEMORY), 15);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_REASSIGN));
    assert_int_equal(rig_charge(rig, 0, MEMORY), 110);
    assert_int_equal(rig_deficit(rig, MEMORY), 5);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_NOTIFY)->action.as.resize.target,
                     110 * VMRES_MIB);
    rig_delete(rig);
}

/* What only the witness sees is in dispute: no target counts on it, and it hides no piece. */
static void a_grown_process_is_no_room_for_its_guest(void **state)
{
    struct rig *rig = half_told();

    (void)state;
    rig->vms[0].devices[MEMORY].excess = 50;
    rig->lying = true;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_REASSIGN));
    EXPECT_BOOKS(rig, "150 80 100 + 0 - 30");
    assert_int_equal(rig_disputed(rig, 0, MEMORY), 40);
    rig_delete(rig);
}

/* --- charge-back: only a pin and an observation show what it can hold --- */

static void a_refused_reassignment_is_charged_back_after_a_pin(void **state)
{
    struct rig *rig = granted(RIG_REASSIGN | RIG_PIN);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    EXPECT_TRACE(rig, "[    1.000] transfer the pool to vm0 moved 0B of 60MiB: failed\n");
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_told(rig, rig_observed(rig, 0, MEMORY)); /* before the pin it proves nothing */
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void what_was_taken_in_partially_is_kept(void **state)
{
    struct rig *rig = granted(RIG_NOTIFY | RIG_PIN);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 25, VMRES_RESULT_PARTIAL);
    EXPECT_TRACE(rig, "[    1.000] vm0 (8) incorporated 25MiB, holds 125MiB\n"
                      "[    1.000] transfer the pool to vm0 moved 25MiB of 60MiB: partial\n");
    EXPECT_BOOKS(rig, "160 100 + 40");
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_PIN)->action.as.resize.target, 125 * VMRES_MIB);
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "125 100 + 75");
    rig_delete(rig);
}

/* It says no, and grows all the same: the pin finds it. */
static void what_it_holds_after_all_stays_charged(void **state)
{
    struct rig *rig = granted(RIG_NOTIFY | RIG_PIN);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 0, VMRES_RESULT_REFUSED);
    rig->vms[0].devices[MEMORY].held = 140;
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "140 100 + 60");
    rig_delete(rig);
}

static void without_a_witness_a_failed_grant_stays_charged(void **state)
{
    struct rig *rig = granted(RIG_REASSIGN | RIG_PIN);

    (void)state;
    rig->vms[0].devices[MEMORY].valid = VMRES_VALID_HELD;
    rig->engine->kinds[MEMORY].accounts[0].witness = NONE;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig->vms[0].devices[MEMORY].valid |= VMRES_VALID_WITNESS;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void a_refused_pin_keeps_the_charge(void **state)
{
    struct rig *rig = granted(RIG_REASSIGN | RIG_PIN);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_REFUSED);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_delete(rig);
}

static void a_grant_nobody_takes_is_given_up(void **state)
{
    struct rig *rig = granted(RIG_NOTIFY);

    (void)state;
    rig_until(rig, 5999);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_until(rig, 6000);
    EXPECT_TRACE(rig, "[    6.000] vm0 call off 60MiB, keeps 100MiB: it does not take what it was "
                      "given\n"
                      "[    6.000] transfer the pool to vm0 moved 0B of 60MiB: failed\n");
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void one_that_refuses_is_not_offered_more_for_a_while(void **state)
{
    struct rig *rig = granted(RIG_REASSIGN);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig_withhold(rig, 0, 0);
    rig_wish(rig, 0, 160);
    rig_until(rig, 5999);
    EXPECT_BOOKS(rig, "100 100 + 100");
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_RECIPIENT);
    rig_until(rig, 6000);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_delete(rig);
}

static void one_that_is_taking_in_does_not_give(void **state)
{
    struct rig *rig = granted(RIG_NOTIFY);

    (void)state;
    rig_wish(rig, 0, 50);
    rig_wish(rig, 1, 200);
    rig_round(rig);
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_DONOR);
    EXPECT_BOOKS(rig, "160 140 + 0");
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 60, VMRES_RESULT_DONE);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 200 + 0");
    rig_delete(rig);
}

/* --- what cannot be placed goes to the pool --- */

static void a_ceiling_that_was_lowered_meanwhile_holds(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 0, 120 * VMRES_MIB));
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (5) removed 50MiB, now 50MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm1, now 120MiB\n"
                      "[    1.000] vm0 (7) notify of 20MiB, now 120MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    1.000] transfer vm1 to vm0 moved 20MiB of 50MiB: partial\n");
    EXPECT_BOOKS(rig, "120 50 + 30");
    rig_delete(rig);
}

static void a_deficit_is_worked_off_first(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);

    (void)state;
    event.as.capacity.capacity = 180 * VMRES_MIB;
    rig_told(rig, event);
    rig_forget_trace(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 (5) removed 50MiB, now 50MiB\n"
                 "[    1.000] vm0 (6) reassign 0B from vm1, now 100MiB: a deficit is worked off "
                 "first\n"
                 "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: cancelled\n");
    EXPECT_BOOKS(rig, "100 50 + 30");
    rig_delete(rig);
}

static void a_recipient_that_is_gone_leaves_its_piece_to_the_pool(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_gone(rig, 0);
    EXPECT_TRACE(rig, "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                      "[    1.000] vm0 gone\n");
    EXPECT_BOOKS(rig, "100 + 100");
    rig_pump(rig);
    EXPECT_BOOKS(rig, "100 + 100");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_charge_rises_before_anything_is_sent),
        cmocka_unit_test(it_is_told_only_what_its_configuration_allows),
        cmocka_unit_test(it_takes_its_time),
        cmocka_unit_test(what_is_not_told_in_a_deficit_goes_back),
        cmocka_unit_test(a_grown_process_is_no_room_for_its_guest),
        cmocka_unit_test(a_refused_reassignment_is_charged_back_after_a_pin),
        cmocka_unit_test(what_was_taken_in_partially_is_kept),
        cmocka_unit_test(what_it_holds_after_all_stays_charged),
        cmocka_unit_test(without_a_witness_a_failed_grant_stays_charged),
        cmocka_unit_test(a_refused_pin_keeps_the_charge),
        cmocka_unit_test(a_grant_nobody_takes_is_given_up),
        cmocka_unit_test(one_that_refuses_is_not_offered_more_for_a_while),
        cmocka_unit_test(one_that_is_taking_in_does_not_give),
        cmocka_unit_test(a_ceiling_that_was_lowered_meanwhile_holds),
        cmocka_unit_test(a_deficit_is_worked_off_first),
        cmocka_unit_test(a_recipient_that_is_gone_leaves_its_piece_to_the_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
