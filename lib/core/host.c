/* SPDX-License-Identifier: MIT */
/*
 * What happens to the host or comes from the embedder: capacity, the backend lost and found, a
 * transfer called off, dry run. Without a backend the engine is static: it sends nothing, its books
 * stay as careful as they were, and every VM must be pinned anew before it takes part again.
 */
#include "internal.h"

static enum vmres_status capacity(struct vmres_engine *engine, const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[event->kind];
    uint32_t size = granules_down(kind, event->as.capacity.capacity);
    uint32_t reserve = granules_up(kind, event->as.capacity.reserve);

    if (event->as.capacity.capacity / kind->resource.granule > VMRES_GRANULES_MAX || reserve > size)
        return VMRES_INVALID;
    if (kind->blocks && !vmres__extent_fits_below(kind, size - reserve))
        return VMRES_STATE;
    vmres__ledger_resize(&kind->ledger, size, reserve);
    kind->shares_stale = true;
    if (kind->ledger.deficit > 0) {
        engine->counters.deficits++;
        engine->round.notice = true;
    }
    vmres__trace(engine, (struct vmres_trace_record){
                             .type = VMRES_TRACE_LEDGER,
                             .level = VMRES_TRACE_WARN,
                             .kind = event->kind,
                             .vm = VMRES_VM_NONE,
                             .other = VMRES_VM_NONE,
                             .amount = kind->ledger.deficit,
                             .target = size,
                             .reason = kind->ledger.deficit > 0
                                           ? "the host has another capacity now: a deficit"
                                           : "the host has another capacity now"});
    return VMRES_OK;
}

static void trace_static(const struct vmres_engine *engine, const char *reason)
{
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_STATIC,
                                                     .level = VMRES_TRACE_WARN,
                                                     .vm = VMRES_VM_NONE,
                                                     .other = VMRES_VM_NONE,
                                                     .reason = reason});
}

static enum vmres_status backend_lost(struct vmres_engine *engine)
{
    engine->halted = true;
    engine->round.open = false;
    engine->round.inquire = false;
    for (uint32_t vm = 0; vm < engine->top; vm++) {
        if (engine->vms[vm].state == VMRES_VM_VACANT)
            continue;
        vmres__vm_silent(engine, vm);
        vmres__command_drop_all(engine, vm);
    }
    trace_static(engine, "no backend: nothing is sent");
    return VMRES_OK;
}

static enum vmres_status backend_ready(struct vmres_engine *engine)
{
    if (!engine->halted)
        return VMRES_STATE;
    engine->halted = false;
    for (uint32_t vm = 0; vm < engine->top; vm++)
        vmres__vm_speaks(engine, vm);
    trace_static(engine, "the backend is back: every VM is pinned first");
    return VMRES_OK;
}

static enum vmres_status cancel(struct vmres_engine *engine, const struct vmres_event *event)
{
    uint32_t index = vmres__transfer_find(engine, event->id);
    struct transfer *t;

    if (index == NONE || engine->transfers[index].state == VMRES_TRANSFER_PLANNED)
        return VMRES_UNKNOWN;
    t = &engine->transfers[index];
    t->called_off = 1;
    if (t->asked > t->released)
        vmres__transfer_trim(engine, index, t->asked - t->released);
    return VMRES_OK;
}

/* Whether its donor has been asked for all that it is to give. */
static bool under_way(const struct vmres_engine *engine, const struct transfer *transfer)
{
    const struct account *account = account_of(engine, transfer->donor, transfer->kind);
    const struct command *open =
        account->shrink == NONE ? NULL : &engine->commands[account->shrink];

    return open && open->type == VMRES_ACTION_REQUEST_REMOVAL && open->state == COMMAND_OPEN &&
           !open->wanted_cancel && open->older == NONE && !(account->flags & ACCOUNT_DIRTY);
}

/* What is under way when a dry run begins comes to its end; what waits to be asked for is called
 * off, for no judgement looks after it any longer. */
static void call_off_waiting(struct vmres_engine *engine)
{
    uint32_t next;

    for (uint32_t i = engine->transfer_open; i != NONE; i = next) {
        struct transfer *t = &engine->transfers[i];

        next = t->next;
        if (t->asked > t->released && !under_way(engine, t))
            vmres__transfer_trim(engine, i, t->asked - t->released);
    }
}

/* What was planned so far is void: with the dry run over, or before a new one. */
static enum vmres_status dry_run(struct vmres_engine *engine, const struct vmres_event *event)
{
    if (event->result > 1)
        return VMRES_INVALID;
    engine->dry_run = event->result == 1;
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        vmres__transfer_forget_plans(engine, k);
        engine->kinds[k].plan_mark = 0;
    }
    if (engine->dry_run)
        call_off_waiting(engine);
    return VMRES_OK;
}

enum vmres_status vmres__host_event(struct vmres_engine *engine, const struct vmres_event *event)
{
    switch (event->type) {
    case VMRES_EVENT_CAPACITY:
        return capacity(engine, event);
    case VMRES_EVENT_BACKEND_LOST:
        return backend_lost(engine);
    case VMRES_EVENT_BACKEND_READY:
        return backend_ready(engine);
    case VMRES_EVENT_CANCEL:
        return cancel(engine, event);
    default:
        return dry_run(engine, event);
    }
}
