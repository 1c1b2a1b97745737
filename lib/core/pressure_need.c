/* SPDX-License-Identifier: MIT */
/*
 * What one VM needs, by what it says of itself, and what is learned of it meanwhile: the peak of
 * its use, and how long its spells of need last. Knows nothing of other VMs or of what the host
 * has.
 */
#include "pressure.h"

#define STALL_MOST 7500u /* demand is four times what it holds; beyond, noise drowns it */
#define PEAK_FORGETS 11u /* a peak not seen again fades by 1 / 2^11 a round */

/* What a stalled VM would use if it could, at most what it may hold and can take in a round. */
uint32_t vmres__pressure_demand(const struct pressure *policy, const struct pressure_vm *vm,
                                const struct vmres_view *view)
{
    uint64_t stall = least(view->stall, STALL_MOST);
    uint64_t demand = (uint64_t)vm->held * VMRES_STALL_ONE / (VMRES_STALL_ONE - stall) + 1;
    uint64_t short_of_peak = (uint64_t)above(vm->peak, vm->held) * VMRES_STALL_ONE;

    /* If the peak is back, the stall is short_of_peak / peak: is that within twice its noise? */
    if (short_of_peak > 0 && 5 * short_of_peak >= 3 * stall * vm->peak &&
        5 * short_of_peak <= 7 * stall * vm->peak)
        demand = vm->peak;
    return least(least(demand, view->ceiling), (uint64_t)view->held + policy->grant);
}

/* A stalled VM: what it should hold now. */
uint32_t vmres__pressure_need(const struct pressure *policy, struct pressure_vm *vm,
                              const struct vmres_view *view)
{
    uint32_t demand = vmres__pressure_demand(policy, vm, view);

    if (vm->spell_began == 0) {
        vm->spell_began = policy->round;
        vm->spell_base = view->held;
        vm->spell_size = 0;
    }
    if (demand > vm->spell_base + vm->spell_size)
        vm->spell_size = demand - vm->spell_base;
    if (vm->spell_usual < policy->wait &&
        (policy->round - vm->spell_began) * ROUND_PARTS < policy->wait)
        return least(demand, view->entitlement);
    return demand;
}

/* A VM at ease: remember its peak, and how long it was in need. */
void vmres__pressure_learn(const struct pressure *policy, struct pressure_vm *vm,
                           const struct vmres_view *view)
{
    /* Fading by less than a granule a round is spread evenly over the rounds. */
    uint32_t phase = policy->round * 1237u % (1u << PEAK_FORGETS);

    if (view->used >= vm->peak)
        vm->peak = view->used;
    else
        vm->peak -= (vm->peak - view->used + phase) >> PEAK_FORGETS;
    if (vm->spell_began == 0 || view->used >= vm->spell_base + vm->spell_size / 2)
        return;
    if (vm->spell_size > vm->spell_base / 16) {
        uint32_t length = least(policy->round - vm->spell_began, SPELL_MOST) * ROUND_PARTS;

        vm->spell_usual = (3 * vm->spell_usual + length) / 4;
    }
    vm->spell_began = 0;
}
