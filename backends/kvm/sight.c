/* SPDX-License-Identifier: MIT */
/*
 * What a guest sees of the memory it was given. QEMU says that a block is plugged as soon as the
 * guest's driver took it; whether its kernel brought it online, and so can use it, only the total
 * tells that the guest says it has.
 *
 * The total is never what the VM holds: a kernel keeps some of it to itself, and while some guests
 * count a balloon as memory that is gone, others count it as used. So it is compared with what it
 * was before the VM grew; and how a guest counts a balloon is learnt when nothing but the balloon
 * moved. A total counts as that of a size when the VM had this size before and after it was taken.
 *
 * All of it is the guest's own word, and it is believed for what it is: who claims to see too much
 * is charged with it all the same, who claims to see nothing gets it taken away. Where nobody tells
 * a total, QEMU's word has to do.
 */
#include "internal.h"

#define LOOKS 3u        /* idle looks: so long a guest may take, */
#define SILENT_MS 3000u /* and for so long say nothing: its statistics come once a second */
#define SPURN_LOOKS 60u
#define DOUBLINGS_MOST 6u
#define MOVED_LEAST ((int64_t)1 << 20) /* of a balloon, to learn from */
#define SLACK ((int64_t)256 << 10)     /* what comes and goes by itself, */
#define SLACK_PART 8                   /* and what the kernel takes to manage the rest */

static struct kvm_sizes sizes_of(const struct kvm_vm *vm)
{
    struct kvm_sizes sizes = {.base = (int64_t)vm->parts.rest};

    for (uint32_t i = 0; i < vm->parts.count; i++) {
        const struct kvm_part *part = &vm->parts.parts[i];

        if (part->mechanism->device == VMRES_KVM_BALLOON)
            sizes.base += (int64_t)part->now;
        else
            sizes.blocks += (int64_t)part->now;
    }
    return sizes;
}

/* By how much the guest's total should have grown from one size to another. As long as it is not
 * known how it counts a balloon it is not expected to see one deflate. */
static int64_t growth(const struct kvm_sight *sight, struct kvm_sizes from, struct kvm_sizes to)
{
    int64_t base = to.base - from.base;

    if (sight->counting == KVM_COUNTS_USED || (sight->counting == KVM_COUNTS_UNKNOWN && base > 0))
        base = 0;
    return base + to.blocks - from.blocks;
}

static bool is_near(int64_t a, int64_t b, int64_t moved)
{
    int64_t most = (moved < 0 ? -moved : moved) / SLACK_PART + SLACK;

    return a - b <= most && b - a <= most;
}

/* The total told last is that of this size. */
static void learn(struct kvm_vm *vm)
{
    struct kvm_sight *sight = &vm->sight;
    int64_t moved = sight->sizes.base - sight->known.base;
    int64_t seen = sight->total - sight->known_total;

    if (sight->total > sight->sizes.base + sight->sizes.blocks)
        sight->counting = KVM_COUNTS_USED; /* more than it holds: the balloon is among it */
    else if (sight->known_total != 0 && sight->sizes.blocks == sight->known.blocks &&
             (moved >= MOVED_LEAST || moved <= -MOVED_LEAST)) {
        if (is_near(seen, moved, moved))
            sight->counting = KVM_COUNTS_GONE;
        else if (is_near(seen, 0, moved))
            sight->counting = KVM_COUNTS_USED;
    }
    if (sight->growing)
        return;
    sight->known = sight->sizes;
    sight->known_total = sight->total;
}

static void spurn(struct kvm_vm *vm, bool spurned)
{
    for (uint32_t i = 0; i < vm->parts.count; i++)
        if (vm->parts.parts[i].mechanism->device == VMRES_KVM_VIRTIO_MEM)
            vm->parts.parts[i].spurned = spurned;
    vm->sight.spurned = spurned;
}

void vmres__kvm_sight_look(struct kvm_vm *vm)
{
    struct kvm_sight *sight = &vm->sight;
    struct kvm_sizes sizes = sizes_of(vm);

    sight->tick++;
    if (sizes.base != sight->sizes.base || sizes.blocks != sight->sizes.blocks) {
        sight->sizes = sizes;
        sight->since = sight->tick;
        sight->since_ms = kvm_now(vm);
    } else if (sight->fits) {
        learn(vm);
    }
    sight->fits = false;
    if (sight->spurned && kvm_now(vm) >= sight->spurned_ms)
        spurn(vm, false); /* it may have been set up otherwise meanwhile */
}

/* Whether there is something that its guest should see, and says so. */
static bool is_awaited(const struct kvm_sight *sight)
{
    return sight->growing && sight->known_total != 0 &&
           growth(sight, sight->from, sight->sizes) > 0;
}

uint64_t vmres__kvm_sight_missing(const struct kvm_vm *vm)
{
    const struct kvm_sight *sight = &vm->sight;
    int64_t awaited, missing;

    if (!is_awaited(sight))
        return 0;
    awaited = growth(sight, sight->from, sight->sizes);
    if (sight->taken < sight->grown)
        return (uint64_t)awaited;
    missing = sight->known_total + growth(sight, sight->known, sight->sizes) - sight->total;
    if (missing <= awaited / SLACK_PART + SLACK)
        return 0;
    return (uint64_t)(missing < awaited ? missing : awaited);
}

void vmres__kvm_sight_told(struct kvm_vm *vm, uint64_t total, uint64_t since)
{
    struct kvm_sight *sight = &vm->sight;

    if (total == KVM_UNKNOWN)
        return;
    sight->total = (int64_t)total;
    sight->taken = since;
    sight->fits = since >= sight->since;
    if (is_awaited(sight) && vm->look_ms != KVM_NEVER && vmres__kvm_sight_missing(vm) == 0)
        vm->look_ms = kvm_now(vm); /* it is all there: say so */
}

void vmres__kvm_sight_renew(struct kvm_vm *vm)
{
    spurn(vm, false);
    vm->sight = (struct kvm_sight){.tick = vm->sight.tick + 1,
                                   .sizes = vm->sight.sizes,
                                   .since = vm->sight.tick + 1,
                                   .since_ms = kvm_now(vm),
                                   .hushed = vm->sight.hushed};
}

void vmres__kvm_sight_grow(struct kvm_vm *vm, bool growing)
{
    struct kvm_sight *sight = &vm->sight;

    if (growing && !sight->growing) {
        sight->from = sight->sizes;
        sight->grown = ++sight->tick;
    }
    sight->growing = growing;
}

enum kvm_sighting vmres__kvm_sight_judge(struct kvm_vm *vm)
{
    struct kvm_sight *sight = &vm->sight;
    uint64_t waited;

    if (!is_awaited(sight))
        return KVM_UNTOLD;
    if (vmres__kvm_sight_missing(vm) == 0)
        return KVM_SEEN;
    waited = kvm_now(vm) - sight->since_ms;
    if (sight->taken >= sight->since)
        return waited < (uint64_t)LOOKS * vm->kvm->options.idle_ms ? KVM_AWAITED : KVM_UNSEEN;
    return waited < SILENT_MS ? KVM_AWAITED : KVM_UNTOLD;
}

void vmres__kvm_sight_wake(struct kvm_vm *vm)
{
    struct kvm_sight *sight = &vm->sight;
    uint64_t now = kvm_now(vm);

    if (now < sight->wake_ms)
        return;
    sight->wake_ms = now + kvm_max(vm->kvm->options.poll_ms, (now - sight->since_ms) / 8);
    if (kvm_balloon(vm))
        sight->wake = true;
    else if (vmres__kvm_agent_ask(vm))
        sight->wake_ms = now + vm->kvm->options.idle_ms;
}

bool vmres__kvm_sight_spurn(struct kvm_vm *vm)
{
    struct kvm_sight *sight = &vm->sight;
    uint32_t doublings = sight->failures < DOUBLINGS_MOST ? sight->failures : DOUBLINGS_MOST;
    uint64_t pause = (uint64_t)SPURN_LOOKS * vm->kvm->options.idle_ms;

    if (sight->sizes.blocks <= sight->from.blocks)
        return false;
    sight->failures++;
    sight->spurned_ms = kvm_now(vm) + (pause << doublings);
    vm->unseen++;
    vmres__kvm_part_take_back(&vm->parts, vmres__kvm_sight_missing(vm));
    spurn(vm, true);
    return true;
}
