/* SPDX-License-Identifier: MIT */
/*
 * A policy without an engine: a table of views that a test fills in, one judgement at a time, and
 * what it said. Amounts are granules of 2 MiB.
 */
#ifndef VMRES_TESTS_JUDGEMENT_H
#define VMRES_TESTS_JUDGEMENT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/policies.h>
#include <vmres/units.h>

#include "core/verdict.h"

#include "support/check.h"

#define JUDGED_VMS 24u
#define GRANULE (2 * VMRES_MIB)
#define ALL_WELL \
    (VMRES_VIEW_PRESENT | VMRES_VIEW_FRESH | VMRES_VIEW_REPORTED | VMRES_VIEW_DONOR | \
     VMRES_VIEW_RECIPIENT)

struct judgement {
    const struct vmres_policy_ops *ops;
    struct vmres_resource resource;
    struct vmres_round round;
    struct vmres_view views[JUDGED_VMS];
    void *state, *vm_states, *scratch;
    struct vmres_verdict verdict;
    uint32_t targets[JUDGED_VMS], named[JUDGED_VMS];
    struct reasons reasons;
    uint8_t reason_of[JUDGED_VMS], set[JUDGED_VMS];
};

/* `options` NULL: the defaults. Returns what the policy's start() says. */
static inline enum vmres_status judgement_open(struct judgement *j, const char *policy,
                                               const void *options, uint64_t capacity)
{
    struct vmres_policy_host host;

    memset(j, 0, sizeof *j);
    j->ops = vmres_policy_find(policy);
    assert_non_null(j->ops);
    j->resource = (struct vmres_resource){
        .name = "memory", .granule = GRANULE, .capacity = capacity * GRANULE};
    j->round = (struct vmres_round){
        .capacity = capacity, .granule = GRANULE, .period_ms = 1000, .views = j->views};
    j->verdict = (struct vmres_verdict){.targets = j->targets,
                                        .named = j->named,
                                        .reasons = &j->reasons,
                                        .set = j->set,
                                        .limit = JUDGED_VMS};
    j->reasons.of = j->reason_of;
    j->state = calloc(1, j->ops->state_size + 1);
    j->vm_states = calloc(JUDGED_VMS, j->ops->vm_state_size + 1);
    j->scratch = malloc(JUDGED_VMS * j->ops->vm_scratch_size + 1);
    assert_true(j->state && j->vm_states && j->scratch);
    j->round.scratch = j->scratch;
    host = (struct vmres_policy_host){
        .resource = &j->resource, .granule = GRANULE, .period_ms = 1000, .max_vms = JUDGED_VMS};
    return j->ops->start ? j->ops->start(j->state, options ? options : j->ops->defaults, &host)
                         : VMRES_OK;
}

static inline void judgement_close(struct judgement *j)
{
    free(j->state);
    free(j->vm_states);
    free(j->scratch);
}

static inline void *judgement_vm_state(struct judgement *j, uint32_t vm)
{
    return (char *)j->vm_states + vm * j->ops->vm_state_size;
}

/* A VM that holds `held` and has `available` of it to spare, within no bounds but the host's. */
static inline struct vmres_view *judgement_add(struct judgement *j, uint32_t held,
                                               uint32_t available)
{
    uint32_t vm = j->round.count++;

    assert_true(vm < JUDGED_VMS);
    j->views[vm] = (struct vmres_view){.ceiling = (uint32_t)j->round.capacity,
                                       .weight = 1,
                                       .held = held,
                                       .charge = held,
                                       .available = available,
                                       .used = held - available,
                                       .flags = ALL_WELL};
    if (j->ops->admit)
        j->ops->admit(j->state, judgement_vm_state(j, vm), vm);
    return &j->views[vm];
}

/* A VM that stalls, holding `held` of what it is entitled to. */
static inline struct vmres_view *judgement_add_stalled(struct judgement *j, uint32_t held,
                                                       uint16_t stall, uint32_t entitlement)
{
    struct vmres_view *view = judgement_add(j, held, 0);

    view->stall = stall;
    view->entitlement = entitlement;
    return view;
}

/* Changes what a VM holds and uses, as it would report it. */
static inline void judgement_report(struct vmres_view *view, uint32_t held, uint32_t used,
                                    uint16_t stall)
{
    view->held = view->charge = held;
    view->used = used;
    view->available = held - used;
    view->stall = stall;
}

/* One second later. */
static inline void judgement_judge(struct judgement *j)
{
    memset(j->set, 0, sizeof j->set);
    memset(j->scratch, 0xa5, JUDGED_VMS * j->ops->vm_scratch_size); /* another kind was judged */
    j->verdict.count = 0;
    j->round.now_ms += j->round.period_ms;
    j->ops->judge(j->state, j->vm_states, &j->round, &j->verdict);
}

#define EXPECT_TARGET(j, vm, wanted) \
    do { \
        assert_true((j)->set[vm]); \
        assert_int_equal((j)->targets[vm], wanted); \
    } while (0)
#define EXPECT_REASON(j, vm, wanted) assert_string_equal(verdict_reason(&(j)->reasons, vm), wanted)
#define EXPECT_NAMED(j, wanted) assert_int_equal((j)->verdict.count, wanted)

#endif
