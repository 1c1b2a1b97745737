/* SPDX-License-Identifier: MIT */
/*
 * Which name has which number, for as many names as there may be: those of VMs and of a trace's
 * columns. A hash table with open addressing, at most half full; nothing is ever taken out.
 * Invariant: a name has the number it was first added with.
 */
#include <string.h>

#include "config/internal.h"

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261u;

    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 16777619u;
    return value;
}

bool vmres__names_open(struct config_names *names, struct config_arena *arena, size_t room)
{
    size_t slots = 2;

    while (slots / 2 < room)
        slots *= 2;
    *names = (struct config_names){.mask = slots - 1};
    names->slots = vmres__arena_take(arena, slots, sizeof *names->slots);
    return names->slots != NULL;
}

/* The slot of this name, or the empty one where it would go. */
static struct config_name *find_slot(const struct config_names *names, const char *name)
{
    size_t slot = hash(name) & names->mask;

    while (names->slots[slot].name && strcmp(names->slots[slot].name, name) != 0)
        slot = (slot + 1) & names->mask;
    return &names->slots[slot];
}

bool vmres__names_add(struct config_names *names, const char *name, uint32_t number)
{
    struct config_name *slot = find_slot(names, name);

    if (slot->name)
        return false;
    *slot = (struct config_name){name, number};
    return true;
}

uint32_t vmres__names_find(const struct config_names *names, const char *name)
{
    const struct config_name *slot = find_slot(names, name);

    return slot->name ? slot->number : UINT32_MAX;
}
