/* SPDX-License-Identifier: MIT */
/*
 * What a VM wants over time, per kind: a column of a trace, or steps. Invariant: a demand
 * begins at time 0, so that there is never a time of which nothing is known; a VM of which the file
 * says nothing has no points and wants nothing.
 */
#include "config/internal.h"

/* The times of a trace, the first row holding from the beginning. */
static enum vmres_status times_from_start(struct config_loader *loader,
                                          const struct config_trace *trace, const uint64_t **result)
{
    uint64_t *times;

    *result = trace->times_ms;
    if (trace->times_ms[0] == 0)
        return VMRES_OK;
    times = vmres__arena_take(loader->keep, trace->rows, sizeof *times);
    if (!times)
        return vmres__load_no_memory(loader);
    for (uint32_t row = 1; row < trace->rows; row++)
        times[row] = trace->times_ms[row];
    *result = times;
    return VMRES_OK;
}

enum vmres_status vmres__workload_follow(struct config_loader *loader,
                                         const struct config_trace *trace, uint32_t column,
                                         uint32_t cache, struct vmres_sim_demand *demand)
{
    uint64_t length_ms = vmres__csv_length_ms(trace);

    if (length_ms > loader->longest_ms)
        loader->longest_ms = length_ms;
    demand->points = trace->rows;
    demand->amount = &trace->cells[(size_t)column * trace->rows];
    if (cache != UINT32_MAX)
        demand->cache = &trace->cells[(size_t)cache * trace->rows];
    return times_from_start(loader, trace, &demand->at_ms);
}

static enum vmres_status read_trace(struct config_loader *loader, const struct config_node *node,
                                    const struct config_kind *kind, struct vmres_sim_demand *demand)
{
    static const char *const keys[] = {"trace", "column", "unit", "cache_column", NULL};
    const struct config_node *column = NULL, *unit = vmres__tree_find(node, "unit");
    const struct config_node *cache = vmres__tree_find(node, "cache_column");
    const struct config_trace *trace;
    uint32_t index, choice = 0, cache_index = UINT32_MAX;
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "column", &column);
    if (status == VMRES_OK)
        status = vmres__scalar_choice(loader, unit, kind->trace_units, &choice);
    if (status == VMRES_OK)
        status = vmres__csv_read(loader, vmres__tree_find(node, "trace"), kind,
                                 unit ? kind->trace_units[choice] : kind->trace_unit, &trace);
    if (status == VMRES_OK)
        status = vmres__csv_need(loader, column, trace, column->text, &index);
    if (status == VMRES_OK && cache)
        status = vmres__csv_need(loader, cache, trace, cache->text, &cache_index);
    return status ? status : vmres__workload_follow(loader, trace, index, cache_index, demand);
}

static enum vmres_status read_step(struct config_loader *loader, const struct config_node *node,
                                   const struct config_kind *kind, uint64_t *at_ms,
                                   uint64_t *amount)
{
    static const char *const keys[] = {"at", "demand", NULL};
    const struct config_node *at, *demand;
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "at", &at);
    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "demand", &demand);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, at, at_ms);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, demand, kind->unit, amount);
    return status;
}

static enum vmres_status read_steps(struct config_loader *loader, const struct config_node *list,
                                    const struct config_kind *kind, struct vmres_sim_demand *demand)
{
    enum vmres_status status = vmres__tree_expect_list(loader, list);
    uint64_t *times, *amounts;

    if (status == VMRES_OK && list->count == 0)
        return vmres__load_fail(loader, list->at, "no step here; write {at: 0s, demand: ...}");
    if (status)
        return status;
    times = vmres__arena_take(loader->keep, list->count, sizeof *times);
    amounts = vmres__arena_take(loader->keep, list->count, sizeof *amounts);
    if (!times || !amounts)
        return vmres__load_no_memory(loader);
    *demand = (struct vmres_sim_demand){.at_ms = times, .amount = amounts};
    for (const struct config_node *node = list->first; node; node = node->next) {
        uint32_t i = demand->points++;

        status = read_step(loader, node, kind, &times[i], &amounts[i]);
        if (status)
            return status;
        if (i == 0 && times[i] != 0)
            return vmres__load_fail(loader, node->at,
                                    "the first step must be at 0s; say what it wants from there");
        if (i > 0 && times[i] <= times[i - 1])
            return vmres__load_fail(loader, node->at, "steps must ascend in time; sort them");
    }
    return VMRES_OK;
}

static enum vmres_status read_demand(struct config_loader *loader, const struct config_node *node,
                                     uint8_t kind, struct vmres_sim_demand *demand)
{
    static const char *const keys[] = {"steps", NULL};
    const struct config_node *steps = vmres__tree_find(node, "steps");
    enum vmres_status status;

    if (vmres__tree_find(node, "trace"))
        return read_trace(loader, node, loader->kind[kind], demand);
    status = vmres__tree_expect_map(loader, node, keys);
    if (status == VMRES_OK && !steps)
        return vmres__load_fail(loader, node->at, "neither trace nor steps here; write one");
    return status ? status : read_steps(loader, steps, loader->kind[kind], demand);
}

enum vmres_status vmres__workload_read(struct config_loader *loader, const struct config_node *node,
                                       struct vmres_sim_demand *demand)
{
    static const char *const none[] = {NULL};
    const char *keys[CONFIG_KEYS_MAX];
    enum vmres_status status = VMRES_OK;

    vmres__host_keys(loader, none, keys);
    if (node)
        status = vmres__tree_expect_map(loader, node, keys);
    for (uint8_t kind = 0; kind < loader->kinds && status == VMRES_OK; kind++) {
        const struct config_node *child = vmres__tree_find(node, loader->kind[kind]->name);

        if (child)
            status = read_demand(loader, child, kind, &demand[kind]);
    }
    loader->config->simulated |= node != NULL;
    return status;
}
