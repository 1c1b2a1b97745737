/* SPDX-License-Identifier: MIT */
/*
 * The driver: an engine, its backend, and what lies between them: a bounded queue of events, the
 * pump that feeds them to the engine and carries its actions to the backend, the names of the VMs,
 * and the event log.
 *
 * It reads no clock: the caller says what time it is. With a loop of your own:
 *
 *     wait until vmres_driver_deadline(driver), or for the backend's descriptors;
 *     vmres_driver_pump(driver, now);
 *
 * uv.h does just this on a libuv loop.
 *
 * Threads: a driver, its engine and its backend belong to one thread. The one call for all others
 * is vmres_driver_post_threadsafe().
 */
#ifndef VMRES_DRIVER_H
#define VMRES_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>
#include <vmres/backend.h>
#include <vmres/engine.h>
#include <vmres/event.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

#define VMRES_VM_NAME_MAX 64u /* bytes of a VM's name, with its NUL */

struct vmres_driver;

/* Where the event log goes (format: lib/driver/log.h). A failed write ends it, not the driver. It
 * must not call the driver. */
struct vmres_recorder {
    enum vmres_status (*write)(void *user, const void *data, size_t size);
    void *user;
};

/* Start from vmres_driver_options_init(). */
struct vmres_driver_options {
    size_t size; /* sizeof(struct vmres_driver_options), the version */
    /* Its allocator serves the driver too. For room for more VMs destroy the driver and start a
     * larger one, which adopts what runs; an engine of your own can be cloned instead. */
    struct vmres_engine_options engine;
    struct vmres_backend *backend;  /* must outlive the driver */
    struct vmres_recorder recorder; /* write NULL: no log */
    uint32_t max_posts;             /* of other threads, waiting for a pump; default 1024 */
    /* Called when a post from outside of a pump found the queue empty: pump soon. May be NULL.
     * Where other threads post, it is called from those, too. */
    void (*wake)(void *user);
    void *wake_user;
};

/* One VM's limits for one kind, in the kind's unit. */
struct vmres_vm_limits {
    uint64_t floor, ceiling;
    uint64_t initial; /* UINT64_MAX: auto (VMRES_FLAG_AUTO) */
    uint32_t weight;  /* relative share; 0 = 1 */
    enum vmres_participation participation;
};

/* Everything counted since the driver was created. */
struct vmres_driver_counters {
    uint64_t posted, coalesced, dropped; /* events; dropped: the queue was full */
    uint64_t submitted, refused;         /* actions; refused: submit() failed */
    uint64_t unanswerable;               /* actions not submitted: too many answers are owed */
    uint64_t mail, mail_refused;         /* delivered of other threads' posts; not VMRES_OK */
    uint64_t orders_refused;             /* by the engine, of what operate.h asks (not claims) */
};

/* A VM to be managed. `limits` has one entry per kind of the engine. */
struct vmres_vm_spec {
    const char *name; /* unique, 1 .. VMRES_VM_NAME_MAX - 1 bytes; copied */
    uint64_t tag;     /* the embedder's own */
    int adopted;      /* 1: it was running before us */
    const struct vmres_vm_limits *limits;
};

/* Zeroes *options and sets its sizes. NULL: no effect. */
VMRES_API void vmres_driver_options_init(struct vmres_driver_options *options);

/* Creates driver and engine. Statuses as vmres_engine_create(). error may be NULL. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_create(
    const struct vmres_driver_options *options, struct vmres_driver **driver,
    struct vmres_error *error);
/* Stops the backend if it is started. NULL: no effect. */
VMRES_API void vmres_driver_destroy(struct vmres_driver *driver);

/* Starts the backend; its status. VMRES_STATE: started already. Like stop and destroy, not to be
 * called by the backend itself. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_start(struct vmres_driver *driver,
                                                              uint64_t now_ms,
                                                              struct vmres_error *error);
/* Stops the backend and tells the engine, which fails static and closes every open command. */
VMRES_API void vmres_driver_stop(struct vmres_driver *driver, uint64_t now_ms);

/* Delivers everything queued, and TIMEOUT if due, and all that follows from it, at time now_ms. A
 * time before the last one is taken as the last one. No effect unless started, or within a pump. */
VMRES_API void vmres_driver_pump(struct vmres_driver *driver, uint64_t now_ms);
/* When pump is next wanted; 0: at once; UINT64_MAX: only after a post, or not started. */
VMRES_API uint64_t vmres_driver_deadline(const struct vmres_driver *driver);

/*
 * Registers a VM, chooses its id and incarnation and queues VM_ADDED and VM_LIMITS. The pump may
 * still find that they do not fit (vmres_engine_vm() tells). VMRES_EXISTS: the name is taken,
 * VMRES_INVALID: a NULL, the name, or limits out of order; VMRES_LIMIT: max_vms reached, or the
 * queue is full.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_add_vm(struct vmres_driver *driver,
                                                               const struct vmres_vm_spec *spec,
                                                               uint32_t *vm);
/* Queues ALLOT: a first allotment for every VM added without one. VMRES_LIMIT: no room for it. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_allot(struct vmres_driver *driver);

/*
 * Queues one event; its time is set when it is delivered. REPORT, SAMPLES and OBSERVED replace an
 * undelivered older one of the same VM and kind. An answer to an action always finds room.
 * VMRES_INVALID: type, vm or kind out of range, or VM_ADDED or TIMEOUT, which are the driver's own;
 * VMRES_UNKNOWN: no such VM any more; VMRES_STALE: of a former incarnation; VMRES_STATE: of a new
 * one, which only REPORT, SAMPLES, OBSERVED and VM_GONE tell of; VMRES_LIMIT: the queue is full,
 * counted. incarnation 0 is replaced by the VM's present one.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_post(struct vmres_driver *driver,
                                                             const struct vmres_event *event);

/* The same from any thread, delivered by the next pump, after what was posted within this thread;
 * the posts of one thread stay in order. What vmres_driver_post() would answer is known only then,
 * and counted. VMRES_LIMIT: max_posts are waiting, post again later. VMRES_INVALID: a NULL, or a
 * type that nobody posts. Not while the driver is created or destroyed. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_post_threadsafe(
    struct vmres_driver *driver, const struct vmres_event *event);

/* With a NULL the queries below write nothing, and return NULL, VMRES_VM_NONE or 0. */
VMRES_API void vmres_driver_counters(const struct vmres_driver *driver,
                                     struct vmres_driver_counters *counters);
/* For queries. Do not step it. */
VMRES_API const struct vmres_engine *vmres_driver_engine(const struct vmres_driver *driver);
/* The VM's name, or NULL; the string lives until the VM is gone. */
VMRES_API const char *vmres_driver_vm_name(const struct vmres_driver *driver, uint32_t vm);
/* Its id, or VMRES_VM_NONE. */
VMRES_API uint32_t vmres_driver_vm_id(const struct vmres_driver *driver, const char *name);
/* Its present incarnation, 0 for a vacant slot. A backend that saw a reboot posts this plus 1. */
VMRES_API uint32_t vmres_driver_vm_incarnation(const struct vmres_driver *driver, uint32_t vm);

VMRES_END_DECLS

#endif
