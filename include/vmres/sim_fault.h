/* SPDX-License-Identifier: MIT */
/*
 * The faults a simulated host and its VMs can have, and how to give them one. What a correct
 * manager must do about each: backends/sim/README.md.
 *
 * A fault is in effect from at_ms for for_ms; ticks are whole, so it begins and ends with one.
 * Those that strike once strike in the first tick at or after at_ms; a VM that is not there is
 * spared.
 */
#ifndef VMRES_SIM_FAULT_H
#define VMRES_SIM_FAULT_H

#include <stdint.h>
#include <vmres/api.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct vmres_sim;

/* The figure a fault takes: none; `amount` in the kind's unit, as a count, or in milliseconds; or
 * `share`, in parts per million. */
enum vmres_sim_figure {
    VMRES_SIM_FIGURE_NONE,
    VMRES_SIM_FIGURE_AMOUNT,
    VMRES_SIM_FIGURE_COUNT,
    VMRES_SIM_FIGURE_DELAY,
    VMRES_SIM_FIGURE_SHARE,
};

/* Whom it befalls: a VM; a VM's kind; one that guests must give up, for where the host takes no
 * guest can err; the host; the host's stock of one kind; one that guests must give up and can hold
 * more of than they are to. Where blocks bound what VMs can hold (VMRES_PLACEMENT_EXTENT) there is
 * nothing of the last, and a stock does not shrink, for the end of the host may lie in a block. */
enum vmres_sim_scope {
    VMRES_SIM_SCOPE_VM,
    VMRES_SIM_SCOPE_KIND,
    VMRES_SIM_SCOPE_GIVING,
    VMRES_SIM_SCOPE_HOST,
    VMRES_SIM_SCOPE_STOCK,
    VMRES_SIM_SCOPE_HOLDING,
};

/* X(CONSTANT, name in a scenario, figure, scope), numbered from 1; numbers stay. */
/* clang-format off */
#define VMRES_SIM_FAULT_LIST(X) \
    X(IGNORE_REQUESTS, "ignore_requests", NONE, GIVING) /* releases nothing unless called off */  \
    X(SLOW, "slow", SHARE, GIVING)                   /* releases at `share` of its rates */       \
    X(PARTIAL, "partial", SHARE, GIVING)             /* releases `share` of it, says so */        \
    X(VANISH, "vanish", NONE, VM)                    /* gone, for good or until it ends */        \
    X(CRASH, "crash", NONE, VM)                      /* the same, noticed a tick late */          \
    X(REBOOT, "reboot", NONE, VM)                    /* a new life, all held, silent 3 ticks */   \
    X(RETAKE, "retake", AMOUNT, HOLDING)             /* takes `amount` back, to its maximum */    \
    X(LIE_USED, "lie_used", SHARE, KIND)             /* reports `share` of its use, no stall */   \
    X(LIE_NEED, "lie_need", SHARE, KIND)             /* reports all used, a stall of `share` */   \
    X(LIE_RELEASED, "lie_released", NONE, HOLDING)   /* says released, keeps it */                \
    X(STALE, "stale", NONE, KIND)                    /* repeats its last report */                \
    X(FLOOD, "flood", COUNT, KIND)                   /* so many extra reports a tick */           \
    X(TRICKLE, "trickle", AMOUNT, GIVING)            /* releases at most `amount` a tick */       \
    X(LIE_HELD, "lie_held", AMOUNT, HOLDING)         /* its device reads `amount` */              \
    X(SELF_DEFLATE, "self_deflate", NONE, HOLDING)   /* takes what it misses, unasked */          \
    X(FRAGILE, "fragile", SHARE, GIVING)             /* dies below `share` of its demand */       \
    X(REBOOT_STALE, "reboot_stale", NONE, VM)        /* reboot, and its device reads as before */ \
    X(SLOW_BOOT, "slow_boot", NONE, VM)              /* allotted, its driver not there yet */     \
    X(GARBAGE, "garbage", NONE, KIND)                /* reports random bits */                    \
    X(WITNESS_NOISE, "witness_noise", SHARE, GIVING) /* the witness errs by that deviation */     \
    X(OVERHEAD, "overhead", AMOUNT, GIVING)          /* the witness sees so much a second more */ \
    X(SCRUB, "scrub", AMOUNT, GIVING)                /* the witness sees so much a second go */   \
    X(ROUGH, "rough", AMOUNT, HOLDING)               /* moves whole pieces of `amount` only */    \
    X(REFUSE, "refuse", SHARE, GIVING)               /* refuses so many of its resizes */         \
    X(FALSE_DONE, "false_done", NONE, HOLDING)       /* says done at once, does nothing */        \
    X(REPEAT, "repeat", NONE, GIVING)                /* says each thing again each tick */        \
    X(THROTTLE, "throttle", DELAY, GIVING)           /* tells progress no more often */           \
    X(LATENCY, "latency", DELAY, VM)                 /* hears what is asked so much later */      \
    X(HANG, "hang", NONE, VM)                        /* neither works nor answers */              \
    X(NO_DEVICE, "no_device", NONE, KIND)            /* its device is unplugged */                \
    X(RESTORE, "restore", AMOUNT, GIVING)            /* a snapshot's life, holding `amount` */    \
    X(LIMIT, "limit", AMOUNT, GIVING)                /* its device's maximum is `amount` */       \
    X(CEILING, "ceiling", AMOUNT, KIND)              /* configured anew: a ceiling of `amount` */ \
    X(SHRINK, "shrink", AMOUNT, STOCK)               /* the host has `amount` less */             \
    X(LINK_DOWN, "link_down", NONE, HOST)            /* the hypervisor does not answer */         \
    X(NO_PUMP, "no_pump", NONE, HOST)                /* the embedder is busy, nobody pumps */     \
    X(SUSPEND, "suspend", DELAY, HOST)               /* all stands still but the clock */         \
    X(MIGRATE, "migrate", NONE, VM)                  /* frozen; gone when it ends */              \
    X(MIGRATION_FAILS, "migration_fails", NONE, VM)  /* frozen; thawed when it ends */            \
    X(PAUSE, "pause", NONE, VM)                      /* the same, and it does not run */          \
    X(REBOOT_EMPTY, "reboot_empty", NONE, VM)        /* reboot, its device fills anew from 0 */
/* clang-format on */

#define VMRES_SIM_FLOOD_MAX 100000u /* extra reports a tick; no queue keeps as many */

enum vmres_sim_fault_kind {
    VMRES_SIM_NO_FAULT = 0,
#define VMRES_SIM_FAULT_ENUM_(constant, name, figure, scope) VMRES_SIM_##constant,
    VMRES_SIM_FAULT_LIST(VMRES_SIM_FAULT_ENUM_)
#undef VMRES_SIM_FAULT_ENUM_
};

struct vmres_sim_fault {
    enum vmres_sim_fault_kind fault;
    uint32_t vm;  /* index in order of vmres_sim_add_vm(); of no account for the host's */
    uint8_t kind; /* of the resource; of no account for those of a whole VM or host */
    uint64_t at_ms;
    uint64_t for_ms; /* 0 = for ever, or once */
    uint64_t amount; /* units, count or milliseconds */
    uint32_t share;  /* parts per million, at most a million */
};

/*
 * Adds a fault, before or between runs; *fault is copied. One whose time has passed strikes at the
 * next tick. VMRES_INVALID: no such fault, VM or kind, a share above one, a flood above
 * VMRES_SIM_FLOOD_MAX, or a scope that this kind has not; VMRES_LIMIT: max_faults reached. Thread:
 * the driver's.
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
