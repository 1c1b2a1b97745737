/* SPDX-License-Identifier: MIT */
/*
 * The rig: its life, its policy, its clock, and the checks after every step. How a guest answers is
 * rig_guest.c's.
 *
 * Invariant: the engine's books are audited after every step, and unless a test says that a guest
 * lies, no VM is charged with less than it truly holds.
 */
#include "support/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/rig_guest.h"

/* --- the policy: what the test wishes --- */

struct wishes {
    struct rig *rig;
};

static enum vmres_status begin_wishes(void *state, const void *options,
                                      const struct vmres_policy_host *host)
{
    (void)host;
    *(struct wishes *)state = *(const struct wishes *)options;
    return VMRES_OK;
}

static void say_wishes(void *state, void *vm_states, const struct vmres_round *round,
                       struct vmres_verdict *verdict)
{
    struct rig *rig = ((struct wishes *)state)->rig;

    (void)vm_states;
    rig->judged[round->kind]++;
    rig->round = *round;
    for (uint32_t vm = 0; vm < round->count; vm++) {
        rig->seen[round->kind][vm] = round->views[vm];
        if (rig->wishes[round->kind][vm] != NONE && round->views[vm].flags & VMRES_VIEW_PRESENT)
            vmres_verdict_set(verdict, vm, rig->wishes[round->kind][vm], "wished");
    }
}

static const struct wishes no_wishes = {NULL};

static const struct vmres_policy_ops judge = {.size = sizeof(struct vmres_policy_ops),
                                              .name = "wishes",
                                              .options_size = sizeof(struct wishes),
                                              .defaults = &no_wishes,
                                              .state_size = sizeof(struct wishes),
                                              .start = begin_wishes,
                                              .judge = say_wishes};

static const struct vmres_policy_ops orders = {.size = sizeof(struct vmres_policy_ops),
                                               .name = "orders",
                                               .options_size = sizeof(struct wishes),
                                               .defaults = &no_wishes,
                                               .state_size = sizeof(struct wishes),
                                               .commands = 1,
                                               .start = begin_wishes,
                                               .judge = say_wishes};

void rig_wish(struct rig *rig, uint32_t vm, uint32_t target)
{
    rig->wishes[MEMORY][vm] = target;
}

void rig_wish_nothing(struct rig *rig)
{
    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        rig->wishes[MEMORY][vm] = rig->wishes[CPU][vm] = NONE;
}

void rig_ask(struct rig *rig)
{
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
}

/* --- the trace --- */

static const char *name_of(void *user, uint32_t vm)
{
    static const char *const names[RIG_VMS] = {"vm0", "vm1", "vm2", "vm3", "vm4",  "vm5",
                                               "vm6", "vm7", "vm8", "vm9", "vm10", "vm11"};

    (void)user;
    return vm < RIG_VMS ? names[vm] : NULL;
}

static void take_line(void *user, const struct vmres_trace_record *record)
{
    struct rig *rig = user;
    struct vmres_trace_names names = {name_of, NULL, rig->resources, rig->options.kinds};
    size_t left = RIG_TRACE - rig->trace_length;
    size_t length = vmres_trace_format(record, &names, rig->trace + rig->trace_length, left);

    assert_true(length + 2 < left);
    rig->trace_length += length;
    memcpy(rig->trace + rig->trace_length++, "\n", 2);
}

void rig_forget_trace(struct rig *rig)
{
    rig->trace_length = 0;
    rig->trace[0] = '\0';
}

void rig_expect_trace(struct rig *rig, const char *lines, const char *file, int line)
{
    const char *at = rig->trace;

    if (strcmp(rig->trace, lines) == 0) {
        rig_forget_trace(rig);
        return;
    }
    fprintf(stderr, "%s:%d: the trace was\n", file, line);
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");

        fprintf(stderr, "                 \"%.*s\\n\"\n", (int)length, at);
        at += length + 1;
    }
    _fail(file, line);
}

/* --- life --- */

struct rig *rig_prepare(uint32_t capacity, uint32_t kinds, bool commands)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct vmres_engine_options *options;

    assert_non_null(rig);
    options = &rig->options;
    rig->resources[MEMORY] = (struct vmres_resource){
        .name = "memory", .granule = VMRES_MIB, .capacity = capacity * VMRES_MIB};
    rig->resources[CPU] = (struct vmres_resource){.name = "cpu",
                                                  .unit = VMRES_UNIT_MILLI,
                                                  .removal = VMRES_REMOVAL_HOST,
                                                  .granule = 10,
                                                  .capacity = capacity * UINT64_C(10)};
    for (uint32_t k = 0; k < RIG_KINDS; k++)
        rig->policies[k].ops = commands ? &orders : &judge;
    failing_allocator_init(&rig->heap, 0);
    vmres_engine_options_init(options);
    options->max_vms = RIG_VMS;
    options->kinds = kinds;
    options->resources = rig->resources;
    options->policies = rig->policies;
    options->tracer = (struct vmres_tracer){take_line, rig, VMRES_TRACE_INFO};
    options->allocator = &rig->heap.allocator;
    rig_wish_nothing(rig);
    return rig;
}

void rig_start(struct rig *rig)
{
    struct wishes wishes = {rig};
    struct vmres_error error;

    for (uint32_t k = 0; k < RIG_KINDS; k++)
        rig->policies[k].options = &wishes;
    EXPECT_OK(vmres_engine_create(&rig->options, &rig->engine, &error));
}

struct rig *rig_new(uint32_t capacity)
{
    struct rig *rig = rig_prepare(capacity, 1, true);

    rig_start(rig);
    return rig;
}

struct rig *rig_asked(void)
{
    struct rig *rig = rig_new(200);

    rig_fleet(rig, 2, 100);
    rig_ask(rig);
    rig_forget_trace(rig);
    return rig;
}

void rig_delete(struct rig *rig)
{
    vmres_engine_destroy(rig->engine);
    failing_allocator_expect_empty(&rig->heap);
    free(rig);
}

/* --- steps --- */

static void check(const struct rig *rig)
{
    struct vmres_error error;

    if (vmres_engine_audit(rig->engine, &error) != VMRES_OK)
        fail_msg("audit: %s\n%s", error.message, rig->trace);
    for (uint32_t vm = 0; vm < RIG_VMS && !rig->lying; vm++)
        for (uint8_t k = 0; k < rig->options.kinds; k++)
            if (rig->vms[vm].present && rig->vms[vm].devices[k].held > rig_charge(rig, vm, k))
                fail_msg("vm%u holds %u and is charged with %u\n%s", vm,
                         rig->vms[vm].devices[k].held, rig_charge(rig, vm, k), rig->trace);
}

static void carry_out(struct rig *rig, const struct vmres_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        assert_true(rig->sent_count < RIG_TABLE);
        rig->sent[rig->sent_count++] = actions->items[i];
    }
}

enum vmres_status rig_tell(struct rig *rig, struct vmres_event event)
{
    struct vmres_actions actions;
    enum vmres_status status = vmres_engine_step(rig->engine, &event, &actions);

    rig->sent_count = 0;
    carry_out(rig, &actions);
    check(rig);
    while (status == VMRES_MORE) {
        rig->more++;
        status = vmres_engine_step(rig->engine, NULL, &actions);
        carry_out(rig, &actions);
        check(rig);
    }
    for (uint32_t i = 0; i < rig->sent_count; i++)
        rig_guest_hears(rig, &rig->sent[i]);
    return status;
}

void rig_told(struct rig *rig, struct vmres_event event)
{
    EXPECT_OK(rig_tell(rig, event));
}

/* The engine but for what a refused event may touch: the counters. */
static void blank(unsigned char *copy)
{
    struct vmres_engine *engine = (struct vmres_engine *)(void *)copy;

    memset(&engine->counters, 0, sizeof engine->counters);
    engine->outbox_count = 0;
}

void rig_refused(struct rig *rig, struct vmres_event event, enum vmres_status status)
{
    size_t bytes = rig->engine->bytes;
    unsigned char *before = malloc(bytes), *after = malloc(bytes);
    uint64_t refused = rig->engine->counters.refused;

    assert_true(before && after);
    memcpy(before, rig->engine, bytes);
    EXPECT_STATUS(rig_tell(rig, event), status);
    memcpy(after, rig->engine, bytes);
    assert_int_equal(rig->engine->counters.refused, refused + 1);
    assert_int_equal(rig->sent_count, 0);
    blank(before);
    blank(after);
    assert_memory_equal(before, after, bytes);
    free(before);
    free(after);
}

void rig_pump(struct rig *rig)
{
    for (uint32_t steps = 0; rig->answer_count > 0; steps++) {
        struct vmres_event event = rig->answers[0];

        if (steps > 10000)
            fail_msg("no end of answers\n%s", rig->trace);
        rig->answer_count--;
        memmove(rig->answers, rig->answers + 1, rig->answer_count * sizeof *rig->answers);
        event.time_ms = rig->now;
        rig_told(rig, event);
    }
}

void rig_until(struct rig *rig, uint64_t ms)
{
    uint32_t idle = 0;

    rig_pump(rig);
    while (vmres_engine_deadline(rig->engine) <= ms) {
        uint64_t due = vmres_engine_deadline(rig->engine);

        idle = due > rig->now ? 0 : idle + 1;
        if (idle > 10)
            fail_msg("the deadline does not pass\n%s", rig->trace);
        rig->now = due > rig->now ? due : rig->now;
        rig_told(rig, rig_event(rig, VMRES_EVENT_TIMEOUT, 0));
        rig_pump(rig);
    }
    rig->now = ms > rig->now ? ms : rig->now;
}

void rig_round(struct rig *rig)
{
    rig_until(rig, rig->engine->round.due_ms);
}

/* --- what came of it --- */

uint32_t rig_sent(const struct rig *rig, enum vmres_action_type type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rig->sent_count; i++)
        count += rig->sent[i].type == type;
    return count;
}

static struct vmres_account_info account(const struct rig *rig, uint32_t vm, uint8_t kind)
{
    struct vmres_account_info info;

    EXPECT_OK(vmres_engine_account(rig->engine, vm, kind, &info));
    return info;
}

static struct vmres_pool_info pool(const struct rig *rig, uint8_t kind)
{
    struct vmres_pool_info info;

    EXPECT_OK(vmres_engine_pool(rig->engine, kind, &info));
    return info;
}

static uint32_t granules(const struct rig *rig, uint8_t kind, uint64_t units)
{
    assert_int_equal(units % rig->resources[kind].granule, 0);
    return (uint32_t)(units / rig->resources[kind].granule);
}

uint32_t rig_charge(const struct rig *rig, uint32_t vm, uint8_t kind)
{
    return granules(rig, kind, account(rig, vm, kind).charge);
}

uint32_t rig_disputed(const struct rig *rig, uint32_t vm, uint8_t kind)
{
    return granules(rig, kind, account(rig, vm, kind).disputed);
}

uint32_t rig_free(const struct rig *rig, uint8_t kind)
{
    return granules(rig, kind, pool(rig, kind).free);
}

uint32_t rig_deficit(const struct rig *rig, uint8_t kind)
{
    return granules(rig, kind, pool(rig, kind).deficit);
}

uint32_t rig_transfers(const struct rig *rig)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0, count = 0;

    while (vmres_engine_next_transfer(rig->engine, &cursor, &info))
        count++;
    return count;
}

struct vmres_counters rig_counters(const struct rig *rig)
{
    struct vmres_counters counters;

    vmres_engine_counters(rig->engine, &counters);
    return counters;
}

enum vmres_vm_state rig_state(const struct rig *rig, uint32_t vm)
{
    struct vmres_vm_info info;

    EXPECT_OK(vmres_engine_vm(rig->engine, vm, &info));
    return info.state;
}

void rig_expect_books(const struct rig *rig, const char *books, const char *file, int line)
{
    char got[256];
    size_t length = 0;

    for (uint32_t vm = 0; vm < RIG_VMS; vm++)
        if (rig->vms[vm].present)
            length += (size_t)snprintf(got + length, sizeof got - length, "%u ",
                                       rig_charge(rig, vm, MEMORY));
    length += (size_t)snprintf(got + length, sizeof got - length, "+ %u", rig_free(rig, MEMORY));
    if (rig_deficit(rig, MEMORY) > 0)
        snprintf(got + length, sizeof got - length, " - %u", rig_deficit(rig, MEMORY));
    if (strcmp(got, books) != 0)
        fprintf(stderr, "%s", rig->trace);
    _assert_string_equal(got, books, file, line);
}
