/* SPDX-License-Identifier: MIT */
/*
 * Building a simulated host, and looking at it. All memory is taken here, at creation, by the
 * limits in the options. Invariant: vms[i] has the holdings [i * kinds, (i + 1) * kinds). How the
 * world turns is clock.c's.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

void vmres_sim_options_init(struct vmres_sim_options *options)
{
    if (!options)
        return;
    *options = (struct vmres_sim_options){
        .size = sizeof *options,
        .tick_ms = 1000,
        .sensors = {.stall = VMRES_SIM_STALL_CROOKED,
                    .available_noise = VMRES_PPM / 100,
                    .stall_noise = VMRES_PPM / 5,
                    .notices = 1},
        .seed = 1,
    };
}

/* Returns what is wrong with the options, or NULL. */
static const char *complaint(const struct vmres_sim_options *options)
{
    if (options->size < sizeof *options)
        return "size is too small, start from vmres_sim_options_init()";
    if (options->max_vms == 0 || options->max_vms > VMRES_MAX_VMS)
        return "max_vms is out of range, give what the engine is given";
    if (options->kinds == 0 || options->kinds > VMRES_KINDS_MAX || !options->resources)
        return "kinds must be 1 to 8, with a resource for each";
    if ((unsigned)options->sensors.stall > VMRES_SIM_STALL_WAITED)
        return "there is no such stall sensor, choose crooked, exact or waited";
    if (options->sensors.available_noise > VMRES_PPM || options->sensors.stall_noise > VMRES_PPM)
        return "noise is above 100%";
    for (uint32_t kind = 0; kind < options->kinds; kind++) {
        if (options->resources[kind].granule == 0)
            return "a granule is 0, give at least 1";
        if (options->resources[kind].placement > VMRES_PLACEMENT_EXTENT)
            return "there is no such placement, choose amounts or extents";
    }
    return NULL;
}

static enum vmres_status check(const struct vmres_sim_options *options, struct vmres_error *error)
{
    const char *what = options ? complaint(options) : "there are none";

    if (!what)
        return VMRES_OK;
    if (error) {
        error->status = VMRES_INVALID;
        (void)snprintf(error->message, sizeof error->message, "simulator options: %s", what);
    }
    return VMRES_INVALID;
}

static void adopt_options(struct vmres_sim *sim, const struct vmres_sim_options *options)
{
    sim->options = *options;
    if (options->allocator)
        sim->heap = *options->allocator;
    sim->options.allocator = NULL;
    sim->kind_count = (uint8_t)options->kinds;
    if (sim->options.tick_ms == 0)
        sim->options.tick_ms = 1000;
    if (sim->options.max_faults == 0)
        sim->options.max_faults = 4 * options->max_vms + 16;
    sim->delayed_room = 4 * options->max_vms * options->kinds;
    sim->name_slots = 2;
    while (sim->name_slots / 2 < options->max_vms)
        sim->name_slots *= 2;
    sim->command_slots = 64;
    while (sim->command_slots < 4 * options->max_vms * options->kinds)
        sim->command_slots *= 2;
}

static bool furnish(struct vmres_sim *sim)
{
    const struct vmres_sim_options *options = &sim->options;

    sim->kinds = vmres_allocate(&sim->heap, options->kinds, sizeof *sim->kinds);
    sim->vms = vmres_allocate(&sim->heap, options->max_vms, sizeof *sim->vms);
    sim->holdings = vmres_allocate(&sim->heap, (size_t)options->max_vms * options->kinds,
                                   sizeof *sim->holdings);
    sim->faults = vmres_allocate(&sim->heap, options->max_faults, sizeof *sim->faults);
    sim->delayed = vmres_allocate(&sim->heap, sim->delayed_room, sizeof *sim->delayed);
    sim->by_id = vmres_allocate(&sim->heap, options->max_vms, sizeof *sim->by_id);
    sim->by_command = vmres_allocate(&sim->heap, sim->command_slots, sizeof *sim->by_command);
    sim->by_name = vmres_allocate(&sim->heap, sim->name_slots, sizeof *sim->by_name);
    return sim->kinds && sim->vms && sim->holdings && sim->faults && sim->delayed && sim->by_id &&
           sim->by_command && sim->by_name;
}

static void describe_kinds(struct vmres_sim *sim)
{
    for (uint32_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_kind *world = &sim->kinds[kind];

        world->resource = sim->options.resources[kind];
        world->resource.name = NULL;
        world->capacity = world->resource.capacity;
        world->usable = sim_less(world->resource.capacity, world->resource.reserve);
        /* What the host enforces needs no device: it is done at once. */
        if (sim->options.devices && world->resource.removal == VMRES_REMOVAL_GUEST)
            world->device = sim->options.devices[kind];
    }
    sim->options.resources = NULL;
    sim->options.devices = NULL;
    for (uint32_t id = 0; id < sim->options.max_vms; id++)
        sim->by_id[id] = VMRES_VM_NONE;
}

enum vmres_status vmres_sim_create(const struct vmres_sim_options *options, struct vmres_sim **sim,
                                   struct vmres_error *error)
{
    enum vmres_status status = check(options, error);
    struct vmres_sim *created;

    if (status != VMRES_OK)
        return status;
    created = vmres_allocate(options->allocator, 1, sizeof *created);
    if (created) {
        adopt_options(created, options);
        if (furnish(created)) {
            describe_kinds(created);
            status = vmres_backend_init(&created->backend, &vmres__sim_backend_ops, error);
            if (status == VMRES_OK) {
                *sim = created;
                return VMRES_OK;
            }
        }
        vmres_sim_destroy(created);
    }
    if (status == VMRES_OK && error) {
        error->status = VMRES_NOMEM;
        (void)snprintf(error->message, sizeof error->message,
                       "no memory for a simulated host of %u VMs", options->max_vms);
    }
    return status == VMRES_OK ? VMRES_NOMEM : status;
}

void vmres_sim_destroy(struct vmres_sim *sim)
{
    struct vmres_allocator heap;

    if (!sim)
        return;
    heap = sim->heap;
    vmres_release(&heap, sim->by_name, sim->name_slots, sizeof *sim->by_name);
    vmres_release(&heap, sim->by_command, sim->command_slots, sizeof *sim->by_command);
    vmres_release(&heap, sim->by_id, sim->options.max_vms, sizeof *sim->by_id);
    vmres_release(&heap, sim->delayed, sim->delayed_room, sizeof *sim->delayed);
    vmres_release(&heap, sim->faults, sim->options.max_faults, sizeof *sim->faults);
    vmres_release(&heap, sim->holdings, (size_t)sim->options.max_vms * sim->options.kinds,
                  sizeof *sim->holdings);
    vmres_release(&heap, sim->vms, sim->options.max_vms, sizeof *sim->vms);
    vmres_release(&heap, sim->kinds, sim->options.kinds, sizeof *sim->kinds);
    vmres_release(&heap, sim, 1, sizeof *sim);
}

struct vmres_backend *vmres_sim_backend(struct vmres_sim *sim)
{
    return &sim->backend;
}

static bool demand_is_ordered(const struct vmres_sim_demand *demand)
{
    if (demand->points > 0 && (!demand->at_ms || !demand->amount))
        return false;
    for (uint32_t point = 1; point < demand->points; point++) {
        if (demand->at_ms[point] < demand->at_ms[point - 1])
            return false;
    }
    return true;
}

/* What its guest can swap out. */
static uint64_t swap_of(const struct vmres_sim *sim, const struct vmres_sim_vm_spec *vm)
{
    uint8_t memory = vmres__sim_metric_memory(sim);

    if (vm->swap > 0 || memory == sim->kind_count)
        return vm->swap;
    return vm->spec.limits[memory].ceiling / 4;
}

static bool is_valid(const struct vmres_sim *sim, const struct vmres_sim_vm_spec *vm)
{
    size_t length = vm->spec.name ? strlen(vm->spec.name) : 0;

    if (length == 0 || length >= VMRES_VM_NAME_MAX || !vm->spec.limits)
        return false;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (vm->spec.limits[kind].floor > vm->spec.limits[kind].ceiling)
            return false;
        if (vm->demand && !demand_is_ordered(&vm->demand[kind]))
            return false;
    }
    return true;
}

/* The slot of the VM of this name, or the empty one where it would go. */
static uint32_t *slot_of(const struct vmres_sim *sim, const char *name)
{
    uint32_t slot = 2166136261u;

    for (const char *c = name; *c; c++)
        slot = (slot ^ (unsigned char)*c) * 16777619u;
    slot &= sim->name_slots - 1;
    while (sim->by_name[slot] != 0 && strcmp(sim->vms[sim->by_name[slot] - 1].name, name) != 0)
        slot = (slot + 1) & (sim->name_slots - 1);
    return &sim->by_name[slot];
}

enum vmres_status vmres_sim_add_vm(struct vmres_sim *sim, const struct vmres_sim_vm_spec *vm,
                                   uint32_t *index)
{
    struct sim_vm *added;
    uint32_t *slot;

    if (sim->vm_count == sim->options.max_vms)
        return VMRES_LIMIT;
    if (!is_valid(sim, vm))
        return VMRES_INVALID;
    slot = slot_of(sim, vm->spec.name);
    if (*slot != 0)
        return VMRES_EXISTS;
    added = &sim->vms[sim->vm_count];
    *added = (struct sim_vm){
        .tag = vm->spec.tag,
        .swap = swap_of(sim, vm),
        .adopted = vm->spec.adopted != 0,
        .index = sim->vm_count,
        .id = VMRES_VM_NONE,
        .return_ms = vm->start_ms,
        .reservation = vm->reservation,
        .holdings = &sim->holdings[(size_t)sim->vm_count * sim->options.kinds],
    };
    (void)snprintf(added->name, sizeof added->name, "%s", vm->spec.name);
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &added->holdings[kind];

        holding->limits = vm->spec.limits[kind];
        holding->ceiling = holding->limits.ceiling;
        holding->most = holding->limits.ceiling;
        if (holding->limits.weight == 0)
            holding->limits.weight = 1;
        if (vm->demand)
            holding->wish = vm->demand[kind];
        holding->lowest = holding->limits.floor;
        holding->highest = holding->ceiling;
        vmres__sim_sensor_init(&holding->sensor, &sim->options, sim->vm_count, kind);
    }
    *index = sim->vm_count++;
    *slot = sim->vm_count;
    return VMRES_OK;
}

enum vmres_status vmres_sim_set_demand(struct vmres_sim *sim, uint32_t index, uint8_t kind,
                                       uint64_t amount)
{
    if (index >= sim->vm_count || kind >= sim->options.kinds)
        return VMRES_INVALID;
    sim->vms[index].holdings[kind].overridden = true;
    sim->vms[index].holdings[kind].wanted = amount;
    return VMRES_OK;
}

enum vmres_status vmres_sim_vm(const struct vmres_sim *sim, uint32_t index, uint8_t kind,
                               struct vmres_sim_state *state)
{
    const struct sim_holding *holding;

    if (index >= sim->vm_count || kind >= sim->options.kinds)
        return VMRES_INVALID;
    holding = &sim->vms[index].holdings[kind];
    *state = (struct vmres_sim_state){
        .demand = holding->demand,
        .held = holding->held,
        .target = holding->target,
        .missing = sim_running(&sim->vms[index]) ? sim_less(holding->demand, holding->held) : 0,
        .cache = holding->cache,
        .front = holding->place.front,
        .vm = sim->vms[index].id,
        .lived = sim->vms[index].lived,
    };
    return VMRES_OK;
}

void vmres_sim_violations(const struct vmres_sim *sim, struct vmres_sim_violations *violations)
{
    *violations = sim->violations;
}
