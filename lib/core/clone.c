/* SPDX-License-Identifier: MIT */
/*
 * A clone: the same engine, books, open business and all, in a larger one. Made by creating the
 * larger one and copying what is used of each array; ids keep their slots, so that answers on their
 * way to the old engine are understood by the new.
 */
#include <string.h>

#include "error.h"
#include "internal.h"

static enum vmres_status check(const struct vmres_engine *from, const struct vmres_engine *to,
                               struct vmres_error *error)
{
    if (to->kind_count != from->kind_count)
        return vmres__error_set(error, VMRES_INVALID, "a clone must have the same kinds");
    for (uint32_t k = 0; k < from->kind_count; k++) {
        const struct kind *a = &from->kinds[k], *b = &to->kinds[k];

        if (strcmp(a->name, b->name) != 0 || a->resource.granule != b->resource.granule ||
            a->resource.placement != b->resource.placement ||
            a->resource.removal != b->resource.removal || a->policy != b->policy)
            return vmres__error_set(
                error, VMRES_INVALID,
                "%s: a clone must have the same granule, placement, removal and policy", a->name);
    }
    if (to->max_vms < from->top || to->max_transfers < from->transfer_top ||
        to->max_commands < from->command_top || to->max_reservations < vmres__reserve_count(from))
        return vmres__error_set(error, VMRES_LIMIT,
                                "a clone needs room for all that is in use; raise the limits");
    return VMRES_OK;
}

static void copy(void *to, const void *from, size_t count, size_t size)
{
    if (count * size > 0)
        memcpy(to, from, count * size);
}

static void copy_kind(struct kind *to, const struct kind *from, uint32_t vms)
{
    to->tolerance = from->tolerance;
    to->adopting = from->adopting;
    to->unseen_ms = from->unseen_ms;
    to->orders = from->orders;
    to->shares_stale = true;
    to->floors = from->floors;
    to->ledger = from->ledger;
    to->lowest = from->lowest;
    to->unmet = from->unmet;
    to->unmet_since_ms = from->unmet_since_ms;
    to->relief_asked = from->relief_asked;
    to->plan_mark = from->plan_mark;
    copy(to->views, from->views, vms, sizeof *to->views);
    copy(to->accounts, from->accounts, vms, sizeof *to->accounts);
    copy(to->reasons.of, from->reasons.of, vms, sizeof *to->reasons.of);
    copy(to->reasons.texts, from->reasons.texts, REASONS_MAX, sizeof to->reasons.texts[0]);
    to->reasons.last = from->reasons.last;
    if (to->blocks)
        copy(to->blocks, from->blocks, vms, sizeof *to->blocks);
    copy(to->policy_vms, from->policy_vms, vms, to->policy->vm_state_size);
}

/* What an engine is in the middle of. */
static void copy_business(struct vmres_engine *to, const struct vmres_engine *from)
{
    to->counters = from->counters;
    to->top = from->top;
    to->live = from->live;
    to->now = from->now;
    to->serial = from->serial;
    to->command_deadline_ms = from->command_deadline_ms;
    to->settle_ms = from->settle_ms;
    to->begun = from->begun;
    to->halted = from->halted;
    to->dry_run = from->dry_run;
    to->settling = from->settling;
    to->round = from->round;
    to->transfer_top = from->transfer_top;
    to->transfer_free = from->transfer_free;
    to->transfer_open = from->transfer_open;
    to->transfer_count = from->transfer_count;
    to->command_top = from->command_top;
    to->command_free = from->command_free;
    to->command_open = from->command_open;
    to->dirty_first = from->dirty_first;
    to->dirty_last = from->dirty_last;
    copy(to->vms, from->vms, from->top, sizeof *to->vms);
    copy(to->transfers, from->transfers, from->transfer_top, sizeof *to->transfers);
    copy(to->commands, from->commands, from->command_top, sizeof *to->commands);
    copy(to->reservations, from->reservations, vmres__reserve_count(from),
         sizeof *to->reservations);
}

enum vmres_status vmres_engine_clone(const struct vmres_engine *engine,
                                     const struct vmres_engine_options *options,
                                     struct vmres_engine **clone, struct vmres_error *error)
{
    struct vmres_engine *made;
    enum vmres_status status;

    if (engine == NULL || clone == NULL)
        return vmres__error_set(error, VMRES_INVALID,
                                "an engine and where to put its clone must be given");
    status = vmres_engine_create(options, &made, error);
    if (status != VMRES_OK)
        return status;
    status = check(engine, made, error);
    if (status != VMRES_OK) {
        vmres_engine_destroy(made);
        return status;
    }
    copy_business(made, engine);
    for (uint8_t k = 0; k < engine->kind_count; k++) {
        copy_kind(&made->kinds[k], &engine->kinds[k], engine->top);
        vmres__create_inherit(made, engine, k);
    }
    *clone = made;
    return VMRES_OK;
}
