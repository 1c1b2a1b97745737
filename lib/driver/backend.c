/* SPDX-License-Identifier: MIT */
/*
 * Checks a backend's vtable once, so that nobody after it has to. Whatever is missing is named, and
 * a vtable of another version is told by its size.
 */
#include "core/error.h"

#include <vmres/backend.h>

static const char *missing_slot(const struct vmres_backend_ops *ops)
{
    if (!ops->name)
        return "name";
    if (!ops->start)
        return "start";
    if (!ops->submit)
        return "submit";
    if (!ops->stop)
        return "stop";
    if (!ops->destroy)
        return "destroy";
    return NULL;
}

enum vmres_status vmres_backend_init(struct vmres_backend *backend,
                                     const struct vmres_backend_ops *ops, struct vmres_error *error)
{
    const char *missing;

    if (!backend || !ops)
        return vmres__error_set(error, VMRES_INVALID, "a backend and its ops must be given");
    if (ops->size < sizeof *ops)
        return vmres__error_set(error, VMRES_INVALID,
                                "backend ops: size is %zu, set it to sizeof(struct "
                                "vmres_backend_ops), here %zu",
                                ops->size, sizeof *ops);
    missing = missing_slot(ops);
    if (missing)
        return vmres__error_set(error, VMRES_INVALID,
                                "backend ops: %s is missing, a backend must provide it", missing);
    *backend = (struct vmres_backend){.ops = ops};
    return VMRES_OK;
}

void vmres_backend_destroy(struct vmres_backend *backend)
{
    if (backend)
        backend->ops->destroy(backend);
}
