/* SPDX-License-Identifier: MIT */
/*
 * A policy's table from a CSV file. The file's columns may stand in any order and there may be more
 * of them; the table's are in the order of the VMs, for a policy knows VMs by number.
 */
#include "config/internal.h"

static enum vmres_status fill(struct config_loader *loader, const struct config_node *node,
                              const struct config_trace *trace, struct vmres_table *table,
                              uint64_t *cells)
{
    for (uint32_t vm = 0; vm < table->columns; vm++) {
        uint32_t column = 0;
        enum vmres_status status =
            vmres__csv_need(loader, node, trace, loader->vms[vm].spec.name, &column);

        if (status)
            return status;
        for (uint32_t row = 0; row < table->rows; row++)
            cells[(size_t)row * table->columns + vm] =
                trace->cells[(size_t)column * trace->rows + row];
    }
    return VMRES_OK;
}

enum vmres_status vmres__table_read(struct config_loader *loader, const struct config_node *node,
                                    const struct config_kind *kind,
                                    const struct vmres_table **result)
{
    const struct config_trace *trace;
    struct vmres_table *table;
    uint64_t *cells;
    enum vmres_status status = vmres__csv_read(loader, node, kind, kind->trace_unit, &trace);

    if (status)
        return status;
    table = vmres__arena_take(loader->keep, 1, sizeof *table);
    cells = vmres__arena_take(loader->keep, (size_t)trace->rows * loader->config->vm_count,
                              sizeof *cells);
    if (!table || !cells)
        return vmres__load_no_memory(loader);
    *table = (struct vmres_table){
        .rows = trace->rows,
        .columns = loader->config->vm_count,
        .times_ms = trace->times_ms,
        .cells = cells,
    };
    *result = table;
    return fill(loader, node, trace, table, cells);
}
