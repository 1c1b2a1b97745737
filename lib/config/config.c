/* SPDX-License-Identifier: MIT */
/*
 * Loading from end to end: the file, its tree, the sections in the order in which they need each
 * other. Invariant: a configuration that was handed out is complete and fits its host; one that is
 * not was never handed out.
 */
#include "config/internal.h"
#include "core/error.h"

enum { MAX_FILE_BYTES = 4 << 20 };

/* What is handed out, and the memory it lies in. */
struct loaded {
    struct vmres_config config;
    struct config_arena arena;
};

/* Both sections that make VMs. */
static enum vmres_status read_vms(struct config_loader *loader, const struct config_node *root)
{
    const struct config_node *fleet = vmres__tree_find(root, "fleet");
    struct vmres_config *config = loader->config;
    uint32_t count = 0;
    enum vmres_status status = fleet ? vmres__fleet_count(loader, fleet, &count) : VMRES_OK;

    if (status == VMRES_OK)
        status = vmres__vms_read(loader, vmres__tree_find(root, "vms"), count);
    if (status == VMRES_OK && fleet)
        status = vmres__fleet_read(loader, fleet);
    if (status == VMRES_OK && config->vm_count == 0)
        status = vmres__load_fail(loader, root->at, "there is no VM; add a vms or a fleet section");
    config->vms = loader->vms;
    config->engine.max_vms = config->vm_count;
    return status;
}

/* Sections in the order of need: limits want the host, tables of policies want the VMs' names. */
static enum vmres_status read_sections(struct config_loader *loader, const struct config_node *root)
{
    static const char *const keys[] = {"host", "sim", "policy", "vms", "fleet", "operate", NULL};
    const struct config_node *host;
    enum vmres_status status = vmres__tree_expect_map(loader, root, keys);

    if (status == VMRES_OK)
        status = vmres__tree_need(loader, root, "host", &host);
    if (status == VMRES_OK)
        status = vmres__host_read(loader, host);
    if (status == VMRES_OK)
        status = read_vms(loader, root);
    if (status == VMRES_OK)
        status = vmres__sim_read(loader, vmres__tree_find(root, "sim"));
    if (status == VMRES_OK)
        status = vmres__operate_read(loader, vmres__tree_find(root, "operate"),
                                     vmres__tree_find(root, "vms"));
    if (status == VMRES_OK)
        status = vmres__policy_read(loader, vmres__tree_find(root, "policy"));
    return status;
}

static enum vmres_status read_file(struct config_loader *loader)
{
    struct config_text text;
    struct config_node *root;
    const char *reason = "";
    enum vmres_status status =
        vmres__file_read(&loader->scratch.allocator, loader->path, MAX_FILE_BYTES, &text, &reason);

    if (status == VMRES_NOMEM)
        return vmres__load_no_memory(loader);
    if (status == VMRES_LIMIT)
        return vmres__load_fail(loader, (struct config_mark){1, 1},
                                "larger than %d bytes; use a fleet and a trace", MAX_FILE_BYTES);
    if (status == VMRES_IO) {
        (void)vmres__load_fail(loader, (struct config_mark){1, 1},
                               "cannot be read (%s); name a scenario file", reason);
        if (loader->error)
            loader->error->status = VMRES_IO;
        return VMRES_IO;
    }
    status = vmres__yaml_read(loader, &text, &root);
    vmres__file_release(&loader->scratch.allocator, &text);
    return status ? status : read_sections(loader, root);
}

void vmres_config_options_init(struct vmres_config_options *options)
{
    if (options)
        *options = (struct vmres_config_options){.size = sizeof *options};
}

enum vmres_status vmres_config_load(const char *path, const struct vmres_config_options *options,
                                    struct vmres_config **config, struct vmres_error *error)
{
    struct vmres_config_options defaults;
    struct config_loader loader = {.path = path, .error = error};
    struct loaded *loaded;
    enum vmres_status status;

    vmres_config_options_init(&defaults);
    loader.options = options ? options : &defaults;
    if (!path || !config || loader.options->size != sizeof defaults)
        return vmres__error_set(error, VMRES_INVALID,
                                "path, config and options of this version must be given");
    loaded = vmres_allocate(loader.options->allocator, 1, sizeof *loaded);
    if (!loaded)
        return vmres__load_no_memory(&loader);
    if (loader.options->allocator)
        loaded->arena.allocator = *loader.options->allocator;
    loader.scratch = loaded->arena;
    loader.keep = &loaded->arena;
    loader.config = &loaded->config;
    status = read_file(&loader);
    vmres__arena_release(&loader.scratch);
    if (status)
        vmres_config_destroy(&loaded->config);
    else
        *config = &loaded->config;
    return status;
}

void vmres_config_destroy(struct vmres_config *config)
{
    struct loaded *loaded = (struct loaded *)config;
    struct vmres_allocator allocator;

    if (!loaded)
        return;
    allocator = loaded->arena.allocator;
    vmres__arena_release(&loaded->arena);
    vmres_release(&allocator, loaded, 1, sizeof *loaded);
}
