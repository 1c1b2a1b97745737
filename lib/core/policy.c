/* SPDX-License-Identifier: MIT */
/*
 * The list of ready-made policies: what a configuration file may name and `--help` may show. The
 * order is part of the interface only in that it is stable.
 */
#include "policy.h"

#include <string.h>

static const struct vmres_policy_ops *const policies[] = {
    &vmres__policy_static,
    &vmres__policy_script,
    &vmres__policy_usage,
    &vmres__policy_pressure,
};

const struct vmres_policy_ops *vmres_policy_at(uint32_t index)
{
    return index < sizeof policies / sizeof policies[0] ? policies[index] : NULL;
}

const struct vmres_policy_ops *vmres_policy_find(const char *name)
{
    const struct vmres_policy_ops *ops;

    for (uint32_t i = 0; name && (ops = vmres_policy_at(i)); i++) {
        if (strcmp(ops->name, name) == 0)
            return ops;
    }
    return NULL;
}
