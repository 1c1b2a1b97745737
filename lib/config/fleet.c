/* SPDX-License-Identifier: MIT */
/*
 * The fleet: one VM for every demand column of a trace, named like its column. The unit tells which
 * kind the trace is of; a column NAME.cache beside NAME is that VM's page cache wish.
 */
#include <stdio.h>
#include <string.h>

#include "config/internal.h"

static const char cache_suffix[] = ".cache";

static int is_cache(const char *name)
{
    size_t length = strlen(name), suffix = sizeof cache_suffix - 1;

    return length >= suffix && strcmp(name + length - suffix, cache_suffix) == 0;
}

/* The column of this VM's cache wish, or UINT32_MAX. */
static uint32_t find_cache(const struct config_trace *trace, const char *name)
{
    char wish[VMRES_VM_NAME_MAX + sizeof cache_suffix];

    (void)snprintf(wish, sizeof wish, "%s%s", name, cache_suffix);
    return vmres__names_find(&trace->by_name, wish);
}

/* Which kind the fleet's trace is of: the one measured in its unit, or the first. */
static enum vmres_status find_kind(struct config_loader *loader, const struct config_node *unit,
                                   uint8_t *kind, const char **name)
{
    *kind = 0;
    *name = loader->kind[0]->trace_unit;
    if (!unit)
        return VMRES_OK;
    for (uint8_t i = 0; i < loader->kinds; i++) {
        const char *const *units = loader->kind[i]->trace_units;

        while (*units && strcmp(*units, unit->text) != 0)
            units++;
        if (*units) {
            *kind = i;
            *name = *units;
            return VMRES_OK;
        }
    }
    return vmres__load_fail(loader, unit->at,
                            "no resource of this host is counted in '%.40s'; write %s", unit->text,
                            loader->kind[0]->trace_unit);
}

static enum vmres_status read_trace(struct config_loader *loader, const struct config_node *fleet,
                                    uint8_t *kind, const struct config_trace **trace)
{
    const struct config_node *node = NULL;
    const char *unit;
    enum vmres_status status = vmres__tree_need(loader, fleet, "trace", &node);

    if (status == VMRES_OK)
        status = find_kind(loader, vmres__tree_find(fleet, "unit"), kind, &unit);
    if (status == VMRES_OK)
        status = vmres__csv_read(loader, node, loader->kind[*kind], unit, trace);
    return status;
}

/* Lists of limits have one entry per VM. */
static enum vmres_status check_lists(struct config_loader *loader, const struct config_node *limits,
                                     uint32_t count)
{
    const struct config_node *node = limits && limits->type == CONFIG_MAP ? limits->first : NULL;

    for (; node; node = node->next) {
        if (node->type == CONFIG_LIST && node->count != count)
            return vmres__load_fail(
                loader, node->at, "%u entries for %u VMs; write one for every column of the trace",
                node->count, count);
    }
    return VMRES_OK;
}

enum vmres_status vmres__fleet_count(struct config_loader *loader, const struct config_node *fleet,
                                     uint32_t *count)
{
    static const char *const own[] = {"trace", "unit", NULL};
    const char *keys[CONFIG_KEYS_MAX];
    const struct config_trace *trace;
    uint8_t kind;
    enum vmres_status status;

    vmres__host_keys(loader, own, keys);
    status = vmres__tree_expect_map(loader, fleet, keys);
    if (status == VMRES_OK)
        status = read_trace(loader, fleet, &kind, &trace);
    if (status)
        return status;
    for (uint32_t column = 0; column < trace->columns; column++)
        *count += is_cache(trace->names[column]) ? 0 : 1;
    for (uint32_t i = 0; i < loader->kinds && status == VMRES_OK; i++)
        status = check_lists(loader, vmres__tree_find(fleet, loader->kind[i]->name), *count);
    return status;
}

/* The VM of one column, the index-th of the fleet. */
static enum vmres_status add_vm(struct config_loader *loader, const struct config_node *fleet,
                                const struct config_trace *trace, uint32_t column, uint32_t index)
{
    const struct config_node *at = vmres__tree_find(fleet, "trace");
    const char *name = trace->names[column], *unit;
    struct vmres_vm_limits *limits;
    struct vmres_sim_demand *demand;
    uint8_t traced;
    enum vmres_status status = vmres__vms_add(loader, at, name, &limits, &demand);

    for (uint8_t kind = 0; kind < loader->kinds && status == VMRES_OK; kind++)
        status = vmres__limits_read(loader, vmres__tree_find(fleet, loader->kind[kind]->name), kind,
                                    index, &limits[kind]);
    if (status == VMRES_OK)
        status = vmres__workload_read(loader, NULL, demand);
    if (status == VMRES_OK)
        status = find_kind(loader, vmres__tree_find(fleet, "unit"), &traced, &unit);
    return status ? status
                  : vmres__workload_follow(loader, trace, column, find_cache(trace, name),
                                           &demand[traced]);
}

enum vmres_status vmres__fleet_read(struct config_loader *loader, const struct config_node *fleet)
{
    const struct config_trace *trace;
    uint32_t index = 0;
    uint8_t kind;
    enum vmres_status status = read_trace(loader, fleet, &kind, &trace);

    for (uint32_t column = 0; status == VMRES_OK && column < trace->columns; column++) {
        if (!is_cache(trace->names[column]))
            status = add_vm(loader, fleet, trace, column, index++);
    }
    loader->config->simulated = 1;
    return status;
}
