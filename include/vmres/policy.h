/* SPDX-License-Identifier: MIT */
/*
 * Policies: step 3, the judgement. One policy per kind; a small vtable, ready made or your own.
 *
 * A policy looks at one struct vmres_view per VM and says what some of them should hold. It obeys
 * the engine's rules: no allocation, no clock, no randomness, no I/O, integers only; the same state
 * and the same views give the same verdict. Its state is the engine's, of the two sizes it states
 * below, zeroed; it is called from within a step, and must not call the engine or its driver. It
 * never commands anything: the engine bounds each verdict (floor, ceiling, and for policies that
 * judge by reports: entitlement, staleness) and plans the transfers.
 *
 * All amounts here are uint32_t granules (resource.h); shares in parts per million; a stall in
 * 1 / VMRES_STALL_ONE.
 */
#ifndef VMRES_POLICY_H
#define VMRES_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>
#include <vmres/event.h>
#include <vmres/option.h>
#include <vmres/resource.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

enum vmres_view_flag {
    VMRES_VIEW_PRESENT = 1 << 0,   /* the slot holds a VM; all else is undefined without it */
    VMRES_VIEW_FRESH = 1 << 1,     /* its last report is not too old: stale_periods */
    VMRES_VIEW_REPORTED = 1 << 2,  /* a report has come since the last judgement */
    VMRES_VIEW_NOTICE = 1 << 3,    /* it gave notice of a shortage since the last judgement */
    VMRES_VIEW_DONOR = 1 << 4,     /* may give now: taking part, live, co-operating, not growing */
    VMRES_VIEW_RECIPIENT = 1 << 5, /* may be given to now */
    VMRES_VIEW_UNCOOPERATIVE = 1 << 6, /* did not release what it was asked for; being left alone */
    VMRES_VIEW_HAS_FREE = 1 << 7,      /* `free` is known */
    VMRES_VIEW_SAMPLES = 1 << 8,       /* `used_mean` and `used_max` are known */
};

/* One VM as a policy sees it: 64 bytes, only what guests reported and hosts observed. */
struct vmres_view {
    uint32_t floor, ceiling, weight;
    uint32_t entitlement; /* its share: clip(lambda * weight, floor, ceiling), summing to all */
    uint32_t held;        /* what it holds now, as the host sees it */
    uint32_t charge;      /* what it is charged with: held, and what is on its way to it */
    uint32_t used;        /* what it uses, at most held */
    uint32_t available;   /* what it could give up without harm, caches counted */
    uint32_t free;        /* of that, what is not even cache */
    uint32_t outgoing, incoming;  /* still to leave, still to come, by open transfers */
    uint32_t used_mean, used_max; /* of its samples since the last inquiry */
    uint32_t reported;            /* time of the last report, milliseconds modulo 2^32 */
    uint16_t stall;               /* 0 .. VMRES_STALL_ONE; 0 unless FRESH */
    uint16_t flags;               /* enum vmres_view_flag */
    uint32_t disputed;            /* of its charge: said to be released, still seen by the host */
};

/* One judgement's input. views[0 .. count-1] are the VMs by id; skip those without PRESENT. */
struct vmres_round {
    uint64_t now_ms;
    uint64_t capacity, reserve, free, transit, deficit; /* of the host */
    uint64_t granule;                                   /* units per granule */
    uint32_t period_ms;
    uint32_t count;
    uint8_t kind;
    const struct vmres_view *views;
    void *scratch; /* an array of vm_scratch_size, by VM id; what it holds at first is undefined */
};

/*
 * One judgement's output. A VM that is not named keeps what it holds, and what was still to come
 * or to go is called off: a plan is made from what is held, old promises vanish. Of a VM named
 * twice the last counts; one that cannot exist is passed over. `reason` is static text, or NULL; of
 * more than 255 different ones of a kind those that came first are remembered.
 */
struct vmres_verdict;
VMRES_API void vmres_verdict_set(struct vmres_verdict *verdict, uint32_t vm, uint32_t target,
                                 const char *reason);

/* What a policy is told about its kind when it starts. Lives as long as the engine. */
struct vmres_policy_host {
    const struct vmres_resource *resource;
    uint64_t granule;
    uint32_t period_ms;
    uint32_t max_vms;
};

struct vmres_policy_ops {
    size_t size;                         /* sizeof(struct vmres_policy_ops), the version */
    const char *name;                    /* lower case letters, digits and '-' */
    size_t options_size;                 /* 0: it has none */
    const void *defaults;                /* one options struct, or NULL with options_size 0 */
    const struct vmres_option_key *keys; /* ends with a NULL name; NULL with options_size 0 */
    size_t state_size;                   /* bytes per engine */
    size_t vm_state_size;                /* bytes per VM */
    size_t vm_scratch_size;              /* bytes per VM within a judgement; all kinds share them */
    /* 1: targets are an operator's command, not a judgement on reports: the engine then applies
     * floor and ceiling only, not entitlement and staleness. */
    int commands;

    /* Prepare the state: zeroed, or a clone's copy of a former engine's, of which what was
     * learned is kept and what comes from options and host is set anew. A policy may provide
     * this; if not, nothing is done. Returns VMRES_OK or VMRES_INVALID for options that make no
     * sense together. */
    enum vmres_status (*start)(void *state, const void *options,
                               const struct vmres_policy_host *host);
    /* A VM took this slot: zero or prepare its state. A policy may provide this; if not, the engine
     * zeroes it. */
    void (*admit)(void *state, void *vm_state, uint32_t vm);
    /* Judge. A policy must provide this. vm_states is an array of vm_state_size, by VM id. */
    void (*judge)(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict);
    /* Say in one line what it thinks of this VM. A policy may provide this; if not, `why` tells the
     * reason of the last verdict only. Returns as snprintf does. */
    size_t (*explain)(const void *state, const void *vm_state, const struct vmres_view *view,
                      char *buffer, size_t size);
};

/* A policy chosen for a kind. options NULL: the defaults. Options are copied; a table in them must
 * outlive the engine. */
struct vmres_policy {
    const struct vmres_policy_ops *ops;
    const void *options;
};

/* The ready-made ones by name ("static", "script", "usage", "pressure"), or NULL; and by index,
 * NULL after the last. Constants. Their options structs are in policies.h. Any thread. */
VMRES_API const struct vmres_policy_ops *vmres_policy_find(const char *name);
VMRES_API const struct vmres_policy_ops *vmres_policy_at(uint32_t index);

VMRES_END_DECLS

#endif
