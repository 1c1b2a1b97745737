/* SPDX-License-Identifier: MIT */
/*
 * The null backend, and a walk-through for those who write their own: what a backend does, with no
 * hypervisor behind it. Its VMs are perfect: all that is asked of one is done in full, at once, so
 * nothing need be kept. Read it with backend.h (five operations) and action.h (how to answer).
 */
#include <vmres/driver.h>
#include <vmres/null.h>

/* Step one: your own struct, with the library's as its first member, so that the pointer handed to
 * your operations is a pointer to it. A real one keeps its connection and open commands here. */
struct null {
    struct vmres_backend backend;
    struct vmres_allocator allocator;
};

/* Step two: begin. A real backend connects, calls vmres_driver_add_vm() for each VM that is there,
 * with `adopted` set, and posts one OBSERVED per kind and VM_LIVE for each. */
static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)backend, (void)driver, (void)error;
    return VMRES_OK;
}

/* A VM starts as soon as it has its first allotment. With several kinds this is said after each;
 * the engine takes it when the last one is there. */
static void boot(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct vmres_event live =
        vmres_event_make(VMRES_EVENT_VM_LIVE, 0, action->vm, action->incarnation);
    enum vmres_status status = vmres_driver_post(backend->driver, &live);

    (void)status; /* only answers are sure of a place; a real backend would say it again later */
}

/* Step three: answer. The answer carries the action's id, kind and incarnation. A real backend
 * posts progress while its hypervisor works, with VMRES_FLAG_FINAL only on the last one. */
static enum vmres_status finish(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct vmres_event answer = vmres_event_answer(action, 0, VMRES_RESULT_DONE);

    answer.as.answer.amount = action->as.resize.amount;
    /* What the VM holds now, and a second opinion on it: what its process holds less overhead.
     * Leave a bit out of `valid` for what you do not know; REASSIGN alone changes nothing yet. */
    if (action->type != VMRES_ACTION_REASSIGN || action->flags & VMRES_ACTION_INITIAL) {
        answer.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
        answer.as.answer.held = answer.as.answer.witness = action->as.resize.target;
    }
    return vmres_driver_post(backend->driver, &answer);
}

/* Step four: carry out. Called once per action; the targets are absolute. */
static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    enum vmres_status status;

    if (action->type == VMRES_ACTION_INQUIRE) /* no guests to ask: its embedder posts REPORTs */
        return VMRES_OK;
    if (action->type > VMRES_ACTION_PIN) /* made by a later version: refuse what you do not know */
        return VMRES_UNSUPPORTED;
    status = finish(backend, action);
    if (status == VMRES_OK && action->flags & VMRES_ACTION_INITIAL)
        boot(backend, action);
    return status;
}

/* Step five: end; nothing is posted after it. `cancel` may be left out: here nothing stays open. */
static void stop(struct vmres_backend *backend)
{
    (void)backend;
}

static void destroy(struct vmres_backend *backend)
{
    struct vmres_allocator allocator = ((struct null *)backend)->allocator;

    vmres_release(&allocator, backend, 1, sizeof(struct null));
}

/* Step six: a typed constructor, which lets the library check the table of operations. */
enum vmres_status vmres_null_create(const struct vmres_allocator *allocator,
                                    struct vmres_backend **backend)
{
    static const struct vmres_backend_ops ops = {.size = sizeof ops,
                                                 .name = "null",
                                                 .start = start,
                                                 .submit = submit,
                                                 .stop = stop,
                                                 .destroy = destroy};
    struct null *null = vmres_allocate(allocator, 1, sizeof *null);

    if (!null)
        return VMRES_NOMEM;
    if (allocator)
        null->allocator = *allocator;
    *backend = &null->backend;
    return vmres_backend_init(&null->backend, &ops, NULL);
}
