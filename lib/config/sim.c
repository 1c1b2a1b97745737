/* SPDX-License-Identifier: MIT */
/*
 * The sim section: clock, devices and sensors of the simulated host. The defaults are those of a
 * measured host: how fast its balloons work and how honest its guests' figures are.
 */
#include "config/internal.h"

enum { MAX_TICK_MS = 3600000, MAX_TICKS = 100000000 };

/* 0.857, 2.11, 0.1 and 2 GiB/s; kinds the host takes away itself need no device to wait for. */
static const struct vmres_sim_device guest_device = {
    .release = 920196743, .grant = 2265595248, .swap_out = 107374182, .relocate = 2147483648};

static enum vmres_status read_device(struct config_loader *loader, const struct config_node *node,
                                     struct vmres_sim_device *device)
{
    static const char *const keys[] = {"release", "grant", "swap_out", "relocate", NULL};
    uint64_t *const values[] = {&device->release, &device->grant, &device->swap_out,
                                &device->relocate};
    enum vmres_status status = node ? vmres__tree_expect_map(loader, node, keys) : VMRES_OK;

    for (size_t i = 0; keys[i] && status == VMRES_OK; i++)
        status = vmres__scalar_rate(loader, vmres__tree_find(node, keys[i]), VMRES_UNIT_BYTES,
                                    values[i]);
    return status;
}

static enum vmres_status read_devices(struct config_loader *loader, const struct config_node *node)
{
    struct vmres_sim_device device = guest_device;
    enum vmres_status status = read_device(loader, node, &device);

    if (status)
        return status;
    loader->devices = vmres__arena_take(loader->keep, loader->kinds, sizeof *loader->devices);
    if (!loader->devices)
        return vmres__load_no_memory(loader);
    for (uint32_t kind = 0; kind < loader->kinds; kind++) {
        if (loader->kind[kind]->removal == VMRES_REMOVAL_GUEST)
            loader->devices[kind] = device;
    }
    return VMRES_OK;
}

static enum vmres_status read_noise(struct config_loader *loader, const struct config_node *node,
                                    uint32_t *noise)
{
    enum vmres_status status = vmres__scalar_share(loader, node, noise);

    if (status == VMRES_OK && *noise > VMRES_PPM)
        return vmres__load_fail(loader, node->at, "noise is at most 100%%; lower it");
    return status;
}

static enum vmres_status read_sensors(struct config_loader *loader, const struct config_node *node,
                                      struct vmres_sim_sensors *sensors)
{
    static const char *const keys[] = {"stall", "available_noise", "stall_noise", "notices", NULL};
    static const char *const stalls[] = {"crooked", "exact", "waited", NULL};
    uint32_t stall = VMRES_SIM_STALL_CROOKED;
    uint64_t notices = 1;
    enum vmres_status status = node ? vmres__tree_expect_map(loader, node, keys) : VMRES_OK;

    *sensors = (struct vmres_sim_sensors){.available_noise = 10000, .stall_noise = 200000};
    if (status == VMRES_OK)
        status = vmres__scalar_choice(loader, vmres__tree_find(node, "stall"), stalls, &stall);
    if (status == VMRES_OK)
        status = read_noise(loader, vmres__tree_find(node, "available_noise"),
                            &sensors->available_noise);
    if (status == VMRES_OK)
        status = read_noise(loader, vmres__tree_find(node, "stall_noise"), &sensors->stall_noise);
    if (status == VMRES_OK)
        status = vmres__scalar_flag(loader, vmres__tree_find(node, "notices"), &notices);
    sensors->stall = (enum vmres_sim_stall)stall;
    sensors->notices = (uint32_t)notices;
    return status;
}

static enum vmres_status read_clock(struct config_loader *loader, const struct config_node *node)
{
    struct vmres_config *config = loader->config;
    const struct config_node *duration = vmres__tree_find(node, "duration");
    const struct config_node *tick = vmres__tree_find(node, "tick");
    uint64_t tick_ms = 1000;
    enum vmres_status status = vmres__scalar_time(loader, tick, &tick_ms);

    if (status == VMRES_OK && (tick_ms < 1 || tick_ms > MAX_TICK_MS))
        return vmres__load_fail(loader, tick->at, "tick must lie between 1ms and 1h; change it");
    config->sim.tick_ms = (uint32_t)tick_ms;
    config->duration_ms = loader->longest_ms;
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, duration, &config->duration_ms);
    if (status == VMRES_OK && duration && config->duration_ms < tick_ms)
        return vmres__load_fail(loader, duration->at,
                                "duration must be at least one tick; raise it");
    if (status == VMRES_OK && duration && config->duration_ms / tick_ms > MAX_TICKS)
        return vmres__load_fail(loader, duration->at,
                                "duration must be at most 100 million ticks; lower it");
    return status;
}

enum vmres_status vmres__sim_read(struct config_loader *loader, const struct config_node *node)
{
    static const char *const keys[] = {"duration", "tick",   "seed", "device",
                                       "sensors",  "faults", NULL};
    struct vmres_config *config = loader->config;
    struct vmres_sim_options *sim = &config->sim;
    enum vmres_status status = node ? vmres__tree_expect_map(loader, node, keys) : VMRES_OK;

    sim->size = sizeof *sim;
    sim->seed = 1;
    if (status == VMRES_OK)
        status = read_clock(loader, node);
    if (status == VMRES_OK)
        status = vmres__scalar_count(loader, vmres__tree_find(node, "seed"), &sim->seed);
    if (status == VMRES_OK)
        status = read_devices(loader, vmres__tree_find(node, "device"));
    if (status == VMRES_OK)
        status = read_sensors(loader, vmres__tree_find(node, "sensors"), &sim->sensors);
    if (status == VMRES_OK)
        status = vmres__fault_read(loader, vmres__tree_find(node, "faults"), VMRES_VM_NONE);
    sim->max_vms = config->vm_count;
    sim->max_faults = config->fault_count;
    sim->kinds = loader->kinds;
    sim->resources = loader->resources;
    sim->devices = loader->devices;
    config->simulated |= node != NULL;
    if (status == VMRES_OK && config->simulated && config->duration_ms == 0)
        return vmres__load_fail(loader, node ? node->at : (struct config_mark){1, 1},
                                "no VM follows a trace; say how long: sim: {duration: 60s}");
    return status;
}
