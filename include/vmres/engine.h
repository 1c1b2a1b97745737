/* SPDX-License-Identifier: MIT */
/*
 * The engine: the resource allotment control element, as a pure function of the events it is given.
 *
 *     event --> vmres_engine_step() --> actions
 *
 * It allocates when it is created and never again; it reads no clock, draws no random number,
 * prints nothing, calls nobody but the tracer and the policies. Most users hold it inside a driver
 * (driver.h), which queues events, carries actions to a backend and keeps names.
 *
 * Threads: one engine belongs to one thread at a time; distinct engines are independent.
 */
#ifndef VMRES_ENGINE_H
#define VMRES_ENGINE_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/action.h>
#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/event.h>
#include <vmres/policy.h>
#include <vmres/resource.h>
#include <vmres/status.h>
#include <vmres/trace.h>

VMRES_BEGIN_DECLS

struct vmres_engine;

#define VMRES_MAX_VMS 0x100000u /* VMs in one engine: 1,048,576 */

/*
 * Asked before a transfer is opened, from within a step; not 0: it is not. As a policy, it must
 * not call the engine, block, or depend on anything that a replay would not repeat. function NULL:
 * none.
 */
struct vmres_transfer_info;
struct vmres_veto {
    int (*function)(void *user, const struct vmres_transfer_info *transfer);
    void *user;
};

/*
 * Start from vmres_engine_options_init(), then set max_vms, kinds, resources and policies. A zero
 * means the default given here. All arrays are copied (names, policies' options too; tables not).
 */
struct vmres_engine_options {
    size_t size;            /* sizeof(struct vmres_engine_options), the version */
    uint32_t max_vms;       /* VM ids are 0 .. max_vms - 1; at most VMRES_MAX_VMS */
    uint32_t max_transfers; /* open at once; default 2 * max_vms + 64; contiguous: no less than
                               2 * max_vms */
    uint32_t max_actions;   /* one step can hand out; default min(max_vms, 1024) + 16 */
    uint32_t kinds;         /* 1 .. VMRES_KINDS_MAX */
    const struct vmres_resource *resources; /* [kinds] */
    const struct vmres_policy *policies;    /* [kinds]; NULL = "static" for all */
    uint32_t period_ms;                     /* between inquiries; default 1000 */
    uint32_t inquiry_ms;    /* how long a round waits for reports; default min(period / 4, 250) */
    uint32_t progress_ms;   /* a command without progress for so long is given up; default 5000 */
    uint32_t stale_periods; /* a report older than so many periods is unknown; default 3 */
    uint32_t notice_ms;     /* at most one notice per VM in this time pulls a round; default 1000 */
    uint32_t dry_run;       /* 1: judge and trace the plan, move nothing; default 0 */
    uint32_t max_reservations; /* at once; default 16 */
    uint32_t relief_ms;        /* need unmet for so long asks for relief (trace); default 30000 */
    struct vmres_veto veto;
    struct vmres_tracer tracer;
    const struct vmres_allocator *allocator; /* NULL = libc; copied */
};

/* Zeroes *options and sets its size. NULL: no effect. */
VMRES_API void vmres_engine_options_init(struct vmres_engine_options *options);

/*
 * Creates an engine in one allocation. On success *engine is the caller's to destroy.
 * VMRES_INVALID: a NULL, or options out of range or refused by a policy (error says which),
 * VMRES_NOMEM. On failure *engine is untouched. error may be NULL.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_create(
    const struct vmres_engine_options *options, struct vmres_engine **engine,
    struct vmres_error *error);

/*
 * The same engine, open transfers and all, in a new and larger one: for more VMs than were thought
 * of. Same kinds, granules and policies; limits at least as large as what is in use. Between
 * steps, with no VMRES_MORE pending; afterwards step the clone alone. Statuses as create, and
 * VMRES_LIMIT: less room than is in use.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_clone(
    const struct vmres_engine *engine, const struct vmres_engine_options *options,
    struct vmres_engine **clone, struct vmres_error *error);

/* NULL: no effect. */
VMRES_API void vmres_engine_destroy(struct vmres_engine *engine);

/*
 * Tells the engine one thing; *actions is what it asks for in return, its own until the next step.
 *
 * VMRES_OK: taken. VMRES_MORE: taken, and the outbox is full: carry out these actions, then step
 * with event NULL until it answers VMRES_OK. Any other status: the event was refused, counted and
 * traced, the state is unchanged and *actions is empty:
 *   VMRES_INVALID   malformed (type, kind, vm, participation out of range; floor above ceiling)
 *   VMRES_UNKNOWN   no such VM, no such command, transfer or reservation
 *   VMRES_STALE     time ran backwards, or a former incarnation's word
 *   VMRES_CONTRACT  a second final answer, an answer of the wrong type, an amount that shrank or
 *                   exceeds what was asked
 *   VMRES_EXISTS    VM_ADDED for a slot in use, RESERVE of an id in use
 *   VMRES_NOROOM    limits that raise a floor beyond what there is, but of a VM that ran before;
 *                   ALLOT without enough free; MOVE past floor or ceiling; RESERVE of what floors
 *                   and others need; CLAIM of less than the floor; EXTENT where a block lies
 *   VMRES_STATE     not in this state (VM_LIVE without limits of every kind, or before its first
 *                   allotment was answered; orders to a VM that is not live; CAPACITY below where a
 *                   block ends)
 *   VMRES_LIMIT     RESERVE beyond max_reservations
 *   VMRES_UNSUPPORTED  RESERVE on a contiguous host
 * A NULL engine or actions is VMRES_INVALID, and nothing else happens.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_step(struct vmres_engine *engine,
                                                             const struct vmres_event *event,
                                                             struct vmres_actions *actions);

/*
 * The same for events[0], events[1] and so on, one step after the other, for as long as they are
 * taken and ask for nothing: a round of reports costs less so. *taken is how many were stepped, the
 * last of which *actions and the status are of: the others were VMRES_OK, with no actions. With
 * VMRES_MORE, step with NULL first; then go on with events[*taken]. VMRES_INVALID for a NULL, but
 * for events where count is 0: that takes none, and asks for nothing.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_steps(struct vmres_engine *engine,
                                                              const struct vmres_event *events,
                                                              uint32_t count, uint32_t *taken,
                                                              struct vmres_actions *actions);

/* When the next TIMEOUT event is due, on the clock of the events; UINT64_MAX: never, or a NULL. A
 * TIMEOUT that comes early does nothing. */
VMRES_API uint64_t vmres_engine_deadline(const struct vmres_engine *engine);

/* Event builders: zeroed, then filled. Limits are for kind 0, initial auto, weight 1, taking part
 * both ways; change what differs. An answer is the final one to this action (not NULL): its id, VM,
 * kind and life; fill in what moved and what is held. Its type is 0 where no answer is owed. */
VMRES_API struct vmres_event vmres_event_make(enum vmres_event_type type, uint64_t now_ms,
                                              uint32_t vm, uint32_t incarnation);
VMRES_API struct vmres_event vmres_event_limits(uint64_t now_ms, uint32_t vm, uint32_t incarnation,
                                                uint64_t floor, uint64_t ceiling);
VMRES_API struct vmres_event vmres_event_answer(const struct vmres_action *action, uint64_t now_ms,
                                                enum vmres_result result);

VMRES_END_DECLS

#endif
