/* SPDX-License-Identifier: MIT */
/* The words of an error: formatted, cut, one line, and not wanted at all. */
#include "core/error.h"

#include <string.h>

#include "support/check.h"

static void the_line_is_formatted_and_the_status_returned(void **state)
{
    struct vmres_error error;

    (void)state;
    EXPECT_STATUS(vmres__error_set(&error, VMRES_IO, "%s:%d: no", "host.yaml", 7), VMRES_IO);
    EXPECT_STATUS(error.status, VMRES_IO);
    assert_string_equal(error.message, "host.yaml:7: no");
}

static void no_words_are_wanted(void **state)
{
    (void)state;
    EXPECT_STATUS(vmres__error_set(NULL, VMRES_BUSY, "%s", "unheard"), VMRES_BUSY);
}

static void a_long_line_is_cut(void **state)
{
    struct vmres_error error;
    char text[2 * VMRES_ERROR_ROOM];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)vmres__error_set(&error, VMRES_PARSE, "%s", text);
    assert_int_equal(strlen(error.message), VMRES_ERROR_ROOM - 1);
}

static void newlines_become_blanks(void **state)
{
    struct vmres_error error;

    (void)state;
    (void)vmres__error_set(&error, VMRES_IO, "said %s", "one\r\ntwo");
    assert_string_equal(error.message, "said one  two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_formatted_and_the_status_returned),
        cmocka_unit_test(no_words_are_wanted),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(newlines_become_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
