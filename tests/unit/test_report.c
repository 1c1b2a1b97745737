/* SPDX-License-Identifier: MIT */
/* Step 2: what a guest says is bounded, ages, and never touches the books. */
#include "support/rig.h"

#include <string.h>

static struct rig *talking(void)
{
    struct rig *rig = rig_prepare(300, 1, false);

    rig_start(rig);
    rig_fleet(rig, 2, 100);
    return rig;
}

static struct vmres_event report(const struct rig *rig, uint32_t vm)
{
    return rig_event(rig, VMRES_EVENT_REPORT, vm);
}

static struct vmres_account_info account(const struct rig *rig, uint32_t vm)
{
    struct vmres_account_info info;

    EXPECT_OK(vmres_engine_account(rig->engine, vm, MEMORY, &info));
    return info;
}

static void amounts_are_rounded_to_the_safe_side(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = report(rig, 0);

    (void)state;
    event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_FREE;
    event.as.report.used = 40 * VMRES_MIB + 1;
    event.as.report.available = 60 * VMRES_MIB - 1;
    event.as.report.free = 30 * VMRES_MIB - 1;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).used, 41 * VMRES_MIB);
    assert_int_equal(account(rig, 0).available, 59 * VMRES_MIB);
    assert_int_equal(account(rig, 0).free, 29 * VMRES_MIB);
    rig_delete(rig);
}

static void amounts_are_bounded_by_what_it_holds(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = report(rig, 0);

    (void)state;
    event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_FREE | VMRES_VALID_STALL;
    event.as.report.used = event.as.report.available = event.as.report.free = UINT64_MAX;
    event.result = UINT16_MAX;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).used, 100 * VMRES_MIB);
    assert_int_equal(account(rig, 0).available, 100 * VMRES_MIB);
    assert_int_equal(account(rig, 0).free, 100 * VMRES_MIB);
    assert_int_equal(account(rig, 0).stall, VMRES_STALL_ONE);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void what_is_not_said_follows_from_what_is(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = report(rig, 0);

    (void)state;
    event.valid = VMRES_VALID_USED;
    event.as.report.used = 30 * VMRES_MIB;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).available, 70 * VMRES_MIB);
    event.valid = VMRES_VALID_AVAILABLE;
    event.as.report.available = 20 * VMRES_MIB;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).used, 80 * VMRES_MIB);
    assert_false(account(rig, 0).flags & VMRES_VIEW_HAS_FREE);
    rig_delete(rig);
}

static void a_report_that_says_nothing_is_none(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = report(rig, 0);

    (void)state;
    assert_int_equal(account(rig, 0).age_ms, UINT32_MAX);
    event.valid = VMRES_VALID_FREE | VMRES_VALID_STALL;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).age_ms, UINT32_MAX);
    event.valid = VMRES_VALID_USED;
    event.as.report.age_ms = 300;
    rig->now = 700;
    event.time_ms = 700;
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).age_ms, 300);
    rig_delete(rig);
}

static void samples_are_of_the_last_inquiry(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = rig_event(rig, VMRES_EVENT_SAMPLES, 0);

    (void)state;
    rig_told(rig, event); /* none were taken */
    event.as.samples.count = 10;
    event.as.samples.maximum = 250 * VMRES_MIB;
    event.as.samples.mean = 45 * VMRES_MIB;
    rig_told(rig, event);
    rig_round(rig);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_SAMPLES);
    assert_int_equal(rig->seen[MEMORY][0].used_max, 100);
    assert_int_equal(rig->seen[MEMORY][0].used_mean, 45);
    rig_round(rig);
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_SAMPLES);
    rig_delete(rig);
}

/* --- notices --- */

static struct vmres_event notice(const struct rig *rig, uint32_t vm)
{
    struct vmres_event event = report(rig, vm);

    event.flags = VMRES_FLAG_NOTICE;
    event.valid = VMRES_VALID_USED | VMRES_VALID_STALL;
    event.as.report.used = 100 * VMRES_MIB;
    event.result = 500;
    return event;
}

static void a_notice_pulls_the_judgement_to_now(void **state)
{
    struct rig *rig = talking();

    (void)state;
    rig_round(rig);
    rig->now += 100;
    rig_told(rig, notice(rig, 0));
    EXPECT_TRACE(rig, "[    1.100] vm0 (2) uses 100MiB of 100MiB: is short\n");
    assert_int_equal(vmres_engine_deadline(rig->engine), rig->now);
    rig_wish(rig, 0, 140);
    rig_until(rig, rig->now);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_NOTICE);
    assert_int_equal(rig->seen[MEMORY][0].stall, 500);
    assert_int_equal(rig->judged[MEMORY], 2);
    EXPECT_BOOKS(rig, "140 100 + 60");
    rig_delete(rig);
}

static void at_most_one_notice_a_vm_a_second_does(void **state)
{
    struct rig *rig = talking();

    (void)state;
    rig_round(rig);
    for (uint32_t i = 0; i < 90; i++) {
        rig->now += 10;
        rig_told(rig, notice(rig, 0));
        rig_until(rig, rig->now);
    }
    assert_int_equal(rig_counters(rig).notices, 1);
    assert_int_equal(rig->judged[MEMORY], 2);
    rig_told(rig, notice(rig, 1)); /* each has its own */
    rig_until(rig, rig->now);
    assert_int_equal(rig->judged[MEMORY], 3);
    rig_delete(rig);
}

static void a_notice_in_an_open_round_waits_for_it(void **state)
{
    struct rig *rig = talking();

    (void)state;
    rig_withhold(rig, 1, RIG_REPORTS);
    rig_round(rig);
    assert_int_equal(rig->judged[MEMORY], 0);
    rig_told(rig, notice(rig, 0));
    assert_int_equal(vmres_engine_deadline(rig->engine), rig->now + 250);
    rig_until(rig, rig->now + 250);
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_until(rig, rig->now + 100);
    assert_int_equal(rig->judged[MEMORY], 1);
    rig_delete(rig);
}

/* --- age --- */

static void a_report_counts_for_three_periods(void **state)
{
    struct rig *rig = talking();

    (void)state;
    rig_round(rig);
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_until(rig, 3250);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_DONOR);
    rig_wish(rig, 0, 50);
    rig_wish(rig, 1, 250);
    rig_until(rig, 4250);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_PRESENT);
    assert_false(rig->seen[MEMORY][0].flags &
                 (VMRES_VIEW_DONOR | VMRES_VIEW_RECIPIENT | VMRES_VIEW_FRESH));
    EXPECT_BOOKS(rig, "100 200 + 0"); /* not shrunk on the strength of it */
    rig_withhold(rig, 0, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "50 250 + 0");
    rig_delete(rig);
}

static void a_report_that_was_old_when_it_came_is_as_old(void **state)
{
    struct rig *rig = talking();
    struct vmres_event event = report(rig, 0);

    (void)state;
    rig_withhold(rig, 0, RIG_REPORTS);
    event.valid = VMRES_VALID_USED;
    event.as.report.age_ms = 2500;
    rig->now = event.time_ms = 500;
    rig_told(rig, event);
    rig_until(rig, 1250);
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_FRESH);
    event.as.report.age_ms = UINT32_MAX;
    rig->now = event.time_ms = 1300;
    rig_told(rig, event);
    rig_until(rig, 2250);
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_FRESH);
    rig_delete(rig);
}

/* Agents die first when memory is short: the claim stands for as long again, up to the share. */
static void one_that_stalled_keeps_its_claim(void **state)
{
    struct rig *rig = talking();

    (void)state;
    rig->vms[0].devices[MEMORY].used = 100;
    rig->vms[0].devices[MEMORY].stall = 2000;
    rig_round(rig);
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_until(rig, 5250);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_RECIPIENT);
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_DONOR);
    assert_int_equal(rig->seen[MEMORY][0].stall, 2000);
    rig_wish(rig, 0, 250);
    rig_until(rig, 6250);
    assert_int_equal(rig->seen[MEMORY][0].entitlement, 150);
    EXPECT_BOOKS(rig, "150 100 + 50");
    rig_until(rig, 8250);
    assert_false(rig->seen[MEMORY][0].flags & (VMRES_VIEW_RECIPIENT | VMRES_VIEW_FRESH));
    assert_int_equal(rig->seen[MEMORY][0].stall, 0);
    rig_delete(rig);
}

static void before_a_vm_takes_part_its_words_are_not_kept(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_add(rig, 0, 0, 300, 100);
    event = notice(rig, 0);
    rig_told(rig, event);
    assert_int_equal(account(rig, 0).age_ms, UINT32_MAX);
    assert_int_equal(rig_counters(rig).notices, 0);
    rig_delete(rig);
}

/* Nothing a guest says makes another VM's books move. */
static void words_do_not_move_bytes(void **state)
{
    struct rig *rig = talking();
    uint32_t random = 1;

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        struct vmres_event event;

        memset(&event, 0, sizeof event);
        for (uint32_t word = 0; word < 4; word++) {
            random = random * 1664525 + 1013904223;
            event.as.words[word] = (uint64_t)random << (random % 33);
        }
        event.type = random & 1 ? VMRES_EVENT_REPORT : VMRES_EVENT_SAMPLES;
        event.incarnation = 1;
        event.vm = random >> 8 & 1;
        event.id = random >> 9 & 1 ? rig->engine->round.id : random;
        event.valid = (uint16_t)(random >> 10);
        event.flags = (uint16_t)(random >> 16);
        event.result = (uint16_t)random;
        rig->now += i % 7;
        event.time_ms = rig->now;
        rig_told(rig, event);
        rig_until(rig, rig->now);
        EXPECT_BOOKS(rig, "100 100 + 100");
        rig_forget_trace(rig);
    }
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_rounded_to_the_safe_side),
        cmocka_unit_test(amounts_are_bounded_by_what_it_holds),
        cmocka_unit_test(what_is_not_said_follows_from_what_is),
        cmocka_unit_test(a_report_that_says_nothing_is_none),
        cmocka_unit_test(samples_are_of_the_last_inquiry),
        cmocka_unit_test(a_notice_pulls_the_judgement_to_now),
        cmocka_unit_test(at_most_one_notice_a_vm_a_second_does),
        cmocka_unit_test(a_notice_in_an_open_round_waits_for_it),
        cmocka_unit_test(a_report_counts_for_three_periods),
        cmocka_unit_test(a_report_that_was_old_when_it_came_is_as_old),
        cmocka_unit_test(one_that_stalled_keeps_its_claim),
        cmocka_unit_test(before_a_vm_takes_part_its_words_are_not_kept),
        cmocka_unit_test(words_do_not_move_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
