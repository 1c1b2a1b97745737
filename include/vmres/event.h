/* SPDX-License-Identifier: MIT */
/*
 * Events: everything an engine is ever told, as 64-byte plain values without pointers.
 *
 * They own nothing; they can be recorded, replayed, fuzzed. The format is frozen as version
 * VMRES_FORMAT_VERSION: fields are never moved or reused, types and flags may be added.
 *
 * Trust is per datum. REPORT and SAMPLES carry what the *guest* says of itself. OBSERVED and the
 * `held` and `witness` words of an answer carry what the *host* sees. All are bounded; a guest's
 * words can lower its own allotment or raise its claim on surplus, nothing else.
 *
 * Answers (REMOVED, REASSIGNED, INCORPORATED, PINNED) carry the id of the action they answer. Any
 * number of non-final ones may come, each with the *cumulative* amount since the action was
 * accepted, so that a lost or repeated one harms nothing; then exactly one with VMRES_FLAG_FINAL.
 */
#ifndef VMRES_EVENT_H
#define VMRES_EVENT_H

#include <stdint.h>
#include <vmres/api.h>

VMRES_BEGIN_DECLS

#define VMRES_FORMAT_VERSION 1u

/* The steps are those of the method, see vmres.h. */
enum vmres_event_type {
    VMRES_EVENT_TIMEOUT = 1,        /* the engine's deadline has come */
    VMRES_EVENT_VM_ADDED = 2,       /* a VM, with its incarnation; limits follow */
    VMRES_EVENT_VM_LIMITS = 3,      /* floor, ceiling, weight, initial, participation of one kind */
    VMRES_EVENT_VM_LIVE = 4,        /* it runs, its guest driver answers: it takes part */
    VMRES_EVENT_VM_GONE = 5,        /* it vanished: all it held is free again */
    VMRES_EVENT_ALLOT = 6,          /* give every VM that has no allotment yet its first one */
    VMRES_EVENT_REPORT = 7,         /* step 2: what a guest says of one kind */
    VMRES_EVENT_SAMPLES = 8,        /* step 2: the guest's stored samples since the last inquiry */
    VMRES_EVENT_OBSERVED = 9,       /* what the host sees of one VM and kind */
    VMRES_EVENT_REMOVED = 10,       /* step 5: answers REQUEST_REMOVAL */
    VMRES_EVENT_REASSIGNED = 11,    /* step 6: answers REASSIGN */
    VMRES_EVENT_INCORPORATED = 12,  /* step 8: answers NOTIFY */
    VMRES_EVENT_PINNED = 13,        /* answers PIN */
    VMRES_EVENT_CAPACITY = 14,      /* capacity and reserve of a kind have changed */
    VMRES_EVENT_BACKEND_LOST = 15,  /* no hypervisor: fail static, send nothing */
    VMRES_EVENT_BACKEND_READY = 16, /* it is back, everything has been observed anew */
    VMRES_EVENT_CANCEL = 17,        /* the embedder calls off the transfer `id` */
    VMRES_EVENT_DRY_RUN = 18,       /* dry run on (result 1) or off (result 0) */
    VMRES_EVENT_EXTENT = 19,  /* contiguous host: all an adopted VM has, or was told it may have */
    VMRES_EVENT_FREEZE = 20,  /* leave this VM alone: migration, snapshot */
    VMRES_EVENT_THAW = 21,    /* pin it, then let it take part again */
    VMRES_EVENT_SET = 22,     /* the operator: let this VM hold `amount` */
    VMRES_EVENT_MOVE = 23,    /* the operator: move `amount` from vm to `recipient` */
    VMRES_EVENT_RESERVE = 24, /* keep room for a VM to come; id: the owner's name for it */
    VMRES_EVENT_RELEASE = 25, /* reservation `id` is not needed any more */
    VMRES_EVENT_CLAIM = 26,   /* reservation `id` becomes vm's first allotment */
    VMRES_EVENT_SETTLE = 27,  /* let open transfers end, open no new ones */
    VMRES_EVENT_RESUME = 28,  /* go on */
};

enum vmres_event_flag {
    VMRES_FLAG_FINAL = 1 << 0,   /* the last answer to its action */
    VMRES_FLAG_NOTICE = 1 << 1,  /* REPORT: unasked, the guest is short */
    VMRES_FLAG_ADOPTED = 1 << 2, /* VM_ADDED: it was running before us */
    VMRES_FLAG_AUTO = 1 << 3, /* VM_LIMITS: floor + the same share of (ceiling - floor) for all */
    VMRES_FLAG_HOST = 1 << 4, /* FREEZE, THAW: the hypervisor's reason, apart from the operator's */
};

/* How an action ended; `result` of a final answer. */
enum vmres_result {
    VMRES_RESULT_DONE = 0,
    VMRES_RESULT_PARTIAL = 1,    /* some of it, and no more will come */
    VMRES_RESULT_REFUSED = 2,    /* the VM or its device will not */
    VMRES_RESULT_CANCELLED = 3,  /* answers a CANCEL */
    VMRES_RESULT_SUPERSEDED = 4, /* a newer command of the same direction took over */
    VMRES_RESULT_GONE = 5,       /* the VM vanished */
};

/* Which words of a REPORT, an OBSERVED or an answer hold a value; all others are unknown. */
enum vmres_valid {
    VMRES_VALID_USED = 1 << 0,
    VMRES_VALID_AVAILABLE = 1 << 1,
    VMRES_VALID_FREE = 1 << 2,
    VMRES_VALID_STALL = 1 << 3,
    VMRES_VALID_HELD = 1 << 4,
    VMRES_VALID_TARGET = 1 << 5,
    VMRES_VALID_WITNESS = 1 << 6,
    VMRES_VALID_LIMIT = 1 << 7,
    VMRES_VALID_ENFORCED = 1 << 8, /* a cap makes retaking impossible: no witness is needed */
};

/* What a VM takes part in, per kind. */
enum vmres_participation {
    VMRES_PARTICIPATE_OFF = 0,
    VMRES_PARTICIPATE_DONOR = 1,
    VMRES_PARTICIPATE_RECIPIENT = 2,
    VMRES_PARTICIPATE_BOTH = 3,
};

#define VMRES_WEIGHT_MAX 1000000u
#define VMRES_STALL_ONE 10000u /* a stall of 1: all of the time, or all of the demand */

struct vmres_event {
    uint64_t time_ms;     /* host monotonic clock; never goes backwards */
    uint64_t id;          /* of the action answered or the inquiry round; 0 = unsolicited */
    uint32_t vm;          /* 0 .. max_vms - 1 */
    uint8_t type;         /* enum vmres_event_type */
    uint8_t kind;         /* index of the resource */
    uint16_t flags;       /* enum vmres_event_flag */
    uint32_t incarnation; /* which life of the VM this is about; grows, never reused for a VM id */
    uint16_t valid;       /* enum vmres_valid */
    uint16_t result;      /* answers: enum vmres_result; REPORT: stall, 0 .. VMRES_STALL_ONE */
    union {
        struct { /* REPORT: used, available = could be given up, free = of that, not even cache */
            uint64_t used, available, free;
            uint32_t age_ms, samples; /* how old it is; how many it was made of, or 0 */
        } report;
        struct { /* SAMPLES: of `used`, since the last inquiry */
            uint64_t count, last, maximum, mean;
        } samples;
        struct { /* OBSERVED: has now, was last told, process holds less overhead, device maximum */
            uint64_t held, target, witness, limit;
        } observed;
        struct { /* the four answers: amount is cumulative; REASSIGNED and PINNED need none */
            uint64_t amount, held, witness, reserved;
        } answer;
        struct { /* VM_ADDED: the embedder's tag, returned by queries */
            uint64_t tag, reserved[3];
        } added;
        struct { /* VM_LIMITS: initial is ignored with VMRES_FLAG_AUTO or for an adopted VM */
            uint64_t floor, ceiling, initial;
            uint32_t weight;        /* 1 .. VMRES_WEIGHT_MAX; 0 = 1 */
            uint32_t participation; /* enum vmres_participation */
        } limits;
        struct { /* CAPACITY */
            uint64_t capacity, reserve, unused[2];
        } capacity;
        struct { /* EXTENT */
            uint64_t front, size, unused[2];
        } extent;
        struct { /* SET; MOVE: to recipient */
            uint64_t amount, recipient, unused[2];
        } order;
        struct { /* RESERVE; SETTLE: within_ms alone, then what is still to leave is called off */
            uint64_t minimum, maximum, within_ms, owner;
        } terms;
        uint64_t words[4];
    } as;
};

VMRES_END_DECLS

#endif
