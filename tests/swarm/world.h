/* SPDX-License-Identifier: MIT */
/*
 * A host, its VMs and a backend, made up from a seed, around one engine and without a driver.
 *
 * What is here is the truth: what each device really holds and was really told. The engine learns
 * of it by messages, which may be late. What the *host* says in them (the witness, the device's
 * target, incarnations, what is gone) is true when it is written; what *guests* say is not.
 *
 *     fleet.c      the beginning, by dice       world.c      time, messages, steps
 *     backend.c    carries out actions          guest.c      reports
 *     place.c      where blocks lie
 *     faults.c     what goes wrong, with quirks.c, life.c, breach.c
 *     operate.c    what operators ask for       again.c      other engines in the middle
 *     policy.c     wild targets                 coverage.c   the catalogue of faults
 *     shadow.c, orders.c: books of its own      obey.c       what each action must obey
 *     check.c      a look at everything after each step
 */
#ifndef VMRES_TESTS_SWARM_WORLD_H
#define VMRES_TESTS_SWARM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <vmres/vmres.h>

#include "swarm/dice.h"
#include "swarm/shadow.h"
#include "swarm/tally.h"

#define QUEUE 4096u
#define SCRIPT_ROWS 8u
#define NEVER UINT64_MAX

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How a guest and its device behave. */
enum mood { OBEYS, IGNORES, STOPS, CLAIMS_DONE, CLAIMS_LITTLE, CLAIMS_MUCH };

struct order {   /* a resize as the backend has it */
    uint64_t id; /* 0: none */
    uint64_t target, asked, start, amount;
    uint64_t since_ms;
};

struct device {
    uint64_t held, target, limit; /* truly */
    uint64_t need;                /* what its guest uses; it stops at that when its mood is STOPS */
    uint64_t rate;                /* units it moves in a millisecond */
    uint64_t front, goal; /* on a contiguous host: where its block begins, and is to begin */
    uint64_t begun;       /* of a granule */
    uint64_t overhead;    /* of its process, beyond what it holds */
    uint64_t unscrubbed;  /* let go, and still seen by the witness */
    uint64_t piece;       /* it lets go of whole ones only; 0: of anything */
    uint64_t missing_ms;  /* it takes no command until then */
    uint64_t swing_ms;    /* its need swings so often; 0: it does not */
    struct order shrink, grow, pin;
    uint64_t before;  /* the most of held and target before a growth that was not told yet */
    uint32_t changes; /* unasked ones */
    uint32_t told;    /* those the engine has been told of */
    uint32_t posted;  /* those that are on their way to it */
    uint16_t witness; /* so many answers in a thousand carry one */
    uint8_t mood;
    bool swung;    /* to the other of two needs */
    bool dodges;   /* it moves now and then only */
    bool scrubs;   /* what it lets go the witness sees go later */
    bool enforced; /* a cap makes retaking impossible, and its word is the host's */
};

struct guest {
    bool present, adopted;
    uint32_t incarnation;
    uint64_t boot_ms; /* when it is said next that it is live, while it is not */
    uint64_t hang_ms; /* does not move until then */
    uint64_t mute_ms; /* reports nothing until then */
    uint64_t thaw_ms; /* frozen until then; 0: it is not */
    bool migrates, paused;
    bool fragile;      /* it dies when it has less than half of what it needs */
    uint64_t order_ms; /* the host's words of it come in order: when the last one is due */
    uint8_t lies;      /* so many reports in ten do */
    uint64_t floor[KINDS], ceiling[KINDS];
    struct device devices[KINDS];
};

struct message {
    uint64_t due_ms, number;
    struct vmres_event event;
    uint32_t changes; /* of its device when it was written */
    bool tells;       /* of them */
    bool breach;      /* the engine must refuse it */
    bool past;        /* let its time be before the last one's */
};

struct world {
    uint64_t seed, now, tick_ms, number;
    uint64_t last_ms; /* of the last event that was taken */
    struct dice dice;
    struct tally *tally;
    struct vmres_engine_options options;
    struct vmres_resource resources[KINDS];
    struct vmres_policy policies[KINDS];
    struct vmres_usage_options usage[KINDS];
    struct vmres_pressure_options pressure[KINDS];
    struct vmres_script_options script[KINDS];
    struct vmres_table table;
    uint64_t times[SCRIPT_ROWS], cells[SCRIPT_ROWS * VMS];
    struct wild_options {
        uint64_t seed;
        const bool *quiet;
    } wild[KINDS];
    struct vmres_allocator allocator;
    size_t blocks;
    bool created;
    struct vmres_engine *engine;
    uint32_t slots;
    struct guest guests[VMS];
    uint32_t fault_permille; /* of a fault, at each tick */
    uint32_t delay_ms;       /* of messages, at most */
    bool lost, dry, calm, quiet;
    bool prompt; /* messages take no time */
    bool vetoes;
    bool log;         /* print what happens */
    uint64_t calm_ms; /* when faults stopped */
    uint64_t ready_ms;
    struct message queue[QUEUE];
    uint32_t queued;
    struct message withheld[VMS * KINDS * 2]; /* finals that do not come before the world is calm */
    uint32_t withheld_count;
    uint64_t steps;    /* events the engine was given */
    uint32_t timeouts; /* in a row, at the same time */
    uint64_t hash;     /* of all actions */
    struct shadow shadow;
    char failure[400];
};

extern const struct vmres_policy_ops swarm_wild, swarm_commander;

/* --- fleet.c --- */
bool world_create(struct world *world, uint64_t seed, struct tally *tally, bool log);
void world_destroy(struct world *world);
void world_arrive(struct world *world, uint32_t vm, bool adopted);
void fleet_introduce(struct world *world, uint32_t vm);
bool fleet_contiguous(const struct world *world);
bool fleet_vetoes(const struct world *world, uint64_t transfer);

/* --- world.c --- */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool world_failed(const struct world *world);
void world_fault(struct world *world, enum fault fault);
void world_run(struct world *world, uint64_t steps);
bool world_settle(struct world *world);

/* Writes a message; what the host says of one VM arrives in the order it was said. */
struct message *world_post(struct world *world, struct vmres_event event, bool in_order);
struct vmres_event world_event(const struct world *world, enum vmres_event_type type, uint32_t vm,
                               uint8_t kind);
struct vmres_event world_limits(const struct world *world, uint32_t vm, uint8_t kind,
                                uint64_t floor, uint64_t ceiling);

/* --- log.c --- */
void log_open(struct world *world);
void log_event(const struct world *world, const struct vmres_event *event,
               enum vmres_status status);
void log_action(const struct world *world, const struct vmres_action *action);

/* --- backend.c --- */
uint64_t backend_said(const struct world *world, uint32_t vm, uint8_t kind);
void backend_submit(struct world *world, const struct vmres_action *action);
void backend_move(struct world *world, uint32_t vm, uint64_t milliseconds);
void backend_observe(struct world *world, uint32_t vm, uint8_t kind);
void backend_forget(struct world *world, uint32_t vm);
void backend_changed(struct device *device);
void backend_release(struct world *world);
void backend_seen(struct world *world, const struct message *message);

/* --- place.c --- */
bool place_matters(const struct world *world, uint8_t kind);
uint64_t place_whole(const struct world *world, struct device *device, uint8_t kind, uint64_t step,
                     uint64_t rest);
uint64_t place_outside(const struct device *device);
void place_leaves(struct device *device, uint64_t amount);
void place_enters(struct device *device, uint64_t amount);
void place_command(struct world *world, const struct vmres_action *action);
void place_find(struct world *world, uint32_t vm, uint8_t kind);
void place_show(struct world *world, uint32_t vm, uint8_t kind);
bool place_is_asked(const struct world *world, uint32_t vm, uint8_t kind);
void place_mislead(struct world *world, uint32_t vm);

/* --- guest.c --- */
void guest_answer(struct world *world, const struct vmres_action *inquiry);
void guest_report(struct world *world, uint32_t vm, uint8_t kind, uint64_t round);

/* --- faults.c --- */
void faults_inject(struct world *world);
void faults_stop(struct world *world);

/* --- quirks.c --- */
void quirks_befall(struct world *world, uint32_t vm);
void quirks_mend(struct world *world, uint32_t vm);
bool quirks_guest_rules(const struct world *world, const struct device *device, uint8_t kind);

/* --- operate.c --- */
void operate(struct world *world, uint32_t vm);
void operate_tick(struct world *world, uint32_t vm);
void operate_thaw(struct world *world, uint32_t vm, bool host);
void operate_claim(struct world *world, uint32_t vm);

/* --- again.c --- */
void again_clone(struct world *world, uint32_t vm);
void again_restart(struct world *world, uint32_t vm);

/* --- life.c --- */
void life_vanishes(struct world *world, uint32_t vm);
void life_crashes(struct world *world, uint32_t vm);
void life_reboots(struct world *world, uint32_t vm);
void life_restored(struct world *world, uint32_t vm);
void life_comes(struct world *world, uint32_t vm);
void life_storm(struct world *world, uint32_t vm);
void life_boots(struct world *world, uint32_t vm);
void life_boots_in(struct world *world, uint32_t vm, uint64_t ms);

/* --- breach.c --- */
void faults_breach(struct world *world, const struct vmres_event *event);

#endif
