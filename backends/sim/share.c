/* SPDX-License-Identifier: MIT */
/*
 * Entitlements, as the yardstick of what a VM may expect: the level at which clip(level * weight,
 * floor, ceiling) over all running VMs sums to what may be given. Computed here from the limits
 * alone, on purpose not asked from the engine: the simulator judges what the engine does.
 */
#include "internal.h"

/* Levels are counted in 1 / 2^16 of a unit per weight, so that small weights share finely. */
enum { LEVEL_BITS = 16 };

static uint64_t entitlement_at(const struct vmres_vm_limits *limits, sim_wide level)
{
    sim_wide amount = level * limits->weight >> LEVEL_BITS;

    if (amount >= limits->ceiling)
        return limits->ceiling;
    return sim_max((uint64_t)amount, limits->floor);
}

/* Sets every entitlement to that of the level; returns their sum. */
static sim_wide pour(struct vmres_sim *sim, uint8_t kind, sim_wide level)
{
    sim_wide sum = 0;

    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_holding *holding = &sim->vms[i].holdings[kind];

        holding->tally.entitlement =
            sim_running(&sim->vms[i]) ? entitlement_at(&holding->limits, level) : 0;
        sum += holding->tally.entitlement;
    }
    return sum;
}

void vmres__sim_share_compute(struct vmres_sim *sim, uint8_t kind)
{
    const struct vmres_resource *resource = &sim->kinds[kind].resource;
    uint64_t usable = sim_less(resource->capacity, resource->reserve);
    sim_wide low = 0;
    sim_wide high = (sim_wide)1 << (64 + LEVEL_BITS);

    if (pour(sim, kind, high) <= usable)
        return;
    while (high - low > 1) {
        sim_wide middle = low + (high - low) / 2;

        if (pour(sim, kind, middle) <= usable)
            low = middle;
        else
            high = middle;
    }
    (void)pour(sim, kind, low);
}
