/* SPDX-License-Identifier: MIT */
/*
 * The simulator's own check on whoever commands it, made from the commands and from what was
 * posted, never from the engine's books. A holding's *exposure* is the most it may come to hold by
 * all that was posted and commanded: what the device read, what the witness saw, what it was
 * promised.
 *
 * Invariant: a kind's exposure is the sum of its holdings'. A posted rise counts from the end of
 * the pump that delivers it, for until then the engine cannot know; a fall counts at once.
 */
#include <vmres/query.h>

#include "internal.h"

enum { PIECES = 64 }; /* a piece is this part of the host, as action.h says */

static void set_exposure(struct vmres_sim *sim, struct sim_holding *holding, uint8_t kind,
                         uint64_t exposure)
{
    sim->kinds[kind].exposure += exposure - holding->exposure;
    holding->exposure = exposure;
}

/* A reading counts up to the device's maximum that was told with it, for what is read may be a lie;
 * a witness may err by the kind's tolerance. No VM has what lies outside of its block, whatever is
 * read. */
static uint64_t exposure_of(const struct vmres_sim *sim, const struct sim_holding *holding,
                            uint8_t kind)
{
    uint64_t tolerance = sim->kinds[kind].resource.tolerance;
    uint64_t read = sim_min(holding->told.held, sim_min(holding->told.limit, holding->most));
    uint64_t seen = sim_max(read, sim_less(holding->told.witness, tolerance));

    if (vmres__sim_place_matters(sim, kind))
        seen = sim_min(seen, vmres__sim_place_claimed(holding));
    return sim_max(holding->promise, seen);
}

void vmres__sim_shadow_seen(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];
    uint64_t exposure = exposure_of(sim, holding, kind);

    holding->heard.least = sim_min(holding->heard.least, holding->told.held);
    holding->heard.most = sim_max(holding->heard.most, holding->exposure);
    sim->exposure_due |= holding->heard.least < holding->told.held;
    sim->exposure_due |= holding->heard.most > exposure;
    if (exposure <= holding->exposure)
        set_exposure(sim, holding, kind, exposure);
    else
        sim->exposure_due = true;
}

void vmres__sim_shadow_observed(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];

    if (holding->feigned) /* where it truly aims is known now */
        holding->promise = sim_min(holding->promise, holding->target);
    vmres__sim_shadow_seen(sim, vm, kind);
}

/* A device that does not follow a command aims where it aimed. */
void vmres__sim_shadow_cancelled(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    vm->holdings[kind].promise = vm->holdings[kind].target;
    vmres__sim_shadow_seen(sim, vm, kind);
}

void vmres__sim_shadow_forget(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    struct sim_holding *holding = &vm->holdings[kind];

    holding->told.held = 0;
    holding->told.witness = 0;
    holding->heard.least = holding->heard.most = 0;
    holding->promise = 0;
    set_exposure(sim, holding, kind, 0);
}

/* The law as it is now; `before`: or as it was. */
static void set_law(struct sim_holding *holding, uint64_t granule, bool before)
{
    uint64_t most = holding->most - holding->most % granule;
    uint64_t floor = sim_min(holding->limits.floor, most);
    uint64_t ceiling = holding->limits.ceiling;

    holding->lowest = before ? sim_min(holding->lowest, floor) : floor;
    holding->highest = before ? sim_max(holding->highest, ceiling) : ceiling;
}

static void set_laws(struct vmres_sim *sim, bool before)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_kind *world = &sim->kinds[kind];
        uint64_t usable = sim_less(world->resource.capacity, world->resource.reserve);

        world->usable = before ? sim_max(world->usable, usable) : usable;
        for (uint32_t i = 0; i < sim->vm_count; i++)
            set_law(&sim->vms[i].holdings[kind], world->resource.granule, before);
    }
}

void vmres__sim_shadow_relaxed(struct vmres_sim *sim)
{
    set_laws(sim, true);
    sim->law_due = true;
}

static bool is_heard_of(const struct vmres_sim *sim)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (sim->kinds[kind].restocked)
            return false;
        for (uint32_t i = 0; i < sim->vm_count; i++) {
            const struct sim_holding *holding = &sim->vms[i].holdings[kind];

            if ((holding->reconfigured || holding->unseen) && sim->vms[i].id != VMRES_VM_NONE)
                return false;
        }
    }
    return true;
}

void vmres__sim_shadow_settle(struct vmres_sim *sim)
{
    if (sim->law_due && is_heard_of(sim)) {
        set_laws(sim, false);
        sim->law_due = false;
    }
    if (!sim->exposure_due)
        return;
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            struct sim_holding *holding = &sim->vms[i].holdings[kind];

            set_exposure(sim, holding, kind, exposure_of(sim, holding, kind));
            holding->heard.least = holding->told.held;
            holding->heard.most = holding->exposure;
        }
    }
    sim->exposure_due = false;
}

/* I1: what it adds to the most that all may hold must fit. What a holding was promised may be told
 * again, for as long as nobody can have heard that its device aims lower. */
static void check_capacity(struct vmres_sim *sim, const struct sim_holding *holding, uint8_t kind,
                           uint64_t target)
{
    const struct sim_kind *world = &sim->kinds[kind];

    if (target > sim_max(holding->exposure, holding->heard.most) &&
        world->exposure - holding->exposure > sim_less(world->usable, target))
        sim->violations.capacity++;
}

/* By how much a VM may exceed its ceiling: on a contiguous host by a piece, while it passes on. */
static uint64_t leave_of(const struct vmres_sim *sim, uint8_t kind)
{
    const struct vmres_resource *resource = &sim->kinds[kind].resource;

    if (!vmres__sim_place_matters(sim, kind))
        return 0;
    return sim_max(sim_less(resource->capacity, resource->reserve) / PIECES, resource->granule);
}

/* I3, I4. A pin is to what was seen, whatever that is, unless it shrinks; a removal may come down
 * to a ceiling in steps. */
static void check_limits(struct vmres_sim *sim, const struct sim_holding *holding,
                         const struct vmres_action *action)
{
    uint64_t target = action->as.resize.target;
    uint64_t seen = sim_max(exposure_of(sim, holding, action->kind), holding->heard.most);
    bool removal = action->type == VMRES_ACTION_REQUEST_REMOVAL;
    bool shrinks = removal || target < holding->heard.least;
    uint64_t highest = removal ? sim_max(holding->highest, seen) : holding->highest;

    if (shrinks && target < holding->lowest)
        sim->violations.floor++;
    if (action->type == VMRES_ACTION_PIN)
        return;
    highest += leave_of(sim, action->kind);
    if (target > highest || target % sim->kinds[action->kind].resource.granule != 0)
        sim->violations.ceiling++;
}

/* I5: an id is used once, and nobody gives and takes at once. */
static void check_single(struct vmres_sim *sim, const struct sim_holding *holding,
                         const struct vmres_action *action)
{
    const struct sim_command *commands = holding->commands;
    bool crossed = (action->type == VMRES_ACTION_REQUEST_REMOVAL && commands[SIM_GROW].id != 0) ||
                   (action->type == VMRES_ACTION_NOTIFY && commands[SIM_SHRINK].id != 0);

    if (action->id == 0 || crossed || action->id == commands[SIM_SHRINK].id ||
        action->id == commands[SIM_GROW].id)
        sim->violations.single_transfer++;
}

void vmres__sim_shadow_command(struct vmres_sim *sim, const struct sim_vm *vm,
                               const struct vmres_action *action)
{
    struct sim_holding *holding = &vm->holdings[action->kind];
    uint64_t heard;

    check_limits(sim, holding, action);
    check_single(sim, holding, action);
    if (action->type == VMRES_ACTION_REASSIGN || action->type == VMRES_ACTION_NOTIFY)
        check_capacity(sim, holding, action->kind, action->as.resize.target);
    holding->feigned = false;
    /* A notice does not take back what a newer reassignment promises. */
    holding->promise = action->type == VMRES_ACTION_NOTIFY
                           ? sim_max(holding->promise, action->as.resize.target)
                           : action->as.resize.target;
    /* A rise that is posted counts when it is heard. */
    heard = sim_max(holding->exposure, holding->promise);
    set_exposure(sim, holding, action->kind,
                 sim_min(exposure_of(sim, holding, action->kind), heard));
}

void vmres__sim_shadow_arrived(struct vmres_sim *sim, const struct sim_vm *vm,
                               const struct vmres_action *action)
{
    if (vmres__sim_place_matters(sim, action->kind) &&
        !vmres__sim_place_allows(sim, &vm->holdings[action->kind], action))
        sim->violations.capacity++; /* it would have what another has, or what there is not */
}

void vmres__sim_shadow_audit(struct vmres_sim *sim)
{
    const struct vmres_driver *driver = sim->backend.driver;

    if (driver && vmres_engine_audit(vmres_driver_engine(driver), NULL) != VMRES_OK)
        sim->violations.conservation++;
}
