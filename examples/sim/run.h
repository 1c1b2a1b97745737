/* SPDX-License-Identifier: MIT */
/*
 * One run of a scenario: the world, and what is gathered about it while it turns. Opened, turned
 * tick by tick, then looked at by whatever prints it.
 */
#ifndef VMRES_SIM_RUN_H
#define VMRES_SIM_RUN_H

#include <stdio.h>

#include <vmres/config.h>
#include <vmres/driver.h>
#include <vmres/sim.h>

#include "options.h"

/* How the transfers of one kind ended. */
struct outcomes {
    uint64_t done, partial, cancelled, failed;
};

/* Why has a VM of the scenario what it has, when the tick of this time ends? */
struct question {
    uint32_t vm;
    uint64_t at_ms;
};

struct run {
    const struct options *options;
    struct vmres_config *config;
    struct vmres_sim *sim;
    struct vmres_driver *driver;
    struct history *history;           /* NULL: nobody wants to see it drawn */
    struct log *log;                   /* NULL: nobody reads along */
    struct story *story;               /* NULL: nobody reads it afterwards */
    FILE *notes;                       /* where log and breaches go */
    FILE *csv, *svg, *report, *record; /* or NULL */
    struct outcomes outcomes[VMRES_KINDS_MAX];
    struct vmres_sim_violations violations;
    uint64_t audits_failed;
    struct question questions[WHYS_MAX]; /* [options->whys] */
    uint32_t operated;                   /* of the scenario's operations, done */
    uint32_t astray;                     /* of those, for a VM that was not there */
};

/* Loads the scenario, opens the outputs, builds the world. Complains on standard error and returns
 * EXIT_WRONG if that cannot be; run_close() is due in any case. */
enum exit_code run_open(struct run *run, const struct options *options);
/* Turns the world to the end. */
enum exit_code run_turn(struct run *run);
/* Writes the files that are not complete yet, frees everything. */
enum exit_code run_close(struct run *run, enum exit_code code);

/* How many breaches there were. */
uint64_t run_breaches(const struct run *run);
/* How much of what the operator asked for was refused. */
uint64_t run_refused(const struct run *run);
uint64_t run_ticks(const struct run *run);
/* Which VM of the scenario has that id now; VMRES_VM_NONE: none. */
uint32_t run_vm(const struct run *run, uint32_t id);

#endif
