/* SPDX-License-Identifier: MIT */
/*
 * What guests and their devices do wrong, each until something else befalls it, or all is calm.
 */
#include "swarm/world.h"

typedef void quirk(struct world *world, uint32_t vm);

static uint8_t some_kind(struct world *world)
{
    return (uint8_t)dice_below(&world->dice, world->options.kinds);
}

static struct device *some_device(struct world *world, uint32_t vm)
{
    return &world->guests[vm].devices[some_kind(world)];
}

/* Whether the guest can keep or take what it was told to give: neither a cap nor the bounds of a
 * block are in its way. */
bool quirks_guest_rules(const struct world *world, const struct device *device, uint8_t kind)
{
    return !device->enforced && !place_matters(world, kind) &&
           world->resources[kind].removal == VMRES_REMOVAL_GUEST;
}

/* --- how it obeys --- */

static void change_mood(struct world *world, uint32_t vm)
{
    static const enum fault faults[] = {[IGNORES] = GUEST_IGNORES,
                                        [STOPS] = GUEST_STOPS,
                                        [CLAIMS_DONE] = GUEST_CLAIMS_DONE,
                                        [CLAIMS_LITTLE] = GUEST_CLAIMS_LITTLE,
                                        [CLAIMS_MUCH] = GUEST_CLAIMS_MUCH};
    struct device *device = some_device(world, vm);

    device->mood =
        dice_chance(&world->dice, 500) ? OBEYS : (uint8_t)dice_below(&world->dice, CLAIMS_MUCH + 1);
    if (device->mood != OBEYS)
        world_fault(world, faults[device->mood]);
}

/* Nothing a guest gives is ever seen to be gone. */
static void inhibit_discard(struct world *world, uint32_t vm)
{
    world_fault(world, DISCARD_INHIBITED);
    for (uint8_t k = 0; k < world->options.kinds; k++)
        world->guests[vm].devices[k].mood = CLAIMS_DONE;
}

static void change_rate(struct world *world, uint32_t vm)
{
    struct device *device = some_device(world, vm);

    device->rate = device->limit / dice_between(&world->dice, 10, 20000);
    device->dodges = dice_chance(&world->dice, 300);
    world_fault(world, device->dodges      ? GUEST_ALTERNATES
                       : device->rate == 0 ? GUEST_TRICKLES
                                           : GUEST_SLOW);
}

static void be_rough(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);

    world_fault(world, GUEST_ROUGH);
    world->guests[vm].devices[kind].piece =
        world->resources[kind].granule * dice_between(&world->dice, 2, 9);
}

static void be_fragile(struct world *world, uint32_t vm)
{
    world->guests[vm].fragile = true;
}

static void lose_device(struct world *world, uint32_t vm)
{
    world_fault(world, DEVICE_MISSING);
    some_device(world, vm)->missing_ms =
        world->now + dice_below(&world->dice, 4ull * world->options.progress_ms);
}

/* --- what it needs --- */

static void change_need(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];

    device->need = dice_below(&world->dice, world->guests[vm].ceiling[kind] + 1);
    device->swing_ms = 0;
    if (dice_chance(&world->dice, 300)) {
        world_fault(world, NEED_SWINGS);
        device->swing_ms = dice_between(&world->dice, 1, 8ull * world->options.period_ms);
    }
}

/* --- what it does unasked --- */

/* A little, or all it can. */
static void retake(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];
    bool all = dice_chance(&world->dice, 300);

    if (!quirks_guest_rules(world, device, kind) || device->held >= device->limit)
        return;
    world_fault(world, all ? GUEST_DEFLATES : GUEST_RETAKES);
    backend_changed(device);
    device->held += all ? device->limit - device->held
                        : dice_between(&world->dice, 1, device->limit - device->held);
}

static void let_go(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];

    if (!quirks_guest_rules(world, device, kind) || device->held == 0)
        return;
    world_fault(world, GUEST_LETS_GO);
    backend_changed(device);
    device->held -= dice_between(&world->dice, 1, device->held);
}

static void foreign_target(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);
    struct device *device = &world->guests[vm].devices[kind];

    if (place_matters(world, kind))
        return;
    world_fault(world, FOREIGN_TARGET);
    backend_changed(device);
    device->target = dice_below(&world->dice, device->limit + 1);
}

/* --- what is seen of it --- */

static void grow_overhead(struct world *world, uint32_t vm)
{
    uint8_t kind = some_kind(world);

    world_fault(world, OVERHEAD_GROWS);
    world->guests[vm].devices[kind].overhead +=
        dice_below(&world->dice, 8 * world->resources[kind].granule);
}

static void lag(struct world *world, uint32_t vm)
{
    some_device(world, vm)->scrubs = true;
}

static void fall_silent(struct world *world, uint32_t vm)
{
    world->guests[vm].mute_ms =
        world->now + dice_below(&world->dice, 8ull * world->options.period_ms);
}

/* It neither moves nor speaks; what is said of it comes when that is over. */
static void hang(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    world_fault(world, VM_HANGS);
    guest->hang_ms = world->now + dice_below(&world->dice, 3ull * world->options.progress_ms);
    guest->mute_ms = guest->hang_ms;
    if (guest->order_ms < guest->hang_ms)
        guest->order_ms = guest->hang_ms;
}

static void flood(struct world *world, uint32_t vm)
{
    world_fault(world, REPORT_FLOOD);
    for (uint32_t i = 0; i < 20; i++)
        guest_report(world, vm, some_kind(world), 0);
}

/* --- one of them; none --- */

void quirks_befall(struct world *world, uint32_t vm)
{
    static quirk *const all[] = {
        change_mood, change_mood, change_mood, inhibit_discard, change_rate, change_rate,
        be_rough,    be_fragile,  lose_device, change_need,     change_need, change_need,
        retake,      retake,      let_go,      foreign_target,  flood,       grow_overhead,
        lag,         fall_silent, hang,
    };

    all[dice_below(&world->dice, sizeof all / sizeof *all)](world, vm);
}

void quirks_mend(struct world *world, uint32_t vm)
{
    struct guest *guest = &world->guests[vm];

    guest->mute_ms = guest->hang_ms = 0;
    guest->lies = 0;
    guest->fragile = false;
    for (uint8_t k = 0; k < world->options.kinds; k++) {
        struct device *device = &guest->devices[k];

        device->mood = OBEYS;
        device->rate = world->resources[k].capacity;
        device->overhead = device->unscrubbed = device->piece = 0;
        device->missing_ms = device->swing_ms = 0;
        device->dodges = device->scrubs = false;
    }
}
