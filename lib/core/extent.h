/* SPDX-License-Identifier: MIT */
/*
 * Where blocks lie, on a host that gives each VM one contiguous block [front, final) of the real
 * resource. A block's size is its VM's charge; what is not in a block is a hole.
 *
 *     0 | hole | VM a | VM b | hole | VM c | hole | capacity - reserve
 *
 * Blocks are linked in the order of their addresses, which never changes: memory passes from
 * neighbour to neighbour. Invariant: blocks do not overlap, and lie below capacity - reserve.
 */
#ifndef VMRES_CORE_EXTENT_H
#define VMRES_CORE_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

struct kind;
struct vmres_engine;

struct block {
    uint32_t front;        /* first granule */
    uint32_t below, above; /* the neighbours' VM ids, NONE at the ends */
    uint32_t passing;      /* of its charge, what lies here on its way to a VM beyond */
    uint8_t placed;        /* it is linked */
    uint8_t entered_front; /* where the last piece came in */
};

uint32_t vmres__extent_final(const struct kind *kind, uint32_t vm);
uint32_t vmres__extent_hole_below(const struct kind *kind, uint32_t vm);
uint32_t vmres__extent_hole_above(const struct kind *kind, uint32_t vm);
/* First fit: the lowest hole that holds `size`; false if there is none. The charge follows. */
bool vmres__extent_fit(struct kind *kind, uint32_t vm, uint32_t size);
/* A block that was there before us; false if it overlaps another or the end. The charge follows. */
bool vmres__extent_adopt(struct kind *kind, uint32_t vm, uint32_t front, uint32_t size);
/* Whether all blocks lie below `end`. */
bool vmres__extent_fits_below(const struct kind *kind, uint32_t end);
void vmres__extent_remove(struct kind *kind, uint32_t vm);
/* A piece left, or came in, on one side. The charge is the ledger's. */
void vmres__extent_left(struct kind *kind, uint32_t vm, bool front, uint32_t amount);
void vmres__extent_entered(struct kind *kind, uint32_t vm, bool front, uint32_t amount);
/* The piece that came in last is given back. */
void vmres__extent_returned(struct kind *kind, uint32_t vm, uint32_t amount);
/* NULL, or what is wrong with the blocks of this kind. O(n). */
const char *vmres__extent_audit(const struct vmres_engine *engine, const struct kind *kind);

#endif
