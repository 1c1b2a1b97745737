/* SPDX-License-Identifier: MIT */
/*
 * The simulator as a backend: five operations of a vtable, each a line or two over the world behind
 * it. Inquiries are answered at once, commands are taken now and carried out as the clock turns.
 */
#include <stdio.h>

#include "internal.h"

static struct vmres_sim *sim_of(struct vmres_backend *backend)
{
    return (struct vmres_sim *)backend;
}

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    struct vmres_sim *sim = sim_of(backend);
    const char *culprit = "";
    enum vmres_status status;

    (void)driver; /* is in *backend already */
    if (sim->link_down) {
        if (error) {
            error->status = VMRES_IO;
            (void)snprintf(error->message, sizeof error->message,
                           "the simulated hypervisor does not answer; wait for the end of the "
                           "fault link_down, or mend it");
        }
        return VMRES_IO;
    }
    status = vmres__sim_attach_start(sim, &culprit);
    if (status == VMRES_OK)
        return VMRES_OK;
    vmres__sim_attach_stop(sim);
    if (error) {
        error->status = status;
        (void)snprintf(
            error->message, sizeof error->message,
            "simulated VM '%s' was not taken (%s); give the driver the simulator's kinds "
            "and max_vms, and each VM its own name",
            culprit, vmres_status_text(status));
    }
    return status;
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct vmres_sim *sim = sim_of(backend);

    if (action->type != VMRES_ACTION_INQUIRE)
        return vmres__sim_command_take(sim, action);
    vmres__sim_guest_answer(sim, action->id);
    return VMRES_OK;
}

static void cancel(struct vmres_backend *backend, uint64_t command)
{
    vmres__sim_command_cancel(sim_of(backend), command);
}

static void stop(struct vmres_backend *backend)
{
    vmres__sim_attach_stop(sim_of(backend));
}

static void destroy(struct vmres_backend *backend)
{
    vmres_sim_destroy(sim_of(backend));
}

const struct vmres_backend_ops vmres__sim_backend_ops = {
    .size = sizeof(struct vmres_backend_ops),
    .name = "sim",
    .start = start,
    .submit = submit,
    .cancel = cancel,
    .stop = stop,
    .destroy = destroy,
};
