/* SPDX-License-Identifier: MIT */
/*
 * Step 2: what guests say of themselves. Every number is bounded here, by what the host knows, and
 * goes nowhere but into the VM's own view: a guest's word can lower its own allotment or raise its
 * claim on surplus, nothing else. A notice of shortage pulls the next judgement to now, at most one
 * per VM in notice_ms.
 */
#include "internal.h"

static void trace_report(const struct vmres_engine *engine, const struct vmres_event *event,
                         const struct vmres_view *view)
{
    bool notice = (event->flags & VMRES_FLAG_NOTICE) != 0;

    vmres__trace(engine,
                 (struct vmres_trace_record){.type = VMRES_TRACE_REPORT,
                                             .level = notice ? VMRES_TRACE_INFO : VMRES_TRACE_DEBUG,
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
static void take_amounts(const struct kind *kind, struct vmres_view *view,
                         const struct vmres_event *event)
{
    const uint32_t held = view->held;
    const uint16_t valid = event->valid;
    uint32_t used = 0, available;

    if (valid & VMRES_VALID_USED)
        used = min_u32(granules_up(kind, event->as.report.used), held);
    available = valid & VMRES_VALID_AVAILABLE
                    ? min_u32(granules_down(kind, event->as.report.available), held)
                    : held - used;
    view->available = available;
    view->used = valid & VMRES_VALID_USED ? used : held - available;
    view->flags &= (uint16_t)~VMRES_VIEW_HAS_FREE;
    if (valid & VMRES_VALID_FREE) {
        view->free = min_u32(granules_down(kind, event->as.report.free), available);
        view->flags |= VMRES_VIEW_HAS_FREE;
    }
}

static void take_report(struct vmres_engine *engine, const struct vmres_event *event,
                        struct account *account, struct vmres_view *view)
{
    const uint16_t valid = event->valid;
    uint32_t age = min_u32(event->as.report.age_ms, INT32_MAX);

    take_amounts(&engine->kinds[event->kind], view, event);
    view->stall = valid & VMRES_VALID_STALL ? (uint16_t)min_u32(event->result, VMRES_STALL_ONE) : 0;
    view->reported = (uint32_t)engine->now - age;
    view->flags |= VMRES_VIEW_REPORTED;
    account->flags |= ACCOUNT_REPORTED;
    if (event->flags & VMRES_FLAG_NOTICE) {
        view->flags |= VMRES_VIEW_NOTICE;
        take_notice(engine, event);
    }
    if (engine->tracer.function)
        trace_report(engine, event, view);
}

/* A guest may speak before its VM takes part; what it says then is of no use. */
static bool is_heard(const struct vmres_engine *engine, uint32_t vm)
{
    uint8_t state = engine->vms[vm].state;

    return state == VMRES_VM_LIVE || state == VMRES_VM_ADOPTING;
}

void vmres__report_samples(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    struct vmres_view *view = &kind->views[event->vm];

    if (!is_heard(engine, event->vm) || event->as.samples.count == 0)
        return;
    view->used_max = min_u32(granules_up(kind, event->as.samples.maximum), view->held);
    view->used_mean = min_u32(granules_up(kind, event->as.samples.mean), view->used_max);
    view->flags |= VMRES_VIEW_SAMPLES;
}

void vmres__report(struct vmres_engine *engine, const struct vmres_event *event)
{
    const struct kind *kind = &engine->kinds[event->kind];
    struct account *account = &kind->accounts[event->vm];

    if (!is_heard(engine, event->vm))
        return;
    if (event->valid & (VMRES_VALID_USED | VMRES_VALID_AVAILABLE))
        take_report(engine, event, account, &kind->views[event->vm]);
    if (event->id == engine->round.id && event->id != 0)
        vmres__round_answered(engine, account);
}
