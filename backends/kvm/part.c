/* SPDX-License-Identifier: MIT */
/*
 * How a VM's size is divided among its devices. Pure arithmetic.
 *
 * The parts lie in the order in which they give: virtio-mem devices, then the balloon; they take in
 * the opposite order. So a balloon is empty before a block is plugged, and the blocks go before the
 * balloon is filled. Invariant: a shrinking VM has no part that grows, a growing one none that
 * shrinks, so that whatever moves first, the VM never holds more than the larger of both sizes.
 */
#include "internal.h"

uint64_t vmres__kvm_part_held(const struct kvm_parts *parts)
{
    uint64_t held = parts->rest;

    for (uint32_t i = 0; i < parts->count; i++)
        held += parts->parts[i].now;
    return held;
}

/* It cannot grow. */
static bool is_stuck(const struct kvm_part *part)
{
    return part->fixed || part->spurned;
}

uint64_t vmres__kvm_part_limit(const struct kvm_parts *parts)
{
    uint64_t limit = parts->rest;

    for (uint32_t i = 0; i < parts->count; i++)
        limit += is_stuck(&parts->parts[i]) ? parts->parts[i].now : parts->parts[i].most;
    return limit;
}

uint64_t vmres__kvm_part_least(const struct kvm_parts *parts)
{
    uint64_t least = parts->rest;

    for (uint32_t i = 0; i < parts->count; i++)
        least += parts->parts[i].fixed ? parts->parts[i].now : 0;
    return least;
}

static void shrink(struct kvm_parts *parts, uint64_t amount)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        struct kvm_part *part = &parts->parts[i];
        uint64_t give = part->fixed ? 0 : kvm_min(amount, part->now);

        give -= give % part->block;
        part->wanted = part->now - give;
        amount -= give;
    }
}

static void grow(struct kvm_parts *parts, uint64_t amount)
{
    for (uint32_t i = parts->count; i-- > 0;) {
        struct kvm_part *part = &parts->parts[i];
        uint64_t take = is_stuck(part) ? 0 : kvm_min(amount, kvm_less(part->most, part->now));

        take -= take % part->block;
        part->wanted = part->now + take;
        amount -= take;
    }
}

void vmres__kvm_part_aim(struct kvm_parts *parts, uint64_t target)
{
    uint64_t held = vmres__kvm_part_held(parts);

    if (target < held)
        shrink(parts, held - target);
    else
        grow(parts, target - held);
}

void vmres__kvm_part_take_back(struct kvm_parts *parts, uint64_t amount)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        struct kvm_part *part = &parts->parts[i];
        uint64_t give = kvm_min(amount, part->now);

        part->wanted = part->now;
        if (part->fixed || part->mechanism->device != VMRES_KVM_VIRTIO_MEM)
            continue;
        amount -= give;
        give += (part->block - give % part->block) % part->block;
        part->wanted = kvm_less(part->now, give);
    }
}

void vmres__kvm_part_stay(struct kvm_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        parts->parts[i].wanted = parts->parts[i].now;
        parts->parts[i].told = KVM_UNKNOWN;
    }
}

/* Half of what is to go, and then half of the rest, down to a piece. Asked for all, a guest gives
 * as much as it can in one step, of which nothing is seen before its end; so somebody else takes in
 * one half while the other is on its way. */
uint64_t vmres__kvm_part_next(const struct kvm_part *part)
{
    uint64_t piece = part->mechanism->piece;
    uint64_t rest = kvm_less(part->now, part->wanted);

    if (piece == 0 || part->now == KVM_UNKNOWN || rest <= piece)
        return part->wanted;
    if (part->told >= part->wanted && part->told < part->now)
        return part->told; /* it is on its way there */
    piece = kvm_max(rest / 2, piece);
    return part->now - kvm_max(piece - piece % part->block, part->block);
}

bool vmres__kvm_part_settled(const struct kvm_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct kvm_part *part = &parts->parts[i];

        if (!part->fixed && part->wanted != KVM_UNKNOWN &&
            (part->now != part->wanted || part->told != part->wanted))
            return false;
    }
    return true;
}

bool vmres__kvm_part_read(const struct kvm_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (!parts->parts[i].read)
            return false;
    return true;
}

bool vmres__kvm_part_movable(const struct kvm_parts *parts, enum vmres_kvm_device device)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->parts[i].mechanism->device == device && !parts->parts[i].fixed)
            return true;
    return false;
}

const struct kvm_part *vmres__kvm_part_find(const struct kvm_parts *parts,
                                            enum vmres_kvm_device device)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->parts[i].mechanism->device == device)
            return &parts->parts[i];
    return NULL;
}
