/* SPDX-License-Identifier: MIT */
/* What the host sees: more than the charge is charged at once, less only when it is certain. */
#include "support/rig.h"

/* A guest takes or loses memory unasked, and the host sees it. */
static void seen_with(struct rig *rig, uint32_t vm, uint32_t held)
{
    rig->vms[vm].devices[MEMORY].held = held;
    rig_told(rig, rig_observed(rig, vm, MEMORY));
}

static void a_retake_is_charged_at_once(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    seen_with(rig, 0, 130);
    EXPECT_TRACE(rig, "[    0.000] vm0 books 30MiB, now 130MiB: it holds more than it was charged "
                      "with\n");
    EXPECT_BOOKS(rig, "130 100 + 70");
    rig_delete(rig);
}

static void a_retake_of_what_was_given_away_makes_a_deficit(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_wish_nothing(rig);
    rig_forget_trace(rig);
    seen_with(rig, 1, 80);
    EXPECT_TRACE(rig, "[    1.000] vm1 books 30MiB, now 80MiB: it holds more than it was charged "
                      "with: a deficit\n");
    EXPECT_BOOKS(rig, "150 80 + 0 - 30");
    assert_int_equal(rig_counters(rig).deficits, 1);
    /* It is worked off at once, by those above their entitlement of 100: vm0. */
    rig_until(rig, rig->now);
    EXPECT_TRACE(rig,
                 "[    1.000] vm0 (3) gives 30MiB to the pool: the host must have it, and it is "
                 "above its entitlement\n"
                 "[    1.000] vm0 (4) remove 30MiB, down to 120MiB, for the pool: the host must "
                 "have it, and it is above its entitlement\n"
                 "[    1.000] vm0 (5) removed 30MiB, now 120MiB\n"
                 "[    1.000] transfer vm0 to the pool moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "120 80 + 0");
    rig_delete(rig);
}

static void the_witness_counts_beyond_its_tolerance(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->resources[MEMORY].tolerance = 10 * VMRES_MIB;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    rig->vms[0].devices[MEMORY].excess = 10;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig->vms[0].devices[MEMORY].excess = 25;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_BOOKS(rig, "115 100 + 85");
    rig->vms[0].devices[MEMORY].excess = 0;
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void somebody_else_s_target_is_charged_too(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 2, 100);
    event = rig_observed(rig, 0, MEMORY);
    event.valid |= VMRES_VALID_TARGET;
    event.as.observed.target = 160 * VMRES_MIB;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "160 100 + 40");
    event.as.observed.target = 100 * VMRES_MIB;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

/* The device says that it holds less than it was told to: it may come back for it. */
static void what_it_was_told_to_hold_stays_charged(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_account_info info;

    (void)state;
    rig_fleet(rig, 2, 100);
    seen_with(rig, 0, 40);
    EXPECT_BOOKS(rig, "100 100 + 100");
    EXPECT_OK(vmres_engine_account(rig->engine, 0, MEMORY, &info));
    assert_int_equal(info.held, 40 * VMRES_MIB);
    assert_int_equal(info.target, 100 * VMRES_MIB);
    rig_delete(rig);
}

static void without_a_witness_a_charge_does_not_fall(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->engine->kinds[MEMORY].accounts[0].witness = NONE;
    seen_with(rig, 0, 100);
    rig->vms[0].devices[MEMORY].valid = VMRES_VALID_HELD;
    seen_with(rig, 0, 150);
    rig->engine->kinds[MEMORY].accounts[0].witness = NONE;
    rig->lying = true;
    seen_with(rig, 0, 100);
    EXPECT_BOOKS(rig, "150 100 + 50");
    event = rig_observed(rig, 0, MEMORY);
    event.valid |= VMRES_VALID_ENFORCED;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

/* A device's own word, out of all bounds: it cannot claim more than its maximum, or its ceiling. */
static void no_device_holds_more_than_its_maximum(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 1, 100);
    event = rig_observed(rig, 0, MEMORY);
    event.valid = VMRES_VALID_HELD;
    event.as.observed.held = UINT64_MAX;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "300 + 0");
    rig_delete(rig);
}

static void an_odd_amount_counts_as_a_whole_granule(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 1, 100);
    event = rig_observed(rig, 0, MEMORY);
    event.as.observed.held += 1;
    event.as.observed.witness += 1;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "101 + 199");
    rig_delete(rig);
}

static void the_devices_maximum_bounds_floor_and_ceiling(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 1, 100);
    event = rig_observed(rig, 0, MEMORY);
    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = 140 * VMRES_MIB;
    rig_told(rig, event);
    rig_wish(rig, 0, 200);
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 + 160");
    event = rig_observed(rig, 0, MEMORY); /* more was plugged in */
    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = 400 * VMRES_MIB;
    rig_told(rig, event);
    rig_round(rig);
    EXPECT_BOOKS(rig, "200 + 100");
    rig_delete(rig);
}

/* A device may be a part of a granule larger than what it can be told to hold. */
static void a_part_of_a_granule_more_than_its_maximum(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_add(rig, 0, 0, 120, 100);
    rig_boot(rig);
    event = rig_observed(rig, 0, MEMORY);
    event.valid |= VMRES_VALID_LIMIT;
    event.as.observed.limit = 140 * VMRES_MIB + 1;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "100 + 200");
    rig->vms[0].incarnation++; /* whoever lives in it now, it is the same device */
    event = rig_observed(rig, 0, MEMORY);
    event.as.observed.held = 150 * VMRES_MIB;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "141 + 159");
    assert_int_equal(view_of(rig->engine, 0, MEMORY)->held, 141);
    rig_delete(rig);
}

static void before_its_limits_there_is_nothing_to_observe(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_ADDED, 0, 3, 1));
    rig_refused(rig, vmres_event_make(VMRES_EVENT_OBSERVED, 0, 3, 1), VMRES_STATE);
    rig_delete(rig);
}

/* Observations race with answers: an open command's are what counts. */
static void a_charge_does_not_fall_while_anything_is_open(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    rig_wish_nothing(rig);
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 60, VMRES_RESULT_DONE);
    EXPECT_BOOKS(rig, "160 100 + 40");
    rig_delete(rig);
}

static void one_that_has_never_more_than_it_should_is_left_in_peace(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    for (uint32_t i = 0; i < 10; i++) {
        rig_told(rig, rig_observed(rig, i % 2, MEMORY));
        assert_int_equal(rig->sent_count, 0);
    }
    EXPECT_TRACE(rig, "");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retake_is_charged_at_once),
        cmocka_unit_test(a_retake_of_what_was_given_away_makes_a_deficit),
        cmocka_unit_test(the_witness_counts_beyond_its_tolerance),
        cmocka_unit_test(somebody_else_s_target_is_charged_too),
        cmocka_unit_test(what_it_was_told_to_hold_stays_charged),
        cmocka_unit_test(without_a_witness_a_charge_does_not_fall),
        cmocka_unit_test(no_device_holds_more_than_its_maximum),
        cmocka_unit_test(an_odd_amount_counts_as_a_whole_granule),
        cmocka_unit_test(the_devices_maximum_bounds_floor_and_ceiling),
        cmocka_unit_test(a_part_of_a_granule_more_than_its_maximum),
        cmocka_unit_test(before_its_limits_there_is_nothing_to_observe),
        cmocka_unit_test(a_charge_does_not_fall_while_anything_is_open),
        cmocka_unit_test(one_that_has_never_more_than_it_should_is_left_in_peace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
