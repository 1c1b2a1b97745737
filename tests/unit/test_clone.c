/* SPDX-License-Identifier: MIT */
/*
 * The same engine in a larger one: cloned at any point of an eventful life, what it does afterwards
 * is what the one that was never cloned does.
 */
#include <string.h>

#include <vmres/policies.h>

#include "support/rig.h"

/* What the rig's own policies have for options: see rig_start(). */
struct wishes {
    struct rig *rig;
};

/* Puts a clone with room for all of the rig's VMs in the place of the rig's engine. */
static void clone(struct rig *rig)
{
    struct wishes wishes = {rig};
    struct vmres_engine *made;
    struct vmres_error error;

    rig->options.max_vms = RIG_VMS;
    rig->options.max_transfers = 200;
    rig->options.max_reservations = 20;
    for (uint32_t k = 0; k < RIG_KINDS; k++)
        if (strcmp(rig->policies[k].ops->name, "orders") == 0)
            rig->policies[k].options = &wishes;
    EXPECT_OK(vmres_engine_clone(rig->engine, &rig->options, &made, &error));
    vmres_engine_destroy(rig->engine);
    rig->engine = made;
    EXPECT_OK(vmres_engine_audit(rig->engine, &error));
}

static struct vmres_event reservation(const struct rig *rig, uint64_t id, uint32_t amount)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_RESERVE, 0);

    event.id = id;
    event.as.terms.minimum = event.as.terms.maximum = amount * VMRES_MIB;
    event.as.terms.within_ms = 30000;
    return event;
}

static struct vmres_event numbered(const struct rig *rig, enum vmres_event_type type, uint32_t vm,
                                   uint64_t id)
{
    struct vmres_event event = rig_event(rig, type, vm);

    event.id = id;
    event.as.order.amount = 110 * VMRES_MIB;
    event.as.order.recipient = id;
    return event;
}

/* --- an eventful life, one stage after the other --- */

static void begin(struct rig *rig)
{
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_SUPERSEDED);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
}

static void half_way(struct rig *rig)
{
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
}

static void ask_anew(struct rig *rig)
{
    rig_wish(rig, 1, 40);
    rig_wish(rig, 2, 110);
    rig_round(rig);
}

static void reserve(struct rig *rig)
{
    rig_told(rig, reservation(rig, 1, 10));
    rig_told(rig, reservation(rig, 2, 30));
}

static void wait(struct rig *rig)
{
    rig_until(rig, rig->now + 1200);
}

static void freeze(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 1));
    rig_withhold(rig, 1, 0);
}

static void late_answers(struct rig *rig)
{
    while (rig_is_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL))
        rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 0, VMRES_RESULT_CANCELLED);
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 20, VMRES_RESULT_DONE);
    rig_withhold(rig, 0, 0);
}

static void thaw(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 1));
}

static void order(struct rig *rig)
{
    rig_told(rig, numbered(rig, VMRES_EVENT_SET, 2, 0));
    rig_round(rig);
}

static void settle(struct rig *rig)
{
    struct vmres_event event = rig_event(rig, VMRES_EVENT_SETTLE, 0);

    event.as.terms.within_ms = 700;
    rig_told(rig, event);
}

static void resume(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_RESUME, 0));
    rig_wish(rig, 2, 200);
}

static void fall_silent(struct rig *rig)
{
    rig_withhold(rig, 2, RIG_ALL);
    rig_wish(rig, 0, 130);
    rig_wish(rig, 2, 60);
    rig_until(rig, rig->now + 12000);
}

static void lose_the_backend(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig->open_count = rig->answer_count = 0;
    rig_withhold(rig, 2, 0);
}

static void find_it(struct rig *rig)
{
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_READY, 0));
}

static void (*const stages[])(struct rig *) = {
    begin, half_way,         ask_anew, reserve, wait, freeze, late_answers, wait, thaw,
    order, settle,           wait,     resume,  wait, wait,   fall_silent,  wait, begin,
    wait,  lose_the_backend, wait,     find_it, wait, begin,  wait,
};

enum { STAGES = sizeof stages / sizeof stages[0] };

/* Lives it all, and is cloned before this stage. */
static struct rig *live(uint32_t cloned)
{
    struct rig *rig = rig_prepare(300, 1, true);

    rig->options.max_vms = 3;
    rig->options.tracer.level = VMRES_TRACE_DEBUG;
    rig_start(rig);
    for (uint32_t vm = 0; vm < 3; vm++)
        rig_add(rig, vm, 20, 200, 100);
    rig_boot(rig);
    for (uint32_t stage = 0; stage < STAGES; stage++) {
        if (stage == cloned)
            clone(rig);
        stages[stage](rig);
        rig_pump(rig);
    }
    return rig;
}

static void the_same_life_wherever_it_is_cloned(void **state)
{
    struct rig *never = live(STAGES);
    struct vmres_counters expected = rig_counters(never);

    (void)state;
    assert_true(expected.transfers_done > 0 && expected.transfers_failed > 0);
    for (uint32_t stage = 0; stage < STAGES; stage++) {
        struct rig *rig = live(stage);
        struct vmres_counters counters = rig_counters(rig);

        assert_string_equal(rig->trace, never->trace);
        assert_memory_equal(&counters, &expected, sizeof counters);
        assert_int_equal(rig->sent_count, never->sent_count);
        assert_memory_equal(rig->sent, never->sent, never->sent_count * sizeof *never->sent);
        rig_delete(rig);
    }
    rig_delete(never);
}

static void then_more_fit(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);
    struct vmres_event added;

    (void)state;
    rig->options.max_vms = 2;
    rig->options.max_reservations = 1;
    rig_start(rig);
    rig_fleet(rig, 2, 50);
    rig->vms[2].incarnation = 1;
    added = rig_event(rig, VMRES_EVENT_VM_ADDED, 2);
    rig_refused(rig, added, VMRES_INVALID);
    rig_told(rig, reservation(rig, 1, 30));
    rig_refused(rig, reservation(rig, 2, 30), VMRES_LIMIT);
    rig->vms[2].incarnation = 0;
    clone(rig);
    rig_told(rig, reservation(rig, 2, 30));
    for (uint32_t vm = 2; vm < RIG_VMS; vm++)
        rig_add(rig, vm, 0, 50, 10);
    rig_boot(rig);
    EXPECT_STATE(rig, RIG_VMS - 1, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "50 50 10 10 10 10 10 10 10 10 10 10 + 40");
    rig_delete(rig);
}

/* --- what a policy has learned --- */

static struct rig *pressed(uint32_t cloned)
{
    struct rig *rig = rig_prepare(300, 1, false);

    rig->policies[MEMORY] = (struct vmres_policy){vmres_policy_find("pressure"), NULL};
    rig->options.max_vms = 3;
    EXPECT_OK(vmres_engine_create(&rig->options, &rig->engine, NULL));
    for (uint32_t vm = 0; vm < 3; vm++)
        rig_add(rig, vm, 20, 200, 100);
    rig_boot(rig);
    /* Spells of need that come, end and come again; from these it learns. */
    for (uint32_t round = 0; round < 60; round++) {
        for (uint32_t vm = 0; vm < 3; vm++) {
            struct rig_device *device = &rig->vms[vm].devices[MEMORY];
            uint32_t demand = (round + 7 * vm) % 20 < 6 ? 130 : 50 + (round * 13 + vm) % 20;

            device->used = demand;
            device->stall =
                demand > device->held ? (demand - device->held) * VMRES_STALL_ONE / demand : 0;
        }
        if (round == cloned)
            clone(rig);
        rig_round(rig);
    }
    return rig;
}

static void what_its_policy_has_learned_is_kept(void **state)
{
    struct rig *never = pressed(UINT32_MAX);

    (void)state;
    assert_true(rig_counters(never).transfers_done > 5);
    for (uint32_t round = 0; round < 60; round += 7) {
        struct rig *rig = pressed(round);

        assert_string_equal(rig->trace, never->trace);
        rig_delete(rig);
    }
    rig_delete(never);
}

/* --- what is refused --- */

static void expect_refused(struct rig *rig, enum vmres_status status)
{
    struct vmres_engine *made = NULL;
    struct vmres_error error = {.status = VMRES_OK};

    EXPECT_STATUS(vmres_engine_clone(rig->engine, &rig->options, &made, &error), status);
    assert_null(made);
    assert_int_equal(error.status, status);
    EXPECT_OK(vmres_engine_audit(rig->engine, NULL));
}

#define REFUSED(rig, option, value, status) \
    do { \
        struct vmres_engine_options before = (rig)->options; \
        (rig)->options.option = value; \
        expect_refused(rig, status); \
        (rig)->options = before; \
    } while (0)

static void one_that_is_smaller_or_another(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);
    struct wishes wishes = {rig};
    struct vmres_policy other[] = {{vmres_policy_find("static"), NULL}};
    struct vmres_resource kinds[2];
    struct vmres_engine *made = NULL;

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    rig->policies[MEMORY].options = rig->policies[CPU].options = &wishes;
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 40);
    rig_wish(rig, 1, 130);
    rig_wish(rig, 2, 130);
    rig_round(rig);
    rig_told(rig, reservation(rig, 1, 0));
    rig_told(rig, reservation(rig, 2, 0));
    assert_int_equal(rig_transfers(rig), 2);
    REFUSED(rig, max_vms, 2, VMRES_LIMIT);
    REFUSED(rig, max_transfers, 1, VMRES_LIMIT);
    REFUSED(rig, max_reservations, 1, VMRES_LIMIT);
    REFUSED(rig, kinds, 2, VMRES_INVALID);
    REFUSED(rig, policies, other, VMRES_INVALID);
    REFUSED(rig, size, 1, VMRES_INVALID);
    kinds[0] = kinds[1] = rig->resources[MEMORY];
    kinds[0].granule = 2 * VMRES_MIB;
    REFUSED(rig, resources, kinds, VMRES_INVALID);
    kinds[0] = kinds[1];
    kinds[0].name = "other";
    REFUSED(rig, resources, kinds, VMRES_INVALID);
    kinds[0] = kinds[1];
    kinds[0].removal = VMRES_REMOVAL_HOST;
    REFUSED(rig, resources, kinds, VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_clone(NULL, &rig->options, &made, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_clone(rig->engine, &rig->options, NULL, NULL), VMRES_INVALID);
    assert_null(made);
    rig->heap.fail_at = rig->heap.asked + 1;
    expect_refused(rig, VMRES_NOMEM);
    rig->heap.fail_at = 0;
    rig_withhold(rig, 0, 0);
    rig_finish(rig, 0, VMRES_ACTION_REQUEST_REMOVAL, 60, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "40 130 130 + 0");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_life_wherever_it_is_cloned),
        cmocka_unit_test(then_more_fit),
        cmocka_unit_test(what_its_policy_has_learned_is_kept),
        cmocka_unit_test(one_that_is_smaller_or_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
