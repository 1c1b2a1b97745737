/* SPDX-License-Identifier: MIT */
/* A VM that is left alone: at every step of a transfer, until it is thawed, whatever happens. */
#include "support/rig.h"

#define ALL_BUT_CANCEL (RIG_ALL & ~RIG_CANCEL)

static void freeze(struct rig *rig, uint32_t vm)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, vm));
    EXPECT_STATE(rig, vm, VMRES_VM_FROZEN);
    for (uint32_t i = 0; i < rig->sent_count; i++)
        assert_true(rig->sent[i].vm != vm || rig->sent[i].type == VMRES_ACTION_CANCEL);
}

/* Whatever the policy wishes, for ten rounds: nothing new is asked of a frozen VM. */
static void expect_peace(struct rig *rig, uint32_t vm)
{
    uint32_t owed = rig->vms[vm].withheld & RIG_CANCEL ? rig->open_count : 0;

    rig_pump(rig);
    for (uint32_t round = 0; round < 10; round++) {
        rig_round(rig);
        assert_false(rig_is_open(rig, vm, VMRES_ACTION_PIN));
        for (uint32_t i = owed; i < rig->open_count; i++)
            assert_int_not_equal(rig->open[i].action.vm, vm);
    }
    EXPECT_STATE(rig, vm, VMRES_VM_FROZEN);
}

/* It is pinned twice at what it holds, and only then takes part. */
static void thaw(struct rig *rig, uint32_t vm)
{
    rig_withhold(rig, vm, RIG_PIN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, vm));
    for (uint32_t pins = 0; pins < 2; pins++) {
        EXPECT_STATE(rig, vm, VMRES_VM_ADOPTING);
        rig_finish(rig, vm, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    }
    assert_int_equal(rig->sent_count, 0); /* and nothing from before is pursued */
    EXPECT_STATE(rig, vm, VMRES_VM_LIVE);
    rig_withhold(rig, vm, 0);
    rig_pump(rig);
}

/* vm1 is to give 50 of its 100 to vm0; whom the test takes over answers nothing but call-offs. */
static struct rig *transfer(uint32_t taken_over)
{
    struct rig *rig = rig_new(200);

    rig_fleet(rig, 2, 100);
    rig_withhold(rig, taken_over, ALL_BUT_CANCEL);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_until(rig, rig->now + 250); /* the round is judged without the report */
    rig_forget_trace(rig);
    return rig;
}

/* --- a donor --- */

static void a_donor_that_was_asked(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    freeze(rig, 1);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    EXPECT_TRACE(rig, "[    1.250] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                      "[    1.250] vm1 frozen\n");
    expect_peace(rig, 1);
    EXPECT_BOOKS(rig, "100 100 + 0");
    thaw(rig, 1);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void a_donor_that_gave_a_part(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    EXPECT_TRACE(rig, "[    1.250] transfer vm1 to vm0 moved 20MiB of 50MiB: partial\n"
                      "[    1.250] vm1 frozen\n");
    /* What it let go before it heard of it is booked, though nobody waits for it. */
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10, VMRES_RESULT_CANCELLED);
    EXPECT_BOOKS(rig, "120 70 + 10");
    rig_wish(rig, 0, 120);
    expect_peace(rig, 1);
    EXPECT_BOOKS(rig, "120 70 + 10");
    thaw(rig, 1);
    EXPECT_BOOKS(rig, "120 70 + 10");
    rig_delete(rig);
}

static void a_donor_that_has_given_all(void **state)
{
    struct rig *rig = transfer(0);

    (void)state;
    EXPECT_BOOKS(rig, "150 50 + 0");
    freeze(rig, 1);
    assert_int_equal(rig->sent_count, 0);
    assert_int_equal(rig_transfers(rig), 1);
    rig_withhold(rig, 0, 0);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    assert_int_equal(rig_counters(rig).transfers_done, 1);
    expect_peace(rig, 1);
    thaw(rig, 1);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void a_donor_that_was_asked_anew(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_withhold(rig, 1, RIG_ALL);
    rig_wish(rig, 0, 160);
    rig_wish(rig, 1, 40);
    rig_until(rig, 2300);
    freeze(rig, 1);
    rig_pump(rig);
    assert_int_equal(rig->open_count, 2);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_CANCELLED);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 5, VMRES_RESULT_SUPERSEDED);
    EXPECT_STATE(rig, 1, VMRES_VM_FROZEN);
    rig_wish_nothing(rig);
    expect_peace(rig, 1);
    EXPECT_BOOKS(rig, "100 95 + 5");
    thaw(rig, 1);
    rig_delete(rig);
}

/* --- a recipient --- */

static void a_recipient_that_waits_for_its_donor(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    freeze(rig, 0);
    /* Nobody waits for what the donor was asked for. */
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    EXPECT_TRACE(rig, "[    1.250] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                      "[    1.250] vm0 frozen\n");
    rig_withhold(rig, 1, 0);
    expect_peace(rig, 0);
    EXPECT_BOOKS(rig, "100 100 + 0");
    thaw(rig, 0);
    rig_delete(rig);
}

static void a_recipient_whose_configuration_changes(void **state)
{
    struct rig *rig = transfer(0);

    (void)state;
    rig_withhold(rig, 0, RIG_ALL);
    freeze(rig, 0);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    EXPECT_TRACE(rig, "[    1.250] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                      "[    1.250] vm0 frozen\n");
    /* Too late to be called off: it may hold that much now, and is not told so. */
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_wish(rig, 1, 50);
    expect_peace(rig, 0);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_wish_nothing(rig);
    thaw(rig, 0);
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_NOTIFY));
    EXPECT_BOOKS(rig, "100 50 + 50");
    rig_delete(rig);
}

static void a_recipient_that_takes_it_in(void **state)
{
    struct rig *rig = transfer(0);

    (void)state;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_DONE);
    rig_progress(rig, 0, VMRES_ACTION_NOTIFY, 20);
    rig_withhold(rig, 0, RIG_ALL);
    rig_forget_trace(rig);
    freeze(rig, 0);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    EXPECT_TRACE(rig, "[    1.250] transfer vm1 to vm0 moved 20MiB of 50MiB: partial\n"
                      "[    1.250] vm0 frozen\n");
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 15, VMRES_RESULT_CANCELLED);
    rig_wish_nothing(rig);
    expect_peace(rig, 0);
    EXPECT_BOOKS(rig, "150 50 + 0");
    thaw(rig, 0);
    EXPECT_BOOKS(rig, "135 50 + 15");
    rig_delete(rig);
}

/* --- neither --- */

static void a_vm_that_is_being_adopted(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    freeze(rig, 1);
    rig_withhold(rig, 1, ALL_BUT_CANCEL);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 1));
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_PIN));
    freeze(rig, 1);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 1);
    rig_pump(rig);
    /* Nobody waits for its pins: what is free can be granted. */
    rig_wish(rig, 0, 150);
    expect_peace(rig, 1);
    EXPECT_BOOKS(rig, "150 100 + 50");
    thaw(rig, 1);
    rig_delete(rig);
}

static void a_vm_that_is_about_to_be_pinned(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10, VMRES_RESULT_PARTIAL);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_PIN));
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    EXPECT_STATE(rig, 1, VMRES_VM_FROZEN);
    rig_wish_nothing(rig);
    expect_peace(rig, 1);
    thaw(rig, 1);
    rig_delete(rig);
}

static void what_may_be_frozen(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 1, 100);
    rig_add(rig, 1, 0, 100, 50);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_FREEZE, 1), VMRES_STATE);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_FREEZE, 2), VMRES_UNKNOWN);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_THAW, 0), VMRES_STATE);
    freeze(rig, 0);
    freeze(rig, 0);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 0));
    rig_refused(rig, rig_event(rig, VMRES_EVENT_THAW, 0), VMRES_STATE);
    rig_delete(rig);
}

static struct vmres_event of(struct rig *rig, enum vmres_event_type type, bool host)
{
    struct vmres_event event = rig_event(rig, type, 1);

    event.flags = host ? VMRES_FLAG_HOST : 0;
    return event;
}

/* The hypervisor's reason and the operator's come and go in any order. */
static void for_two_reasons(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    for (int order = 0; order < 4; order++) {
        bool first = order & 1, last = order & 2;

        rig_told(rig, of(rig, VMRES_EVENT_FREEZE, first));
        rig_refused(rig, of(rig, VMRES_EVENT_THAW, !first), VMRES_STATE);
        rig_told(rig, of(rig, VMRES_EVENT_FREEZE, !first));
        rig_told(rig, of(rig, VMRES_EVENT_THAW, !last));
        expect_peace(rig, 1);
        rig_refused(rig, of(rig, VMRES_EVENT_THAW, !last), VMRES_STATE);
        rig_told(rig, of(rig, VMRES_EVENT_THAW, last));
        rig_pump(rig);
        EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    }
    rig_delete(rig);
}

/* --- meanwhile --- */

static void no_round_waits_for_it(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    assert_int_equal(rig->now, 1000);
    EXPECT_BOOKS(rig, "150 100 + 50");
    /* The last report that a round waits for may be its own. */
    rig_withhold(rig, 1, 0);
    thaw(rig, 1);
    rig_withhold(rig, 1, RIG_ALL);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 100 + 50");
    freeze(rig, 1);
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_delete(rig);
}

static void what_it_says_is_of_no_account_what_is_seen_is(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event report;

    (void)state;
    rig_fleet(rig, 2, 100);
    freeze(rig, 1);
    report = rig_event(rig, VMRES_EVENT_REPORT, 1);
    report.valid = VMRES_VALID_USED;
    report.flags = VMRES_FLAG_NOTICE;
    report.as.report.used = 100 * VMRES_MIB;
    rig_told(rig, report);
    assert_int_equal(rig_counters(rig).notices, 0);
    rig->vms[1].devices[MEMORY].held = 130;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "100 130 + 70");
    /* Less is not believed before it was pinned: a snapshot in the making may look so. */
    rig->vms[1].devices[MEMORY].held = 90;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "100 130 + 70");
    thaw(rig, 1);
    EXPECT_BOOKS(rig, "100 90 + 110");
    rig_delete(rig);
}

static void a_deficit_is_not_worked_off_by_it(void **state)
{
    struct rig *rig = rig_new(200);
    struct vmres_event capacity;

    (void)state;
    rig_fleet(rig, 2, 100);
    freeze(rig, 1);
    capacity = rig_event(rig, VMRES_EVENT_CAPACITY, 0);
    capacity.as.capacity.capacity = 180 * VMRES_MIB;
    rig_told(rig, capacity);
    expect_peace(rig, 1);
    EXPECT_BOOKS(rig, "80 100 + 0");
    rig_delete(rig);
}

static void it_is_gone(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    rig_gone(rig, 1);
    EXPECT_BOOKS(rig, "100 + 100");
    rig_add(rig, 1, 0, 100, 40);
    rig_boot(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE); /* another VM, and nobody froze that */
    rig_delete(rig);
}

/* Its call-off is not answered: it is silent, but stays frozen when it speaks again. */
static void it_is_silent(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    rig_until(rig, 20000);
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    rig_wish_nothing(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_CANCELLED);
    rig_withhold(rig, 1, ALL_BUT_CANCEL);
    expect_peace(rig, 1);
    thaw(rig, 1);
    rig_delete(rig);
}

/* Who does not answer can be frozen all the same: it is, as soon as it speaks again. */
static void it_is_frozen_while_silent(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_withhold(rig, 1, RIG_ALL);
    rig_until(rig, 20000);
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 1));
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    rig_wish_nothing(rig);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_CANCELLED);
    rig_withhold(rig, 1, ALL_BUT_CANCEL);
    expect_peace(rig, 1);
    thaw(rig, 1);
    rig_delete(rig);
}

static void it_is_thawed_while_silent(void **state)
{
    struct rig *rig = transfer(1);

    (void)state;
    rig_withhold(rig, 1, RIG_ALL);
    freeze(rig, 1);
    rig_until(rig, 20000);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 1));
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_THAW, 1), VMRES_STATE);
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_CANCELLED);
    rig_pump(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_delete(rig);
}

static void it_is_reborn(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 0, 150, 100);
    rig_add(rig, 1, 0, 150, 100);
    rig_boot(rig);
    freeze(rig, 1);
    rig->vms[1].incarnation++;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_STATE(rig, 1, VMRES_VM_BOOTING);
    EXPECT_BOOKS(rig, "100 150 + 50");
    rig_live(rig, 1);
    expect_peace(rig, 1);
    thaw(rig, 1);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void the_backend_is_lost_and_found(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    freeze(rig, 1);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    rig_pump(rig);
    EXPECT_STATE(rig, 0, VMRES_VM_LIVE);
    expect_peace(rig, 1);
    thaw(rig, 1);
    rig_delete(rig);
}

/* Its new life has begun, though nothing was asked of it yet: that is not said again. */
static void the_backend_is_lost_after_its_rebirth(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    freeze(rig, 1);
    rig->vms[1].incarnation++;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 1));
    EXPECT_STATE(rig, 1, VMRES_VM_FROZEN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
    rig_pump(rig);
    expect_peace(rig, 1);
    thaw(rig, 1);
    rig_delete(rig);
}

static void both_kinds_are_left_alone(void **state)
{
    struct rig *rig = rig_prepare(200, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, ALL_BUT_CANCEL);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig->wishes[CPU][0] = 120;
    rig->wishes[CPU][1] = 80;
    rig_until(rig, 1300);
    freeze(rig, 1);
    assert_int_equal(rig_sent(rig, VMRES_ACTION_CANCEL), 2);
    expect_peace(rig, 1);
    rig_withhold(rig, 1, 0);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 1));
    rig_pump(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    assert_int_equal(rig_charge(rig, 0, CPU), 120);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_donor_that_was_asked),
        cmocka_unit_test(a_donor_that_gave_a_part),
        cmocka_unit_test(a_donor_that_has_given_all),
        cmocka_unit_test(a_donor_that_was_asked_anew),
        cmocka_unit_test(a_recipient_that_waits_for_its_donor),
        cmocka_unit_test(a_recipient_whose_configuration_changes),
        cmocka_unit_test(a_recipient_that_takes_it_in),
        cmocka_unit_test(a_vm_that_is_being_adopted),
        cmocka_unit_test(a_vm_that_is_about_to_be_pinned),
        cmocka_unit_test(what_may_be_frozen),
        cmocka_unit_test(for_two_reasons),
        cmocka_unit_test(no_round_waits_for_it),
        cmocka_unit_test(what_it_says_is_of_no_account_what_is_seen_is),
        cmocka_unit_test(a_deficit_is_not_worked_off_by_it),
        cmocka_unit_test(it_is_gone),
        cmocka_unit_test(it_is_silent),
        cmocka_unit_test(it_is_frozen_while_silent),
        cmocka_unit_test(it_is_thawed_while_silent),
        cmocka_unit_test(it_is_reborn),
        cmocka_unit_test(the_backend_is_lost_and_found),
        cmocka_unit_test(the_backend_is_lost_after_its_rebirth),
        cmocka_unit_test(both_kinds_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
