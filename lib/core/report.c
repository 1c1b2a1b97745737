/* SPDX-License-Identifier: MIT */
/*
 * Step 2: what guests say of themselves. Every number is bounded here, by what the host knows, and
 * goes nowhere but into the VM's own view: a guest's word can lower its own allotment or raise its
 * claim on surplus, nothing else. A notice of shortage pulls the next judgement to now, at most one
 * per VM in notice_ms.
 */
#include "internal.h"

static void trace_report(const struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct vmres_view *view = view_of(engine, event->vm, event->kind);
    bool notice = (event->flags & VMRES_FLAG_NOTICE) != 0;
    uint8_t level = notice ? VMRES_TRACE_INFO : VMRES_TRACE_DEBUG;

    if (!is_traced(engine, level))
        return;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_REPORT,
                                                     .level = level,
                                                     .step = 2,
                                                     .kind = event->kind,
                                                     .vm = event->vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = view->used,
                                                     .target = view->held,
                                                     .reason = notice ? "is short" : NULL});
}

static void take_notice(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct vm *vm = &engine->vms[event->vm];

    if ((vm->flags & VM_NOTICED) && engine->now - vm->notice_ms < engine->notice_ms)
        return;
    vm->flags |= VM_NOTICED;
    vm->notice_ms = engine->now;
    engine->counters.notices++;
    engine->round.notice = true;
}

/* What is not said follows from what is; used + available need not be all it holds. */
static bool take_amounts(const struct kind *kind, struct vmres_view *view,
                         const struct vmres_event *event)
{
    bool used = (event->valid & VMRES_VALID_USED) != 0;
    bool available = (event->valid & VMRES_VALID_AVAILABLE) != 0;

    if (!used && !available)
        return false;
    if (available)
        view->available = min_u32(granules_down(kind, event->as.report.available), view->held);
    if (used)
        view->used = min_u32(granules_up(kind, event->as.report.used), view->held);
    if (!available)
        view->available = view->held - view->used;
    if (!used)
        view->used = view->held - view->available;
    view->flags &= (uint16_t)~VMRES_VIEW_HAS_FREE;
    if (event->valid & VMRES_VALID_FREE) {
        view->free = min_u32(granules_down(kind, event->as.report.free), view->available);
        view->flags |= VMRES_VIEW_HAS_FREE;
    }
    return true;
}

static void take_report(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    struct vmres_view *view = &kind->views[event->vm];
    uint32_t age = min_u32(event->as.report.age_ms, INT32_MAX);

    if (!take_amounts(kind, view, event))
        return;
    view->stall =
        event->valid & VMRES_VALID_STALL ? (uint16_t)min_u32(event->result, VMRES_STALL_ONE) : 0;
    view->reported = (uint32_t)engine->now - age;
    view->flags |= VMRES_VIEW_REPORTED;
    kind->accounts[event->vm].flags |= ACCOUNT_REPORTED;
    if (event->flags & VMRES_FLAG_NOTICE) {
        view->flags |= VMRES_VIEW_NOTICE;
        take_notice(engine, event);
    }
    trace_report(engine, event);
}

static void take_samples(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    struct vmres_view *view = &kind->views[event->vm];

    if (event->as.samples.count == 0)
        return;
    view->used_max = min_u32(granules_up(kind, event->as.samples.maximum), view->held);
    view->used_mean = min_u32(granules_up(kind, event->as.samples.mean), view->used_max);
    view->flags |= VMRES_VIEW_SAMPLES;
}

enum vmres_status vmres__report_event(struct vmres_engine *engine, const struct vmres_event *event)
{
    uint8_t state = engine->vms[event->vm].state;

    /* A guest may speak before its VM takes part; what it says then is of no use. */
    if (state != VMRES_VM_LIVE && state != VMRES_VM_ADOPTING)
        return VMRES_OK;
    if (event->type == VMRES_EVENT_SAMPLES) {
        take_samples(engine, event);
        return VMRES_OK;
    }
    take_report(engine, event);
    if (event->id == engine->round.id && event->id != 0)
        vmres__round_answered(engine, event->vm, event->kind);
    return VMRES_OK;
}
