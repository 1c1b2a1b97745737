/* SPDX-License-Identifier: MIT */
/*
 * Blocks and holes of a contiguous host: who lies where, where a new one fits. Knows addresses, not
 * who should have what.
 */
#include "extent.h"

#include <assert.h>

#include "internal.h"

static uint32_t end_of_host(const struct kind *kind)
{
    return (uint32_t)(kind->ledger.capacity - kind->ledger.reserve);
}

uint32_t vmres__extent_final(const struct kind *kind, uint32_t vm)
{
    return kind->blocks[vm].front + kind->views[vm].charge;
}

uint32_t vmres__extent_hole_below(const struct kind *kind, uint32_t vm)
{
    uint32_t below = kind->blocks[vm].below;

    return kind->blocks[vm].front - (below == NONE ? 0 : vmres__extent_final(kind, below));
}

uint32_t vmres__extent_hole_above(const struct kind *kind, uint32_t vm)
{
    uint32_t above = kind->blocks[vm].above;

    return (above == NONE ? end_of_host(kind) : kind->blocks[above].front) -
           vmres__extent_final(kind, vm);
}

/* Links a block in above `below`, which may be NONE. */
static void link_above(struct kind *kind, uint32_t vm, uint32_t below, uint32_t front)
{
    uint32_t above = below == NONE ? kind->lowest : kind->blocks[below].above;

    kind->blocks[vm] = (struct block){.front = front, .below = below, .above = above, .placed = 1};
    if (above != NONE)
        kind->blocks[above].below = vm;
    if (below != NONE)
        kind->blocks[below].above = vm;
    else
        kind->lowest = vm;
}

bool vmres__extent_fit(struct kind *kind, uint32_t vm, uint32_t size)
{
    uint32_t below = NONE, above = kind->lowest;

    for (;;) {
        uint32_t from = below == NONE ? 0 : vmres__extent_final(kind, below);
        uint32_t to = above == NONE ? end_of_host(kind) : kind->blocks[above].front;

        if (to - from >= size) {
            link_above(kind, vm, below, from);
            return true;
        }
        if (above == NONE)
            return false;
        below = above;
        above = kind->blocks[above].above;
    }
}

bool vmres__extent_adopt(struct kind *kind, uint32_t vm, uint32_t front, uint32_t size)
{
    uint32_t below = NONE, above = kind->lowest;
    uint32_t from, to;

    while (above != NONE && kind->blocks[above].front < front) {
        below = above;
        above = kind->blocks[above].above;
    }
    from = below == NONE ? 0 : vmres__extent_final(kind, below);
    to = above == NONE ? end_of_host(kind) : kind->blocks[above].front;
    if (front < from || front > to || to - front < size)
        return false;
    link_above(kind, vm, below, front);
    return true;
}

bool vmres__extent_fits_below(const struct kind *kind, uint32_t end)
{
    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above)
        if (vmres__extent_final(kind, vm) > end)
            return false;
    return true;
}

void vmres__extent_remove(struct kind *kind, uint32_t vm)
{
    struct block *block = &kind->blocks[vm];

    if (!block->placed)
        return;
    if (block->above != NONE)
        kind->blocks[block->above].below = block->below;
    if (block->below != NONE)
        kind->blocks[block->below].above = block->above;
    else
        kind->lowest = block->above;
    *block = (struct block){.below = NONE, .above = NONE};
}

void vmres__extent_left(struct kind *kind, uint32_t vm, bool front, uint32_t amount)
{
    struct block *block = &kind->blocks[vm];

    if (front)
        block->front += amount;
    block->passing -= min_u32(block->passing, amount);
}

void vmres__extent_entered(struct kind *kind, uint32_t vm, bool front, uint32_t amount)
{
    struct block *block = &kind->blocks[vm];
    uint32_t through = kind->views[vm].outgoing;

    if (front) {
        assert(block->front >= amount);
        block->front -= amount;
    }
    block->entered_front = front;
    /* What comes in while as much is to go on lies here only on its way. */
    if (through > block->passing)
        block->passing += min_u32(amount, through - block->passing);
}

void vmres__extent_returned(struct kind *kind, uint32_t vm, uint32_t amount)
{
    vmres__extent_left(kind, vm, kind->blocks[vm].entered_front, amount);
}

const char *vmres__extent_audit(const struct vmres_engine *engine, const struct kind *kind)
{
    uint32_t end = 0, count = 0, below = NONE;

    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above) {
        const struct block *block = &kind->blocks[vm];

        if (!block->placed || block->below != below || ++count > engine->max_vms)
            return "the chain of blocks is broken";
        if (block->front < end)
            return "two blocks overlap";
        if (block->passing > kind->views[vm].charge)
            return "more passes through a block than it holds";
        end = vmres__extent_final(kind, vm);
        below = vm;
    }
    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (!kind->blocks[vm].placed && kind->views[vm].charge > 0)
            return "a charge has no block";
    return end > end_of_host(kind) ? "a block lies beyond the host" : NULL;
}
