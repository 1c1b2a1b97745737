/* SPDX-License-Identifier: MIT */
/*
 * The pump on a libuv loop. A prepare handle runs in every turn before the loop waits, and is the
 * only place that pumps; a timer makes the loop turn when the driver's deadline comes, an async
 * handle when somebody wakes it, and they do nothing else. It knows the driver by its public
 * interface alone.
 */
#include <vmres/uv.h>

#include <stdint.h>
#include <uv.h>

#include "core/error.h"

struct vmres_uv {
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_async_t async; /* the only handle that other threads touch */
    struct vmres_allocator allocator;
    struct vmres_driver *driver; /* while started, else NULL */
    uint64_t armed;              /* what the timer is set to; UINT64_MAX: not at all */
    int handles;                 /* not closed yet */
    void (*closed)(void *user);
    void *closed_user;
};

static uint64_t now_of(const struct vmres_uv *uv)
{
    uv_update_time(uv->timer.loop);
    return uv_now(uv->timer.loop);
}

static void turn(uv_timer_t *timer)
{
    struct vmres_uv *uv = timer->data;

    uv->armed = UINT64_MAX;
}

/* The loop turns: that is all that was wanted. */
static void wake(uv_async_t *async)
{
    (void)async;
}

static void arm(struct vmres_uv *uv, uint64_t now_ms, uint64_t deadline_ms)
{
    if (deadline_ms == uv->armed)
        return;
    uv->armed = deadline_ms;
    /* Neither can fail on an initialized timer that is not closing. */
    if (deadline_ms == UINT64_MAX)
        uv_timer_stop(&uv->timer);
    else
        uv_timer_start(&uv->timer, turn, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

static void pump(uv_prepare_t *prepare)
{
    struct vmres_uv *uv = prepare->data;
    uint64_t now_ms = now_of(uv);

    if (vmres_driver_deadline(uv->driver) <= now_ms)
        vmres_driver_pump(uv->driver, now_ms);
    arm(uv, now_ms, vmres_driver_deadline(uv->driver));
}

enum vmres_status vmres_uv_create(struct uv_loop_s *loop, const struct vmres_allocator *allocator,
                                  struct vmres_uv **uv)
{
    struct vmres_uv *created;

    if (!loop || !uv)
        return VMRES_INVALID;
    created = vmres_allocate(allocator, 1, sizeof *created);
    if (!created)
        return VMRES_NOMEM;
    if (allocator)
        created->allocator = *allocator;
    created->armed = UINT64_MAX;
    created->handles = 3;
    if (uv_async_init(loop, &created->async, wake) != 0) {
        vmres_release(allocator, created, 1, sizeof *created);
        return VMRES_NOMEM;
    }
    uv_unref((uv_handle_t *)&created->async); /* being woken is no reason to live */
    uv_prepare_init(loop, &created->prepare);
    uv_timer_init(loop, &created->timer);
    created->prepare.data = created;
    created->timer.data = created;
    created->async.data = created;
    *uv = created;
    return VMRES_OK;
}

enum vmres_status vmres_uv_start(struct vmres_uv *uv, struct vmres_driver *driver,
                                 struct vmres_error *error)
{
    enum vmres_status status;

    if (!uv)
        return vmres__error_set(error, VMRES_INVALID, "uv: a loop must be given");
    if (uv->driver)
        return vmres__error_set(error, VMRES_STATE,
                                "uv: a driver is started already, stop it first");
    status = vmres_driver_start(driver, now_of(uv), error);
    if (status != VMRES_OK)
        return status;
    uv->driver = driver;
    uv_prepare_start(&uv->prepare, pump);
    arm(uv, 0, 0);
    return VMRES_OK;
}

void vmres_uv_stop(struct vmres_uv *uv)
{
    if (!uv || !uv->driver)
        return;
    vmres_driver_stop(uv->driver, now_of(uv));
    uv->driver = NULL;
    uv_prepare_stop(&uv->prepare);
    arm(uv, 0, UINT64_MAX);
}

void vmres_uv_wake(void *uv)
{
    (void)uv_async_send(&((struct vmres_uv *)uv)->async);
}

static void handle_closed(uv_handle_t *handle)
{
    struct vmres_uv *uv = handle->data;
    struct vmres_allocator allocator = uv->allocator;
    void (*closed)(void *user) = uv->closed;
    void *user = uv->closed_user;

    if (--uv->handles > 0)
        return;
    vmres_release(&allocator, uv, 1, sizeof *uv);
    if (closed)
        closed(user);
}

void vmres_uv_close(struct vmres_uv *uv, void (*closed)(void *user), void *user)
{
    if (!uv)
        return;
    vmres_uv_stop(uv);
    uv->closed = closed;
    uv->closed_user = user;
    uv_close((uv_handle_t *)&uv->prepare, handle_closed);
    uv_close((uv_handle_t *)&uv->timer, handle_closed);
    uv_close((uv_handle_t *)&uv->async, handle_closed);
}
