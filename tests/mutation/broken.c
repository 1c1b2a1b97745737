/* SPDX-License-Identifier: MIT */
/*
 * Which rule of lib/core/rule.h is broken in this process: the one whose number VMRES_BREAK holds.
 */
#include <stdlib.h>

#include "core/rule.h"

enum rule vmres__broken_rule;

__attribute__((constructor)) static void choose(void)
{
    const char *number = getenv("VMRES_BREAK");

    if (number)
        vmres__broken_rule = (enum rule)strtol(number, NULL, 10);
}
