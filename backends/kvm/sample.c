/* SPDX-License-Identifier: MIT */
/*
 * What an agent's numbers mean. All of them are a guest's word: what is no whole number or beyond
 * what the host knows is cut down or left out, and then they are a sample like any other.
 *
 * A stall should say how much is missing. The share of the guest's time in which some task waited
 * for memory does not: measured with real guests it jumps between 0 and 70 % of each second, at any
 * shortage of 2 to 40 %. What lies on swap alone does, to within 1 % of the guest, as long as pages
 * are called back from there. So the first, or the second, tells that a guest is short; by how much
 * tells what is on swap, or where that is nothing the time waited, since the last inquiry; of a
 * notice that comes soon after one, since the one before.
 *
 * And a guest that is short has always something left that it calls available: pages and slabs that
 * nobody can really have. The least of that seen then is taken off from then on, so that "nothing
 * is available" is told as such, and nobody is asked for what cannot be given.
 */
#include "internal.h"

#define STALL_NEAR_US 250000u                /* a shorter time tells little */
#define STALL_FAR_US (3600ull * 1000000)     /* and a longer one is of another age */
#define STALL_LITTLE (VMRES_STALL_ONE / 100) /* what no guest is ever without */
#define CALLED_PART 4096u /* when this part of it comes back from swap, a guest is short */
#define SWAP_TIMES 15u    /* no more swap than so many times what it holds is believed */
#define DREGS_PART 8u     /* this part of the guest, and no more, is believed to be dregs */

static uint64_t number_of(const json_t *object, const char *key, uint64_t otherwise)
{
    uint64_t number;

    return vmres__kvm_json_amount(json_object_get(object, key), &number) ? number : otherwise;
}

static struct kvm_mark mark_of(const json_t *object)
{
    return (struct kvm_mark){.time_us = number_of(object, "time_us", KVM_UNKNOWN),
                             .some_us = number_of(object, "some_us", KVM_UNKNOWN),
                             .refaults = number_of(object, "refaults_anon", KVM_UNKNOWN)};
}

/* The share of the time between two moments in which somebody waited; 0 where nobody knows. */
static uint32_t waited(const struct kvm_mark *from, const struct kvm_mark *to)
{
    uint64_t time_us = kvm_less(to->time_us, from->time_us);

    if (to->some_us == KVM_UNKNOWN || from->some_us == KVM_UNKNOWN || time_us == 0 ||
        time_us > STALL_FAR_US)
        return 0;
    return (uint32_t)(kvm_min(kvm_less(to->some_us, from->some_us), time_us) * VMRES_STALL_ONE /
                      time_us);
}

/* How much came back from swap in between. */
static uint64_t called_back(const struct kvm_mark *from, const struct kvm_mark *to)
{
    if (to->refaults == KVM_UNKNOWN || from->refaults == KVM_UNKNOWN)
        return 0;
    return kvm_min(kvm_less(to->refaults, from->refaults), UINT32_MAX) * KVM_PAGE;
}

/* The share of what the guest wants that lies on swap alone. */
static uint32_t swapped(const json_t *object, uint64_t held)
{
    uint64_t pages = held / KVM_PAGE;
    uint64_t out = kvm_min(number_of(object, "swap_used", 0) / KVM_PAGE, pages * SWAP_TIMES);

    return out > 0 ? (uint32_t)(out * VMRES_STALL_ONE / (pages + out)) : 0;
}

/* false: the two moments do not tell. */
static bool stall_between(const struct kvm_mark *from, const json_t *object, uint64_t held,
                          uint16_t *stall)
{
    struct kvm_mark now = mark_of(object);
    uint64_t called;
    uint32_t wait, share;

    if (from->time_us == KVM_UNKNOWN || now.time_us == KVM_UNKNOWN ||
        (now.some_us == KVM_UNKNOWN && now.refaults == KVM_UNKNOWN))
        return false;
    wait = waited(from, &now);
    called = called_back(from, &now);
    share = called > 0 ? swapped(object, held) : 0;
    *stall = 0;
    if (wait >= STALL_LITTLE || called >= held / CALLED_PART)
        *stall = (uint16_t)(share > 0 ? share : wait);
    return true;
}

/* It is short, and still calls this available. */
static void learn_dregs(struct kvm_vm *vm, uint64_t available, uint64_t held)
{
    uint64_t most = vm->dregs == KVM_UNKNOWN ? held / DREGS_PART : vm->dregs;

    vm->dregs = kvm_min(most, available);
}

uint64_t vmres__kvm_sample_without_dregs(const struct kvm_vm *vm, uint64_t available)
{
    return vm->dregs == KVM_UNKNOWN ? available : kvm_less(available, vm->dregs);
}

/* false: nonsense. Since when it stalled, `from` says. */
static bool take(struct kvm_vm *vm, const json_t *object, const struct kvm_mark *from)
{
    struct kvm_sample *sample = &vm->sample;
    uint64_t held = vm->peak;
    uint64_t available;

    if (!vmres__kvm_json_amount(json_object_get(object, "available"), &available)) {
        vmres__kvm_nonsense(vm, "its agent does not say what is available");
        return false;
    }
    vm->peak = vmres__kvm_part_held(&vm->parts);
    *sample = (struct kvm_sample){
        .free = number_of(object, "free", KVM_UNKNOWN), .held = held, .taken_ms = kvm_now(vm)};
    sample->has_stall = stall_between(from, object, held, &sample->stall);
    available = kvm_min(available, held);
    if (sample->stall > 0)
        learn_dregs(vm, available, held);
    sample->used = held - vmres__kvm_sample_without_dregs(vm, available);
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
    vmres__kvm_sight_told(vm, number_of(object, "total", KVM_UNKNOWN), vm->agent.asked_tick);
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
