/* SPDX-License-Identifier: MIT */
/*
 * One race: a contestant on a trace, under some condition; and what came of it. Run on the
 * simulated host of vmres-sim by the engine (race.c), or over devices of its own (direct.c).
 */
#ifndef VMRES_BENCH_RACE_H
#define VMRES_BENCH_RACE_H

#include <stdbool.h>
#include <stdint.h>

#include <vmres/sim.h>
#include <vmres/sim_fault.h>

#include "peers/peer.h"
#include "traces/trace.h"

/* Never confused: quality/README.md. */
enum race_form {
    RACE_OURS,   /* a policy of ours */
    RACE_POLICY, /* b: a peer's rule as a policy of the engine */
    RACE_DIRECT, /* c: a peer's rule over devices of its own, without the engine */
};

struct contestant {
    const char *name;
    enum race_form form;
    enum vmres_sim_stall stall;
    const struct peer *peer; /* NULL: ours */
};

/* What is otherwise than it should be. Faults are the first VM's, for all of the time. */
struct condition {
    const char *name;
    uint32_t period_s, noise; /* seconds; times what is usual */
    enum vmres_sim_fault_kind fault;
    uint32_t share;
};

struct race {
    const struct trace *trace;
    const struct contestant *contestant;
    const struct condition *condition;
};

/* In GiB or CPUs, and seconds; see README.md. */
struct result {
    double unmet, bound, moved, cost; /* U, U_lb, V, J */
    double shortfall;                 /* E, percent */
    double others_shortfall;          /* of that, without the first VM */
    double others_unmet;              /* U without the first VM */
    double cache, reversed;           /* R, turned within 120 s */
    double relief;                    /* seconds; below 0: the trace has no step */
    uint64_t oom_ticks;
    char breach[80]; /* what was broken; empty: nothing */
};

/* The row from which on nothing changes any more, after one VM's demand rose; 0: there is none.
 * *size: by how much. */
uint32_t race_step(const struct trace *trace, uint32_t *size);

struct result race_run(const struct race *race);
struct result direct_run(const struct race *race);

/* What one GiB moved costs in seconds; the devices of both. */
#define RACE_RELEASE 0.857 /* GiB/s */
#define RACE_GRANT 2.11
#define RACE_SWAP 0.1

#endif
