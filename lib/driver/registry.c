/* SPDX-License-Identifier: MIT */
/*
 * Owns names, ids and incarnations. A hash table with open addressing and linear probing, at most
 * half full, in which removal closes the gap: so there are no tombstones, and a search ends at the
 * first empty bucket. Ids that became vacant are used again before new ones, which keeps them
 * dense.
 */
#include "driver/registry.h"

#include <stddef.h>
#include <string.h>

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261u;

    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 16777619u;
    return value;
}

enum vmres_status vmres__registry_init(struct vmres__registry *registry, uint32_t max_vms,
                                       const struct vmres_allocator *allocator)
{
    uint32_t buckets = 2;

    while (buckets / 2 < max_vms)
        buckets *= 2;
    *registry =
        (struct vmres__registry){.max_vms = max_vms, .mask = buckets - 1, .vacant = VMRES_VM_NONE};
    registry->vms = vmres_allocate(allocator, max_vms, sizeof *registry->vms);
    registry->buckets = vmres_allocate(allocator, buckets, sizeof *registry->buckets);
    if (registry->vms && registry->buckets)
        return VMRES_OK;
    vmres__registry_finish(registry, allocator);
    return VMRES_NOMEM;
}

void vmres__registry_finish(struct vmres__registry *registry,
                            const struct vmres_allocator *allocator)
{
    vmres_release(allocator, registry->vms, registry->max_vms, sizeof *registry->vms);
    vmres_release(allocator, registry->buckets, (size_t)registry->mask + 1,
                  sizeof *registry->buckets);
    *registry = (struct vmres__registry){0};
}

/* The bucket that holds this name, or the empty one where it would go. */
static uint32_t find_bucket(const struct vmres__registry *registry, const char *name)
{
    uint32_t bucket = hash(name) & registry->mask;

    while (registry->buckets[bucket] &&
           strcmp(registry->vms[registry->buckets[bucket] - 1].name, name) != 0)
        bucket = (bucket + 1) & registry->mask;
    return bucket;
}

static int name_is_valid(const char *name)
{
    size_t length;

    if (!name || !name[0])
        return 0;
    for (length = 0; name[length]; length++) {
        if (length == VMRES_VM_NAME_MAX - 1 || (unsigned char)name[length] < ' ')
            return 0;
    }
    return 1;
}

enum vmres_status vmres__registry_add(struct vmres__registry *registry, const char *name,
                                      uint32_t *vm)
{
    struct vmres__registry_vm *added;
    uint32_t bucket, id;

    if (!name_is_valid(name))
        return VMRES_INVALID;
    bucket = find_bucket(registry, name);
    if (registry->buckets[bucket])
        return VMRES_EXISTS;
    id = registry->vacant;
    if (id != VMRES_VM_NONE)
        registry->vacant = registry->vms[id].next_vacant;
    else if (registry->used < registry->max_vms)
        id = registry->used++;
    else
        return VMRES_LIMIT;
    added = &registry->vms[id];
    memcpy(added->name, name, strlen(name) + 1);
    added->born = ++added->incarnation;
    registry->buckets[bucket] = id + 1;
    *vm = id;
    return VMRES_OK;
}

/* Empties a bucket and moves up what was put behind it for want of room, so that a search for it
 * still finds no gap on its way. */
static void close_gap(struct vmres__registry *registry, uint32_t gap)
{
    for (uint32_t next = (gap + 1) & registry->mask; registry->buckets[next];
         next = (next + 1) & registry->mask) {
        uint32_t home = hash(registry->vms[registry->buckets[next] - 1].name) & registry->mask;

        if (((next - home) & registry->mask) < ((next - gap) & registry->mask))
            continue;
        registry->buckets[gap] = registry->buckets[next];
        gap = next;
    }
    registry->buckets[gap] = 0;
}

void vmres__registry_remove(struct vmres__registry *registry, uint32_t vm)
{
    struct vmres__registry_vm *removed = &registry->vms[vm];

    close_gap(registry, find_bucket(registry, removed->name));
    removed->name[0] = '\0';
    removed->next_vacant = registry->vacant;
    registry->vacant = vm;
}

struct vmres__registry_vm *vmres__registry_vm(const struct vmres__registry *registry, uint32_t vm)
{
    if (vm >= registry->used || !registry->vms[vm].name[0])
        return NULL;
    return &registry->vms[vm];
}

uint32_t vmres__registry_find(const struct vmres__registry *registry, const char *name)
{
    uint32_t entry = registry->buckets[find_bucket(registry, name)];

    return entry ? entry - 1 : VMRES_VM_NONE;
}
