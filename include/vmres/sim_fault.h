/* SPDX-License-Identifier: MIT */
/*
 * The faults a simulated VM can have, and how to give it one.
 *
 * A fault is in effect from at_ms for for_ms; ticks are whole, so it begins and ends with one.
 * Those that strike once (vanish, crash, reboot, retake) strike in the first tick at or after
 * at_ms; a VM that is not there is spared.
 */
#ifndef VMRES_SIM_FAULT_H
#define VMRES_SIM_FAULT_H

#include <stdint.h>
#include <vmres/api.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct vmres_sim;

/* X(CONSTANT, name in a scenario), numbered from 1. */
#define VMRES_SIM_FAULT_LIST(X) \
    X(IGNORE_REQUESTS, "ignore_requests") /* releases nothing, until the request is called off */ \
    X(SLOW, "slow")                       /* releases at `share` of the device's rates */ \
    X(PARTIAL, "partial")   /* releases `share` of what is asked, then says that this is all */ \
    X(VANISH, "vanish")     /* is gone, for good or until at_ms + for_ms */ \
    X(CRASH, "crash")       /* as vanish, noticed a tick late; commands stay unanswered */ \
    X(REBOOT, "reboot")     /* a new incarnation; holds its ceiling, is silent for three ticks */ \
    X(RETAKE, "retake")     /* takes `amount` back unasked, up to its ceiling */ \
    X(LIE_USED, "lie_used") /* reports `share` of its use, never a stall */ \
    X(LIE_NEED, "lie_need") /* reports all in use and a stall of `share` */ \
    X(LIE_RELEASED, "lie_released") /* says released, keeps it; the witness shows */ \
    X(STALE, "stale")               /* repeats its last report, with its growing age */ \
    X(FLOOD, "flood")               /* `amount` extra reports, every other a notice, each tick */

enum vmres_sim_fault_kind {
    VMRES_SIM_NO_FAULT = 0,
#define VMRES_SIM_FAULT_ENUM_(constant, name) VMRES_SIM_##constant,
    VMRES_SIM_FAULT_LIST(VMRES_SIM_FAULT_ENUM_)
#undef VMRES_SIM_FAULT_ENUM_
};

struct vmres_sim_fault {
    enum vmres_sim_fault_kind fault;
    uint32_t vm;  /* index in order of vmres_sim_add_vm() */
    uint8_t kind; /* of the resource; of no account for vanish, crash and reboot */
    uint64_t at_ms;
    uint64_t for_ms; /* 0 = for ever, or once */
    uint64_t amount; /* units or count */
    uint32_t share;  /* parts per million, at most a million */
};

/*
 * Adds a fault, before or between runs; *fault is copied. One whose time has passed strikes at the
 * next tick. VMRES_INVALID: no such fault, VM or kind, a share above one, or a fault of releasing
 * for a kind that the host enforces; VMRES_LIMIT: max_faults reached. Thread: the driver's.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_add_fault(struct vmres_sim *sim,
                                                               const struct vmres_sim_fault *fault);

/* Ends what is in effect on this VM and takes back what is still to come; what has struck has
 * struck. VMRES_VM_NONE: of the host. */
VMRES_API void vmres_sim_mend(struct vmres_sim *sim, uint32_t vm);

/* The fault of this name, or VMRES_SIM_NO_FAULT. name must not be NULL. Any thread. */
VMRES_API enum vmres_sim_fault_kind vmres_sim_fault_find(const char *name);
/* Its name, a constant; NULL for a number that is no fault. Any thread. */
VMRES_API const char *vmres_sim_fault_name(enum vmres_sim_fault_kind fault);

VMRES_END_DECLS

#endif
