/* SPDX-License-Identifier: MIT */
/* Names and their numbers: each is found under the number it came with, however many there are. */
#include "config/internal.h"

#include <stdio.h>

#include "support/check.h"

enum { MANY = 30000 };

static void a_name_keeps_its_first_number(void **state)
{
    struct config_arena arena = {0};
    struct config_names names;

    (void)state;
    assert_true(vmres__names_open(&names, &arena, 3));
    assert_int_equal(vmres__names_find(&names, "a"), UINT32_MAX);
    assert_true(vmres__names_add(&names, "a", 7));
    assert_true(vmres__names_add(&names, "", 8));
    assert_false(vmres__names_add(&names, "a", 9));
    assert_true(vmres__names_add(&names, "aa", 9));
    assert_int_equal(vmres__names_find(&names, "a"), 7);
    assert_int_equal(vmres__names_find(&names, ""), 8);
    assert_int_equal(vmres__names_find(&names, "aa"), 9);
    assert_int_equal(vmres__names_find(&names, "A"), UINT32_MAX);
    vmres__arena_release(&arena);
}

static void where_there_is_no_room_for_any_none_is_found(void **state)
{
    struct config_arena arena = {0};
    struct config_names names;

    (void)state;
    assert_true(vmres__names_open(&names, &arena, 0));
    assert_int_equal(vmres__names_find(&names, "a"), UINT32_MAX);
    vmres__arena_release(&arena);
}

static void many_are_told_apart(void **state)
{
    static char texts[MANY][16];
    struct config_arena arena = {0};
    struct config_names names;

    (void)state;
    assert_true(vmres__names_open(&names, &arena, MANY));
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "vm%u", i);
        assert_true(vmres__names_add(&names, texts[i], i));
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(vmres__names_find(&names, texts[i]), i);
    assert_int_equal(vmres__names_find(&names, "vm30000"), UINT32_MAX);
    vmres__arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_keeps_its_first_number),
        cmocka_unit_test(where_there_is_no_room_for_any_none_is_found),
        cmocka_unit_test(many_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
