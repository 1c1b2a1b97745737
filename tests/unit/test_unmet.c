/* SPDX-License-Identifier: MIT */
/* Need that cannot be met is told once when it begins, once when it lasts, once when it ends. */
#include "support/rig.h"

static struct rig *two(void)
{
    struct rig *rig = rig_prepare(200, 1, true);

    rig->options.relief_ms = 10000;
    rig_start(rig);
    for (uint32_t vm = 0; vm < 2; vm++)
        rig_add(rig, vm, 40, 200, 100);
    rig_boot(rig);
    rig_round(rig);
    rig_forget_trace(rig);
    return rig;
}

static uint32_t unmet(const struct rig *rig)
{
    struct vmres_pool_info pool;

    EXPECT_OK(vmres_engine_pool(rig->engine, MEMORY, &pool));
    return (uint32_t)(pool.unmet / VMRES_MIB);
}

static void it_begins_lasts_and_ends(void **state)
{
    struct rig *rig = two();

    (void)state;
    assert_int_equal(unmet(rig), 0);
    rig_wish(rig, 0, 130);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] host lacks 30MiB\n");
    assert_int_equal(unmet(rig), 30);
    rig_wish(rig, 0, 150); /* more of it is no news */
    rig_until(rig, 11999);
    EXPECT_TRACE(rig, "");
    assert_int_equal(unmet(rig), 50);
    rig_until(rig, 12000);
    EXPECT_TRACE(rig, "[   12.000] host needs relief: lacks 50MiB\n");
    rig_until(rig, 40000);
    EXPECT_TRACE(rig, "");
    rig_wish_nothing(rig);
    rig_round(rig);
    EXPECT_TRACE(rig, "[   41.000] host can meet all need again\n");
    assert_int_equal(unmet(rig), 0);
    /* And so on. */
    rig_wish(rig, 0, 130);
    rig_until(rig, 52000);
    EXPECT_TRACE(rig, "[   42.000] host lacks 30MiB\n"
                      "[   52.000] host needs relief: lacks 30MiB\n");
    rig_delete(rig);
}

/* What is on its way is not lacking. */
static void what_somebody_gives_is_met(void **state)
{
    struct rig *rig = two();

    (void)state;
    rig_ask(rig);
    rig_round(rig);
    assert_int_equal(unmet(rig), 0);
    rig_wish(rig, 0, 160);
    rig_round(rig);
    assert_int_equal(unmet(rig), 10);
    rig_delete(rig);
}

static void a_reservation_is_need_as_well(void **state)
{
    struct rig *rig = two();
    struct vmres_event event;

    (void)state;
    rig->vms[0].devices[MEMORY].used = 100;
    rig->vms[1].devices[MEMORY].used = 100;
    rig_round(rig);
    event = rig_event(rig, VMRES_EVENT_RESERVE, 0);
    event.id = 1;
    event.as.terms.minimum = event.as.terms.maximum = 40 * VMRES_MIB;
    event.as.terms.within_ms = 5000;
    rig_told(rig, event);
    rig_round(rig);
    assert_int_equal(unmet(rig), 40);
    rig_until(rig, 9000);
    assert_int_equal(unmet(rig), 0);
    rig_delete(rig);
}

/* While there is a deficit nobody grows; that nothing is asked for is no sign that all is met. */
static void a_deficit_is_need_as_well(void **state)
{
    struct rig *rig = two();
    struct vmres_event event;

    (void)state;
    rig->vms[0].devices[MEMORY].used = 100;
    rig->vms[1].devices[MEMORY].used = 100;
    rig_wish(rig, 0, 130);
    rig_round(rig);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_withhold(rig, 1, RIG_REMOVAL);
    event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);
    event.as.capacity.capacity = 190 * VMRES_MIB;
    rig_told(rig, event);
    rig_forget_trace(rig);
    rig_round(rig);
    assert_int_equal(rig_deficit(rig, MEMORY), 10);
    assert_int_not_equal(unmet(rig), 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_lasts_and_ends),
        cmocka_unit_test(what_somebody_gives_is_met),
        cmocka_unit_test(a_reservation_is_need_as_well),
        cmocka_unit_test(a_deficit_is_need_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
