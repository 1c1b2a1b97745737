/* SPDX-License-Identifier: MIT */
/*
 * Who gave of its surplus and then stalls itself is paid back first: before others get more, never
 * more than it gave, and never what another is entitled to. Numbers as in test_policy_pressure.c.
 */
#include "judgement.h"

#define PERCENT 100 /* of VMRES_STALL_ONE */
#define PAID_BACK "stalls after giving: is paid back first"

/*
 * vm0 has let go 101 of what it had to spare, for vm2; now it holds 400 and stalls, as vm1 does who
 * gave nothing. Of the 101 two are forgotten by then.
 */
static void open_given(struct judgement *j)
{
    EXPECT_OK(judgement_open(j, "pressure", NULL, 4000));
    judgement_add(j, 501, 300)->entitlement = 400;
    judgement_add(j, 400, 0)->entitlement = 400;
    judgement_add_stalled(j, 400, 20 * PERCENT, 501);
    judgement_judge(j);
    EXPECT_NAMED(j, 2);
    EXPECT_TARGET(j, 0, 400);
    judgement_report(&j->views[0], 400, 400, 50 * PERCENT);
    judgement_report(&j->views[1], 400, 400, 50 * PERCENT);
    judgement_report(&j->views[2], 501, 500, 0);
}

static void who_stalls_after_giving_is_paid_back_first(void **state)
{
    struct judgement j;

    (void)state;
    open_given(&j);
    j.round.free = 60;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 0, 460);
    EXPECT_REASON(&j, 0, PAID_BACK);
    judgement_close(&j);
}

static void but_never_more_than_it_gave(void **state)
{
    struct judgement j;

    (void)state;
    open_given(&j);
    j.round.free = 199;
    judgement_judge(&j); /* the 99, and then as much as the other */
    EXPECT_TARGET(&j, 0, 549);
    EXPECT_TARGET(&j, 1, 450);
    EXPECT_REASON(&j, 1, "stalls: gets what it misses");
    j.views[0].charge = 460; /* 60 of the 97 are on their way: so are 37 of the next 57 */
    j.views[1].charge = 460;
    j.round.free = 57;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 460 + 47);
    EXPECT_TARGET(&j, 1, 460 + 10);
    judgement_report(&j.views[0], 500, 500, 50 * PERCENT);
    judgement_report(&j.views[1], 500, 500, 50 * PERCENT);
    judgement_judge(&j); /* it has them back */
    EXPECT_TARGET(&j, 0, 529);
    EXPECT_TARGET(&j, 1, 528);
    judgement_close(&j);
}

/* It said that it could spare 110, was asked for 101, and let go 151 at once. */
static void nor_more_than_it_could_be_asked_for(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "pressure", NULL, 4000));
    judgement_add(&j, 501, 110)->entitlement = 450;
    judgement_add(&j, 350, 0)->entitlement = 350;
    judgement_add_stalled(&j, 400, 20 * PERCENT, 501);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 400);
    judgement_report(&j.views[0], 350, 350, 50 * PERCENT);
    judgement_report(&j.views[1], 350, 350, 50 * PERCENT);
    judgement_report(&j.views[2], 501, 500, 0);
    j.round.free = 308;
    judgement_judge(&j); /* its due, then as if 108 of the 110 were still to come */
    EXPECT_TARGET(&j, 0, 350 + 100 + 108);
    EXPECT_TARGET(&j, 1, 350 + 100);
    judgement_close(&j);
}

static void nor_what_others_are_entitled_to(void **state)
{
    struct judgement j;

    (void)state;
    open_given(&j);
    j.views[1].entitlement = 450;
    j.round.free = 60;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 410);
    EXPECT_TARGET(&j, 1, 450);
    j.views[0].entitlement = 440; /* both are owed: by level alone */
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 430);
    EXPECT_TARGET(&j, 1, 430);
    judgement_close(&j);
}

static void what_was_given_is_forgotten(void **state)
{
    struct judgement j;

    (void)state;
    open_given(&j);
    for (uint32_t round = 0; round < 100; round++)
        judgement_judge(&j);
    j.round.free = 60;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 430);
    EXPECT_TARGET(&j, 1, 430);
    judgement_close(&j);
}

/* Nor is it kept by who says nothing meanwhile, so as to claim it when that suits him. */
static void by_who_says_nothing_too(void **state)
{
    struct judgement j;

    (void)state;
    open_given(&j);
    j.views[0].flags = VMRES_VIEW_PRESENT;
    for (uint32_t round = 0; round < 100; round++)
        judgement_judge(&j);
    j.views[0].flags = ALL_WELL;
    j.round.free = 60;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 430);
    EXPECT_TARGET(&j, 1, 430);
    judgement_close(&j);
}

/* Nor does it give by what leaves it then, when nobody knows any more why. */
static void and_gives_nothing_then(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "pressure", NULL, 4000));
    judgement_add(&j, 501, 300)->entitlement = 400;
    judgement_add_stalled(&j, 400, 20 * PERCENT, 501);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 400);
    j.views[0].flags = VMRES_VIEW_PRESENT;
    judgement_judge(&j);
    j.views[0].flags = ALL_WELL;
    judgement_report(&j.views[0], 400, 400, 50 * PERCENT);
    judgement_report(&j.views[1], 400, 400, 50 * PERCENT);
    j.views[1].entitlement = 400;
    j.round.free = 60;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 430);
    EXPECT_TARGET(&j, 1, 430);
    judgement_close(&j);
}

/* What fell without being asked for, or was taken from one above its share, is no gift. */
static void only_surplus_that_was_asked_for_is_given(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "pressure", NULL, 1200));
    judgement_add(&j, 500, 200)->entitlement = 300;
    judgement_add_stalled(&j, 400, 50 * PERCENT, 300)->flags &= (uint16_t)~VMRES_VIEW_RECIPIENT;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_report(&j.views[0], 300, 300, 50 * PERCENT);
    judgement_add_stalled(&j, 200, 50 * PERCENT, 300);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 1, 300);
    EXPECT_REASON(&j, 1, "above its entitlement, while others are below theirs");
    j.views[1].flags |= VMRES_VIEW_RECIPIENT;
    judgement_report(&j.views[1], 300, 300, 50 * PERCENT);
    judgement_report(&j.views[2], 300, 300, 50 * PERCENT);
    j.round.free = 60;
    judgement_judge(&j);
    for (uint32_t vm = 0; vm < 3; vm++)
        EXPECT_TARGET(&j, vm, 320);
    judgement_close(&j);
}

static void it_says_so(void **state)
{
    struct judgement j;
    char line[160];

    (void)state;
    open_given(&j);
    judgement_judge(&j);
    j.ops->explain(j.state, judgement_vm_state(&j, 0), &j.views[0], line, sizeof line);
    assert_string_equal(line, "stalls 50% and misses 802MiB, gave 198MiB lately, "
                              "for 1 rounds so far, usually 64");
    judgement_close(&j);
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % below;
}

#define SHARE 200u /* what each of the four is entitled to */

/* What each says: vm0 now and then that it could spare a bit, else that it stalls, as all others
 * do all the time. The host takes from them meanwhile, so that they are short of their share. */
static void say(struct judgement *j, uint32_t *random)
{
    for (uint32_t vm = 0; vm < 4; vm++) {
        uint32_t held = j->views[vm].held;

        if (vm > 0 && held > 120 && draw(random, 4) == 0)
            held -= draw(random, 60);
        if (vm == 0 && draw(random, 3) == 0)
            judgement_report(&j->views[vm], held, held - draw(random, held / 2), 0);
        else
            judgement_report(&j->views[vm], held, held,
                             (uint16_t)((60 + draw(random, 15)) * PERCENT));
    }
    j->round.free = draw(random, 40);
}

static uint32_t told_to_hold(const struct judgement *j, uint32_t vm)
{
    return j->set[vm] ? j->targets[vm] : j->views[vm].held;
}

/* Devices do at once what they are told. Returns what vm0 let go, less what it got. */
static int64_t obey(struct judgement *j)
{
    int64_t given = (int64_t)j->views[0].held - (int64_t)told_to_hold(j, 0);

    for (uint32_t vm = 0; vm < 4; vm++)
        j->views[vm].held = told_to_hold(j, vm);
    return given;
}

static void expect_no_gain(const struct judgement *j, int64_t balance)
{
    uint32_t got = told_to_hold(j, 0);

    for (uint32_t vm = 1; vm < 4; vm++) {
        uint32_t other = told_to_hold(j, vm);

        if (other < j->views[vm].held) /* it is not going without: it is asked back what it got */
            continue;
        assert_true(other >= SHARE || got <= SHARE || got <= j->views[0].held);
        assert_true((int64_t)got - (int64_t)other <= balance + 1);
    }
}

/*
 * One gives a bit whenever it is asked to, only to claim it again, and all else that it can get so;
 * the others miss more than there ever is. It gets nothing above its share while another is owed;
 * beyond that it is never further ahead of one who goes without than by what it gave, and has not
 * had back.
 */
static void giving_in_order_to_claim_gains_nothing(void **state)
{
    uint32_t random = 521288629, claims = 0, gifts = 0;

    (void)state;
    for (uint32_t trial = 0; trial < 200; trial++) {
        struct judgement j;
        int64_t balance = 0;

        EXPECT_OK(judgement_open(&j, "pressure", NULL, 1000));
        for (uint32_t vm = 0; vm < 4; vm++)
            judgement_add(&j, 100 + draw(&random, 150), 0)->entitlement = SHARE;
        for (uint32_t round = 0; round < 60; round++) {
            say(&j, &random);
            judgement_judge(&j);
            if (told_to_hold(&j, 0) > j.views[0].held) {
                expect_no_gain(&j, balance);
                claims++;
            }
            gifts += told_to_hold(&j, 0) < j.views[0].held;
            balance += obey(&j);
            balance = balance > 0 ? balance : 0;
        }
        judgement_close(&j);
    }
    assert_true(claims > 1000 && gifts > 1000);
}

/* The two of one owner claim all they can get; but now and then, in turns, one offers a part, so
 * that the other gets it. */
static void say_in_turns(struct judgement *j, uint32_t round, uint32_t every, uint32_t offers)
{
    for (uint32_t vm = 0; vm < 2; vm++) {
        uint32_t held = j->views[vm].held;
        bool offering = round / every % 2 == vm && round % every < offers;

        judgement_report(&j->views[vm], held, offering ? held / 2 : held,
                         offering ? 0 : 60 * PERCENT);
    }
}

/* The others tell the truth of what they want, which changes now and then. */
static void say_truly(struct judgement *j, uint32_t *wanted, uint32_t *random)
{
    for (uint32_t vm = 2; vm < 4; vm++) {
        uint32_t held = j->views[vm].held;

        if (draw(random, 20) == 0)
            wanted[vm] = 600 + draw(random, 1400);
        if (wanted[vm] > held)
            judgement_report(&j->views[vm], held, held,
                             (uint16_t)((wanted[vm] - held) * 100 * PERCENT / wanted[vm]));
        else
            judgement_report(&j->views[vm], held, wanted[vm], 0);
    }
}

/* What the two hold, summed over time. */
static uint64_t hold_in_turns(uint32_t every, uint32_t offers)
{
    uint32_t random = 521288629, wanted[4] = {0, 0, 1000, 1000};
    struct judgement j;
    uint64_t sum = 0;

    EXPECT_OK(judgement_open(&j, "pressure", NULL, 4400));
    for (uint32_t vm = 0; vm < 4; vm++)
        judgement_add(&j, 1000, 0)->entitlement = 900;
    for (uint32_t round = 0; round < 2000; round++) {
        j.round.free = 4400;
        for (uint32_t vm = 0; vm < 4; vm++)
            j.round.free -= j.views[vm].held;
        say_in_turns(&j, round, every, offers);
        say_truly(&j, wanted, &random);
        judgement_judge(&j);
        (void)obey(&j);
        sum += j.views[0].held + j.views[1].held;
    }
    judgement_close(&j);
    return sum;
}

static void nor_does_giving_to_each_other_in_turns(void **state)
{
    uint64_t claiming = hold_in_turns(1, 0);

    (void)state;
    for (uint32_t every = 4; every < 40; every += 4)
        for (uint32_t offers = 1; offers < every / 2; offers += 2)
            assert_true(hold_in_turns(every, offers) < claiming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stalls_after_giving_is_paid_back_first),
        cmocka_unit_test(but_never_more_than_it_gave),
        cmocka_unit_test(nor_more_than_it_could_be_asked_for),
        cmocka_unit_test(nor_what_others_are_entitled_to),
        cmocka_unit_test(what_was_given_is_forgotten),
        cmocka_unit_test(by_who_says_nothing_too),
        cmocka_unit_test(and_gives_nothing_then),
        cmocka_unit_test(only_surplus_that_was_asked_for_is_given),
        cmocka_unit_test(it_says_so),
        cmocka_unit_test(giving_in_order_to_claim_gains_nothing),
        cmocka_unit_test(nor_does_giving_to_each_other_in_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
