/* SPDX-License-Identifier: MIT */
/*
 * Policies that name wild targets: nothing, everything, VMs that do not exist, the same VM twice.
 * "wild" judges, so the engine must hold it to entitlement and freshness; "commander" commands.
 * Both fall silent when the world is to come to rest.
 */
#include "swarm/world.h"

struct wild {
    struct dice dice;
    const bool *quiet;
};

static enum vmres_status start(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    const struct wild_options *chosen = options;
    struct wild *wild = state;

    (void)host;
    *wild = (struct wild){{chosen->seed}, chosen->quiet};
    return VMRES_OK;
}

static uint32_t wild_target(struct dice *dice, const struct vmres_view *view)
{
    switch (dice_below(dice, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX;
    case 2:
        return view->floor;
    case 3:
        return view->entitlement;
    case 4:
        return view->held - (uint32_t)dice_below(dice, view->held / 4 + 1);
    case 5:
        return view->charge + (uint32_t)dice_below(dice, view->charge / 4 + 2);
    case 6:
        return (uint32_t)dice_throw(dice);
    default:
        return (uint32_t)dice_between(dice, view->floor, (uint64_t)view->ceiling + 1);
    }
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    struct wild *wild = state;

    (void)vm_states;
    if (wild->quiet && *wild->quiet)
        return;
    for (uint32_t named = 0; named < round->count + 2; named++) {
        uint32_t vm = (uint32_t)dice_below(&wild->dice, round->count + 1);
        uint32_t target = UINT32_MAX;

        if (dice_chance(&wild->dice, 400))
            continue;
        if (vm < round->count)
            target = wild_target(&wild->dice, &round->views[vm]);
        vmres_verdict_set(verdict, vm, target, "a whim");
    }
}

static const struct wild_options defaults = {1, NULL};

static const struct vmres_option_key keys[] = {
    {NULL, VMRES_OPTION_COUNT, 0, 0, 0, NULL},
};

const struct vmres_policy_ops swarm_wild = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "wild",
    .options_size = sizeof(struct wild_options),
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct wild),
    .vm_state_size = 8,
    .start = start,
    .judge = judge,
};

const struct vmres_policy_ops swarm_commander = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "commander",
    .options_size = sizeof(struct wild_options),
    .defaults = &defaults,
    .keys = keys,
    .state_size = sizeof(struct wild),
    .commands = 1,
    .start = start,
    .judge = judge,
};
