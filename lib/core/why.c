/* SPDX-License-Identifier: MIT */
/*
 * Why a VM has what it has: its books, what it last said and how long ago, the last verdict and
 * what its policy thinks of it, in one line.
 */
#include "internal.h"
#include "text.h"

static void add_stall(struct text *text, uint32_t stall)
{
    if (stall > 0)
        vmres__text_add(text, ", stalls %u.%02u%%", stall * 100 / VMRES_STALL_ONE,
                        stall % (VMRES_STALL_ONE / 100));
}

static void add_age(struct text *text, const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    if (account_of(engine, vm, kind)->flags & ACCOUNT_REPORTED)
        vmres__text_add(text, " (%u ms ago)",
                        (uint32_t)engine->now - view_of(engine, vm, kind)->reported);
    else
        vmres__text_add(text, " (no report to go by)");
}

static void add_part(struct text *text, const struct kind *kind, const char *before,
                     uint32_t granules)
{
    if (granules == 0)
        return;
    vmres__text_add(text, "%s", before);
    vmres__text_add_amount(text, kind->resource.unit, units_of(kind, granules));
}

/* Whoever it is left alone for: it takes both to let it go. */
static void add_frozen(struct text *text, uint8_t flags)
{
    vmres__text_add(text, ", frozen: left alone %s%s%s", flags & VM_FROZEN ? "on request" : "",
                    flags & VM_FROZEN && flags & VM_HALTED ? ", and " : "",
                    flags & VM_HALTED ? "for the hypervisor" : "");
}

/* Why nothing is asked of it, or given to it. */
static void add_state(struct text *text, const struct vmres_engine *engine, uint32_t vm,
                      uint8_t kind)
{
    static const char *const states[] = {
        [VMRES_VM_BOOTING] = ", not live yet",
        [VMRES_VM_ADOPTING] = ", being adopted: it is to be pinned first",
        [VMRES_VM_LIVE] = "",
        [VMRES_VM_SILENT] = ", silent: its device does not answer",
        [VMRES_VM_FROZEN] = "",
    };
    const struct vm *it = &engine->vms[vm];

    vmres__text_add(text, "%s", states[it->state]);
    if (it->state == VMRES_VM_FROZEN)
        add_frozen(text, it->flags);
    if (view_of(engine, vm, kind)->flags & VMRES_VIEW_UNCOOPERATIVE)
        vmres__text_add(text, ", left alone: it did not do as asked");
    else if (vmres__guard_lends_nothing(engine, vm, kind))
        vmres__text_add(text, ", lent nothing: it did not give when it was asked");
}

size_t vmres_engine_why(const struct vmres_engine *engine, uint32_t vm, uint8_t kind_index,
                        char *buffer, size_t size)
{
    struct text text = vmres__text_begin(buffer, size);
    const struct kind *kind;
    const struct vmres_view *view;
    char thought[160];

    if (!engine || kind_index >= engine->kind_count || vm >= engine->max_vms ||
        engine->vms[vm].state == VMRES_VM_VACANT)
        return 0;
    kind = &engine->kinds[kind_index];
    view = &kind->views[vm];
    vmres__text_add(&text, "holds ");
    vmres__text_add_amount(&text, kind->resource.unit, units_of(kind, view->held));
    vmres__text_add(&text, ", uses ");
    vmres__text_add_amount(&text, kind->resource.unit, units_of(kind, view->used));
    add_stall(&text, view->stall);
    add_age(&text, engine, vm, kind_index);
    add_part(&text, kind, ", entitled to ", view->entitlement);
    add_part(&text, kind, ", still to give ", view->outgoing);
    add_part(&text, kind, ", still to get ", view->incoming);
    add_part(&text, kind, ", disputed ", view->disputed);
    add_state(&text, engine, vm, kind_index);
    if (verdict_reason(&kind->reasons, vm))
        vmres__text_add(&text, "; last verdict: %s", verdict_reason(&kind->reasons, vm));
    if (kind->policy->explain &&
        kind->policy->explain(kind->policy_state,
                              kind->policy_vms + vm * kind->policy->vm_state_size, view, thought,
                              sizeof thought) > 0)
        vmres__text_add(&text, "; %s: %s", kind->policy->name, thought);
    return text.length;
}
