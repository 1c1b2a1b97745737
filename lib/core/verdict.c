/* SPDX-License-Identifier: MIT */
/*
 * How a policy speaks. What it says last of a VM counts, what it says of a VM that cannot exist is
 * not heard: a policy can be wrong, never harmful.
 */
#include "verdict.h"

/* One text too many is as good as none. */
static uint8_t number_of(struct reasons *reasons, const char *text)
{
    for (uint32_t i = 0; i <= reasons->last; i++)
        if (reasons->texts[i] == text)
            return (uint8_t)i;
    if (reasons->last == REASONS_MAX - 1)
        return 0;
    reasons->texts[++reasons->last] = text;
    return (uint8_t)reasons->last;
}

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
    verdict->reasons->of[vm] = number_of(verdict->reasons, reason);
}
