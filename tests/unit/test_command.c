/* SPDX-License-Identifier: MIT */
/* Commands: the contract of answers, deadlines by progress and by rate, VMs that fall silent. */
#include "support/rig.h"

static struct vmres_event removed(struct rig *rig, uint64_t amount)
{
    return rig_answer(rig, rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL), amount);
}

/* --- the contract --- */

static void a_second_final_is_refused(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event again = removed(rig, 50);

    (void)state;
    again.flags = VMRES_FLAG_FINAL;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 50, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_refused(rig, again, VMRES_CONTRACT);
    EXPECT_TRACE(rig, "[    1.000] vm1 event refused: the backend broke its contract\n");
    EXPECT_BOOKS(rig, "150 50 + 0");
    assert_int_equal(rig_counters(rig).refused_contract, 1);
    rig_delete(rig);
}

static void an_answer_to_nothing_is_refused(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event = removed(rig, 10);

    (void)state;
    event.id = 0;
    rig_refused(rig, event, VMRES_UNKNOWN);
    event.id = UINT64_C(1) << 60;
    rig_refused(rig, event, VMRES_UNKNOWN);
    event.id = UINT64_MAX;
    rig_refused(rig, event, VMRES_UNKNOWN);
    assert_int_equal(rig_counters(rig).refused_unknown, 3);
    rig_delete(rig);
}

static void an_answer_of_another_type_is_refused(void **state)
{
    static const uint8_t wrong[] = {VMRES_EVENT_REASSIGNED, VMRES_EVENT_INCORPORATED,
                                    VMRES_EVENT_PINNED};
    struct rig *rig = rig_asked();

    (void)state;
    for (uint32_t i = 0; i < sizeof wrong; i++) {
        struct vmres_event event = removed(rig, 10);

        event.type = wrong[i];
        rig_refused(rig, event, VMRES_CONTRACT);
    }
    rig_delete(rig);
}

static void an_answer_for_somebody_else_is_refused(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event = removed(rig, 10);

    (void)state;
    event.vm = 0;
    rig_refused(rig, event, VMRES_CONTRACT);
    event = removed(rig, 10);
    event.result = VMRES_RESULT_GONE + 1;
    rig_refused(rig, event, VMRES_CONTRACT);
    rig_delete(rig);
}

static void an_answer_of_another_kind_is_refused(void **state)
{
    struct rig *rig = rig_prepare(200, 2, true);
    struct vmres_event event;

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig_ask(rig);
    event = removed(rig, 10);
    event.kind = CPU;
    rig_refused(rig, event, VMRES_CONTRACT);
    rig_delete(rig);
}

static void an_amount_must_not_shrink(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_refused(rig, removed(rig, 19), VMRES_CONTRACT);
    rig_told(rig, removed(rig, 20)); /* said twice: harmless */
    EXPECT_BOOKS(rig, "120 80 + 0");
    rig_delete(rig);
}

static void an_amount_must_not_exceed_what_was_asked(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_refused(rig, removed(rig, 51), VMRES_CONTRACT);
    rig_refused(rig, removed(rig, UINT64_C(1) << 40), VMRES_CONTRACT);
    rig_told(rig, removed(rig, 50));
    rig_delete(rig);
}

static void what_is_taken_in_must_not_exceed_what_was_given(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 1, 100);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    rig_refused(rig, rig_answer(rig, rig_open(rig, 0, VMRES_ACTION_NOTIFY), 61), VMRES_CONTRACT);
    rig_progress(rig, 0, VMRES_ACTION_NOTIFY, 30);
    rig_refused(rig, rig_answer(rig, rig_open(rig, 0, VMRES_ACTION_NOTIFY), 29), VMRES_CONTRACT);
    rig_delete(rig);
}

static void an_answer_to_an_inquiry_is_a_report(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event = removed(rig, 0);

    (void)state;
    event.id = rig->engine->round.id;
    rig_refused(rig, event, VMRES_CONTRACT);
    rig_delete(rig);
}

static void malformed_events_are_refused(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event;

    (void)state;
    event = rig_event(rig, (enum vmres_event_type)0, 0);
    rig_refused(rig, event, VMRES_INVALID);
    event = rig_event(rig, (enum vmres_event_type)(VMRES_EVENT_DRY_RUN + 1), 0);
    rig_refused(rig, event, VMRES_INVALID);
    event = rig_event(rig, VMRES_EVENT_REPORT, 0);
    event.kind = 1;
    rig_refused(rig, event, VMRES_INVALID);
    event = rig_event(rig, VMRES_EVENT_REPORT, 0);
    event.vm = RIG_VMS;
    rig_refused(rig, event, VMRES_INVALID);
    event = rig_event(rig, VMRES_EVENT_REPORT, 5);
    rig_refused(rig, event, VMRES_UNKNOWN);
    assert_int_equal(rig_counters(rig).refused_invalid, 4);
    rig_delete(rig);
}

static void time_does_not_run_backwards(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_event event = rig_event(rig, VMRES_EVENT_TIMEOUT, 0);

    (void)state;
    event.time_ms = rig->now - 1;
    rig_refused(rig, event, VMRES_STALE);
    assert_int_equal(rig->engine->now, rig->now);
    assert_int_equal(rig_counters(rig).refused_stale, 1);
    rig_delete(rig);
}

static void an_early_timeout_does_nothing(void **state)
{
    struct rig *rig = rig_asked();
    struct vmres_counters before = rig_counters(rig);

    (void)state;
    rig->now++;
    rig_told(rig, rig_event(rig, VMRES_EVENT_TIMEOUT, 0));
    assert_int_equal(rig->sent_count, 0);
    assert_int_equal(rig_counters(rig).actions, before.actions);
    assert_int_equal(rig_counters(rig).judgements, before.judgements);
    EXPECT_TRACE(rig, "");
    rig_delete(rig);
}

/* --- deadlines --- */

static void a_donor_without_progress_is_given_up(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_until(rig, 5999);
    EXPECT_TRACE(rig, "");
    rig_until(rig, 6000);
    EXPECT_TRACE(rig,
                 "[    6.000] vm1 call off 50MiB, keeps 100MiB: uncooperative: no progress; left "
                 "alone for a while\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                 "[    6.000] host lacks 50MiB\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    assert_int_equal(rig_transfers(rig), 0);
    rig_delete(rig);
}

static void progress_puts_the_deadline_off(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    for (uint32_t second = 4; second <= 36; second += 4) {
        rig_until(rig, 1000 * second);
        rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 4);
    }
    EXPECT_BOOKS(rig, "136 64 + 0");
    rig_forget_trace(rig);
    rig_until(rig, 40999);
    EXPECT_TRACE(rig, "[   36.000] vm0 (7) notify of 4MiB, now 136MiB: wished\n"
                      "[   36.000] vm0 (8) incorporated 4MiB, holds 136MiB\n");
    rig_until(rig, 41000);
    EXPECT_TRACE(rig,
                 "[   41.000] vm1 call off 14MiB, keeps 64MiB: uncooperative: no progress; left "
                 "alone for a while\n"
                 "[   41.000] transfer vm1 to vm0 moved 36MiB of 50MiB: partial\n"
                 "[   41.000] host lacks 14MiB\n");
    rig_delete(rig);
}

/* One granule of 1000 every second is progress, but it would take a quarter of an hour. */
static void a_trickle_is_no_progress(void **state)
{
    struct rig *rig = rig_new(2000);

    (void)state;
    rig_fleet(rig, 2, 1000);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 1900);
    rig_wish(rig, 1, 100);
    rig_round(rig);
    rig_forget_trace(rig);
    for (uint32_t second = 2; second <= 10; second++) {
        rig_until(rig, 1000 * second);
        rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 1);
        rig_pump(rig);
    }
    rig_forget_trace(rig);
    rig_until(rig, 10999);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_until(rig, 11000);
    EXPECT_TRACE(rig, "[   11.000] vm1 call off 891MiB, keeps 991MiB: uncooperative: no progress; "
                      "left alone for a while\n"
                      "[   11.000] transfer vm1 to vm0 moved 9MiB of 900MiB: partial\n"
                      "[   11.000] host lacks 891MiB\n");
    assert_false(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_delete(rig);
}

/* A new plan every round does not hide a guest that never moves. */
static void a_new_target_does_not_put_the_deadline_off(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    for (uint32_t second = 2; second <= 5; second++) {
        rig_wish(rig, 0, 150 + second);
        rig_wish(rig, 1, 50 - second);
        rig_until(rig, 1000 * second);
    }
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    rig_forget_trace(rig);
    rig_until(rig, 6000);
    assert_false(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    EXPECT_TRACE(rig,
                 "[    6.000] vm1 call off 55MiB, keeps 100MiB: uncooperative: no progress; left "
                 "alone for a while\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 1MiB: failed\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 1MiB: failed\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 1MiB: failed\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 2MiB: failed\n"
                 "[    6.000] transfer vm1 to vm0 moved 0B of 50MiB: failed\n"
                 "[    6.000] host lacks 55MiB\n");
    rig_delete(rig);
}

/* Each request is taken over before it has said a word; its end then tells how far it came. */
static void the_end_of_an_older_request_tells_of_progress(void **state)
{
    struct rig *rig = rig_asked();

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    for (uint32_t second = 2; second <= 20; second++) {
        struct rig_command older = *rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);

        rig_wish(rig, 0, 150 + second);
        rig_wish(rig, 1, 50 - second);
        rig_until(rig, 1000 * second);
        rig_finish_older(rig, &older, 2);
        rig_pump(rig);
    }
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL));
    EXPECT_BOOKS(rig, "138 62 + 0");
    rig_delete(rig);
}

/* --- silence --- */

/* vm1 does not even answer when the removal is called off. */
static struct rig *silent(void)
{
    struct rig *rig = rig_asked();

    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_CANCEL);
    rig_until(rig, 6000);
    rig_forget_trace(rig);
    rig_until(rig, 10999);
    EXPECT_TRACE(rig, "");
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    rig_until(rig, 11000);
    return rig;
}

static void without_a_final_after_the_call_off_it_is_silent(void **state)
{
    struct rig *rig = silent();

    (void)state;
    EXPECT_TRACE(rig, "[   11.000] vm1 silent: a command has no end\n");
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_until(rig, 60000);
    EXPECT_TRACE(rig, "[   36.000] host needs relief: lacks 50MiB\n");
    EXPECT_BOOKS(rig, "100 100 + 0");
    rig_delete(rig);
}

static void a_silent_vm_that_speaks_is_pinned_twice_first(void **state)
{
    struct rig *rig = silent();

    (void)state;
    rig_withhold(rig, 1, 0);
    rig_until(rig, 20500);
    rig_forget_trace(rig);
    rig->engine->tracer.level = VMRES_TRACE_DEBUG;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_CANCELLED);
    EXPECT_STATE(rig, 1, VMRES_VM_ADOPTING);
    rig_pump(rig);
    EXPECT_TRACE(rig, "[   20.500] vm1 (5) removed 20MiB, now 80MiB\n"
                      "[   20.500] vm1 adopting\n"
                      "[   20.500] vm1 pinned: holds 80MiB, told 80MiB: to stay\n"
                      "[   20.500] vm1 pinned: holds 80MiB, told 80MiB\n"
                      "[   20.500] vm1 pinned: holds 80MiB, told 80MiB: to stay\n"
                      "[   20.500] vm1 pinned: holds 80MiB, told 80MiB\n"
                      "[   20.500] vm1 live\n");
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 80 + 20");
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_delete(rig);
}

/* Words that are not final do not end the silence, but what they prove is booked. */
static void a_silent_vm_may_still_release(void **state)
{
    struct rig *rig = silent();

    (void)state;
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    EXPECT_STATE(rig, 1, VMRES_VM_SILENT);
    EXPECT_BOOKS(rig, "100 90 + 10");
    rig_delete(rig);
}

static void a_silent_recipient_keeps_its_charge(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_REASSIGN | RIG_CANCEL);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    rig_until(rig, 11000);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 60MiB from the pool: wished\n"
                      "[    1.000] vm0 (6) reassign 60MiB from the pool, now 160MiB\n"
                      "[    6.000] vm0 call off 60MiB, keeps 100MiB: it does not take what it was "
                      "given\n"
                      "[    6.000] transfer the pool to vm0 moved 0B of 60MiB: failed\n"
                      "[   11.000] vm0 silent: a command has no end\n");
    EXPECT_STATE(rig, 0, VMRES_VM_SILENT);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_wish_nothing(rig);
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_CANCELLED);
    rig_pump(rig);
    EXPECT_STATE(rig, 0, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void a_silent_vm_that_goes_leaves_everything(void **state)
{
    struct rig *rig = silent();

    (void)state;
    rig_gone(rig, 1);
    EXPECT_BOOKS(rig, "100 + 100");
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 + 50");
    rig_delete(rig);
}

/* --- the pool of commands, the outbox --- */

static void an_outbox_of_one_makes_no_difference(void **state)
{
    struct rig *rigs[2];

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct rig *rig = rigs[i] = rig_prepare(1000, 2, true);

        rig->options.max_actions = i == 0 ? 1 : 0;
        rig_start(rig);
        rig_fleet(rig, 10, 100);
        for (uint32_t vm = 0; vm < 10; vm++) {
            rig->wishes[MEMORY][vm] = vm < 4 ? 130 : 80;
            rig->wishes[CPU][vm] = vm < 5 ? 60 : 140;
        }
        rig_round(rig);
        rig_gone(rig, 3);
        rig->wishes[MEMORY][0] = 20;
        rig->wishes[MEMORY][9] = 300;
        rig_round(rig);
        rig_round(rig);
    }
    assert_true(rigs[0]->more > 20);
    assert_int_equal(rigs[1]->more, 0);
    for (uint32_t vm = 0; vm < 10; vm++) {
        for (uint8_t k = 0; k < 2 && vm != 3; k++)
            assert_int_equal(rig_charge(rigs[0], vm, k), rig_charge(rigs[1], vm, k));
    }
    assert_int_equal(rig_free(rigs[0], MEMORY), rig_free(rigs[1], MEMORY));
    assert_int_equal(rig_counters(rigs[0]).transfers_done, rig_counters(rigs[1]).transfers_done);
    rig_delete(rigs[0]);
    rig_delete(rigs[1]);
}

static void ids_are_never_used_again(void **state)
{
    struct rig *rig = rig_new(200);
    uint64_t last = 0;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 1, RIG_REMOVAL);
    for (uint32_t round = 0; round < 20; round++) {
        const struct rig_command *command;

        rig_wish(rig, round % 2, 90);
        rig_wish(rig, 1 - round % 2, 110);
        rig_round(rig);
        if (round % 2 == 0)
            continue;
        command = rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL);
        assert_true(command->action.id > last);
        last = command->action.id;
        rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL,
                   (uint32_t)(command->action.as.resize.amount / VMRES_MIB), VMRES_RESULT_DONE);
        rig_pump(rig);
    }
    assert_true(last > 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_final_is_refused),
        cmocka_unit_test(an_answer_to_nothing_is_refused),
        cmocka_unit_test(an_answer_of_another_type_is_refused),
        cmocka_unit_test(an_answer_for_somebody_else_is_refused),
        cmocka_unit_test(an_answer_of_another_kind_is_refused),
        cmocka_unit_test(an_amount_must_not_shrink),
        cmocka_unit_test(an_amount_must_not_exceed_what_was_asked),
        cmocka_unit_test(what_is_taken_in_must_not_exceed_what_was_given),
        cmocka_unit_test(an_answer_to_an_inquiry_is_a_report),
        cmocka_unit_test(malformed_events_are_refused),
        cmocka_unit_test(time_does_not_run_backwards),
        cmocka_unit_test(an_early_timeout_does_nothing),
        cmocka_unit_test(a_donor_without_progress_is_given_up),
        cmocka_unit_test(progress_puts_the_deadline_off),
        cmocka_unit_test(a_trickle_is_no_progress),
        cmocka_unit_test(a_new_target_does_not_put_the_deadline_off),
        cmocka_unit_test(the_end_of_an_older_request_tells_of_progress),
        cmocka_unit_test(without_a_final_after_the_call_off_it_is_silent),
        cmocka_unit_test(a_silent_vm_that_speaks_is_pinned_twice_first),
        cmocka_unit_test(a_silent_vm_may_still_release),
        cmocka_unit_test(a_silent_recipient_keeps_its_charge),
        cmocka_unit_test(a_silent_vm_that_goes_leaves_everything),
        cmocka_unit_test(an_outbox_of_one_makes_no_difference),
        cmocka_unit_test(ids_are_never_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
