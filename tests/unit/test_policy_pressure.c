/* SPDX-License-Identifier: MIT */
/*
 * Surplus first: who is asked, who gets what, and what is learned. Entitlements are set by hand, so
 * that each test shows the numbers it speaks of. A stall of s means a demand of held / (1 - s), and
 * the estimate is one granule above that.
 */
#include "judgement.h"

#define PERCENT 100 /* of VMRES_STALL_ONE */
#define STALLS "stalls: gets what it misses"
#define SURPLUS "largest surplus"
#define SQUEEZED "above its entitlement, while others are below theirs"

static void open_pressure(struct judgement *j, const struct vmres_pressure_options *options,
                          uint64_t capacity)
{
    EXPECT_OK(judgement_open(j, "pressure", options, capacity));
}

/* The same where the host enforces: moving costs nothing. */
static void open_costless(struct judgement *j, uint64_t capacity)
{
    struct vmres_policy_host host = {
        .resource = &j->resource, .granule = GRANULE, .period_ms = 1000, .max_vms = JUDGED_VMS};

    open_pressure(j, NULL, capacity);
    j->resource.removal = VMRES_REMOVAL_HOST;
    EXPECT_OK(j->ops->start(j->state, j->ops->defaults, &host));
}

static struct vmres_pressure_options capped(uint64_t release, uint64_t grant)
{
    return (struct vmres_pressure_options){
        .release = release * GRANULE, .grant = grant * GRANULE, .margin = VMRES_PPM / 16};
}

static void nobody_stalls_nobody_is_named(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 1000, 990);
    judgement_add(&j, 500, 0);
    j.round.free = 500;
    for (uint32_t round = 0; round < 5; round++) {
        judgement_judge(&j);
        EXPECT_NAMED(&j, 0);
    }
    judgement_close(&j);
}

static void the_largest_surplus_gives_just_what_is_missing(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 500, 300);
    judgement_add(&j, 600, 500);
    judgement_add(&j, 500, 400);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 3, 501);
    EXPECT_REASON(&j, 3, STALLS);
    EXPECT_TARGET(&j, 1, 600 - 101);
    EXPECT_REASON(&j, 1, SURPLUS);
    judgement_close(&j);
}

static void then_the_next_largest(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 500, 64);
    judgement_add(&j, 600, 160);
    judgement_add(&j, 500, 80);
    judgement_add_stalled(&j, 400, 50 * PERCENT, 500);
    judgement_judge(&j); /* 401 missing: 150 + 75 + 60 is all there is, a 16th left in place */
    EXPECT_TARGET(&j, 0, 500 - 60);
    EXPECT_TARGET(&j, 1, 600 - 150);
    EXPECT_TARGET(&j, 2, 500 - 75);
    EXPECT_TARGET(&j, 3, 400 + 285);
    judgement_close(&j);
}

/* A granule of margin is kept as a whole only where it would cost to bring it back. */
static void where_moving_costs_nothing_all_give_alike(void **state)
{
    struct judgement j;

    (void)state;
    open_costless(&j, 2000);
    judgement_add(&j, 500, 320);
    judgement_add(&j, 600, 480);
    judgement_add(&j, 500, 10);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j); /* 101 of 300, 450 and 10 */
    EXPECT_NAMED(&j, 4);
    EXPECT_TARGET(&j, 3, 501);
    EXPECT_TARGET(&j, 0, 500 - 39);
    EXPECT_TARGET(&j, 1, 600 - 60);
    EXPECT_TARGET(&j, 2, 500 - 2);
    judgement_close(&j);
}

/* Of who grew last a quarter counts like what the others have; the rest when that is not enough. */
static void where_moving_costs_nothing_who_grew_gives_last(void **state)
{
    struct judgement j;

    (void)state;
    open_costless(&j, 3000);
    judgement_add(&j, 400, 0);
    judgement_add(&j, 500, 320);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 400);
    judgement_judge(&j);
    judgement_report(&j.views[0], 500, 180, 0); /* it grew, and could spare 300 now */
    judgement_judge(&j);                        /* 101 of 75 and 300 */
    EXPECT_TARGET(&j, 0, 500 - 20);
    EXPECT_TARGET(&j, 1, 500 - 81);
    judgement_report(&j.views[2], 400, 400, 50 * PERCENT);
    judgement_judge(&j); /* 401: 375, then 26 of the other 225 */
    EXPECT_TARGET(&j, 0, 500 - 75 - 26);
    EXPECT_TARGET(&j, 1, 500 - 300);
    judgement_report(&j.views[0], 480, 180, 0); /* it gave since */
    judgement_judge(&j);                        /* 401 of 282 and 300 */
    EXPECT_TARGET(&j, 0, 480 - 194);
    EXPECT_TARGET(&j, 1, 500 - 207);
    judgement_close(&j);
}

static void the_pool_comes_first(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 600, 500);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    j.round.free = 101;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 1, 501);
    j.round.free = 100;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 599);
    judgement_close(&j);
}

static void no_donor_is_asked_for_more_than_a_round_can_bring(void **state)
{
    const struct vmres_pressure_options options = capped(40, 1000);
    struct judgement j;

    (void)state;
    open_pressure(&j, &options, 2000);
    judgement_add(&j, 500, 300);
    judgement_add(&j, 600, 500);
    judgement_add(&j, 500, 400);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 1, 560);
    EXPECT_TARGET(&j, 2, 460);
    EXPECT_TARGET(&j, 0, 500 - 21);
    EXPECT_TARGET(&j, 3, 501);
    judgement_close(&j);
}

static void nobody_asks_for_more_than_it_can_take_in_a_round(void **state)
{
    const struct vmres_pressure_options options = capped(1000, 30);
    struct judgement j;

    (void)state;
    open_pressure(&j, &options, 2000);
    judgement_add(&j, 600, 500);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 570);
    EXPECT_TARGET(&j, 1, 430);
    judgement_close(&j);
}

static void the_slowest_device_still_moves_a_granule(void **state)
{
    const struct vmres_pressure_options options = {.release = 1, .grant = 1, .margin = 0};
    struct judgement j;

    (void)state;
    open_pressure(&j, &options, 2000);
    judgement_add(&j, 600, 500);
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 599);
    EXPECT_TARGET(&j, 1, 401);
    judgement_close(&j);
}

/* Without a margin all idle memory goes before any in use; with nothing but margin a VM keeps what
 * is idle within its share, and who is above his own gives of what he uses. */
static void the_margin_is_what_idle_memory_is_not_taxed(void **state)
{
    static const struct {
        uint64_t margin;
        uint32_t idle, greedy;
    } cases[] = {{0, 200, 0}, {VMRES_PPM / 2, 250, 350}, {VMRES_PPM, 0, 300}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct vmres_pressure_options options = {.margin = cases[i].margin};
        struct judgement j;

        open_pressure(&j, &options, 1000);
        judgement_add(&j, 300, 100)->entitlement = 300;
        judgement_add(&j, 400, 0)->entitlement = 250;
        judgement_add_stalled(&j, 100, 50 * PERCENT, 200);
        judgement_judge(&j);
        assert_int_equal(j.targets[0], cases[i].idle); /* 0: not named */
        assert_int_equal(j.targets[1], cases[i].greedy);
        EXPECT_TARGET(&j, 2, 200);
        judgement_close(&j);
    }
}

static void memory_in_use_is_safe_while_there_is_surplus(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 600, 0)->entitlement = 400;
    judgement_add(&j, 250, 160)->entitlement = 300;
    judgement_add_stalled(&j, 150, 50 * PERCENT, 300);
    judgement_judge(&j); /* owed 150, and that is just the surplus */
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 1, 100);
    EXPECT_TARGET(&j, 2, 300);
    judgement_close(&j);
}

static void then_those_above_their_entitlement_give_to_those_below(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 500, 0)->entitlement = 350;
    judgement_add(&j, 330, 0)->entitlement = 250;
    judgement_add(&j, 120, 64)->entitlement = 200;
    judgement_add_stalled(&j, 100, 60 * PERCENT, 200);
    judgement_judge(&j); /* owed 100, surplus 60; the other 40 in proportion to 150 and 80 above */
    EXPECT_NAMED(&j, 4);
    EXPECT_TARGET(&j, 2, 60);
    EXPECT_REASON(&j, 2, SURPLUS);
    EXPECT_TARGET(&j, 0, 500 - 26);
    EXPECT_REASON(&j, 0, SQUEEZED);
    EXPECT_TARGET(&j, 1, 330 - 14);
    EXPECT_REASON(&j, 1, SQUEEZED);
    EXPECT_TARGET(&j, 3, 200);
    judgement_close(&j);
}

/* Surplus that only needs time is surplus: it spares others, and its owner. */
static void what_comes_later_is_waited_for(void **state)
{
    const struct vmres_pressure_options options = capped(20, 1000);
    struct judgement j;

    (void)state;
    open_pressure(&j, &options, 1000);
    judgement_add(&j, 500, 0)->entitlement = 350;
    judgement_add(&j, 400, 160)->entitlement = 300;
    judgement_add_stalled(&j, 100, 50 * PERCENT, 200);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 1, 380);
    EXPECT_TARGET(&j, 2, 120);
    judgement_report(&j.views[1], 400, 352, 0);
    judgement_judge(&j); /* 45 will come of the 100 owed; 55 are taken from the first alone */
    EXPECT_NAMED(&j, 3);
    EXPECT_TARGET(&j, 0, 500 - 55);
    EXPECT_TARGET(&j, 1, 380);
    EXPECT_TARGET(&j, 2, 175);
    judgement_close(&j);
}

static void nobody_above_its_entitlement_makes_another_swap(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 600, 0)->entitlement = 300;
    judgement_add_stalled(&j, 400, 30 * PERCENT, 300);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void a_hog_that_stalls_is_squeezed_too(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add_stalled(&j, 800, 30 * PERCENT, 500);
    judgement_add_stalled(&j, 200, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 800 - 51);
    EXPECT_REASON(&j, 0, SQUEEZED);
    EXPECT_TARGET(&j, 1, 251);
    judgement_close(&j);
}

static void the_least_allotted_come_first(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add_stalled(&j, 300, 50 * PERCENT, 0);
    judgement_add_stalled(&j, 200, 50 * PERCENT, 0);
    judgement_add_stalled(&j, 100, 50 * PERCENT, 0);
    j.round.free = 150;
    judgement_judge(&j); /* a level of 225: the third has all it asked for at 201 */
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 2, 201);
    EXPECT_TARGET(&j, 1, 249);
    judgement_close(&j);
}

static void allotments_are_compared_per_weight(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add_stalled(&j, 300, 50 * PERCENT, 0)->weight = 300;
    judgement_add_stalled(&j, 100, 50 * PERCENT, 0)->weight = 100;
    judgement_add_stalled(&j, 200, 50 * PERCENT, 0)->weight = 100;
    j.round.free = 40;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 330);
    EXPECT_TARGET(&j, 1, 110);
    judgement_close(&j);
}

static void the_last_granules_find_somebody(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    for (uint32_t vm = 0; vm < 3; vm++)
        judgement_add_stalled(&j, 100, 50 * PERCENT, 0);
    j.round.free = 5;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 102);
    EXPECT_TARGET(&j, 1, 102);
    EXPECT_TARGET(&j, 2, 101);
    judgement_close(&j);
}

static void floor_and_ceiling_hold(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 500, 500)->floor = 490;
    j.views[0].entitlement = 500;
    judgement_add_stalled(&j, 400, 50 * PERCENT, 500)->ceiling = 405;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 495);
    EXPECT_TARGET(&j, 1, 405);
    j.views[1].ceiling = 2000;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 490);
    EXPECT_TARGET(&j, 1, 410);
    judgement_close(&j);
}

static void only_those_that_may_take_part_do(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 300, 250)->flags &= (uint16_t)~VMRES_VIEW_DONOR;
    judgement_add(&j, 300, 250)->flags &= (uint16_t)~VMRES_VIEW_FRESH;
    judgement_add(&j, 300, 250)->flags |= VMRES_VIEW_UNCOOPERATIVE;
    judgement_add(&j, 300, 250)->flags &= (uint16_t)~VMRES_VIEW_PRESENT;
    judgement_add_stalled(&j, 100, 20 * PERCENT, 100)->flags &= (uint16_t)~VMRES_VIEW_RECIPIENT;
    judgement_add_stalled(&j, 100, 20 * PERCENT, 100)->flags &= (uint16_t)~VMRES_VIEW_FRESH;
    j.round.free = 10;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_add_stalled(&j, 100, 20 * PERCENT, 0)->flags |= VMRES_VIEW_UNCOOPERATIVE;
    judgement_judge(&j); /* it gives nothing, yet a stall is a stall */
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 6, 110);
    judgement_close(&j);
}

static void what_is_on_its_way_is_not_asked_for_again(void **state)
{
    struct judgement j;
    struct vmres_view *view;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 500, 400);
    view = judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    view->charge = 460;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 500 - 41);
    EXPECT_TARGET(&j, 1, 501);
    view->charge = 501;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 1, 501);
    EXPECT_REASON(&j, 1, "stalls: what it misses is on its way");
    judgement_close(&j);
}

/* A notice of one VM pulls a judgement in which the others have said nothing new. */
static void old_words_are_about_what_was_held_then(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 1000);
    judgement_add(&j, 400, 200)->entitlement = 400;
    judgement_add_stalled(&j, 200, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 400 - 51);
    EXPECT_TARGET(&j, 1, 251);
    for (uint32_t vm = 0; vm < 2; vm++)
        j.views[vm].flags &= (uint16_t)~VMRES_VIEW_REPORTED;
    j.views[0].held = j.views[0].charge = 400 - 51;
    j.views[1].held = j.views[1].charge = 251;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_add_stalled(&j, 100, 75 * PERCENT, 500);
    judgement_judge(&j); /* 149 are left of the 200, and a 16th of them stays */
    EXPECT_NAMED(&j, 2);
    EXPECT_TARGET(&j, 0, 349 - 139);
    EXPECT_TARGET(&j, 2, 239);
    judgement_close(&j);
}

static void an_absurd_stall_is_taken_with_care(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 10000);
    judgement_add_stalled(&j, 100, VMRES_STALL_ONE, 100);
    judgement_add_stalled(&j, 0, VMRES_STALL_ONE, 100);
    j.round.free = 9900;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 401);
    EXPECT_TARGET(&j, 1, 1);
    judgement_close(&j);
}

static void a_peak_that_agrees_with_the_stall_is_believed(void **state)
{
    struct judgement j;
    struct vmres_view *view;

    (void)state;
    open_pressure(&j, NULL, 2000);
    view = judgement_add(&j, 600, 100); /* it uses 500 */
    judgement_judge(&j);
    j.round.free = 1000;
    judgement_report(view, 400, 400, 24 * PERCENT);
    judgement_judge(&j); /* 24 % would be 526; 500 is well within the noise */
    EXPECT_TARGET(&j, 0, 500);
    judgement_report(view, 400, 400, 40 * PERCENT);
    judgement_judge(&j); /* 40 % is not */
    EXPECT_TARGET(&j, 0, 667);
    judgement_report(view, 400, 400, 5 * PERCENT);
    judgement_judge(&j); /* nor is 5 % */
    EXPECT_TARGET(&j, 0, 422);
    judgement_close(&j);
}

static void a_peak_is_forgotten_granule_by_granule(void **state)
{
    struct judgement j;
    struct vmres_view *view;

    (void)state;
    open_pressure(&j, NULL, 2000);
    view = judgement_add(&j, 600, 100);
    judgement_judge(&j);
    judgement_report(view, 600, 400, 0);
    for (uint32_t round = 0; round < 1420; round++) /* its half-life */
        judgement_judge(&j);
    j.round.free = 1000;
    judgement_report(view, 400, 400, 14 * PERCENT); /* 466, or the peak if it is within the noise */
    judgement_judge(&j);
    assert_in_range(j.targets[0], 448, 452);
    judgement_close(&j);
}

/* One spell of need above the entitlement, `length` rounds long; the pool gives and takes back. */
static uint32_t run_spell(struct judgement *j, uint32_t length)
{
    uint32_t waited = 0;

    for (uint32_t round = 0; round < length; round++) {
        judgement_report(&j->views[0], 400, 400, 20 * PERCENT);
        judgement_judge(j);
        waited += j->set[0] ? 0 : 1;
    }
    for (uint32_t round = 0; round < 3; round++) {
        judgement_report(&j->views[0], 400, 200, 0);
        judgement_judge(j);
        EXPECT_NAMED(j, 0);
    }
    return waited;
}

static void short_spells_are_learned_to_be_waited_out(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 400, 200)->entitlement = 400;
    j.round.free = 1000;
    assert_int_equal(run_spell(&j, 2), 0);
    for (uint32_t spell = 0; spell < 20; spell++)
        run_spell(&j, 2);
    assert_int_equal(run_spell(&j, 2), 2);
    /* Not for ever: after two moves' worth, 3.28 s, the wait is over. */
    assert_int_equal(run_spell(&j, 10), 4);
    for (uint32_t spell = 0; spell < 20; spell++)
        run_spell(&j, 30);
    assert_int_equal(run_spell(&j, 30), 0);
    judgement_close(&j);
}

static void up_to_its_entitlement_nobody_waits(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 400, 200)->entitlement = 450;
    j.round.free = 1000;
    for (uint32_t spell = 0; spell < 20; spell++)
        run_spell(&j, 2);
    judgement_report(&j.views[0], 400, 400, 20 * PERCENT);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 450);
    judgement_close(&j);
}

/* Host-enforced kinds move at no cost: nothing is worth waiting for. */
static void what_costs_nothing_is_not_waited_for(void **state)
{
    struct judgement j;

    (void)state;
    open_costless(&j, 2000);
    judgement_add(&j, 400, 200)->entitlement = 400;
    j.round.free = 1000;
    for (uint32_t spell = 0; spell < 20; spell++)
        assert_int_equal(run_spell(&j, 2), 0);
    judgement_close(&j);
}

/* --- sensors ---------------------------------------------------------------------------- */

/* A VM whose stall is known to come a round late; it holds 400 and uses 300. */
static struct vmres_view *add_late(struct judgement *j)
{
    struct vmres_view *view = judgement_add(j, 400, 100);

    view->entitlement = 400;
    view->stall = 10 * PERCENT;
    judgement_judge(j);
    EXPECT_NAMED(j, 0);
    view->stall = 0;
    judgement_judge(j);
    EXPECT_NAMED(j, 0);
    return view;
}

/* Nobody else, on a host of 2000 of which 1000 are free. */
static struct vmres_view *open_late(struct judgement *j)
{
    open_pressure(j, NULL, 2000);
    j->round.free = 1000;
    return add_late(j);
}

static void report_and_judge(struct judgement *j, uint32_t held, uint32_t used, uint16_t stall)
{
    judgement_report(&j->views[0], held, used, stall);
    judgement_judge(j);
}

static void who_has_memory_available_is_not_short(void **state)
{
    struct judgement j;

    (void)state;
    open_pressure(&j, NULL, 2000);
    j.round.free = 1000;
    judgement_add_stalled(&j, 400, 20 * PERCENT, 500);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 501);
    report_and_judge(&j, 500, 480, 20 * PERCENT); /* it has 20: the stall is of the past */
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

/* Guests never come to use the very last page. */
static void who_stalls_with_next_to_nothing_available_is_short(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 395, 0);
    EXPECT_NAMED(&j, 0);
    report_and_judge(&j, 400, 395, 20 * PERCENT);
    EXPECT_TARGET(&j, 0, 501);
    judgement_close(&j);
}

static void a_late_stall_speaks_of_what_was_held_before(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 400, 0);
    report_and_judge(&j, 413, 413, 20 * PERCENT); /* 400 / 0.8, and not 413 / 0.8 */
    EXPECT_TARGET(&j, 0, 501);
    judgement_close(&j);
}

static void a_prompt_stall_speaks_of_what_is_held(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 400, 4 * PERCENT); /* told as soon as the last is used up */
    report_and_judge(&j, 440, 440, 20 * PERCENT);
    EXPECT_TARGET(&j, 0, 551);
    judgement_close(&j);
}

static void who_is_told_of_late_is_short_when_the_last_is_used_up(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 310, 0);
    EXPECT_NAMED(&j, 0);
    report_and_judge(&j, 400, 400, 0); /* 90 more than a round ago, at least */
    EXPECT_TARGET(&j, 0, 490);
    EXPECT_REASON(&j, 0, "has used up all: gets what it may miss");
    report_and_judge(&j, 490, 490, 0); /* and no stall: then it was enough */
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

/* Up to its entitlement it waits for nothing, nor where so much is missing that it is no drift. */
static void where_moving_costs_nothing_a_late_stall_is_half_believed(void **state)
{
    struct judgement j;

    (void)state;
    open_costless(&j, 4000);
    j.round.free = 3000;
    add_late(&j);
    report_and_judge(&j, 400, 310, 0);
    report_and_judge(&j, 400, 400, 0);
    EXPECT_TARGET(&j, 0, 401);
    report_and_judge(&j, 400, 400, 20 * PERCENT); /* 101 are missing */
    EXPECT_TARGET(&j, 0, 451);
    j.views[0].entitlement = 421;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 462);
    j.views[0].entitlement = 900;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 501);
    judgement_close(&j);
    open_costless(&j, 4000);
    j.round.free = 3000;
    add_late(&j);
    report_and_judge(&j, 400, 310, 0);
    report_and_judge(&j, 400, 400, 0);
    for (uint32_t round = 2; round <= 4; round++) {
        report_and_judge(&j, 400, 400, 50 * PERCENT); /* 401 are missing */
        EXPECT_TARGET(&j, 0, round <= 3 ? 801 : 601);
    }
    judgement_close(&j);
}

static void at_least_a_32nd_is_guessed(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 400, 0);
    EXPECT_TARGET(&j, 0, 400 + 12 + 1);
    judgement_close(&j);
}

/* Noise uses up the last granule and gives it back. */
static void one_false_alarm_is_enough(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 400, 0);
    EXPECT_NAMED(&j, 1);
    for (uint32_t i = 0; i < 10; i++) {
        report_and_judge(&j, 400, 399, 0);
        report_and_judge(&j, 400, 400, 0);
        EXPECT_NAMED(&j, 0);
    }
    report_and_judge(&j, 400, 390, 0);
    report_and_judge(&j, 400, 400, 0); /* that was no noise */
    EXPECT_NAMED(&j, 1);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 300, 0); /* it fell: what comes now may be a rise */
    report_and_judge(&j, 301, 300, 0);
    report_and_judge(&j, 301, 301, 0);
    EXPECT_NAMED(&j, 1);
    judgement_close(&j);
}

static void what_is_refuted_is_guessed_anew(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 399, 0);
    report_and_judge(&j, 400, 400, 0);
    report_and_judge(&j, 480, 480, 0);
    report_and_judge(&j, 480, 480, 0);
    report_and_judge(&j, 480, 480, 1 * PERCENT);
    report_and_judge(&j, 490, 490, 1 * PERCENT); /* of 480: 485, which it has */
    EXPECT_TARGET(&j, 0, 490 + 15 + 1);
    judgement_close(&j);
}

/* It rises from 300 to 500 and falls back, so many times; what it gets in the first round. */
static uint32_t jump(struct judgement *j, uint32_t times, uint32_t after)
{
    uint32_t first = 0;

    for (uint32_t i = 0; i < times; i++) {
        report_and_judge(j, 400, 300, 0);
        report_and_judge(j, 400, 300, 0);
        report_and_judge(j, 400, 400, 0);
        assert_true(j->set[0]);
        first = j->targets[0];
        report_and_judge(j, 400, 400, 20 * PERCENT);
        report_and_judge(j, 600, after, 20 * PERCENT);
        report_and_judge(j, 600, 300, 0);
        report_and_judge(j, 600, 300, 0);
    }
    return first;
}

static void who_returned_to_its_peak_gets_it_at_once(void **state)
{
    struct judgement j;

    (void)state;
    open_late(&j)->entitlement = 1000;
    assert_int_equal(jump(&j, 1, 510), 500); /* by as much as it is seen to rise */
    assert_int_equal(jump(&j, 2, 510), 510);
    jump(&j, 1, 420); /* not this time */
    assert_int_equal(jump(&j, 1, 510), 500);
    judgement_close(&j);
}

/* Rounds in which it stalls as it would on a curve, and then is relieved. */
static uint32_t learn_curve(uint16_t stall_at_10, uint16_t stall_at_40)
{
    struct judgement j;
    uint32_t target;

    open_late(&j)->entitlement = 1000;
    for (uint32_t i = 0; i < 20; i++) {
        report_and_judge(&j, 400, 300, 0);
        report_and_judge(&j, 400, 300, 0);
        report_and_judge(&j, 400, 400, 0);
        report_and_judge(&j, 600, 444, stall_at_10); /* 444 wanted, 400 held */
    }
    report_and_judge(&j, 400, 300, 0);
    report_and_judge(&j, 400, 300, 0);
    report_and_judge(&j, 400, 400, 0);
    report_and_judge(&j, 400, 400, stall_at_40);
    target = j.set[0] ? j.targets[0] : 0;
    judgement_close(&j);
    return target;
}

static void the_curve_of_a_stall_is_learned(void **state)
{
    (void)state;
    assert_in_range(learn_curve(10 * PERCENT, 40 * PERCENT), 660, 674);
    assert_in_range(learn_curve(3162, 6325), 647, 687);        /* the square root */
    assert_in_range(learn_curve(1 * PERCENT, 1600), 647, 687); /* the square */
}

static void what_more_does_not_relieve_was_missing_at_least(void **state)
{
    struct judgement j;
    uint32_t held = 413, rounds = 0;

    (void)state;
    open_pressure(&j, NULL, 4000);
    j.round.free = 3000;
    add_late(&j)->entitlement = 2000;
    report_and_judge(&j, 400, 300, 0);
    report_and_judge(&j, 400, 400, 0);
    while (held < 800) { /* which it wants; it stalls by the square of what is missing */
        uint32_t before = j.views[0].held, missing = (800 - before) * 1000 / 800;

        assert_true(++rounds < 10);
        report_and_judge(&j, held, held, (uint16_t)(missing * missing / 100 + 1));
        assert_true(j.set[0]);
        held = j.targets[0];
    }
    assert_true(held < 1000);
    judgement_close(&j);
}

/* --- properties ------------------------------------------------------------------------- */

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % below;
}

static void fill_at_random(struct judgement *j, uint32_t *random)
{
    for (uint32_t vm = 0; vm < j->round.count; vm++) {
        struct vmres_view *view = &j->views[vm];

        view->floor = draw(random, 100);
        view->ceiling = view->floor + draw(random, 1000);
        view->weight = 1 + draw(random, draw(random, 2) ? 4 : 100000);
        view->entitlement = view->floor + draw(random, view->ceiling - view->floor + 1);
        view->held = view->floor + draw(random, view->ceiling - view->floor + 1);
        view->charge = view->held + (draw(random, 4) ? 0 : draw(random, 200));
        view->used = draw(random, view->held + 1);
        view->available = view->held - view->used;
        view->stall = draw(random, 2) ? 0 : (uint16_t)draw(random, VMRES_STALL_ONE + 1);
        view->flags =
            draw(random, 4) ? ALL_WELL : (uint16_t)(VMRES_VIEW_PRESENT | draw(random, 128));
    }
    j->round.free = draw(random, 3) ? draw(random, 1000) : 0;
}

static void expect_bounds(const struct judgement *j)
{
    uint64_t growth = 0, shrink = 0;

    for (uint32_t i = 0; i < j->verdict.count; i++) {
        uint32_t vm = j->named[i];
        const struct vmres_view *view = &j->views[vm];
        uint32_t target = j->targets[vm];

        assert_non_null(verdict_reason(&j->reasons, vm));
        assert_true(target >= view->floor && target <= view->ceiling);
        assert_int_not_equal(target, view->held);
        if (target > view->charge)
            growth += target - view->charge;
        if (target < view->held) {
            shrink += view->held - target;
            assert_true(view->flags & VMRES_VIEW_DONOR);
            assert_false(view->flags & VMRES_VIEW_UNCOOPERATIVE);
            /* What it says it needs and is entitled to is not touched. */
            assert_true(target >=
                        (view->used < view->entitlement ? view->used : view->entitlement));
        } else {
            assert_true(view->stall > 0 || view->available == 0 ||
                        !(view->flags & VMRES_VIEW_REPORTED));
            assert_true(view->flags & VMRES_VIEW_RECIPIENT);
        }
        assert_true(view->flags & VMRES_VIEW_FRESH);
    }
    assert_true(growth <= j->round.free + shrink);
}

static void nothing_comes_from_nowhere(void **state)
{
    struct judgement j, twin;
    uint32_t random = 2463534242u;

    (void)state;
    open_pressure(&j, NULL, 20000);
    open_pressure(&twin, NULL, 20000);
    for (uint32_t vm = 0; vm < 12; vm++) {
        judgement_add(&j, 1, 0);
        judgement_add(&twin, 1, 0);
    }
    for (uint32_t round = 0; round < 100000; round++) {
        fill_at_random(&j, &random);
        memcpy(twin.views, j.views, sizeof j.views);
        twin.round.free = j.round.free;
        judgement_judge(&j);
        judgement_judge(&twin);
        expect_bounds(&j);
        /* The same state and the same views: the same verdict. */
        assert_int_equal(j.verdict.count, twin.verdict.count);
        assert_memory_equal(j.named, twin.named, j.verdict.count * sizeof j.named[0]);
        assert_memory_equal(j.targets, twin.targets, sizeof j.targets);
    }
    judgement_close(&j);
    judgement_close(&twin);
}

/* With constant demands, and devices that do at once what they are told, all comes to rest. */
static void it_comes_to_rest(void **state)
{
    uint32_t random = 88675123;

    (void)state;
    for (uint32_t trial = 0; trial < 200; trial++) {
        struct judgement j;
        uint32_t demands[8], rounds = 0;

        if (trial % 2)
            open_costless(&j, 1600);
        else
            open_pressure(&j, NULL, 1600);
        for (uint32_t vm = 0; vm < 8; vm++) {
            demands[vm] = draw(&random, 380);
            judgement_add(&j, 200, 0)->entitlement = 200;
        }
        do {
            assert_true(++rounds < 50);
            for (uint32_t vm = 0; vm < 8; vm++) {
                uint32_t held = j.set[vm] ? j.targets[vm] : j.views[vm].held;
                uint32_t missing = demands[vm] > held ? demands[vm] - held : 0;

                j.round.free = j.round.free + j.views[vm].held - held;
                judgement_report(&j.views[vm], held, missing ? held : demands[vm],
                                 (uint16_t)(missing * VMRES_STALL_ONE / (demands[vm] + 1)));
            }
            assert_true(j.round.free <= 1600);
            judgement_judge(&j);
        } while (j.verdict.count > 0);
        judgement_close(&j);
    }
}

static void expect_explanation(struct judgement *j, uint32_t vm, const char *wanted)
{
    char line[160];
    size_t length =
        j->ops->explain(j->state, judgement_vm_state(j, vm), &j->views[vm], line, sizeof line);

    assert_string_equal(line, wanted);
    assert_int_equal(length, strlen(line));
}

static void it_explains_itself(void **state)
{
    struct judgement j;
    char cut[8];

    (void)state;
    open_pressure(&j, NULL, 2000);
    judgement_add(&j, 512, 512);
    judgement_add_stalled(&j, 511, 50 * PERCENT, 512);
    judgement_add(&j, 512, 512)->flags &= (uint16_t)~VMRES_VIEW_FRESH;
    judgement_judge(&j);
    judgement_judge(&j);
    expect_explanation(&j, 0, "does not stall, could spare 960MiB");
    expect_explanation(&j, 1, "stalls 50% and misses 1GiB, for 2 rounds so far, usually 64");
    expect_explanation(&j, 2, "has not reported lately: neither gives nor gets");
    assert_int_equal(
        j.ops->explain(j.state, judgement_vm_state(&j, 0), &j.views[0], cut, sizeof cut),
        strlen("does not stall, could spare 960MiB"));
    assert_string_equal(cut, "does no");
    judgement_report(&j.views[0], 512, 128, 5 * PERCENT);
    judgement_judge(&j);
    expect_explanation(&j, 0, "has what it wants, could spare 0B; told late, as missing^1.00");
    judgement_report(&j.views[0], 512, 512, 0);
    judgement_judge(&j);
    expect_explanation(&j, 0,
                       "has just used up all and may miss 768MiB, for 1 rounds so far, usually 64; "
                       "told late, as missing^1.00");
    judgement_close(&j);
}

static void its_state_is_small(void **state)
{
    (void)state;
    assert_in_range(vmres_policy_find("pressure")->vm_state_size, 1, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_stalls_nobody_is_named),
        cmocka_unit_test(the_largest_surplus_gives_just_what_is_missing),
        cmocka_unit_test(then_the_next_largest),
        cmocka_unit_test(where_moving_costs_nothing_all_give_alike),
        cmocka_unit_test(where_moving_costs_nothing_who_grew_gives_last),
        cmocka_unit_test(the_pool_comes_first),
        cmocka_unit_test(no_donor_is_asked_for_more_than_a_round_can_bring),
        cmocka_unit_test(nobody_asks_for_more_than_it_can_take_in_a_round),
        cmocka_unit_test(the_slowest_device_still_moves_a_granule),
        cmocka_unit_test(the_margin_is_what_idle_memory_is_not_taxed),
        cmocka_unit_test(memory_in_use_is_safe_while_there_is_surplus),
        cmocka_unit_test(then_those_above_their_entitlement_give_to_those_below),
        cmocka_unit_test(what_comes_later_is_waited_for),
        cmocka_unit_test(nobody_above_its_entitlement_makes_another_swap),
        cmocka_unit_test(a_hog_that_stalls_is_squeezed_too),
        cmocka_unit_test(the_least_allotted_come_first),
        cmocka_unit_test(allotments_are_compared_per_weight),
        cmocka_unit_test(the_last_granules_find_somebody),
        cmocka_unit_test(floor_and_ceiling_hold),
        cmocka_unit_test(only_those_that_may_take_part_do),
        cmocka_unit_test(what_is_on_its_way_is_not_asked_for_again),
        cmocka_unit_test(old_words_are_about_what_was_held_then),
        cmocka_unit_test(an_absurd_stall_is_taken_with_care),
        cmocka_unit_test(a_peak_that_agrees_with_the_stall_is_believed),
        cmocka_unit_test(a_peak_is_forgotten_granule_by_granule),
        cmocka_unit_test(short_spells_are_learned_to_be_waited_out),
        cmocka_unit_test(up_to_its_entitlement_nobody_waits),
        cmocka_unit_test(what_costs_nothing_is_not_waited_for),
        cmocka_unit_test(who_has_memory_available_is_not_short),
        cmocka_unit_test(who_stalls_with_next_to_nothing_available_is_short),
        cmocka_unit_test(a_late_stall_speaks_of_what_was_held_before),
        cmocka_unit_test(a_prompt_stall_speaks_of_what_is_held),
        cmocka_unit_test(who_is_told_of_late_is_short_when_the_last_is_used_up),
        cmocka_unit_test(where_moving_costs_nothing_a_late_stall_is_half_believed),
        cmocka_unit_test(at_least_a_32nd_is_guessed),
        cmocka_unit_test(one_false_alarm_is_enough),
        cmocka_unit_test(what_is_refuted_is_guessed_anew),
        cmocka_unit_test(who_returned_to_its_peak_gets_it_at_once),
        cmocka_unit_test(the_curve_of_a_stall_is_learned),
        cmocka_unit_test(what_more_does_not_relieve_was_missing_at_least),
        cmocka_unit_test(nothing_comes_from_nowhere),
        cmocka_unit_test(it_comes_to_rest),
        cmocka_unit_test(it_explains_itself),
        cmocka_unit_test(its_state_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
