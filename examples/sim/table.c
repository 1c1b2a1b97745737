/* SPDX-License-Identifier: MIT */
/*
 * The report for people: what was missing, what was moved for it, and who gave and who took. Long
 * fleets are cut to those who missed most, for nobody reads a thousand lines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/units.h>

#include "report.h"

enum { SHOWN = 24 };

struct line {
    const char *name;
    struct vmres_sim_metrics metrics;
    struct vmres_sim_state state;
};

static const char *unit_name(enum vmres_unit unit)
{
    static const char *const names[] = {
        [VMRES_UNIT_BYTES] = "GiB", [VMRES_UNIT_MILLI] = "CPU", [VMRES_UNIT_COUNT] = "pieces"};

    return names[unit];
}

static double whole(enum vmres_unit unit, uint64_t amount)
{
    switch (unit) {
    case VMRES_UNIT_BYTES:
        return (double)amount / (double)VMRES_GIB;
    case VMRES_UNIT_MILLI:
        return (double)amount / 1000;
    case VMRES_UNIT_COUNT:
        break;
    }
    return (double)amount;
}

static int by_missing(const void *left, const void *right)
{
    double a = ((const struct line *)left)->metrics.unmet;
    double b = ((const struct line *)right)->metrics.unmet;

    return (a < b) - (a > b);
}

static void put_sums(const struct run *run, uint8_t kind, FILE *file)
{
    const struct vmres_sim_metrics sums = report_metrics(run, VMRES_VM_NONE, kind);
    const struct vmres_resource *resource = &run->config->engine.resources[kind];
    const struct outcomes *outcomes = &run->outcomes[kind];
    const char *unit = unit_name(resource->unit);

    (void)fprintf(file, "\n%s: %.1f %s\n", resource->name, sums.capacity, unit);
    (void)fprintf(file, "  missing            %12.1f %s s   (nobody could do better than %.1f)\n",
                  sums.unmet, unit, sums.unmet_bound);
    (void)fprintf(file, "  moved              %12.1f %s     (turned back within 2 min: %.1f)\n",
                  sums.moved, unit, sums.reversed);
    if (resource->placement == VMRES_PLACEMENT_EXTENT)
        (void)fprintf(file, "  passed along       %12.1f %s     (by VMs between, not in moved)\n",
                      sums.hops, unit);
    (void)fprintf(file, "  cost of both       %12.1f %s s\n", sums.cost, unit);
    (void)fprintf(file, "  missing by right   %12.3f %%         (within a VM's entitlement)\n",
                  sums.shortfall_pct);
    if (resource->unit == VMRES_UNIT_BYTES)
        (void)fprintf(file, "  page cache missed  %12.1f %s s\n", sums.cache_missing, unit);
    (void)fprintf(file,
                  "  transfers          %12" PRIu64 " done, %" PRIu64 " partial, %" PRIu64
                  " cancelled, %" PRIu64 " failed\n",
                  outcomes->done, outcomes->partial, outcomes->cancelled, outcomes->failed);
    if (sums.oom_ticks)
        (void)fprintf(file, "  out of memory      %12" PRIu64 " ticks, one VM each\n",
                      sums.oom_ticks);
}

static void put_line(const struct line *line, enum vmres_unit unit, FILE *file)
{
    (void)fprintf(file, "  %-16.40s %10.1f %10.1f %10.1f", line->name, line->metrics.unmet,
                  line->metrics.moved, line->metrics.cost);
    if (line->state.vm == VMRES_VM_NONE)
        (void)fprintf(file, "     %s\n", line->state.lived ? "gone" : "not started");
    else
        (void)fprintf(file, " %10.2f %10.2f\n", whole(unit, line->state.demand),
                      whole(unit, line->state.held));
}

static void put_vms(const struct run *run, uint8_t kind, FILE *file)
{
    const struct vmres_config *config = run->config;
    enum vmres_unit unit = config->engine.resources[kind].unit;
    struct line *lines = calloc(config->vm_count, sizeof *lines);
    uint32_t shown = config->vm_count < SHOWN ? config->vm_count : SHOWN;

    if (!lines)
        return;
    for (uint32_t vm = 0; vm < config->vm_count; vm++) {
        lines[vm].name = config->vms[vm].spec.name;
        lines[vm].metrics = report_metrics(run, vm, kind);
        if (vmres_sim_vm(run->sim, vm, kind, &lines[vm].state))
            lines[vm].state.vm = VMRES_VM_NONE;
    }
    if (shown < config->vm_count)
        qsort(lines, config->vm_count, sizeof *lines, by_missing);
    (void)fprintf(file, "\n  %-16s %10s %10s %10s %10s %10s\n", "VM", "missing", "given", "taken",
                  "wants now", "holds now");
    for (uint32_t i = 0; i < shown; i++)
        put_line(&lines[i], unit, file);
    if (shown < config->vm_count)
        (void)fprintf(file, "  and %u more, who missed less\n", config->vm_count - shown);
    free(lines);
}

static void put_verdict(const struct run *run, FILE *file)
{
    const struct vmres_sim_violations *v = &run->violations;

    if (run_breaches(run) == 0) {
        (void)fputs("\nno invariant was broken\n", file);
        return;
    }
    (void)fprintf(file,
                  "\nBROKEN: capacity %" PRIu64 ", conservation %" PRIu64 ", floor %" PRIu64
                  ", ceiling %" PRIu64 ", single transfer %" PRIu64 ", bound %" PRIu64
                  " times; see --check\n",
                  v->capacity, v->conservation + run->audits_failed, v->floor, v->ceiling,
                  v->single_transfer, v->bound);
}

static void put_refused(const struct run *run, FILE *file)
{
    uint64_t refused = run_refused(run);

    if (refused > 0)
        (void)fprintf(file, "\nrefused: %" PRIu64 " of what the operator asked for; see --log\n",
                      refused);
}

void table_write(const struct run *run, FILE *file)
{
    const struct vmres_config *config = run->config;
    char policy[256], duration[VMRES_UNITS_ROOM];

    if (run->options->log)
        (void)fputc('\n', file);
    (void)fprintf(
        file, "%s: %u VMs for %s, policy %s, seed %" PRIu64 "\n", run->options->scenario,
        config->vm_count,
        vmres_format_time(duration, sizeof duration, run_ticks(run) * config->sim.tick_ms),
        report_policy(run, policy, sizeof policy), config->sim.seed);
    for (uint8_t kind = 0; kind < config->engine.kinds; kind++) {
        put_sums(run, kind, file);
        put_vms(run, kind, file);
    }
    put_refused(run, file);
    put_verdict(run, file);
}
