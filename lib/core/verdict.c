/* SPDX-License-Identifier: MIT */
/*
 * How a policy speaks. What it says last of a VM counts, what it says of a VM that cannot exist is
 * not heard: a policy can be wrong, never harmful.
 */
#include "verdict.h"

void vmres_verdict_set(struct vmres_verdict *verdict, uint32_t vm, uint32_t target,
                       const char *reason)
{
    if (vm >= verdict->limit)
        return;
    if (!verdict->set[vm]) {
        verdict->set[vm] = 1;
        verdict->named[verdict->count++] = vm;
    }
    verdict->targets[vm] = target;
    verdict->reasons[vm] = reason;
}
