/* SPDX-License-Identifier: MIT */
/*
 * The policy "static": every VM keeps its first allotment. What all others are measured against,
 * and the default: whoever chooses nothing gets nothing moved.
 */
#include "policy.h"

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    (void)state;
    (void)vm_states;
    (void)round;
    (void)verdict;
}

const struct vmres_policy_ops vmres__policy_static = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "static",
    .judge = judge,
};
