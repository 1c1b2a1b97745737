/* SPDX-License-Identifier: MIT */
/*
 * A host to test in: the fixture's world, a driver with the suite's own policy over it, which says
 * just what a test wants moved, and the books as the engine keeps them. Invariant: whenever the
 * world has moved, the books were audited.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"

enum { PATIENCE_MS = 60000, TICK_MS = 100, ROUNDS = 3 };

void vmres__suite_fail(struct suite *suite, const char *format, ...)
{
    va_list arguments;

    if (!suite_is_well(suite))
        return;
    suite->wrong.status = VMRES_CONTRACT;
    va_start(arguments, format);
    (void)vsnprintf(suite->wrong.message, sizeof suite->wrong.message, format, arguments);
    va_end(arguments);
}

bool vmres__suite_expect(struct suite *suite, bool truth, const char *what)
{
    if (!truth)
        vmres__suite_fail(suite, "%s", what);
    return suite_is_well(suite);
}

/* --- the policy: what the test wants, nothing else --- */

struct wish {
    const struct suite *suite;
};

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    const struct suite *suite = ((const struct wish *)state)->suite;

    (void)vm_states;
    for (uint32_t vm = 0; vm < suite->vms && round->kind == 0; vm++) {
        uint32_t id = vmres__world_id(suite, vm);

        if (id < round->count && suite->targets[vm] != SUITE_UNNAMED)
            vmres_verdict_set(verdict, id, suite->targets[vm], "the test says so");
    }
}

static enum vmres_status begin(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    (void)host;
    ((struct wish *)state)->suite = ((const struct wish *)options)->suite;
    return VMRES_OK;
}

static const struct wish defaults = {NULL};
static const struct vmres_option_key keys[] = {{.name = NULL}};
static const struct vmres_policy_ops policy = {
    .size = sizeof policy,
    .name = "conformance",
    .options_size = sizeof(struct wish),
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct wish),
    .commands = 1,
    .start = begin,
    .judge = judge,
};

/* --- a host and its driver --- */

void vmres__world_open(struct suite *suite, uint32_t vms)
{
    suite->vms = vms;
    suite->id = UINT64_MAX / 2;
    vmres__world_unname(suite);
    if (!suite->fixture->open(suite->fixture->user, vms)) {
        vmres__suite_fail(suite, "the host could not be opened");
        suite->vms = 0;
    }
}

void vmres__world_close(struct suite *suite)
{
    vmres__world_disconnect(suite);
    vmres__journal_finish(&suite->journal);
    if (suite->vms > 0 && suite->fixture->close)
        suite->fixture->close(suite->fixture->user);
}

void vmres__world_disconnect(struct suite *suite)
{
    if (suite->driver && suite->fixture->disconnect)
        suite->fixture->disconnect(suite->fixture->user, suite->driver);
    else
        vmres_driver_destroy(suite->driver);
    suite->driver = NULL;
}

static uint32_t granules(const struct suite *suite, uint64_t units)
{
    return (uint32_t)(units / suite->resource.granule);
}

/* How far every VM can be moved, both ways. */
static void measure(struct suite *suite)
{
    uint64_t room = UINT64_MAX;

    for (uint32_t vm = 0; vm < suite->vms && suite_is_well(suite); vm++) {
        struct vmres_account_info account = vmres__world_account(suite, vm);
        uint64_t down = account.held > account.floor ? account.held - account.floor : 0;
        uint64_t up = account.ceiling > account.held ? account.ceiling - account.held : 0;

        room = down < room ? down : room;
        room = up < room ? up : room;
    }
    if (!suite_is_well(suite))
        return;
    vmres__suite_expect(suite, vmres__world_free(suite) == 0,
                        "the VMs do not hold all there is; give the host no more than they hold");
    suite->step = granules(suite, room) / 4;
    vmres__suite_expect(
        suite, suite->step >= 2,
        "a VM is less than 8 granules from its floor or ceiling; give it more room");
}

void vmres__world_connect(struct suite *suite)
{
    const struct vmres_conformance_fixture *fixture = suite->fixture;
    struct wish wish = {suite};
    struct vmres_driver_options options;

    if (!suite_is_well(suite))
        return;
    vmres__journal_finish(&suite->journal);
    vmres_driver_options_init(&options);
    for (uint32_t kind = 0; kind < VMRES_KINDS_MAX; kind++)
        suite->policies[kind] = (struct vmres_policy){&policy, &wish};
    options.engine.policies = suite->policies;
    options.recorder = (struct vmres_recorder){vmres__journal_write, &suite->journal};
    suite->driver = fixture->connect(fixture->user, &options);
    if (!suite->driver) {
        vmres__suite_fail(suite, "the driver could not be started");
        return;
    }
    suite->backend = options.backend;
    suite->resource = options.engine.resources[0];
    suite->kinds = options.engine.kinds;
    for (uint32_t kind = 0; kind < suite->kinds; kind++)
        if (options.engine.resources[kind].removal == VMRES_REMOVAL_GUEST)
            suite->guests |= 1u << kind;
    vmres__world_run(suite, vmres__world_all_live, "the VMs come to life");
    vmres__world_rest(suite);
    if (suite->step == 0)
        measure(suite);
}

/* --- time --- */

uint64_t vmres__world_now(const struct suite *suite)
{
    return suite->fixture->tick ? suite->now_ms : suite->fixture->now(suite->fixture->user);
}

void vmres__world_pass(struct suite *suite, int (*done)(void *context), void *context, uint32_t ms)
{
    const struct vmres_conformance_fixture *fixture = suite->fixture;
    uint64_t end_ms = suite->now_ms + ms;

    if (!fixture->tick) {
        fixture->run_until(fixture->user, done, context, ms);
        return;
    }
    while (!done(context) && suite->now_ms < end_ms) {
        suite->now_ms += TICK_MS;
        fixture->tick(fixture->user, suite->now_ms);
        vmres_driver_pump(suite->driver, suite->now_ms);
    }
}

struct wait {
    struct suite *suite;
    bool (*done)(struct suite *suite);
};

static int look(void *context)
{
    struct wait *wait = context;
    struct suite *suite = wait->suite;
    struct vmres_error error;

    if (suite->driver && vmres_engine_audit(vmres_driver_engine(suite->driver), &error) != VMRES_OK)
        vmres__suite_fail(suite, "the books are wrong: %s", error.message);
    return !suite_is_well(suite) || wait->done(suite);
}

void vmres__world_run(struct suite *suite, bool (*done)(struct suite *suite), const char *what)
{
    const struct vmres_conformance_fixture *fixture = suite->fixture;
    uint32_t patience = fixture->patience_ms ? fixture->patience_ms : PATIENCE_MS;
    struct wait wait = {suite, done};

    if (!suite_is_well(suite))
        return;
    vmres__world_pass(suite, look, &wait, patience);
    if (suite_is_well(suite) && !done(suite))
        vmres__suite_fail(suite, "this did not happen: %s", what);
}

static uint64_t rounds_of(const struct suite *suite)
{
    struct vmres_counters counters;

    vmres_engine_counters(vmres_driver_engine(suite->driver), &counters);
    return counters.rounds;
}

static bool rounds_have_passed(struct suite *suite)
{
    return rounds_of(suite) >= suite->rounds;
}

void vmres__world_wait(struct suite *suite)
{
    if (!suite_is_well(suite))
        return;
    suite->rounds = rounds_of(suite) + ROUNDS;
    vmres__world_run(suite, rounds_have_passed, "rounds follow each other");
}

static bool is_at_rest(struct suite *suite)
{
    struct vmres_transfer_info transfer;
    uint32_t cursor = 0;

    return !vmres_engine_next_transfer(vmres_driver_engine(suite->driver), &cursor, &transfer) &&
           !vmres__journal_is_open(&suite->journal);
}

void vmres__world_rest(struct suite *suite)
{
    vmres__world_run(suite, is_at_rest,
                     "every transfer ends and every action has its final answer");
}

/* --- moving --- */

bool vmres__world_heard(struct suite *suite, enum vmres_event_type type)
{
    return vmres__journal_find_event(&suite->journal, suite->mark, type, suite->subject) <
           suite->journal.count;
}

bool vmres__world_asked(struct suite *suite, enum vmres_action_type type)
{
    return vmres__journal_find_action(&suite->journal, suite->mark, type, suite->subject) <
           suite->journal.count;
}

static bool is_asked_to_give(struct suite *suite)
{
    return vmres__world_asked(suite, VMRES_ACTION_REQUEST_REMOVAL);
}

void vmres__world_name(struct suite *suite, uint32_t vm, int32_t steps)
{
    if (suite_is_well(suite))
        suite->targets[vm] =
            (uint32_t)((int64_t)vmres__world_charge(suite, vm) + (int64_t)steps * suite->step);
}

void vmres__world_unname(struct suite *suite)
{
    for (uint32_t vm = 0; vm < SUITE_VMS; vm++)
        suite->targets[vm] = SUITE_UNNAMED;
}

size_t vmres__world_begin_move(struct suite *suite, uint32_t from, uint32_t to, uint32_t steps)
{
    vmres__world_watch(suite, from);
    vmres__world_name(suite, from, -(int32_t)steps);
    vmres__world_name(suite, to, (int32_t)steps);
    vmres__world_run(suite, is_asked_to_give, "a VM is asked to give");
    return vmres__journal_find_action(&suite->journal, suite->mark, VMRES_ACTION_REQUEST_REMOVAL,
                                      suite->subject);
}

void vmres__world_move(struct suite *suite, uint32_t from, uint32_t to, uint32_t steps)
{
    uint32_t gives = vmres__world_charge(suite, from), gets = vmres__world_charge(suite, to);
    uint32_t moved = steps * suite->step;

    (void)vmres__world_begin_move(suite, from, to, steps);
    vmres__world_rest(suite);
    vmres__world_unname(suite);
    if (!suite_is_well(suite))
        return;
    vmres__suite_expect(suite, vmres__world_charge(suite, from) == gives - moved,
                        "the donor is charged with less by what it was to give");
    vmres__suite_expect(suite, vmres__world_charge(suite, to) == gets + moved,
                        "the recipient is charged with more by what it was to get");
    vmres__suite_expect(suite, vmres__world_held(suite, from) == gives - moved,
                        "the donor holds what it is charged with");
    vmres__suite_expect(suite, vmres__world_held(suite, to) == gets + moved,
                        "the recipient holds what it is charged with");
}

void vmres__world_watch(struct suite *suite, uint32_t vm)
{
    suite->mark = suite->journal.count;
    suite->subject = vm == VMRES_VM_NONE ? VMRES_VM_NONE : vmres__world_id(suite, vm);
}

void vmres__world_hurt(struct suite *suite, uint32_t vm, enum vmres_conformance_harm harm)
{
    if (suite_is_well(suite) && !suite->fixture->hurt(suite->fixture->user, vm, harm))
        vmres__suite_fail(suite, "the fixture could not do harm %d to VM %u", (int)harm, vm);
}

/* --- what is there --- */

uint32_t vmres__world_id(const struct suite *suite, uint32_t vm)
{
    char name[] = "vm0";

    name[2] = (char)('0' + vm);
    return vmres_driver_vm_id(suite->driver, name);
}

struct vmres_account_info vmres__world_account(struct suite *suite, uint32_t vm)
{
    struct vmres_account_info account = {.charge = 0};

    if (vmres_engine_account(vmres_driver_engine(suite->driver), vmres__world_id(suite, vm), 0,
                             &account) != VMRES_OK)
        vmres__suite_fail(suite, "the engine does not know VM %u", vm);
    return account;
}

uint32_t vmres__world_charge(struct suite *suite, uint32_t vm)
{
    return suite_is_well(suite) ? granules(suite, vmres__world_account(suite, vm).charge) : 0;
}

uint32_t vmres__world_held(struct suite *suite, uint32_t vm)
{
    return suite_is_well(suite) ? granules(suite, vmres__world_account(suite, vm).held) : 0;
}

uint32_t vmres__world_free(struct suite *suite)
{
    struct vmres_pool_info pool = {.free = 0};

    if (!suite_is_well(suite) ||
        vmres_engine_pool(vmres_driver_engine(suite->driver), 0, &pool) != VMRES_OK)
        return 0;
    return granules(suite, pool.free);
}

uint32_t vmres__world_sum(struct suite *suite)
{
    return vmres__world_charge(suite, 0) + vmres__world_charge(suite, 1) + vmres__world_free(suite);
}

enum vmres_vm_state vmres__world_state(const struct suite *suite, uint32_t vm)
{
    struct vmres_vm_info info;

    if (vmres_engine_vm(vmres_driver_engine(suite->driver), vmres__world_id(suite, vm), &info) !=
        VMRES_OK)
        return VMRES_VM_VACANT;
    return info.state;
}

bool vmres__world_all_live(struct suite *suite)
{
    for (uint32_t vm = 0; vm < suite->vms; vm++) {
        if (vmres__world_state(suite, vm) != VMRES_VM_LIVE)
            return false;
    }
    return true;
}
