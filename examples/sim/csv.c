/* SPDX-License-Identifier: MIT */
/*
 * The table of a whole run, for plotting and for awk. Columns are VM.KIND.WHAT in the units of the
 * traces, MiB and thousandths of a CPU; a VM that is not there has empty cells. On a contiguous
 * host `front` is where its block begins.
 */
#include "csv.h"

#include <inttypes.h>
#include <stdio.h>

#include <vmres/units.h>

#include "run.h"

static void put_amount(FILE *file, enum vmres_unit unit, uint64_t amount)
{
    if (unit == VMRES_UNIT_BYTES)
        (void)fprintf(file, ",%.3f", (double)amount / (double)VMRES_MIB);
    else
        (void)fprintf(file, ",%" PRIu64, amount);
}

void csv_head(const struct run *run)
{
    static const char *const what[] = {"demand", "held", "target", "missing"};
    const struct vmres_config *config = run->config;

    (void)fputs("t_s", run->csv);
    for (uint32_t vm = 0; vm < config->vm_count; vm++) {
        for (uint32_t kind = 0; kind < config->engine.kinds; kind++) {
            for (size_t i = 0; i < sizeof what / sizeof what[0]; i++)
                (void)fprintf(run->csv, ",%s.%s.%s", config->vms[vm].spec.name,
                              config->engine.resources[kind].name, what[i]);
            if (config->engine.resources[kind].placement == VMRES_PLACEMENT_EXTENT)
                (void)fprintf(run->csv, ",%s.%s.front", config->vms[vm].spec.name,
                              config->engine.resources[kind].name);
        }
    }
    (void)fputc('\n', run->csv);
}

static void put_vm(const struct run *run, uint32_t vm, uint8_t kind)
{
    const struct vmres_resource *resource = &run->config->engine.resources[kind];
    const enum vmres_unit unit = resource->unit;
    bool placed = resource->placement == VMRES_PLACEMENT_EXTENT;
    struct vmres_sim_state state;

    if (vmres_sim_vm(run->sim, vm, kind, &state) || state.vm == VMRES_VM_NONE) {
        (void)fputs(placed ? ",,,,," : ",,,,", run->csv);
        return;
    }
    put_amount(run->csv, unit, state.demand);
    put_amount(run->csv, unit, state.held);
    put_amount(run->csv, unit, state.target);
    put_amount(run->csv, unit, state.missing);
    if (placed)
        put_amount(run->csv, unit, state.front);
}

void csv_row(const struct run *run, uint64_t at_ms)
{
    (void)fprintf(run->csv, "%" PRIu64, at_ms / 1000);
    if (at_ms % 1000)
        (void)fprintf(run->csv, ".%03" PRIu64, at_ms % 1000);
    for (uint32_t vm = 0; vm < run->config->vm_count; vm++) {
        for (uint8_t kind = 0; kind < run->config->engine.kinds; kind++)
            put_vm(run, vm, kind);
    }
    (void)fputc('\n', run->csv);
}
