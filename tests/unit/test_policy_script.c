/* SPDX-License-Identifier: MIT */
/* Targets from a table: which row holds when, for whom, and how units become granules. */
#include "judgement.h"

static const uint64_t times[] = {1000, 3000, 3500};
static const uint64_t cells[] = {
    10 * GRANULE,     20 * GRANULE, 11 * GRANULE, 21 * GRANULE, 12 * GRANULE + GRANULE / 2,
    23 * GRANULE - 1, /* to the nearest: 13 and 23 */
};
static const struct vmres_table table = {
    .rows = 3, .columns = 2, .times_ms = times, .cells = cells};

static void open_script(struct judgement *j)
{
    const struct vmres_script_options options = {.targets = &table};

    EXPECT_OK(judgement_open(j, "script", &options, 1000));
    judgement_add(j, 100, 0);
    judgement_add(j, 100, 0);
}

static void each_row_is_good_from_its_time_on(void **state)
{
    static const uint32_t wanted[][2] = {{10, 20}, {10, 20}, {11, 21}, {13, 23}, {13, 23}};
    struct judgement j;

    (void)state;
    open_script(&j);
    for (uint32_t second = 1; second <= 5; second++) {
        judgement_judge(&j); /* at 1, 2, 3, 4, 5 s */
        EXPECT_NAMED(&j, 2);
        EXPECT_TARGET(&j, 0, wanted[second - 1][0]);
        EXPECT_TARGET(&j, 1, wanted[second - 1][1]);
        EXPECT_REASON(&j, 0, "the script says so");
    }
    judgement_close(&j);
}

static void before_the_first_row_nobody_is_named(void **state)
{
    struct judgement j;

    (void)state;
    open_script(&j);
    j.round.period_ms = 999;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    j.round.period_ms = 1;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 2);
    judgement_close(&j);
}

static void only_vms_that_are_there_and_have_a_column(void **state)
{
    struct judgement j;

    (void)state;
    open_script(&j);
    judgement_add(&j, 100, 0);
    j.views[0].flags = 0;
    judgement_judge(&j);
    EXPECT_NAMED(&j, 1);
    EXPECT_TARGET(&j, 1, 20);
    judgement_close(&j);
}

static void a_report_is_not_needed(void **state)
{
    struct judgement j;

    (void)state;
    open_script(&j);
    j.views[0].flags = VMRES_VIEW_PRESENT;
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, 10);
    judgement_close(&j);
}

static void amounts_beyond_every_host_are_cut(void **state)
{
    static const uint64_t huge[] = {UINT64_MAX};
    const struct vmres_table one = {.rows = 1, .columns = 1, .times_ms = times, .cells = huge};
    const struct vmres_script_options options = {.targets = &one};
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "script", &options, 1000));
    judgement_add(&j, 100, 0);
    judgement_judge(&j);
    EXPECT_TARGET(&j, 0, VMRES_GRANULES_MAX);
    judgement_close(&j);
}

static void without_a_table_it_does_not_start(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_STATUS(judgement_open(&j, "script", NULL, 1000), VMRES_INVALID);
    judgement_close(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_good_from_its_time_on),
        cmocka_unit_test(before_the_first_row_nobody_is_named),
        cmocka_unit_test(only_vms_that_are_there_and_have_a_column),
        cmocka_unit_test(a_report_is_not_needed),
        cmocka_unit_test(amounts_beyond_every_host_are_cut),
        cmocka_unit_test(without_a_table_it_does_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
