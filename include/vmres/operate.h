/* SPDX-License-Identifier: MIT */
/*
 * What an operator, or the manager above, asks of a driver: leave a VM alone, set what one holds,
 * keep room for one to come, let everything come to rest.
 *
 * Each of these queues one event, as vmres_driver_post() does, and the next pump delivers it. What
 * they return is what can be said at once: VMRES_OK, it is queued; VMRES_INVALID, a NULL, a VM, a
 * kind or an amount that makes no sense; VMRES_UNKNOWN, no such VM; VMRES_LIMIT, the queue is full.
 * What the engine makes of it shows in its queries (query.h) and its trace: an order that cannot be
 * taken, such as a thaw of what is not frozen, is refused, counted (vmres_driver_counters()) and
 * traced.
 *
 * Amounts are in the kind's unit. Threads: the driver's.
 */
#ifndef VMRES_OPERATE_H
#define VMRES_OPERATE_H

#include <stdint.h>
#include <vmres/api.h>
#include <vmres/driver.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

/* --- one VM left alone --- */

/* Before a migration, a snapshot, a pause: what is open on it is called off, nothing new is asked
 * of it and no round waits for it. It stays charged with what it may hold. This stands, whatever
 * else happens to it, until it is thawed or gone. Refused of a VM that is booting. One that is
 * silent is frozen when it speaks; one that is frozen stays so for this reason, too: a backend may
 * have done so for a reason of its own, which ends by itself. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_freeze(struct vmres_driver *driver,
                                                               uint32_t vm);
/* Where no other reason is left it is pinned at what it holds, twice, and takes part again. A
 * migration that succeeded ends with VM_GONE instead. Refused unless it was frozen. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_thaw(struct vmres_driver *driver,
                                                             uint32_t vm);

/* --- who holds what --- */

/* Lets a VM hold `amount`, within floor and ceiling, against the policy until that is so. What it
 * has too much goes to whoever wants it, or is free; what it lacks comes from what is free, from
 * those above their entitlement, then from what others do not use. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_set(struct vmres_driver *driver,
                                                            uint32_t vm, uint8_t kind,
                                                            uint64_t amount);
/* Moves `amount` from one VM to another; refused as a whole where floor or ceiling forbids it, and
 * given up as a whole where one of the two fails. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_move(struct vmres_driver *driver,
                                                             uint32_t donor, uint32_t recipient,
                                                             uint8_t kind, uint64_t amount);
/* Calls off a transfer, by its id: what came stays where it is. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_cancel(struct vmres_driver *driver,
                                                               uint64_t transfer);
/* Changes the limits of a VM; its initial allotment only while it has none. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_set_limits(
    struct vmres_driver *driver, uint32_t vm, uint8_t kind, const struct vmres_vm_limits *limits);
/* The host has more now, or less: then the VMs give up what is missing. Refused on a contiguous
 * host where a block lies in what it would lose. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_set_capacity(struct vmres_driver *driver,
                                                                     uint8_t kind,
                                                                     uint64_t capacity,
                                                                     uint64_t reserve);

/* --- room for a VM to come --- */

struct vmres_reservation {
    uint64_t id;               /* your name for it, not 0 */
    uint64_t minimum, maximum; /* the minimum is gathered; more only of what nobody wants */
    uint64_t within_ms;        /* given up unless claimed so soon; UINT64_MAX: it stands */
    uint64_t owner;            /* yours, returned by vmres_engine_reservation() */
    uint8_t kind;
};

/* Keeps room: ask vmres_engine_reservation() when it is ready. For a deficit or a floor it gives
 * back what is beyond its minimum, then, if nobody else can help, the rest, and is not ready any
 * more. Refused where floors and other reservations leave too little for it, and on a contiguous
 * host: an amount is no block. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_reserve(
    struct vmres_driver *driver, const struct vmres_reservation *reservation);
/* It is not needed: what it has is free again. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_release(struct vmres_driver *driver,
                                                                uint64_t id);
/* What was reserved becomes the first allotment of a VM that was just added, instead of what
 * vmres_driver_allot() would give it: claim before that. Refused where it is less than its floor.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_claim(struct vmres_driver *driver,
                                                              uint32_t vm, uint64_t id);

/* --- everything at rest --- */

/* Lets open transfers end and opens no new ones; what has still to leave a donor within_ms later is
 * called off. vmres_engine_settled() tells when all is at rest. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_settle(struct vmres_driver *driver,
                                                               uint64_t within_ms);
/* Goes on. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_resume(struct vmres_driver *driver);
/* on 1: from now on judge and trace the plan, move nothing; 0: in earnest again. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_driver_dry_run(struct vmres_driver *driver,
                                                                int on);

VMRES_END_DECLS

#endif
