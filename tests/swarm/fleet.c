/* SPDX-License-Identifier: MIT */
/*
 * How a world begins: its host, its engine's options and policies, its first VMs, all from the
 * seed. Tables are often tiny, so that they run full.
 */
#include <stdlib.h>
#include <string.h>

#include "swarm/world.h"

/* --- memory is counted, and asked for only while the engine is created --- */

static void *allocate(void *user, size_t size)
{
    struct world *world = user;
    void *memory = malloc(size);

    if (world->created)
        world_fail(world, "I11: the engine allocates after its creation");
    if (memory)
        memset(memory, 0xa5, size);
    world->blocks += memory != NULL;
    return memory;
}

static void release(void *user, void *memory, size_t size)
{
    struct world *world = user;

    (void)size;
    world->blocks--;
    free(memory);
}

/* --- the host --- */

static void make_resource(struct world *world, uint32_t kind)
{
    static const char *const names[KINDS] = {"memory", "cpu", "pages"};
    static const uint64_t granules[] = {1, 10, 4096, 2 * VMRES_MIB, VMRES_GIB};
    struct dice *dice = &world->dice;
    uint64_t granule = granules[dice_below(dice, 5)];
    uint64_t capacity = granule * dice_between(dice, 20, 400) * world->slots;

    bool extent = dice_chance(dice, 300);

    if (granule >= 2 * VMRES_MIB)
        world_fault(world, HUGE_GRANULE);
    world->resources[kind] = (struct vmres_resource){
        .name = names[kind],
        .unit = (enum vmres_unit)dice_below(dice, 3),
        .placement = extent ? VMRES_PLACEMENT_EXTENT : VMRES_PLACEMENT_AMOUNT,
        .removal = !extent && dice_chance(dice, 250) ? VMRES_REMOVAL_HOST : VMRES_REMOVAL_GUEST,
        .granule = granule,
        .capacity = capacity + dice_below(dice, granule),
        .reserve = dice_chance(dice, 500) ? dice_below(dice, capacity / 8) : 0,
        .tolerance = dice_chance(dice, 300) ? dice_below(dice, 3 * granule) : 0,
    };
}

/* Two nodes of a host are two kinds of the same sort. */
static void make_resources(struct world *world)
{
    for (uint32_t k = 0; k < world->options.kinds; k++)
        make_resource(world, k);
    if (world->options.kinds < 2 || !dice_chance(&world->dice, 300))
        return;
    world_fault(world, TWO_NODES);
    world->resources[1] = world->resources[0];
    world->resources[1].name = "node1";
}

bool fleet_contiguous(const struct world *world)
{
    for (uint8_t k = 0; k < world->options.kinds; k++)
        if (place_matters(world, k))
            return true;
    return false;
}

static void count_placements(struct world *world)
{
    uint32_t contiguous = 0;

    for (uint8_t k = 0; k < world->options.kinds; k++)
        contiguous += place_matters(world, k);
    if (contiguous > 0)
        world_fault(world, CONTIGUOUS);
    if (contiguous > 0 && contiguous < world->options.kinds)
        world_fault(world, MIXED);
}

static void make_script(struct world *world)
{
    struct dice *dice = &world->dice;
    uint64_t at = 0;

    for (uint32_t row = 0; row < SCRIPT_ROWS; row++) {
        at += dice_below(dice, 20000);
        world->times[row] = at;
        for (uint32_t vm = 0; vm < world->slots; vm++)
            world->cells[row * world->slots + vm] =
                dice_below(dice, world->resources[0].capacity / world->slots * 2);
    }
    world->table = (struct vmres_table){
        .times_ms = world->times,
        .cells = world->cells,
        .columns = world->slots,
        .rows = SCRIPT_ROWS,
    };
}

static void choose_policy(struct world *world, uint32_t kind)
{
    struct dice *dice = &world->dice;
    uint64_t unit = world->resources[kind].granule;

    world->usage[kind] = (struct vmres_usage_options){
        .low = dice_between(dice, 100000, 600000),
        .high = dice_between(dice, 600001, 950000),
        .region = dice_between(dice, 1, 8) * unit,
        .regions = dice_between(dice, 1, 4),
    };
    world->pressure[kind] = (struct vmres_pressure_options){
        .release = dice_chance(dice, 500) ? dice_between(dice, 1, 64) * unit : 0,
        .grant = dice_chance(dice, 500) ? dice_between(dice, 1, 64) * unit : 0,
        .margin = dice_below(dice, VMRES_PPM / 4),
    };
    world->script[kind].targets = &world->table;
    world->wild[kind] = (struct wild_options){dice_throw(dice), &world->quiet};
    switch (dice_below(dice, 8)) {
    case 0:
        world->policies[kind] = (struct vmres_policy){vmres_policy_find("static"), NULL};
        break;
    case 1:
        world->policies[kind] =
            (struct vmres_policy){vmres_policy_find("script"), &world->script[kind]};
        break;
    case 2:
        world->policies[kind] =
            (struct vmres_policy){vmres_policy_find("usage"), &world->usage[kind]};
        break;
    case 3:
    case 4:
        world->policies[kind] =
            (struct vmres_policy){vmres_policy_find("pressure"), &world->pressure[kind]};
        break;
    case 5:
        world->policies[kind] = (struct vmres_policy){&swarm_commander, &world->wild[kind]};
        break;
    default:
        world->policies[kind] = (struct vmres_policy){&swarm_wild, &world->wild[kind]};
    }
}

/* One transfer in eight, by its id, where the embedder is of that kind. */
bool fleet_vetoes(const struct world *world, uint64_t transfer)
{
    return world->vetoes && dice_mix(world->seed ^ transfer) % 8 == 0;
}

static int veto(void *user, const struct vmres_transfer_info *transfer)
{
    const struct world *world = user;

    return !world->calm && fleet_vetoes(world, transfer->id);
}

static void choose_options(struct world *world)
{
    struct dice *dice = &world->dice;
    struct vmres_engine_options *options = &world->options;

    vmres_engine_options_init(options);
    options->max_vms = world->slots;
    options->kinds = (uint32_t)dice_between(dice, 1, KINDS);
    make_resources(world);
    count_placements(world);
    make_script(world);
    for (uint32_t k = 0; k < options->kinds; k++)
        choose_policy(world, k);
    options->resources = world->resources;
    options->policies = world->policies;
    options->max_transfers = dice_chance(dice, 300) ? (uint32_t)dice_between(dice, 1, 5) : 0;
    if (options->max_transfers > 0 && fleet_contiguous(world))
        options->max_transfers += 2 * VMS; /* however large its clones grow */
    options->max_actions = dice_chance(dice, 300) ? (uint32_t)dice_between(dice, 1, 3) : 0;
    options->period_ms = (uint32_t)dice_between(dice, 50, 1500);
    options->progress_ms = (uint32_t)dice_between(dice, 200, 5000);
    options->stale_periods = dice_chance(dice, 300) ? (uint32_t)dice_between(dice, 1, 5) : 0;
    options->notice_ms = (uint32_t)dice_below(dice, 2000);
    options->max_reservations =
        dice_chance(dice, 300) ? (uint32_t)dice_between(dice, 1, RESERVATIONS - 1) : 0;
    world->vetoes = dice_chance(dice, 200);
    options->veto = (struct vmres_veto){veto, world};
    options->dry_run = world->dry = dice_chance(dice, 50);
    world->allocator = (struct vmres_allocator){world, allocate, release};
    options->allocator = &world->allocator;
}

/* --- VMs --- */

/* To a granule as a rule, sometimes to a unit. */
static uint64_t some(struct world *world, uint8_t kind, uint64_t most)
{
    uint64_t granule = world->resources[kind].granule;
    uint64_t amount = dice_below(&world->dice, most + 1);

    if (dice_chance(&world->dice, 800))
        return amount / granule * granule;
    if (amount % granule > 0)
        world_fault(world, ODD_SIZES);
    return amount;
}

static void make_device(struct world *world, uint32_t vm, uint8_t kind)
{
    struct dice *dice = &world->dice;
    struct guest *guest = &world->guests[vm];
    const struct vmres_resource *resource = &world->resources[kind];
    struct device *device = &guest->devices[kind];
    uint64_t fair = resource->capacity / world->slots;

    guest->floor[kind] = some(world, kind, fair / 2);
    guest->ceiling[kind] = guest->floor[kind] + resource->granule + some(world, kind, 3 * fair);
    *device = (struct device){
        .limit = guest->ceiling[kind],
        .rate = resource->granule * fair / resource->granule / dice_between(dice, 10, 5000) + 1,
        .before = NEVER,
        .witness = (uint16_t[]){1000, 1000, 700, 0}[dice_below(dice, 4)],
        .enforced = resource->removal == VMRES_REMOVAL_GUEST && !place_matters(world, kind) &&
                    dice_chance(dice, 200),
    };
    if (dice_chance(dice, 300))
        device->limit += some(world, kind, fair);
    else if (dice_chance(dice, 200))
        device->limit = guest->floor[kind] + some(world, kind, 2 * fair);
    if (place_matters(world, kind) && device->limit < guest->ceiling[kind])
        device->limit = guest->ceiling[kind]; /* no block lies where its device cannot reach */
    device->need = some(world, kind, guest->ceiling[kind]);
    if (!guest->adopted)
        return;
    device->held = some(world, kind, device->limit < fair ? device->limit : fair);
    device->target = dice_chance(dice, 700) ? device->held : some(world, kind, device->limit);
    if (place_matters(world, kind))
        place_find(world, vm, kind);
    backend_changed(device);
    device->before = 0; /* the engine knows nothing of it */
}

static void post_limits(struct world *world, uint32_t vm, uint8_t kind)
{
    struct guest *guest = &world->guests[vm];
    struct vmres_event event =
        world_limits(world, vm, kind, guest->floor[kind], guest->ceiling[kind]);

    event.as.limits.weight = (uint32_t)dice_below(&world->dice, 5);
    if (dice_chance(&world->dice, 100))
        event.as.limits.weight = VMRES_WEIGHT_MAX;
    if (dice_chance(&world->dice, 200))
        event.as.limits.participation = (uint32_t)dice_below(&world->dice, 4);
    if (dice_chance(&world->dice, 400)) {
        event.flags = 0;
        event.as.limits.initial = some(world, kind, guest->ceiling[kind]);
    }
    world_post(world, event, true);
}

/* The engine is told of a VM. */
void fleet_introduce(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];
    struct vmres_event event = world_event(world, VMRES_EVENT_VM_ADDED, vm, 0);
    struct message *message;

    event.as.added.tag = vm;
    event.flags = guest->adopted ? VMRES_FLAG_ADOPTED : 0;
    world_post(world, event, true);
    for (uint8_t k = 0; k < world->options.kinds; k++)
        post_limits(world, vm, k);
    for (uint8_t k = 0; k < world->options.kinds && guest->adopted; k++)
        if (place_matters(world, k))
            place_show(world, vm, k);
    if (guest->adopted)
        return;
    operate_claim(world, vm);
    message = world_post(world, world_event(world, VMRES_EVENT_ALLOT, VMRES_VM_NONE, 0), false);
    if (message)
        message->due_ms = guest->order_ms;
}

/* A VM comes into a free slot. */
void world_arrive(struct world *world, uint32_t vm, bool adopted)
{
    struct guest *guest = &world->guests[vm];
    uint32_t incarnation = guest->incarnation + 1 + (uint32_t)dice_below(&world->dice, 3);
    uint64_t order_ms = guest->order_ms;

    *guest = (struct guest){.present = true,
                            .adopted = adopted,
                            .incarnation = incarnation,
                            .order_ms = order_ms,
                            .lies = (uint8_t)dice_below(&world->dice, 4)};
    if (incarnation > 3)
        world_fault(world, SLOT_REUSED);
    life_boots_in(world, vm, dice_below(&world->dice, 3000));
    for (uint8_t k = 0; k < world->options.kinds; k++)
        make_device(world, vm, k);
    fleet_introduce(world, vm);
}

/* What runs is told of before anybody comes: where places matter they must be known. */
static void arrive_all(struct world *world)
{
    uint32_t running = 0, coming = 0;

    for (uint32_t vm = 0; vm < world->slots; vm++)
        if (dice_chance(&world->dice, 800))
            *(dice_chance(&world->dice, 300) ? &running : &coming) |= 1u << vm;
    world->prompt = fleet_contiguous(world);
    for (uint32_t vm = 0; vm < world->slots; vm++)
        if (running >> vm & 1)
            world_arrive(world, vm, true);
    world->prompt = false;
    for (uint32_t vm = 0; vm < world->slots; vm++)
        if (coming >> vm & 1)
            world_arrive(world, vm, false);
}

bool world_create(struct world *world, uint64_t seed, struct tally *tally, bool log)
{
    struct vmres_error error;

    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->dice.state = dice_mix(seed + 1);
    world->tally = tally;
    world->log = log;
    world->slots = (uint32_t)dice_between(&world->dice, 1, VMS);
    world->fault_permille = (uint32_t)dice_below(&world->dice, 300);
    world->delay_ms =
        (uint32_t)dice_below(&world->dice, dice_chance(&world->dice, 300) ? 6000 : 60);
    world->now = dice_below(&world->dice, 10000);
    choose_options(world);
    log_open(world);
    if (vmres_engine_create(&world->options, &world->engine, &error) != VMRES_OK) {
        world_fail(world, "cannot create the engine: %s", error.message);
        return false;
    }
    world->created = true;
    world->calm_ms = NEVER;
    shadow_open(world);
    arrive_all(world);
    world->tick_ms = world->now + 1;
    return true;
}

void world_destroy(struct world *world)
{
    vmres_engine_destroy(world->engine);
    world->engine = NULL;
    if (world->blocks != 0)
        world_fail(world, "I11: memory is not given back");
}
