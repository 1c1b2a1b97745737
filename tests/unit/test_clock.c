/* SPDX-License-Identifier: MIT */
/* The clock goes forward only; a wait is what poll(2) takes. */
#include <limits.h>

#include <vmres/clock.h>

#include "support/check.h"

static void it_goes_forward(void **state)
{
    uint64_t before = vmres_clock_ms();

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(vmres_clock_ms() >= before);
}

static void a_wait_ends_at_its_deadline(void **state)
{
    uint64_t soon = vmres_clock_ms() + 3600000;
    int wait = vmres_clock_wait(soon);

    (void)state;
    assert_in_range(wait, 1, 3600000);
    assert_true(vmres_clock_ms() + (uint64_t)wait >= soon);
}

static void what_has_come_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(vmres_clock_wait(0), 0);
    assert_int_equal(vmres_clock_wait(vmres_clock_ms()), 0);
}

static void what_never_comes_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(vmres_clock_wait(UINT64_MAX), -1);
    assert_int_equal(vmres_clock_wait(UINT64_MAX - 1), INT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_forward),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(what_has_come_is_not_waited_for),
        cmocka_unit_test(what_never_comes_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
