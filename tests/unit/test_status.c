/* SPDX-License-Identifier: MIT */
/* Statuses have a name, a text and a number that never changes. */
#include <ctype.h>
#include <string.h>

#include <vmres/status.h>
#include <vmres/version.h>

#include "support/check.h"

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
#define CHECK(name, number, text) \
    assert_int_equal(VMRES_##name, number); \
    assert_string_equal(vmres_status_name(VMRES_##name), #name); \
    assert_string_equal(vmres_status_text(VMRES_##name), text); \
    assert_int_equal(text[0], tolower(text[0]));
    VMRES_STATUS_LIST(CHECK)
#undef CHECK
}

static void numbers_and_texts_are_distinct(void **state)
{
    static const char *const texts[] = {
#define TEXT(name, number, text) text,
        VMRES_STATUS_LIST(TEXT)
#undef TEXT
    };
    size_t count = sizeof texts / sizeof texts[0];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(vmres_status_text((enum vmres_status)i), texts[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    }
}

static void success_is_zero(void **state)
{
    (void)state;
    assert_int_equal(VMRES_OK, 0);
}

static void a_number_that_is_no_status_is_survived(void **state)
{
    int numbers[] = {16, 1000, -1};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        enum vmres_status status;

        memcpy(&status, &numbers[i], sizeof status);
        assert_string_equal(vmres_status_text(status), "unknown status");
        assert_string_equal(vmres_status_name(status), "?");
    }
}

static void headers_and_library_agree_on_the_version(void **state)
{
    (void)state;
    assert_string_equal(vmres_version(), VMRES_VERSION_STRING);
    assert_int_equal(vmres_version_number(), VMRES_VERSION_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(numbers_and_texts_are_distinct),
        cmocka_unit_test(success_is_zero),
        cmocka_unit_test(a_number_that_is_no_status_is_survived),
        cmocka_unit_test(headers_and_library_agree_on_the_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
