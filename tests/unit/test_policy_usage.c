/* SPDX-License-Identifier: MIT */
/* The method's own rule: its figure 2, the guards on both sides, and that it comes to rest. */
#include "judgement.h"

static struct vmres_usage_options figure_2 = {
    .low = 650000, .high = 720000, .region = 16 * GRANULE, .regions = 1};

/* A host whose VMs do at once what they are told. `demands`: what each would use if it could. */
static uint32_t follow(struct judgement *j, const uint32_t *demands)
{
    for (uint32_t i = 0; i < j->verdict.count; i++) {
        uint32_t vm = j->named[i];

        j->round.free += j->views[vm].held;
        assert_true(j->round.free >= j->targets[vm]);
        j->round.free -= j->targets[vm];
        j->views[vm].held = j->views[vm].charge = j->targets[vm];
    }
    for (uint32_t vm = 0; vm < j->round.count; vm++) {
        struct vmres_view *view = &j->views[vm];

        judgement_report(view, view->held, demands[vm] < view->held ? demands[vm] : view->held, 0);
    }
    return j->verdict.count;
}

static void expect_near(uint32_t got, uint32_t wanted, uint32_t distance)
{
    assert_in_range(got, wanted - distance, wanted + distance);
}

static void figure_2_converges_and_rests(void **state)
{
    static const uint32_t demands[] = {400, 160, 280}; /* 100 %, 40 %, 70 % of 400 each */
    struct judgement j;
    uint32_t rounds = 0;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    for (uint32_t vm = 0; vm < 3; vm++)
        judgement_add(&j, 400, 400 - demands[vm]);
    do {
        judgement_judge(&j);
        assert_false(j.set[2]);
        assert_true(++rounds < 100);
    } while (follow(&j, demands) > 0);
    expect_near(j.views[0].held, 400 * 10 / 7, 16);
    expect_near(j.views[1].held, 160 * 10 / 7, 16);
    assert_int_equal(j.views[2].held, 400);
    assert_int_equal(j.round.free, 0);
    judgement_close(&j);
}

static void one_region_moves_at_a_time(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 240);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 416);
    EXPECT_REASON(&j, 0, "its usage rate is high");
    EXPECT_TARGET(&j, 1, 384);
    EXPECT_REASON(&j, 1, "its usage rate is low");
    judgement_close(&j);
}

static void or_as_many_as_chosen(void **state)
{
    struct vmres_usage_options options = figure_2;
    struct judgement j;

    (void)state;
    options.regions = 5;
    EXPECT_OK(judgement_open(&j, "usage", &options, 1200));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 240);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 480);
    EXPECT_TARGET(&j, 1, 320);
    judgement_close(&j);
}

static void the_pool_comes_first(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 240);
    j.round.free = 16;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 0, 416);
    j.round.free = 15; /* not a whole region */
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    judgement_close(&j);
}

static void nobody_is_decreased_for_nobody(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 120);
    judgement_add(&j, 400, 400);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void the_larger_excess_and_deficiency_first(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1600));
    judgement_add(&j, 400, 200);
    judgement_add(&j, 400, 300);
    judgement_add(&j, 400, 60);
    judgement_add(&j, 400, 0);
    j.views[1].floor = 384; /* one region is all it may give */
    j.round.free = 0;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 4);
    assert_int_equal(j.named[0], 1);
    assert_int_equal(j.named[1], 0);
    assert_int_equal(j.named[2], 3);
    assert_int_equal(j.named[3], 2);
    j.views[0].flags &= (uint16_t)~VMRES_VIEW_DONOR;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 1, 384);
    EXPECT_TARGET(&j, 3, 416);
    judgement_close(&j);
}

static void a_decrease_does_not_pass_high(void **state)
{
    struct vmres_usage_options options = figure_2;
    struct judgement j;

    (void)state;
    options.region = 100 * GRANULE;
    EXPECT_OK(judgement_open(&j, "usage", &options, 800));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 160); /* 60 %; with a region less it would be at 80 % */
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void an_increase_does_not_pass_low(void **state)
{
    struct vmres_usage_options options = figure_2;
    struct judgement j;

    (void)state;
    options.region = 100 * GRANULE;
    EXPECT_OK(judgement_open(&j, "usage", &options, 800));
    judgement_add(&j, 200, 20); /* 90 %; with a region more it would be at 60 % */
    j.round.free = 600;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_report(&j.views[0], 150, 150, 0); /* full use: nobody knows where it would be */
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 250);
    judgement_close(&j);
}

static void a_low_mark_of_nothing_decreases_nobody(void **state)
{
    struct vmres_usage_options options = figure_2;
    struct judgement j;

    (void)state;
    options.low = 0;
    EXPECT_OK(judgement_open(&j, "usage", &options, 800));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 400);
    judgement_judge(&j);
    assert_int_equal(j.verdict.count, 0);
    judgement_close(&j);
}

static void floor_and_ceiling_hold(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 0)->ceiling = 415;
    judgement_add(&j, 400, 0)->ceiling = 416;
    judgement_add(&j, 400, 400)->floor = 385;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    j.views[2].floor = 384;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 1, 416);
    EXPECT_TARGET(&j, 2, 384);
    judgement_close(&j);
}

static void the_mean_of_the_samples_is_preferred(void **state)
{
    struct judgement j;
    struct vmres_view *view;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    view = judgement_add(&j, 400, 0);
    view->used_mean = 280;
    j.round.free = 100;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    view->flags |= VMRES_VIEW_SAMPLES;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void a_region_under_way_is_let_arrive(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 410, 0)->incoming = 6;
    judgement_add(&j, 390, 230)->outgoing = 6;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 416);
    EXPECT_TARGET(&j, 1, 384);
    judgement_close(&j);
}

static void silence_is_left_alone(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 0);
    judgement_add(&j, 400, 400)->flags &= (uint16_t)~VMRES_VIEW_FRESH;
    judgement_add(&j, 400, 400)->flags |= VMRES_VIEW_UNCOOPERATIVE;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void the_default_region_is_a_64th(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", NULL, 6400));
    judgement_add(&j, 1000, 0);
    j.round.free = 5400;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 1100);
    judgement_close(&j);
}

/* Whatever the start, with constant demand all comes to rest, and stays so. */
static void it_comes_to_rest(void **state)
{
    uint32_t demands[8];
    uint32_t random = 1;

    (void)state;
    for (uint32_t trial = 0; trial < 300; trial++) {
        struct judgement j;
        uint32_t rounds = 0;

        EXPECT_OK(judgement_open(&j, "usage", trial % 2 ? &figure_2 : NULL, 3200));
        for (uint32_t vm = 0; vm < 8; vm++) {
            random = random * 1664525 + 1013904223;
            demands[vm] = (random >> 8) % 900;
            judgement_add(&j, 300 + (random >> 20) % 100, 0);
            j.views[vm].floor = 50;
        }
        j.round.free = 0;
        follow(&j, demands);
        do {
            judgement_judge(&j);
            assert_true(++rounds < 500);
        } while (follow(&j, demands) > 0);
        judgement_close(&j);
    }
}

static void marks_the_wrong_way_round_are_refused(void **state)
{
    struct vmres_usage_options options = figure_2;
    struct judgement j;

    (void)state;
    options.low = options.high;
    EXPECT_STATUS(judgement_open(&j, "usage", &options, 1200), VMRES_INVALID);
    judgement_close(&j);
}

static void it_explains_itself(void **state)
{
    struct judgement j;
    char line[128];
    size_t length;

    (void)state;
    EXPECT_OK(judgement_open(&j, "usage", &figure_2, 1200));
    judgement_add(&j, 400, 240);
    length = j.ops->explain(j.state, judgement_vm_state(&j, 0), &j.views[0], line, sizeof line);
    assert_string_equal(line, "usage rate 40%; decreased below 65%, increased above 72%");
    assert_int_equal(length, strlen(line));
    judgement_close(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_2_converges_and_rests),
        cmocka_unit_test(one_region_moves_at_a_time),
        cmocka_unit_test(or_as_many_as_chosen),
        cmocka_unit_test(the_pool_comes_first),
        cmocka_unit_test(nobody_is_decreased_for_nobody),
        cmocka_unit_test(the_larger_excess_and_deficiency_first),
        cmocka_unit_test(a_decrease_does_not_pass_high),
        cmocka_unit_test(an_increase_does_not_pass_low),
        cmocka_unit_test(a_low_mark_of_nothing_decreases_nobody),
        cmocka_unit_test(floor_and_ceiling_hold),
        cmocka_unit_test(the_mean_of_the_samples_is_preferred),
        cmocka_unit_test(a_region_under_way_is_let_arrive),
        cmocka_unit_test(silence_is_left_alone),
        cmocka_unit_test(the_default_region_is_a_64th),
        cmocka_unit_test(it_comes_to_rest),
        cmocka_unit_test(marks_the_wrong_way_round_are_refused),
        cmocka_unit_test(it_explains_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
