/* SPDX-License-Identifier: MIT */
/*
 * Books kept on an engine by somebody who sees only what goes in and what comes out: limits as they
 * were accepted, claims as they were reported, commands as they were sent and finally answered.
 */
#ifndef VMRES_TESTS_SWARM_SHADOW_H
#define VMRES_TESTS_SWARM_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include <vmres/vmres.h>

#define VMS 12u
#define KINDS 3u
#define COMMANDS 256u
#define RESERVATIONS 20u

struct shadow_command {
    uint64_t id, target;
    uint32_t vm;
    uint8_t kind, type;
    bool cancelled, superseded;
};

struct shadow_account {
    uint64_t floor, ceiling, limit; /* granule-rounded; limit UINT64_MAX: not known */
    bool reported;
    uint64_t reported_ms;
    uint64_t used; /* as claimed, bounded by what it held since */
    uint32_t stall;
    uint64_t own;    /* on a contiguous host: what does not only lie there on its way */
    bool rests;      /* it was in no transfer after the last judgement */
    uint64_t charge; /* by the engine's books, after the last step */
    /* By order of the operator, NEVER: none; the lowest since the last judgement; it is there. */
    uint64_t ordered, ordered_low;
    bool reached;
    /* as of the last judgement: */
    uint64_t protected; /* min(need, entitlement) */
    bool fresh;
};

struct shadow_vm {
    bool known;
    bool frozen[2]; /* by the operator, by the hypervisor */
    bool live;      /* after the last step */
    uint32_t incarnation;
    struct shadow_account accounts[KINDS];
};

struct shadow_reservation {
    uint64_t id, most, expires_ms, charge;
    uint8_t kind;
};

struct shadow {
    struct shadow_vm vms[VMS];
    struct shadow_command commands[COMMANDS];
    uint32_t command_count;
    struct shadow_reservation reservations[RESERVATIONS];
    uint32_t reservation_count;
    uint64_t settled_ms, settle_ms; /* when it was asked to settle, and by when */
    bool settling, settle_over;
    uint64_t capacity[KINDS], reserve[KINDS], tolerance[KINDS];
    uint64_t deficit[KINDS]; /* after the last step */
    uint64_t judgements;
    uint64_t digest; /* of all that queries tell, after the last step */
    bool halted, dry;
    bool seeing;   /* the last event had words of the host */
    bool claiming; /* it passed on what was reserved */
};

struct world;

void shadow_open(struct world *world);
/* After a step took an event, before its actions are looked at. */
void shadow_event(struct world *world, const struct vmres_event *event, enum vmres_status status);
void shadow_judged(struct world *world);
struct shadow_command *shadow_find(struct shadow *shadow, uint64_t id);

/* --- obey.c --- */
void shadow_action(struct world *world, const struct vmres_action *action);

/* --- orders.c --- */
void orders_event(struct world *world, const struct vmres_event *event);
void orders_judged(struct world *world, uint32_t vm, uint8_t kind);
void orders_check(struct world *world);
void orders_transfer(struct world *world, const struct vmres_transfer_info *info);
uint64_t orders_lowest(const struct world *world, uint32_t vm, uint8_t kind);

/* --- check.c --- */
/* After a step and its actions. */
void check_step(struct world *world, const struct vmres_event *event, enum vmres_status status);
void check_settled(struct world *world, char *why, size_t size);
uint64_t check_digest(const struct world *world);
struct vmres_account_info check_account(const struct world *world, uint32_t vm, uint8_t kind);

#endif
