/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong with a VM or the host, and when. Names, figures and whom each befalls are those
 * of sim_fault.h. A figure that a fault does not take is an error, for it would do nothing, and so
 * is a fault of giving where no guest is asked.
 */
#include <stdbool.h>
#include <string.h>

#include "config/internal.h"

static const struct {
    const char *name;
    enum vmres_sim_figure figure;
    enum vmres_sim_scope scope;
} faults[] = {
#define FAULT(constant, name, figure, scope) \
    [VMRES_SIM_##constant] = {name, VMRES_SIM_FIGURE_##figure, VMRES_SIM_SCOPE_##scope},
    VMRES_SIM_FAULT_LIST(FAULT)
#undef FAULT
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

static const char *const figures[] = {
    [VMRES_SIM_FIGURE_NONE] = "",        [VMRES_SIM_FIGURE_AMOUNT] = "amount",
    [VMRES_SIM_FIGURE_COUNT] = "amount", [VMRES_SIM_FIGURE_DELAY] = "delay",
    [VMRES_SIM_FIGURE_SHARE] = "share",
};

static enum vmres_status read_kind(struct config_loader *loader, const struct config_node *node,
                                   struct vmres_sim_fault *fault)
{
    const struct config_node *kind = NULL;
    enum vmres_status status = vmres__tree_need(loader, node, "kind", &kind);
    uint32_t number = 1;

    if (status)
        return status;
    while (number < FAULTS && strcmp(faults[number].name, kind->text) != 0)
        number++;
    if (number == FAULTS)
        return vmres__load_fail(loader, kind->at,
                                "there is no fault '%s'; the scenarios' README lists them",
                                kind->text);
    fault->fault = (enum vmres_sim_fault_kind)number;
    return VMRES_OK;
}

static enum vmres_status read_share(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    enum vmres_status status = vmres__scalar_share(loader, node, &fault->share);

    if (status == VMRES_OK && fault->share > VMRES_PPM)
        return vmres__load_fail(loader, node->at, "a share of a fault is at most 100%%; lower it");
    return status;
}

static enum vmres_status read_count(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    enum vmres_status status = vmres__scalar_amount(loader, node, VMRES_UNIT_COUNT, &fault->amount);

    if (status == VMRES_OK && fault->amount > VMRES_SIM_FLOOD_MAX)
        return vmres__load_fail(loader, node->at, "a flood is at most %u a tick; lower it",
                                VMRES_SIM_FLOOD_MAX);
    return status;
}

/* A figure it does not take would do nothing. */
static enum vmres_status check_figures(struct config_loader *loader, const struct config_node *node,
                                       const struct vmres_sim_fault *fault)
{
    const char *wanted = figures[faults[fault->fault].figure];

    for (const struct config_node *child = node->first; child; child = child->next) {
        bool is_figure = strcmp(child->key, "share") == 0 || strcmp(child->key, "amount") == 0 ||
                         strcmp(child->key, "delay") == 0;

        if (is_figure && strcmp(child->key, wanted) != 0)
            return vmres__load_fail(loader, child->key_at, "the fault %s takes no %s; remove it",
                                    faults[fault->fault].name, child->key);
    }
    return VMRES_OK;
}

/* The figure that this fault takes, if it takes one. */
static enum vmres_status read_figure(struct config_loader *loader, const struct config_node *node,
                                     struct vmres_sim_fault *fault)
{
    enum vmres_sim_figure figure = faults[fault->fault].figure;
    const struct config_node *value = NULL;
    enum vmres_status status = check_figures(loader, node, fault);

    if (status || figure == VMRES_SIM_FIGURE_NONE)
        return status;
    status = vmres__tree_need(loader, node, figures[figure], &value);
    if (status)
        return status;
    if (figure == VMRES_SIM_FIGURE_SHARE)
        return read_share(loader, value, fault);
    if (figure == VMRES_SIM_FIGURE_DELAY)
        return vmres__scalar_time(loader, value, &fault->amount);
    if (figure == VMRES_SIM_FIGURE_COUNT)
        return read_count(loader, value, fault);
    return vmres__scalar_amount(loader, value, loader->kind[fault->kind]->unit, &fault->amount);
}

/* Those of a host stand in its section, those of a VM with the VM. The host takes its own kinds
 * away without asking: nothing of a guest's giving can go wrong there. */
static enum vmres_status check_scope(struct config_loader *loader, const struct config_node *node,
                                     const struct vmres_sim_fault *fault)
{
    enum vmres_sim_scope scope = faults[fault->fault].scope;
    bool of_host = scope == VMRES_SIM_SCOPE_HOST || scope == VMRES_SIM_SCOPE_STOCK;

    if (of_host && fault->vm != VMRES_VM_NONE)
        return vmres__load_fail(loader, node->at, "%s befalls the host; move it to sim.faults",
                                faults[fault->fault].name);
    if (!of_host && fault->vm == VMRES_VM_NONE)
        return vmres__load_fail(loader, node->at, "%s befalls a VM; move it to that VM's faults",
                                faults[fault->fault].name);
    if (scope == VMRES_SIM_SCOPE_GIVING && loader->kind[fault->kind]->removal == VMRES_REMOVAL_HOST)
        return vmres__load_fail(loader, node->at,
                                "the host takes %s back by itself, no guest can refuse;"
                                " choose another fault or resource",
                                loader->kind[fault->kind]->name);
    return VMRES_OK;
}

static enum vmres_status read_fault(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    static const char *const keys[] = {"kind",   "at",    "for",   "resource",
                                       "amount", "share", "delay", NULL};
    const struct config_node *resource = vmres__tree_find(node, "resource");
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (status == VMRES_OK)
        status = read_kind(loader, node, fault);
    if (status == VMRES_OK && resource)
        status = vmres__host_kind(loader, resource, resource->text, &fault->kind);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, vmres__tree_find(node, "at"), &fault->at_ms);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, vmres__tree_find(node, "for"), &fault->for_ms);
    if (status == VMRES_OK)
        status = check_scope(loader, node, fault);
    return status ? status : read_figure(loader, node, fault);
}

enum vmres_status vmres__fault_read(struct config_loader *loader, const struct config_node *list,
                                    uint32_t vm)
{
    enum vmres_status status = list ? vmres__tree_expect_list(loader, list) : VMRES_OK;

    for (const struct config_node *node = list ? list->first : NULL; node && status == VMRES_OK;
         node = node->next) {
        struct vmres_sim_fault *fault = &loader->faults[loader->config->fault_count++];

        fault->vm = vm;
        status = read_fault(loader, node, fault);
    }
    return status;
}

enum vmres_status vmres__fault_read_host(struct config_loader *loader,
                                         const struct config_node *list)
{
    struct vmres_config *config = loader->config;
    size_t room = config->fault_count + (size_t)(list ? list->count : 0);
    struct vmres_sim_fault *all;

    if (!list || list->count == 0)
        return vmres__fault_read(loader, list, VMRES_VM_NONE);
    all = vmres__arena_take(loader->keep, room, sizeof *all);
    if (!all)
        return vmres__load_no_memory(loader);
    for (uint32_t i = 0; i < config->fault_count; i++)
        all[i] = loader->faults[i];
    loader->faults = all;
    config->faults = all;
    return vmres__fault_read(loader, list, VMRES_VM_NONE);
}
