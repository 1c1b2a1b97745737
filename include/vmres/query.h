/* SPDX-License-Identifier: MIT */
/*
 * Queries: what an engine knows, copied out. All are read-only, cost O(1) unless said otherwise,
 * and may be called whenever no step is running, from the engine's thread. Amounts are in the
 * kind's unit; texts are static, or the policy's. With a NULL they return VMRES_INVALID, or what
 * they would of an engine without VMs, and write nothing.
 */
#ifndef VMRES_QUERY_H
#define VMRES_QUERY_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>
#include <vmres/engine.h>
#include <vmres/event.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

enum vmres_vm_state {
    VMRES_VM_VACANT = 0,   /* no VM in this slot */
    VMRES_VM_BOOTING = 1,  /* added, not live: charged, not judged, not asked */
    VMRES_VM_ADOPTING = 2, /* it ran before us: charged with the most it could hold until pinned */
    VMRES_VM_LIVE = 3,     /* takes part */
    VMRES_VM_SILENT = 4,   /* its device no longer answers: charge stays, no commands */
    VMRES_VM_FROZEN = 5,   /* left alone, by whom why tells: charge stays, no commands */
};

enum vmres_transfer_state {
    VMRES_TRANSFER_NONE = 0,
    VMRES_TRANSFER_PLANNED = 1,   /* (3) decided; in a dry run it ends here */
    VMRES_TRANSFER_REQUESTED = 2, /* (4) the donor was asked */
    VMRES_TRANSFER_MOVING = 3,    /* (5)-(8) pieces are on their way */
    VMRES_TRANSFER_PLACING = 4,   /* (6)-(8) the donor is done, the recipient is not */
    VMRES_TRANSFER_DONE = 5,      /* all that was asked is incorporated */
    VMRES_TRANSFER_PARTIAL = 6,   /* some of it is */
    VMRES_TRANSFER_CANCELLED = 7, /* called off before anything moved */
    VMRES_TRANSFER_FAILED = 8,    /* nothing came */
};

struct vmres_vm_info {
    enum vmres_vm_state state;
    uint32_t incarnation;
    uint64_t tag;
};

/* One VM's books for one kind. */
struct vmres_account_info {
    uint64_t floor, ceiling, entitlement;
    uint64_t charge;                /* the most it can hold, by all we know */
    uint64_t disputed;              /* of that, said to be released and not believed */
    uint64_t target;                /* what it was last told to hold */
    uint64_t held, witness, limit;  /* as the host last saw it; these two UINT64_MAX: unknown */
    uint64_t used, available, free; /* as its last report says, bounded by held */
    uint64_t outgoing, incoming;    /* still to leave, still to come, by open transfers */
    uint32_t weight;
    enum vmres_participation participation;
    uint32_t stall;     /* 0 .. VMRES_STALL_ONE */
    uint32_t age_ms;    /* of its last report; UINT32_MAX: never reported */
    uint32_t flags;     /* enum vmres_view_flag */
    const char *reason; /* of the last verdict on it, or NULL */
};

/* One kind's pool: free + sum of charges + transit + reserve = capacity + deficit, always. */
struct vmres_pool_info {
    uint64_t capacity, reserve, free, transit, deficit, charged, disputed;
    uint64_t reserved; /* of charged, by reservations */
    uint64_t unmet;    /* what the last judgement wanted and nobody could give */
};

struct vmres_transfer_info {
    uint64_t id;
    enum vmres_transfer_state state;
    uint32_t donor, recipient; /* VMRES_VM_NONE: the free pool */
    uint8_t kind;
    uint64_t asked, released, placed, incorporated;
    uint64_t started_ms;
    const char *reason;
};

/* Room kept for a VM to come. ready: it has its minimum, and may be claimed. */
struct vmres_reservation_info {
    uint64_t owner, minimum, maximum, charge, expires_ms;
    uint8_t kind, ready;
};

/* Everything counted since the engine was created. */
struct vmres_counters {
    uint64_t events, refused, actions;
    uint64_t rounds, judgements, notices;
    uint64_t refused_invalid, refused_unknown, refused_stale, refused_contract;
    uint64_t transfers_done, transfers_partial, transfers_cancelled, transfers_failed;
    uint64_t released, incorporated; /* granules, all kinds */
    uint64_t disputes, deficits, limits_hit, vetoed;
};

/* Each returns VMRES_UNKNOWN for an id or kind out of range, and of a vacant slot there is no
 * account; *info is as it was then. The pool costs O(VMs), a reservation O(max_reservations). */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_vm(const struct vmres_engine *engine,
                                                           uint32_t vm, struct vmres_vm_info *info);
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_account(const struct vmres_engine *engine,
                                                                uint32_t vm, uint8_t kind,
                                                                struct vmres_account_info *info);
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_pool(const struct vmres_engine *engine,
                                                             uint8_t kind,
                                                             struct vmres_pool_info *info);
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_reservation(
    const struct vmres_engine *engine, uint64_t id, struct vmres_reservation_info *info);
/* 1: no transfer and no command is open. */
VMRES_API int vmres_engine_settled(const struct vmres_engine *engine);
VMRES_API void vmres_engine_counters(const struct vmres_engine *engine,
                                     struct vmres_counters *counters);

/* Iterates the open transfers: start with *cursor = 0, call until it returns 0. Amortised O(1). */
VMRES_API int vmres_engine_next_transfer(const struct vmres_engine *engine, uint32_t *cursor,
                                         struct vmres_transfer_info *info);

/* Says in one line why a VM has what it has: the last verdict, its inputs and their ages.
 * Returns as snprintf does; an empty line for a vacant slot. */
VMRES_API size_t vmres_engine_why(const struct vmres_engine *engine, uint32_t vm, uint8_t kind,
                                  char *buffer, size_t size);

/*
 * Recomputes the books from the accounts and transfers, O(VMs x kinds + transfers), and compares:
 * conservation, single transfer, that no promise exceeds a charge, that every state is one there
 * is. VMRES_OK, or VMRES_BUG with the first breach in *error, which may be NULL.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_engine_audit(const struct vmres_engine *engine,
                                                              struct vmres_error *error);

VMRES_END_DECLS

#endif
