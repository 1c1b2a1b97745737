/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong with a VM or the host, and when. Names, figures and whom each befalls are those
 * of sim_fault.h; what strikes again and again is as many faults. A figure that a fault does not
 * take is an error, for it would do nothing, and so is a fault of giving where no guest is asked.
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

enum { FAULTS = sizeof faults / sizeof faults[0], MAX_TIMES = 1000, MAX_FAULTS = 250000 };

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
    if ((scope == VMRES_SIM_SCOPE_GIVING || scope == VMRES_SIM_SCOPE_HOLDING) &&
        loader->kind[fault->kind]->removal == VMRES_REMOVAL_HOST)
        return vmres__load_fail(loader, node->at,
                                "the host takes %s back by itself, no guest can refuse;"
                                " choose another fault or resource",
                                loader->kind[fault->kind]->name);
    if (loader->resources[fault->kind].placement != VMRES_PLACEMENT_EXTENT)
        return VMRES_OK;
    if (scope == VMRES_SIM_SCOPE_HOLDING)
        return vmres__load_fail(loader, node->at,
                                "on a contiguous host no VM reaches beyond its block; choose "
                                "another fault than %s",
                                faults[fault->fault].name);
    if (scope == VMRES_SIM_SCOPE_STOCK)
        return vmres__load_fail(loader, node->at,
                                "a contiguous host may end in a block and cannot %s; choose "
                                "another fault",
                                faults[fault->fault].name);
    return VMRES_OK;
}

/* How often it strikes, and how long after one the next begins. */
struct repeat {
    uint64_t times, every_ms;
};

static enum vmres_status read_repeat(struct config_loader *loader, const struct config_node *node,
                                     struct repeat *repeat)
{
    const struct config_node *times = vmres__tree_find(node, "times");
    const struct config_node *every = vmres__tree_find(node, "every");
    enum vmres_status status = vmres__scalar_count(loader, times, &repeat->times);

    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, every, &repeat->every_ms);
    if (status)
        return status;
    if ((times != NULL) != (every != NULL))
        return vmres__load_fail(loader, times ? times->key_at : every->key_at,
                                "every and times go together; add the other, or remove it");
    if (repeat->times < 1 || repeat->times > MAX_TIMES)
        return vmres__load_fail(loader, times->at, "a fault strikes 1 to %d times; change that",
                                MAX_TIMES);
    if (every && repeat->every_ms == 0)
        return vmres__load_fail(loader, every->at,
                                "they would all strike at once; raise it, or remove every and "
                                "times");
    if (loader->config->fault_count + repeat->times > MAX_FAULTS)
        return vmres__load_fail(loader, node->at, "more than %d faults; remove some", MAX_FAULTS);
    return VMRES_OK;
}

/* To the simulator 0 means for ever, which is not what somebody means who writes it. */
static enum vmres_status read_length(struct config_loader *loader, const struct config_node *length,
                                     struct vmres_sim_fault *fault)
{
    enum vmres_status status = vmres__scalar_time(loader, length, &fault->for_ms);

    if (length && status == VMRES_OK && fault->for_ms == 0)
        return vmres__load_fail(loader, length->at,
                                "a fault for no time is none; raise it, or leave out for: for "
                                "ever, or once");
    return status;
}

static enum vmres_status read_fault(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_sim_fault *fault)
{
    static const char *const keys[] = {"kind",     "at",     "for",   "every", "times",
                                       "resource", "amount", "share", "delay", NULL};
    const struct config_node *resource = vmres__tree_find(node, "resource");
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (status == VMRES_OK)
        status = read_kind(loader, node, fault);
    if (status == VMRES_OK && resource)
        status = vmres__host_kind(loader, resource, resource->text, &fault->kind);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, vmres__tree_find(node, "at"), &fault->at_ms);
    if (status == VMRES_OK)
        status = read_length(loader, vmres__tree_find(node, "for"), fault);
    if (status == VMRES_OK)
        status = check_scope(loader, node, fault);
    return status ? status : read_figure(loader, node, fault);
}

/* Room for one more, or NULL and an error. */
static struct vmres_sim_fault *add(struct config_loader *loader)
{
    struct vmres_config *config = loader->config;
    uint32_t room = loader->fault_room;
    struct vmres_sim_fault *all;

    if (config->fault_count < room)
        return &loader->faults[config->fault_count++];
    room = room ? 2 * room : 16;
    all = vmres__arena_take(loader->keep, room, sizeof *all);
    if (!all) {
        (void)vmres__load_no_memory(loader);
        return NULL;
    }
    for (uint32_t i = 0; i < config->fault_count; i++)
        all[i] = loader->faults[i];
    loader->faults = all;
    loader->fault_room = room;
    config->faults = all;
    return &all[config->fault_count++];
}

/* One entry of the list: a fault, as often as it says. */
static enum vmres_status read_entry(struct config_loader *loader, const struct config_node *node,
                                    uint32_t vm)
{
    struct vmres_sim_fault fault = {.vm = vm}, *added;
    struct repeat repeat = {.times = 1};
    enum vmres_status status = read_fault(loader, node, &fault);

    if (status == VMRES_OK)
        status = read_repeat(loader, node, &repeat);
    for (uint64_t i = 0; i < repeat.times && status == VMRES_OK; i++) {
        added = add(loader);
        if (!added)
            return VMRES_NOMEM;
        *added = fault;
        fault.at_ms += repeat.every_ms < UINT64_MAX - fault.at_ms ? repeat.every_ms : 0;
    }
    return status;
}

enum vmres_status vmres__fault_read(struct config_loader *loader, const struct config_node *list,
                                    uint32_t vm)
{
    enum vmres_status status = list ? vmres__tree_expect_list(loader, list) : VMRES_OK;

    for (const struct config_node *node = list ? list->first : NULL; node && status == VMRES_OK;
         node = node->next)
        status = read_entry(loader, node, vm);
    return status;
}
