/* SPDX-License-Identifier: MIT */
/* A transfer from plan to end, as the trace tells it: who, which of the eight steps, what, why. */
#include "support/rig.h"

static void eight_steps(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->options.tracer.level = VMRES_TRACE_DEBUG;
    rig_start(rig);
    rig_fleet(rig, 2, 150);
    rig->vms[0].devices[MEMORY].used = 150;
    rig_wish(rig, 0, 190);
    rig_wish(rig, 1, 110);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] all (1) inquire\n"
                      "[    1.000] vm0 (2) uses 150MiB of 150MiB\n"
                      "[    1.000] vm1 (2) uses 0B of 150MiB\n"
                      "[    1.000] vm0 (3) gets 40MiB from vm1: wished\n"
                      "[    1.000] vm1 (4) remove 40MiB, down to 110MiB, for vm0: wished\n"
                      "[    1.000] vm1 (5) removed 40MiB, now 110MiB\n"
                      "[    1.000] vm0 (6) reassign 40MiB from vm1, now 190MiB\n"
                      "[    1.000] vm0 (7) notify of 40MiB, now 190MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 40MiB, holds 190MiB\n"
                      "[    1.000] transfer vm1 to vm0 moved 40MiB of 40MiB: done\n");
    EXPECT_BOOKS(rig, "190 110 + 0");
    rig_delete(rig);
}

static void pieces_overlap(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 150);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 200);
    rig_wish(rig, 1, 100);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 50MiB from vm1: wished\n"
                      "[    1.000] vm1 (4) remove 50MiB, down to 100MiB, for vm0: wished\n");
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (5) removed 20MiB, now 130MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm1, now 170MiB\n"
                      "[    1.000] vm0 (7) notify of 20MiB, now 170MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 170MiB\n");
    EXPECT_BOOKS(rig, "170 130 + 0");
    rig->now += 400;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.400] vm1 (5) removed 30MiB, now 100MiB\n"
                      "[    1.400] vm0 (6) reassign 30MiB from vm1, now 200MiB\n"
                      "[    1.400] vm0 (7) notify of 30MiB, now 200MiB: wished\n"
                      "[    1.400] vm0 (8) incorporated 30MiB, holds 200MiB\n"
                      "[    1.400] transfer vm1 to vm0 moved 50MiB of 50MiB: done\n");
    EXPECT_BOOKS(rig, "200 100 + 0");
    rig_delete(rig);
}

static void many_donors_feed_one_recipient(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    rig_fleet(rig, 4, 100);
    rig_wish(rig, 0, 190);
    for (uint32_t vm = 1; vm < 4; vm++)
        rig_wish(rig, vm, 70);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 30MiB from vm1: wished\n"
                      "[    1.000] vm0 (3) gets 30MiB from vm2: wished\n"
                      "[    1.000] vm0 (3) gets 30MiB from vm3: wished\n"
                      "[    1.000] vm1 (4) remove 30MiB, down to 70MiB, for vm0: wished\n"
                      "[    1.000] vm2 (4) remove 30MiB, down to 70MiB, for vm0: wished\n"
                      "[    1.000] vm3 (4) remove 30MiB, down to 70MiB, for vm0: wished\n"
                      "[    1.000] vm1 (5) removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 30MiB from vm1, now 130MiB\n"
                      "[    1.000] vm2 (5) removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 30MiB from vm2, now 160MiB\n"
                      "[    1.000] vm3 (5) removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 30MiB from vm3, now 190MiB\n"
                      "[    1.000] vm0 (7) notify of 30MiB, now 130MiB: wished\n"
                      "[    1.000] vm0 (7) notify of 90MiB, now 190MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 30MiB, holds 130MiB\n"
                      "[    1.000] vm0 (8) incorporated 60MiB, holds 190MiB\n"
                      "[    1.000] transfer vm3 to vm0 moved 30MiB of 30MiB: done\n"
                      "[    1.000] transfer vm2 to vm0 moved 30MiB of 30MiB: done\n"
                      "[    1.000] transfer vm1 to vm0 moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "190 70 70 70 + 0");
    rig_delete(rig);
}

static void one_donor_feeds_many_recipients(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    rig_fleet(rig, 4, 100);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 10);
    for (uint32_t vm = 1; vm < 4; vm++)
        rig_wish(rig, vm, 110 + 10 * vm);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (3) gets 20MiB from vm0: wished\n"
                      "[    1.000] vm2 (3) gets 30MiB from vm0: wished\n"
                      "[    1.000] vm3 (3) gets 40MiB from vm0: wished\n"
                      "[    1.000] vm0 (4) remove 90MiB, down to 10MiB: wished\n");
    /* One command serves all three; what it yields is shared in proportion to what each awaits. */
    rig_progress(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 45);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (5) removed 45MiB, now 55MiB\n"
                      "[    1.000] vm3 (6) reassign 20MiB from vm0, now 120MiB\n"
                      "[    1.000] vm2 (6) reassign 15MiB from vm0, now 115MiB\n"
                      "[    1.000] vm1 (6) reassign 10MiB from vm0, now 110MiB\n"
                      "[    1.000] vm3 (7) notify of 20MiB, now 120MiB: wished\n"
                      "[    1.000] vm2 (7) notify of 15MiB, now 115MiB: wished\n"
                      "[    1.000] vm1 (7) notify of 10MiB, now 110MiB: wished\n"
                      "[    1.000] vm3 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    1.000] vm2 (8) incorporated 15MiB, holds 115MiB\n"
                      "[    1.000] vm1 (8) incorporated 10MiB, holds 110MiB\n");
    EXPECT_BOOKS(rig, "55 110 115 120 + 0");
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 45, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_forget_trace(rig);
    EXPECT_BOOKS(rig, "10 120 130 140 + 0");
    assert_int_equal(rig_counters(rig).transfers_done, 3);
    rig_delete(rig);
}

static void the_free_pool_comes_first(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 60MiB from the pool: wished\n"
                      "[    1.000] vm0 (6) reassign 60MiB from the pool, now 160MiB\n"
                      "[    1.000] vm0 (7) notify of 60MiB, now 160MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 60MiB, holds 160MiB\n"
                      "[    1.000] transfer the pool to vm0 moved 60MiB of 60MiB: done\n");
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_delete(rig);
}

static void what_nobody_wants_stays(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 50);
    rig_round(rig);
    EXPECT_TRACE(rig, "");
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void a_partial_removal_is_a_partial_transfer(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_PARTIAL);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (5) removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 30MiB from vm1, now 130MiB\n"
                      "[    1.000] vm0 (7) notify of 30MiB, now 130MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 30MiB, holds 130MiB\n"
                      "[    1.000] transfer vm1 to vm0 moved 30MiB of 50MiB: partial\n");
    EXPECT_BOOKS(rig, "130 70 + 0");
    rig_delete(rig);
}

static void a_refused_removal_fails(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_delete(rig);
}

/* The transfer the engine has open; there must be one. */
static struct vmres_transfer_info only_transfer(const struct rig *rig)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    assert_int_equal(vmres_engine_next_transfer(rig->engine, &cursor, &info), 1);
    return info;
}

static struct vmres_event cancel_of(const struct rig *rig, uint64_t id)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CANCEL, 0);

    event.id = id;
    return event;
}

static void a_transfer_is_called_off_before_anything_moved(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_wish_nothing(rig);
    rig_told(rig, cancel_of(rig, only_transfer(rig).id));
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: cancelled\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    assert_false(rig_is_open(rig, 1, VMRES_ACTION_PIN));
    rig_delete(rig);
}

static void what_has_come_is_kept_when_a_transfer_is_called_off(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_told(rig, cancel_of(rig, only_transfer(rig).id));
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] transfer vm1 to vm0 moved 20MiB of 50MiB: partial\n");
    EXPECT_BOOKS(rig, "120 80 + 0");
    assert_int_equal(rig_transfers(rig), 0);
    rig_delete(rig);
}

static void one_of_two_transfers_is_called_off(void **state)
{
    struct rig *rig = rig_new(300);
    uint64_t id;

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 40);
    rig_wish(rig, 1, 140);
    rig_wish(rig, 2, 120);
    rig_round(rig);
    rig_forget_trace(rig);
    rig_wish_nothing(rig);
    id = only_transfer(rig).id;
    rig_told(rig, cancel_of(rig, id));
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] transfer vm0 to vm1 moved 0B of 40MiB: cancelled\n"
                      "[    1.000] vm0 (4) remove 20MiB, down to 80MiB, for vm2: wished\n");
    rig_refused(rig, cancel_of(rig, id), VMRES_UNKNOWN);
    rig_refused(rig, cancel_of(rig, 0), VMRES_UNKNOWN);
    rig_forget_trace(rig);
    rig_delete(rig);
}

/* What is placed already cannot be called off: it is the recipient's. */
static void what_is_placed_stays_placed(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    rig_forget_trace(rig);
    assert_int_equal(only_transfer(rig).state, VMRES_TRANSFER_PLACING);
    rig_told(rig, cancel_of(rig, only_transfer(rig).id));
    EXPECT_TRACE(rig, "");
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 60, VMRES_RESULT_DONE);
    EXPECT_TRACE(rig, "[    1.000] vm0 (8) incorporated 60MiB, holds 160MiB\n"
                      "[    1.000] transfer the pool to vm0 moved 60MiB of 60MiB: done\n");
    rig_delete(rig);
}

static void states_follow_the_steps(void **state)
{
    struct rig *rig = rig_new(200);
    struct vmres_transfer_info info;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_REASSIGN | RIG_NOTIFY);
    rig_ask(rig);
    info = only_transfer(rig);
    assert_int_equal(info.state, VMRES_TRANSFER_REQUESTED);
    assert_int_equal(info.donor, 1);
    assert_int_equal(info.recipient, 0);
    assert_int_equal(info.asked, 50 * VMRES_MIB);
    assert_int_equal(info.started_ms, 1000);
    assert_string_equal(info.reason, "wished");
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.transfer,
                     info.id);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    info = only_transfer(rig);
    assert_int_equal(info.state, VMRES_TRANSFER_MOVING);
    assert_int_equal(info.released, 10 * VMRES_MIB);
    assert_int_equal(info.placed, 10 * VMRES_MIB);
    assert_int_equal(info.incorporated, 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 40, VMRES_RESULT_DONE);
    assert_int_equal(only_transfer(rig).state, VMRES_TRANSFER_PLACING);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 10, VMRES_RESULT_DONE);
    assert_int_equal(only_transfer(rig).incorporated, 10 * VMRES_MIB);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 40, VMRES_RESULT_DONE);
    assert_int_equal(rig_transfers(rig), 0);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void a_full_table_is_counted_and_waited_for(void **state)
{
    struct rig *rig = rig_prepare(400, 1, true);

    (void)state;
    rig->options.max_transfers = 1;
    rig_start(rig);
    rig_fleet(rig, 4, 100);
    rig_wish(rig, 0, 130);
    rig_wish(rig, 1, 130);
    rig_wish(rig, 2, 70);
    rig_wish(rig, 3, 70);
    rig_round(rig);
    assert_true(rig_counters(rig).limits_hit > 0);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 15MiB from vm2: wished\n"
                      "[    1.000] vm2 (4) remove 15MiB, down to 85MiB, for vm0: wished\n"
                      "[    1.000] vm2 (5) removed 15MiB, now 85MiB\n"
                      "[    1.000] vm0 (6) reassign 15MiB from vm2, now 115MiB\n"
                      "[    1.000] vm0 (7) notify of 15MiB, now 115MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 15MiB, holds 115MiB\n"
                      "[    1.000] transfer vm2 to vm0 moved 15MiB of 15MiB: done\n");
    for (uint32_t round = 0; round < 30; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "130 130 70 70 + 0");
    rig_delete(rig);
}

static void two_kinds_move_independently(void **state)
{
    struct rig *rig = rig_prepare(200, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 130);
    rig_wish(rig, 1, 70);
    rig->wishes[CPU][0] = 80;
    rig->wishes[CPU][1] = 120;
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) memory gets 30MiB from vm1: wished\n"
                      "[    1.000] vm1 (3) cpu gets 200m from vm0: wished\n"
                      "[    1.000] vm1 (4) memory remove 30MiB, down to 70MiB, for vm0: wished\n"
                      "[    1.000] vm0 (4) cpu remove 200m, down to 800m, for vm1: wished\n"
                      "[    1.000] vm1 (5) memory removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) memory reassign 30MiB from vm1, now 130MiB\n"
                      "[    1.000] vm0 (5) cpu removed 200m, now 800m\n"
                      "[    1.000] vm1 (6) cpu reassign 200m from vm0, now 1200m\n"
                      "[    1.000] vm0 (7) memory notify of 30MiB, now 130MiB: wished\n"
                      "[    1.000] vm1 (7) cpu notify of 200m, now 1200m: wished\n"
                      "[    1.000] vm0 (8) memory incorporated 30MiB, holds 130MiB\n"
                      "[    1.000] transfer vm1 to vm0 moved 30MiB of 30MiB: done\n"
                      "[    1.000] vm1 (8) cpu incorporated 200m, holds 1200m\n"
                      "[    1.000] transfer vm0 to vm1 moved 200m of 200m: done\n");
    assert_int_equal(rig_charge(rig, 0, CPU), 80);
    assert_int_equal(rig_charge(rig, 1, CPU), 120);
    EXPECT_BOOKS(rig, "130 70 + 0");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_steps),
        cmocka_unit_test(pieces_overlap),
        cmocka_unit_test(many_donors_feed_one_recipient),
        cmocka_unit_test(one_donor_feeds_many_recipients),
        cmocka_unit_test(the_free_pool_comes_first),
        cmocka_unit_test(what_nobody_wants_stays),
        cmocka_unit_test(a_partial_removal_is_a_partial_transfer),
        cmocka_unit_test(a_refused_removal_fails),
        cmocka_unit_test(a_transfer_is_called_off_before_anything_moved),
        cmocka_unit_test(what_has_come_is_kept_when_a_transfer_is_called_off),
        cmocka_unit_test(one_of_two_transfers_is_called_off),
        cmocka_unit_test(what_is_placed_stays_placed),
        cmocka_unit_test(states_follow_the_steps),
        cmocka_unit_test(a_full_table_is_counted_and_waited_for),
        cmocka_unit_test(two_kinds_move_independently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
