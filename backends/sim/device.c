/* SPDX-License-Identifier: MIT */
/*
 * The devices: one per VM and kind, each pursuing one target at its own speed. Unused memory leaves
 * fast, memory in use is swapped out in what is left of the tick; grants come after releases.
 * Invariants: hidden <= held, and no device moves past its target. A device moves towards its
 * target whether or not anybody waits for it; who does is command.c's.
 */
#include "internal.h"

void vmres__sim_device_aim(struct sim_holding *holding, uint64_t target)
{
    holding->target = target;
    holding->told.target = target;
    holding->moving = true;
}

/* What a rate comes to in this tick. Rounded so that the ticks sum up exactly over time. */
static uint64_t budget(const struct vmres_sim *sim, uint64_t rate)
{
    sim_wide from = (sim_wide)rate * sim->now / 1000;
    sim_wide to = (sim_wide)rate * (sim->now + sim->options.tick_ms) / 1000;

    return rate == 0 ? SIM_NEVER : (uint64_t)(to - from);
}

/* The same for a guest that works slowly; what is done at once stays so. */
static uint64_t slowed(const struct sim_holding *holding, uint64_t budget_now)
{
    const struct vmres_sim_fault *slow = sim_hurt_by(holding, VMRES_SIM_SLOW);

    return slow && budget_now != SIM_NEVER ? sim_share(budget_now, slow->share) : budget_now;
}

/* Of a block, what lies outside of where it is to be, even if it is small enough. */
static uint64_t still_to_leave(const struct vmres_sim *sim, const struct sim_holding *holding,
                               uint8_t kind)
{
    uint64_t limit = vmres__sim_command_limit(holding);
    uint64_t outside = vmres__sim_place_outside(holding);

    if (!vmres__sim_place_matters(sim, kind))
        return sim_less(sim_reading(holding), limit);
    return holding->held > holding->target ? sim_less(outside, limit - holding->target) : outside;
}

/* What the device would let go in this tick. */
static uint64_t step_of(const struct vmres_sim *sim, const struct sim_holding *holding,
                        uint8_t kind)
{
    const struct vmres_sim_device *device = &sim->kinds[kind].device;
    uint64_t rate = vmres__sim_place_matters(sim, kind) ? vmres__sim_place_release(device, holding)
                                                        : device->release;
    uint64_t need = still_to_leave(sim, holding, kind);
    uint64_t release = slowed(holding, budget(sim, rate));
    uint64_t swap_out = slowed(holding, budget(sim, device->swap_out));
    uint64_t unused = sim_less(holding->held, holding->demand);
    uint64_t fast = sim_min(need, sim_min(release, unused));

    if (fast < unused || (fast > 0 && fast == release))
        return fast; /* the whole tick went into it */
    if (release != SIM_NEVER && release != 0 && swap_out != SIM_NEVER)
        swap_out = (uint64_t)((sim_wide)swap_out * (release - fast) / release);
    return fast + sim_min(need - fast, swap_out);
}

static void release(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    const struct vmres_sim_fault *trickle;
    uint64_t amount;

    if (!holding->moving || still_to_leave(sim, holding, kind) == 0)
        return;
    if (sim_hurt_by(holding, VMRES_SIM_IGNORE_REQUESTS))
        return;
    amount = step_of(sim, holding, kind);
    trickle = sim_hurt_by(holding, VMRES_SIM_TRICKLE);
    if (trickle)
        amount = sim_min(amount, trickle->amount);
    if (sim_hurt_by(holding, VMRES_SIM_LIE_RELEASED)) {
        holding->hidden += amount;
        sim->unruly = true;
        return;
    }
    if (vmres__sim_place_matters(sim, kind))
        amount = vmres__sim_place_whole(
            sim, holding, kind, (struct sim_step){amount, still_to_leave(sim, holding, kind)});
    holding->held -= amount;
    holding->tally.out += amount;
    if (sim_hurt_by(holding, VMRES_SIM_SCRUB))
        holding->traces += amount;
    if (vmres__sim_place_matters(sim, kind))
        vmres__sim_place_left(holding, amount);
}

static void grant(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    uint64_t reading = sim_reading(holding);
    uint64_t reach = vmres__sim_command_reach(holding);
    uint64_t amount, found;

    if (!holding->moving || reading >= reach)
        return;
    if (vmres__sim_place_matters(sim, kind) && vmres__sim_place_outside(holding) > 0)
        return;
    amount = sim_min(reach - reading, budget(sim, sim->kinds[kind].device.grant));
    if (vmres__sim_place_matters(sim, kind))
        amount =
            vmres__sim_place_whole(sim, holding, kind, (struct sim_step){amount, reach - reading});
    /* What it pretended to have released is there already. */
    found = sim_min(amount, holding->hidden);
    holding->hidden -= found;
    holding->held += amount - found;
    holding->tally.in += amount - found;
    if (vmres__sim_place_matters(sim, kind))
        vmres__sim_place_entered(holding, amount);
}

static bool works(const struct sim_vm *vm)
{
    if (sim_vm_hurt_by(vm, VMRES_SIM_HANG) || sim_vm_hurt_by(vm, VMRES_SIM_PAUSE))
        return false;
    return vm->life == SIM_ALLOTTED || vm->life == SIM_LIVE || vm->life == SIM_SETTLING;
}

void vmres__sim_device_release_all(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];

        if (!works(vm))
            continue;
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            release(sim, vm, kind);
            vmres__sim_command_progress(sim, vm, kind, SIM_SHRINK);
        }
    }
}

void vmres__sim_device_grant_all(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];

        if (!works(vm))
            continue;
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            grant(sim, vm, kind);
            vmres__sim_command_progress(sim, vm, kind, SIM_GROW);
        }
    }
}

void vmres__sim_device_retake(struct vmres_sim *sim, struct sim_holding *holding, uint64_t amount)
{
    uint8_t kind = (uint8_t)((size_t)(holding - sim->holdings) % sim->kind_count);

    if (vmres__sim_place_matters(sim, kind))
        return; /* what is outside of its block it cannot reach */
    amount = sim_min(amount, sim_less(holding->most, holding->held));
    holding->held += amount;
    /* It will not give that back until it is asked to. */
    if (holding->commands[SIM_SHRINK].id == 0)
        holding->moving = false;
    if (amount == 0)
        return;
    holding->unseen = true;
    sim->unruly = true;
}
