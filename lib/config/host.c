/* SPDX-License-Identifier: MIT */
/*
 * The host section: which kinds of resources there are, how much of each, and how it is placed. The
 * kinds a file may speak of are the rows of one table; their order in the file is their order in
 * the engine.
 */
#include <string.h>

#include "config/internal.h"

static const char *const size_units[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
static const char *const milli_units[] = {"m", NULL};

static const struct config_kind known_kinds[] = {
    {"memory", VMRES_UNIT_BYTES, VMRES_REMOVAL_GUEST, 2 * VMRES_MIB, "MiB", size_units},
    {"cpu", VMRES_UNIT_MILLI, VMRES_REMOVAL_HOST, 10, "m", milli_units},
};

enum { KNOWN_KINDS = sizeof known_kinds / sizeof known_kinds[0] };

/* Capacity, granule and reserve must make sense together. */
static enum vmres_status check_resource(struct config_loader *loader,
                                        const struct config_node *node,
                                        const struct vmres_resource *resource)
{
    const struct config_node *capacity = vmres__tree_find(node, "capacity");
    const struct config_node *reserve = vmres__tree_find(node, "reserve");
    const struct config_node *granule = vmres__tree_find(node, "granule");
    char text[VMRES_UNITS_ROOM];

    if (resource->granule == 0)
        return vmres__load_fail(loader, granule->at, "granule must be above 0; raise it");
    if (resource->capacity < resource->granule)
        return vmres__load_fail(
            loader, capacity->at, "capacity must be at least one granule (%s); raise it",
            vmres__scalar_format(text, sizeof text, resource->unit, resource->granule));
    if (resource->capacity / resource->granule > VMRES_GRANULES_MAX)
        return vmres__load_fail(
            loader, capacity->at, "more than %u granules of %s; set a larger granule",
            VMRES_GRANULES_MAX,
            vmres__scalar_format(text, sizeof text, resource->unit, resource->granule));
    if (resource->reserve >= resource->capacity)
        return vmres__load_fail(
            loader, reserve->at, "reserve must be below capacity (%s); lower it",
            vmres__scalar_format(text, sizeof text, resource->unit, resource->capacity));
    return VMRES_OK;
}

static enum vmres_status read_resource(struct config_loader *loader, const struct config_node *node,
                                       const struct config_kind *kind)
{
    static const char *const keys[] = {"capacity", "reserve", "granule", NULL};
    struct vmres_resource *resource = &loader->resources[loader->kinds];
    const struct config_node *capacity;
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    *resource = (struct vmres_resource){
        .name = kind->name,
        .unit = kind->unit,
        .removal = kind->removal,
        .granule = kind->granule,
    };
    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "capacity", &capacity);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, capacity, kind->unit, &resource->capacity);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, vmres__tree_find(node, "reserve"), kind->unit,
                                      &resource->reserve);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, vmres__tree_find(node, "granule"), kind->unit,
                                      &resource->granule);
    loader->kind[loader->kinds++] = kind;
    return status ? status : check_resource(loader, node, resource);
}

static const struct config_kind *find_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_KINDS; i++) {
        if (strcmp(known_kinds[i].name, name) == 0)
            return &known_kinds[i];
    }
    return NULL;
}

static enum vmres_status read_resources(struct config_loader *loader,
                                        const struct config_node *node)
{
    const char *keys[KNOWN_KINDS + 1] = {NULL};
    enum vmres_status status;

    for (size_t i = 0; i < KNOWN_KINDS; i++)
        keys[i] = known_kinds[i].name;
    status = vmres__tree_expect_map(loader, node, keys);
    if (status == VMRES_OK && node->count == 0)
        return vmres__load_fail(loader, node->at, "no resource here; add memory: {capacity: ...}");
    if (status)
        return status;
    loader->resources = vmres__arena_take(loader->keep, node->count, sizeof *loader->resources);
    if (!loader->resources)
        return vmres__load_no_memory(loader);
    for (const struct config_node *child = node->first; child && status == VMRES_OK;
         child = child->next)
        status = read_resource(loader, child, find_known(child->key));
    return status;
}

static enum vmres_status read_placement(struct config_loader *loader,
                                        const struct config_node *node)
{
    static const char *const names[] = {"paged", "contiguous", NULL};
    uint32_t choice = 0;
    enum vmres_status status = vmres__scalar_choice(loader, node, names, &choice);

    for (uint32_t kind = 0; status == VMRES_OK && choice == 1 && kind < loader->kinds; kind++)
        if (loader->kind[kind]->removal == VMRES_REMOVAL_GUEST) /* a rate lies nowhere */
            loader->resources[kind].placement = VMRES_PLACEMENT_EXTENT;
    return status;
}

enum vmres_status vmres__host_read(struct config_loader *loader, const struct config_node *node)
{
    static const char *const keys[] = {"resources", "placement", NULL};
    struct vmres_engine_options *engine = &loader->config->engine;
    const struct config_node *resources;
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "resources", &resources);
    if (status == VMRES_OK)
        status = read_resources(loader, resources);
    if (status == VMRES_OK)
        status = read_placement(loader, vmres__tree_find(node, "placement"));
    engine->size = sizeof *engine;
    engine->kinds = loader->kinds;
    engine->resources = loader->resources;
    return status;
}

enum vmres_status vmres__host_kind(struct config_loader *loader, const struct config_node *at,
                                   const char *name, uint8_t *kind)
{
    for (uint8_t i = 0; i < loader->kinds; i++) {
        if (strcmp(loader->kind[i]->name, name) == 0) {
            *kind = i;
            return VMRES_OK;
        }
    }
    return vmres__load_fail(loader, at->at, "the host has no resource '%.40s'; add it to the host",
                            name);
}

void vmres__host_keys(const struct config_loader *loader, const char *const *more,
                      const char *keys[CONFIG_KEYS_MAX])
{
    uint32_t count = 0;

    while (*more)
        keys[count++] = *more++;
    for (uint32_t kind = 0; kind < loader->kinds; kind++)
        keys[count++] = loader->kind[kind]->name;
    keys[count] = NULL;
}
