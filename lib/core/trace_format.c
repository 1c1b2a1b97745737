/* SPDX-License-Identifier: MIT */
/*
 * How a trace record reads as a line:
 *
 *     [  12.000] vm2 (4) remove 64MiB, down to 960MiB, for vm1: usage is below 60%
 *
 * Time in seconds, who, which step of the method, what, and why; on a contiguous host also where:
 *
 *     ... for vm1: idle, real [9GiB, 10GiB) = virtual [4GiB, 5GiB)
 */
#include <stdbool.h>

#include "text.h"

#include <vmres/trace.h>

struct writer {
    struct text text;
    const struct vmres_trace_record *record;
    const struct vmres_trace_names *names;
};

static void add_vm(struct writer *w, uint32_t vm)
{
    const char *name = NULL;

    if (vm == VMRES_VM_NONE) {
        vmres__text_add(&w->text, "the pool");
        return;
    }
    if (w->names && w->names->vm_name)
        name = w->names->vm_name(w->names->user, vm);
    if (name)
        vmres__text_add_name(&w->text, name);
    else
        vmres__text_add(&w->text, "vm#%u", vm);
}

static void add_amount(struct writer *w, uint64_t amount)
{
    enum vmres_unit unit = VMRES_UNIT_COUNT;

    if (w->names && w->record->kind < w->names->kinds)
        unit = w->names->resources[w->record->kind].unit;
    vmres__text_add_amount(&w->text, unit, amount);
}

/* "<before><amount><after><target>" */
static void add_move(struct writer *w, const char *before, const char *after)
{
    vmres__text_add(&w->text, "%s", before);
    add_amount(w, w->record->amount);
    vmres__text_add(&w->text, "%s", after);
    add_amount(w, w->record->target);
}

/* The kind is named only where there is more than one. */
static void add_kind(struct writer *w)
{
    if (w->names && w->names->kinds > 1 && w->record->kind < w->names->kinds)
        vmres__text_add(&w->text, "%s ", w->names->resources[w->record->kind].name);
}

static void add_plan(struct writer *w)
{
    bool to_pool = w->record->other == VMRES_VM_NONE;

    add_vm(w, to_pool ? w->record->vm : w->record->other);
    vmres__text_add(&w->text, " (3) ");
    add_kind(w);
    vmres__text_add(&w->text, to_pool ? "gives " : "gets ");
    add_amount(w, w->record->amount);
    vmres__text_add(&w->text, to_pool ? " to " : " from ");
    add_vm(w, to_pool ? VMRES_VM_NONE : w->record->vm);
}

static void add_closed(struct writer *w)
{
    vmres__text_add(&w->text, "transfer ");
    add_vm(w, w->record->vm);
    vmres__text_add(&w->text, " to ");
    add_vm(w, w->record->other);
    add_move(w, " moved ", " of ");
}

static void add_removal(struct writer *w)
{
    add_move(w, "remove ", ", down to ");
    if (w->record->transfer != 0) {
        vmres__text_add(&w->text, ", for ");
        add_vm(w, w->record->other);
    }
}

static void add_reassignment(struct writer *w)
{
    vmres__text_add(&w->text, "reassign ");
    add_amount(w, w->record->amount);
    vmres__text_add(&w->text, " from ");
    add_vm(w, w->record->other);
    vmres__text_add(&w->text, ", now ");
    add_amount(w, w->record->target);
}

static void add_unmet(struct writer *w, const char *before)
{
    vmres__text_add(&w->text, "%s", before);
    if (w->record->amount == 0) {
        vmres__text_add(&w->text, "can meet all need again");
        return;
    }
    vmres__text_add(&w->text, "lacks ");
    add_amount(w, w->record->amount);
}

static void add_refusal(struct writer *w)
{
    if (w->record->amount == 0) {
        vmres__text_add(&w->text, "event refused");
        return;
    }
    add_kind(w);
    vmres__text_add(&w->text, "waits for ");
    add_amount(w, w->record->amount);
}

/* What happened, after who and which step. */
static void add_deed(struct writer *w)
{
    switch (w->record->type) {
    case VMRES_TRACE_REPORT:
        add_move(w, "uses ", " of ");
        break;
    case VMRES_TRACE_REMOVE:
        add_removal(w);
        break;
    case VMRES_TRACE_REMOVED:
        add_move(w, "removed ", ", now ");
        break;
    case VMRES_TRACE_REASSIGN:
        add_reassignment(w);
        break;
    case VMRES_TRACE_NOTIFY:
        add_move(w, "notify of ", ", now ");
        break;
    case VMRES_TRACE_INCORPORATED:
        add_move(w, "incorporated ", ", holds ");
        break;
    case VMRES_TRACE_CANCEL:
        add_move(w, "call off ", ", keeps ");
        break;
    case VMRES_TRACE_PIN:
        add_move(w, "pinned: holds ", ", told ");
        break;
    case VMRES_TRACE_LEDGER:
        add_move(w, "books ", ", now ");
        break;
    case VMRES_TRACE_DISPUTED:
        add_move(w, "disputed ", ", charged ");
        break;
    case VMRES_TRACE_REFUSED:
        add_refusal(w);
        break;
    case VMRES_TRACE_ALLOT:
        add_move(w, "allot ", ", now ");
        break;
    case VMRES_TRACE_ORDER:
        vmres__text_add(&w->text, "order to hold ");
        add_amount(w, w->record->target);
        break;
    case VMRES_TRACE_RESERVED:
        vmres__text_add(&w->text, "reservation %llu has ", (unsigned long long)w->record->transfer);
        add_move(w, "", " of ");
        break;
    case VMRES_TRACE_UNMET:
        add_unmet(w, "");
        break;
    case VMRES_TRACE_RELIEF:
        add_unmet(w, "needs relief: ");
        break;
    case VMRES_TRACE_NONSENSE:
        vmres__text_add(&w->text, "was not understood (%llu)",
                        (unsigned long long)w->record->amount);
        break;
    default:
        break;
    }
}

static void add_range(struct writer *w, uint64_t front, uint64_t final)
{
    vmres__text_add(&w->text, "[");
    add_amount(w, front);
    vmres__text_add(&w->text, ", ");
    add_amount(w, final);
    vmres__text_add(&w->text, ")");
}

/* Where it lies, on a contiguous host. */
static void add_region(struct writer *w)
{
    const struct vmres_trace_record *record = w->record;
    uint64_t front = record->front, final = front + record->size;

    vmres__text_add(&w->text, ", real ");
    add_range(w, front, final);
    vmres__text_add(&w->text, " = virtual ");
    add_range(w, front - record->block, final - record->block);
}

static bool names_nobody(uint8_t type)
{
    return type == VMRES_TRACE_INQUIRE || type == VMRES_TRACE_STATIC;
}

static void add_line(struct writer *w)
{
    const struct vmres_trace_record *record = w->record;
    uint8_t type = record->type;

    if (type == VMRES_TRACE_PLAN || type == VMRES_TRACE_CLOSED) {
        if (type == VMRES_TRACE_PLAN)
            add_plan(w);
        else
            add_closed(w);
        return;
    }
    if (names_nobody(type) || (type == VMRES_TRACE_REFUSED && record->vm == VMRES_VM_NONE))
        vmres__text_add(&w->text, "%s", record->step == 1 ? "all (1) inquire" : "host");
    else if (record->vm == VMRES_VM_NONE)
        vmres__text_add(&w->text, "host");
    else
        add_vm(w, record->vm);
    if (type == VMRES_TRACE_INQUIRE)
        return;
    if (record->step > 0)
        vmres__text_add(&w->text, " (%u)", record->step);
    vmres__text_add(&w->text, " ");
    if (type != VMRES_TRACE_VM && type != VMRES_TRACE_STATIC && type != VMRES_TRACE_REFUSED)
        add_kind(w);
    add_deed(w);
}

size_t vmres_trace_format(const struct vmres_trace_record *record,
                          const struct vmres_trace_names *names, char *buffer, size_t size)
{
    struct writer w = {vmres__text_begin(buffer, size), record, names};
    bool bare = record->type == VMRES_TRACE_VM || record->type == VMRES_TRACE_STATIC;

    vmres__text_add(&w.text, "[%5llu.%03u] ", (unsigned long long)(record->time_ms / 1000),
                    (unsigned)(record->time_ms % 1000));
    add_line(&w);
    if (record->reason)
        vmres__text_add(&w.text, "%s%s", bare ? "" : ": ", record->reason);
    if (record->size > 0)
        add_region(&w);
    return w.text.length;
}
