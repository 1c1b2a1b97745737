/* SPDX-License-Identifier: MIT */
/*
 * Where blocks lie, on a simulated host that gives each VM one contiguous block: kept from the
 * actions alone, never asked from the engine. A VM truly has [front, front + held); its *claim* is
 * that and whatever else it was promised. What is released leaves at the side the request named;
 * what is granted comes in at the front first; both by whole granules, for a block is cut nowhere
 * else.
 *
 * Invariant, and the check on whoever commands: claims do not overlap, lie inside the host, and
 * every action says where the block is.
 */
#include "internal.h"

bool vmres__sim_place_matters(const struct vmres_sim *sim, uint8_t kind)
{
    return sim->kinds[kind].resource.placement == VMRES_PLACEMENT_EXTENT;
}

static uint64_t end_of_host(const struct vmres_sim *sim, uint8_t kind)
{
    const struct vmres_resource *resource = &sim->kinds[kind].resource;

    return sim_less(resource->capacity, resource->reserve);
}

/* --- what moves --- */

uint64_t vmres__sim_place_whole(const struct vmres_sim *sim, struct sim_holding *holding,
                                uint8_t kind, uint64_t amount)
{
    struct sim_place *place = &holding->place;
    uint64_t granule = sim->kinds[kind].resource.granule;
    uint64_t rest = holding->target > holding->held ? holding->target - holding->held
                                                    : holding->held - holding->target;
    uint64_t done = sim_min(place->begun + amount, rest);

    place->begun = done % granule;
    return done - place->begun;
}

void vmres__sim_place_left(struct sim_holding *holding, uint64_t amount)
{
    struct sim_place *place = &holding->place;

    if (place->leaves_front) {
        place->front += amount;
        place->claim_front = sim_max(place->claim_front, place->front);
    } else {
        place->claim_final = sim_min(place->claim_final, place->front + holding->held);
    }
}

void vmres__sim_place_entered(struct sim_holding *holding, uint64_t amount)
{
    struct sim_place *place = &holding->place;

    place->front -= sim_min(amount, place->front - place->claim_front);
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

static void stay(struct sim_holding *holding)
{
    holding->place.claim_front = holding->place.front;
    holding->place.claim_final = holding->place.front + holding->held;
    holding->place.begun = 0;
}

void vmres__sim_place_stay(struct sim_holding *holding)
{
    stay(holding);
}

/* Whether nobody else has any of what one claims. */
static bool is_alone(const struct vmres_sim *sim, const struct sim_holding *holding, uint8_t kind)
{
    const struct sim_place *place = &holding->place;

    if (place->claim_final > end_of_host(sim, kind))
        return false;
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        const struct sim_holding *other = &sim->vms[i].holdings[kind];

        if (other != holding && sim_max(place->claim_front, other->place.claim_front) <
                                    sim_min(place->claim_final, other->place.claim_final))
            return false;
    }
    return true;
}

/* The block is to shrink to [front, final). Where a newer request asks for less than what has left
 * meanwhile, the VM may take the rest back. */
static bool shrink(struct sim_holding *holding, uint64_t front, uint64_t final, bool at_front)
{
    struct sim_place *place = &holding->place;
    bool other_side_stays;

    stay(holding);
    other_side_stays = at_front ? final == place->claim_final : front == place->claim_front;
    place->leaves_front = at_front;
    place->claim_front = sim_min(place->claim_front, front);
    place->claim_final = sim_max(place->claim_final, final);
    return other_side_stays;
}

static bool grow(struct sim_holding *holding, uint64_t front, uint64_t final, bool first)
{
    struct sim_place *place = &holding->place;

    if (first)
        place->front = front;
    stay(holding);
    if (front > place->claim_front || final < place->claim_final)
        return false;
    place->claim_front = front;
    place->claim_final = final;
    return true;
}

/* It is to stay where it is; if it has moved since it was seen, to be again where it was. */
static bool pin(struct sim_holding *holding, uint64_t front, uint64_t final)
{
    struct sim_place *place = &holding->place;

    stay(holding);
    if (holding->held == final - front)
        return front == place->claim_front;
    place->leaves_front = front > place->front;
    place->claim_front = sim_min(place->claim_front, front);
    place->claim_final = sim_max(place->claim_final, final);
    return true;
}

bool vmres__sim_place_command(const struct vmres_sim *sim, struct sim_holding *holding,
                              const struct vmres_action *action)
{
    uint64_t front = action->as.resize.front, final = front + action->as.resize.target;

    switch (action->type) {
    case VMRES_ACTION_REQUEST_REMOVAL:
        return shrink(holding, front, final, (action->flags & VMRES_ACTION_FRONT) != 0) &&
               is_alone(sim, holding, action->kind);
    case VMRES_ACTION_REASSIGN:
    case VMRES_ACTION_NOTIFY:
        return grow(holding, front, final, (action->flags & VMRES_ACTION_INITIAL) != 0) &&
               is_alone(sim, holding, action->kind);
    case VMRES_ACTION_PIN:
        return pin(holding, front, final) && is_alone(sim, holding, action->kind);
    default:
        return true;
    }
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
    stay(holding);
}

void vmres__sim_place_show(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind)
{
    const struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_EXTENT, kind);

    event.as.extent.front = holding->place.front;
    event.as.extent.size = holding->held;
    (void)vmres__sim_host_post(sim, &event);
}
