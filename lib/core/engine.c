/* SPDX-License-Identifier: MIT */
/*
 * The one way in: a step checks an event, hands it to its family, then sends what follows. A
 * refused event is counted and traced and changes nothing else. How an engine is laid out in
 * memory is create.c's; this file knows the order of things, not their meaning.
 */
#include <string.h>

#include "internal.h"

#define LAST_MS (UINT64_MAX >> 8) /* two million years: no sum of times overflows */

/* --- what may be refused before it is looked at --- */

#define BIT(type) ((uint64_t)1 << (type))

static const uint64_t about_host =
    BIT(VMRES_EVENT_TIMEOUT) | BIT(VMRES_EVENT_ALLOT) | BIT(VMRES_EVENT_CAPACITY) |
    BIT(VMRES_EVENT_BACKEND_LOST) | BIT(VMRES_EVENT_BACKEND_READY) | BIT(VMRES_EVENT_CANCEL) |
    BIT(VMRES_EVENT_DRY_RUN) | BIT(VMRES_EVENT_RESERVE) | BIT(VMRES_EVENT_RELEASE) |
    BIT(VMRES_EVENT_SETTLE) | BIT(VMRES_EVENT_RESUME);

/* Whether it names a VM; so does what is of no known type. */
static bool about_vm(uint8_t type)
{
    return type > VMRES_EVENT_RESUME || (about_host & BIT(type)) == 0;
}

/* What may be the first word of a new incarnation. */
static bool tells_of_birth(uint8_t type)
{
    return type == VMRES_EVENT_OBSERVED || type == VMRES_EVENT_REPORT ||
           type == VMRES_EVENT_SAMPLES;
}

static enum vmres_status check(const struct vmres_engine *engine, const struct vmres_event *event)
{
    if (event->type < VMRES_EVENT_TIMEOUT || event->type > VMRES_EVENT_RESUME ||
        event->time_ms > LAST_MS)
        return VMRES_INVALID;
    if (event->kind >= engine->kind_count ||
        (about_vm(event->type) && event->vm >= engine->max_vms))
        return VMRES_INVALID;
    if (engine->begun && event->time_ms < engine->now)
        return VMRES_STALE;
    if (!about_vm(event->type) || event->type == VMRES_EVENT_VM_ADDED)
        return VMRES_OK;
    if (engine->vms[event->vm].state == VMRES_VM_VACANT)
        return VMRES_UNKNOWN;
    /* A later life than was known of may have begun, and ended, while nothing was heard. */
    if (event->incarnation > engine->vms[event->vm].incarnation && !tells_of_birth(event->type) &&
        event->type != VMRES_EVENT_VM_GONE)
        return VMRES_UNKNOWN;
    if (event->incarnation < engine->vms[event->vm].incarnation && !BROKEN(INCARNATION))
        return VMRES_STALE;
    /* Before it may tell of a birth: a refused event changes nothing. */
    if (event->type == VMRES_EVENT_OBSERVED &&
        !(engine->vms[event->vm].limited & (1u << event->kind)))
        return VMRES_STATE;
    return VMRES_OK;
}

/* --- the families --- */

static enum vmres_status timeout(struct vmres_engine *engine)
{
    vmres__command_expire(engine);
    vmres__reserve_expire(engine);
    vmres__settle_expire(engine);
    vmres__round_timeout(engine);
    return VMRES_OK;
}

static enum vmres_status dispatch(struct vmres_engine *engine, const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_TIMEOUT:
        return timeout(engine);
    case VMRES_EVENT_VM_ADDED:
    case VMRES_EVENT_VM_LIMITS:
    case VMRES_EVENT_VM_LIVE:
    case VMRES_EVENT_VM_GONE:
    case VMRES_EVENT_EXTENT:
        return vmres__vm_event(engine, event);
    case VMRES_EVENT_ALLOT:
        return vmres__allot(engine);
    case VMRES_EVENT_REPORT:
        vmres__report(engine, event);
        return VMRES_OK;
    case VMRES_EVENT_SAMPLES:
        vmres__report_samples(engine, event);
        return VMRES_OK;
    case VMRES_EVENT_OBSERVED:
        return vmres__observe_event(engine, event);
    case VMRES_EVENT_FREEZE:
    case VMRES_EVENT_THAW:
    case VMRES_EVENT_SET:
    case VMRES_EVENT_MOVE:
    case VMRES_EVENT_SETTLE:
    case VMRES_EVENT_RESUME:
        return vmres__operator_event(engine, event);
    case VMRES_EVENT_RESERVE:
    case VMRES_EVENT_RELEASE:
    case VMRES_EVENT_CLAIM:
        return vmres__reserve_event(engine, event);
    case VMRES_EVENT_REMOVED:
    case VMRES_EVENT_REASSIGNED:
    case VMRES_EVENT_INCORPORATED:
    case VMRES_EVENT_PINNED:
        return vmres__command_answer(engine, event);
    default:
        return vmres__host_event(engine, event);
    }
}

/* A refused event changes nothing: not even the clock, which the first of all sets going. */
static enum vmres_status take(struct vmres_engine *engine, const struct vmres_event *event)
{
    const uint64_t was = engine->now;
    const bool begun = engine->begun;
    enum vmres_status status = check(engine, event);

    if (status != VMRES_OK)
        return status;
    engine->now = event->time_ms;
    if (!engine->begun) {
        engine->begun = true;
        engine->round.due_ms = event->time_ms + engine->period_ms;
    }
    if (tells_of_birth(event->type) && event->incarnation > engine->vms[event->vm].incarnation)
        vmres__vm_reborn(engine, event->vm, event->incarnation);
    status = dispatch(engine, event);
    if (status == VMRES_OK)
        return status;
    engine->now = was;
    if (!begun) {
        engine->begun = false;
        engine->round.due_ms = 0;
    }
    return status;
}

static void refuse(struct vmres_engine *engine, const struct vmres_event *event,
                   enum vmres_status status)
{
    struct vmres_counters *counters = &engine->counters;

    counters->refused++;
    counters->refused_invalid += status == VMRES_INVALID;
    counters->refused_unknown += status == VMRES_UNKNOWN;
    counters->refused_stale += status == VMRES_STALE;
    counters->refused_contract += status == VMRES_CONTRACT;
    if (event->type == VMRES_EVENT_ALLOT && status == VMRES_NOROOM)
        return; /* allot.c has said who has to wait */
    vmres__trace(engine, (struct vmres_trace_record){
                             .time_ms = event->time_ms,
                             .type = VMRES_TRACE_REFUSED,
                             .level = VMRES_TRACE_WARN,
                             .kind = event->kind < engine->kind_count ? event->kind : 0,
                             .vm = about_vm(event->type) ? event->vm : VMRES_VM_NONE,
                             .other = VMRES_VM_NONE,
                             .reason = vmres_status_text(status)});
}

static void send_inquiry(struct vmres_engine *engine)
{
    if (!engine->round.inquire || vmres__outbox_full(engine))
        return;
    engine->round.inquire = false;
    vmres__outbox_push(engine, VMRES_ACTION_INQUIRE, VMRES_VM_NONE, 0)->id = engine->round.id;
}

/* Nearly all there is to be told are reports, and nearly all of them by a VM in the life that is
 * known: no check() refuses these, and nothing comes before taking them. */
static bool is_usual(const struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct vm *vm;

    if (event->type != VMRES_EVENT_REPORT || event->vm >= engine->max_vms ||
        event->kind >= engine->kind_count)
        return false;
    vm = &engine->vms[event->vm];
    return vm->state != VMRES_VM_VACANT && event->incarnation == vm->incarnation && engine->begun &&
           event->time_ms >= engine->now && event->time_ms <= LAST_MS;
}

/* What follows from what was taken. */
static enum vmres_status follow(struct vmres_engine *engine)
{
    enum vmres_status status = VMRES_OK;

    send_inquiry(engine);
    if (engine->dirty_first != NONE)
        status = vmres__settle(engine);
    return engine->round.inquire && !engine->halted ? VMRES_MORE : status;
}

static enum vmres_status step(struct vmres_engine *engine, const struct vmres_event *event)
{
    enum vmres_status status = VMRES_OK;

    engine->counters.events++;
    if (is_usual(engine, event)) {
        engine->now = event->time_ms;
        vmres__report(engine, event);
    } else {
        status = take(engine, event);
    }
    if (status != VMRES_OK)
        refuse(engine, event, status);
    else if (engine->round.inquire || engine->dirty_first != NONE) /* most reports leave neither */
        status = follow(engine);
    return status;
}

enum vmres_status vmres_engine_steps(struct vmres_engine *engine, const struct vmres_event *events,
                                     uint32_t count, uint32_t *taken, struct vmres_actions *actions)
{
    enum vmres_status status = VMRES_OK;
    uint32_t i = 0;

    if (engine == NULL || (events == NULL && count > 0) || taken == NULL || actions == NULL)
        return VMRES_INVALID;
    engine->outbox_count = 0;
    while (i < count && status == VMRES_OK && engine->outbox_count == 0)
        status = step(engine, &events[i++]);
    *taken = i;
    actions->items = engine->outbox;
    actions->count = engine->outbox_count;
    return status;
}

enum vmres_status vmres_engine_step(struct vmres_engine *engine, const struct vmres_event *event,
                                    struct vmres_actions *actions)
{
    enum vmres_status status;
    uint32_t taken;

    if (event)
        return vmres_engine_steps(engine, event, 1, &taken, actions);
    if (engine == NULL || actions == NULL)
        return VMRES_INVALID;
    engine->outbox_count = 0;
    status = follow(engine);
    actions->items = engine->outbox;
    actions->count = engine->outbox_count;
    return status;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t vmres_engine_deadline(const struct vmres_engine *engine)
{
    const struct round *round;
    uint64_t soonest;

    if (engine == NULL || !engine->begun)
        return UINT64_MAX;
    round = &engine->round;
    soonest = engine->command_deadline_ms;
    soonest = earlier(soonest, vmres__reserve_deadline(engine));
    if (engine->settling)
        soonest = earlier(soonest, engine->settle_ms);
    if (engine->halted || engine->settling)
        return soonest;
    if (round->notice && !round->open)
        return engine->now;
    if (round->open)
        soonest = earlier(soonest, round->deadline_ms);
    return earlier(soonest, round->due_ms);
}
