/* SPDX-License-Identifier: MIT */
/*
 * The driver's parts, as its own files see them: driver.c creates, starts and stops it, post.c is
 * what a backend may do, operate.c what an operator asks, pump.c is the only place that steps the
 * engine, query.c answers questions.
 */
#ifndef VMRES_DRIVER_INTERNAL_H
#define VMRES_DRIVER_INTERNAL_H

#include <stdint.h>
#include <vmres/driver.h>

#include "driver/log.h"
#include "driver/mailbox.h"
#include "driver/queue.h"
#include "driver/registry.h"

struct vmres_driver {
    struct vmres_engine *engine;
    struct vmres_backend *backend;
    struct vmres__queue queue;
    struct vmres__mailbox mailbox;
    struct vmres__registry registry;
    struct vmres__log_writer log;
    void (*wake)(void *user);
    void *wake_user;
    struct vmres_allocator allocator; /* the embedder's, or all NULL: libc */
    uint64_t now_ms;
    uint64_t submitted, refused, unanswerable;
    uint64_t mail, mail_refused, orders_refused;
    uint32_t kinds;
    int started; /* the backend runs */
    int stopped; /* it ran before: the engine is owed a BACKEND_READY */
    int pumping; /* no second pump within the first */
};

/* VM_LIMITS of one VM and kind. */
struct vmres_event vmres__post_limits(const struct vmres_vm_limits *limits, uint32_t vm,
                                      uint32_t incarnation, uint8_t kind);
/* Delivers what is queued, then an event of this type, which is about the backend. */
void vmres__pump_last(struct vmres_driver *driver, enum vmres_event_type type);
/* Time never goes backwards. */
void vmres__pump_advance(struct vmres_driver *driver, uint64_t now_ms);

#endif
