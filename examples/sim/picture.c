/* SPDX-License-Identifier: MIT */
/* From a run of the simulator to a picture: a scene for each kind, and what the run came to. */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include <vmres/event.h>
#include <vmres/query.h>
#include <vmres/units.h>

#include "report.h"
#include "svg.h"

enum { TEXT_ROOM = 512 };

struct history *picture_open(const struct run *run)
{
    return history_open(run->config->engine.kinds, run->config->vm_count, run_ticks(run),
                        run->config->sim.tick_ms);
}

/* All 0 while the VM is not there. */
static struct reading look(const struct run *run, uint8_t kind, uint32_t vm)
{
    struct vmres_sim_state state;
    struct vmres_account_info account;
    double lack = 0;

    if (vmres_sim_vm(run->sim, vm, kind, &state) || state.vm == VMRES_VM_NONE)
        return (struct reading){0};
    if (vmres_engine_account(vmres_driver_engine(run->driver), state.vm, kind, &account))
        account.stall = 0;
    if (state.demand > 0)
        lack = (double)state.missing / (double)state.demand * VMRES_STALL_ONE;
    return (struct reading){.demand = state.demand,
                            .held = state.held,
                            .front = state.front,
                            .stall = account.stall,
                            .lack = (uint64_t)lack};
}

void picture_add(const struct run *run, uint64_t tick)
{
    for (uint8_t kind = 0; kind < run->history->kinds; kind++) {
        for (uint32_t vm = 0; vm < run->history->vms; vm++) {
            const struct reading reading = look(run, kind, vm);

            history_add(run->history, kind, vm, tick, &reading);
        }
    }
}

static const char *title_of(const struct run *run)
{
    const char *slash = strrchr(run->options->scenario, '/');

    return slash ? slash + 1 : run->options->scenario;
}

static void sum_up(const struct run *run, char *text, size_t room)
{
    const struct vmres_sim_metrics sums = report_metrics(run, VMRES_VM_NONE, 0);
    const char *unit = run->config->engine.resources[0].unit == VMRES_UNIT_BYTES ? "GiB" : "CPU";
    char policy[128], duration[VMRES_UNITS_ROOM];

    (void)vmres_format_time(duration, sizeof duration, run_ticks(run) * run->config->sim.tick_ms);
    (void)snprintf(text, room,
                   "policy %s  ·  %u VMs for %s  ·  missed %.1f %s s (at best %.1f)  ·  "
                   "moved %.1f %s",
                   report_policy(run, policy, sizeof policy), run->config->vm_count, duration,
                   sums.unmet, unit, sums.unmet_bound, sums.moved, unit);
}

void picture_write(const struct run *run, FILE *file)
{
    const struct vmres_config *config = run->config;
    const char **names = calloc(config->vm_count, sizeof *names);
    struct scene scenes[VMRES_KINDS_MAX];
    char subtitle[TEXT_ROOM];
    const struct picture picture = {.title = title_of(run),
                                    .subtitle = subtitle,
                                    .first = "first allotment",
                                    .scenes = scenes,
                                    .count = config->engine.kinds};

    if (!names)
        return;
    for (uint32_t vm = 0; vm < config->vm_count; vm++)
        names[vm] = config->vms[vm].spec.name;
    for (uint8_t kind = 0; kind < picture.count; kind++)
        scenes[kind] = (struct scene){
            .title = "",
            .resource = &config->engine.resources[kind],
            .history = run->history,
            .names = names,
            .seconds = (double)(run_ticks(run) * config->sim.tick_ms) / 1000,
            .kind = kind,
        };
    sum_up(run, subtitle, sizeof subtitle);
    svg_write(&picture, file);
    free(names);
}
