/* SPDX-License-Identifier: MIT */
/*
 * What every VM wanted and held over a run, kept for drawing: at most HISTORY_POINTS points in
 * time, each the span of values seen since the one before.
 */
#ifndef VMRES_SHOW_HISTORY_H
#define VMRES_SHOW_HISTORY_H

#include <stdint.h>

enum { HISTORY_POINTS = 1200 };

/* The lowest, highest and last value of a span of time. */
struct span {
    uint64_t low, high, last;
};

struct point {
    struct span demand, held;
    struct span stall, lack; /* of VMRES_STALL_ONE: as it says, and as it is */
    uint64_t front;          /* contiguous hosts: where the block began last */
};

/* One reading of a VM. */
struct reading {
    uint64_t demand, held, front;
    uint64_t stall, lack;
};

struct history {
    uint64_t ticks;
    uint32_t tick_ms;
    uint32_t vms, kinds, points;
    struct point *at; /* [kind][vm][point] */
    uint64_t *first;  /* [kind][vm]: the first allotment */
    double *missed;   /* [kind][vm]: what was wanted and not held, times seconds */
};

/* For so many ticks; NULL: no memory. */
struct history *history_open(uint32_t kinds, uint32_t vms, uint64_t ticks, uint32_t tick_ms);
/* Ticks come in order, none is left out. */
void history_add(struct history *history, uint8_t kind, uint32_t vm, uint64_t tick,
                 const struct reading *reading);
/* There were only so many ticks; no more than HISTORY_POINTS had been asked for. */
void history_cut(struct history *history, uint32_t ticks);
/* NULL: no effect. */
void history_close(struct history *history);

/* The points of one VM. */
const struct point *history_of(const struct history *history, uint8_t kind, uint32_t vm);
double history_missed(const struct history *history, uint8_t kind, uint32_t vm);
/* What both hold, in time one after the other. */
struct span history_join(struct span one, struct span next);

#endif
