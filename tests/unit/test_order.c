/* SPDX-License-Identifier: MIT */
/* The operator's word: what a VM is to hold, what is to move, and how either comes to its end. */
#include "support/rig.h"

/* Three VMs of 100 each on a host of 300, between 40 and 200; they use `used` of it. */
static struct rig *three(uint32_t used)
{
    struct rig *rig = rig_new(300);

    for (uint32_t vm = 0; vm < 3; vm++)
        rig_add(rig, vm, 40, 200, 100);
    rig_boot(rig);
    for (uint32_t vm = 0; vm < 3; vm++)
        rig->vms[vm].devices[MEMORY].used = used;
    rig_round(rig);
    rig_forget_trace(rig);
    return rig;
}

static uint32_t orders(const struct rig *rig)
{
    return rig->engine->kinds[MEMORY].orders;
}

static void up(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_told(rig, rig_set(rig, 0, 140));
    rig_until(rig, rig->now);
    EXPECT_TRACE(rig, "[    1.000] vm0 order to hold 140MiB: ordered\n"
                      "[    1.000] vm0 (3) gets 20MiB from vm1: ordered\n"
                      "[    1.000] vm0 (3) gets 20MiB from vm2: ordered\n"
                      "[    1.000] vm1 (4) remove 20MiB, down to 80MiB, for vm0: the host must "
                      "have it, and it does not use it\n"
                      "[    1.000] vm2 (4) remove 20MiB, down to 80MiB, for vm0: the host must "
                      "have it, and it does not use it\n"
                      "[    1.000] vm1 (5) removed 20MiB, now 80MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm1, now 120MiB\n"
                      "[    1.000] vm2 (5) removed 20MiB, now 80MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm2, now 140MiB\n"
                      "[    1.000] vm0 (7) notify of 20MiB, now 120MiB: ordered\n"
                      "[    1.000] vm0 (7) notify of 40MiB, now 140MiB: ordered\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 140MiB\n"
                      "[    1.000] transfer vm2 to vm0 moved 20MiB of 20MiB: done\n"
                      "[    1.000] transfer vm1 to vm0 moved 20MiB of 20MiB: done\n");
    EXPECT_BOOKS(rig, "140 80 80 + 0");
    assert_int_equal(orders(rig), 1);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] vm0 order to hold 140MiB: the order is carried out\n");
    assert_int_equal(orders(rig), 0);
    /* From now on the policy judges again. */
    rig_wish(rig, 0, 100);
    rig_wish(rig, 1, 120);
    rig_wish(rig, 2, 80);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 120 80 + 0");
    rig_delete(rig);
}

static void down(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_told(rig, rig_set(rig, 0, 60));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "60 100 100 + 40");
    rig_round(rig);
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void down_while_somebody_wants_it(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_wish(rig, 1, 130);
    rig_told(rig, rig_set(rig, 0, 60));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "60 130 100 + 10");
    rig_delete(rig);
}

static void within_floor_and_ceiling(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_told(rig, rig_set(rig, 0, 0));
    EXPECT_TRACE(rig, "[    1.000] vm0 order to hold 40MiB: ordered\n");
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "40 100 100 + 60");
    rig_told(rig, rig_set(rig, 1, 1000));
    rig_forget_trace(rig);
    for (uint32_t round = 0; round < 5; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "40 200 60 + 0");
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

/* Limits that change while an order stands bound it still. */
static void limits_bound_an_order_that_stands(void **state)
{
    struct rig *rig = three(100);
    struct vmres_event limits;

    (void)state;
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_told(rig, rig_set(rig, 0, 50));
    rig_until(rig, rig->now);
    limits = vmres_event_limits(rig->now, 0, 1, 70 * VMRES_MIB, 200 * VMRES_MIB);
    rig_told(rig, limits);
    rig_until(rig, 2500);
    assert_int_equal(rig_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL)->action.as.resize.target,
                     70 * VMRES_MIB);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_round(rig);
    EXPECT_BOOKS(rig, "70 100 100 + 30");
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void the_policy_cannot_undo_it_meanwhile(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_told(rig, rig_set(rig, 0, 140));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "140 80 80 + 0");
    rig_wish(rig, 0, 170);
    rig_wish(rig, 1, 60);
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 80 80 + 0");
    rig_wish(rig, 0, 60);
    rig_wish(rig, 1, 120);
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 80 80 + 0");
    assert_int_equal(orders(rig), 1);
    /* Nor what else must be had. */
    rig_told(rig, rig_set(rig, 1, 100));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "140 100 60 + 0");
    rig_delete(rig);
}

/* An order the other way round, while it still grows: it grows no more, and gives when it can. */
static void a_newer_order_takes_over(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_told(rig, rig_set(rig, 0, 120));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "120 90 90 + 0");
    rig_told(rig, rig_set(rig, 0, 80));
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "120 90 90 + 0");
    assert_int_equal(orders(rig), 1);
    rig_withhold(rig, 0, 0);
    while (rig_is_open(rig, 0, VMRES_ACTION_NOTIFY))
        rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 20, VMRES_RESULT_DONE);
    rig_wish_nothing(rig);
    rig_round(rig);
    EXPECT_BOOKS(rig, "80 90 90 + 40");
    rig_round(rig);
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void who_must_grow_comes_before_whom_the_policy_would_let_grow(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    for (uint32_t vm = 0; vm < 4; vm++)
        rig_add(rig, vm, 40, 200, 100);
    rig_boot(rig);
    for (uint32_t vm = 0; vm < 4; vm++)
        rig->vms[vm].devices[MEMORY].used = vm == 3 ? 100 : 60;
    rig_round(rig);
    rig_wish(rig, 3, 180);
    rig_told(rig, rig_set(rig, 0, 140));
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "140 80 80 100 + 0");
    rig_delete(rig);
}

static void one_that_does_not_co_operate_ends_it(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_told(rig, rig_set(rig, 0, 60));
    rig_until(rig, rig->now);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 10, VMRES_RESULT_PARTIAL);
    rig_forget_trace(rig);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    2.000] vm0 order to hold 60MiB: the order cannot be carried out\n");
    EXPECT_BOOKS(rig, "90 100 100 + 10");
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void what_ends_with_its_vm(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    for (uint32_t vm = 0; vm < 3; vm++)
        rig_told(rig, rig_set(rig, vm, 160));
    assert_int_equal(orders(rig), 3);
    rig_gone(rig, 0);
    assert_int_equal(orders(rig), 2);
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 1));
    assert_int_equal(orders(rig), 1);
    rig->vms[2].incarnation++;
    rig_told(rig, rig_observed(rig, 2, MEMORY));
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void what_is_disputed_is_charged_on_top_of_it(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig->lying = true;
    rig_told(rig, rig_set(rig, 0, 80));
    rig_until(rig, rig->now);
    rig->vms[0].devices[MEMORY].excess = 20; /* said to be released, and the host still sees it */
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 20, VMRES_RESULT_DONE);
    assert_int_equal(rig_disputed(rig, 0, MEMORY), 20);
    rig_round(rig);
    assert_int_equal(orders(rig), 0);
    assert_int_equal(rig->seen[MEMORY][0].disputed, 20); /* its policy is told */
    assert_false(rig_is_open(rig, 0, VMRES_ACTION_REQUEST_REMOVAL));
    EXPECT_BOOKS(rig, "100 100 100 + 0");
    rig_delete(rig);
}

/* --- from one to another --- */

static void a_move(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_told(rig, rig_move(rig, 2, 0, 30));
    rig_until(rig, rig->now);
    EXPECT_TRACE(rig, "[    1.000] vm2 order to hold 70MiB: ordered\n"
                      "[    1.000] vm0 order to hold 130MiB: ordered\n"
                      "[    1.000] vm0 (3) gets 30MiB from vm2: ordered\n"
                      "[    1.000] vm2 (4) remove 30MiB, down to 70MiB, for vm0: ordered\n"
                      "[    1.000] vm2 (5) removed 30MiB, now 70MiB\n"
                      "[    1.000] vm0 (6) reassign 30MiB from vm2, now 130MiB\n"
                      "[    1.000] vm0 (7) notify of 30MiB, now 130MiB: ordered\n"
                      "[    1.000] vm0 (8) incorporated 30MiB, holds 130MiB\n"
                      "[    1.000] transfer vm2 to vm0 moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "130 100 70 + 0");
    rig_round(rig);
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

/* What one VM does not give is not taken from a third. */
static void a_move_whose_donor_fails(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_withhold(rig, 2, RIG_REMOVAL);
    rig_told(rig, rig_move(rig, 2, 0, 30));
    rig_until(rig, rig->now);
    rig_finish(rig, 2, VMRES_ACTION_REQUEST_REMOVAL, 10, VMRES_RESULT_PARTIAL);
    rig_pump(rig);
    for (uint32_t round = 0; round < 5; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "110 100 90 + 0");
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

static void a_move_is_all_or_nothing(void **state)
{
    struct rig *rig = three(100);

    (void)state;
    rig_add(rig, 3, 0, 100, 0);
    rig_refused(rig, rig_move(rig, 0, 1, 0), VMRES_INVALID);
    rig_refused(rig, rig_move(rig, 0, 0, 10), VMRES_INVALID);
    rig_refused(rig, rig_move(rig, 0, RIG_VMS, 10), VMRES_INVALID);
    rig_refused(rig, rig_move(rig, 0, VMRES_VM_NONE, 10), VMRES_INVALID);
    rig_refused(rig, rig_move(rig, 0, 3, 10), VMRES_STATE);
    rig_refused(rig, rig_move(rig, 3, 0, 10), VMRES_STATE);
    rig_refused(rig, rig_move(rig, 0, 5, 10), VMRES_STATE);
    rig_refused(rig, rig_move(rig, 0, 1, 61), VMRES_NOROOM); /* below its floor */
    rig_told(rig, rig_move(rig, 2, 0, 60));
    rig_until(rig, rig->now);
    rig_round(rig);
    rig_refused(rig, rig_move(rig, 1, 0, 50), VMRES_NOROOM); /* above its ceiling */
    rig_refused(rig, rig_set(rig, 3, 10), VMRES_STATE);
    rig_refused(rig, rig_set(rig, 5, 10), VMRES_UNKNOWN);
    rig_delete(rig);
}

/* An order that cannot be met takes nothing that a floor needs, and gives back what one does. */
static void a_floor_comes_before_an_order(void **state)
{
    struct rig *rig = three(60);

    (void)state;
    rig_told(rig, rig_set(rig, 0, 200));
    for (uint32_t round = 0; round < 3; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "180 60 60 + 0");
    rig_told(rig, vmres_event_limits(rig->now, 1, 1, 90 * VMRES_MIB, 200 * VMRES_MIB));
    for (uint32_t round = 0; round < 3; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "150 90 60 + 0");
    assert_int_equal(orders(rig), 1);
    rig_gone(rig, 2);
    for (uint32_t round = 0; round < 3; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "200 90 + 10");
    assert_int_equal(orders(rig), 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up),
        cmocka_unit_test(down),
        cmocka_unit_test(down_while_somebody_wants_it),
        cmocka_unit_test(within_floor_and_ceiling),
        cmocka_unit_test(limits_bound_an_order_that_stands),
        cmocka_unit_test(the_policy_cannot_undo_it_meanwhile),
        cmocka_unit_test(a_newer_order_takes_over),
        cmocka_unit_test(who_must_grow_comes_before_whom_the_policy_would_let_grow),
        cmocka_unit_test(a_floor_comes_before_an_order),
        cmocka_unit_test(one_that_does_not_co_operate_ends_it),
        cmocka_unit_test(what_ends_with_its_vm),
        cmocka_unit_test(what_is_disputed_is_charged_on_top_of_it),
        cmocka_unit_test(a_move),
        cmocka_unit_test(a_move_whose_donor_fails),
        cmocka_unit_test(a_move_is_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
