/* SPDX-License-Identifier: MIT */
/*
 * The VMs: those listed one by one, then those of the fleet. A VM's place in the array is its index
 * in the simulator and the column it has in a policy's table. Invariant: names are unique.
 */
#include <stdbool.h>
#include <string.h>

#include "config/internal.h"
#include "core/utf8.h"

static bool is_plain(const char *name)
{
    while (*name) {
        uint32_t code;
        size_t length = vmres__utf8_character(name, &code);

        if (length == 0 || !vmres__utf8_is_plain(code))
            return false;
        name += length;
    }
    return true;
}

static enum vmres_status check_name(struct config_loader *loader, const struct config_node *at,
                                    const char *name)
{
    if (strlen(name) >= VMRES_VM_NAME_MAX)
        return vmres__load_fail(loader, at->at, "'%.40s...' is longer than %u bytes; shorten it",
                                name, VMRES_VM_NAME_MAX - 1);
    if (strpbrk(name, " ,\""))
        return vmres__load_fail(loader, at->at,
                                "'%.40s' has blanks, commas or quotes in it; rename the VM", name);
    if (!is_plain(name))
        return vmres__load_fail(loader, at->at,
                                "'%.40s' has a character in it that cannot be shown; rename the VM",
                                name);
    return VMRES_OK;
}

enum vmres_status vmres__vms_add(struct config_loader *loader, const struct config_node *at,
                                 const char *name, struct vmres_vm_limits **limits,
                                 struct vmres_sim_demand **demand)
{
    struct vmres_sim_vm_spec *vm = &loader->vms[loader->config->vm_count];
    enum vmres_status status = check_name(loader, at, name);

    if (status)
        return status;
    if (vmres__names_find(&loader->vm_names, name) != UINT32_MAX)
        return vmres__load_fail(loader, at->at, "there are two VMs '%.40s'; rename one", name);
    vm->spec.name = vmres__arena_copy(loader->keep, name, strlen(name));
    *limits = vmres__arena_take(loader->keep, loader->kinds, sizeof **limits);
    *demand = vmres__arena_take(loader->keep, loader->kinds, sizeof **demand);
    if (!vm->spec.name || !*limits || !*demand)
        return vmres__load_no_memory(loader);
    vm->spec.limits = *limits;
    vm->demand = *demand;
    (void)vmres__names_add(&loader->vm_names, vm->spec.name, loader->config->vm_count++);
    return VMRES_OK;
}

/* One VM of the list. */
static enum vmres_status read_vm(struct config_loader *loader, const struct config_node *node)
{
    static const char *const own[] = {"name", "start", "workload", "faults", "reservation", NULL};
    uint32_t index = loader->config->vm_count;
    const char *keys[CONFIG_KEYS_MAX], *name = NULL;
    const struct config_node *named = NULL;
    struct vmres_vm_limits *limits;
    struct vmres_sim_demand *demand;
    enum vmres_status status;

    vmres__host_keys(loader, own, keys);
    status = vmres__tree_expect_map(loader, node, keys);
    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "name", &named);
    if (status == VMRES_OK)
        status = vmres__scalar_text(loader, named, &name);
    if (status == VMRES_OK)
        status = vmres__vms_add(loader, named, name, &limits, &demand);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, vmres__tree_find(node, "start"),
                                    &loader->vms[index].start_ms);
    for (uint8_t kind = 0; kind < loader->kinds && status == VMRES_OK; kind++)
        status = vmres__limits_read(loader, vmres__tree_find(node, loader->kind[kind]->name), kind,
                                    CONFIG_NO_LISTS, &limits[kind]);
    if (status == VMRES_OK)
        status = vmres__workload_read(loader, vmres__tree_find(node, "workload"), demand);
    return status ? status : vmres__fault_read(loader, vmres__tree_find(node, "faults"), index);
}

/* Room for all VMs there will be. */
static enum vmres_status make_room(struct config_loader *loader, const struct config_node *list,
                                   uint32_t more)
{
    size_t vms = (list ? list->count : 0) + (size_t)more;

    if (vms > VMRES_MAX_VMS)
        return vmres__load_fail(loader, (struct config_mark){1, 1}, "more than %u VMs; remove some",
                                VMRES_MAX_VMS);
    loader->vms = vms ? vmres__arena_take(loader->keep, vms, sizeof *loader->vms) : NULL;
    if ((vms && !loader->vms) || !vmres__names_open(&loader->vm_names, &loader->scratch, vms))
        return vmres__load_no_memory(loader);
    return VMRES_OK;
}

enum vmres_status vmres__vms_read(struct config_loader *loader, const struct config_node *list,
                                  uint32_t more)
{
    enum vmres_status status = list ? vmres__tree_expect_list(loader, list) : VMRES_OK;

    if (status == VMRES_OK)
        status = make_room(loader, list, more);
    for (const struct config_node *node = list ? list->first : NULL; node && status == VMRES_OK;
         node = node->next)
        status = read_vm(loader, node);
    return status;
}
