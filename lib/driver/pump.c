/* SPDX-License-Identifier: MIT */
/*
 * The pump: the only place that steps the engine. An event goes in, or a run of reports, and is
 * written to the log; the actions that come out go to the backend one by one. Whatever the backend
 * posts meanwhile waits in the queue for its turn, so neither engine nor backend is ever entered
 * twice.
 *
 * One pump does a bounded amount of work, however fast engine and backend answer each other; what
 * is left is for the next pump, and vmres_driver_deadline() says that it is wanted at once.
 */
#include "driver/internal.h"

/* TIMEOUTs in one pump: an engine whose deadline stays where it is must not hang us. */
#define TIMEOUTS_MAX 64

/* Queues in one pump: a backend that answers at once may be asked again at once, for a while. */
#define QUEUES_MAX 16

void vmres__pump_advance(struct vmres_driver *driver, uint64_t now_ms)
{
    if (now_ms > driver->now_ms)
        driver->now_ms = now_ms;
}

/* Whether an action is for a life of its VM that has ended; the engine is about to hear of that. */
static int is_too_late(const struct vmres_driver *driver, const struct vmres_action *action)
{
    return action->incarnation < vmres_driver_vm_incarnation(driver, action->vm);
}

static void submit(struct vmres_driver *driver, const struct vmres_action *action)
{
    struct vmres_backend *backend = driver->backend;
    const struct vmres_event refusal = vmres_event_answer(action, 0, VMRES_RESULT_REFUSED);

    if (action->type == VMRES_ACTION_CANCEL) {
        if (backend->ops->cancel)
            backend->ops->cancel(backend, action->as.cancel.command);
        return;
    }
    if (refusal.type && is_too_late(driver, action))
        return;
    /* A backend that leaves so many commands unanswered is asked no more; the engine's own deadline
     * for progress deals with it. */
    if (refusal.type && !vmres__queue_credit(&driver->queue, action->vm)) {
        driver->unanswerable++;
        return;
    }
    driver->submitted++;
    if (backend->ops->submit(backend, action) == VMRES_OK)
        return;
    driver->refused++;
    /* It did not take it: answer in its place. The credit taken for it pays for the room. */
    if (refusal.type && vmres__queue_post(&driver->queue, &refusal) != VMRES_OK)
        driver->unanswerable++;
}

static void carry_out(struct vmres_driver *driver, const struct vmres_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        vmres__log_action(&driver->log, &actions->items[i]);
        if (driver->started)
            submit(driver, &actions->items[i]);
    }
}

/* What a step asked for, and what did not fit into its outbox. */
static void carry_out_all(struct vmres_driver *driver, enum vmres_status status,
                          struct vmres_actions *actions)
{
    carry_out(driver, actions);
    while (status == VMRES_MORE) {
        status = vmres_engine_step(driver->engine, NULL, actions);
        carry_out(driver, actions);
    }
}

/* The engine has closed every command: no answer is owed any more. */
static void forgive_all(struct vmres_driver *driver)
{
    for (uint32_t vm = 0; vm < driver->registry.used; vm++)
        vmres__queue_forgive(&driver->queue, vm);
}

static void remove_vm(struct vmres_driver *driver, const struct vmres_event *event)
{
    const struct vmres__registry_vm *vm = vmres__registry_vm(&driver->registry, event->vm);

    if (!vm || event->incarnation < vm->born)
        return;
    vmres__queue_forgive(&driver->queue, event->vm);
    vmres__registry_remove(&driver->registry, event->vm);
}

/* What an operator asks for in the course of events; claims and limits come with a new VM. */
static int is_order(uint8_t type)
{
    switch (type) {
    case VMRES_EVENT_FREEZE:
    case VMRES_EVENT_THAW:
    case VMRES_EVENT_SET:
    case VMRES_EVENT_MOVE:
    case VMRES_EVENT_CANCEL:
    case VMRES_EVENT_RESERVE:
    case VMRES_EVENT_RELEASE:
    case VMRES_EVENT_SETTLE:
    case VMRES_EVENT_RESUME:
    case VMRES_EVENT_DRY_RUN:
        return 1;
    default:
        return 0;
    }
}

/* Registry and credit follow what the engine made of an event. */
static void follow(struct vmres_driver *driver, const struct vmres_event *event,
                   enum vmres_status status)
{
    int taken = status == VMRES_OK || status == VMRES_MORE;

    if (event->type == VMRES_EVENT_BACKEND_LOST && taken)
        forgive_all(driver);
    else if (event->type == VMRES_EVENT_VM_GONE && taken)
        remove_vm(driver, event);
    else if (event->type == VMRES_EVENT_VM_ADDED && !taken)
        remove_vm(driver, event);
    else if (is_order(event->type) && !taken)
        driver->orders_refused++;
}

static void deliver(struct vmres_driver *driver, struct vmres_event *event)
{
    struct vmres_actions actions = {0};
    enum vmres_status status;

    event->time_ms = driver->now_ms;
    if (event->type == VMRES_EVENT_VM_ADDED)
        vmres__log_name(&driver->log, event->vm, vmres_driver_vm_name(driver, event->vm));
    vmres__log_event(&driver->log, event);
    status = vmres_engine_step(driver->engine, event, &actions);
    follow(driver, event, status);
    carry_out_all(driver, status, &actions);
}

/* Reports make up most of a round, and ask for nothing but the last of it: they go in at once. They
 * leave the queue before anything is carried out, for the backend may then post. Returns how many
 * went in. */
static uint32_t deliver_reports(struct vmres_driver *driver, struct vmres_event *reports,
                                uint32_t count)
{
    struct vmres_actions actions = {0};
    enum vmres_status status;
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++)
        reports[i].time_ms = driver->now_ms;
    status = vmres_engine_steps(driver->engine, reports, count, &taken, &actions);
    for (uint32_t i = 0; i < taken; i++)
        vmres__log_event(&driver->log, &reports[i]);
    vmres__queue_drop(&driver->queue, taken);
    carry_out_all(driver, status, &actions);
    return taken;
}

static void deliver_queued(struct vmres_driver *driver)
{
    uint64_t left = (uint64_t)driver->queue.capacity * QUEUES_MAX;

    while (left > 0 && driver->queue.count > 0) {
        struct vmres_event event, *reports;
        uint32_t count = vmres__queue_reports(&driver->queue, &reports);

        if (count > 0) {
            left -= deliver_reports(driver, reports, count < left ? count : (uint32_t)left);
        } else if (vmres__queue_pop(&driver->queue, &event)) {
            deliver(driver, &event);
            left--;
        }
    }
}

/* What other threads posted before this pump, in their order. */
static void deliver_mail(struct vmres_driver *driver)
{
    uint32_t left = vmres__mailbox_count(&driver->mailbox);
    struct vmres_event event;

    for (; left > 0 && vmres__mailbox_take(&driver->mailbox, &event); left--) {
        enum vmres_status status;

        driver->mail++;
        if (!vmres__queue_fits(&driver->queue, 1))
            deliver_queued(driver);
        status = vmres_driver_post(driver, &event);
        driver->mail_refused += status != VMRES_OK;
    }
    deliver_queued(driver);
}

static void tell(struct vmres_driver *driver, enum vmres_event_type type)
{
    struct vmres_event event = vmres_event_make(type, driver->now_ms, VMRES_VM_NONE, 0);

    deliver(driver, &event);
}

void vmres__pump_last(struct vmres_driver *driver, enum vmres_event_type type)
{
    driver->pumping = 1;
    deliver_queued(driver);
    tell(driver, type);
    driver->pumping = 0;
}

void vmres_driver_pump(struct vmres_driver *driver, uint64_t now_ms)
{
    if (!driver || driver->pumping || !driver->started)
        return;
    driver->pumping = 1;
    vmres__pump_advance(driver, now_ms);
    deliver_queued(driver);
    deliver_mail(driver);
    for (int i = 0; i < TIMEOUTS_MAX; i++) {
        if (vmres_engine_deadline(driver->engine) > driver->now_ms)
            break;
        tell(driver, VMRES_EVENT_TIMEOUT);
        deliver_queued(driver);
    }
    driver->pumping = 0;
}

uint64_t vmres_driver_deadline(const struct vmres_driver *driver)
{
    if (!driver || !driver->started)
        return UINT64_MAX;
    if (driver->queue.count || vmres__mailbox_count(&driver->mailbox))
        return 0;
    return vmres_engine_deadline(driver->engine);
}
