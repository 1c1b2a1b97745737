/* SPDX-License-Identifier: MIT */
/*
 * What a VM may have of one kind. Invariant: the floors of all VMs together, and what all begin
 * with, fit into the host, counted in whole granules as the engine will count them; the VM with
 * which they no longer fit is the one that is named.
 */
#include <string.h>

#include "config/internal.h"

enum { MAX_WEIGHT = 1000000 };

/* The value, or its index-th entry where it is a list and lists are allowed. */
static const struct config_node *pick(const struct config_node *map, const char *key,
                                      uint32_t index)
{
    const struct config_node *node = vmres__tree_find(map, key);

    if (!node || node->type != CONFIG_LIST || index == CONFIG_NO_LISTS)
        return node;
    for (node = node->first; node && index > 0; index--)
        node = node->next;
    return node;
}

static uint64_t round_up(uint64_t amount, uint64_t granule)
{
    return amount / granule * granule + (amount % granule ? granule : 0);
}

/* What the host has for VMs. */
static uint64_t usable(const struct vmres_resource *resource)
{
    uint64_t capacity = resource->capacity / resource->granule * resource->granule;
    uint64_t reserve = round_up(resource->reserve, resource->granule);

    return capacity > reserve ? capacity - reserve : 0;
}

/* Adds to a sum that must stay within the host; 0 if it does not. */
static int add_up(const struct vmres_resource *resource, uint64_t amount, uint64_t *sum)
{
    uint64_t most = usable(resource);

    if (amount > most || *sum > most - amount)
        return 0;
    *sum += amount;
    return 1;
}

static enum vmres_status read_initial(struct config_loader *loader, const struct config_node *node,
                                      const struct vmres_resource *resource,
                                      struct vmres_vm_limits *limits)
{
    enum vmres_status status;

    if (!node || strcmp(node->text, "auto") == 0)
        return VMRES_OK;
    status = vmres__scalar_amount(loader, node, resource->unit, &limits->initial);
    if (status)
        return status;
    if (limits->initial < limits->floor || limits->initial > limits->ceiling)
        return vmres__load_fail(loader, node->at,
                                "initial must lie between min and max; change it, or write auto");
    return VMRES_OK;
}

static enum vmres_status read_weight(struct config_loader *loader, const struct config_node *node,
                                     struct vmres_vm_limits *limits)
{
    uint64_t weight = 1;
    enum vmres_status status = vmres__scalar_count(loader, node, &weight);

    if (status)
        return status;
    if (weight < 1 || weight > MAX_WEIGHT)
        return vmres__load_fail(loader, node->at, "weight must lie between 1 and %d; change it",
                                MAX_WEIGHT);
    limits->weight = (uint32_t)weight;
    return VMRES_OK;
}

static enum vmres_status check_range(struct config_loader *loader,
                                     const struct config_node *minimum,
                                     const struct config_node *maximum,
                                     const struct vmres_resource *resource,
                                     const struct vmres_vm_limits *limits)
{
    char text[VMRES_UNITS_ROOM];

    if (limits->floor > limits->ceiling)
        return vmres__load_fail(
            loader, minimum ? minimum->at : maximum->at, "min must not be above max (%s); lower it",
            vmres__scalar_format(text, sizeof text, resource->unit, limits->ceiling));
    if (limits->ceiling / resource->granule > VMRES_GRANULES_MAX)
        return vmres__load_fail(loader, maximum->at, "max is more than %u granules; lower it",
                                VMRES_GRANULES_MAX);
    if (round_up(limits->floor, resource->granule) > limits->ceiling)
        return vmres__load_fail(
            loader, minimum->at, "no whole granule (%s) lies between min and max; move one of them",
            vmres__scalar_format(text, sizeof text, resource->unit, resource->granule));
    return VMRES_OK;
}

/* Adds this VM to what all must have, and to what all begin with: at least that. One that comes
 * later begins with what is there then. */
static enum vmres_status check_sums(struct config_loader *loader, const struct config_node *minimum,
                                    const struct config_node *initial, uint8_t kind,
                                    const struct vmres_vm_limits *limits)
{
    const struct vmres_resource *resource = &loader->resources[kind];
    const struct config_node *blamed = initial ? initial : minimum;
    int later = loader->vms[loader->config->vm_count - 1].start_ms > 0;
    int fixed = limits->initial != UINT64_MAX;
    uint64_t floor = round_up(limits->floor, resource->granule);
    uint64_t begin = fixed ? round_up(limits->initial, resource->granule) : floor;
    char text[VMRES_UNITS_ROOM];

    vmres__scalar_format(text, sizeof text, resource->unit, usable(resource));
    if (minimum && !add_up(resource, floor, &loader->floors[kind]))
        return vmres__load_fail(loader, minimum->at,
                                "the minimums up to here exceed capacity less reserve (%s);"
                                " lower them or raise capacity",
                                text);
    if (blamed && !later && !add_up(resource, begin, &loader->initials[kind]))
        return vmres__load_fail(loader, blamed->at,
                                "what the VMs up to here begin with exceeds capacity less reserve"
                                " (%s); lower initial or write auto",
                                text);
    return VMRES_OK;
}

enum vmres_status vmres__limits_read(struct config_loader *loader, const struct config_node *node,
                                     uint8_t kind, uint32_t index, struct vmres_vm_limits *limits)
{
    static const char *const keys[] = {"min", "max", "initial", "weight", NULL};
    const struct vmres_resource *resource = &loader->resources[kind];
    const struct config_node *minimum = pick(node, "min", index);
    const struct config_node *maximum = pick(node, "max", index);
    const struct config_node *initial = pick(node, "initial", index);
    enum vmres_status status = node ? vmres__tree_expect_map(loader, node, keys) : VMRES_OK;

    *limits = (struct vmres_vm_limits){
        .ceiling = resource->capacity,
        .initial = UINT64_MAX,
        .weight = 1,
        .participation = VMRES_PARTICIPATE_BOTH,
    };
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, minimum, resource->unit, &limits->floor);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, maximum, resource->unit, &limits->ceiling);
    if (status == VMRES_OK)
        status = check_range(loader, minimum, maximum, resource, limits);
    if (status == VMRES_OK)
        status = read_initial(loader, initial, resource, limits);
    if (status == VMRES_OK)
        status = read_weight(loader, pick(node, "weight", index), limits);
    return status ? status : check_sums(loader, minimum, initial, kind, limits);
}
