/* SPDX-License-Identifier: MIT */
/* When to examine and when to judge: rounds, their reports, and the deadlines of both. */
#include "support/rig.h"

static struct rig *three(void)
{
    struct rig *rig = rig_new(300);

    rig_fleet(rig, 3, 100);
    return rig;
}

static void the_first_round_is_a_period_after_the_first_event(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    assert_true(vmres_engine_deadline(rig->engine) == UINT64_MAX);
    rig->now = 5000;
    rig_fleet(rig, 1, 100);
    assert_int_equal(vmres_engine_deadline(rig->engine), 6000);
    rig_until(rig, 5999);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_until(rig, 6000);
    assert_int_equal(rig->judged[MEMORY], 1);
    assert_int_equal(vmres_engine_deadline(rig->engine), 7000);
    rig_delete(rig);
}

static void one_inquiry_for_all(void **state)
{
    struct rig *rig = three();

    (void)state;
    rig->now = 1000;
    rig_told(rig, rig_event(rig, VMRES_EVENT_TIMEOUT, 0));
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig->sent[0].type, VMRES_ACTION_INQUIRE);
    assert_int_equal(rig->sent[0].vm, VMRES_VM_NONE);
    assert_int_equal(rig->sent[0].id, rig->engine->round.id);
    assert_int_equal(rig->answer_count, 3);
    rig_delete(rig);
}

static void the_last_report_in_brings_the_judgement(void **state)
{
    struct rig *rig = three();

    (void)state;
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_round(rig);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig->now += 80;
    {
        struct vmres_event report = rig_event(rig, VMRES_EVENT_REPORT, 2);

        report.id = rig->engine->round.id;
        rig_told(rig, report);
        assert_int_equal(rig->judged[MEMORY], 1);
        rig_told(rig, report); /* twice: nothing happens */
        assert_int_equal(rig->judged[MEMORY], 1);
    }
    rig_delete(rig);
}

static void who_does_not_answer_is_waited_for_only_so_long(void **state)
{
    struct rig *rig = three();

    (void)state;
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_until(rig, 1249);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_until(rig, 1250);
    assert_int_equal(rig->judged[MEMORY], 1);
    assert_true(rig->seen[MEMORY][1].flags & VMRES_VIEW_REPORTED);
    assert_false(rig->seen[MEMORY][2].flags & VMRES_VIEW_REPORTED);
    rig_delete(rig);
}

static void a_report_to_an_older_inquiry_counts_but_not_for_this_one(void **state)
{
    struct rig *rig = three();
    uint64_t id;

    (void)state;
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_until(rig, 1250);
    id = rig->engine->round.id;
    rig_until(rig, 2000);
    {
        struct vmres_event report = rig_event(rig, VMRES_EVENT_REPORT, 2);

        report.id = id;
        report.valid = VMRES_VALID_USED;
        rig_told(rig, report);
    }
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_until(rig, 2250);
    assert_int_equal(rig->judged[MEMORY], 2);
    assert_true(rig->seen[MEMORY][2].flags & VMRES_VIEW_REPORTED);
    rig_delete(rig);
}

static void one_that_goes_is_not_waited_for(void **state)
{
    struct rig *rig = three();

    (void)state;
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_round(rig);
    rig_gone(rig, 2);
    assert_int_equal(vmres_engine_deadline(rig->engine), rig->now);
    rig_until(rig, rig->now);
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_delete(rig);
}

/* One that has answered leaves nobody less to wait for. */
static void one_that_goes_after_its_answer_is_not_counted_twice(void **state)
{
    struct rig *rig = three();
    struct vmres_event report;

    (void)state;
    rig_withhold(rig, 1, RIG_REPORTS);
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_round(rig);
    rig_gone(rig, 0);
    report = rig_event(rig, VMRES_EVENT_REPORT, 1);
    report.id = rig->engine->round.id;
    rig_told(rig, report);
    assert_int_equal(rig->judged[MEMORY], 0);
    report = rig_event(rig, VMRES_EVENT_REPORT, 2);
    report.id = rig->engine->round.id;
    rig_told(rig, report);
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_delete(rig);
}

static void one_that_comes_is_not_waited_for(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_REPORTS);
    rig_round(rig);
    rig_add(rig, 2, 0, 300, 100);
    rig_boot(rig);
    rig_withhold(rig, 2, RIG_REPORTS);
    {
        struct vmres_event report = rig_event(rig, VMRES_EVENT_REPORT, 1);

        report.id = rig->engine->round.id;
        rig_told(rig, report);
    }
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_delete(rig);
}

static void every_kind_must_be_reported(void **state)
{
    struct rig *rig = rig_prepare(300, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 1, 100);
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_round(rig);
    for (uint8_t kind = 0; kind < 2; kind++) {
        struct vmres_event report = rig_event(rig, VMRES_EVENT_REPORT, 0);

        assert_int_equal(rig->judged[MEMORY], 0);
        report.id = rig->engine->round.id;
        report.kind = kind;
        rig_told(rig, report);
    }
    assert_int_equal(rig->judged[MEMORY], 1);
    assert_int_equal(rig->judged[CPU], 1);
    rig_delete(rig);
}

static void without_vms_there_is_nothing_to_ask(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 0, 300, 100);
    rig_until(rig, 5000);
    assert_int_equal(rig_counters(rig).rounds, 0);
    assert_int_equal(rig_counters(rig).actions, 0);
    assert_int_equal(vmres_engine_deadline(rig->engine), 6000);
    rig_delete(rig);
}

static void rounds_that_were_missed_are_not_made_up_for(void **state)
{
    struct rig *rig = three();

    (void)state;
    rig->now = 10500;
    rig_told(rig, rig_event(rig, VMRES_EVENT_TIMEOUT, 0));
    rig_pump(rig);
    assert_int_equal(rig_counters(rig).rounds, 1);
    assert_int_equal(vmres_engine_deadline(rig->engine), 11500);
    rig_delete(rig);
}

static void a_round_still_open_is_judged_before_the_next(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->options.inquiry_ms = 5000; /* longer than a period */
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 2, RIG_REPORTS);
    rig_until(rig, 10000);
    assert_int_equal(rig_counters(rig).rounds, 10);
    assert_true(rig->judged[MEMORY] >= 1);
    rig_delete(rig);
}

static void the_period_can_be_chosen(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->options.period_ms = 200;
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_until(rig, 249);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_until(rig, 250);
    assert_int_equal(rig->judged[MEMORY], 1);
    assert_int_equal(rig->round.period_ms, 200);
    rig_until(rig, 1000);
    assert_int_equal(rig_counters(rig).rounds, 5);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_is_a_period_after_the_first_event),
        cmocka_unit_test(one_inquiry_for_all),
        cmocka_unit_test(the_last_report_in_brings_the_judgement),
        cmocka_unit_test(who_does_not_answer_is_waited_for_only_so_long),
        cmocka_unit_test(a_report_to_an_older_inquiry_counts_but_not_for_this_one),
        cmocka_unit_test(one_that_goes_is_not_waited_for),
        cmocka_unit_test(one_that_goes_after_its_answer_is_not_counted_twice),
        cmocka_unit_test(one_that_comes_is_not_waited_for),
        cmocka_unit_test(every_kind_must_be_reported),
        cmocka_unit_test(without_vms_there_is_nothing_to_ask),
        cmocka_unit_test(rounds_that_were_missed_are_not_made_up_for),
        cmocka_unit_test(a_round_still_open_is_judged_before_the_next),
        cmocka_unit_test(the_period_can_be_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
