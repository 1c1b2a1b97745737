/* SPDX-License-Identifier: MIT */
/*
 * Walking the tree: looking up keys and insisting on shapes. A section first checks its map against
 * the list of keys it knows, then takes each by name; so every key is either read or refused.
 */
#include <stdio.h>
#include <string.h>

#include "config/internal.h"

static const char *type_name(const struct config_node *node)
{
    static const char *const names[] = {"a single value", "a list", "a map"};

    return names[node->type];
}

const char *vmres__tree_join(char *buffer, size_t room, const char *const *names)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (; *names && used < room; names++) {
        int length = snprintf(buffer + used, room - used, "%s%s", used ? ", " : "", *names);

        used += length > 0 ? (size_t)length : 0;
    }
    return buffer;
}

static int is_among(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0)
            return 1;
    }
    return 0;
}

enum vmres_status vmres__tree_expect_map(struct config_loader *loader,
                                         const struct config_node *node, const char *const *keys)
{
    char known[120];

    vmres__tree_join(known, sizeof known, keys);
    if (node->type != CONFIG_MAP)
        return vmres__load_fail(loader, node->at, "%s where a map belongs; its keys are: %s",
                                type_name(node), known);
    for (const struct config_node *child = node->first; child; child = child->next) {
        if (!is_among(keys, child->key))
            return vmres__load_fail(loader, child->key_at, "unknown key '%.40s'; known here: %s",
                                    child->key, known);
    }
    return VMRES_OK;
}

enum vmres_status vmres__tree_expect_list(struct config_loader *loader,
                                          const struct config_node *node)
{
    if (node->type != CONFIG_LIST)
        return vmres__load_fail(loader, node->at,
                                "%s where a list belongs; begin each entry with '-'",
                                type_name(node));
    return VMRES_OK;
}

const struct config_node *vmres__tree_find(const struct config_node *map, const char *key)
{
    const struct config_node *child = map && map->type == CONFIG_MAP ? map->first : NULL;

    while (child && strcmp(child->key, key) != 0)
        child = child->next;
    return child;
}

enum vmres_status vmres__tree_need(struct config_loader *loader, const struct config_node *map,
                                   const char *key, const struct config_node **value)
{
    const struct config_node *found = vmres__tree_find(map, key);

    if (!found)
        return vmres__load_fail(loader, map->at, "the key '%s' is missing; add it", key);
    *value = found;
    return VMRES_OK;
}
