/* SPDX-License-Identifier: MIT */
/*
 * Many events in one call: what comes of them is what comes of one after the other, and the call
 * ends where there is something to look at.
 */
#include <string.h>

#include <vmres/vmres.h>

#include "support/check.h"

#define VMS 6u
#define TOLD 20000u

/* What an engine was told, and all it asked for in return. */
struct story {
    struct vmres_engine *engine;
    struct vmres_event told[TOLD];
    uint32_t told_count;
    struct vmres_action asked[TOLD];
    uint32_t asked_count;
    uint64_t now, round, refused;
    uint32_t random;
};

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % below;
}

static struct vmres_engine *make_engine(void)
{
    static const struct vmres_resource memory = {
        .name = "memory", .granule = VMRES_MIB, .capacity = 600 * VMRES_MIB};
    struct vmres_policy policy = {.ops = vmres_policy_find("pressure")};
    struct vmres_engine_options options;
    struct vmres_engine *engine;

    vmres_engine_options_init(&options);
    options.max_vms = VMS;
    options.max_actions = 2; /* so that there is often more */
    options.kinds = 1;
    options.resources = &memory;
    options.policies = &policy;
    EXPECT_OK(vmres_engine_create(&options, &engine, NULL));
    return engine;
}

static void keep(struct story *story, const struct vmres_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        assert_true(story->asked_count < TOLD);
        story->asked[story->asked_count++] = actions->items[i];
    }
}

/* Whatever the outbox had no room for. */
static void ask_for_more(struct story *story, enum vmres_status status)
{
    struct vmres_actions actions;

    while (status == VMRES_MORE) {
        status = vmres_engine_step(story->engine, NULL, &actions);
        keep(story, &actions);
    }
}

static void tell(struct story *story, struct vmres_event event)
{
    struct vmres_actions actions;
    enum vmres_status status;

    if (story->told_count == TOLD)
        return;
    story->told[story->told_count++] = event;
    status = vmres_engine_step(story->engine, &event, &actions);
    story->refused += status != VMRES_OK && status != VMRES_MORE;
    keep(story, &actions);
    ask_for_more(story, status);
}

/* Guests do at once what they are told, up to here. */
static void obey(struct story *story, uint32_t from)
{
    for (; from < story->asked_count && story->told_count < TOLD; from++) {
        const struct vmres_action *action = &story->asked[from];
        struct vmres_event answer = vmres_event_answer(action, story->now, VMRES_RESULT_DONE);

        if (action->type == VMRES_ACTION_INQUIRE)
            story->round = action->id;
        if (answer.type == 0)
            continue;
        answer.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
        answer.as.answer.amount = action->as.resize.amount;
        answer.as.answer.held = answer.as.answer.witness = action->as.resize.target;
        tell(story, answer);
    }
}

static void begin(struct story *story)
{
    story->engine = make_engine();
    for (uint32_t vm = 0; vm < VMS; vm++) {
        tell(story, vmres_event_make(VMRES_EVENT_VM_ADDED, 0, vm, 1));
        tell(story, vmres_event_limits(0, vm, 1, 0, 600 * VMRES_MIB));
    }
    tell(story, vmres_event_make(VMRES_EVENT_ALLOT, 0, 0, 0));
    obey(story, 0);
    for (uint32_t vm = 0; vm < VMS; vm++)
        tell(story, vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm, 1));
}

/* A guest's word, at times one that is too late, of another life, or of nobody. */
static struct vmres_event report_of(struct story *story, uint32_t vm)
{
    uint64_t now = story->now - (draw(&story->random, 50) == 0);
    struct vmres_event report = vmres_event_make(VMRES_EVENT_REPORT, now, vm, 1);
    uint64_t use = draw(&story->random, 200) * VMRES_MIB;

    report.id = story->round;
    report.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_STALL;
    report.as.report.used = use;
    report.as.report.available = use > 100 * VMRES_MIB ? 0 : 100 * VMRES_MIB - use;
    report.result = (uint16_t)(use > 100 * VMRES_MIB ? draw(&story->random, 5000) : 0);
    if (draw(&story->random, 8) == 0)
        report.flags = VMRES_FLAG_NOTICE;
    if (draw(&story->random, 50) == 0)
        report.vm += VMS;
    if (draw(&story->random, 50) == 0)
        report.incarnation = 0;
    return report;
}

static void live(struct story *story)
{
    while (story->told_count < TOLD) {
        uint32_t from = story->asked_count;

        story->now += 1 + draw(&story->random, 700);
        tell(story, vmres_event_make(VMRES_EVENT_TIMEOUT, story->now, 0, 0));
        obey(story, from);
        for (uint32_t vm = 0; vm < VMS; vm++) {
            from = story->asked_count;
            tell(story, report_of(story, vm));
            obey(story, from);
        }
    }
}

/* Tells all of it again, many at a time. */
static void tell_again(struct story *again, const struct story *story)
{
    uint32_t done = 0, calls = 0, taken;

    while (done < story->told_count) {
        uint32_t most = 1 + draw(&again->random, 40);
        struct vmres_actions actions;
        enum vmres_status status;

        if (most > story->told_count - done)
            most = story->told_count - done;
        status = vmres_engine_steps(again->engine, story->told + done, most, &taken, &actions);
        assert_in_range(taken, 1, most);
        /* It ends early only where there is something to look at. */
        assert_true(taken == most || status != VMRES_OK || actions.count > 0);
        again->refused += status != VMRES_OK && status != VMRES_MORE;
        keep(again, &actions);
        ask_for_more(again, status);
        done += taken;
        calls++;
    }
    assert_true(calls < story->told_count / 2);
}

static void many_are_as_one_after_the_other(void **state)
{
    static struct story story, again;
    struct vmres_counters counters, same;

    (void)state;
    for (uint32_t seed = 1; seed <= 5; seed++) {
        memset(&story, 0, sizeof story);
        memset(&again, 0, sizeof again);
        story.random = again.random = seed * 2654435761u;
        begin(&story);
        live(&story);
        again.engine = make_engine();
        tell_again(&again, &story);
        assert_int_equal(again.asked_count, story.asked_count);
        assert_memory_equal(again.asked, story.asked, story.asked_count * sizeof story.asked[0]);
        assert_int_equal(again.refused, story.refused);
        vmres_engine_counters(story.engine, &counters);
        vmres_engine_counters(again.engine, &same);
        assert_memory_equal(&counters, &same, sizeof same);
        assert_true(story.refused > 100 && counters.notices > 10 && counters.transfers_done > 100);
        vmres_engine_destroy(story.engine);
        vmres_engine_destroy(again.engine);
    }
}

static void none_are_none(void **state)
{
    struct vmres_engine *engine = make_engine();
    struct vmres_event event = vmres_event_make(VMRES_EVENT_VM_ADDED, 0, 0, 1);
    struct vmres_actions actions = {.count = 7};
    struct vmres_counters counters;
    uint32_t taken = 7;

    (void)state;
    EXPECT_OK(vmres_engine_steps(engine, NULL, 0, &taken, &actions));
    assert_int_equal(taken, 0);
    assert_int_equal(actions.count, 0);
    EXPECT_STATUS(vmres_engine_steps(NULL, &event, 1, &taken, &actions), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_steps(engine, NULL, 1, &taken, &actions), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_steps(engine, &event, 1, NULL, &actions), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_steps(engine, &event, 1, &taken, NULL), VMRES_INVALID);
    vmres_engine_counters(engine, &counters);
    assert_int_equal(counters.events, 0);
    vmres_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_as_one_after_the_other),
        cmocka_unit_test(none_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
