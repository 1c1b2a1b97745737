/* SPDX-License-Identifier: MIT */
/* How a policy speaks: the last word counts, and why it was said is remembered. */
#include "core/verdict.h"

#include "support/check.h"

#define VMS 4u

struct spoken {
    struct vmres_verdict verdict;
    struct reasons reasons;
    uint32_t targets[VMS], named[VMS];
    uint8_t set[VMS], reason_of[VMS];
};

static void begin(struct spoken *spoken)
{
    *spoken = (struct spoken){.verdict = {.limit = VMS}};
    spoken->verdict.targets = spoken->targets;
    spoken->verdict.named = spoken->named;
    spoken->verdict.set = spoken->set;
    spoken->verdict.reasons = &spoken->reasons;
    spoken->reasons.of = spoken->reason_of;
}

static void the_last_word_counts(void **state)
{
    struct spoken spoken;

    (void)state;
    begin(&spoken);
    vmres_verdict_set(&spoken.verdict, 2, 10, "first");
    vmres_verdict_set(&spoken.verdict, 0, 20, "other");
    vmres_verdict_set(&spoken.verdict, 2, 30, NULL);
    assert_int_equal(spoken.verdict.count, 2);
    assert_int_equal(spoken.named[0], 2);
    assert_int_equal(spoken.named[1], 0);
    assert_int_equal(spoken.targets[2], 30);
    assert_null(verdict_reason(&spoken.reasons, 2));
    assert_string_equal(verdict_reason(&spoken.reasons, 0), "other");
    assert_null(verdict_reason(&spoken.reasons, 1));
}

static void who_cannot_exist_is_passed_over(void **state)
{
    struct spoken spoken;

    (void)state;
    begin(&spoken);
    vmres_verdict_set(&spoken.verdict, VMS, 10, "nobody");
    vmres_verdict_set(&spoken.verdict, UINT32_MAX, 10, "nobody");
    assert_int_equal(spoken.verdict.count, 0);
    assert_int_equal(spoken.reasons.last, 0);
}

/* Texts are told apart by where they are. */
static void one_reason_too_many_is_none(void **state)
{
    static const char texts[2 * REASONS_MAX];
    struct spoken spoken;

    (void)state;
    begin(&spoken);
    for (uint32_t i = 0; i < 2 * REASONS_MAX; i++) {
        vmres_verdict_set(&spoken.verdict, 1, 10, &texts[i]);
        assert_ptr_equal(verdict_reason(&spoken.reasons, 1),
                         i < REASONS_MAX - 1 ? &texts[i] : NULL);
    }
    vmres_verdict_set(&spoken.verdict, 3, 10, &texts[REASONS_MAX - 2]);
    assert_ptr_equal(verdict_reason(&spoken.reasons, 3), &texts[REASONS_MAX - 2]);
    assert_int_equal(spoken.reasons.last, REASONS_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_counts),
        cmocka_unit_test(who_cannot_exist_is_passed_over),
        cmocka_unit_test(one_reason_too_many_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
