/* SPDX-License-Identifier: MIT */
/*
 * Where memory comes from.
 *
 * Each object takes an allocator when it is created and uses no other; there is no global hook.
 * Objects are sized by the limits in their options, so memory is asked for at creation and given
 * back at destruction: nothing in between can fail for want of memory. Wherever a
 * `const struct vmres_allocator *` is accepted, NULL means that of the C library.
 */
#ifndef VMRES_ALLOCATOR_H
#define VMRES_ALLOCATOR_H

#include <stddef.h>

#include <vmres/api.h>

VMRES_BEGIN_DECLS

/*
 * An allocator of the embedder's. Objects copy this struct, so it may live on the stack; what
 * `user` points to must outlive them. The two functions come as a pair: both or neither. Neither
 * may call back into the object it serves.
 */
struct vmres_allocator {
    void *user; /* handed to both functions, otherwise never looked at */

    /*
     * Returns `size` bytes aligned for any type, or NULL when there are none. The bytes need not
     * be zeroed. `size` is never 0.
     */
    void *(*allocate)(void *user, size_t size);

    /* Takes back what `allocate` returned. `memory` is never NULL; `size` is what was asked for. */
    void (*release)(void *user, void *memory, size_t size);
};

/*
 * Takes an array of `count` objects of `size` bytes each, zeroed. For whoever writes a backend or a
 * policy. `allocator` may be NULL. Returns NULL when there is no memory, when the product does not
 * fit in a size_t, or when it is 0. The caller owns the array and gives it back to vmres_release().
 * As safe between threads as the allocator is.
 */
VMRES_API VMRES_MUST_USE void *vmres_allocate(const struct vmres_allocator *allocator, size_t count,
                                              size_t size);

/*
 * Gives back what vmres_allocate() returned; `allocator`, `count` and `size` are as they were then.
 * `memory` may be NULL, which does nothing. As safe between threads as the allocator is.
 */
VMRES_API void vmres_release(const struct vmres_allocator *allocator, void *memory, size_t count,
                             size_t size);

VMRES_END_DECLS

#endif
