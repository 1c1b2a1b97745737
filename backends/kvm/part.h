/* SPDX-License-Identifier: MIT */
/*
 * What a VM's memory is made of: parts that a device can move, each by its mechanism, and a rest
 * that none can. part.c divides a size among them; balloon.c and virtio_mem.c know how to say it.
 */
#ifndef VMRES_KVM_PART_H
#define VMRES_KVM_PART_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <vmres/kvm.h>

#define KVM_PARTS_MAX 8u
#define KVM_PATH_ROOM 128u /* of a device in QEMU's tree of objects */
#define KVM_PAGE ((uint64_t)4096)
#define KVM_UNKNOWN UINT64_MAX

static inline uint64_t kvm_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t kvm_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a - b, or 0. */
static inline uint64_t kvm_less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

struct kvm_part;
struct kvm_mechanism {
    enum vmres_kvm_device device;
    uint64_t piece; /* that is worth asking for by itself; 0: all is asked for at once */
    /* The commands that set a part's size, and that read it; NULL: no memory. */
    json_t *(*set)(const struct kvm_part *part, uint64_t size);
    json_t *(*read)(const struct kvm_part *part);
    /* What the reply to read says; false: nonsense. */
    bool (*size)(const json_t *value, uint64_t *size);
};
extern const struct kvm_mechanism vmres__kvm_balloon, vmres__kvm_virtio_mem;

struct kvm_part {
    const struct kvm_mechanism *mechanism;
    char path[KVM_PATH_ROOM];
    uint64_t block, most;
    uint64_t now;       /* as last read, or KVM_UNKNOWN */
    uint64_t wanted;    /* what it should be, or KVM_UNKNOWN: that was not decided yet */
    uint64_t telling;   /* what QEMU is being told, until it answers */
    uint64_t told;      /* what it was told, or KVM_UNKNOWN */
    uint64_t requested; /* virtio-mem: what QEMU says it was told, whoever did */
    bool read;          /* `now` is younger than the wish to know */
    bool fixed;         /* it can be read, but not moved */
    bool spurned;       /* it can give, but the guest has no use for more of it */
};
struct kvm_parts {
    struct kvm_part parts[KVM_PARTS_MAX]; /* in the order in which they give */
    uint32_t count;
    uint64_t rest; /* memory that no device can move */
};
uint64_t vmres__kvm_part_held(const struct kvm_parts *parts);
uint64_t vmres__kvm_part_limit(const struct kvm_parts *parts);
/* What of it cannot be taken away, whatever happens. */
uint64_t vmres__kvm_part_least(const struct kvm_parts *parts);
/* Chooses what each part should be, so that together they hold `target`: when shrinking no part
 * grows, when growing none shrinks. */
void vmres__kvm_part_aim(struct kvm_parts *parts, uint64_t target);
/* Chooses them so that `amount`, in whole blocks, is unplugged of what virtio-mem holds. */
void vmres__kvm_part_take_back(struct kvm_parts *parts, uint64_t amount);
/* Each should stay what it is, and be told so whatever it was told before. */
void vmres__kvm_part_stay(struct kvm_parts *parts);
/* What QEMU is to be told of it now, on the way to what it should be. */
uint64_t vmres__kvm_part_next(const struct kvm_part *part);
/* Whether each is what it should be. */
bool vmres__kvm_part_settled(const struct kvm_parts *parts);
/* Whether all have been read since it was asked for. */
bool vmres__kvm_part_read(const struct kvm_parts *parts);
bool vmres__kvm_part_movable(const struct kvm_parts *parts, enum vmres_kvm_device device);
const struct kvm_part *vmres__kvm_part_find(const struct kvm_parts *parts,
                                            enum vmres_kvm_device device);

#endif
