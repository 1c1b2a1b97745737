/* SPDX-License-Identifier: MIT */
/*
 * Where blocks lie, on a host that gives each VM one contiguous block [front, final) of the real
 * resource. A block's size is its VM's charge; what is not in a block is a hole.
 *
 *     0 | hole | VM a | VM b | hole | VM c | hole | capacity - reserve
 *
 * Blocks are linked in the order of their addresses, which never changes: memory passes from
 * neighbour to neighbour. A VM between is a link: it takes a piece in on one side, then gives as
 * much on the other, one thing at a time.
 *
 * Invariant: blocks do not overlap, and lie below capacity - reserve; no VM is asked to go below
 * `keep`, whatever became of what was to come; none holds more than its ceiling, but for a piece
 * (1/64 of the host) while it passes on.
 */
#ifndef VMRES_CORE_EXTENT_H
#define VMRES_CORE_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

struct kind;
struct vmres_engine;

/* Granted and not taken in, by the side where it lies. */
struct pieces {
    uint32_t front, final;
};

struct block {
    uint32_t front;             /* first granule */
    uint32_t below, above;      /* the neighbours' VM ids, NONE at the ends */
    uint32_t keep;              /* what the VM is to end with, by the last plan: it gives no more */
    uint32_t own;               /* what is charged beyond that only lies here on its way */
    struct pieces untold, told; /* the VM takes in the front ones first */
    bool placed;                /* it is linked */
};

/* Where a search for holes stands: those below this block, or below all, hold at most `largest`. It
 * begins as {NONE, 0}, and is over when anything but its own finds changes. */
struct extent_search {
    uint32_t below, largest;
};

uint32_t vmres__extent_final(const struct kind *kind, uint32_t vm);
uint32_t vmres__extent_hole_below(const struct kind *kind, uint32_t vm);
uint32_t vmres__extent_hole_above(const struct kind *kind, uint32_t vm);
/* First fit: the lowest hole that holds `size`; false if there is none. The charge follows. Where
 * many are placed one after the other, the search spares each the way past all before it. */
bool vmres__extent_fit(struct kind *kind, uint32_t vm, uint32_t size, struct extent_search *search);
/* A block that was there before us; false if it overlaps another or the end. The charge follows. */
bool vmres__extent_adopt(struct kind *kind, uint32_t vm, uint32_t front, uint32_t size);
/* Whether all blocks lie below `end`. */
bool vmres__extent_fits_below(const struct kind *kind, uint32_t end);
void vmres__extent_remove(struct kind *kind, uint32_t vm);
/* A piece left, or came in, on one side; those that came in are told to the VM; it took some in; or
 * it did not, and they are given back. The charge is the ledger's. */
void vmres__extent_left(struct kind *kind, uint32_t vm, bool front, uint32_t amount);
void vmres__extent_entered(struct kind *kind, uint32_t vm, bool front, uint32_t amount);
void vmres__extent_told(struct kind *kind, uint32_t vm);
void vmres__extent_taken_in(struct kind *kind, uint32_t vm, uint32_t amount);
void vmres__extent_returned(struct kind *kind, uint32_t vm, uint32_t amount);

/* Where the block begins as far as the VM was told. */
uint32_t vmres__extent_told_front(const struct kind *kind, uint32_t vm);
/* What of its block is a VM's own: all but what it was granted and did not take in, of which it was
 * not told, or it is the final side's first, for the front is taken in first. One that holds less
 * than that may lie anywhere in it. And where that begins. */
uint32_t vmres__extent_own(const struct kind *kind, uint32_t vm);
uint32_t vmres__extent_own_front(const struct kind *kind, uint32_t vm, uint32_t own);
/* Whether it is known what a VM has of its block: not if it did not take in what it was granted,
 * and was not seen since. */
bool vmres__extent_known(const struct kind *kind, uint32_t vm);
/* The most a VM may be charged with: its ceiling, and while it passes on a piece beyond that. */
uint32_t vmres__extent_most(const struct kind *kind, uint32_t vm);
/* What it may be asked for now on one side, of what is to leave there. */
uint32_t vmres__extent_givable(const struct vmres_engine *engine, uint32_t vm, uint8_t kind,
                               bool up);
/* Of a VM's charge, what only lies there on its way; and all that, of VMs no verdict names. */
uint32_t vmres__extent_passing(const struct kind *kind, uint32_t vm);
uint64_t vmres__extent_on_its_way(const struct vmres_engine *engine, const struct kind *kind);
/* What is to leave and cannot come any more is not waited for. */
void vmres__extent_trim(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
/* Lets policies see what is each VM's own, and puts back what is. */
void vmres__extent_hide(struct vmres_engine *engine, struct kind *kind);
void vmres__extent_show(struct vmres_engine *engine, struct kind *kind);
/* NULL, or what is wrong with the blocks of this kind. O(n). */
const char *vmres__extent_audit(const struct vmres_engine *engine, const struct kind *kind);

#endif
