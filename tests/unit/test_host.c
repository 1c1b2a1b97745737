/* SPDX-License-Identifier: MIT */
/* The host: its capacity changes, its backend is lost and found, and plans that are only told. */
#include "support/rig.h"

static struct vmres_event capacity(const struct rig *rig, uint32_t size, uint32_t reserve)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);

    event.as.capacity.capacity = size * VMRES_MIB;
    event.as.capacity.reserve = reserve * VMRES_MIB;
    return event;
}

static void dry_run(struct rig *rig, uint16_t on)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_DRY_RUN, 0);

    event.result = on;
    rig_told(rig, event);
}

/* --- capacity --- */

static void a_smaller_host_is_a_deficit_worked_off_at_once(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_told(rig, capacity(rig, 270, 0));
    EXPECT_BOOKS(rig, "100 100 100 + 0 - 30");
    rig_until(rig, rig->now);
    EXPECT_TRACE(rig,
                 "[    0.000] host books 30MiB, now 270MiB: the host has another capacity now: a "
                 "deficit\n"
                 "[    0.000] vm0 (3) gives 10MiB to the pool: the host must have it, and it is "
                 "above its entitlement\n"
                 "[    0.000] vm1 (3) gives 10MiB to the pool: the host must have it, and it is "
                 "above its entitlement\n"
                 "[    0.000] vm2 (3) gives 10MiB to the pool: the host must have it, and it is "
                 "above its entitlement\n"
                 "[    0.000] vm0 (4) remove 10MiB, down to 90MiB, for the pool: the host must "
                 "have it, and it is above its entitlement\n"
                 "[    0.000] vm1 (4) remove 10MiB, down to 90MiB, for the pool: the host must "
                 "have it, and it is above its entitlement\n"
                 "[    0.000] vm2 (4) remove 10MiB, down to 90MiB, for the pool: the host must "
                 "have it, and it is above its entitlement\n"
                 "[    0.000] vm0 (5) removed 10MiB, now 90MiB\n"
                 "[    0.000] transfer vm0 to the pool moved 10MiB of 10MiB: done\n"
                 "[    0.000] vm1 (5) removed 10MiB, now 90MiB\n"
                 "[    0.000] transfer vm1 to the pool moved 10MiB of 10MiB: done\n"
                 "[    0.000] vm2 (5) removed 10MiB, now 90MiB\n"
                 "[    0.000] transfer vm2 to the pool moved 10MiB of 10MiB: done\n");
    EXPECT_BOOKS(rig, "90 90 90 + 0");
    assert_int_equal(rig_counters(rig).deficits, 1);
    rig_delete(rig);
}

static void nothing_is_granted_in_a_deficit(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    for (uint32_t vm = 1; vm < 3; vm++)
        rig_withhold(rig, vm, RIG_REMOVAL);
    rig_told(rig, capacity(rig, 240, 0));
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    EXPECT_BOOKS(rig, "80 100 100 + 0 - 40");
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_DONE);
    rig_finish(rig, 2, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "80 80 80 + 0");
    rig_withhold(rig, 1, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "110 50 80 + 0");
    rig_delete(rig);
}

/* First what is above the entitlement, in proportion; floors are never touched. */
static void donors_above_their_entitlement_give_first(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 80, 300, 80);
    rig_add(rig, 1, 0, 300, 80);
    rig_add(rig, 2, 0, 300, 140);
    rig_boot(rig);
    rig_told(rig, capacity(rig, 270, 0));
    rig_round(rig);
    EXPECT_BOOKS(rig, "80 80 110 + 0");
    rig_told(rig, capacity(rig, 200, 0));
    rig_round(rig);
    EXPECT_BOOKS(rig, "80 60 60 + 0");
    rig_delete(rig);
}

static void a_larger_host_has_more_to_give(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_told(rig, capacity(rig, 260, 20));
    EXPECT_BOOKS(rig, "100 100 + 40");
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 0, 200 * VMRES_MIB));
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 100 + 0");
    rig_delete(rig);
}

/* Floors that do not fit any more may be lowered, one after the other; none may be raised. */
static void limits_may_change_on_a_host_that_is_too_small(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 100, 200, 150);
    rig_add(rig, 1, 100, 200, 150);
    rig_boot(rig);
    rig_told(rig, capacity(rig, 120, 0));
    rig_refused(rig, vmres_event_limits(0, 0, 1, 101 * VMRES_MIB, 200 * VMRES_MIB), VMRES_NOROOM);
    rig_told(rig, vmres_event_limits(0, 0, 1, 100 * VMRES_MIB, 110 * VMRES_MIB));
    rig_told(rig, vmres_event_limits(0, 0, 1, 90 * VMRES_MIB, 110 * VMRES_MIB));
    rig_told(rig, vmres_event_limits(0, 1, 1, 20 * VMRES_MIB, 200 * VMRES_MIB));
    rig_told(rig, vmres_event_limits(0, 0, 1, 100 * VMRES_MIB, 110 * VMRES_MIB));
    rig_delete(rig);
}

static void capacities_out_of_range_are_refused(void **state)
{
    struct rig *rig = rig_new(200);
    struct vmres_event event = capacity(rig, 100, 101);

    (void)state;
    rig_refused(rig, event, VMRES_INVALID);
    event.as.capacity.capacity = UINT64_MAX;
    rig_refused(rig, event, VMRES_INVALID);
    rig_told(rig, capacity(rig, 100, 100));
    EXPECT_BOOKS(rig, "+ 0");
    rig_delete(rig);
}

/* --- the backend --- */

static void without_a_backend_nothing_is_sent(void **state)
{
    struct rig *rig = rig_asked();
    uint64_t actions;

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    assert_int_equal(rig->sent_count, 0);
    EXPECT_STATE(rig, 0, VMRES_VM_SILENT);
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    assert_int_equal(rig_transfers(rig), 0);
    EXPECT_BOOKS(rig, "120 80 + 0");
    actions = rig_counters(rig).actions;
    rig_until(rig, 100000);
    assert_int_equal(rig_counters(rig).actions, actions);
    assert_true(vmres_engine_deadline(rig->engine) == UINT64_MAX);
    rig_delete(rig);
}

static void with_the_backend_back_every_vm_is_pinned_first(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_refused(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0), VMRES_STATE);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig->open_count = 0; /* the new one knows nothing of what the old one was told */
    rig->vms[1].devices[MEMORY].held = 60; /* it went on */
    rig_withhold(rig, 1, 0);
    rig->now += 60000;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_forget_trace(rig);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    assert_int_equal(rig_sent(rig, VMRES_ACTION_PIN), 2);
    EXPECT_TRACE(rig, "[   61.000] vm0 adopting\n"
                      "[   61.000] vm1 adopting\n"
                      "[   61.000] host the backend is back: every VM is pinned first\n");
    rig_pump(rig);
    EXPECT_TRACE(rig, "[   61.000] vm1 live\n"
                      "[   61.000] vm0 live\n");
    EXPECT_BOOKS(rig, "100 60 + 40");
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

/* --- dry run --- */

static void a_dry_run_tells_its_plan_once_and_moves_nothing(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->options.dry_run = 1;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 220);
    rig_wish(rig, 1, 70);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 100MiB from the pool: wished\n"
                      "[    1.000] vm0 (3) gets 20MiB from vm1: wished\n");
    EXPECT_BOOKS(rig, "100 100 + 100");
    assert_int_equal(rig_transfers(rig), 2);
    rig_round(rig);
    EXPECT_TRACE(rig, "");
    rig_wish(rig, 0, 200);
    rig_wish(rig, 1, 100);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    3.000] vm0 (3) gets 100MiB from the pool: wished\n");
    assert_int_equal(rig_transfers(rig), 1);
    assert_int_equal(rig_counters(rig).rounds, 3);
    rig_delete(rig);
}

static void a_dry_run_ends_and_begins_at_a_word(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    dry_run(rig, 1);
    rig_wish(rig, 0, 220);
    rig_wish(rig, 1, 70);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 + 100");
    dry_run(rig, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "220 80 + 0"); /* the free part first, then from vm1 what is missing */
    {
        struct vmres_event event = rig_event(rig, VMRES_EVENT_DRY_RUN, 0);

        event.result = 2;
        rig_refused(rig, event, VMRES_INVALID);
    }
    rig_delete(rig);
}

/* What is under way when a dry run begins comes to its end, whatever is planned then. */
static void what_is_under_way_goes_on_in_a_dry_run(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    dry_run(rig, 1);
    rig_round(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_wish(rig, 0, 100);
    rig_wish(rig, 1, 100);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

/* --- a first allotment that was never told --- */

/* vm1 is to have 200 at its start, and the backend is lost before it was told. */
static struct rig *untold_at_the_start(void)
{
    struct rig *rig = rig_new(300);

    rig_add(rig, 0, 0, 300, 100);
    rig_boot(rig);
    rig_add(rig, 1, 50, 250, NONE);
    rig_withhold(rig, 1, RIG_REASSIGN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig_forget_trace(rig);
    rig->open_count = 0; /* nobody will answer that any more */
    return rig;
}

/* Before its new life speaks the backend is lost: it has what it had, and more is not begun. */
static void one_reborn_is_owed_none(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event word;

    (void)state;
    rig_add(rig, 0, 0, 120, 100);
    rig_boot(rig);
    rig->vms[0].incarnation++;
    word = rig_observed(rig, 0, MEMORY);
    word.valid = 0; /* not what it holds */
    rig_told(rig, word);
    EXPECT_STATE(rig, 0, VMRES_VM_BOOTING);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    EXPECT_STATE(rig, 0, VMRES_VM_BOOTING);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_REASSIGN), 0);
    rig_delete(rig);
}

static void it_starts_with_less_in_a_deficit(void **state)
{
    struct rig *rig = untold_at_the_start();

    (void)state;
    rig->vms[0].devices[MEMORY].held = 130;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    assert_int_equal(rig_deficit(rig, MEMORY), 30);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_REASSIGN)->action.as.resize.target,
                     170 * VMRES_MIB);
    EXPECT_BOOKS(rig, "130 170 + 0");
    rig_delete(rig);
}

static void it_waits_when_even_its_floor_does_not_fit(void **state)
{
    struct rig *rig = untold_at_the_start();

    (void)state;
    rig->vms[0].devices[MEMORY].held = 260;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    assert_false(rig_is_open(rig, 1, VMRES_ACTION_REASSIGN));
    EXPECT_BOOKS(rig, "260 50 + 0 - 10");
    rig->vms[0].devices[MEMORY].held = 240;
    rig_pump(rig);
    rig_round(rig);
    assert_int_equal(rig_open(rig, 1, VMRES_ACTION_REASSIGN)->action.as.resize.target,
                     50 * VMRES_MIB);
    rig_delete(rig);
}

/* The backend starts it when it answers the first time, and says so once. */
static void it_runs_before_it_is_told_again(void **state)
{
    struct rig *rig = untold_at_the_start();

    (void)state;
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1));
    EXPECT_STATE(rig, 1, VMRES_VM_BOOTING);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1), VMRES_STATE);
    rig_finish(rig, 1, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_smaller_host_is_a_deficit_worked_off_at_once),
        cmocka_unit_test(nothing_is_granted_in_a_deficit),
        cmocka_unit_test(donors_above_their_entitlement_give_first),
        cmocka_unit_test(a_larger_host_has_more_to_give),
        cmocka_unit_test(limits_may_change_on_a_host_that_is_too_small),
        cmocka_unit_test(capacities_out_of_range_are_refused),
        cmocka_unit_test(without_a_backend_nothing_is_sent),
        cmocka_unit_test(with_the_backend_back_every_vm_is_pinned_first),
        cmocka_unit_test(a_dry_run_tells_its_plan_once_and_moves_nothing),
        cmocka_unit_test(a_dry_run_ends_and_begins_at_a_word),
        cmocka_unit_test(what_is_under_way_goes_on_in_a_dry_run),
        cmocka_unit_test(one_reborn_is_owed_none),
        cmocka_unit_test(it_starts_with_less_in_a_deficit),
        cmocka_unit_test(it_waits_when_even_its_floor_does_not_fit),
        cmocka_unit_test(it_runs_before_it_is_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
