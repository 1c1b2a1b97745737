/* SPDX-License-Identifier: MIT */
/*
 * Keeping a run in little room. A point spans several ticks when there are more ticks than points;
 * it keeps the extremes, so that no peak is lost in the picture.
 */
#include "history.h"

#include <stdlib.h>

struct span history_join(struct span one, struct span next)
{
    return (struct span){
        .low = one.low < next.low ? one.low : next.low,
        .high = one.high > next.high ? one.high : next.high,
        .last = next.last,
    };
}

static size_t row_of(const struct history *history, uint8_t kind, uint32_t vm)
{
    return (size_t)kind * history->vms + vm;
}

struct history *history_open(uint32_t kinds, uint32_t vms, uint64_t ticks, uint32_t tick_ms)
{
    struct history *history = calloc(1, sizeof *history);
    size_t rows = (size_t)kinds * vms;

    if (!history)
        return NULL;
    history->ticks = ticks;
    history->tick_ms = tick_ms;
    history->vms = vms;
    history->kinds = kinds;
    history->points = ticks < HISTORY_POINTS ? (uint32_t)ticks : HISTORY_POINTS;
    history->at = calloc(rows * history->points, sizeof *history->at);
    history->first = calloc(rows, sizeof *history->first);
    history->missed = calloc(rows, sizeof *history->missed);
    if (history->at && history->first && history->missed)
        return history;
    history_close(history);
    return NULL;
}

static struct span one(uint64_t value)
{
    return (struct span){value, value, value};
}

void history_add(struct history *history, uint8_t kind, uint32_t vm, uint64_t tick,
                 const struct reading *reading)
{
    size_t row = row_of(history, kind, vm);
    uint32_t points = history->points;
    uint64_t index = tick * points / history->ticks;
    struct point *point = &history->at[row * points + index];
    const struct point now = {one(reading->demand), one(reading->held), one(reading->stall),
                              one(reading->lack), reading->front};

    if (tick == 0)
        history->first[row] = reading->held;
    if (reading->demand > reading->held)
        history->missed[row] += (double)(reading->demand - reading->held) * history->tick_ms / 1000;
    if (tick > 0 && (tick - 1) * points / history->ticks == index) {
        point->demand = history_join(point->demand, now.demand);
        point->held = history_join(point->held, now.held);
        point->stall = history_join(point->stall, now.stall);
        point->lack = history_join(point->lack, now.lack);
        point->front = now.front;
    } else {
        *point = now;
    }
}

void history_cut(struct history *history, uint32_t ticks)
{
    struct point *to = history->at;

    for (size_t row = 0; row < (size_t)history->kinds * history->vms; row++)
        for (uint32_t i = 0; i < ticks; i++)
            *to++ = history->at[row * history->points + i];
    history->points = ticks;
    history->ticks = ticks;
}

const struct point *history_of(const struct history *history, uint8_t kind, uint32_t vm)
{
    return &history->at[row_of(history, kind, vm) * history->points];
}

double history_missed(const struct history *history, uint8_t kind, uint32_t vm)
{
    return history->missed[row_of(history, kind, vm)];
}

void history_close(struct history *history)
{
    if (!history)
        return;
    free(history->at);
    free(history->first);
    free(history->missed);
    free(history);
}
