/* SPDX-License-Identifier: MIT */
/*
 * When to examine and when to judge. A round begins every period with one inquiry to all (step 1);
 * judgement follows when the last report expected is in (step 2), or when the inquiry's deadline
 * has passed. A notice of shortage pulls a judgement to now.
 *
 * Invariant: awaited counts the accounts of live VMs whose `round` is not this round's number.
 */
#include "internal.h"

/* The inquiry is one broadcast; it goes out as soon as the outbox has room. */
static void begin(struct vmres_engine *engine)
{
    struct round *round = &engine->round;

    round->due_ms += engine->period_ms;
    if (round->due_ms <= engine->now) /* rounds missed are not made up for */
        round->due_ms = engine->now + engine->period_ms;
    if (engine->live == 0)
        return;
    engine->counters.rounds++;
    round->number++;
    round->id = ++engine->serial << SLOT_BITS | ((1u << SLOT_BITS) - 1);
    round->awaited = engine->live * engine->kind_count;
    round->deadline_ms = engine->now + engine->inquiry_ms;
    round->open = true;
    round->inquire = true;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_INQUIRE,
                                                     .level = VMRES_TRACE_DEBUG,
                                                     .step = 1,
                                                     .vm = VMRES_VM_NONE,
                                                     .other = VMRES_VM_NONE});
}

static void judge(struct vmres_engine *engine)
{
    engine->round.open = false;
    engine->round.notice = false;
    if (!engine->settling)
        vmres__judge(engine);
}

void vmres__round_timeout(struct vmres_engine *engine)
{
    struct round *round = &engine->round;

    if (engine->halted || engine->settling)
        return;
    if (round->open && (engine->now >= round->deadline_ms || engine->now >= round->due_ms))
        judge(engine); /* at the latest when the next one is due */
    if (engine->now >= round->due_ms)
        begin(engine);
    else if (round->notice && !round->open)
        judge(engine);
}

void vmres__round_answered(struct vmres_engine *engine, struct account *account)
{
    if (!engine->round.open || account->round == (uint32_t)engine->round.number)
        return;
    account->round = (uint32_t)engine->round.number;
    if (--engine->round.awaited == 0)
        judge(engine);
}

/* A VM that comes in the middle of a round is not waited for. */
void vmres__round_join(struct vmres_engine *engine, uint32_t vm)
{
    for (uint32_t k = 0; k < engine->kind_count; k++)
        account_of(engine, vm, k)->round = (uint32_t)engine->round.number;
}

/* Nor is one that leaves; the last one missing being gone, the round is judged at its deadline. */
void vmres__round_leave(struct vmres_engine *engine, uint32_t vm)
{
    for (uint32_t k = 0; k < engine->kind_count; k++) {
        struct account *account = account_of(engine, vm, k);

        if (!engine->round.open || account->round == (uint32_t)engine->round.number)
            continue;
        account->round = (uint32_t)engine->round.number;
        if (--engine->round.awaited == 0)
            engine->round.deadline_ms = engine->now;
    }
}
