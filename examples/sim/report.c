/* SPDX-License-Identifier: MIT */
/* What all that tells of a run needs to know of it. */
#include "report.h"

#include <string.h>

#include <vmres/units.h>

const char *report_policy(const struct run *run, char *buffer, size_t room)
{
    const struct vmres_engine_options *engine = &run->config->engine;
    size_t used = 0;
    bool same = true;

    for (uint32_t kind = 1; kind < engine->kinds; kind++)
        same = same && engine->policies[kind].ops == engine->policies[0].ops;
    buffer[0] = '\0';
    for (uint32_t kind = 0; kind < (same ? 1 : engine->kinds) && used < room; kind++)
        used += (size_t)snprintf(buffer + used, room - used, "%s%s", kind ? "," : "",
                                 engine->policies[kind].ops->name);
    return buffer;
}

double report_unit(const struct run *run, uint8_t kind, const char **name)
{
    const struct vmres_resource *resource = &run->config->engine.resources[kind];
    bool large = resource->capacity >= 2 * VMRES_GIB;

    switch (resource->unit) {
    case VMRES_UNIT_BYTES:
        *name = large ? "GiB" : "MiB";
        return large ? (double)VMRES_GIB : (double)VMRES_MIB;
    case VMRES_UNIT_MILLI:
        *name = "CPU";
        return 1000;
    case VMRES_UNIT_COUNT:
        break;
    }
    *name = "pieces";
    return 1;
}

struct vmres_sim_metrics report_metrics(const struct run *run, uint32_t vm, uint8_t kind)
{
    struct vmres_sim_metrics metrics = {0};

    if (vmres_sim_metrics(run->sim, vm, kind, &metrics))
        return (struct vmres_sim_metrics){0};
    return metrics;
}
