/* SPDX-License-Identifier: MIT */
/*
 * The only file of the core that knows the C library's heap. Every array is zeroed, and no product
 * of count and size overflows unseen.
 */
#include <vmres/allocator.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *vmres_allocate(const struct vmres_allocator *allocator, size_t count, size_t size)
{
    void *memory;

    if (count == 0 || size == 0 || count > SIZE_MAX / size)
        return NULL;
    if (!allocator || !allocator->allocate)
        return calloc(count, size);
    memory = allocator->allocate(allocator->user, count * size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

void vmres_release(const struct vmres_allocator *allocator, void *memory, size_t count, size_t size)
{
    if (!memory)
        return;
    if (!allocator || !allocator->release)
        free(memory);
    else
        allocator->release(allocator->user, memory, count * size);
}
