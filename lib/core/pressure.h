/* SPDX-License-Identifier: MIT */
/*
 * The policy "pressure" from within, four files: policy_pressure.c is the rule, pressure_need.c
 * says what one VM needs, pressure_curve.c how its stall tells of that, pressure_plan.c who gives
 * and who gets. Amounts are granules.
 */
#ifndef VMRES_CORE_PRESSURE_H
#define VMRES_CORE_PRESSURE_H

#include <stdbool.h>

#include "bucket.h"
#include "policy.h"

#define ROUND_PARTS 16u /* time is learned in sixteenths of a round */
#define SPELL_MOST 64u  /* rounds; longer spells are all the same */

#define CURVE_BITS 12u
#define CURVE_ONE (1u << CURVE_BITS) /* shapes and logarithms are in parts of this */

struct pressure {
    struct buckets surplus;
    const struct vmres_resource *resource;
    uint32_t release, grant; /* granules one VM can let go, or take, in a round */
    uint32_t margin;         /* ppm of available */
    uint32_t wait;           /* parts of a round that a move there and back is worth */
    uint32_t round;          /* counted from 1 */
    uint32_t askers;         /* first of the list of those who asked in this round */
    bool costless;           /* moving costs nothing */
};

/* What is learned of a VM's sensor, and of its need. */
enum pressure_flag {
    PRESSURE_LATE = 1 << 0,    /* its stall is about the round before */
    PRESSURE_PROMPT = 1 << 1,  /* its stall is about now; neither: not known yet */
    PRESSURE_SHORT = 1 << 2,   /* it was short when it last reported */
    PRESSURE_RETURNS = 1 << 3, /* the last time it was short, its use came back to its peak */
    PRESSURE_TESTED = 1 << 4,  /* now it is short again, and well below that peak */
    PRESSURE_TRIED = 1 << 5, /* its next report tells of it; SHORT: that it is was a guess, without
                                * a stall to say so; others: it was asked for surplus */
    PRESSURE_DOUBTED = 1 << 6, /* the last time no stall followed: a false alarm */
    PRESSURE_GREW = 1 << 7,    /* when it last moved; not: it shrank */
};

/*
 * A *spell* is a time of need: from the first stall until the use is halfway back. The *curve* of a
 * stall is (missing / demand) ^ shape.
 */
struct pressure_vm {
    uint32_t held;         /* when it last reported; its words are about that */
    uint32_t held_before;  /* in the report before; a late stall is about that */
    uint32_t in_use;       /* when it last reported: all but what was available */
    uint32_t rose;         /* its use, in the last round in which it was not short all along */
    uint32_t peak;         /* of its use, slowly forgotten */
    uint32_t spell_base;   /* what it held when it began */
    uint32_t spell_size;   /* by how much its demand rose above that, at most */
    uint16_t spell_rounds; /* that it has lasted, or 0: it is in no spell */
    uint16_t spell_usual;  /* how long its spells are, parts of a round */
    uint16_t shape;        /* CURVE_ONE: the stall is the share that is missing */
    uint8_t evidence;      /* weight of the points that the shape rests on */
    uint8_t flags;         /* enum pressure_flag */
    uint32_t gave;         /* of its surplus, and has not got back; slowly forgotten */
};

/* What is written of a VM only within one judgement, and only if it asks or somebody does. */
struct pressure_turn {
    union {
        uint32_t ask;    /* SHORT: what it is to get in this round, above its charge */
        uint32_t target; /* others, while surplus is collected and memory in use is taken */
    };
    uint32_t next; /* in its bucket, or in the list of askers: nobody is in both */
};

/* One judgement on its way. */
struct pressure_plan {
    struct pressure *policy;
    struct pressure_vm *vms;
    struct pressure_turn *turns;
    const struct vmres_round *round;
    struct vmres_verdict *verdict;
    uint64_t asked;   /* sum of ask */
    uint64_t owed;    /* of that, to VMs below their entitlement, up to it */
    uint64_t surplus; /* of all VMs */
    uint64_t supply;  /* the free pool, and what was taken */
};

/* What it is charged with is its own: up to that, giving costs nobody anything. */
static inline uint32_t charge_of(const struct vmres_view *view)
{
    return view->charge > view->held ? view->charge : view->held;
}

/* What it is still to be paid back; what is on its way to it counts as paid. */
static inline uint32_t credit_of(const struct pressure_vm *vm, const struct vmres_view *view)
{
    return above(vm->gave, above(view->charge, view->held));
}

/* --- pressure_curve.c --- */
void vmres__pressure_curve_init(struct pressure_vm *vm);
/* It stalled like this when it held and wanted so much. */
void vmres__pressure_curve_learn(struct pressure_vm *vm, uint32_t stall, uint32_t held,
                                 uint32_t demand);
/* The share of its demand that it misses when it stalls like this, 1 / VMRES_STALL_ONE. */
uint32_t vmres__pressure_curve_missing(const struct pressure_vm *vm, uint32_t stall);
/* Whether a demand would make it stall like this, to within twice the noise: 2 * 20 %. */
bool vmres__pressure_curve_agrees(const struct pressure_vm *vm, uint32_t stall, uint32_t held,
                                  uint32_t demand);

/* --- pressure_need.c --- */
bool vmres__pressure_hear(const struct pressure *policy, struct pressure_vm *vm,
                          const struct vmres_view *view);
/* It says nothing, and what it lets go meanwhile is no gift; the others are forgotten all the same,
 * or it would keep them for when that suits it. */
void vmres__pressure_unheard(struct pressure_vm *vm);
uint32_t vmres__pressure_demand(const struct pressure *policy, const struct pressure_vm *vm,
                                const struct vmres_view *view);
uint32_t vmres__pressure_need(const struct pressure *policy, struct pressure_vm *vm,
                              const struct vmres_view *view);

/* --- pressure_plan.c --- */
uint32_t vmres__pressure_surplus(const struct pressure *policy, const struct pressure_vm *vm,
                                 const struct vmres_view *view);
void vmres__pressure_collect(struct pressure_plan *plan);
void vmres__pressure_hand_out(struct pressure_plan *plan);

#endif
