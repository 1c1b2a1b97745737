/* SPDX-License-Identifier: MIT */
/* Step 5: what of a donor's word is believed, what is disputed, and what becomes of both. */
#include "support/rig.h"

/* vm1 is asked for 50 of its 100 and does not answer yet; vm0 is to have it. */
static struct rig *asked(uint32_t tolerance)
{
    struct rig *rig = rig_prepare(200, 1, true);

    rig->resources[MEMORY].tolerance = tolerance * VMRES_MIB;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig_ask(rig);
    rig_wish_nothing(rig);
    rig_forget_trace(rig);
    return rig;
}

static void a_release_the_host_sees_is_believed(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 25);
    EXPECT_BOOKS(rig, "125 75 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_delete(rig);
}

static void a_release_the_host_does_not_see_is_disputed(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig->vms[1].devices[MEMORY].excess = 15;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 25);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (5) removed 10MiB, now 90MiB\n"
                      "[    1.000] vm0 (6) reassign 10MiB from vm1, now 110MiB\n"
                      "[    1.000] vm1 (5) disputed 15MiB, charged 90MiB: said to be released, but "
                      "the host still sees it\n"
                      "[    1.000] vm0 (7) notify of 10MiB, now 110MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 10MiB, holds 110MiB\n");
    EXPECT_BOOKS(rig, "110 90 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 15);
    assert_int_equal(rig_counters(rig).disputes, 1);
    /* The process lets go later: the next answer settles it. */
    rig->vms[1].devices[MEMORY].excess = 0;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 5);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[    1.000] vm1 (5) removed 20MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm1, now 130MiB\n"
                      "[    1.000] vm0 (7) notify of 20MiB, now 130MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 130MiB\n");
    EXPECT_BOOKS(rig, "130 70 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void a_witness_within_tolerance_confirms(void **state)
{
    struct rig *rig = asked(4);

    (void)state;
    rig->vms[1].devices[MEMORY].excess = 4;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    EXPECT_BOOKS(rig, "120 80 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig->vms[1].devices[MEMORY].excess = 5;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    EXPECT_BOOKS(rig, "129 71 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 1);
    rig_delete(rig);
}

/* A tolerance is room for what a process holds beside its guest's memory, not a gift. */
static void tolerance_does_not_add_to_a_claim(void **state)
{
    struct rig *rig = asked(30);

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void without_a_witness_nothing_is_believed(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig->vms[1].devices[MEMORY].valid = VMRES_VALID_HELD;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 (5) disputed 50MiB, charged 100MiB: said to be released, but "
                 "the host still sees it\n"
                 "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 50);
    /* The host finds a way to look, and what was in dispute is free. */
    rig->vms[1].devices[MEMORY].valid |= VMRES_VALID_WITNESS;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "100 50 + 50");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_delete(rig);
}

/* Nobody says again what was heard while it could not be booked. */
static void what_was_seen_while_it_grew_settles_a_dispute(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig->vms[1].devices[MEMORY].excess = 15;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "135 65 + 0");
    rig_withhold(rig, 1, RIG_NOTIFY);
    rig_wish(rig, 0, 125);
    rig_wish(rig, 1, 60);
    rig_round(rig);
    rig->vms[1].devices[MEMORY].excess = 0;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "125 75 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 15);
    rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 10, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_wish_nothing(rig);
    rig_round(rig);
    EXPECT_BOOKS(rig, "125 60 + 15");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_delete(rig);
}

static void a_cap_needs_no_witness(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig->vms[1].devices[MEMORY].valid = VMRES_VALID_HELD | VMRES_VALID_ENFORCED;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void what_the_host_removes_needs_no_witness(void **state)
{
    struct rig *rig = rig_prepare(200, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig->vms[1].devices[CPU].valid = 0;
    rig->wishes[CPU][0] = 130;
    rig->wishes[CPU][1] = 70;
    rig_round(rig);
    assert_int_equal(rig_charge(rig, 0, CPU), 130);
    assert_int_equal(rig_charge(rig, 1, CPU), 70);
    rig_delete(rig);
}

/* The device says 50 fewer, the process still has them: it lies, or it is slow. */
static void a_lie_moves_nothing(void **state)
{
    struct rig *rig = asked(0);
    struct rig_command *command = rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);
    struct vmres_event lie = rig_answer(rig, command, 50);

    (void)state;
    lie.as.answer.held = 50 * VMRES_MIB;
    lie.flags = VMRES_FLAG_FINAL;
    rig_told(rig, lie);
    rig_pump(rig);
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 (5) disputed 50MiB, charged 100MiB: said to be released, but "
                 "the host still sees it\n"
                 "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_delete(rig);
}

static void done_means_that_the_target_is_reached(void **state)
{
    struct rig *rig = asked(0);
    struct vmres_event done;

    (void)state;
    rig->vms[1].devices[MEMORY].held = 50;
    done = rig_answer(rig, rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL), 10);
    done.flags = VMRES_FLAG_FINAL;
    rig_told(rig, done);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void an_unmet_request_is_pinned_and_left_alone(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_PARTIAL);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_PIN), 1);
    for (uint32_t i = 0; i < rig->sent_count; i++)
        if (rig->sent[i].type == VMRES_ACTION_PIN)
            assert_int_equal(rig->sent[i].as.resize.target, 70 * VMRES_MIB);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_withhold(rig, 1, 0);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    /* progress_ms long, then it is asked again */
    rig_until(rig, 5999);
    EXPECT_BOOKS(rig, "130 70 + 0");
    assert_true(rig->seen[MEMORY][1].flags & VMRES_VIEW_UNCOOPERATIVE);
    assert_false(rig->seen[MEMORY][1].flags & VMRES_VIEW_DONOR);
    rig_until(rig, 6000);
    EXPECT_BOOKS(rig, "150 50 + 0");
    assert_false(rig->seen[MEMORY][1].flags & VMRES_VIEW_UNCOOPERATIVE);
    rig_delete(rig);
}

/* Longer each time, up to 64 times as long; one success forgives all. */
static void whoever_refuses_again_is_left_alone_for_longer(void **state)
{
    static const uint64_t asks[] = {1000,   6000,   16000,  36000, 76000,
                                    156000, 316000, 636000, 956000};
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    for (uint32_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        rig_until(rig, asks[i] - 1);
        assert_false(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
        rig_until(rig, asks[i]);
        rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
        rig_forget_trace(rig);
    }
    rig_withhold(rig, 1, 0);
    rig_until(rig, 1276000);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 160);
    rig_wish(rig, 1, 40);
    rig_round(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_until(rig, 1282000);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_delete(rig);
}

/* The plan changes while the donor is at work: a new target, and the old command's end. */
static void a_newer_target_takes_over(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_wish(rig, 0, 170);
    rig_wish(rig, 1, 30);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] vm0 (3) gets 20MiB from vm1: wished\n"
                      "[    2.000] vm1 (4) remove 60MiB, down to 30MiB: wished\n");
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 60, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_forget_trace(rig);
    EXPECT_BOOKS(rig, "170 30 + 0");
    assert_int_equal(rig_transfers(rig), 0);
    rig_delete(rig);
}

/* It was on its way when the newer command reached it: the older's end tells of more. */
static void what_the_older_command_still_yields_counts_once(void **state)
{
    struct rig *rig = asked(0);
    struct rig_command older;

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    older = *rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);
    rig_wish(rig, 0, 170);
    rig_wish(rig, 1, 30);
    rig_round(rig);
    rig_finish_older(rig, &older, 20);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "120 80 + 0");
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "170 30 + 0");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    assert_int_equal(rig_counters(rig).disputes, 0);
    rig_delete(rig);
}

/* As above, with a cap: then it is the books alone that keep the charge above the target. */
static void nothing_is_believed_beyond_the_target(void **state)
{
    struct rig *rig = asked(0);
    struct rig_command older;

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    rig->vms[1].devices[MEMORY].valid = VMRES_VALID_HELD | VMRES_VALID_ENFORCED;
    older = *rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);
    rig_wish(rig, 0, 170);
    rig_wish(rig, 1, 30);
    rig_round(rig);
    rig_finish_older(rig, &older, 20);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "170 30 + 0");
    rig_delete(rig);
}

/* It had gone further down before a newer command called it back up: that one's end comes first,
 * and what the older says then is not true any more, nor when it grows meanwhile. */
static void what_the_older_command_says_last_is_no_news(void **state)
{
    struct rig *rig = asked(0);
    struct rig_command older;
    struct vmres_event end;

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    older = *rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);
    rig->vms[1].devices[MEMORY].held -= 50;
    end = rig_answer(rig, &older, 50);
    end.flags = VMRES_FLAG_FINAL;
    end.result = VMRES_RESULT_SUPERSEDED;
    rig_wish(rig, 0, 110);
    rig_wish(rig, 1, 90);
    rig_round(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "110 90 + 0");
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig);
    EXPECT_BOOKS(rig, "60 140 + 0"); /* to be told when the older one is through */
    end.time_ms = rig->now;
    rig_told(rig, end);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "60 140 + 0");
    assert_int_equal(rig_transfers(rig), 0);
    rig_delete(rig);
}

/* It holds less than it was told to, and may go back to that: who refuses was not told of less. */
static void a_refusal_leaves_it_with_what_it_was_told_before(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_PIN);
    rig->vms[1].devices[MEMORY].excess = 10;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 10);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig->vms[1].devices[MEMORY].excess = 0;
    rig->vms[1].devices[MEMORY].held = 60;
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_delete(rig);
}

static void the_donor_stays_above_its_floor_whatever_is_disputed(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 40, 300, 100);
    rig_add(rig, 1, 0, 300, 100);
    rig_add(rig, 2, 0, 300, 100);
    rig_boot(rig);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig);
    rig->vms[0].devices[MEMORY].excess = 30;
    rig_progress(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 30);
    assert_int_equal(rig_disputed(rig, 0, MEMORY), 30);
    rig_wish(rig, 0, 50);
    rig_wish(rig, 2, 110);
    rig_round(rig);
    /* 40 for vm1, of which it says that 30 are gone, and 10 for vm2: down to 50. */
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.target,
                     50 * VMRES_MIB);
    rig_delete(rig);
}

/* Most of a VM is in dispute when the plan changes, and again when it is given up. */
static void a_dispute_goes_from_command_to_command(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_wish(rig, 0, 190);
    rig_wish(rig, 1, 10);
    rig_round(rig);
    rig->vms[1].devices[MEMORY].excess = 80;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 80);
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    rig_wish(rig, 0, 195);
    rig_wish(rig, 1, 5);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 + 0");
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.target,
                     5 * VMRES_MIB);
    rig->vms[1].devices[MEMORY].excess = 0;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 15, VMRES_RESULT_DONE);
    rig_pump(rig);
    /* 15 of what is proved are its own; those of the older one's come with that one's end, and by
     * then nobody waits for them. */
    EXPECT_BOOKS(rig, "115 85 + 0");
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_SUPERSEDED);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "115 5 + 80");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_delete(rig);
}

static void an_old_dispute_does_not_take_it_below_its_floor(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_add(rig, 0, 40, 200, 100);
    rig_add(rig, 1, 0, 200, 100);
    rig_boot(rig);
    rig->vms[0].devices[MEMORY].excess = 40;
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig); /* says that it removed 40, of which nothing is seen */
    assert_int_equal(rig_disputed(rig, 0, MEMORY), 40);
    EXPECT_BOOKS(rig, "100 100 + 0");
    for (uint32_t round = 0; round < 10; round++) {
        rig_round(rig);
        assert_true(rig->vms[0].devices[MEMORY].held >= 40);
    }
    rig_delete(rig);
}

/* What was planned waits for a pin; by then its floor has come up. */
static void a_floor_that_came_up_is_kept(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_REMOVAL | RIG_PIN);
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig);
    rig_wish_nothing(rig);
    rig_round(rig); /* called off, and pinned */
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 80 * VMRES_MIB, 300 * VMRES_MIB));
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.target,
                     80 * VMRES_MIB);
    rig_delete(rig);
}

/* It says that 30 of 50 are gone; then its floor is raised, and 10 are wanted. */
static void what_is_in_dispute_is_not_asked_for_below_its_floor(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 50);
    rig_wish(rig, 1, 150);
    rig_round(rig);
    rig->vms[0].devices[MEMORY].excess = 30;
    rig_progress(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 30);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 80 * VMRES_MIB, 300 * VMRES_MIB));
    rig_wish(rig, 0, 90);
    rig_round(rig);
    /* Not down to 70: it is called off. */
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL));
    assert_int_equal(rig_charge(rig, 0, MEMORY), 100);
    rig_delete(rig);
}

/* A deficit is worked off by all; but of one whose device's maximum is cut to 100 while it comes
 * down from 150 all goes at once that it cannot hold any more. */
static void what_it_cannot_hold_goes_at_once(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 2, 150);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 160);
    rig_round(rig);
    rig->vms[0].devices[MEMORY].held = 100;
    event = rig_observed(rig, 0, MEMORY);
    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = 100 * VMRES_MIB;
    rig_told(rig, event);
    event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);
    event.as.capacity.capacity = 280 * VMRES_MIB;
    rig_told(rig, event);
    rig_round(rig);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.target,
                     100 * VMRES_MIB);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "100 150 + 30");
    rig_delete(rig);
}

static void grow_host(struct rig *rig, uint32_t size)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);

    event.as.capacity.capacity = size * VMRES_MIB;
    rig_told(rig, event);
    rig_round(rig);
}

/* It says that 40 are gone, and gets back to its floor step by step; then it has them openly. */
static void to_grow_is_not_to_shrink_below_its_floor(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->vms[0].devices[MEMORY].excess = 40;
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 140);
    rig_round(rig);
    assert_int_equal(rig_disputed(rig, 0, MEMORY), 40);
    rig_wish_nothing(rig);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 80 * VMRES_MIB, 300 * VMRES_MIB));
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_withhold(rig, 1, RIG_REMOVAL);
    grow_host(rig, 210);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_NOTIFY)->action.as.resize.target,
                     70 * VMRES_MIB);
    rig->vms[0].devices[MEMORY].held = 100;
    rig->vms[0].devices[MEMORY].excess = 0;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    grow_host(rig, 215);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_NOTIFY)->action.as.resize.target,
                     80 * VMRES_MIB);
    rig_delete(rig);
}

/* Another controller lets the device grow again; the end of the removal is heard after that. */
static void what_was_told_to_come_back_is_not_gone(void **state)
{
    struct rig *rig = asked(0);
    struct vmres_event event;

    (void)state;
    event = rig_observed(rig, 1, MEMORY);
    event.valid |= VMRES_VALID_TARGET;
    event.as.observed.target = 90 * VMRES_MIB;
    rig_told(rig, event);
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_PIN);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 50 + 50");
    rig_delete(rig);
}

/* The same was seen before the request arrived there. */
static void where_it_aimed_before_tells_nothing(void **state)
{
    struct rig *rig = asked(0);
    struct vmres_event event;

    (void)state;
    event = rig_observed(rig, 1, MEMORY);
    event.valid |= VMRES_VALID_TARGET;
    event.as.observed.target = 100 * VMRES_MIB;
    rig_told(rig, event);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void after_a_removal_the_books_stay_as_they_are(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_TRACE(rig, "");
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void an_observation_in_the_middle_changes_nothing(void **state)
{
    struct rig *rig = asked(0);

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_TRACE(rig, "");
    EXPECT_BOOKS(rig, "120 80 + 0");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_the_host_sees_is_believed),
        cmocka_unit_test(a_release_the_host_does_not_see_is_disputed),
        cmocka_unit_test(a_witness_within_tolerance_confirms),
        cmocka_unit_test(tolerance_does_not_add_to_a_claim),
        cmocka_unit_test(without_a_witness_nothing_is_believed),
        cmocka_unit_test(what_was_seen_while_it_grew_settles_a_dispute),
        cmocka_unit_test(a_cap_needs_no_witness),
        cmocka_unit_test(what_the_host_removes_needs_no_witness),
        cmocka_unit_test(a_lie_moves_nothing),
        cmocka_unit_test(done_means_that_the_target_is_reached),
        cmocka_unit_test(an_unmet_request_is_pinned_and_left_alone),
        cmocka_unit_test(whoever_refuses_again_is_left_alone_for_longer),
        cmocka_unit_test(a_newer_target_takes_over),
        cmocka_unit_test(what_the_older_command_still_yields_counts_once),
        cmocka_unit_test(nothing_is_believed_beyond_the_target),
        cmocka_unit_test(what_the_older_command_says_last_is_no_news),
        cmocka_unit_test(a_refusal_leaves_it_with_what_it_was_told_before),
        cmocka_unit_test(the_donor_stays_above_its_floor_whatever_is_disputed),
        cmocka_unit_test(a_dispute_goes_from_command_to_command),
        cmocka_unit_test(an_old_dispute_does_not_take_it_below_its_floor),
        cmocka_unit_test(a_floor_that_came_up_is_kept),
        cmocka_unit_test(what_is_in_dispute_is_not_asked_for_below_its_floor),
        cmocka_unit_test(what_it_cannot_hold_goes_at_once),
        cmocka_unit_test(to_grow_is_not_to_shrink_below_its_floor),
        cmocka_unit_test(what_was_told_to_come_back_is_not_gone),
        cmocka_unit_test(where_it_aimed_before_tells_nothing),
        cmocka_unit_test(after_a_removal_the_books_stay_as_they_are),
        cmocka_unit_test(an_observation_in_the_middle_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
