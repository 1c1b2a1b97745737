/* SPDX-License-Identifier: MIT */
/* Step 3: what a policy sees, and the bounds it is held to, whatever it says. */
#include <string.h>

#include "support/rig.h"

/* vm0 .. vm2, 100 each of 300, which is what each is entitled to; the policy judges by reports. */
static struct rig *judged(void)
{
    struct rig *rig = rig_prepare(300, 1, false);

    rig_start(rig);
    rig_fleet(rig, 3, 100);
    return rig;
}

static void a_policy_sees_what_is_known(void **state)
{
    struct rig *rig = rig_prepare(400, 1, false);
    const struct vmres_view *view;

    (void)state;
    rig->resources[MEMORY].reserve = 40 * VMRES_MIB;
    rig_start(rig);
    rig_add(rig, 0, 20, 200, 100);
    rig_add(rig, 2, 10, 300, 50);
    rig_boot(rig);
    rig->vms[0].devices[MEMORY].used = 70;
    rig->vms[0].devices[MEMORY].stall = 1234;
    rig_round(rig);
    view = &rig->seen[MEMORY][0];
    assert_int_equal(view->floor, 20);
    assert_int_equal(view->ceiling, 200);
    assert_int_equal(view->weight, 1);
    assert_int_equal(view->entitlement, 180);
    assert_int_equal(view->held, 100);
    assert_int_equal(view->charge, 100);
    assert_int_equal(view->used, 70);
    assert_int_equal(view->available, 30);
    assert_int_equal(view->stall, 1234);
    assert_int_equal(view->flags, VMRES_VIEW_PRESENT | VMRES_VIEW_FRESH | VMRES_VIEW_REPORTED |
                                      VMRES_VIEW_DONOR | VMRES_VIEW_RECIPIENT);
    assert_int_equal(rig->seen[MEMORY][1].flags, 0);
    assert_int_equal(rig->round.count, 3);
    assert_int_equal(rig->round.capacity, 400);
    assert_int_equal(rig->round.reserve, 40);
    assert_int_equal(rig->round.free, 210);
    assert_int_equal(rig->round.deficit, 0);
    assert_int_equal(rig->round.granule, VMRES_MIB);
    assert_int_equal(rig->round.now_ms, 1000);
    rig_delete(rig);
}

static void floor_and_ceiling_hold_even_for_an_operator(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    rig_add(rig, 0, 60, 200, 100);
    rig_add(rig, 1, 0, 150, 100);
    rig_boot(rig);
    rig_wish(rig, 0, 0);
    rig_wish(rig, 1, UINT32_MAX - 1);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 150 + 150"); /* the free part sufficed */
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 0, 400 * VMRES_MIB));
    rig_round(rig);
    EXPECT_BOOKS(rig, "60 340 + 0");
    rig_delete(rig);
}

/* It uses 80 and is entitled to 100: nobody's word takes it below 80. */
static void what_is_used_and_due_is_not_taken(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig->vms[1].devices[MEMORY].used = 80;
    rig_wish(rig, 0, 300);
    rig_wish(rig, 1, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "120 80 100 + 0");
    rig_delete(rig);
}

static void what_is_lent_is_not_protected(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig_wish(rig, 0, 160);
    rig_wish(rig, 1, 40);
    rig_round(rig);
    EXPECT_BOOKS(rig, "160 40 100 + 0");
    rig->vms[0].devices[MEMORY].used = 160;
    rig->vms[1].devices[MEMORY].used = 40;
    rig_wish(rig, 0, 0);
    rig_wish(rig, 1, 300);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 100 + 0");
    rig_delete(rig);
}

/* One that stalls needs at least what it is charged with, whatever it says that it uses. */
static void one_that_stalls_is_not_shrunk_below_its_share(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig->vms[1].devices[MEMORY].used = 10;
    rig->vms[1].devices[MEMORY].stall = 100;
    rig_wish(rig, 0, 200);
    rig_wish(rig, 1, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 100 + 0");
    rig_delete(rig);
}

static void without_a_report_nobody_is_shrunk_or_grown(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_withhold(rig, 1, RIG_REPORTS);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_until(rig, 1250);
    assert_int_equal(rig->judged[MEMORY], 1);
    EXPECT_BOOKS(rig, "100 100 100 + 0");
    rig_delete(rig);
}

static void an_operator_needs_no_reports(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 0, RIG_REPORTS);
    rig_withhold(rig, 1, RIG_REPORTS);
    rig->vms[1].devices[MEMORY].used = 100;
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_until(rig, 1250);
    EXPECT_BOOKS(rig, "150 50 100 + 0");
    rig_delete(rig);
}

static void who_refuses_to_give_back_is_lent_nothing(void **state)
{
    struct rig *rig = rig_prepare(400, 1, false);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 150);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 100);
    rig_wish(rig, 1, 300);
    rig_round(rig);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 250 + 0");
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 0, 130 * VMRES_MIB));
    rig_wish(rig, 0, 400);
    rig_wish(rig, 1, 130);
    rig_round(rig);
    assert_true(rig->seen[MEMORY][0].flags & VMRES_VIEW_UNCOOPERATIVE);
    assert_int_equal(rig->seen[MEMORY][0].entitlement, 270);
    EXPECT_BOOKS(rig, "270 130 + 0");
    rig_delete(rig);
}

/* Nor is it when it may be asked again, but was not: not for long, or before it gave. */
static void who_refused_is_lent_nothing_before_it_gave(void **state)
{
    struct rig *rig = rig_prepare(400, 1, false);
    char line[512];

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 150);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 260);
    rig_round(rig);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_withhold(rig, 0, 0);
    rig_wish(rig, 0, 350);
    rig_wish(rig, 1, 50);
    rig_until(rig, 7000); /* 5 s it is left alone */
    assert_false(rig->seen[MEMORY][0].flags & VMRES_VIEW_UNCOOPERATIVE);
    EXPECT_BOOKS(rig, "200 200 + 0");
    vmres_engine_why(rig->engine, 0, MEMORY, line, sizeof line);
    assert_non_null(strstr(line, ", lent nothing: it did not give when it was asked"));
    rig_wish(rig, 0, 190);
    rig_wish(rig, 1, 210);
    rig_round(rig);
    EXPECT_BOOKS(rig, "190 210 + 0");
    rig_wish(rig, 0, 350);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    EXPECT_BOOKS(rig, "350 50 + 0");
    rig_delete(rig);
}

/* Eight times as long as it would be left alone the next time, that is. */
static void a_refusal_is_forgotten(void **state)
{
    struct rig *rig = rig_prepare(400, 1, false);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 150);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 260);
    rig_round(rig);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_REFUSED);
    rig_withhold(rig, 0, 0);
    rig_wish(rig, 0, 350);
    rig_wish(rig, 1, 50);
    rig_until(rig, 85500);
    EXPECT_BOOKS(rig, "200 200 + 0");
    rig_until(rig, 86500);
    EXPECT_BOOKS(rig, "350 50 + 0");
    rig_delete(rig);
}

static void a_verdict_on_nobody_is_not_heard(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig->wishes[MEMORY][7] = 50;
    rig_wish(rig, 0, 110);
    rig_wish(rig, 1, 90);
    rig_add(rig, 3, 0, 300, 0);
    rig_wish(rig, 3, 100); /* it does not live yet */
    rig_round(rig);
    EXPECT_BOOKS(rig, "110 90 100 0 + 0");
    rig_delete(rig);
}

static void promises_end_with_the_judgement_that_made_them(void **state)
{
    struct rig *rig = judged();

    (void)state;
    rig_ask(rig);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 10);
    rig_pump(rig);
    rig_forget_trace(rig);
    rig_wish_nothing(rig);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] transfer vm1 to vm0 moved 10MiB of 50MiB: done\n");
    EXPECT_BOOKS(rig, "110 90 100 + 0");
    rig_delete(rig);
}

/* --- entitlements --- */

static void entitlements_follow_weights_between_bounds(void **state)
{
    struct rig *rig = rig_new(1000);
    struct vmres_event limits;

    (void)state;
    rig_add(rig, 0, 0, 1000, 10);
    rig_add(rig, 1, 0, 1000, 10);
    rig_add(rig, 2, 300, 400, 300);
    rig_add(rig, 3, 0, 100, 10);
    rig_boot(rig);
    limits = vmres_event_limits(0, 1, 1, 0, 1000 * VMRES_MIB);
    limits.as.limits.weight = 2;
    rig_told(rig, limits);
    rig_round(rig);
    assert_in_range(rig->seen[MEMORY][0].entitlement, 199, 200);
    assert_in_range(rig->seen[MEMORY][1].entitlement, 399, 400);
    assert_int_equal(rig->seen[MEMORY][2].entitlement, 300);
    assert_int_equal(rig->seen[MEMORY][3].entitlement, 100);
    rig_gone(rig, 1);
    rig_round(rig);
    assert_int_equal(rig->seen[MEMORY][0].entitlement, 500);
    assert_int_equal(rig->seen[MEMORY][2].entitlement, 400);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_sees_what_is_known),
        cmocka_unit_test(floor_and_ceiling_hold_even_for_an_operator),
        cmocka_unit_test(what_is_used_and_due_is_not_taken),
        cmocka_unit_test(what_is_lent_is_not_protected),
        cmocka_unit_test(one_that_stalls_is_not_shrunk_below_its_share),
        cmocka_unit_test(without_a_report_nobody_is_shrunk_or_grown),
        cmocka_unit_test(an_operator_needs_no_reports),
        cmocka_unit_test(who_refuses_to_give_back_is_lent_nothing),
        cmocka_unit_test(who_refused_is_lent_nothing_before_it_gave),
        cmocka_unit_test(a_refusal_is_forgotten),
        cmocka_unit_test(a_verdict_on_nobody_is_not_heard),
        cmocka_unit_test(promises_end_with_the_judgement_that_made_them),
        cmocka_unit_test(entitlements_follow_weights_between_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
