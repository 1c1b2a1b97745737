/* SPDX-License-Identifier: MIT */
/*
 * The policy "script": the targets stand in a table, each row good from its time to that of the
 * next. It judges nothing, so it shows what devices and tick order alone do to a plan; and it lets
 * an operator, or another program, make the plan.
 *
 * Invariant: before the first row's time nobody is named; a VM without a column never is.
 */
#include "policy.h"

#include <vmres/policies.h>

struct script {
    const struct vmres_table *table;
    uint64_t granule;
};

static enum vmres_status start(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    const struct vmres_script_options *chosen = options;
    struct script *script = state;

    if (!chosen->targets)
        return VMRES_INVALID;
    script->table = chosen->targets;
    script->granule = host->granule;
    return VMRES_OK;
}

/* How many rows have begun by `now`: a binary search, so that no place in the table is kept. */
static uint32_t rows_begun(const struct vmres_table *table, uint64_t now)
{
    uint32_t low = 0;
    uint32_t high = table->rows;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->times_ms[middle] <= now)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Units to granules, to the nearest. */
static uint32_t nearest(uint64_t units, uint64_t granule)
{
    uint64_t granules = units / granule;

    granules += units % granule >= granule - units % granule;
    return granules > VMRES_GRANULES_MAX ? VMRES_GRANULES_MAX : (uint32_t)granules;
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    const struct script *script = state;
    const struct vmres_table *table = script->table;
    uint32_t begun = rows_begun(table, round->now_ms);
    const uint64_t *row;

    (void)vm_states;
    if (begun == 0)
        return;
    row = table->cells + (size_t)(begun - 1) * table->columns;
    for (uint32_t vm = 0; vm < round->count && vm < table->columns; vm++) {
        if (round->views[vm].flags & VMRES_VIEW_PRESENT)
            vmres_verdict_set(verdict, vm, nearest(row[vm], script->granule), "the script says so");
    }
}

static const struct vmres_script_options defaults = {NULL};

static const struct vmres_option_key keys[] = {
    {"targets", VMRES_OPTION_TABLE, offsetof(struct vmres_script_options, targets), 1, UINT32_MAX,
     "what each VM is to hold, from each row's time on"},
    {NULL, VMRES_OPTION_TABLE, 0, 0, 0, NULL},
};

const struct vmres_policy_ops vmres__policy_script = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "script",
    .options_size = sizeof defaults,
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct script),
    .commands = 1,
    .start = start,
    .judge = judge,
};
