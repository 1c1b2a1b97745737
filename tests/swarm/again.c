/* SPDX-License-Identifier: MIT */
/*
 * Engines are replaced in the middle of everything: by a larger clone, which must know all that the
 * former knew; or, when who held the engine has crashed, by a new one, which finds VMs running and
 * whatever they were told last.
 */
#include "swarm/world.h"

/* Allocations are right while an engine is made. */
static enum vmres_status make(struct world *world, const struct vmres_engine *from,
                              const struct vmres_engine_options *options,
                              struct vmres_engine **engine)
{
    struct vmres_error error;
    enum vmres_status status;

    world->created = false;
    status = from ? vmres_engine_clone(from, options, engine, &error)
                  : vmres_engine_create(options, engine, &error);
    world->created = true;
    return status;
}

/* --- a clone --- */

static void clone_otherwise(struct world *world)
{
    struct vmres_engine_options options = world->options;
    struct vmres_resource resources[KINDS];
    struct vmres_engine *clone;

    world_fault(world, CLONE_UNLIKE);
    for (uint32_t k = 0; k < options.kinds; k++)
        resources[k] = world->resources[k];
    resources[0].granule++;
    options.resources = resources;
    if (make(world, world->engine, &options, &clone) != VMRES_INVALID)
        world_fail(world, "a clone with another granule is made");
    else if (check_digest(world) != world->shadow.digest)
        world_fail(world, "a clone that failed has changed something");
}

void again_clone(struct world *world, uint32_t vm)
{
    struct dice *dice = &world->dice;
    struct vmres_engine_options options = world->options;
    struct vmres_engine *clone;

    (void)vm;
    if (dice_chance(dice, 100)) {
        clone_otherwise(world);
        return;
    }
    world_fault(world, CLONED);
    options.max_vms += (uint32_t)dice_below(dice, VMS - options.max_vms + 1);
    options.max_actions = dice_chance(dice, 300) ? (uint32_t)dice_between(dice, 1, 3) : 0;
    options.max_transfers += options.max_transfers ? (uint32_t)dice_below(dice, 4) : 0;
    if (make(world, world->engine, &options, &clone) != VMRES_OK) {
        world_fail(world, "a larger clone cannot be made");
        return;
    }
    vmres_engine_destroy(world->engine);
    world->engine = clone;
    world->options = options;
    if (check_digest(world) != world->shadow.digest)
        world_fail(world, "a clone is not like what it was made from");
    world->slots = options.max_vms;
    world->shadow.digest = check_digest(world);
}

/* --- a new beginning --- */

static void find_running(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    guest->order_ms = world->now;
    guest->boot_ms = world->now;
    guest->adopted = true;
    guest->thaw_ms = 0;
    guest->paused = false;
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        backend_changed(&guest->devices[k]);
        guest->devices[k].before = 0; /* the new one knows nothing of it */
    }
    backend_forget(world, vm);
    fleet_introduce(world, vm);
}

void again_restart(struct world *world, uint32_t vm)
{
    struct vmres_transfer_info info;
    uint32_t cursor = 0;

    (void)vm;
    world_fault(world, CONTROLLER_RESTARTS);
    for (uint8_t k = 0; k < world->options.kinds; k++) { /* as the host is now */
        world->resources[k].capacity = world->shadow.capacity[k];
        world->resources[k].reserve = world->shadow.reserve[k];
    }
    if (vmres_engine_next_transfer(world->engine, &cursor, &info))
        world_fault(world, CONTROLLER_LEAVES);
    tally_engine(world->tally, world->engine);
    vmres_engine_destroy(world->engine);
    if (make(world, NULL, &world->options, &world->engine) != VMRES_OK) {
        world->engine = NULL;
        world_fail(world, "an engine cannot be created again");
        return;
    }
    world->queued = 0;
    world->withheld_count = 0;
    world->last_ms = 0;
    world->timeouts = 0;
    world->dry = world->options.dry_run != 0;
    shadow_open(world);
    world->prompt = fleet_contiguous(world);
    for (vm = 0; vm < world->slots; vm++)
        if (world->guests[vm].present)
            find_running(world, vm);
    world->prompt = false;
}
