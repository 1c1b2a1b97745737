/* SPDX-License-Identifier: MIT */
/*
 * What every backend must do: bring VMs to life, move what is asked in the order of the method,
 * answer what it takes and refuse what it does not know. In each test the journal's laws hold as
 * well (journal.c), which say most of it.
 */
#include <string.h>

#include <vmres/operate.h>

#include "suite.h"

static void the_vms_come_to_life(struct suite *suite)
{
    for (uint32_t vm = 0; vm < suite->vms; vm++) {
        struct vmres_account_info account = vmres__world_account(suite, vm);

        vmres__suite_expect(suite, account.held > 0, "a VM that lives holds something");
        vmres__suite_expect(suite, account.charge >= account.held,
                            "a VM is charged with all it holds");
    }
}

static void the_steps_come_in_order(struct suite *suite)
{
    const struct journal *journal = &suite->journal;
    size_t at = suite->journal.count;

    vmres__world_move(suite, 0, 1, 1);
    at = vmres__journal_find_action(journal, at, VMRES_ACTION_REQUEST_REMOVAL,
                                    vmres__world_id(suite, 0));
    vmres__suite_expect(suite, at < journal->count, "step 4: a removal is requested");
    at = vmres__journal_find_event(journal, at, VMRES_EVENT_REMOVED, vmres__world_id(suite, 0));
    vmres__suite_expect(suite, at < journal->count, "step 5: a removal follows the request");
    at = vmres__journal_find_action(journal, at, VMRES_ACTION_REASSIGN, vmres__world_id(suite, 1));
    vmres__suite_expect(suite, at < journal->count, "step 6: the reassignment follows the removal");
    at = vmres__journal_find_event(journal, at, VMRES_EVENT_REASSIGNED, vmres__world_id(suite, 1));
    vmres__suite_expect(suite, at < journal->count, "step 6: the reassignment is answered");
    at = vmres__journal_find_action(journal, at, VMRES_ACTION_NOTIFY, vmres__world_id(suite, 1));
    vmres__suite_expect(suite, at < journal->count, "step 7: the recipient is told");
    at =
        vmres__journal_find_event(journal, at, VMRES_EVENT_INCORPORATED, vmres__world_id(suite, 1));
    vmres__suite_expect(suite, at < journal->count, "step 8: the recipient takes it in");
}

static void targets_are_absolute(struct suite *suite)
{
    uint32_t before = vmres__world_charge(suite, 0);

    vmres__world_move(suite, 0, 1, 1);
    vmres__world_move(suite, 0, 1, 2);
    if (suite_is_well(suite))
        vmres__suite_expect(suite, vmres__world_held(suite, 0) == before - 3 * suite->step,
                            "two removals come to the second one's target, not below");
}

static void a_release_has_a_witness(struct suite *suite)
{
    size_t asked = suite->journal.count;
    const struct vmres_event *end;

    vmres__world_move(suite, 0, 1, 1);
    if (!suite_is_well(suite))
        return;
    asked = vmres__journal_find_action(&suite->journal, asked, VMRES_ACTION_REQUEST_REMOVAL,
                                       vmres__world_id(suite, 0));
    end = vmres__journal_final(&suite->journal, asked);
    if (suite->resource.removal == VMRES_REMOVAL_GUEST)
        vmres__suite_expect(
            suite, end && end->valid & (VMRES_VALID_WITNESS | VMRES_VALID_ENFORCED),
            "the final answer to a removal carries a witness, or says that it is enforced");
    vmres__suite_expect(suite, vmres__world_account(suite, 0).disputed == 0,
                        "an honest release leaves nothing in dispute");
}

/* Moves between several at once, and checks the sums. */
static void share(struct suite *suite, const int32_t steps[SUITE_VMS])
{
    uint32_t before[SUITE_VMS];

    for (uint32_t vm = 0; vm < suite->vms; vm++) {
        before[vm] = vmres__world_charge(suite, vm);
        vmres__world_name(suite, vm, steps[vm]);
    }
    vmres__world_wait(suite);
    vmres__world_rest(suite);
    for (uint32_t vm = 0; vm < suite->vms && suite_is_well(suite); vm++)
        vmres__suite_expect(suite,
                            vmres__world_held(suite, vm) ==
                                (uint32_t)((int32_t)before[vm] + steps[vm] * (int32_t)suite->step),
                            "every VM holds what all transfers through it come to");
}

static void two_donors_feed_one(struct suite *suite)
{
    share(suite, (const int32_t[SUITE_VMS]){-1, 2, -1});
}

static void one_donor_feeds_two(struct suite *suite)
{
    share(suite, (const int32_t[SUITE_VMS]){1, -2, 1});
}

static void what_went_comes_back(struct suite *suite)
{
    uint32_t before = vmres__world_held(suite, 0);

    vmres__world_move(suite, 0, 1, 2);
    vmres__world_move(suite, 1, 0, 2);
    vmres__suite_expect(suite, vmres__world_held(suite, 0) == before,
                        "what went and came back is what was");
}

/* Hands the backend an action of the suite's own making. */
static enum vmres_status submit(struct suite *suite, uint8_t type, uint64_t target)
{
    uint32_t id = vmres__world_id(suite, 0);
    struct vmres_action action = {
        .id = ++suite->id,
        .vm = id,
        .type = type,
        .incarnation = vmres_driver_vm_incarnation(suite->driver, id),
        .as.resize.target = target,
    };

    vmres__journal_add_action(&suite->journal, &action);
    return suite->backend->ops->submit(suite->backend, &action);
}

static void an_unknown_action_is_refused(struct suite *suite)
{
    size_t before = suite->journal.count;

    if (!suite_is_well(suite))
        return;
    vmres__suite_expect(suite, submit(suite, 200, 0) != VMRES_OK,
                        "an action of a type that is not known is refused, not ignored");
    vmres__world_wait(suite);
    vmres__suite_expect(suite,
                        vmres__journal_find_event(&suite->journal, before, VMRES_EVENT_REMOVED,
                                                  VMRES_VM_NONE) == suite->journal.count,
                        "what was refused has no consequences");
}

static bool pinned_is_heard(struct suite *suite)
{
    return vmres__world_heard(suite, VMRES_EVENT_PINNED);
}

static void a_pin_tells_what_is_held(struct suite *suite)
{
    uint64_t held = vmres__world_account(suite, 0).held;
    const struct vmres_event *answer;
    size_t at = suite->journal.count;

    if (!suite_is_well(suite))
        return;
    vmres__world_watch(suite, 0);
    vmres__suite_expect(suite, submit(suite, VMRES_ACTION_PIN, held) == VMRES_OK, "a pin is taken");
    vmres__world_run(suite, pinned_is_heard, "a pin is answered");
    answer = suite_is_well(suite) ? vmres__journal_final(&suite->journal, at) : NULL;
    vmres__suite_expect(suite, answer && answer->valid & VMRES_VALID_HELD, "it says what is held");
    vmres__suite_expect(suite, answer && answer->as.answer.held == held,
                        "a VM that is pinned where it is stays there");
}

static int never(void *context)
{
    (void)context;
    return 0;
}

static void stop(struct suite *suite)
{
    struct vmres_driver_counters before, after;

    if (!suite_is_well(suite))
        return;
    vmres_driver_stop(suite->driver, vmres__world_now(suite));
    vmres_driver_counters(suite->driver, &before);
    vmres__world_pass(suite, never, NULL, 3000);
    vmres_driver_counters(suite->driver, &after);
    vmres__suite_expect(suite, before.posted == after.posted, "who is stopped posts nothing");
}

static void start(struct suite *suite)
{
    struct vmres_error error;

    if (!suite_is_well(suite))
        return;
    if (vmres_driver_start(suite->driver, vmres__world_now(suite), &error) != VMRES_OK) {
        vmres__suite_fail(suite, "the backend could not be started again: %s", error.message);
        return;
    }
    vmres__world_run(suite, vmres__world_all_live, "the VMs live again after a stop and a start");
    vmres__world_rest(suite);
}

static void it_may_be_stopped_and_started(struct suite *suite)
{
    uint32_t before = vmres__world_charge(suite, 0);

    stop(suite);
    start(suite);
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) == before,
                        "a VM that was left alone has what it had");
    vmres__world_move(suite, 0, 1, 1);
}

static void it_may_be_stopped_with_a_request_open(struct suite *suite)
{
    uint32_t before = vmres__world_sum(suite);

    (void)vmres__world_begin_move(suite, 0, 1, 1);
    stop(suite);
    vmres__world_unname(suite);
    start(suite);
    vmres__world_wait(suite);
    vmres__world_rest(suite);
    vmres__suite_expect(suite, vmres__world_sum(suite) == before,
                        "whatever came of it, nothing is lost and nothing is made");
}

/* --- what an operator asks for --- */

static bool vm0_is_frozen(struct suite *suite)
{
    return vmres__world_state(suite, 0) == VMRES_VM_FROZEN;
}

static void freeze(struct suite *suite)
{
    if (!suite_is_well(suite))
        return;
    vmres__suite_expect(suite,
                        vmres_driver_freeze(suite->driver, vmres__world_id(suite, 0)) == VMRES_OK,
                        "a VM could not be frozen");
    vmres__world_run(suite, vm0_is_frozen, "a VM is frozen when an operator says so");
}

static void thaw(struct suite *suite)
{
    if (!suite_is_well(suite))
        return;
    vmres__world_watch(suite, 0);
    vmres__suite_expect(suite,
                        vmres_driver_thaw(suite->driver, vmres__world_id(suite, 0)) == VMRES_OK,
                        "a VM could not be thawed");
    vmres__world_run(suite, vmres__world_all_live, "a VM that was thawed lives on");
    vmres__suite_expect(suite, vmres__world_asked(suite, VMRES_ACTION_PIN),
                        "it is pinned before it takes part again");
    vmres__world_rest(suite);
}

static void a_frozen_vm_is_left_alone(struct suite *suite)
{
    uint32_t before = vmres__world_charge(suite, 0);

    freeze(suite);
    vmres__world_watch(suite, 0);
    vmres__world_name(suite, 0, -1);
    vmres__world_name(suite, 1, 1);
    vmres__world_wait(suite);
    vmres__suite_expect(suite, !vmres__world_asked(suite, VMRES_ACTION_REQUEST_REMOVAL),
                        "nothing is asked of a frozen VM");
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) == before,
                        "a frozen VM stays charged with what it has");
    vmres__world_unname(suite);
    thaw(suite);
    vmres__world_move(suite, 0, 1, 1);
}

static void it_may_be_frozen_with_a_request_open(struct suite *suite)
{
    uint32_t before = vmres__world_sum(suite);

    (void)vmres__world_begin_move(suite, 0, 1, 1);
    freeze(suite);
    vmres__world_unname(suite);
    vmres__world_rest(suite);
    thaw(suite);
    vmres__suite_expect(suite, vmres__world_sum(suite) == before,
                        "whatever came of the request, nothing is lost and nothing is made");
}

static bool is_settled(struct suite *suite)
{
    return vmres_engine_settled(vmres_driver_engine(suite->driver)) != 0;
}

static bool vm1_is_charged_more(struct suite *suite)
{
    return vmres__world_charge(suite, 1) > suite->rounds;
}

static void everything_settles_and_goes_on(struct suite *suite)
{
    (void)vmres__world_begin_move(suite, 0, 1, 1);
    if (!suite_is_well(suite))
        return;
    vmres__suite_expect(suite, vmres_driver_settle(suite->driver, 0) == VMRES_OK,
                        "a driver could not be told to settle");
    vmres__world_run(suite, is_settled, "everything open ends when an operator says so");
    vmres__world_unname(suite);
    vmres__world_watch(suite, 0);
    vmres__world_name(suite, 0, -1);
    vmres__world_name(suite, 1, 1);
    vmres__world_pass(suite, never, NULL, 3000);
    vmres__suite_expect(suite, !vmres__world_asked(suite, VMRES_ACTION_REQUEST_REMOVAL),
                        "nothing is begun until it is told to go on");
    suite->rounds = vmres__world_charge(suite, 1);
    vmres__suite_expect(suite, vmres_driver_resume(suite->driver) == VMRES_OK,
                        "a driver could not be told to go on");
    vmres__world_run(suite, vm1_is_charged_more, "then what is wanted is moved again");
    vmres__world_rest(suite);
}

#define TEST(name, vms) \
    { \
#name, name, vms, 0 \
    }

const struct suite_test vmres__suite_must[] = {
    TEST(the_vms_come_to_life, 4),
    TEST(the_steps_come_in_order, 2),
    TEST(targets_are_absolute, 2),
    TEST(a_release_has_a_witness, 2),
    TEST(two_donors_feed_one, 3),
    TEST(one_donor_feeds_two, 3),
    TEST(what_went_comes_back, 2),
    TEST(an_unknown_action_is_refused, 2),
    TEST(a_pin_tells_what_is_held, 2),
    TEST(it_may_be_stopped_and_started, 2),
    TEST(it_may_be_stopped_with_a_request_open, 2),
    TEST(a_frozen_vm_is_left_alone, 2),
    TEST(it_may_be_frozen_with_a_request_open, 2),
    TEST(everything_settles_and_goes_on, 2),
    {NULL, NULL, 0, 0},
};
