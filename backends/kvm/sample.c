/* SPDX-License-Identifier: MIT */
/*
 * What an agent's numbers mean. All of them are a guest's word: what is no whole number or beyond
 * what the host knows is cut down or left out, and then they are a sample like any other.
 *
 * A stall is the share of the guest's own time in which some task waited for memory, since the last
 * inquiry; of a notice that comes soon after one, since the one before. And a guest that stalls has
 * always something left that it calls available: pages and slabs that nobody can really have. The
 * least of that seen while it stalled is taken off from then on, so that "nothing is available" is
 * told as such, and nobody is asked for what cannot be given.
 */
#include "internal.h"

#define STALL_NEAR_US 250000u            /* a shorter time tells little */
#define STALL_FAR_US (3600ull * 1000000) /* and a longer one is of another age */
#define STALL_LITTLE (VMRES_STALL_ONE / 100)
#define DREGS_PART 8u /* this part of the guest, and no more, is believed to be dregs */

static uint64_t number_of(const json_t *object, const char *key, uint64_t otherwise)
{
    uint64_t number;

    return vmres__kvm_json_amount(json_object_get(object, key), &number) ? number : otherwise;
}

static struct kvm_mark mark_of(const json_t *object)
{
    return (struct kvm_mark){.time_us = number_of(object, "time_us", KVM_UNKNOWN),
                             .some_us = number_of(object, "some_us", KVM_UNKNOWN)};
}

/* The stall between two moments; false: they do not tell. */
static bool stall_between(const struct kvm_mark *from, const struct kvm_mark *to, uint16_t *stall)
{
    uint64_t time_us = kvm_less(to->time_us, from->time_us);

    if (from->time_us == KVM_UNKNOWN || to->time_us == KVM_UNKNOWN || to->some_us == KVM_UNKNOWN ||
        from->some_us == KVM_UNKNOWN || time_us == 0 || time_us > STALL_FAR_US)
        return false;
    *stall = (uint16_t)(kvm_min(kvm_less(to->some_us, from->some_us), time_us) * VMRES_STALL_ONE /
                        time_us);
    return true;
}

/* Takes off what is never really available, and learns how much that is. */
static uint64_t without_dregs(struct kvm_vm *vm, uint64_t available, uint64_t held)
{
    const struct kvm_sample *sample = &vm->sample;

    if (sample->has_stall && sample->stall >= STALL_LITTLE)
        vm->dregs = kvm_min(vm->dregs > 0 ? vm->dregs : held / DREGS_PART, available);
    return kvm_less(available, vm->dregs);
}

/* false: nonsense. Since when it stalled, `from` says. */
static bool take(struct kvm_vm *vm, const json_t *object, const struct kvm_mark *from)
{
    struct kvm_mark now = mark_of(object);
    struct kvm_sample *sample = &vm->sample;
    uint64_t held = vm->peak;
    uint64_t available;

    if (!vmres__kvm_json_amount(json_object_get(object, "available"), &available)) {
        vm->rejected++;
        return false;
    }
    vm->peak = vmres__kvm_part_held(&vm->parts);
    *sample = (struct kvm_sample){
        .free = number_of(object, "free", KVM_UNKNOWN), .held = held, .taken_ms = kvm_now(vm)};
    sample->has_stall = stall_between(from, &now, &sample->stall);
    available = without_dregs(vm, kvm_min(available, held), held);
    sample->used = held - available;
    return true;
}

/* What was used in between, seen from the host: the guest's total is less than what it holds. */
static void post_samples(struct kvm_vm *vm, const json_t *object)
{
    struct vmres_event event = {.type = VMRES_EVENT_SAMPLES};
    uint64_t held = vm->sample.held;
    uint64_t total = number_of(object, "total", 0);
    uint64_t beside = kvm_less(held, total);
    uint64_t most = number_of(object, "used_max", KVM_UNKNOWN);
    uint64_t mean = number_of(object, "used_mean", KVM_UNKNOWN);

    event.as.samples.count = kvm_min(number_of(object, "samples", 0), UINT32_MAX);
    if (event.as.samples.count == 0 || total == 0 || most == KVM_UNKNOWN || mean == KVM_UNKNOWN)
        return;
    event.as.samples.last = vm->sample.used;
    event.as.samples.maximum = kvm_min(kvm_min(most, total) + beside, held);
    event.as.samples.mean = kvm_min(kvm_min(mean, total) + beside, event.as.samples.maximum);
    (void)vmres__kvm_life_post(vm, &event); /* it may be missing */
}

bool vmres__kvm_sample_report(struct kvm_vm *vm, const json_t *object)
{
    struct kvm_mark *marks = vm->agent.marks;

    if (!take(vm, object, &marks[1]))
        return false;
    vm->sample.taken_ms = vm->agent.asked_ms;
    marks[0] = marks[1];
    marks[1] = mark_of(object);
    post_samples(vm, object);
    return true;
}

bool vmres__kvm_sample_notice(struct kvm_vm *vm, const json_t *object)
{
    const struct kvm_mark *marks = vm->agent.marks;
    uint64_t time_us = number_of(object, "time_us", 0);
    bool near = marks[0].time_us != KVM_UNKNOWN && time_us - marks[1].time_us < STALL_NEAR_US;

    if (marks[1].time_us != KVM_UNKNOWN && time_us <= marks[1].time_us)
        return false; /* it was on its way for long: more is known by now */
    return take(vm, object, near ? &marks[0] : &marks[1]);
}
