/* SPDX-License-Identifier: MIT */
/* An end to everything: open transfers finish, none is opened, until the operator says go on. */
#include "support/rig.h"

static struct vmres_event settle_of(const struct rig *rig, uint64_t within_ms)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_SETTLE, 0);

    event.as.terms.within_ms = within_ms;
    return event;
}

static void open_transfers_end(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    assert_false(vmres_engine_settled(rig->engine));
    rig_told(rig, settle_of(rig, 30000));
    assert_int_equal(rig->sent_count, 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    assert_false(vmres_engine_settled(rig->engine)); /* it has not arrived yet */
    rig_pump(rig);
    assert_true(vmres_engine_settled(rig->engine));
    EXPECT_BOOKS(rig, "150 50 + 0");
    assert_int_equal(rig_counters(rig).transfers_done, 1);
    rig_delete(rig);
}

static void none_is_opened_until_it_goes_on(void **state)
{
    struct rig *rig = rig_new(200);
    uint64_t rounds;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, settle_of(rig, 500));
    rounds = rig_counters(rig).rounds;
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_until(rig, 30000);
    EXPECT_TRACE(rig, "");
    assert_int_equal(rig_counters(rig).rounds, rounds);
    assert_true(vmres_engine_settled(rig->engine));
    assert_true(vmres_engine_deadline(rig->engine) == UINT64_MAX);
    rig_told(rig, rig_event(rig, VMRES_EVENT_RESUME, 0));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_refused(rig, rig_event(rig, VMRES_EVENT_RESUME, 0), VMRES_STATE);
    rig_delete(rig);
}

/* Reports that are on their way are heard, but nothing is judged; nor is a shortage. */
static void a_round_in_the_middle_is_not_judged(void **state)
{
    struct rig *rig = rig_new(200);
    struct vmres_event notice;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_REPORTS);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_told(rig, settle_of(rig, 500));
    notice = rig_event(rig, VMRES_EVENT_REPORT, 1);
    notice.flags = VMRES_FLAG_NOTICE;
    notice.valid = VMRES_VALID_USED;
    notice.id = rig->engine->round.id;
    rig_told(rig, notice);
    rig_until(rig, 20000);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_withhold(rig, 1, 0);
    rig_told(rig, rig_event(rig, VMRES_EVENT_RESUME, 0));
    rig_until(rig, rig->now + 2000);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void what_is_late_is_called_off(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_told(rig, settle_of(rig, 3000));
    rig_until(rig, 3999);
    EXPECT_TRACE(rig, "");
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_until(rig, 4000);
    EXPECT_TRACE(rig, "[    4.000] transfer vm1 to vm0 moved 20MiB of 50MiB: done\n");
    assert_true(vmres_engine_settled(rig->engine));
    EXPECT_BOOKS(rig, "120 80 + 0");
    rig_delete(rig);
}

static void at_once(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_told(rig, settle_of(rig, 0));
    rig_until(rig, rig->now);
    EXPECT_TRACE(rig, "[    1.000] transfer vm1 to vm0 moved 0B of 50MiB: cancelled\n");
    assert_true(vmres_engine_settled(rig->engine));
    rig_delete(rig);
}

/* What was placed is the recipient's: it is waited for as long as it takes. */
static void what_was_given_stays_given(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_told(rig, settle_of(rig, 1000));
    rig_until(rig, 3000);
    assert_false(vmres_engine_settled(rig->engine));
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 50, VMRES_RESULT_DONE);
    assert_true(vmres_engine_settled(rig->engine));
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

static void the_time_may_be_changed(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_told(rig, settle_of(rig, 1000));
    rig_told(rig, settle_of(rig, UINT64_MAX));
    rig_until(rig, 5000);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_told(rig, settle_of(rig, 500));
    rig_until(rig, 5500);
    assert_true(vmres_engine_settled(rig->engine));
    rig_delete(rig);
}

static void a_vm_may_come_meanwhile(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, settle_of(rig, 500));
    rig_add(rig, 2, 0, 100, 80);
    rig_boot(rig);
    EXPECT_STATE(rig, 2, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 100 80 + 20");
    assert_true(vmres_engine_settled(rig->engine));
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_transfers_end),
        cmocka_unit_test(none_is_opened_until_it_goes_on),
        cmocka_unit_test(a_round_in_the_middle_is_not_judged),
        cmocka_unit_test(what_is_late_is_called_off),
        cmocka_unit_test(at_once),
        cmocka_unit_test(what_was_given_stays_given),
        cmocka_unit_test(the_time_may_be_changed),
        cmocka_unit_test(a_vm_may_come_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
