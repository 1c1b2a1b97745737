/* SPDX-License-Identifier: MIT */
/*
 * What can be tested only where a world knows it: commands that take time, guests that report, VMs
 * that do not do as they are told. Each test says what it needs; where that is not there it is
 * skipped. Whatever happens to a VM, its charge is in one place and counted once.
 */
#include <string.h>

#include "suite.h"

/* The amounts of all removals of the VM that is watched, in granules. */
static uint64_t removed(const struct suite *suite)
{
    const struct journal *journal = &suite->journal;
    uint64_t amount = 0;

    for (size_t at = suite->mark; at < journal->count; at++) {
        const struct vmres_event *event = &journal->entries[at].event;

        if (!journal->entries[at].is_action && event->type == VMRES_EVENT_REMOVED &&
            event->vm == suite->subject && event->flags & VMRES_FLAG_FINAL)
            amount += event->as.answer.amount / suite->resource.granule;
    }
    return amount;
}

/* The removal that stands at the mark or after it has ended. */
static bool removal_has_ended(struct suite *suite)
{
    size_t at = vmres__journal_find_action(&suite->journal, suite->mark,
                                           VMRES_ACTION_REQUEST_REMOVAL, suite->subject);

    return at < suite->journal.count && vmres__journal_final(&suite->journal, at) != NULL;
}

static bool some_is_removed(struct suite *suite)
{
    for (size_t at = suite->mark; at < suite->journal.count; at++) {
        const struct vmres_event *event = &suite->journal.entries[at].event;

        if (!suite->journal.entries[at].is_action && event->type == VMRES_EVENT_REMOVED &&
            event->vm == suite->subject && event->as.answer.amount > 0)
            return true;
    }
    return false;
}

/* Wants nothing any more, and lets all that is open end. */
static void calm_down(struct suite *suite)
{
    vmres__world_unname(suite);
    vmres__world_wait(suite);
    vmres__world_rest(suite);
}

/* --- commands that take time --- */

static void progress_is_told(struct suite *suite)
{
    const struct journal *journal = &suite->journal;
    size_t asked = vmres__world_begin_move(suite, 0, 1, 1), steps = 0;

    vmres__world_rest(suite);
    if (!suite_is_well(suite))
        return;
    for (size_t at = asked; at < journal->count; at++)
        steps += !journal->entries[at].is_action &&
                 journal->entries[at].event.id == journal->entries[asked].action.id;
    vmres__suite_expect(suite, steps >= 2,
                        "a removal that takes time is answered on its way, not at its end alone");
}

static bool is_asked_again(struct suite *suite)
{
    size_t first = vmres__journal_find_action(&suite->journal, suite->mark,
                                              VMRES_ACTION_REQUEST_REMOVAL, suite->subject);

    return vmres__journal_find_action(&suite->journal, first + 1, VMRES_ACTION_REQUEST_REMOVAL,
                                      suite->subject) < suite->journal.count;
}

static void a_newer_request_takes_over(struct suite *suite)
{
    uint32_t before = vmres__world_charge(suite, 0);
    size_t first = vmres__world_begin_move(suite, 0, 1, 1);
    const struct vmres_event *end;

    if (!suite_is_well(suite))
        return;
    suite->targets[0] -= suite->step;
    suite->targets[1] += suite->step;
    vmres__world_run(suite, is_asked_again, "a larger wish is a newer request");
    vmres__world_rest(suite);
    end = suite_is_well(suite) ? vmres__journal_final(&suite->journal, first) : NULL;
    vmres__suite_expect(
        suite, end && (end->result == VMRES_RESULT_SUPERSEDED || end->result == VMRES_RESULT_DONE),
        "the older request ends as superseded, unless it was done just then");
    vmres__suite_expect(
        suite, removed(suite) == 2 * suite->step,
        "the newer counts from where the older stood: together they make the whole");
    vmres__suite_expect(suite, vmres__world_held(suite, 0) == before - 2 * suite->step,
                        "the newer target is reached");
}

static void what_is_called_off_ends_where_it_stands(struct suite *suite)
{
    uint32_t all = vmres__world_sum(suite), before = vmres__world_charge(suite, 0);
    size_t asked = vmres__world_begin_move(suite, 0, 1, 2);
    const struct vmres_event *end;

    vmres__world_run(suite, some_is_removed, "the donor begins to give");
    calm_down(suite);
    end = suite_is_well(suite) ? vmres__journal_final(&suite->journal, asked) : NULL;
    vmres__suite_expect(suite, end != NULL, "a request that is called off has its final answer");
    if (suite->backend->ops->cancel)
        vmres__suite_expect(
            suite,
            end &&
                (end->result == VMRES_RESULT_CANCELLED || end->result == VMRES_RESULT_SUPERSEDED) &&
                removed(suite) < 2 * suite->step,
            "a backend that can cancel ends the request early, and says so");
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) == before - removed(suite),
                        "what was given until then is given, what was not is kept");
    vmres__suite_expect(suite, vmres__world_sum(suite) == all,
                        "nothing is lost and nothing is made");
}

/* --- guests that report --- */

static uint64_t used_of(const struct suite *suite, size_t from)
{
    size_t at = vmres__journal_find_event(&suite->journal, from, VMRES_EVENT_REPORT,
                                          vmres__world_id(suite, 0));

    return at < suite->journal.count ? suite->journal.entries[at].event.as.report.used : 0;
}

static void an_inquiry_is_answered_by_every_vm(struct suite *suite)
{
    const struct journal *journal = &suite->journal;
    size_t from = journal->count, round, next;

    vmres__world_wait(suite);
    round = vmres__journal_find_action(journal, from, VMRES_ACTION_INQUIRE, VMRES_VM_NONE);
    next = vmres__journal_find_action(journal, round + 1, VMRES_ACTION_INQUIRE, VMRES_VM_NONE);
    if (!vmres__suite_expect(suite, next < journal->count, "inquiries are sent"))
        return;
    for (uint32_t vm = 0; vm < suite->vms; vm++) {
        size_t at = round;
        uint32_t reports = 0;

        while ((at = vmres__journal_find_event(journal, at + 1, VMRES_EVENT_REPORT,
                                               vmres__world_id(suite, vm))) < journal->count)
            reports += journal->entries[at].event.id == journal->entries[round].action.id;
        vmres__suite_expect(
            suite, reports == suite->kinds,
            "every live VM answers an inquiry with one report of each kind that names it");
    }
}

static void a_need_shows_in_the_reports(struct suite *suite)
{
    size_t from = suite->journal.count;
    uint64_t before;

    if (!suite->fixture->set_need)
        return;
    vmres__world_wait(suite);
    before = used_of(suite, from);
    vmres__suite_expect(
        suite,
        suite->fixture->set_need(suite->fixture->user, 0, vmres__world_account(suite, 0).held) != 0,
        "the fixture could not set a need");
    vmres__world_wait(suite);
    from = suite->journal.count;
    vmres__world_wait(suite);
    vmres__suite_expect(suite, used_of(suite, from) > before,
                        "a VM that needs more says that it uses more");
}

/* --- guests that do not do as they are told --- */

static void a_partial_release_is_passed_on(struct suite *suite)
{
    uint32_t gives = vmres__world_charge(suite, 0), gets = vmres__world_charge(suite, 1);
    const struct vmres_event *end;
    size_t asked;

    vmres__world_hurt(suite, 0, VMRES_HARM_PARTIAL);
    asked = vmres__world_begin_move(suite, 0, 1, 2);
    vmres__world_run(suite, removal_has_ended, "a partial release ends");
    vmres__world_hurt(suite, 0, VMRES_HARM_MEND);
    calm_down(suite);
    end = suite_is_well(suite) ? vmres__journal_final(&suite->journal, asked) : NULL;
    vmres__suite_expect(suite, end && end->result == VMRES_RESULT_PARTIAL,
                        "what ends before its target is called partial");
    vmres__suite_expect(suite, removed(suite) > 0 && removed(suite) < 2 * suite->step,
                        "a partial release is some, not all");
    vmres__suite_expect(suite,
                        vmres__world_charge(suite, 0) == gives - removed(suite) &&
                            vmres__world_charge(suite, 1) == gets + removed(suite),
                        "what came is passed on, what did not stays charged to the donor");
}

static void nothing_comes_of_a_refusal(struct suite *suite)
{
    uint32_t gives = vmres__world_charge(suite, 0);
    const struct vmres_event *end;
    size_t asked;

    vmres__world_hurt(suite, 0, VMRES_HARM_REFUSE);
    asked = vmres__world_begin_move(suite, 0, 1, 1);
    vmres__world_run(suite, removal_has_ended, "a refusal is told");
    vmres__world_hurt(suite, 0, VMRES_HARM_MEND);
    calm_down(suite);
    end = suite_is_well(suite) ? vmres__journal_final(&suite->journal, asked) : NULL;
    vmres__suite_expect(suite,
                        end && end->result == VMRES_RESULT_REFUSED && end->as.answer.amount == 0,
                        "a refusal says so, and that nothing came");
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) == gives,
                        "who refuses keeps what it has");
}

static void one_that_ignores_keeps_its_charge(struct suite *suite)
{
    uint32_t gives = vmres__world_charge(suite, 0);

    vmres__world_hurt(suite, 0, VMRES_HARM_IGNORE);
    (void)vmres__world_begin_move(suite, 0, 1, 1);
    vmres__world_run(suite, removal_has_ended, "a request that is ignored ends when called off");
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) == gives,
                        "who gives nothing keeps what it has");
    vmres__world_hurt(suite, 0, VMRES_HARM_MEND);
    calm_down(suite);
    vmres__world_move(suite, 0, 1, 1); /* it is left alone for a while, and tried again */
}

static bool vm0_is_gone(struct suite *suite)
{
    return vmres__world_state(suite, 0) == VMRES_VM_VACANT;
}

static bool vm1_is_gone(struct suite *suite)
{
    return vmres__world_state(suite, 1) == VMRES_VM_VACANT;
}

static void one_that_vanishes_leaves_its_charge_once(struct suite *suite)
{
    uint32_t all = vmres__world_sum(suite), other = vmres__world_charge(suite, 1);

    vmres__world_hurt(suite, 0, VMRES_HARM_VANISH);
    vmres__world_run(suite, vm0_is_gone, "the engine hears of a VM that vanished");
    calm_down(suite);
    vmres__suite_expect(suite, vmres__world_charge(suite, 1) == other,
                        "the others have what they had");
    vmres__suite_expect(suite, vmres__world_charge(suite, 1) + vmres__world_free(suite) == all,
                        "what it was charged with is free, once");
}

static void a_donor_may_vanish_while_it_gives(struct suite *suite)
{
    uint32_t all = vmres__world_sum(suite), other = vmres__world_charge(suite, 1);

    (void)vmres__world_begin_move(suite, 0, 1, 2);
    vmres__world_run(suite, some_is_removed, "the donor begins to give");
    vmres__world_hurt(suite, 0, VMRES_HARM_VANISH);
    vmres__world_run(suite, vm0_is_gone, "the engine hears of a VM that vanished");
    calm_down(suite);
    vmres__suite_expect(suite, vmres__world_charge(suite, 1) >= other,
                        "what came before it vanished is the recipient's");
    vmres__suite_expect(suite, vmres__world_charge(suite, 1) + vmres__world_free(suite) == all,
                        "what it still had is free, once");
}

static bool vm1_is_given(struct suite *suite)
{
    return vmres__journal_find_action(&suite->journal, suite->mark, VMRES_ACTION_REASSIGN,
                                      vmres__world_id(suite, 1)) < suite->journal.count;
}

static void a_recipient_may_vanish_while_it_gets(struct suite *suite)
{
    uint32_t all = vmres__world_sum(suite);

    (void)vmres__world_begin_move(suite, 0, 1, 2);
    vmres__world_run(suite, vm1_is_given, "the recipient is given the first piece");
    vmres__world_hurt(suite, 1, VMRES_HARM_VANISH);
    vmres__world_run(suite, vm1_is_gone, "the engine hears of a VM that vanished");
    calm_down(suite);
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) + vmres__world_free(suite) == all,
                        "what it had, and what was on its way to it, is free, once");
}

static bool vm0_lives_anew(struct suite *suite)
{
    return vmres_driver_vm_incarnation(suite->driver, vmres__world_id(suite, 0)) > suite->rounds &&
           vmres__world_state(suite, 0) == VMRES_VM_LIVE;
}

static void a_reboot_is_another_life(struct suite *suite)
{
    if (!suite_is_well(suite))
        return;
    suite->rounds = vmres_driver_vm_incarnation(suite->driver, vmres__world_id(suite, 0));
    vmres__world_hurt(suite, 0, VMRES_HARM_REBOOT);
    vmres__world_run(suite, vm0_lives_anew, "a VM that rebooted lives, in a newer incarnation");
    calm_down(suite);
    vmres__suite_expect(suite, vmres__world_charge(suite, 0) >= vmres__world_held(suite, 0),
                        "it is charged with all it holds");
}

static bool vm0_is_charged_more(struct suite *suite)
{
    return vmres__world_charge(suite, 0) > suite->rounds;
}

static void what_is_retaken_is_seen(struct suite *suite)
{
    suite->rounds = vmres__world_charge(suite, 0);
    vmres__world_watch(suite, 0);
    vmres__world_hurt(suite, 0, VMRES_HARM_RETAKE);
    vmres__world_run(suite, vm0_is_charged_more, "a VM that takes more is charged with more");
    vmres__suite_expect(suite, vmres__world_heard(suite, VMRES_EVENT_OBSERVED),
                        "what nobody asked for is told as an observation");
    calm_down(suite);
}

/* --- links and drivers that go --- */

static bool link_is_lost(struct suite *suite)
{
    return vmres__world_heard(suite, VMRES_EVENT_BACKEND_LOST);
}

static bool link_is_back(struct suite *suite)
{
    return vmres__world_heard(suite, VMRES_EVENT_BACKEND_READY) && vmres__world_all_live(suite);
}

static void break_and_mend(struct suite *suite)
{
    size_t ready, seen;

    vmres__world_watch(suite, VMRES_VM_NONE);
    vmres__world_hurt(suite, 0, VMRES_HARM_LINK);
    vmres__world_run(suite, link_is_lost, "a link that breaks is told");
    vmres__world_unname(suite);
    vmres__world_hurt(suite, 0, VMRES_HARM_MEND);
    vmres__world_run(suite, link_is_back, "it is mended, and all VMs live again");
    ready = vmres__journal_find_event(&suite->journal, suite->mark, VMRES_EVENT_BACKEND_READY,
                                      VMRES_VM_NONE);
    for (uint32_t vm = 0; vm < suite->vms; vm++) {
        seen = vmres__journal_find_event(&suite->journal, suite->mark, VMRES_EVENT_OBSERVED,
                                         vmres__world_id(suite, vm));
        vmres__suite_expect(suite, seen < ready,
                            "every VM is observed anew before the backend says that it is back");
    }
    calm_down(suite);
}

static void a_link_may_break(struct suite *suite)
{
    break_and_mend(suite);
    vmres__world_move(suite, 0, 1, 1);
}

static void a_link_may_break_with_a_request_open(struct suite *suite)
{
    uint32_t all = vmres__world_sum(suite);

    (void)vmres__world_begin_move(suite, 0, 1, 2);
    vmres__world_run(suite, some_is_removed, "the donor begins to give");
    break_and_mend(suite);
    vmres__suite_expect(suite, vmres__world_sum(suite) == all,
                        "nothing is lost and nothing is made");
}

static void change_drivers(struct suite *suite)
{
    const struct journal *journal = &suite->journal;

    if (!suite_is_well(suite))
        return;
    vmres__world_disconnect(suite);
    vmres__world_unname(suite);
    vmres__world_connect(suite);
    for (uint32_t vm = 0; vm < suite->vms && suite_is_well(suite); vm++) {
        uint32_t id = vmres__world_id(suite, vm);
        size_t added = vmres__journal_find_event(journal, 0, VMRES_EVENT_VM_ADDED, id);
        size_t seen = vmres__journal_find_event(journal, added, VMRES_EVENT_OBSERVED, id);
        size_t live = vmres__journal_find_event(journal, added, VMRES_EVENT_VM_LIVE, id);

        vmres__suite_expect(suite,
                            added < journal->count &&
                                journal->entries[added].event.flags & VMRES_FLAG_ADOPTED,
                            "a VM that ran before its driver is added as adopted");
        vmres__suite_expect(suite, seen < live, "and observed before it is called live");
    }
}

static void another_driver_adopts_what_runs(struct suite *suite)
{
    uint32_t held = vmres__world_held(suite, 0);

    change_drivers(suite);
    vmres__suite_expect(suite, vmres__world_held(suite, 0) == held,
                        "a VM holds what it held, whoever is its driver");
    vmres__world_move(suite, 0, 1, 1);
}

static void another_driver_finds_a_request_open(struct suite *suite)
{
    uint32_t held = vmres__world_held(suite, 0);

    (void)vmres__world_begin_move(suite, 0, 1, 2);
    vmres__world_run(suite, some_is_removed, "the donor begins to give");
    change_drivers(suite);
    vmres__suite_expect(suite,
                        vmres__world_held(suite, 0) < held &&
                            vmres__world_charge(suite, 0) >= vmres__world_held(suite, 0),
                        "it is charged with what it holds, however far it had come");
}

#define HARM(harm) (1u << VMRES_HARM_##harm)
#define TEST(name, needs) \
    { \
#name, name, 2, needs \
    }

const struct suite_test vmres__suite_may[] = {
    TEST(progress_is_told, VMRES_CONFORMANCE_SLOW),
    TEST(a_newer_request_takes_over, VMRES_CONFORMANCE_SLOW),
    TEST(what_is_called_off_ends_where_it_stands, VMRES_CONFORMANCE_SLOW),
    TEST(an_inquiry_is_answered_by_every_vm, VMRES_CONFORMANCE_REPORTS),
    TEST(a_need_shows_in_the_reports, VMRES_CONFORMANCE_REPORTS),
    TEST(a_partial_release_is_passed_on, HARM(PARTIAL)),
    TEST(nothing_comes_of_a_refusal, HARM(REFUSE)),
    TEST(one_that_ignores_keeps_its_charge, HARM(IGNORE)),
    TEST(one_that_vanishes_leaves_its_charge_once, HARM(VANISH)),
    TEST(a_donor_may_vanish_while_it_gives, HARM(VANISH) | VMRES_CONFORMANCE_SLOW),
    TEST(a_recipient_may_vanish_while_it_gets, HARM(VANISH) | VMRES_CONFORMANCE_SLOW),
    TEST(a_reboot_is_another_life, HARM(REBOOT)),
    TEST(what_is_retaken_is_seen, HARM(RETAKE)),
    TEST(a_link_may_break, HARM(LINK)),
    TEST(a_link_may_break_with_a_request_open, HARM(LINK) | VMRES_CONFORMANCE_SLOW),
    TEST(another_driver_adopts_what_runs, VMRES_CONFORMANCE_ADOPTS),
    TEST(another_driver_finds_a_request_open, VMRES_CONFORMANCE_ADOPTS | VMRES_CONFORMANCE_SLOW),
    {NULL, NULL, 0, 0},
};
