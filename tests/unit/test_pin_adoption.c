/* SPDX-License-Identifier: MIT */
/* VMs that ran before us: charged with the most, pinned twice, and nothing is granted meanwhile. */
#include "support/rig_row.h"

/* vm0 is an ordinary VM of 100 on a host of 400; vm1 is found holding 80, of at most 200. */
static struct rig *found(uint32_t withheld)
{
    struct rig *rig = rig_new(400);
    struct vmres_event event;

    rig_fleet(rig, 1, 100);
    rig->vms[1] = (struct rig_vm){.incarnation = 1, .withheld = withheld};
    rig->vms[1].devices[MEMORY] =
        (struct rig_device){.held = 80, .valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS};
    event = rig_event(rig, VMRES_EVENT_VM_ADDED, 1);
    event.flags = VMRES_FLAG_ADOPTED;
    event.as.added.tag = 4711;
    rig_told(rig, event);
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 0, 200 * VMRES_MIB));
    rig->vms[1].present = true;
    return rig;
}

static void adopt(struct rig *rig)
{
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1));
}

static void it_is_charged_with_the_most_until_it_is_pinned_twice(void **state)
{
    struct rig *rig = found(RIG_PIN);
    struct vmres_vm_info info;

    (void)state;
    EXPECT_BOOKS(rig, "100 200 + 100");
    adopt(rig);
    EXPECT_TRACE(rig,
                 "[    0.000] vm1 booting\n"
                 "[    0.000] vm1 books 200MiB, now 200MiB: charged with the most it could hold\n"
                 "[    0.000] vm1 adopting\n");
    EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_PIN)->action.as.resize.target, 80 * VMRES_MIB);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 200 + 100");
    EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 80 + 220");
    EXPECT_TRACE(rig, "[    0.000] vm1 live\n");
    EXPECT_OK(vmres_engine_vm(rig->engine, 1, &info));
    assert_int_equal(info.state, VMRES_VM_LIVE);
    assert_int_equal(info.tag, 4711);
    rig_delete(rig);
}

/* Somebody else commands the device, too: that the pin is done is old news by then. */
static void one_told_otherwise_meanwhile_is_pinned_again(void **state)
{
    struct rig *rig = found(RIG_PIN);
    struct vmres_event event;

    (void)state;
    adopt(rig);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    event = rig_observed(rig, 1, MEMORY);
    event.valid |= VMRES_VALID_TARGET;
    event.as.observed.target = 150 * VMRES_MIB;
    rig_told(rig, event);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 200 + 100");
    EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "100 80 + 220");
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_delete(rig);
}

/* Whether floors fit is asked of who is yet to start. */
static void it_is_charged_though_it_does_not_fit(void **state)
{
    struct rig *rig = found(0);

    (void)state;
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 420 * VMRES_MIB, 420 * VMRES_MIB));
    EXPECT_BOOKS(rig, "100 420 + 0 - 120");
    adopt(rig);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "100 80 + 220");
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_refused(rig, vmres_event_limits(rig->now, 1, 1, 421 * VMRES_MIB, 421 * VMRES_MIB),
                VMRES_NOROOM);
    rig_delete(rig);
}

/* Its device may still be growing to where somebody told it to be. */
static void no_block_is_allotted_before_it_is_pinned(void **state)
{
    struct rig *rig = row_new(300);

    (void)state;
    row_adopt(rig, 0, 100, 100, VMRES_OK);
    rig_withhold(rig, 0, RIG_PIN);
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0));
    rig_add(rig, 1, 0, 100, 50);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0), VMRES_NOROOM);
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_finish(rig, 0, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    EXPECT_ROW(rig, "1:[0,50) 0:[100,200)");
    rig_delete(rig);
}

static void it_must_have_been_seen_first(void **state)
{
    struct rig *rig = found(0);

    (void)state;
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1), VMRES_STATE);
    rig_delete(rig);
}

/* Its charge is the most it could hold, so nobody is endangered; and nobody waits for it for
 * ever. */
static void one_that_never_stays_is_left_alone(void **state)
{
    struct rig *rig = found(RIG_PIN);

    (void)state;
    adopt(rig);
    for (uint32_t i = 0; i < 16; i++) {
        EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
        rig->vms[1].devices[MEMORY].held = 81 + i % 2;
        rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    }
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 200 + 100");
    assert_int_equal(rig->engine->kinds[MEMORY].adopting, 0);
    rig_delete(rig);
}

static void one_that_moves_is_pinned_until_it_stays(void **state)
{
    struct rig *rig = found(RIG_PIN);

    (void)state;
    adopt(rig);
    for (uint32_t held = 81; held <= 90; held++) {
        rig->vms[1].devices[MEMORY].held = held;
        rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
        EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
        assert_int_equal(rig_open(rig, 1, VMRES_ACTION_PIN)->action.as.resize.target,
                         held * VMRES_MIB);
    }
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 90 + 210");
    rig_delete(rig);
}

static void nothing_is_granted_to_anybody_meanwhile(void **state)
{
    struct rig *rig = found(RIG_PIN);

    (void)state;
    adopt(rig);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 200 + 100");
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 80 + 170");
    rig_delete(rig);
}

/* It cannot be pinned, so it cannot be moved: it keeps its charge, and others may be granted to. */
static void a_refused_pin_leaves_it_charged_with_the_most(void **state)
{
    struct rig *rig = found(RIG_PIN);

    (void)state;
    adopt(rig);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_REFUSED);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 200 + 100");
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 200 + 50");
    rig_delete(rig);
}

static void a_pin_without_end_makes_it_silent_and_lets_the_others_go_on(void **state)
{
    struct rig *rig = found(RIG_PIN | RIG_CANCEL);

    (void)state;
    adopt(rig);
    rig_wish(rig, 0, 150);
    rig_until(rig, 20000);
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    EXPECT_BOOKS(rig, "150 200 + 50");
    rig_delete(rig);
}

static void one_that_goes_meanwhile_blocks_nobody(void **state)
{
    struct rig *rig = found(RIG_PIN);

    (void)state;
    adopt(rig);
    rig_gone(rig, 1);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 + 250");
    rig_delete(rig);
}

/* Its device can hold more than we would ever give it. */
static void the_device_may_hold_more_than_its_ceiling(void **state)
{
    struct rig *rig = found(RIG_PIN);
    struct vmres_event event = rig_observed(rig, 1, MEMORY);

    (void)state;
    rig->vms[1].devices[MEMORY].held = 250;
    event = rig_observed(rig, 1, MEMORY);
    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = 280 * VMRES_MIB;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "100 250 + 50");
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1));
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 250 + 50");
    rig_forget_trace(rig);
    rig_round(rig); /* above its ceiling: back into its bounds */
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 (3) gives 50MiB to the pool: its ceiling is below what it has\n"
                 "[    1.000] vm1 (4) remove 50MiB, down to 200MiB, for the pool: its ceiling is "
                 "below what it has\n"
                 "[    1.000] vm1 (5) removed 50MiB, now 200MiB\n"
                 "[    1.000] transfer vm1 to the pool moved 50MiB of 50MiB: done\n");
    EXPECT_BOOKS(rig, "100 200 + 100");
    rig_delete(rig);
}

static void adopting_more_than_there_is_makes_a_deficit(void **state)
{
    struct rig *rig = rig_new(150);

    (void)state;
    rig_fleet(rig, 1, 100);
    rig->vms[1] = (struct rig_vm){.incarnation = 1};
    rig->vms[1].devices[MEMORY] =
        (struct rig_device){.held = 40, .valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS};
    {
        struct vmres_event event = rig_event(rig, VMRES_EVENT_VM_ADDED, 1);

        event.flags = VMRES_FLAG_ADOPTED;
        rig_told(rig, event);
    }
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 0, 120 * VMRES_MIB));
    rig->vms[1].present = true;
    EXPECT_BOOKS(rig, "100 120 + 0 - 70");
    adopt(rig);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "100 40 + 10");
    rig_delete(rig);
}

/* How much it holds will be known soon, or, without a driver in its guest, never. */
static void a_deficit_by_one_not_yet_seen_waits_but_not_for_ever(void **state)
{
    struct rig *rig = rig_new(150);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 1, 100);
    rig->vms[1] = (struct rig_vm){.incarnation = 1};
    event = rig_event(rig, VMRES_EVENT_VM_ADDED, 1);
    event.flags = VMRES_FLAG_ADOPTED;
    rig_told(rig, event);
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 0, 120 * VMRES_MIB));
    rig->vms[1].present = true;
    EXPECT_BOOKS(rig, "100 120 + 0 - 70");
    rig_until(rig, 9000);
    EXPECT_BOOKS(rig, "100 120 + 0 - 70");
    rig_until(rig, 12000);
    EXPECT_BOOKS(rig, "30 120 + 0");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_charged_with_the_most_until_it_is_pinned_twice),
        cmocka_unit_test(one_told_otherwise_meanwhile_is_pinned_again),
        cmocka_unit_test(it_is_charged_though_it_does_not_fit),
        cmocka_unit_test(no_block_is_allotted_before_it_is_pinned),
        cmocka_unit_test(it_must_have_been_seen_first),
        cmocka_unit_test(one_that_moves_is_pinned_until_it_stays),
        cmocka_unit_test(one_that_never_stays_is_left_alone),
        cmocka_unit_test(nothing_is_granted_to_anybody_meanwhile),
        cmocka_unit_test(a_refused_pin_leaves_it_charged_with_the_most),
        cmocka_unit_test(a_pin_without_end_makes_it_silent_and_lets_the_others_go_on),
        cmocka_unit_test(one_that_goes_meanwhile_blocks_nobody),
        cmocka_unit_test(the_device_may_hold_more_than_its_ceiling),
        cmocka_unit_test(adopting_more_than_there_is_makes_a_deficit),
        cmocka_unit_test(a_deficit_by_one_not_yet_seen_waits_but_not_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
