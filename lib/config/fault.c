/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong with a VM, and when. The names are those of sim_fault.h; the table here says
 * which figure each takes. A figure that a fault does not take is an error, for it would do
 * nothing, and so is a fault of releasing where no guest is asked.
 */
#include <string.h>

#include "config/internal.h"

enum figure { NO_FIGURE, AMOUNT, COUNT, SHARE };

static const enum figure figures[] = {
    [VMRES_SIM_SLOW] = SHARE,     [VMRES_SIM_PARTIAL] = SHARE,  [VMRES_SIM_RETAKE] = AMOUNT,
    [VMRES_SIM_LIE_USED] = SHARE, [VMRES_SIM_LIE_NEED] = SHARE, [VMRES_SIM_FLOOD] = COUNT,
};

/* Indexed by number less 1, for faults count from 1. */
static const char *const names[] = {
#define NAME(constant, name) name,
    VMRES_SIM_FAULT_LIST(NAME)
#undef NAME
        NULL,
};

static enum vmres_status read_kind(struct config_loader *loader, const struct config_node *node,
                                   struct vmres_sim_fault *fault)
{
    const struct config_node *kind = NULL;
    uint32_t choice = 0;
    enum vmres_status status = vmres__tree_need(loader, node, "kind", &kind);

    if (status == VMRES_OK)
        status = vmres__scalar_choice(loader, kind, names, &choice);
    fault->fault = (enum vmres_sim_fault_kind)(choice + 1);
    return status;
}

static enum vmres_status read_share(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    enum vmres_status status = vmres__scalar_share(loader, node, &fault->share);

    if (status == VMRES_OK && fault->share > VMRES_PPM)
        return vmres__load_fail(loader, node->at, "a share of a fault is at most 100%%; lower it");
    return status;
}

/* `amount` or `share`, whichever this fault takes. */
static enum vmres_status read_figure(struct config_loader *loader, const struct config_node *node,
                                     struct vmres_sim_fault *fault)
{
    enum figure figure = (size_t)fault->fault < sizeof figures / sizeof figures[0]
                             ? figures[fault->fault]
                             : NO_FIGURE;
    const char *wanted = figure == SHARE ? "share" : figure == NO_FIGURE ? "" : "amount";
    const struct config_node *value = NULL;
    enum vmres_status status = VMRES_OK;

    for (const struct config_node *child = node->first; child; child = child->next) {
        if ((strcmp(child->key, "share") == 0 || strcmp(child->key, "amount") == 0) &&
            strcmp(child->key, wanted) != 0)
            return vmres__load_fail(loader, child->key_at, "the fault %s takes no %s; remove it",
                                    names[fault->fault - 1], child->key);
    }
    if (figure == NO_FIGURE)
        return VMRES_OK;
    status = vmres__tree_need(loader, node, wanted, &value);
    if (status)
        return status;
    if (figure == SHARE)
        return read_share(loader, value, fault);
    return vmres__scalar_amount(
        loader, value, figure == COUNT ? VMRES_UNIT_COUNT : loader->kind[fault->kind]->unit,
        &fault->amount);
}

/* The host takes its own kinds away without asking: nothing of a guest's release can go wrong. */
static enum vmres_status check_release(struct config_loader *loader, const struct config_node *node,
                                       const struct vmres_sim_fault *fault)
{
    static const enum vmres_sim_fault_kind releasing[] = {
        VMRES_SIM_IGNORE_REQUESTS, VMRES_SIM_SLOW,         VMRES_SIM_PARTIAL,
        VMRES_SIM_RETAKE,          VMRES_SIM_LIE_RELEASED,
    };

    for (size_t i = 0; i < sizeof releasing / sizeof releasing[0]; i++) {
        if (releasing[i] == fault->fault &&
            loader->kind[fault->kind]->removal == VMRES_REMOVAL_HOST)
            return vmres__load_fail(loader, node->at,
                                    "the host takes %s back by itself, no guest can refuse;"
                                    " choose another fault or resource",
                                    loader->kind[fault->kind]->name);
    }
    return VMRES_OK;
}

static enum vmres_status read_fault(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    static const char *const keys[] = {"kind", "at", "for", "resource", "amount", "share", NULL};
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
        status = check_release(loader, node, fault);
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
