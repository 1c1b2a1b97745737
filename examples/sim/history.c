/* SPDX-License-Identifier: MIT */
/*
 * Keeping a run in little room. A point spans several ticks when there are more ticks than points;
 * it keeps the extremes, so that no peak is lost in the picture.
 */
#include "history.h"

#include <stdlib.h>

#include "run.h"

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

struct history *history_open(const struct run *run)
{
    struct history *history = calloc(1, sizeof *history);
    uint64_t ticks = run_ticks(run);
    size_t rows;

    if (!history)
        return NULL;
    history->ticks = ticks;
    history->vms = run->config->vm_count;
    history->kinds = run->config->engine.kinds;
    history->points = ticks < HISTORY_POINTS ? (uint32_t)ticks : HISTORY_POINTS;
    rows = row_of(history, (uint8_t)history->kinds, 0);
    history->at = calloc(rows * history->points, sizeof *history->at);
    history->first = calloc(rows, sizeof *history->first);
    if (history->at && history->first)
        return history;
    history_close(history);
    return NULL;
}

static struct span one(uint64_t value)
{
    return (struct span){value, value, value};
}

static void add(struct history *history, size_t row, uint64_t tick,
                const struct vmres_sim_state *state)
{
    uint32_t points = history->points;
    uint64_t index = tick * points / history->ticks;
    struct point *point = &history->at[row * points + index];
    const struct point now = {one(state->demand), one(state->held), state->front};

    if (tick == 0)
        history->first[row] = state->held;
    if (tick > 0 && (tick - 1) * points / history->ticks == index) {
        point->demand = history_join(point->demand, now.demand);
        point->held = history_join(point->held, now.held);
        point->front = now.front;
    } else {
        *point = now;
    }
}

void history_add(struct history *history, const struct run *run, uint64_t tick)
{
    for (uint8_t kind = 0; kind < history->kinds; kind++) {
        for (uint32_t vm = 0; vm < history->vms; vm++) {
            struct vmres_sim_state state;

            if (vmres_sim_vm(run->sim, vm, kind, &state) || state.vm == VMRES_VM_NONE)
                state = (struct vmres_sim_state){0};
            add(history, row_of(history, kind, vm), tick, &state);
        }
    }
}

const struct point *history_of(const struct history *history, uint8_t kind, uint32_t vm)
{
    return &history->at[row_of(history, kind, vm) * history->points];
}

void history_close(struct history *history)
{
    free(history->at);
    free(history->first);
    free(history);
}
