/* SPDX-License-Identifier: MIT */
/* Lines into values: what is taken, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "kvm/internal.h"
#include "support/check.h"

static json_t *parse(const char *text)
{
    return vmres__kvm_json_parse((struct kvm_text){text, strlen(text)});
}

static void test_refuses_nonsense(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "[]",
        "null",
        "{\"a\"",
        "{\"a\":}",
        "{'a': 1}",
        "{\"a\": 1} x",
        "{\"a\": 1}{\"b\": 2}",
        "\"{\"",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": 1e999}",
        "{\"a\": 01}",
        "{\"a\": nan}",
        "{\"a\": 1, \"a\": 2}",
        "{\"a\": {\"b\": 1, \"b\": 1}}",
        "\xff\xfe",
        "{\"\xff\": 1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i]))
            fail_msg("this was taken: %s", bad[i]);
    assert_null(vmres__kvm_json_parse((struct kvm_text){"{\"a\0b\": 1}", 10}));
}

/* `depth` lists in an object. */
static json_t *parse_nested(size_t depth)
{
    char *text = malloc(2 * depth + 16);
    size_t at;
    json_t *value;

    assert_non_null(text);
    at = (size_t)sprintf(text, "{\"a\":");
    memset(text + at, '[', depth);
    memset(text + at + depth, ']', depth);
    memcpy(text + at + 2 * depth, "}", 2);
    value = parse(text);
    free(text);
    return value;
}

static void test_depth(void **state)
{
    json_t *deepest = parse_nested(KVM_DEPTH_MAX - 1);

    (void)state;
    assert_non_null(deepest);
    json_decref(deepest);
    assert_null(parse_nested(KVM_DEPTH_MAX));
    assert_null(parse_nested(200000));
}

static void test_brackets_in_text_are_no_depth(void **state)
{
    json_t *value = parse("{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[\"}");

    (void)state;
    assert_non_null(value);
    json_decref(value);
}

static void expect_amount(const char *text, bool taken, uint64_t wanted)
{
    char line[128];
    uint64_t amount = 7;
    json_t *value;

    snprintf(line, sizeof line, "{\"a\": %s}", text);
    value = parse(line);
    assert_non_null(value);
    assert_int_equal(vmres__kvm_json_amount(json_object_get(value, "a"), &amount), taken);
    assert_true(amount == (taken ? wanted : 7));
    json_decref(value);
}

static void test_amounts(void **state)
{
    uint64_t amount = 7;

    (void)state;
    expect_amount("0", true, 0);
    expect_amount("469762048", true, 469762048);
    expect_amount("9007199254740992", true, 9007199254740992);
    expect_amount("4096.0", true, 4096);
    expect_amount("1e3", true, 1000);
    expect_amount("9007199254740994", false, 0);
    expect_amount("18446744073709551615", false, 0); /* QEMU's "unset" */
    expect_amount("9223372036854775808", false, 0);
    expect_amount("-1", false, 0);
    expect_amount("0.5", false, 0);
    expect_amount("\"12\"", false, 0);
    expect_amount("true", false, 0);
    expect_amount("null", false, 0);
    expect_amount("[1]", false, 0);
    assert_false(vmres__kvm_json_amount(NULL, &amount));
}

static void test_texts(void **state)
{
    json_t *value = parse("{\"a\": \"b\", \"c\": 1}");

    (void)state;
    assert_string_equal(vmres__kvm_json_text(value, "a"), "b");
    assert_string_equal(vmres__kvm_json_text(value, "c"), "");
    assert_string_equal(vmres__kvm_json_text(value, "d"), "");
    assert_string_equal(vmres__kvm_json_text(NULL, "a"), "");
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_nonsense),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_brackets_in_text_are_no_depth),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
