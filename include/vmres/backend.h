/* SPDX-License-Identifier: MIT */
/*
 * Backends: how actions reach a hypervisor. For those who write one; see backends/README.md.
 *
 * A backend never runs the engine. It is handed actions through submit(), carries them out in its
 * own time, and *posts* what happened with vmres_driver_post() into the driver's bounded queue; the
 * next pump delivers. It may post from within start() and submit(). It owes every action one final
 * answer (action.h); the driver makes one up only where submit() fails.
 *
 * Threads: all five functions are called from the driver's; what other threads of a backend learn
 * comes in by vmres_driver_post_threadsafe().
 */
#ifndef VMRES_BACKEND_H
#define VMRES_BACKEND_H

#include <stddef.h>
#include <vmres/action.h>
#include <vmres/api.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct vmres_driver;
struct vmres_backend;

struct vmres_backend_ops {
    size_t size;      /* sizeof(struct vmres_backend_ops), the version */
    const char *name; /* "sim", "kvm": for logs */

    /* Begin: add the VMs there are (vmres_driver_add_vm), post what is seen of them. A backend must
     * provide this. On failure nothing is running and error says why. */
    enum vmres_status (*start)(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error);
    /* Carry out one action; copy it if it is needed later. A backend must provide this. Any status
     * but VMRES_OK means that it was not taken: the driver answers it as refused. */
    enum vmres_status (*submit)(struct vmres_backend *backend, const struct vmres_action *action);
    /* Give up a command early; its own final answer is still owed. A backend may provide this; if
     * not, the command runs to its end. */
    void (*cancel)(struct vmres_backend *backend, uint64_t command);
    /* Stop: no post after this returns. A backend must provide this. May be started again. */
    void (*stop)(struct vmres_backend *backend);
    /* Free everything. A backend must provide this. Never called while it is started. */
    void (*destroy)(struct vmres_backend *backend);
};

/* Embed this as the first member of your own struct. */
struct vmres_backend {
    const struct vmres_backend_ops *ops;
    struct vmres_driver *driver; /* set while started, else NULL; the driver's to write */
};

/*
 * Checks the vtable and prepares *backend. VMRES_INVALID: too small, or a slot that a backend must
 * provide is missing; error names it.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_backend_init(struct vmres_backend *backend,
                                                              const struct vmres_backend_ops *ops,
                                                              struct vmres_error *error);

/* Calls its destroy(). NULL: no effect. Stop its driver first. */
VMRES_API void vmres_backend_destroy(struct vmres_backend *backend);

VMRES_END_DECLS

#endif
