/* SPDX-License-Identifier: MIT */
/*
 * The field: all traces of a set, everybody who runs on each of them and under which conditions,
 * and what came of it. Filled in order, run by several processes, looked at by whoever prints.
 */
#ifndef VMRES_BENCH_FIELD_H
#define VMRES_BENCH_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "quality/race.h"

/* One trace with its races; they stand one after another, ours first. */
struct meeting {
    struct trace trace;
    double best; /* J*; below 0: nobody has computed it */
    uint32_t first, count;
};

struct field {
    struct meeting *meetings;
    struct race *races;
    struct result *results;
    uint32_t meeting_count, race_count;
    uint32_t meeting_room, race_room;
};

/* Takes the trace over. best: J*, or below 0. 0: no memory, the trace is closed. */
int field_add(struct field *field, struct trace *trace, double best);
/* Runs all that was added, in so many processes. 0: that cannot be. */
int field_run(struct field *field, uint32_t processes);
void field_close(struct field *field);

/* J of never moving. */
double field_static(const struct field *field, const struct meeting *meeting);
/* How far from the best, 1: as far as never moving; NAN: not known, or nothing is to be gained. */
double field_regret(const struct field *field, const struct meeting *meeting, uint32_t race);
/* Of this meeting's races, that of a policy of ours; NULL: there is none. */
const struct result *field_ours(const struct field *field, const struct meeting *meeting,
                                const char *name, enum vmres_sim_stall stall,
                                const char *condition);
/* As usual, that is: nothing is otherwise than it should be. */
bool field_is_usual(const struct race *race);
const char *field_form(const struct race *race);
const char *field_sensor(const struct race *race);

/* optimum.c: J* of a trace as a file of results says, or -1. */
double optimum_of(const char *path, const char *trace);

/* verdict.c: what must hold. Tells what does not; returns how much that is. */
uint32_t verdict_write(const struct field *field, FILE *file);

/* goals.c: what was set out for, on the traces it was set for; the same. */
uint32_t goals_write(const struct field *field, FILE *file);

/* table.c, chart.c */
void table_write(const struct field *field, FILE *file);
void table_sum_up(const struct field *field, FILE *file);
void csv_write(const struct field *field, FILE *file);
void chart_write(const struct field *field, const struct meeting *meeting, FILE *file);

#endif
