/* SPDX-License-Identifier: MIT */
/*
 * What the swarm found, each as short as it could be told. The names say what must hold.
 */
#include "support/rig.h"

static struct vmres_event later_life(const struct rig *rig, enum vmres_event_type type, uint32_t vm)
{
    struct vmres_event event = rig_event(rig, type, vm);

    event.incarnation++;
    return event;
}

/* Two VMs of 100 in a host of 300, and one that is told to give, in a dry run. */
static struct rig *dry(void)
{
    struct rig *rig = rig_prepare(300, 1, true);

    rig->options.dry_run = 1;
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 60);
    rig_round(rig);
    assert_int_equal(rig_transfers(rig), 1);
    return rig;
}

static void a_party_of_a_mere_plan_may_leave(void **state)
{
    for (uint32_t vm = 0; vm < 2; vm++) {
        struct rig *rig = dry();

        (void)state;
        rig_gone(rig, vm);
        rig_pump(rig);
        assert_int_equal(rig_transfers(rig), 0);
        rig_delete(rig);
    }
}

static void a_plan_ends_with_the_dry_run(void **state)
{
    struct rig *rig = dry();

    (void)state;
    rig_told(rig, vmres_event_make(VMRES_EVENT_DRY_RUN, rig->now, 0, 0));
    assert_int_equal(rig_transfers(rig), 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 60 100 + 0");
    rig_delete(rig);
}

/* A removal that waits for a pin's end when a dry run begins would be asked for on reports that
 * nobody looks at any longer. */
static void a_dry_run_calls_off_what_waits(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event on = vmres_event_make(VMRES_EVENT_DRY_RUN, 0, 0, 0);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_PIN);
    rig_wish(rig, 1, 80);
    rig_wish(rig, 0, 120);
    rig_round(rig);
    rig_wish(rig, 1, 100);
    rig_wish(rig, 0, 100);
    rig_round(rig);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_PIN));
    rig_wish(rig, 1, 80);
    rig_wish(rig, 0, 120);
    rig_round(rig);
    assert_true(rig_is_open(rig, 1, VMRES_ACTION_PIN));
    assert_int_equal(rig_transfers(rig), 1);
    on.time_ms = rig->now;
    on.result = 1;
    rig_told(rig, on);
    assert_int_equal(rig_transfers(rig), 0);
    rig_delete(rig);
}

static void what_is_refused_tells_of_no_birth(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_refused(rig, later_life(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_UNKNOWN);
    EXPECT_STATE(rig, 0, VMRES_VM_LIVE);
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_ADDED, rig->now, 5, 1));
    rig_refused(rig, vmres_event_make(VMRES_EVENT_OBSERVED, rig->now, 5, 2), VMRES_STATE);
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_GONE, rig->now, 5, 1));
    rig_delete(rig);
}

static void nothing_can_be_allotted_in_a_deficit(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event less = vmres_event_make(VMRES_EVENT_CAPACITY, 0, 0, 0);

    (void)state;
    rig_fleet(rig, 3, 100);
    less.time_ms = rig->now;
    less.as.capacity.capacity = 250 * VMRES_MIB;
    rig_told(rig, less);
    rig_add(rig, 3, 0, 50, NONE);
    rig_told(rig, vmres_event_make(VMRES_EVENT_ALLOT, rig->now, 0, 0));
    assert_int_equal(rig_charge(rig, 3, MEMORY), 0);
    rig_delete(rig);
}

static void all_of_an_odd_maximum_is_charged(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 2, 100);
    event = rig_observed(rig, 0, MEMORY);
    event.valid = VMRES_VALID_LIMIT | VMRES_VALID_HELD;
    event.as.observed.limit = 120 * VMRES_MIB + 1;
    event.as.observed.held = event.as.observed.limit;
    rig->lying = true;
    rig_told(rig, event);
    assert_int_equal(rig_charge(rig, 0, MEMORY), 121);
    rig_delete(rig);
}

static void a_witness_speaks_for_its_own_word(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    rig->vms[1].devices[MEMORY].valid = VMRES_VALID_HELD | VMRES_VALID_ENFORCED;
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 60);
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 60 100 + 0");
    event = rig_observed(rig, 1, MEMORY);
    event.valid = VMRES_VALID_HELD;
    rig_told(rig, event);
    EXPECT_BOOKS(rig, "140 60 100 + 0");
    rig_delete(rig);
}

/* It was seen before the request arrived, and heard after it was sent. */
static void an_old_target_makes_no_deficit(void **state)
{
    struct rig *rig = rig_new(120);
    struct vmres_event seen;

    (void)state;
    rig_fleet(rig, 2, 60);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 80);
    rig_wish(rig, 1, 40);
    rig_round(rig);
    seen = rig_event(rig, VMRES_EVENT_OBSERVED, 1);
    seen.valid = VMRES_VALID_HELD | VMRES_VALID_TARGET | VMRES_VALID_WITNESS;
    seen.as.observed.held = 60 * VMRES_MIB;
    seen.as.observed.target = 60 * VMRES_MIB;
    seen.as.observed.witness = 60 * VMRES_MIB;
    rig_told(rig, seen);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "80 40 + 0");
    rig_delete(rig);
}

static void a_first_allotment_comes_before_life(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 50, 100, NONE);
    rig_withhold(rig, 0, RIG_REASSIGN);
    rig_told(rig, vmres_event_make(VMRES_EVENT_ALLOT, rig->now, 0, 0));
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_STATE);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_party_of_a_mere_plan_may_leave),
        cmocka_unit_test(a_plan_ends_with_the_dry_run),
        cmocka_unit_test(a_dry_run_calls_off_what_waits),
        cmocka_unit_test(what_is_refused_tells_of_no_birth),
        cmocka_unit_test(nothing_can_be_allotted_in_a_deficit),
        cmocka_unit_test(all_of_an_odd_maximum_is_charged),
        cmocka_unit_test(a_witness_speaks_for_its_own_word),
        cmocka_unit_test(an_old_target_makes_no_deficit),
        cmocka_unit_test(a_first_allotment_comes_before_life),
    };

    return cmocka_run_group_tests_name("regressions", tests, NULL, NULL);
}
