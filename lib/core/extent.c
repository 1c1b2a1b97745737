/* SPDX-License-Identifier: MIT */
/*
 * Blocks and holes of a contiguous host: who lies where, where a new one fits, what may pass
 * through. Knows addresses, not who should have what.
 */
#include "extent.h"

#include <assert.h>

#include "internal.h"

#define PIECES 64u /* a piece is this part of the host */

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
static void link_above(struct kind *kind, uint32_t vm, uint32_t below, uint32_t front,
                       uint32_t size)
{
    uint32_t above = below == NONE ? kind->lowest : kind->blocks[below].above;

    kind->blocks[vm] = (struct block){
        .front = front, .below = below, .above = above, .keep = size, .own = size, .placed = true};
    if (above != NONE)
        kind->blocks[above].below = vm;
    if (below != NONE)
        kind->blocks[below].above = vm;
    else
        kind->lowest = vm;
}

bool vmres__extent_fit(struct kind *kind, uint32_t vm, uint32_t size, struct extent_search *search)
{
    if (size <= search->largest)
        *search = (struct extent_search){NONE, 0};
    for (;;) {
        uint32_t below = search->below;
        uint32_t above = below == NONE ? kind->lowest : kind->blocks[below].above;
        uint32_t from = below == NONE ? 0 : vmres__extent_final(kind, below);
        uint32_t to = above == NONE ? end_of_host(kind) : kind->blocks[above].front;

        if (to - from >= size) {
            link_above(kind, vm, below, from, size);
            search->below = vm;
            return true;
        }
        if (above == NONE)
            return false;
        search->below = above;
        search->largest = max_u32(search->largest, to - from);
    }
}

bool vmres__extent_adopt(struct kind *kind, uint32_t vm, uint32_t front, uint32_t size)
{
    uint32_t below = NONE, above = kind->lowest;
    uint32_t from, to;

    while (above != NONE &&
           (kind->blocks[above].front < front || vmres__extent_final(kind, above) <= front)) {
        below = above;
        above = kind->blocks[above].above;
    }
    from = below == NONE ? 0 : vmres__extent_final(kind, below);
    to = above == NONE ? end_of_host(kind) : kind->blocks[above].front;
    if (front < from || front > to || to - front < size)
        return false;
    link_above(kind, vm, below, front, size);
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

/* --- pieces --- */

void vmres__extent_left(struct kind *kind, uint32_t vm, bool front, uint32_t amount)
{
    if (front)
        kind->blocks[vm].front += amount;
}

void vmres__extent_entered(struct kind *kind, uint32_t vm, bool front, uint32_t amount)
{
    struct block *block = &kind->blocks[vm];

    if (kind->accounts[vm].unincorporated == 0)
        block->untold = block->told = (struct pieces){0, 0};
    if (front) {
        assert(block->front >= amount);
        block->front -= amount;
        block->untold.front += amount;
    } else {
        block->untold.final += amount;
    }
}

void vmres__extent_told(struct kind *kind, uint32_t vm)
{
    struct block *block = &kind->blocks[vm];

    block->told.front += block->untold.front;
    block->told.final += block->untold.final;
    block->untold = (struct pieces){0, 0};
}

void vmres__extent_taken_in(struct kind *kind, uint32_t vm, uint32_t amount)
{
    struct pieces *told = &kind->blocks[vm].told;
    uint32_t front = min_u32(amount, told->front);

    told->front -= front;
    told->final -= min_u32(amount - front, told->final);
}

uint32_t vmres__extent_told_front(const struct kind *kind, uint32_t vm)
{
    return kind->blocks[vm].front + kind->blocks[vm].untold.front;
}

static uint32_t granted_of(const struct block *block)
{
    return block->untold.front + block->untold.final + block->told.front + block->told.final;
}

uint32_t vmres__extent_own(const struct kind *kind, uint32_t vm)
{
    uint32_t charge = kind->views[vm].charge;
    uint32_t granted = min_u32(granted_of(&kind->blocks[vm]), charge);

    return max_u32(kind->views[vm].held, charge - granted);
}

uint32_t vmres__extent_own_front(const struct kind *kind, uint32_t vm, uint32_t own)
{
    const struct pieces *told = &kind->blocks[vm].told, *untold = &kind->blocks[vm].untold;
    uint32_t lacks = kind->views[vm].charge - own;
    uint32_t rest = lacks - min_u32(lacks, untold->front + untold->final);

    return kind->blocks[vm].front + min_u32(lacks, untold->front) + rest -
           min_u32(rest, told->final);
}

void vmres__extent_returned(struct kind *kind, uint32_t vm, uint32_t amount)
{
    struct block *block = &kind->blocks[vm];

    block->front = vmres__extent_own_front(kind, vm, kind->views[vm].charge - amount);
    block->untold = block->told = (struct pieces){0, 0};
}

/* --- passing on --- */

bool vmres__extent_known(const struct kind *kind, uint32_t vm)
{
    return kind->accounts[vm].unincorporated > 0 || granted_of(&kind->blocks[vm]) == 0;
}

uint32_t vmres__extent_most(const struct kind *kind, uint32_t vm)
{
    const struct vmres_view *view = &kind->views[vm];

    return view->ceiling + (view->outgoing > 0 ? max_u32(end_of_host(kind) / PIECES, 1) : 0);
}

/* What a VM is to end with, and no less than its floor if it has as much, be it on its way to
 * another: the floor may have come up since the plan. */
static uint32_t keeps(const struct kind *kind, uint32_t vm)
{
    const struct vmres_view *view = &kind->views[vm];

    return max_u32(kind->blocks[vm].keep, min_u32(view->floor, view->charge));
}

uint32_t vmres__extent_givable(const struct vmres_engine *engine, uint32_t vm, uint8_t kind_index,
                               bool up)
{
    const struct kind *kind = &engine->kinds[kind_index];
    const struct block *block = &kind->blocks[vm];
    uint32_t has = kind->views[vm].charge - kind->accounts[vm].untold;
    uint32_t beyond = up ? block->above : block->below;
    uint32_t to_pool = 0, to_beyond = 0;

    if ((up ? block->untold.final : block->untold.front) > 0)
        return 0; /* not the VM's yet: it is told first */
    if (!vmres__extent_known(kind, vm))
        return 0;
    for (uint32_t i = kind->accounts[vm].outgoing; i != NONE; i = engine->transfers[i].out_next) {
        const struct transfer *t = &engine->transfers[i];

        if (t->up == up && t->recipient == VMRES_VM_NONE)
            to_pool += t->asked - t->released;
        else if (t->up == up)
            to_beyond += t->asked - t->released;
    }
    if (beyond != NONE) {
        uint32_t most = vmres__extent_most(kind, beyond), charge = kind->views[beyond].charge;

        to_beyond = min_u32(to_beyond, most - min_u32(most, charge));
    }
    return min_u32(to_pool + to_beyond, has - min_u32(has, keeps(kind, vm)));
}

uint32_t vmres__extent_passing(const struct kind *kind, uint32_t vm)
{
    uint32_t charge = kind->views[vm].charge;

    return charge - min_u32(charge, kind->blocks[vm].own);
}

uint64_t vmres__extent_on_its_way(const struct vmres_engine *engine, const struct kind *kind)
{
    uint64_t sum = 0;

    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above)
        sum += engine->work.verdict.set[vm] ? 0 : vmres__extent_passing(kind, vm);
    return sum;
}

void vmres__extent_trim(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct vmres_view *view = view_of(engine, vm, kind);
    uint64_t has = (uint64_t)view->charge + view->incoming;
    uint64_t needs = (uint64_t)keeps(&engine->kinds[kind], vm) + view->outgoing;
    uint32_t index = account_of(engine, vm, kind)->outgoing;
    uint32_t missing = has < needs ? min_u32((uint32_t)(needs - has), view->outgoing) : 0;

    while (index != NONE && missing > 0) {
        const struct transfer *t = &engine->transfers[index];
        uint32_t next = t->out_next;
        uint32_t amount = min_u32(missing, t->asked - t->released);

        missing -= amount;
        if (amount > 0)
            vmres__transfer_trim(engine, index, amount);
        index = next;
    }
}

/* --- what a policy sees --- */

static void hide(const struct block *block, struct vmres_view *view)
{
    uint32_t own = min_u32(view->charge, block->own), passing = view->charge - own;

    view->charge = own;
    view->held = min_u32(view->held, own);
    view->used = min_u32(view->used, view->held);
    view->available -= min_u32(view->available, passing);
    view->free = min_u32(view->free, view->available);
    view->incoming = min_u32(view->incoming, block->keep - min_u32(block->keep, own));
    view->outgoing = min_u32(view->outgoing, own - min_u32(block->keep, own));
}

void vmres__extent_hide(struct vmres_engine *engine, struct kind *kind)
{
    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above) {
        engine->work.views[vm] = kind->views[vm];
        hide(&kind->blocks[vm], &kind->views[vm]);
    }
}

void vmres__extent_show(struct vmres_engine *engine, struct kind *kind)
{
    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above)
        kind->views[vm] = engine->work.views[vm];
}

/* --- audit --- */

/* An account that is still to be settled may have been promised what cannot come any more. */
static const char *audit_block(const struct kind *kind, uint32_t vm)
{
    const struct vmres_view *view = &kind->views[vm];
    const struct block *block = &kind->blocks[vm];
    const struct account *account = &kind->accounts[vm];
    uint32_t untold = block->untold.front + block->untold.final;
    uint32_t told = block->told.front + block->told.final;

    if (account->unincorporated > 0 &&
        (untold != account->untold || untold + told != account->unincorporated))
        return "where a piece lies is not known";
    if (!(account->flags & ACCOUNT_DIRTY) &&
        (uint64_t)view->outgoing > (uint64_t)view->charge + view->incoming)
        return "a link is to give what does not come";
    return NULL;
}

const char *vmres__extent_audit(const struct vmres_engine *engine, const struct kind *kind)
{
    uint32_t end = 0, count = 0, below = NONE;
    const char *wrong = NULL;

    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above) {
        const struct block *block = &kind->blocks[vm];

        if (!block->placed || block->below != below || ++count > engine->max_vms)
            return "the chain of blocks is broken";
        if (block->front < end)
            return "two blocks overlap";
        wrong = audit_block(kind, vm);
        if (wrong)
            return wrong;
        end = vmres__extent_final(kind, vm);
        below = vm;
    }
    for (uint32_t vm = 0; vm < engine->top; vm++)
        if (!kind->blocks[vm].placed && kind->views[vm].charge > 0)
            return "a charge has no block";
    return end > end_of_host(kind) ? "a block lies beyond the host" : NULL;
}
