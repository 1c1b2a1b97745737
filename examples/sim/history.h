/* SPDX-License-Identifier: MIT */
/*
 * What every VM wanted and held over a run, kept for drawing: at most HISTORY_POINTS points in
 * time, each the span of values seen since the one before.
 */
#ifndef VMRES_SIM_HISTORY_H
#define VMRES_SIM_HISTORY_H

#include <stdint.h>

struct run;

enum { HISTORY_POINTS = 1200 };

/* The lowest, highest and last value of a span of time. */
struct span {
    uint64_t low, high, last;
};

struct point {
    struct span demand, held;
    uint64_t front; /* contiguous hosts: where the block began last */
};

struct history {
    uint64_t ticks;
    uint32_t vms, kinds, points;
    struct point *at; /* [kind][vm][point] */
    uint64_t *first;  /* [kind][vm]: the first allotment */
};

/* NULL: no memory. */
struct history *history_open(const struct run *run);
void history_add(struct history *history, const struct run *run, uint64_t tick);
void history_close(struct history *history);

/* The points of one VM. */
const struct point *history_of(const struct history *history, uint8_t kind, uint32_t vm);
/* What both hold, in time one after the other. */
struct span history_join(struct span one, struct span next);

#endif
