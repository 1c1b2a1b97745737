/* SPDX-License-Identifier: MIT */
/* The list of ready-made policies, what they say of themselves, and how a verdict is written. */
#include <vmres/policy.h>

#include "judgement.h"

static void they_are_found_by_name_and_by_index(void **state)
{
    static const char *const names[] = {"static", "script", "usage", "pressure"};

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_non_null(vmres_policy_find(names[i]));
        assert_ptr_equal(vmres_policy_at(i), vmres_policy_find(names[i]));
        assert_string_equal(vmres_policy_at(i)->name, names[i]);
    }
    assert_null(vmres_policy_at(4));
    assert_null(vmres_policy_at(UINT32_MAX));
    assert_null(vmres_policy_find("Static"));
    assert_null(vmres_policy_find(""));
    assert_null(vmres_policy_find(NULL));
}

static void expect_sound_key(const struct vmres_policy_ops *ops, const struct vmres_option_key *key)
{
    uint64_t value;

    assert_true(key->offset + sizeof value <= ops->options_size);
    assert_true(key->minimum <= key->maximum);
    assert_true(strlen(key->help) > 0);
    if (key->type == VMRES_OPTION_TABLE)
        return;
    memcpy(&value, (const char *)ops->defaults + key->offset, sizeof value);
    assert_true(value >= key->minimum && value <= key->maximum);
}

static void defaults_lie_within_their_keys(void **state)
{
    const struct vmres_policy_ops *ops;

    (void)state;
    for (uint32_t i = 0; (ops = vmres_policy_at(i)); i++) {
        uint64_t keys = 0;

        assert_int_equal(ops->size, sizeof *ops);
        assert_non_null(ops->judge);
        assert_int_equal(ops->defaults != NULL, ops->options_size > 0);
        for (; ops->keys && ops->keys[keys].name; keys++)
            expect_sound_key(ops, &ops->keys[keys]);
        assert_int_equal(keys, ops->options_size / sizeof(uint64_t));
    }
}

static void only_the_script_commands(void **state)
{
    (void)state;
    assert_int_equal(vmres_policy_find("script")->commands, 1);
    assert_int_equal(vmres_policy_find("static")->commands, 0);
    assert_int_equal(vmres_policy_find("usage")->commands, 0);
    assert_int_equal(vmres_policy_find("pressure")->commands, 0);
}

static void static_names_nobody(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "static", NULL, 1000));
    judgement_add(&j, 100, 0)->stall = 9000;
    judgement_add(&j, 900, 900);
    judgement_judge(&j);
    EXPECT_NAMED(&j, 0);
    judgement_close(&j);
}

static void the_last_word_on_a_vm_counts(void **state)
{
    struct judgement j;

    (void)state;
    EXPECT_OK(judgement_open(&j, "static", NULL, 1000));
    vmres_verdict_set(&j.verdict, 3, 10, "first");
    vmres_verdict_set(&j.verdict, 1, 20, "other");
    vmres_verdict_set(&j.verdict, 3, 30, "second");
    vmres_verdict_set(&j.verdict, JUDGED_VMS, 40, "nobody");
    EXPECT_NAMED(&j, 2);
    assert_int_equal(j.named[0], 3);
    assert_int_equal(j.named[1], 1);
    EXPECT_TARGET(&j, 3, 30);
    EXPECT_REASON(&j, 3, "second");
    EXPECT_TARGET(&j, 1, 20);
    judgement_close(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_found_by_name_and_by_index),
        cmocka_unit_test(defaults_lie_within_their_keys),
        cmocka_unit_test(only_the_script_commands),
        cmocka_unit_test(static_names_nobody),
        cmocka_unit_test(the_last_word_on_a_vm_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
