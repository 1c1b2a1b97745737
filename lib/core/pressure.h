/* SPDX-License-Identifier: MIT */
/*
 * The policy "pressure" from within, three files: policy_pressure.c is the rule, pressure_need.c
 * says what one VM needs, pressure_plan.c who gives and who gets. Amounts are granules.
 */
#ifndef VMRES_CORE_PRESSURE_H
#define VMRES_CORE_PRESSURE_H

#include "bucket.h"
#include "policy.h"

#define ROUND_PARTS 16u /* time is learned in sixteenths of a round */
#define SPELL_MOST 64u  /* rounds; longer spells are all the same */

struct pressure {
    struct buckets surplus;
    const struct vmres_resource *resource;
    uint32_t release, grant; /* granules one VM can let go, or take, in a round */
    uint32_t margin;         /* ppm of available */
    uint32_t wait;           /* parts of a round that a move there and back is worth */
    uint32_t round;          /* counted from 1 */
    uint32_t askers;         /* first of the list of those who asked in this round */
};

/* A *spell* is a time of need: from the first stall until the use is halfway back. */
struct pressure_vm {
    uint32_t held;        /* when it last reported; its words are about that */
    uint32_t peak;        /* of its use, slowly forgotten; granules */
    uint32_t spell_began; /* round, or 0: it is in no spell */
    uint32_t spell_base;  /* what it held then */
    uint32_t spell_size;  /* by how much its demand rose above that, at most */
    uint32_t spell_usual; /* how long its spells are, parts of a round */
    uint32_t ask;         /* what it is to get in this round, above its charge */
    uint32_t target;      /* while surplus is collected and memory in use is taken */
    uint32_t next;        /* in its bucket, or in the list of askers: nobody is in both */
};

/* One judgement on its way. */
struct pressure_plan {
    struct pressure *policy;
    struct pressure_vm *vms;
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

/* --- pressure_need.c --- */
uint32_t vmres__pressure_demand(const struct pressure *policy, const struct pressure_vm *vm,
                                const struct vmres_view *view);
uint32_t vmres__pressure_need(const struct pressure *policy, struct pressure_vm *vm,
                              const struct vmres_view *view);
void vmres__pressure_learn(const struct pressure *policy, struct pressure_vm *vm,
                           const struct vmres_view *view);

/* --- pressure_plan.c --- */
uint32_t vmres__pressure_surplus(const struct pressure *policy, const struct pressure_vm *vm,
                                 const struct vmres_view *view);
void vmres__pressure_collect(struct pressure_plan *plan);
void vmres__pressure_hand_out(struct pressure_plan *plan);

#endif
