/* SPDX-License-Identifier: MIT */
/*
 * What one VM needs, by what it says of itself, and what is learned of it meanwhile: whether its
 * stall comes late, how it bends (pressure_curve.c), the peak of its use, whether it returns to
 * that, and how long its spells of need last. Knows nothing of other VMs or of what the host has.
 */
#include "pressure.h"

#define STALL_MOST 7500u /* demand is four times what it holds; beyond, noise drowns it */
#define PEAK_FORGETS 11u /* a peak not seen again fades by 1 / 2^11 a round */
#define GIFT_FORGETS 6u  /* what it gave fades by 1 / 2^6 a round, and a granule */
#define SPELL_BEGINS 3u  /* rounds in which a spell is new */
#define LITTLE 64u       /* this part of what it holds is as good as nothing */
#define STEP 32u         /* and this is asked for when nobody knows how much is missing */

/* What it had available, of what it still holds: what it gave since, it has not used up. */
static uint32_t was_available(const struct pressure_vm *vm, const struct vmres_view *view)
{
    return above(vm->held < view->held ? vm->held : view->held, vm->in_use);
}

/*
 * Whether its stall is about this round or the one before. One who stalls with plenty available
 * speaks of the past; one who does so when the last is used up, of now. No stall at that moment
 * hints at the past, too, but may only mean that it has just what it wants.
 */
static void time_stall(struct pressure_vm *vm, const struct vmres_view *view)
{
    uint32_t little = view->held / LITTLE;
    uint32_t before = was_available(vm, view);
    bool used_up = view->available == 0 && before > 0;
    uint32_t known = vm->flags & (PRESSURE_LATE | PRESSURE_PROMPT);
    uint32_t found = known;

    if (view->stall > 0 && view->available > little)
        found = PRESSURE_LATE;
    else if (view->stall > 0 && used_up)
        found = PRESSURE_PROMPT;
    else if (used_up && known == 0 && before > little + 2)
        found = PRESSURE_LATE;
    vm->flags = (uint8_t)((vm->flags & ~known) | found);
}

/*
 * A late stall is explained by nothing having been available when it arose. And one whose stall
 * will be told late is short already when the last is used up; after a false alarm, only if it was
 * more than noise might have used up.
 */
static bool is_short(const struct pressure_vm *vm, const struct vmres_view *view)
{
    uint32_t little = view->held / LITTLE;
    uint32_t before = was_available(vm, view);
    bool late = (vm->flags & PRESSURE_LATE) != 0;

    if (view->available > little)
        return false;
    if (view->stall > 0)
        return !late || view->available == 0 || before > 0;
    return late && view->available == 0 && before > (vm->flags & PRESSURE_DOUBTED ? little + 1 : 0);
}

static void forget_gift(struct pressure_vm *vm)
{
    vm->gave = above(vm->gave, (vm->gave >> GIFT_FORGETS) + 1);
}

/* The most it can have been asked for: what it had to spare, or else held above its entitlement. */
static uint32_t askable(const struct pressure_vm *vm, const struct vmres_view *view)
{
    uint32_t spare = above(vm->held, vm->in_use);
    uint32_t excess = above(vm->held, view->entitlement);

    return spare > excess ? spare : excess;
}

/* What was let go as it was asked to, and what came back, by what the host sees it hold. */
static void count_gift(struct pressure_vm *vm, const struct vmres_view *view, bool asked)
{
    if (asked)
        vm->gave =
            clamp((uint64_t)vm->gave + least(above(vm->held, view->held), askable(vm, view)));
    vm->gave = above(vm->gave, above(view->held, vm->held));
    forget_gift(vm);
}

/* What came of what was tried. One that was short when the last was used up will now stall. */
static void judge_trial(struct pressure_vm *vm, const struct vmres_view *view)
{
    bool tried = (vm->flags & PRESSURE_TRIED) != 0;
    bool was_short = (vm->flags & PRESSURE_SHORT) != 0;

    vm->flags &= (uint8_t)~PRESSURE_TRIED;
    if (tried && was_short) {
        vm->flags &= (uint8_t)~PRESSURE_DOUBTED;
        if (view->stall == 0)
            vm->flags |= PRESSURE_DOUBTED;
    }
    count_gift(vm, view, tried && !was_short);
}

/* Which way it moved, if it did; what it began with is no move. */
static void note_move(struct pressure_vm *vm, uint32_t held)
{
    if (held > vm->held && vm->held > 0)
        vm->flags |= PRESSURE_GREW;
    else if (held < vm->held)
        vm->flags &= (uint8_t)~PRESSURE_GREW;
}

static void turn_short(struct pressure_vm *vm, uint32_t stall, uint32_t rose)
{
    if (vm->flags & PRESSURE_SHORT)
        return;
    if (stall == 0)
        vm->flags |= PRESSURE_TRIED;
    else
        vm->flags &= (uint8_t)~PRESSURE_DOUBTED;
    vm->flags |= PRESSURE_SHORT;
    if (vm->peak > vm->held + vm->held / 8)
        vm->flags |= PRESSURE_TESTED;
    if (rose > vm->rose)
        vm->rose = rose;
}

/* What it held when the stall arose. */
static uint32_t stalled_with(const struct pressure_vm *vm)
{
    return vm->flags & PRESSURE_LATE ? vm->held_before : vm->held;
}

/* The demand that its stall speaks of. */
static uint32_t told(const struct pressure_vm *vm, uint32_t stall)
{
    uint64_t missing = least(vmres__pressure_curve_missing(vm, stall), STALL_MOST);

    return clamp((uint64_t)stalled_with(vm) * VMRES_STALL_ONE / (VMRES_STALL_ONE - missing) + 1);
}

/* When all that is known is that it wants more than it holds: that goes on as it began. */
static uint32_t guess(const struct pressure_vm *vm)
{
    uint32_t step = vm->held / STEP + 1;

    return clamp((uint64_t)vm->held + (vm->rose > step ? vm->rose : step));
}

/* Where moving costs nothing it can wait, above its entitlement, for its late stall to say what is
 * missing, and with half of that to be told again: what is too much would turn round. Unless it is
 * told again, soon after a spell began, and so much is missing that it is no drift. */
static uint32_t cautious(const struct pressure_vm *vm, const struct vmres_view *view,
                         uint32_t demand)
{
    uint32_t sure = view->held > view->entitlement ? view->held : view->entitlement;

    if (demand <= sure)
        return demand;
    if (view->stall == 0)
        return sure + 1;
    if (vm->spell_rounds > 1 && vm->spell_rounds <= SPELL_BEGINS && demand - sure > view->held / 2)
        return demand;
    return sure + (demand - sure) / 2 + 1;
}

/* What a VM that is short would use if it could, at most what it may hold and can take in a
 * round. */
uint32_t vmres__pressure_demand(const struct pressure *policy, const struct pressure_vm *vm,
                                const struct vmres_view *view)
{
    uint32_t demand = told(vm, view->stall);

    if (view->stall == 0) {
        demand = guess(vm);
        if ((vm->flags & PRESSURE_RETURNS) && vm->peak > demand)
            demand = vm->peak;
    } else if (vm->peak > vm->held &&
               vmres__pressure_curve_agrees(vm, view->stall, stalled_with(vm), vm->peak)) {
        demand = vm->peak;
    } else if ((vm->flags & PRESSURE_LATE) && demand <= vm->held + 1) {
        demand = guess(vm); /* it was given that since, and it is not enough */
    }
    if (policy->costless && (vm->flags & PRESSURE_LATE))
        demand = cautious(vm, view, demand);
    return least(least(demand, view->ceiling), (uint64_t)view->held + policy->grant);
}

/* A VM that is short: what it should hold now. */
uint32_t vmres__pressure_need(const struct pressure *policy, struct pressure_vm *vm,
                              const struct vmres_view *view)
{
    uint32_t demand;

    /* It holds more now than its late stall speaks of, and uses it all: so much was missing. */
    if ((vm->flags & PRESSURE_LATE) && told(vm, view->stall) <= vm->held)
        vmres__pressure_curve_learn(vm, view->stall, vm->held_before, vm->held);
    demand = vmres__pressure_demand(policy, vm, view);
    if (vm->spell_rounds == 0) {
        vm->spell_rounds = 1;
        vm->spell_base = view->held;
        vm->spell_size = 0;
    }
    if (demand > vm->spell_base + vm->spell_size)
        vm->spell_size = demand - vm->spell_base;
    if (vm->spell_usual < policy->wait && (vm->spell_rounds - 1u) * ROUND_PARTS < policy->wait)
        return least(demand, view->entitlement);
    return demand;
}

/* A guess at its peak, made or not, was right or wrong; one whose need has passed does not say. */
static void judge_peak(struct pressure_vm *vm, uint32_t used)
{
    vm->flags &= (uint8_t)~PRESSURE_TESTED;
    if (above(used, vm->peak) + above(vm->peak, used) < vm->peak / 16)
        vm->flags |= PRESSURE_RETURNS;
    else if (used > vm->spell_base)
        vm->flags &= (uint8_t)~PRESSURE_RETURNS;
}

static void remember_peak(const struct pressure *policy, struct pressure_vm *vm, uint32_t used)
{
    /* Fading by less than a granule a round is spread evenly over the rounds. */
    uint32_t phase = policy->round * 1237u % (1u << PEAK_FORGETS);

    if (used >= vm->peak)
        vm->peak = used;
    else
        vm->peak -= (vm->peak - used + phase) >> PEAK_FORGETS;
}

static void end_spell(struct pressure_vm *vm)
{
    if (vm->spell_size > vm->spell_base / 16) {
        uint32_t length = least(vm->spell_rounds - 1u, SPELL_MOST) * ROUND_PARTS;

        vm->spell_usual = (uint16_t)((3u * vm->spell_usual + length) / 4);
    }
    vm->spell_rounds = 0;
}

/* A VM at ease shows what it wants: what that says of its stall, its peak and its spell. */
static void learn(const struct pressure *policy, struct pressure_vm *vm,
                  const struct vmres_view *view)
{
    if (view->stall > 0 && (vm->flags & PRESSURE_LATE))
        vmres__pressure_curve_learn(vm, view->stall, vm->held_before, view->used);
    if (vm->flags & PRESSURE_TESTED)
        judge_peak(vm, view->used);
    remember_peak(policy, vm, view->used);
    if (vm->spell_rounds > 0 && view->used < vm->spell_base + vm->spell_size / 2)
        end_spell(vm);
}

void vmres__pressure_unheard(struct pressure_vm *vm)
{
    if (!(vm->flags & PRESSURE_SHORT))
        vm->flags &= (uint8_t)~PRESSURE_TRIED;
    forget_gift(vm);
}

/* Takes in its latest report; whether it is short now. */
bool vmres__pressure_hear(const struct pressure *policy, struct pressure_vm *vm,
                          const struct vmres_view *view)
{
    uint32_t in_use = view->held > view->available ? view->held - view->available : 0;
    uint32_t rose = in_use > vm->in_use ? in_use - vm->in_use : 0;
    bool is = false;

    if (vm->gave > 0 || (vm->flags & PRESSURE_TRIED))
        judge_trial(vm, view);
    if (view->stall > 0 || view->available == 0) {
        time_stall(vm, view);
        is = is_short(vm, view);
    }
    if (in_use + view->held / LITTLE < vm->in_use)
        vm->flags &= (uint8_t)~PRESSURE_DOUBTED;
    note_move(vm, view->held);
    vm->held_before = vm->held;
    vm->held = view->held;
    vm->in_use = in_use;
    if (is) {
        turn_short(vm, view->stall, rose);
    } else {
        vm->flags &= (uint8_t)~PRESSURE_SHORT;
        vm->rose = rose;
        learn(policy, vm, view);
    }
    return is;
}
