/* SPDX-License-Identifier: MIT */
/*
 * Memory that is taken in small pieces and given back all at once. A loaded configuration is one
 * arena; the tree it was made from is another, and goes first. Large pieces get a block of their
 * own behind the block in use, so that this keeps its room.
 */
#include <string.h>

#include "config/internal.h"

enum { BLOCK_BYTES = 16384, ALIGNMENT = 16 };

struct config_block {
    struct config_block *next;
    size_t room, used; /* bytes behind this header */
};

/* The header's size, so that what follows it is aligned too. */
static const size_t header =
    (sizeof(struct config_block) + ALIGNMENT - 1) / ALIGNMENT * (size_t)ALIGNMENT;

static struct config_block *add_block(struct config_arena *arena, size_t room)
{
    struct config_block *block = vmres_allocate(&arena->allocator, 1, header + room);

    if (!block)
        return NULL;
    block->room = room;
    if (arena->blocks && room > BLOCK_BYTES) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *vmres__arena_take(struct config_arena *arena, size_t count, size_t size)
{
    struct config_block *block = arena->blocks;
    size_t bytes;
    char *piece;

    if (count == 0 || size == 0 || count > (SIZE_MAX / 2) / size)
        return NULL;
    bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!block || block->room - block->used < bytes)
        block = add_block(arena, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES);
    if (!block)
        return NULL;
    piece = (char *)block + header + block->used;
    block->used += bytes;
    return piece;
}

char *vmres__arena_copy(struct config_arena *arena, const char *text, size_t length)
{
    char *copy = vmres__arena_take(arena, length + 1, 1);

    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void vmres__arena_release(struct config_arena *arena)
{
    while (arena->blocks) {
        struct config_block *block = arena->blocks;

        arena->blocks = block->next;
        vmres_release(&arena->allocator, block, 1, header + block->room);
    }
}
