/* SPDX-License-Identifier: MIT */
/*
 * Chains on a contiguous host that do not go as planned: a donor, a link or a recipient vanishes,
 * refuses, gives a part. Whatever happens no VM falls below what it was to keep, no blocks overlap
 * (the rig audits each step), everything comes to an end, and what can be had is had later.
 */
#include "support/rig_row.h"

/* vm0 is to have 40 more, vm3 gives them, vm1 and vm2 pass them on; vm3 answers when told to. */
static struct rig *chain(void)
{
    struct rig *rig = row_new(400);

    rig_fleet(rig, 4, 100);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 3, 60);
    rig_withhold(rig, 3, RIG_REMOVAL);
    rig_round(rig);
    assert_int_equal(rig_transfers(rig), 3);
    return rig;
}

static void settles(struct rig *rig)
{
    rig_wish_nothing(rig);
    rig_until(rig, rig->now + 60000);
    assert_true(vmres_engine_settled(rig->engine));
}

static void a_donor_that_gives_a_part_takes_nothing_from_links(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 15, VMRES_RESULT_PARTIAL);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,115) 1:[115,215) 2:[215,315) 3:[315,400)");
    assert_int_equal(rig_transfers(rig), 0); /* nobody waits for what cannot come */
    settles(rig);
    rig_delete(rig);
}

static void a_donor_that_refuses_takes_nothing_from_links(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200) 2:[200,300) 3:[300,400)");
    assert_int_equal(rig_transfers(rig), 0);
    settles(rig);
    rig_delete(rig);
}

static void a_donor_that_vanishes_leaves_a_hole_to_be_used(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_gone(rig, 3);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,110) 1:[110,210) 2:[210,310)");
    assert_int_equal(rig_transfers(rig), 0);
    rig_round(rig);
    EXPECT_ROW(rig, "0:[0,140) 1:[140,240) 2:[240,340)");
    settles(rig);
    rig_delete(rig);
}

static void a_link_that_vanishes_leaves_a_hole_to_be_used(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 40, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,240) 2:[240,340) 3:[340,400)");
    rig_gone(rig, 1);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 2:[240,340) 3:[340,400)");
    rig_round(rig);
    EXPECT_ROW(rig, "0:[0,140) 2:[240,340) 3:[340,400)");
    settles(rig);
    rig_delete(rig);
}

/* What came to a link that then refuses to pass it on stays with it. */
static void a_link_that_refuses_is_a_wall_for_a_while(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 4, VMRES_RESULT_PARTIAL);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,104) 1:[104,210) 2:[210,310) 3:[310,400)");
    rig_withhold(rig, 1, 0);
    rig_withhold(rig, 3, 0);
    rig_round(rig); /* a wall: what is behind it is called off */
    assert_int_equal(rig_charge(rig, 0, MEMORY), 104);
    rig_until(rig, rig->now + 10000);
    EXPECT_BOOKS(rig, "134 106 100 60 + 0");
    settles(rig);
    rig_delete(rig);
}

static void a_link_passes_on_what_it_took_in(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_withhold(rig, 2, RIG_NOTIFY);
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 40, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200) 2:[200,340) 3:[340,400)");
    rig_finish(rig, 2, VMRES_ACTION_NOTIFY, 10, VMRES_RESULT_REFUSED);
    rig_pump(rig); /* pinned; it passes on what it took in; the rest leaves a hole where it lay */
    EXPECT_ROW(rig, "0:[0,110) 1:[110,210) 2:[210,310) 3:[340,400)");
    assert_int_equal(rig_transfers(rig), 0);
    settles(rig);
    rig_delete(rig);
}

/* Else the pieces of two grants would be taken for one, and the block for what it is not. */
static void whoever_missed_a_grant_gets_no_other_before_it_is_pinned(void **state)
{
    struct rig *rig = row_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_gone(rig, 0);
    rig_withhold(rig, 1, RIG_REASSIGN | RIG_PIN | RIG_CANCEL);
    rig_wish(rig, 1, 110);
    rig_round(rig);
    rig_until(rig, 9000); /* it was given up, and called off in vain */
    rig_finish(rig, 1, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_wish(rig, 1, 120);
    rig_until(rig, 12000);
    EXPECT_ROW(rig, "1:[90,200) 2:[200,300)");
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "1:[100,200) 2:[200,300)");
    rig_withhold(rig, 1, 0);
    rig_round(rig);
    EXPECT_ROW(rig, "1:[80,200) 2:[200,300)");
    rig_delete(rig);
}

/* Nobody could say where that lies which a witness sees and the device does not. */
static void what_a_witness_sees_is_in_no_block(void **state)
{
    struct rig *rig = row_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_NOTIFY);
    rig_wish(rig, 1, 150);
    rig_round(rig);
    rig_wish_nothing(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,250)");
    rig->vms[1].devices[MEMORY].excess = 30;
    rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200)");
    assert_int_equal(rig_disputed(rig, 1, MEMORY), 0);
    rig_delete(rig);
}

/* A policy that hands out what is free must not find it gone while it is on its way. */
static void what_is_on_its_way_is_still_to_be_had(void **state)
{
    struct rig *rig = row_new(210);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 110);
    rig_round(rig);
    assert_int_equal(rig->round.free, 10);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,210)");
    rig_round(rig);
    assert_int_equal(rig->round.free, 10);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_round(rig);
    assert_int_equal(rig->round.free, 0);
    EXPECT_ROW(rig, "0:[0,110) 1:[110,210)");
    rig_delete(rig);
}

/* Pieces on both sides: the front is taken in first, so what is missing lies at the final side. */
static void what_was_not_taken_in_is_given_back_where_it_lies(void **state)
{
    struct rig *rig = row_new(300);
    const struct rig_command *told;

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_wish(rig, 0, 80);
    rig_wish(rig, 1, 140);
    rig_wish(rig, 2, 80);
    rig_withhold(rig, 1, RIG_NOTIFY | RIG_REASSIGN | RIG_PIN);
    rig_round(rig);
    rig_finish(rig, 1, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    if (rig_is_open(rig, 1, VMRES_ACTION_NOTIFY)) /* the first piece; the other follows */
        rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 20, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,80) 1:[80,220) 2:[220,300)");
    rig_finish(rig, 1, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    told = rig_open(rig, 1, VMRES_ACTION_NOTIFY);
    assert_int_equal(told->action.as.resize.front, 80 * VMRES_MIB);
    assert_int_equal(told->action.as.resize.target, 140 * VMRES_MIB);
    rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 5, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_PIN)->action.as.resize.target, 125 * VMRES_MIB);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    assert_int_equal(rig_charge(rig, 1, MEMORY), 125);
    settles(rig);
    rig_delete(rig);
}

/* It goes on taking in while it is told to stay where it was: pinned once more, it is known where
 * it lies. */
static void one_that_moved_on_is_pinned_again(void **state)
{
    struct rig *rig = row_new(300);

    (void)state;
    rig_fleet(rig, 3, 80);
    rig_gone(rig, 0);
    rig_wish(rig, 1, 120);
    rig_withhold(rig, 1, RIG_NOTIFY | RIG_PIN);
    rig_round(rig);
    EXPECT_ROW(rig, "1:[40,160) 2:[160,240)");
    rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 25, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_PIN)->action.as.resize.target, 105 * VMRES_MIB);
    rig->vms[1].devices[MEMORY].held = 120;
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_PIN)->action.as.resize.target, 120 * VMRES_MIB);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "1:[40,160) 2:[160,240)");
    settles(rig);
    rig_delete(rig);
}

/* Nothing is known of what it has before it was seen: until then it neither gets nor gives. */
static void one_that_refuses_even_to_stay_is_left_alone(void **state)
{
    struct rig *rig = row_new(300);

    (void)state;
    rig_fleet(rig, 3, 80);
    rig_gone(rig, 0);
    rig_wish(rig, 1, 120);
    rig_withhold(rig, 1, RIG_REASSIGN | RIG_PIN);
    rig_round(rig);
    rig_finish(rig, 1, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig_wish(rig, 2, 90);
    rig_until(rig, rig->now + 20000); /* it is asked to stay again, and gets nothing meanwhile */
    EXPECT_ROW(rig, "1:[40,160) 2:[160,250)");
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "1:[80,160) 2:[160,250)");
    rig_withhold(rig, 1, 0);
    rig_round(rig);
    EXPECT_ROW(rig, "1:[40,160) 2:[160,250)");
    settles(rig);
    rig_delete(rig);
}

/* A link that is pinned has let go more than it said, and was to be told of more: what it was not
 * told of goes back, and what it let go unheard is still its own. */
static void one_that_is_pinned_is_granted_nothing_meanwhile(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_withhold(rig, 2, RIG_REMOVAL | RIG_PIN);
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200) 2:[200,320) 3:[320,400)");
    rig->vms[2].devices[MEMORY].held -= 2;
    rig_finish(rig, 2, VMRES_ACTION_REQUEST_REMOVAL, 4, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    rig_finish(rig, 2, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,104) 1:[104,204) 2:[204,310) 3:[320,400)");
    rig_delete(rig);
}

static void limit_device(struct rig *rig, uint32_t vm, uint32_t most)
{
    struct vmres_event event = rig_observed(rig, vm, MEMORY);

    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = most * VMRES_MIB;
    rig_told(rig, event);
}

/* A link that gave what its device could not hold any more passes another piece on; then its device
 * can, and its floor is where it was. */
static void what_a_link_misses_to_its_floor_it_keeps(void **state)
{
    struct rig *rig = row_new(400);

    (void)state;
    rig_fleet(rig, 4, 100);
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 90 * VMRES_MIB, 300 * VMRES_MIB));
    limit_device(rig, 1, 80);
    rig_wish(rig, 0, 130);
    rig_wish(rig, 2, 90);
    rig_withhold(rig, 2, RIG_REMOVAL);
    rig_round(rig);
    EXPECT_ROW(rig, "0:[0,120) 1:[120,200) 2:[200,300) 3:[300,400)");
    limit_device(rig, 1, 300);
    rig_finish(rig, 2, VMRES_ACTION_REQUEST_REMOVAL, 6, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,120) 1:[120,206) 2:[206,300) 3:[300,400)");
    rig_withhold(rig, 2, 0);
    settles(rig);
    rig_delete(rig);
}

/* The same, while a piece lies in it that is to be passed on. */
static void what_lies_in_a_link_fills_its_floor(void **state)
{
    struct rig *rig = row_new(400);

    (void)state;
    rig_fleet(rig, 4, 100);
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 90 * VMRES_MIB, 300 * VMRES_MIB));
    limit_device(rig, 1, 80);
    rig_wish(rig, 0, 120);
    for (uint32_t round = 0; round < 2; round++)
        rig_round(rig);
    EXPECT_ROW(rig, "0:[0,120) 1:[120,200) 2:[200,300) 3:[300,400)");
    rig_wish(rig, 0, 130);
    rig_wish(rig, 2, 90);
    rig_withhold(rig, 1, RIG_NOTIFY);
    rig_round(rig);
    EXPECT_ROW(rig, "0:[0,120) 1:[120,206) 2:[206,300) 3:[300,400)");
    limit_device(rig, 1, 300);
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 6, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,120) 1:[120,206) 2:[206,300) 3:[300,400)");
    settles(rig);
    rig_delete(rig);
}

/* What lay in a link on its way when it was frozen is its own when it is back. */
static void what_a_link_comes_back_with_is_its_own(void **state)
{
    struct rig *rig = chain();
    uint32_t judged;

    (void)state;
    rig_withhold(rig, 2, RIG_REMOVAL);
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 2));
    rig_pump(rig);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 2));
    rig_pump(rig);
    EXPECT_STATE(rig, 2, VMRES_VM_LIVE);
    judged = rig->judged[MEMORY];
    rig_wish_nothing(rig);
    rig_round(rig);
    assert_int_equal(rig->judged[MEMORY], judged + 1);
    assert_int_equal(rig->seen[MEMORY][2].charge, 110);
    rig_delete(rig);
}

/* What it keeps is outside of its block: the host's bounds hold, whatever a guest says. */
static void a_donor_that_says_done_has_left(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig->lying = true;
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,140) 1:[140,240) 2:[240,340) 3:[340,400)");
    rig_delete(rig);
}

static void a_recipient_that_vanishes_leaves_links_as_they_were(void **state)
{
    struct rig *rig = chain();

    (void)state;
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_gone(rig, 0);
    rig_finish(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    settles(rig);
    EXPECT_ROW(rig, "1:[110,240) 2:[240,340) 3:[340,400)");
    rig_delete(rig);
}

static void a_transfer_called_off_stops_what_follows_it(void **state)
{
    struct rig *rig = chain();
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CANCEL, 0);
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    (void)state;
    while (vmres_engine_next_transfer(rig->engine, &cursor, &info))
        if (info.donor == 3)
            event.id = info.id;
    rig_told(rig, event);
    assert_int_equal(rig_transfers(rig), 0);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200) 2:[200,300) 3:[300,400)");
    settles(rig);
    rig_delete(rig);
}

/* While a VM that was there before is pinned nothing is granted: what arrives is a hole then. */
static void what_a_link_is_not_given_it_does_not_pass_on(void **state)
{
    struct rig *rig = row_new(405);

    (void)state;
    for (uint32_t vm = 0; vm < 5; vm++)
        rig_add(rig, vm, 0, 405, vm == 2 ? 5 : 100);
    rig_boot(rig);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 3, 60);
    rig_withhold(rig, 3, RIG_REMOVAL);
    rig_round(rig);
    rig_withhold(rig, 4, RIG_PIN);
    rig->vms[4].incarnation++;
    rig_told(rig, rig_observed(rig, 4, MEMORY));
    rig_live(rig, 4);
    rig_pump(rig);
    rig_progress(rig, 3, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    EXPECT_ROW(rig, "0:[0,100) 1:[100,200) 2:[200,205) 3:[215,305) 4:[305,405)");
    rig_delete(rig);
}

/* It takes in a piece of the hole beside it at a time. What is on its way through it when the next
 * plan is made is not forgotten for the hole. */
static void a_full_link_passes_a_hole_on_by_pieces(void **state)
{
    struct rig *rig = row_new(640);

    (void)state;
    rig_add(rig, 0, 0, 300, 100);
    rig_add(rig, 1, 0, 100, 100);
    rig_boot(rig);
    rig_wish(rig, 0, 130);
    for (uint32_t piece = 1; piece <= 3; piece++) {
        rig_withhold(rig, 1, RIG_NOTIFY);
        rig_round(rig);
        rig_round(rig);
        rig_withhold(rig, 1, 0);
        rig_finish(rig, 1, VMRES_ACTION_NOTIFY, 10, VMRES_RESULT_DONE);
        rig_pump(rig);
        assert_int_equal(rig_charge(rig, 0, MEMORY), 100 + 10 * piece);
    }
    EXPECT_ROW(rig, "0:[0,130) 1:[130,230)");
    settles(rig);
    rig_delete(rig);
}

/* What could not be sent was not told. */
static void a_full_outbox_tells_nobody_where_a_piece_lies(void **state)
{
    struct rig *rig = rig_prepare(400, 1, true);

    (void)state;
    rig->resources[MEMORY].placement = VMRES_PLACEMENT_EXTENT;
    rig->options.max_actions = 1;
    rig_start(rig);
    rig_fleet(rig, 3, 50);
    rig_gone(rig, 1);
    rig_wish(rig, 0, 60);
    rig_wish(rig, 2, 70);
    rig_round(rig);
    assert_true(rig->more > 0);
    EXPECT_ROW(rig, "0:[0,60) 2:[80,150)");
    settles(rig);
    rig_delete(rig);
}

/* --- anything --- */

static const enum vmres_action_type resizes[] = {
    VMRES_ACTION_REQUEST_REMOVAL, VMRES_ACTION_REASSIGN, VMRES_ACTION_NOTIFY, VMRES_ACTION_PIN};

static uint32_t distance(const struct rig *rig, const struct rig_command *command)
{
    uint32_t held = rig->vms[command->action.vm].devices[MEMORY].held;
    uint32_t target = (uint32_t)(command->action.as.resize.target / VMRES_MIB);

    if (command->action.type == VMRES_ACTION_REQUEST_REMOVAL)
        return held > target ? held - target : 0;
    if (command->action.type == VMRES_ACTION_NOTIFY)
        return target > held ? target - held : 0;
    return 0;
}

/* A command that waits is answered: further, or at an end, good or bad. */
static void answer_one(struct rig *rig, uint32_t *seed)
{
    struct rig_command *command;
    enum vmres_action_type type;
    uint32_t way, vm;

    if (rig->open_count == 0)
        return;
    command = &rig->open[row_random(seed, rig->open_count)];
    type = (enum vmres_action_type)command->action.type;
    vm = command->action.vm;
    if (command != rig_open(rig, vm, type))
        return; /* the older of two */
    way = distance(rig, command);
    if (way > 0 && row_random(seed, 2) == 0)
        rig_progress(rig, vm, type, 1 + row_random(seed, way));
    else if (row_random(seed, 3) > 0)
        rig_finish(rig, vm, type, way, VMRES_RESULT_DONE);
    else
        rig_finish(rig, vm, type, way > 0 ? row_random(seed, way) : 0, VMRES_RESULT_REFUSED);
}

static void come_or_go(struct rig *rig, uint32_t vm, uint32_t *seed)
{
    if (rig->vms[vm].present) {
        rig_gone(rig, vm);
        return;
    }
    rig_add(rig, vm, 10, 40 + row_random(seed, 100), 10 + row_random(seed, 60));
    if (rig_tell(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0)) != VMRES_OK)
        rig_gone(rig, vm);
    rig_pump(rig);
    if (rig->vms[vm].present)
        rig_live(rig, vm);
}

static void change_something(struct rig *rig, uint32_t *seed)
{
    uint32_t vm = row_random(seed, 8);

    switch (row_random(seed, 8)) {
    case 0:
        if (row_random(seed, 6) == 0)
            come_or_go(rig, vm, seed);
        break;
    case 1:
        rig_withhold(rig, vm, row_random(seed, 2) ? 0 : RIG_BIT(resizes[row_random(seed, 4)]));
        break;
    case 2:
    case 3:
        rig_wish(rig, vm, 10 + row_random(seed, 120));
        break;
    case 4:
        rig_until(rig, rig->now + row_random(seed, 1500));
        break;
    default:
        answer_one(rig, seed);
    }
    rig_pump(rig);
}

/* From here on everybody obeys. */
static void come_to_rest(struct rig *rig)
{
    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        rig_withhold(rig, vm, 0);
    while (rig->open_count > 0) {
        const struct rig_command command = rig->open[rig->open_count - 1];

        rig_finish(rig, command.action.vm, (enum vmres_action_type)command.action.type,
                   distance(rig, &command), VMRES_RESULT_DONE);
        rig_pump(rig);
    }
    settles(rig);
}

static void whatever_happens_comes_to_rest(void **state)
{
    uint32_t moved = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct rig *rig = rig_prepare(500, 1, true);
        uint32_t dice = seed;

        rig->resources[MEMORY].placement = VMRES_PLACEMENT_EXTENT;
        rig->options.tracer.function = NULL; /* it would be a long story */
        rig_start(rig);
        for (uint32_t vm = 0; vm < 8; vm++)
            rig_add(rig, vm, 10, 40 + row_random(&dice, 100), 20 + row_random(&dice, 40));
        rig_boot(rig);
        for (uint32_t turn = 0; turn < 300; turn++) {
            change_something(rig, &dice);
        }
        come_to_rest(rig);
        moved += (uint32_t)rig_counters(rig).transfers_done;
        rig_delete(rig);
    }
    assert_true(moved > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_donor_that_gives_a_part_takes_nothing_from_links),
        cmocka_unit_test(a_donor_that_refuses_takes_nothing_from_links),
        cmocka_unit_test(a_donor_that_vanishes_leaves_a_hole_to_be_used),
        cmocka_unit_test(a_link_that_vanishes_leaves_a_hole_to_be_used),
        cmocka_unit_test(a_link_that_refuses_is_a_wall_for_a_while),
        cmocka_unit_test(a_link_passes_on_what_it_took_in),
        cmocka_unit_test(whoever_missed_a_grant_gets_no_other_before_it_is_pinned),
        cmocka_unit_test(what_a_witness_sees_is_in_no_block),
        cmocka_unit_test(what_is_on_its_way_is_still_to_be_had),
        cmocka_unit_test(what_was_not_taken_in_is_given_back_where_it_lies),
        cmocka_unit_test(one_that_moved_on_is_pinned_again),
        cmocka_unit_test(one_that_refuses_even_to_stay_is_left_alone),
        cmocka_unit_test(one_that_is_pinned_is_granted_nothing_meanwhile),
        cmocka_unit_test(what_a_link_misses_to_its_floor_it_keeps),
        cmocka_unit_test(what_lies_in_a_link_fills_its_floor),
        cmocka_unit_test(what_a_link_comes_back_with_is_its_own),
        cmocka_unit_test(a_donor_that_says_done_has_left),
        cmocka_unit_test(a_recipient_that_vanishes_leaves_links_as_they_were),
        cmocka_unit_test(a_transfer_called_off_stops_what_follows_it),
        cmocka_unit_test(what_a_link_is_not_given_it_does_not_pass_on),
        cmocka_unit_test(a_full_link_passes_a_hole_on_by_pieces),
        cmocka_unit_test(a_full_outbox_tells_nobody_where_a_piece_lies),
        cmocka_unit_test(whatever_happens_comes_to_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
