/* SPDX-License-Identifier: MIT */
/* Room kept for a VM to come: gathered, kept, claimed, given back; never in two hands, nor none. */
#include "support/rig.h"

enum { MINUTE = 60000 };

static struct vmres_event reservation(const struct rig *rig, uint64_t id, uint32_t minimum,
                                      uint32_t maximum)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_RESERVE, 0);

    event.id = id;
    event.as.terms.minimum = minimum * VMRES_MIB;
    event.as.terms.maximum = maximum * VMRES_MIB;
    event.as.terms.within_ms = MINUTE;
    event.as.terms.owner = 1000 + id;
    return event;
}

static struct vmres_event release_of(const struct rig *rig, uint64_t id)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_RELEASE, 0);

    event.id = id;
    return event;
}

static struct vmres_event claim_of(const struct rig *rig, uint32_t vm, uint64_t id)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CLAIM, vm);

    event.id = id;
    return event;
}

static struct vmres_event capacity_of(const struct rig *rig, uint32_t capacity)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);

    event.as.capacity.capacity = capacity * VMRES_MIB;
    return event;
}

static struct vmres_reservation_info info_of(const struct rig *rig, uint64_t id)
{
    struct vmres_reservation_info info;

    EXPECT_OK(vmres_engine_reservation(rig->engine, id, &info));
    return info;
}

static uint32_t has(const struct rig *rig, uint64_t id)
{
    return (uint32_t)(info_of(rig, id).charge / VMRES_MIB);
}

static uint32_t reserved(const struct rig *rig)
{
    struct vmres_pool_info pool;

    EXPECT_OK(vmres_engine_pool(rig->engine, MEMORY, &pool));
    return (uint32_t)(pool.reserved / VMRES_MIB);
}

static void expect_no_reservation(const struct rig *rig, uint64_t id)
{
    struct vmres_reservation_info info;

    EXPECT_STATUS(vmres_engine_reservation(rig->engine, id, &info), VMRES_UNKNOWN);
}

/* A host of 300; three VMs that were given so much, and use it all. */
static struct rig *three(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t given[] = {a, b, c};
    struct rig *rig = rig_new(300);

    for (uint32_t vm = 0; vm < 3; vm++)
        rig_add(rig, vm, 20, 300, given[vm]);
    rig_boot(rig);
    for (uint32_t vm = 0; vm < 3; vm++)
        rig->vms[vm].devices[MEMORY].used = given[vm];
    rig_round(rig);
    rig_forget_trace(rig);
    return rig;
}

/* --- gathered --- */

static void it_takes_what_is_free(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_reservation_info info;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->now = 500;
    rig_told(rig, reservation(rig, 7, 80, 80));
    EXPECT_TRACE(rig, "[    0.500] host reservation 7 has 0B of 80MiB: asked for\n"
                      "[    0.500] host reservation 7 has 80MiB of 80MiB: ready\n");
    EXPECT_BOOKS(rig, "100 100 + 20");
    info = info_of(rig, 7);
    assert_int_equal(info.owner, 1007);
    assert_int_equal(info.minimum, 80 * VMRES_MIB);
    assert_int_equal(info.maximum, 80 * VMRES_MIB);
    assert_int_equal(info.charge, 80 * VMRES_MIB);
    assert_int_equal(info.expires_ms, 500 + MINUTE);
    assert_int_equal(info.kind, MEMORY);
    assert_int_equal(info.ready, 1);
    assert_int_equal(reserved(rig), 80);
    /* Nobody is given what it has. */
    rig_wish(rig, 0, 200);
    rig_round(rig);
    EXPECT_BOOKS(rig, "120 100 + 0");
    rig_delete(rig);
}

static void it_gathers_what_is_above_entitlement_then_what_is_unused(void **state)
{
    struct rig *rig = three(160, 100, 40);

    (void)state;
    rig->vms[1].devices[MEMORY].used = 20;
    rig_told(rig, reservation(rig, 1, 100, 100));
    assert_int_equal(info_of(rig, 1).ready, 0);
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 60 40 + 0");
    assert_int_equal(info_of(rig, 1).ready, 1);
    rig_delete(rig);
}

static void it_never_takes_what_is_used_within_a_share_nor_below_a_floor(void **state)
{
    struct rig *rig = three(100, 100, 100);

    (void)state;
    rig->vms[2].devices[MEMORY].used = 0;
    rig_told(rig, reservation(rig, 1, 90, 90));
    for (uint32_t round = 0; round < 5; round++)
        rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 20 + 0");
    assert_int_equal(has(rig, 1), 80);
    assert_int_equal(info_of(rig, 1).ready, 0);
    /* It waits, and gets the rest when somebody uses less. */
    rig->vms[0].devices[MEMORY].used = 50;
    rig_round(rig);
    rig_round(rig);
    assert_int_equal(info_of(rig, 1).ready, 1);
    EXPECT_BOOKS(rig, "90 100 20 + 0");
    rig_delete(rig);
}

static void nobody_grows_before_it_has_its_minimum(void **state)
{
    struct rig *rig = three(100, 100, 100);

    (void)state;
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 60);
    rig_told(rig, reservation(rig, 1, 40, 40));
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 60 100 + 0");
    assert_int_equal(has(rig, 1), 40);
    rig_delete(rig);
}

/* One that the policy would let grow has more than its share, and the host needs that. */
static void who_must_give_does_not_grow(void **state)
{
    struct rig *rig = three(150, 75, 75);

    (void)state;
    rig_wish(rig, 0, 200);
    rig_told(rig, reservation(rig, 1, 30, 30));
    rig_round(rig);
    EXPECT_BOOKS(rig, "120 75 75 + 0");
    assert_int_equal(has(rig, 1), 30);
    rig_delete(rig);
}

static void more_than_it_needs_is_not_asked_for(void **state)
{
    struct rig *rig = three(100, 100, 100);

    (void)state;
    rig_wish(rig, 1, 40);
    rig_told(rig, reservation(rig, 1, 10, 10));
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 90 100 + 0");
    rig_delete(rig);
}

static void the_rest_is_what_nobody_wants(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_wish(rig, 0, 160);
    rig_told(rig, reservation(rig, 1, 20, 90));
    EXPECT_BOOKS(rig, "100 100 + 80");
    rig_round(rig);
    EXPECT_BOOKS(rig, "160 100 + 0");
    assert_int_equal(has(rig, 1), 40);
    /* Nobody is asked for more. */
    rig->vms[1].devices[MEMORY].used = 0;
    rig_round(rig);
    EXPECT_BOOKS(rig, "160 100 + 0");
    rig_delete(rig);
}

static void two_are_served_in_order_of_age(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 125);
    rig->vms[0].devices[MEMORY].used = 125;
    rig->vms[1].devices[MEMORY].used = 125;
    rig_told(rig, reservation(rig, 1, 10, 10));
    rig_told(rig, reservation(rig, 2, 60, 60));
    rig_told(rig, release_of(rig, 1)); /* whose place the third may take */
    rig_told(rig, reservation(rig, 3, 30, 30));
    assert_int_equal(has(rig, 2), 50);
    assert_int_equal(has(rig, 3), 0);
    rig_told(rig, release_of(rig, 2));
    rig_round(rig);
    assert_int_equal(has(rig, 3), 30);
    rig_delete(rig);
}

static void nothing_is_drawn_before_all_are_pinned(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 1));
    rig_withhold(rig, 1, RIG_PIN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 1));
    rig_told(rig, reservation(rig, 1, 50, 80));
    rig_round(rig);
    assert_int_equal(has(rig, 1), 0);
    rig_withhold(rig, 1, 0);
    rig_finish(rig, 1, VMRES_ACTION_PIN, 0, VMRES_RESULT_DONE);
    rig_pump(rig);
    rig_round(rig);
    assert_int_equal(has(rig, 1), 80);
    rig_delete(rig);
}

/* --- kept --- */

static void a_deficit_comes_first(void **state)
{
    struct rig *rig = three(160, 90, 50);

    (void)state;
    rig_told(rig, reservation(rig, 1, 30, 30));
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_told(rig, capacity_of(rig, 280));
    rig_round(rig);
    rig_progress(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 15);
    assert_int_equal(rig_deficit(rig, MEMORY), 5);
    assert_int_equal(has(rig, 1), 0);
    rig_withhold(rig, 0, 0);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 5, VMRES_RESULT_DONE);
    rig_round(rig);
    rig_round(rig);
    EXPECT_BOOKS(rig, "110 90 50 + 0");
    assert_int_equal(has(rig, 1), 30);
    rig_delete(rig);
}

/* VMs give what is above their share; what they need and are entitled to they keep. */
static void what_nobody_can_give_in_a_deficit_it_gives_back(void **state)
{
    struct rig *rig = three(100, 100, 60);

    (void)state;
    rig_told(rig, reservation(rig, 1, 40, 40));
    rig_told(rig, capacity_of(rig, 270));
    rig_round(rig);
    EXPECT_BOOKS(rig, "90 90 60 + 0");
    assert_int_equal(has(rig, 1), 30);
    assert_false(info_of(rig, 1).ready);
    /* Released before the deficit is worked off, it works that off before it is free. */
    rig_told(rig, capacity_of(rig, 250));
    assert_int_equal(rig_deficit(rig, MEMORY), 20);
    rig_told(rig, release_of(rig, 1));
    EXPECT_BOOKS(rig, "90 90 60 + 10");
    rig_delete(rig);
}

static void what_is_beyond_its_minimum_goes_before_anybody_is_asked(void **state)
{
    struct rig *rig = three(100, 100, 60);

    (void)state;
    rig_told(rig, reservation(rig, 1, 10, 40));
    rig_told(rig, reservation(rig, 2, 0, 10));
    rig_round(rig);
    assert_int_equal(has(rig, 1) + has(rig, 2), 40);
    rig_told(rig, capacity_of(rig, 275));
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 60 + 0");
    assert_int_equal(has(rig, 1), 15);
    assert_int_equal(has(rig, 2), 0); /* the younger gives first */
    rig_delete(rig);
}

/* One that uses all that it is entitled to is not asked for another's floor. */
static void a_floor_that_comes_up_is_met_from_it(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->vms[1].devices[MEMORY].used = 100;
    rig_told(rig, reservation(rig, 1, 50, 100));
    rig_round(rig);
    assert_int_equal(has(rig, 1), 100);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 130 * VMRES_MIB, 300 * VMRES_MIB));
    rig_round(rig);
    assert_int_equal(rig_charge(rig, 0, MEMORY), 130);
    assert_int_equal(has(rig, 1), 70);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 180 * VMRES_MIB, 300 * VMRES_MIB));
    rig_round(rig);
    assert_int_equal(rig_charge(rig, 0, MEMORY), 180);
    assert_int_equal(rig_charge(rig, 1, MEMORY), 100);
    assert_int_equal(has(rig, 1), 20);
    rig_delete(rig);
}

/* Room is kept for who will come, not for one that does not take it; that one is asked again. */
static void one_that_refuses_its_floor_takes_nothing_from_it(void **state)
{
    struct rig *rig = rig_new(300);
    uint32_t asked = 0;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->vms[1].devices[MEMORY].used = 100;
    rig_told(rig, reservation(rig, 1, 100, 100));
    rig_round(rig);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_told(rig, vmres_event_limits(rig->now, 0, 1, 180 * VMRES_MIB, 300 * VMRES_MIB));
    for (uint32_t round = 0; round < 40; round++) {
        rig_round(rig);
        if (!rig_is_open(rig, 0, VMRES_ACTION_NOTIFY))
            continue;
        rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 0, VMRES_RESULT_REFUSED);
        rig_round(rig);
        assert_int_equal(has(rig, 1), 100);
        asked++;
    }
    assert_in_range(asked, 2, 10);
    rig_delete(rig);
}

static void it_expires(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, reservation(rig, 1, 50, 50));
    rig_told(rig, reservation(rig, 2, 30, 30));
    rig_forget_trace(rig);
    rig_until(rig, MINUTE - 1);
    EXPECT_TRACE(rig, "");
    rig_until(rig, MINUTE);
    EXPECT_TRACE(rig, "[   60.000] host reservation 1 has 50MiB of 50MiB: expired\n"
                      "[   60.000] host reservation 2 has 30MiB of 30MiB: expired\n");
    expect_no_reservation(rig, 1);
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_delete(rig);
}

static void it_may_stand_for_ever(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event;

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->now = 500;
    event = reservation(rig, 1, 50, 50);
    event.as.terms.within_ms = UINT64_MAX;
    rig_told(rig, event);
    rig_until(rig, 10 * MINUTE);
    assert_int_equal(has(rig, 1), 50);
    assert_true(info_of(rig, 1).expires_ms == UINT64_MAX);
    rig_delete(rig);
}

static void it_is_released(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, reservation(rig, 1, 50, 50));
    rig_forget_trace(rig);
    rig_told(rig, release_of(rig, 1));
    EXPECT_TRACE(rig, "[    0.000] host reservation 1 has 50MiB of 50MiB: released\n");
    EXPECT_BOOKS(rig, "100 100 + 100");
    rig_refused(rig, release_of(rig, 1), VMRES_UNKNOWN);
    rig_refused(rig, release_of(rig, 0), VMRES_UNKNOWN);
    expect_no_reservation(rig, 0);
    rig_delete(rig);
}

static void what_is_refused(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);
    struct vmres_event event;

    (void)state;
    rig->options.max_reservations = 2;
    rig_start(rig);
    for (uint32_t vm = 0; vm < 2; vm++)
        rig_add(rig, vm, 80, 300, 100);
    rig_boot(rig);
    rig_refused(rig, reservation(rig, 0, 10, 10), VMRES_INVALID);
    rig_refused(rig, reservation(rig, 1, 11, 10), VMRES_INVALID);
    event = reservation(rig, 1, 10, 10);
    event.as.terms.within_ms = 0;
    rig_refused(rig, event, VMRES_INVALID);
    event = reservation(rig, 1, 10, 10);
    event.kind = CPU;
    rig_refused(rig, event, VMRES_INVALID);
    rig_refused(rig, reservation(rig, 1, 141, 141), VMRES_NOROOM);
    rig_told(rig, reservation(rig, 1, 100, 140));
    rig_refused(rig, reservation(rig, 1, 10, 10), VMRES_EXISTS);
    rig_refused(rig, reservation(rig, 2, 41, 41), VMRES_NOROOM);
    rig_told(rig, reservation(rig, 2, 40, 40));
    rig_refused(rig, reservation(rig, 3, 0, 0), VMRES_LIMIT);
    rig_delete(rig);
}

static void an_amount_is_not_a_hole(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->resources[MEMORY].placement = VMRES_PLACEMENT_EXTENT;
    rig_start(rig);
    rig_refused(rig, reservation(rig, 1, 10, 10), VMRES_UNSUPPORTED);
    rig_delete(rig);
}

/* --- claimed --- */

static void a_claim_passes_the_charge_on(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, reservation(rig, 1, 60, 80));
    rig_round(rig);
    EXPECT_BOOKS(rig, "100 100 + 20");
    rig_add(rig, 2, 50, 300, NONE);
    rig_forget_trace(rig);
    rig_withhold(rig, 2, RIG_REASSIGN);
    rig_told(rig, claim_of(rig, 2, 1));
    EXPECT_TRACE(rig, "[    1.000] vm2 allot 80MiB, now 80MiB: reserved for it\n"
                      "[    1.000] host reservation 1 has 0B of 60MiB: claimed\n");
    EXPECT_BOOKS(rig, "100 100 80 + 20");
    assert_int_equal(reserved(rig), 0);
    expect_no_reservation(rig, 1);
    assert_int_equal(rig_open(rig, 2, VMRES_ACTION_REASSIGN)->action.as.resize.target,
                     80 * VMRES_MIB);
    assert_int_equal(rig_open(rig, 2, VMRES_ACTION_REASSIGN)->action.flags, VMRES_ACTION_INITIAL);
    rig_finish(rig, 2, VMRES_ACTION_REASSIGN, 80, VMRES_RESULT_DONE);
    rig_live(rig, 2);
    rig_pump(rig);
    EXPECT_STATE(rig, 2, VMRES_VM_LIVE);
    rig_delete(rig);
}

static void what_is_above_its_ceiling_is_free_again(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, reservation(rig, 1, 80, 80));
    rig_add(rig, 2, 50, 70, NONE);
    rig_told(rig, claim_of(rig, 2, 1));
    EXPECT_BOOKS(rig, "100 100 70 + 30");
    rig_delete(rig);
}

static void a_claim_below_the_floor_waits(void **state)
{
    struct rig *rig = three(100, 100, 60);

    (void)state;
    rig->vms[2].devices[MEMORY].used = 30;
    rig_told(rig, reservation(rig, 1, 60, 60));
    rig_add(rig, 3, 50, 300, NONE);
    rig_refused(rig, claim_of(rig, 3, 1), VMRES_NOROOM);
    rig_round(rig);
    rig_round(rig);
    rig_told(rig, claim_of(rig, 3, 1));
    assert_int_equal(rig_charge(rig, 3, MEMORY), 60);
    rig_delete(rig);
}

static void who_may_claim(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 1, 50);
    rig_told(rig, reservation(rig, 1, 60, 60));
    rig_refused(rig, claim_of(rig, 0, 1), VMRES_STATE); /* it runs */
    rig_add(rig, 1, 0, 300, 40);
    rig_refused(rig, claim_of(rig, 1, 2), VMRES_UNKNOWN);
    rig_refused(rig, claim_of(rig, 1, 0), VMRES_UNKNOWN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    rig_refused(rig, claim_of(rig, 1, 1), VMRES_STATE); /* it has an allotment */
    rig->vms[2].incarnation = 1;
    rig_told(rig, rig_event(rig, VMRES_EVENT_VM_ADDED, 2));
    rig_refused(rig, claim_of(rig, 2, 1), VMRES_STATE); /* it has no limits */
    assert_int_equal(has(rig, 1), 60);
    rig_delete(rig);
}

/* A VM whose process is seen before its allotment is charged with the greater of the two. */
static void a_booting_vm_is_charged_with_the_greater_of_reserved_and_observed(void **state)
{
    static const uint32_t seen[] = {30, 75};

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct rig *rig = rig_new(300);
        uint32_t charge = seen[i] > 60 ? seen[i] : 60;

        rig_fleet(rig, 2, 100);
        rig_told(rig, reservation(rig, 1, 60, 60));
        rig_add(rig, 2, 0, 300, NONE);
        rig->vms[2].devices[MEMORY].held = seen[i];
        rig->lying = seen[i] > 60;
        rig_told(rig, rig_observed(rig, 2, MEMORY));
        assert_int_equal(rig_charge(rig, 2, MEMORY), seen[i]);
        rig_told(rig, claim_of(rig, 2, 1));
        assert_int_equal(rig_charge(rig, 2, MEMORY), charge);
        assert_int_equal(rig_free(rig, MEMORY), 100 - charge);
        rig_delete(rig);
    }
}

static void the_other_kind_is_allotted_as_ever(void **state)
{
    struct rig *rig = rig_prepare(300, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 1, 100);
    rig_told(rig, reservation(rig, 1, 60, 60));
    rig_add(rig, 1, 0, 300, 40);
    rig_told(rig, claim_of(rig, 1, 1));
    rig_boot(rig);
    EXPECT_STATE(rig, 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "100 60 + 140");
    assert_int_equal(rig_charge(rig, 1, CPU), 40);
    rig_delete(rig);
}

static void who_dies_with_its_claim_gives_it_back(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 1, 100);
    rig_told(rig, reservation(rig, 1, 60, 60));
    rig_add(rig, 1, 0, 300, NONE);
    rig_withhold(rig, 1, RIG_REASSIGN);
    rig_told(rig, claim_of(rig, 1, 1));
    rig_gone(rig, 1);
    EXPECT_BOOKS(rig, "100 + 200");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_what_is_free),
        cmocka_unit_test(it_gathers_what_is_above_entitlement_then_what_is_unused),
        cmocka_unit_test(it_never_takes_what_is_used_within_a_share_nor_below_a_floor),
        cmocka_unit_test(nobody_grows_before_it_has_its_minimum),
        cmocka_unit_test(who_must_give_does_not_grow),
        cmocka_unit_test(more_than_it_needs_is_not_asked_for),
        cmocka_unit_test(the_rest_is_what_nobody_wants),
        cmocka_unit_test(two_are_served_in_order_of_age),
        cmocka_unit_test(nothing_is_drawn_before_all_are_pinned),
        cmocka_unit_test(a_deficit_comes_first),
        cmocka_unit_test(what_nobody_can_give_in_a_deficit_it_gives_back),
        cmocka_unit_test(what_is_beyond_its_minimum_goes_before_anybody_is_asked),
        cmocka_unit_test(a_floor_that_comes_up_is_met_from_it),
        cmocka_unit_test(one_that_refuses_its_floor_takes_nothing_from_it),
        cmocka_unit_test(it_expires),
        cmocka_unit_test(it_may_stand_for_ever),
        cmocka_unit_test(it_is_released),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(an_amount_is_not_a_hole),
        cmocka_unit_test(a_claim_passes_the_charge_on),
        cmocka_unit_test(what_is_above_its_ceiling_is_free_again),
        cmocka_unit_test(a_claim_below_the_floor_waits),
        cmocka_unit_test(who_may_claim),
        cmocka_unit_test(a_booting_vm_is_charged_with_the_greater_of_reserved_and_observed),
        cmocka_unit_test(the_other_kind_is_allotted_as_ever),
        cmocka_unit_test(who_dies_with_its_claim_gives_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
