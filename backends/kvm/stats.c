/* SPDX-License-Identifier: MIT */
/*
 * The balloon's statistics: what the guest's driver says about its memory, once a second, by way of
 * QEMU.
 *
 * Only "it has changed" is taken from QEMU's time stamp: it is of another clock, and 0 or an old
 * one proves nothing. The first change heard shows that there is a driver. Guests count a balloon
 * in two ways: either their total shrinks by it, or the total stays and the balloon counts as used.
 * In both the available memory is the same, so that alone is taken, and what is used is the VM's
 * size at that time less it. If the size moved meanwhile, the largest one counts: rather too much
 * in use than too little.
 */
#include "internal.h"

json_t *vmres__kvm_stats_ask(const struct kvm_vm *vm)
{
    const struct kvm_part *balloon = vmres__kvm_part_find(&vm->parts, VMRES_KVM_BALLOON);

    if (!balloon)
        return NULL;
    return json_pack("{s:s, s:{s:s, s:s}}", "execute", "qom-get", "arguments", "path",
                     balloon->path, "property", "guest-stats");
}

static uint64_t value_of(const json_t *stats, const char *key)
{
    uint64_t value;

    return vmres__kvm_json_amount(json_object_get(stats, key), &value) ? value : KVM_UNKNOWN;
}

/* Returns whether the guest has spoken since this was last asked. */
static bool is_news(struct kvm_vm *vm, uint64_t update)
{
    bool news = vm->stats_update != KVM_UNKNOWN && update != vm->stats_update;

    vm->stats_update = update;
    return news;
}

/* The stamp counts seconds: within one, another total is news as well. */
static void take_total(struct kvm_vm *vm, uint64_t total, bool news)
{
    if (vm->stats_tick != 0 && (news || total != vm->stats_total))
        vmres__kvm_sight_told(vm, total, vm->stats_tick);
    vm->stats_total = total;
    vm->stats_tick = vm->sight.tick;
}

void vmres__kvm_stats_take(struct kvm_vm *vm, const json_t *value)
{
    const json_t *stats = json_object_get(value, "stats");
    uint64_t update = value_of(value, "last-update");
    uint64_t available = value_of(stats, "stat-available-memory");
    uint64_t free = value_of(stats, "stat-free-memory");
    uint64_t held = vm->peak;
    bool news = update != KVM_UNKNOWN && is_news(vm, update);

    vm->peak = vmres__kvm_part_held(&vm->parts);
    take_total(vm, value_of(stats, "stat-total-memory"), news);
    if (!news)
        return;
    vm->heard = true;
    if (available == KVM_UNKNOWN)
        available = free; /* drivers of old tell only this: rather too little */
    if (available == KVM_UNKNOWN)
        return;
    available = vmres__kvm_sample_without_dregs(vm, available);
    vm->sample = (struct kvm_sample){.used = held - kvm_min(available, held),
                                     .free = free,
                                     .held = held,
                                     .taken_ms = kvm_now(vm)};
}
