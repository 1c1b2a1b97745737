/* SPDX-License-Identifier: MIT */
/*
 * The policy "pressure": surplus first. Of many rules tried on traces of real and made-up hosts,
 * against the optimum that knows the future, this one came closest. What it rests on:
 *
 *  - Nothing moves until a VM stalls; then it gets what it misses and no more. Headroom given ahead
 *    of need costs more moves than it saves waiting: 5 % of it more than doubles regret.
 *  - The largest surplus gives first. Demand drifts like a random walk, so the time until a surplus
 *    is needed again grows with its square; the owner of the most idle memory will miss it last.
 *    It is the rule of replacing the page that is used furthest in the future, without the future.
 *    Where moving costs nothing, as it does of a CPU rate, each gives the same part of its surplus:
 *    then who needs his again soon has lost little, and half as much turns back; of who grew when
 *    it last moved a quarter counts, the rest last.
 *  - Memory in use is taken only when all surplus is exhausted, only for VMs that are below their
 *    entitlement, and from those above theirs. To swap out one VM for another helps nobody, but it
 *    is what a share promises; so a VM that claims all it can get cannot hurt one within its share.
 *  - What there is goes first to those below their entitlement, then as if who gave of its surplus,
 *    and has not had that back, held so much less: one that stalls after giving is paid back first,
 *    never more than it gave and could be asked for, which is forgotten within minutes. So to give
 *    costs no claim; nor do two gain who give to each other in order to claim.
 *  - Nobody is asked for more than can move in one round. The next round knows better.
 *  - Plans start from what is held, so that old promises vanish.
 *  - Loads come back to former levels: a remembered peak is a better guess at demand than a noisy
 *    stall which agrees with it. And where spells of need are learned to end sooner than a move
 *    there and back is worth, the VM waits that long first: a ski rental, never more than twice
 *    the best cost. Up to its entitlement no VM waits.
 *
 * How much is missing nobody says: a stall grows with it, but on a curve that no two guests share,
 * and often tells of the round before. So the policy learns each VM's sensor from what can be seen:
 *
 *  - While memory is available, a VM's demand is what it uses, whatever it stalls: it is not short.
 *  - A stall seen while memory is available is late, and speaks of what was held the round before.
 *    A VM known to be late is short as soon as the last is used up, a round before it says so.
 *    That round it gets its peak, if it went back to that the last time; or else what its use rose
 *    by just before, at least a 32nd: a little too much shows what is wanted, for one more round of
 *    not knowing costs about as much as moving it. After a false alarm it takes more than noise to
 *    raise the next one, until there was need or the use fell: else a VM that just fits, beside one
 *    that takes all surplus, would have it pass between them for ever.
 *  - Relieved, it shows its demand, and so a point of its curve; not relieved by what seemed to be
 *    missing, it shows that at least so much was. The curve is stall = (missing / demand) ^ shape;
 *    the shape is fitted by least squares on logarithms (pressure_curve.c). A prompt stall is taken
 *    at its word, shape 1: relief comes with another demand than it spoke of, mostly a smaller one,
 *    and would teach the wrong curve.
 *  - Where moving costs nothing, above its entitlement a VM gets next to nothing on a guess, and
 *    half of what a late stall speaks of, which may be told again: too much would turn back.
 *
 * A round in which nobody stalls is one pass and names nobody. Otherwise surpluses drop into
 * buckets (bucket.h), the top ones are emptied, and what there is is handed out to the askers up to
 * a common level of allotment per weight, found by bisection. No sort, no floating point.
 *
 * From others: giving up what is needed furthest in the future (Belady 1966), renting before buying
 * (Karlin et al. 1988), max-min fairness (Bertsekas, Gallager 1987), shares and a tax on what is
 * idle (Waldspurger 2002), credit for what was given (Vuppalapati et al. 2023). How good it is, and
 * what else was tried: tests/bench/quality/README.md.
 *
 * Invariant: what is handed out is at most the free pool and what is asked back.
 */
#include "pressure.h"

#include <vmres/policies.h>
#include <vmres/units.h>

#include "text.h"

__extension__ typedef unsigned __int128 wide;

#define NO_CAP VMRES_GRANULES_MAX
#define UNKNOWN_PRICE_MS 1640 /* of moving: 1 / 0.857 + 1 / 2.11 s, as measured on a balloon */

/* What so many units a second are in a round: at least one granule, or all would stand still. */
static uint32_t per_round(uint64_t rate, const struct vmres_policy_host *host)
{
    wide granules = (wide)rate * host->period_ms / 1000 / host->granule;

    if (rate == 0 || granules > NO_CAP)
        return NO_CAP;
    return granules > 0 ? (uint32_t)granules : 1;
}

/*
 * What a move costs, as the time to let go and to take one GiB, CPU or piece. Where the host
 * enforces, and no rates were given, a move costs nothing.
 */
static uint64_t price_ms(const struct vmres_pressure_options *options,
                         const struct vmres_resource *resource)
{
    static const uint64_t piece[] = {
        [VMRES_UNIT_BYTES] = VMRES_GIB, [VMRES_UNIT_MILLI] = 1000, [VMRES_UNIT_COUNT] = 1};

    if (options->release > 0 && options->grant > 0)
        return 1000 * piece[resource->unit] / options->release +
               1000 * piece[resource->unit] / options->grant;
    return resource->removal == VMRES_REMOVAL_HOST ? 0 : UNKNOWN_PRICE_MS;
}

static enum vmres_status start(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    const struct vmres_pressure_options *chosen = options;
    struct pressure *policy = state;
    uint64_t price = price_ms(chosen, host->resource);

    if (chosen->margin > VMRES_PPM)
        return VMRES_INVALID;
    policy->resource = host->resource;
    policy->release = per_round(chosen->release, host);
    policy->grant = per_round(chosen->grant, host);
    policy->margin = (uint32_t)chosen->margin;
    policy->wait = clamp(2 * ROUND_PARTS * price / host->period_ms);
    policy->costless = price == 0;
    return VMRES_OK;
}

static void admit(void *state, void *vm_state, uint32_t vm)
{
    (void)state;
    (void)vm;
    *(struct pressure_vm *)vm_state = (struct pressure_vm){
        .spell_usual = SPELL_MOST * ROUND_PARTS,
    };
    vmres__pressure_curve_init(vm_state);
}

/* A stalled VM asks for what it misses above its charge; up to that it costs nobody anything. */
static void ask(struct pressure_plan *plan, uint32_t id)
{
    const struct vmres_view *view = &plan->round->views[id];
    struct pressure_turn *turn = &plan->turns[id];
    uint32_t need = vmres__pressure_need(plan->policy, &plan->vms[id], view);

    turn->ask = 0;
    if (need <= view->held || !may_receive(view))
        return;
    turn->ask = above(need, charge_of(view));
    if (turn->ask == 0) {
        vmres_verdict_set(plan->verdict, id, need, "stalls: what it misses is on its way");
        return;
    }
    turn->next = plan->policy->askers;
    plan->policy->askers = id;
    plan->asked += turn->ask;
    plan->owed += least(turn->ask, above(view->entitlement, charge_of(view)));
}

static void examine(struct pressure_plan *plan)
{
    plan->policy->askers = VMRES_VM_NONE;
    for (uint32_t i = plan->round->count; i-- > 0;) { /* so that the first id heads the list */
        const struct vmres_view *view = &plan->round->views[i];
        struct pressure_vm *vm = &plan->vms[i];
        bool is_short = (vm->flags & PRESSURE_SHORT) != 0;

        if (vm->spell_rounds > 0 && vm->spell_rounds < UINT16_MAX)
            vm->spell_rounds++;
        if (!view_has(view, 0)) {
            vmres__pressure_unheard(vm);
            continue;
        }
        if (view->flags & VMRES_VIEW_REPORTED)
            is_short = vmres__pressure_hear(plan->policy, vm, view);
        if (is_short)
            ask(plan, i);
    }
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    struct pressure_plan plan = {.policy = state,
                                 .vms = vm_states,
                                 .turns = round->scratch,
                                 .round = round,
                                 .verdict = verdict,
                                 .supply = round->free};

    plan.policy->round++;
    examine(&plan);
    if (plan.asked > plan.supply)
        vmres__pressure_collect(&plan);
    if (plan.asked > 0)
        vmres__pressure_hand_out(&plan);
}

static void add_amount(struct text *text, const struct pressure *policy, uint64_t granules)
{
    vmres__text_add_amount(text, policy->resource->unit, granules * policy->resource->granule);
}

/* What was learned of its stall, as a remark. */
static void add_sensor(struct text *text, const struct pressure_vm *vm)
{
    if (vm->flags & PRESSURE_LATE)
        vmres__text_add(text, "; told late, as missing^%u.%02u", vm->shape / CURVE_ONE,
                        vm->shape % CURVE_ONE * 100 / CURVE_ONE);
}

/* What others owe it. */
static void add_gift(struct text *text, const struct pressure *policy, const struct pressure_vm *vm)
{
    if (vm->gave == 0)
        return;
    vmres__text_add(text, ", gave ");
    add_amount(text, policy, vm->gave);
    vmres__text_add(text, " lately");
}

static void add_need(struct text *text, const struct pressure *policy, const struct pressure_vm *vm,
                     const struct vmres_view *view)
{
    char room[VMRES_UNITS_ROOM];
    uint32_t stall = view->stall * (VMRES_PPM / VMRES_STALL_ONE);

    if (view->stall > 0)
        vmres__text_add(text, "stalls %s and misses ",
                        vmres_format_share(room, sizeof room, stall));
    else
        vmres__text_add(text, "has just used up all and may miss ");
    add_amount(text, policy, above(vmres__pressure_demand(policy, vm, view), view->held));
    add_gift(text, policy, vm);
    vmres__text_add(text, ", for %u rounds so far, usually %u", vm->spell_rounds,
                    vm->spell_usual / ROUND_PARTS);
    add_sensor(text, vm);
}

static size_t explain(const void *state, const void *vm_state, const struct vmres_view *view,
                      char *buffer, size_t size)
{
    const struct pressure *policy = state;
    const struct pressure_vm *vm = vm_state;
    struct text text = vmres__text_begin(buffer, size);

    if (!view_has(view, 0)) {
        vmres__text_add(&text, "has not reported lately: neither gives nor gets");
    } else if (vm->flags & PRESSURE_SHORT) {
        add_need(&text, policy, vm, view);
    } else {
        vmres__text_add(&text, view->stall > 0 ? "has what it wants, could spare "
                                               : "does not stall, could spare ");
        add_amount(&text, policy, vmres__pressure_surplus(policy, vm, view));
        add_gift(&text, policy, vm);
        add_sensor(&text, vm);
    }
    return text.length;
}

static const struct vmres_pressure_options defaults = {.margin = VMRES_PPM / 16};

static const struct vmres_option_key keys[] = {
    {"release", VMRES_OPTION_RATE, offsetof(struct vmres_pressure_options, release), 0, UINT64_MAX,
     "what one VM can let go; 0: any amount"},
    {"grant", VMRES_OPTION_RATE, offsetof(struct vmres_pressure_options, grant), 0, UINT64_MAX,
     "what one VM can take; 0: any amount"},
    {"margin", VMRES_OPTION_SHARE, offsetof(struct vmres_pressure_options, margin), 0, VMRES_PPM,
     "share of what is available that a VM keeps when it gives"},
    {NULL, VMRES_OPTION_SHARE, 0, 0, 0, NULL},
};

const struct vmres_policy_ops vmres__policy_pressure = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "pressure",
    .options_size = sizeof defaults,
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct pressure),
    .vm_state_size = sizeof(struct pressure_vm),
    .vm_scratch_size = sizeof(struct pressure_turn),
    .start = start,
    .admit = admit,
    .judge = judge,
    .explain = explain,
};
