/* SPDX-License-Identifier: MIT */
/*
 * Where blocks lie, on a simulated host that gives each VM one contiguous block: kept from the
 * actions alone, never asked from the engine. A VM truly has [front, front + held) and moves
 * towards its *goal*, the block it was told last: what lies outside of that leaves, then the rest
 * comes in, both at the front first, by whole granules, for a block is cut nowhere else. Its
 * *claim* is both, what it has and what it may have by then.
 *
 * Invariant, and the check on whoever commands: claims do not overlap, lie inside the host, and
 * every action says where the block is.
 */
#include "internal.h"

struct span {
    uint64_t front, final;
};

bool vmres__sim_place_matters(const struct vmres_sim *sim, uint8_t kind)
{
    return sim->kinds[kind].resource.placement == VMRES_PLACEMENT_EXTENT;
}

uint64_t vmres__sim_place_part(const struct vmres_sim *sim, uint8_t kind, uint64_t amount)
{
    return vmres__sim_place_matters(sim, kind) ? amount - amount % sim->kinds[kind].resource.granule
                                               : amount;
}

static uint64_t end_of_host(const struct vmres_sim *sim, uint8_t kind)
{
    const struct vmres_resource *resource = &sim->kinds[kind].resource;

    return sim_less(resource->capacity, resource->reserve);
}

static struct span claim_of(const struct sim_holding *holding)
{
    const struct sim_place *place = &holding->place;

    if (holding->held == 0)
        return (struct span){place->goal_front, place->goal_final};
    return (struct span){sim_min(place->front, place->goal_front),
                         sim_max(place->front + holding->held, place->goal_final)};
}

uint64_t vmres__sim_place_claimed(const struct sim_holding *holding)
{
    struct span claim = claim_of(holding);

    return claim.final - claim.front;
}

/* --- what moves --- */

uint64_t vmres__sim_place_whole(const struct vmres_sim *sim, struct sim_holding *holding,
                                uint8_t kind, struct sim_step step)
{
    struct sim_place *place = &holding->place;
    uint64_t granule = sim->kinds[kind].resource.granule;
    uint64_t done = sim_min(place->begun + step.amount, step.rest);

    place->begun = done % granule;
    return done - place->begun;
}

uint64_t vmres__sim_place_outside(const struct sim_holding *holding)
{
    const struct sim_place *place = &holding->place;

    return sim_min(holding->held, sim_less(place->goal_front, place->front) +
                                      sim_less(place->front + holding->held, place->goal_final));
}

void vmres__sim_place_left(struct sim_holding *holding, uint64_t amount)
{
    struct sim_place *place = &holding->place;

    place->front += sim_min(amount, sim_less(place->goal_front, place->front));
}

void vmres__sim_place_entered(struct sim_holding *holding, uint64_t amount)
{
    struct sim_place *place = &holding->place;

    if (holding->held == amount) /* it had nothing, which may have been anywhere */
        place->front = sim_min(sim_max(place->front, place->goal_front), place->goal_final);
    place->front -= sim_min(amount, sim_less(place->front, place->goal_front));
}

/* Used pages lie evenly in the block, and those in the region that leaves are moved first: what is
 * unused there costs 1 / release, what is used 1 / relocate on top of that. */
uint64_t vmres__sim_place_release(const struct vmres_sim_device *device,
                                  const struct sim_holding *holding)
{
    uint64_t used = sim_min(holding->demand, holding->held);
    uint64_t share = holding->held ? (uint64_t)((sim_wide)used * VMRES_PPM / holding->held) : 0;
    sim_wide whole = (sim_wide)device->relocate * VMRES_PPM;

    if (share == 0 || device->relocate == 0)
        return device->release;
    if (device->release == 0)
        return (uint64_t)(whole / share);
    return (uint64_t)(whole * device->release / (whole + (sim_wide)device->release * share));
}

/* --- what is commanded --- */

void vmres__sim_place_stay(struct sim_holding *holding)
{
    struct sim_place *place = &holding->place;

    place->goal_front = place->front;
    place->goal_final = place->front + holding->held;
    place->begun = 0;
}

void vmres__sim_place_forget(struct sim_holding *holding)
{
    struct span claim = claim_of(holding);

    holding->place.goal_front = claim.front;
    holding->place.goal_final = claim.final;
    holding->place.begun = 0;
}

void vmres__sim_place_obey(struct sim_holding *holding, const struct vmres_action *action)
{
    struct sim_place *place = &holding->place;

    place->goal_front = action->as.resize.front;
    place->goal_final = action->as.resize.front + action->as.resize.target;
    place->begun = 0;
    if (holding->held == 0)
        place->front = place->goal_front;
}

/* Whether nobody else has any of what one claims. */
static bool is_alone(const struct vmres_sim *sim, const struct sim_holding *holding, uint8_t kind,
                     struct span claim)
{
    if (claim.final > end_of_host(sim, kind))
        return false;
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        const struct sim_holding *other = &sim->vms[i].holdings[kind];
        struct span its = claim_of(other);

        if (other != holding && sim_max(claim.front, its.front) < sim_min(claim.final, its.final))
            return false;
    }
    return true;
}

/* A removal leaves the other side where it was told to be, or had been before it was called off;
 * growth is around what is there. */
static bool follows(const struct sim_holding *holding, const struct vmres_action *action)
{
    const struct sim_place *place = &holding->place;
    uint64_t front = action->as.resize.front, final = front + action->as.resize.target;

    if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        return action->flags & VMRES_ACTION_FRONT ? final >= place->goal_final
                                                  : front <= place->goal_front;
    return action->type == VMRES_ACTION_PIN || holding->held == 0 ||
           (front <= place->front && final >= place->front + holding->held);
}

bool vmres__sim_place_allows(const struct vmres_sim *sim, const struct sim_holding *holding,
                             const struct vmres_action *action)
{
    struct sim_holding after = *holding;

    if (action->type == VMRES_ACTION_CANCEL)
        return true;
    vmres__sim_place_obey(&after, action);
    return follows(holding, action) && is_alone(sim, holding, action->kind, claim_of(&after));
}

/* --- what ran before --- */

/* The first VM in the way of a block at `front`, or NULL. */
static const struct sim_holding *in_the_way(const struct vmres_sim *sim,
                                            const struct sim_holding *holding, uint8_t kind,
                                            uint64_t front)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        const struct sim_holding *other = &sim->vms[i].holdings[kind];

        if (other != holding && other->held > 0 && front < other->place.front + other->held &&
            other->place.front < front + holding->held)
            return other;
    }
    return NULL;
}

void vmres__sim_place_settle(const struct vmres_sim *sim, struct sim_holding *holding, uint8_t kind)
{
    const struct sim_holding *other;
    uint64_t front = 0;

    while ((other = in_the_way(sim, holding, kind, front)) != NULL)
        front = other->place.front + other->held;
    holding->place.front = front;
    vmres__sim_place_stay(holding);
}

void vmres__sim_place_show(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    const struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_EXTENT, kind);

    event.as.extent.front = claim_of(holding).front;
    event.as.extent.size = vmres__sim_place_claimed(holding);
    (void)vmres__sim_host_post(sim, &event);
}
