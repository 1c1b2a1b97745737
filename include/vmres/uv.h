/* SPDX-License-Identifier: MIT */
/*
 * Runs a driver on a libuv loop: pumps it when its deadline comes and when something was posted.
 *
 *     vmres_uv_create(loop, NULL, &uv);            a driver may be made before or after
 *     vmres_uv_start(uv, driver, &error);          starts the backend too
 *     uv_run(loop, UV_RUN_DEFAULT);
 *     vmres_uv_stop(uv);                           stops the backend too
 *     vmres_uv_close(uv, closed, user);            and run the loop until closed() is called
 *
 * Once in each turn of the loop, before it waits, the driver is pumped if that is due; so whatever
 * a callback of the loop posts is delivered in the same turn. The clock is that of the loop,
 * uv_now(). While started it keeps the loop alive.
 *
 * A loop inside another one (uv_backend_fd, uv_backend_timeout) is woken by vmres_uv_wake(): set it
 * as `wake` of the driver's options, with the struct vmres_uv as `wake_user`. So is the loop when
 * another thread posts. Where all posts come from callbacks of the loop it is not needed.
 *
 * Threads: all of this but vmres_uv_wake() belongs to the thread of the loop. libuv's types stay
 * out of this header.
 */
#ifndef VMRES_UV_H
#define VMRES_UV_H

#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/driver.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct uv_loop_s; /* uv_loop_t */
struct vmres_uv;

/* Adds its handles to the loop, which must outlive them. On success *uv is the caller's to give
 * to vmres_uv_close(). allocator NULL = libc; copied. VMRES_INVALID: an argument is NULL;
 * VMRES_NOMEM. On failure *uv is untouched. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_uv_create(struct uv_loop_s *loop,
                                                           const struct vmres_allocator *allocator,
                                                           struct vmres_uv **uv);

/* Starts the driver, with the status of vmres_driver_start(), and pumps it from the next turn of
 * the loop on. The driver stays the caller's and must outlive vmres_uv_stop(). VMRES_STATE: started
 * already; VMRES_INVALID: a NULL. error may be NULL. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_uv_start(struct vmres_uv *uv,
                                                          struct vmres_driver *driver,
                                                          struct vmres_error *error);

/* Stops the driver and lets go of it; another may be started. Not to be called by the backend. No
 * effect if not started. */
VMRES_API void vmres_uv_stop(struct vmres_uv *uv);

/* Makes the loop turn at once, so that what was posted is delivered. Has the type of `wake` in
 * struct vmres_driver_options; `uv` is the struct vmres_uv. No effect if not started. Any thread,
 * until vmres_uv_close(). */
VMRES_API void vmres_uv_wake(void *uv);

/* Stops it if it is started, and gives the handles back. The loop must run on until closed(user) is
 * called, which comes last: by then *uv is freed, and the loop may be closed. closed may be NULL.
 * NULL uv: no effect, and nothing is called. */
VMRES_API void vmres_uv_close(struct vmres_uv *uv, void (*closed)(void *user), void *user);

VMRES_END_DECLS

#endif
