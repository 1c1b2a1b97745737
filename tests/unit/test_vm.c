/* SPDX-License-Identifier: MIT */
/* A VM's life: added, bounded, live, gone, reborn; and the last two in the middle of everything. */
#include "support/rig.h"

#include <string.h>

static struct vmres_event added(uint32_t vm, uint32_t incarnation)
{
    return vmres_event_make(VMRES_EVENT_VM_ADDED, 0, vm, incarnation);
}

/* --- coming --- */

static void a_slot_holds_one_vm_at_a_time(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_told(rig, added(3, 7));
    rig_refused(rig, added(3, 8), VMRES_EXISTS);
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_GONE, 0, 3, 7));
    rig_refused(rig, added(3, 7), VMRES_STALE);
    rig_told(rig, added(3, 8));
    rig_delete(rig);
}

static void limits_must_make_sense(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event event = vmres_event_limits(0, 0, 1, 101 * VMRES_MIB, 100 * VMRES_MIB);

    (void)state;
    rig_refused(rig, event, VMRES_UNKNOWN);
    rig_told(rig, added(0, 1));
    rig_refused(rig, event, VMRES_INVALID);
    event = vmres_event_limits(0, 0, 1, 0, 100 * VMRES_MIB);
    event.as.limits.weight = VMRES_WEIGHT_MAX + 1;
    rig_refused(rig, event, VMRES_INVALID);
    event = vmres_event_limits(0, 0, 1, 0, 100 * VMRES_MIB);
    event.as.limits.participation = VMRES_PARTICIPATE_BOTH + 1;
    rig_refused(rig, event, VMRES_INVALID);
    event = vmres_event_limits(0, 0, 1, 301 * VMRES_MIB, 400 * VMRES_MIB);
    rig_refused(rig, event, VMRES_NOROOM);
    rig_told(rig, vmres_event_limits(0, 0, 1, 200 * VMRES_MIB, 400 * VMRES_MIB));
    rig_told(rig, added(1, 1));
    event = vmres_event_limits(0, 1, 1, 101 * VMRES_MIB, 400 * VMRES_MIB);
    rig_refused(rig, event, VMRES_NOROOM);
    rig_told(rig, vmres_event_limits(0, 1, 1, 100 * VMRES_MIB, 400 * VMRES_MIB));
    rig_told(rig, vmres_event_limits(0, 0, 1, 50 * VMRES_MIB, 400 * VMRES_MIB));
    rig_told(rig, vmres_event_limits(0, 1, 1, 250 * VMRES_MIB, 400 * VMRES_MIB));
    rig_delete(rig);
}

static void the_reserve_is_nobodys_floor(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);

    (void)state;
    rig->resources[MEMORY].reserve = 50 * VMRES_MIB;
    rig_start(rig);
    rig_told(rig, added(0, 1));
    rig_refused(rig, vmres_event_limits(0, 0, 1, 251 * VMRES_MIB, 300 * VMRES_MIB), VMRES_NOROOM);
    rig_told(rig, vmres_event_limits(0, 0, 1, 250 * VMRES_MIB, 300 * VMRES_MIB));
    rig_delete(rig);
}

static void it_is_live_when_all_is_known(void **state)
{
    struct rig *rig = rig_prepare(300, 2, true);

    (void)state;
    rig_start(rig);
    rig_told(rig, added(0, 1));
    rig_refused(rig, vmres_event_make(VMRES_EVENT_VM_LIVE, 0, 0, 1), VMRES_STATE);
    rig_told(rig, vmres_event_limits(0, 0, 1, 0, 100 * VMRES_MIB));
    rig_refused(rig, vmres_event_make(VMRES_EVENT_VM_LIVE, 0, 0, 1), VMRES_STATE);
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_GONE, 0, 0, 1));
    rig->vms[0].incarnation = 1;
    rig_add(rig, 0, 0, 100, 100);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_STATE); /* no allotment yet */
    rig_boot(rig);
    EXPECT_STATE(rig, 0, VMRES_VM_LIVE);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_STATE); /* once is enough */
    rig_delete(rig);
}

static void a_refused_first_allotment_keeps_it_from_living(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_add(rig, 0, 0, 300, 100);
    rig_withhold(rig, 0, RIG_REASSIGN);
    rig_told(rig, rig_event(rig, VMRES_EVENT_ALLOT, 0));
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_STATE);
    rig->vms[0].devices[MEMORY].valid = 0;
    rig_finish(rig, 0, VMRES_ACTION_REASSIGN, 0, VMRES_RESULT_REFUSED);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_LIVE, 0), VMRES_STATE);
    EXPECT_BOOKS(rig, "100 + 200");
    rig_gone(rig, 0);
    EXPECT_BOOKS(rig, "+ 300");
    rig_delete(rig);
}

/* --- limits at run time --- */

static void a_floor_raised_above_what_it_has_is_met(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, vmres_event_limits(0, 0, 1, 130 * VMRES_MIB, 200 * VMRES_MIB));
    rig_round(rig);
    EXPECT_TRACE(rig,
                 "[    1.000] vm0 (3) gets 30MiB from vm1: its floor is above what it has\n"
                 "[    1.000] vm1 (4) remove 30MiB, down to 70MiB, for vm0: the host must have "
                 "it, and it is above its entitlement\n"
                 "[    1.000] vm1 (5) removed 30MiB, now 70MiB\n"
                 "[    1.000] vm0 (6) reassign 30MiB from vm1, now 130MiB\n"
                 "[    1.000] vm0 (7) notify of 30MiB, now 130MiB: its floor is above what it "
                 "has\n"
                 "[    1.000] vm0 (8) incorporated 30MiB, holds 130MiB\n"
                 "[    1.000] transfer vm1 to vm0 moved 30MiB of 30MiB: done\n");
    EXPECT_BOOKS(rig, "130 70 + 0");
    rig_delete(rig);
}

static void a_ceiling_lowered_below_what_it_has_is_kept(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig_told(rig, vmres_event_limits(0, 0, 1, 0, 80 * VMRES_MIB));
    rig_round(rig);
    EXPECT_TRACE(rig,
                 "[    1.000] vm0 (3) gives 20MiB to the pool: its ceiling is below what it has\n"
                 "[    1.000] vm0 (4) remove 20MiB, down to 80MiB, for the pool: its ceiling is "
                 "below what it has\n"
                 "[    1.000] vm0 (5) removed 20MiB, now 80MiB\n"
                 "[    1.000] transfer vm0 to the pool moved 20MiB of 20MiB: done\n");
    EXPECT_BOOKS(rig, "80 100 + 20");
    rig_delete(rig);
}

static struct vmres_event participation(enum vmres_participation participation)
{
    struct vmres_event event = vmres_event_limits(0, 0, 1, 0, 200 * VMRES_MIB);

    event.as.limits.participation = participation;
    return event;
}

static void who_takes_part_in_what(void **state)
{
    static const struct {
        enum vmres_participation part;
        const char *shrunk, *grown;
    } cases[] = {{VMRES_PARTICIPATE_OFF, "100 100 + 50", "100 100 + 50"},
                 {VMRES_PARTICIPATE_DONOR, "60 190 + 0", "100 100 + 50"},
                 {VMRES_PARTICIPATE_RECIPIENT, "100 150 + 0", "140 100 + 10"},
                 {VMRES_PARTICIPATE_BOTH, "60 190 + 0", "140 100 + 10"}};

    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t grow = 0; grow < 2; grow++) {
            struct rig *rig = rig_new(250);

            rig_fleet(rig, 2, 100);
            rig_told(rig, participation(cases[i].part));
            rig_wish(rig, 0, grow ? 140 : 60);
            if (!grow && cases[i].part != VMRES_PARTICIPATE_OFF)
                rig_wish(rig, 1, 190);
            rig_round(rig);
            EXPECT_BOOKS(rig, grow ? cases[i].grown : cases[i].shrunk);
            rig_delete(rig);
        }
    }
}

/* --- going, at each step --- */

enum stage { ASKED, A_PIECE, REASSIGNING, NOTIFIED, HALF_IN, STAGES };

/* vm1 gives 50 to vm0, as far as `stage`; vm2 looks on. */
static struct rig *at(enum stage stage)
{
    struct rig *rig = rig_new(300);

    rig_fleet(rig, 3, 100);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_withhold(rig, 0, stage <= REASSIGNING ? RIG_REASSIGN : RIG_NOTIFY);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_wish_nothing(rig);
    if (stage >= A_PIECE)
        rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    if (stage >= REASSIGNING)
        rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    if (stage == HALF_IN)
        rig_progress(rig, 0, VMRES_ACTION_NOTIFY, 10);
    rig_forget_trace(rig);
    return rig;
}

static void settles(struct rig *rig)
{
    for (uint32_t vm = 0; vm < 3; vm++)
        rig_withhold(rig, vm, 0);
    rig_until(rig, 30000);
    assert_int_equal(rig_transfers(rig), 0);
    assert_int_equal(rig->engine->command_open, NONE);
}

static void a_donor_may_go_at_any_step(void **state)
{
    static const char *const books[STAGES] = {"100 100 + 100", "120 100 + 80", "150 100 + 50",
                                              "150 100 + 50", "150 100 + 50"};

    (void)state;
    for (uint32_t stage = 0; stage < STAGES; stage++) {
        struct rig *rig = at((enum stage)stage);

        rig_gone(rig, 1);
        EXPECT_BOOKS(rig, books[stage]); /* all it held is free once, what it gave is given */
        settles(rig);
        rig_delete(rig);
    }
}

static void a_recipient_may_go_at_any_step(void **state)
{
    static const char *const books[STAGES] = {"100 100 + 100", "80 100 + 120", "50 100 + 150",
                                              "50 100 + 150", "50 100 + 150"};

    (void)state;
    for (uint32_t stage = 0; stage < STAGES; stage++) {
        struct rig *rig = at((enum stage)stage);

        rig_gone(rig, 0);
        rig_pump(rig);
        EXPECT_BOOKS(rig, books[stage]);
        rig_delete(rig);
    }
}

/* What it removes after nobody waits for it any more is free. */
static void what_a_donor_still_yields_is_free(void **state)
{
    struct rig *rig = at(A_PIECE);

    (void)state;
    rig_withhold(rig, 1, RIG_REMOVAL | RIG_CANCEL);
    rig_gone(rig, 0);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 25, VMRES_RESULT_CANCELLED);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "55 100 + 145");
    rig_delete(rig);
}

static void a_slot_may_be_taken_before_the_transfer_ends(void **state)
{
    struct rig *rig = at(NOTIFIED);

    (void)state;
    rig_gone(rig, 1);
    rig_add(rig, 1, 0, 300, 50);
    rig_boot(rig);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 1, 20);
    rig_wish(rig, 2, 180);
    rig_round(rig);
    EXPECT_BOOKS(rig, "150 50 100 + 0");
    rig_finish(rig, 0, VMRES_ACTION_NOTIFY, 50, VMRES_RESULT_DONE);
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 30, VMRES_RESULT_DONE);
    rig_pump(rig);
    EXPECT_BOOKS(rig, "150 20 130 + 0");
    rig_delete(rig);
}

static void the_last_words_of_one_that_went_are_refused(void **state)
{
    struct rig *rig = at(A_PIECE);
    struct vmres_event word = rig_answer(rig, rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL), 30);

    (void)state;
    rig_gone(rig, 1);
    rig_refused(rig, word, VMRES_UNKNOWN);
    rig_refused(rig, rig_event(rig, VMRES_EVENT_VM_GONE, 1), VMRES_UNKNOWN);
    rig_add(rig, 1, 0, 300, 100);
    rig_refused(rig, word, VMRES_STALE);
    word.incarnation = 2;
    rig_refused(rig, word, VMRES_CONTRACT);
    rig_delete(rig);
}

/* --- reborn --- */

/* Its process starts anew; what it holds then is up to it. */
static void reborn(struct rig *rig, uint32_t vm, uint32_t held)
{
    for (uint32_t i = rig->open_count; i > 0; i--)
        if (rig->open[i - 1].action.vm == vm)
            rig->open[i - 1] = rig->open[--rig->open_count];
    rig->answer_count = 0;
    rig->vms[vm].incarnation++;
    rig->vms[vm].devices[MEMORY].held = held;
}

static void a_reborn_vm_is_charged_with_the_most(void **state)
{
    struct rig *rig = rig_new(400);

    (void)state;
    rig_add(rig, 0, 0, 150, 100);
    rig_add(rig, 1, 0, 400, 100);
    rig_boot(rig);
    rig_forget_trace(rig);
    reborn(rig, 0, 120);
    rig_told(rig, rig_observed(rig, 0, MEMORY));
    EXPECT_TRACE(rig,
                 "[    0.000] vm0 books 50MiB, now 150MiB: charged with the most it could hold\n"
                 "[    0.000] vm0 booting\n");
    EXPECT_STATE(rig, 0, VMRES_VM_BOOTING);
    EXPECT_BOOKS(rig, "150 100 + 150");
    rig_live(rig, 0);
    rig_pump(rig);
    EXPECT_STATE(rig, 0, VMRES_VM_LIVE);
    EXPECT_BOOKS(rig, "120 100 + 180");
    rig_delete(rig);
}

static void what_its_former_self_said_is_dropped(void **state)
{
    struct rig *rig = at(A_PIECE);
    struct vmres_event word = rig_answer(rig, rig_open(rig, 1, VMRES_ACTION_REQUEST_REMOVAL), 30);
    struct vmres_event report = rig_event(rig, VMRES_EVENT_REPORT, 1);
    struct vmres_event observed = rig_observed(rig, 1, MEMORY);

    (void)state;
    reborn(rig, 1, 100);
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    rig_refused(rig, word, VMRES_STALE);
    rig_refused(rig, report, VMRES_STALE);
    rig_refused(rig, observed, VMRES_STALE);
    word.incarnation = 2;
    rig_refused(rig, word, VMRES_CONTRACT);
    rig_delete(rig);
}

/* A quota outlives the guest: its neighbours need not make room for what it cannot use. */
static void what_the_host_enforces_outlives_a_reboot(void **state)
{
    struct rig *rig = rig_prepare(300, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 150);
    rig->vms[1].incarnation++;
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    assert_int_equal(rig_charge(rig, 1, MEMORY), 300);
    assert_int_equal(rig_charge(rig, 1, CPU), 150);
    assert_int_equal(rig_deficit(rig, CPU), 0);
    rig_delete(rig);
}

static void a_reboot_that_takes_everything_back_is_worked_off(void **state)
{
    struct rig *rig = rig_new(200);

    (void)state;
    rig_add(rig, 0, 0, 200, 100);
    rig_add(rig, 1, 0, 100, 100);
    rig_boot(rig);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_wish_nothing(rig);
    EXPECT_BOOKS(rig, "150 50 + 0");
    rig_forget_trace(rig);
    reborn(rig, 1, 100);
    rig_told(rig, rig_observed(rig, 1, MEMORY));
    EXPECT_BOOKS(rig, "150 100 + 0 - 50");
    assert_int_equal(rig_counters(rig).deficits, 1);
    rig_until(rig, rig->now);
    EXPECT_BOOKS(rig, "100 100 + 0");
    EXPECT_TRACE(rig,
                 "[    1.000] vm1 books 50MiB, now 100MiB: charged with the most it could hold\n"
                 "[    1.000] vm1 booting\n"
                 "[    1.000] vm0 (3) gives 50MiB to the pool: the host must have it, and it is "
                 "above its entitlement\n"
                 "[    1.000] vm0 (4) remove 50MiB, down to 100MiB, for the pool: the host must "
                 "have it, and it is above its entitlement\n"
                 "[    1.000] vm0 (5) removed 50MiB, now 100MiB\n"
                 "[    1.000] transfer vm0 to the pool moved 50MiB of 50MiB: done\n");
    rig_delete(rig);
}

static void it_may_be_reborn_at_any_step(void **state)
{
    (void)state;
    for (uint32_t stage = 0; stage < STAGES; stage++) {
        for (uint32_t vm = 0; vm < 2; vm++) {
            struct rig *rig = at((enum stage)stage);

            reborn(rig, vm, 40);
            rig_told(rig, rig_observed(rig, vm, MEMORY));
            EXPECT_STATE(rig, vm, VMRES_VM_BOOTING);
            rig_live(rig, vm);
            rig_pump(rig);
            settles(rig);
            EXPECT_STATE(rig, vm, VMRES_VM_LIVE);
            rig_delete(rig);
        }
    }
}

static void only_some_words_tell_of_a_birth(void **state)
{
    static const uint8_t no[] = {VMRES_EVENT_VM_LIMITS, VMRES_EVENT_REMOVED, VMRES_EVENT_VM_LIVE};
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    for (uint32_t i = 0; i < sizeof no; i++) {
        struct vmres_event event = vmres_event_make((enum vmres_event_type)no[i], 0, 0, 2);

        rig_refused(rig, event, VMRES_UNKNOWN);
    }
    rig_told(rig, vmres_event_make(VMRES_EVENT_REPORT, 0, 0, 2));
    EXPECT_STATE(rig, 0, VMRES_VM_BOOTING);
    rig->vms[0].incarnation = 2;
    EXPECT_BOOKS(rig, "300 100 + 0 - 100");
    rig_delete(rig);
}

/* It began and ended while nothing was heard, as when the backend was away. */
static void an_unknown_life_may_end(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    rig->vms[0].present = false;
    rig_told(rig, vmres_event_make(VMRES_EVENT_VM_GONE, 0, 0, 3));
    EXPECT_STATE(rig, 0, VMRES_VM_VACANT);
    rig_refused(rig, vmres_event_make(VMRES_EVENT_VM_ADDED, 0, 0, 2), VMRES_STALE);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_holds_one_vm_at_a_time),
        cmocka_unit_test(limits_must_make_sense),
        cmocka_unit_test(the_reserve_is_nobodys_floor),
        cmocka_unit_test(it_is_live_when_all_is_known),
        cmocka_unit_test(a_refused_first_allotment_keeps_it_from_living),
        cmocka_unit_test(a_floor_raised_above_what_it_has_is_met),
        cmocka_unit_test(a_ceiling_lowered_below_what_it_has_is_kept),
        cmocka_unit_test(who_takes_part_in_what),
        cmocka_unit_test(a_donor_may_go_at_any_step),
        cmocka_unit_test(a_recipient_may_go_at_any_step),
        cmocka_unit_test(what_a_donor_still_yields_is_free),
        cmocka_unit_test(a_slot_may_be_taken_before_the_transfer_ends),
        cmocka_unit_test(the_last_words_of_one_that_went_are_refused),
        cmocka_unit_test(a_reborn_vm_is_charged_with_the_most),
        cmocka_unit_test(what_its_former_self_said_is_dropped),
        cmocka_unit_test(what_the_host_enforces_outlives_a_reboot),
        cmocka_unit_test(a_reboot_that_takes_everything_back_is_worked_off),
        cmocka_unit_test(it_may_be_reborn_at_any_step),
        cmocka_unit_test(only_some_words_tell_of_a_birth),
        cmocka_unit_test(an_unknown_life_may_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
