/* SPDX-License-Identifier: MIT */
/*
 * Transfers, from the trace. A record of steps 4, 5, 7 or 8 is about a VM, which may have several
 * transfers open at once: it belongs to all of them that have come so far. Step 6 names its
 * transfer, and tells whose was what the donor had let go. Steps 1 and 2 are those of the round
 * before the plan.
 *
 * Invariant: an open transfer is in the list of each of its parties that is not the pool.
 */
#include "moves.h"

#include <stdlib.h>
#include <string.h>

#include <vmres/policy.h>

#include "run.h"

#define NONE UINT32_MAX

/* What was heard of a VM last, and its open transfers. */
struct seat {
    uint64_t reported_ms, used, held;
    uint32_t open[2];
};

struct moves {
    const struct run *run;
    struct move *all;
    size_t count, room;
    uint64_t left_out, inquired_ms;
    struct seat *seats; /* [kind][id] */
};

static struct seat *seat_of(const struct moves *moves, uint8_t kind, uint32_t id)
{
    return &moves->seats[(size_t)kind * moves->run->config->engine.max_vms + id];
}

struct moves *moves_open(const struct run *run)
{
    const struct vmres_engine_options *engine = &run->config->engine;
    size_t seats = (size_t)engine->kinds * engine->max_vms;
    struct moves *moves = calloc(1, sizeof *moves);

    if (!moves)
        return NULL;
    moves->run = run;
    moves->inquired_ms = MOVE_NEVER;
    moves->seats = calloc(seats, sizeof *moves->seats);
    if (!moves->seats) {
        free(moves);
        return NULL;
    }
    for (size_t i = 0; i < seats; i++)
        moves->seats[i] = (struct seat){MOVE_NEVER, 0, 0, {NONE, NONE}};
    return moves;
}

void moves_close(struct moves *moves)
{
    free(moves->all);
    free(moves->seats);
    free(moves);
}

const struct move *moves_all(const struct moves *moves, size_t *count, uint64_t *left_out)
{
    *count = moves->count;
    *left_out = moves->left_out;
    return moves->all;
}

static void mark(struct move *move, uint8_t step, uint64_t at_ms)
{
    struct move_step *taken = &move->steps[step];

    if (taken->first == MOVE_NEVER)
        taken->first = at_ms;
    taken->last = at_ms;
}

/* Marks a step of all open transfers of a VM that have taken the step `after`. */
static void mark_all(struct moves *moves, const struct vmres_trace_record *record, enum side side,
                     uint8_t after)
{
    uint32_t index = seat_of(moves, record->kind, record->vm)->open[side];

    for (; index != NONE; index = moves->all[index].next[side]) {
        struct move *move = &moves->all[index];

        if (move->steps[after].first != MOVE_NEVER)
            mark(move, record->step, record->time_ms);
        if (record->step == 4 && !move->reasons[DONOR])
            move->reasons[DONOR] = record->reason;
    }
}

static bool grow(struct moves *moves)
{
    size_t room = moves->room ? 2 * moves->room : 64;
    struct move *all;

    if (moves->count < moves->room)
        return true;
    all = moves->count < MOVES_MOST ? realloc(moves->all, room * sizeof *all) : NULL;
    if (!all)
        return false;
    moves->all = all;
    moves->room = room;
    return true;
}

static void take_place(struct moves *moves, uint32_t index, enum side side, uint32_t id)
{
    struct move *move = &moves->all[index];
    struct seat *seat;

    move->seats[side] = id;
    move->vms[side] = run_vm(moves->run, id);
    if (id == VMRES_VM_NONE)
        return;
    seat = seat_of(moves, move->kind, id);
    move->next[side] = seat->open[side];
    seat->open[side] = index;
    move->used[side] = seat->used;
    move->held[side] = seat->held;
    if (seat->reported_ms != MOVE_NEVER)
        mark(move, 2, seat->reported_ms);
}

static void leave_place(struct moves *moves, uint32_t index, enum side side)
{
    const struct move *move = &moves->all[index];
    uint32_t *link;

    if (move->seats[side] == VMRES_VM_NONE)
        return;
    link = &seat_of(moves, move->kind, move->seats[side])->open[side];
    while (*link != index)
        link = &moves->all[*link].next[side];
    *link = move->next[side];
}

static void open_move(struct moves *moves, const struct vmres_trace_record *record)
{
    uint32_t index = (uint32_t)moves->count;
    struct move *move;

    if (!grow(moves)) {
        moves->left_out++;
        return;
    }
    move = &moves->all[moves->count++];
    *move = (struct move){.id = record->transfer, .asked = record->amount, .kind = record->kind};
    for (uint8_t step = 1; step <= STEPS; step++)
        move->steps[step] = (struct move_step){MOVE_NEVER, MOVE_NEVER};
    move->reasons[RECIPIENT] = record->reason;
    if (moves->inquired_ms != MOVE_NEVER)
        mark(move, 1, moves->inquired_ms);
    mark(move, 3, record->time_ms);
    take_place(moves, index, DONOR, record->vm);
    take_place(moves, index, RECIPIENT, record->other);
}

/* The open transfer of that number; NONE: it is none of those kept. */
static uint32_t find(const struct moves *moves, const struct vmres_trace_record *record,
                     enum side side, uint32_t id)
{
    uint32_t index = seat_of(moves, record->kind, id)->open[side];

    while (index != NONE && moves->all[index].id != record->transfer)
        index = moves->all[index].next[side];
    return index;
}

static void close_move(struct moves *moves, const struct vmres_trace_record *record)
{
    uint32_t index = record->other != VMRES_VM_NONE ? find(moves, record, RECIPIENT, record->other)
                                                    : find(moves, record, DONOR, record->vm);
    struct move *move;

    if (index == NONE)
        return;
    move = &moves->all[index];
    move->end = record->reason;
    move->moved = record->amount;
    move->asked = record->target;
    move->closed_ms = record->time_ms;
    leave_place(moves, index, DONOR);
    leave_place(moves, index, RECIPIENT);
}

static void reassign(struct moves *moves, const struct vmres_trace_record *record)
{
    uint32_t index = find(moves, record, RECIPIENT, record->vm);

    if (index == NONE)
        return;
    if (moves->all[index].vms[DONOR] != VMRES_VM_NONE)
        mark(&moves->all[index], 5, record->time_ms);
    mark(&moves->all[index], 6, record->time_ms);
}

/* What a donor lets go for the pool is nobody's: no step 6 will tell of it. */
static void remove_for_pool(struct moves *moves, const struct vmres_trace_record *record)
{
    uint32_t index = seat_of(moves, record->kind, record->vm)->open[DONOR];

    for (; index != NONE; index = moves->all[index].next[DONOR]) {
        if (moves->all[index].vms[RECIPIENT] == VMRES_VM_NONE)
            mark(&moves->all[index], record->step, record->time_ms);
    }
}

static void hear(struct moves *moves, const struct vmres_trace_record *record)
{
    struct seat *seat = seat_of(moves, record->kind, record->vm);

    seat->reported_ms = record->time_ms;
    seat->used = record->amount;
    seat->held = record->target;
}

void moves_record(struct moves *moves, const struct vmres_trace_record *record)
{
    switch (record->type) {
    case VMRES_TRACE_INQUIRE:
        moves->inquired_ms = record->time_ms;
        break;
    case VMRES_TRACE_REPORT:
        hear(moves, record);
        break;
    case VMRES_TRACE_PLAN:
        open_move(moves, record);
        break;
    case VMRES_TRACE_REMOVE:
        mark_all(moves, record, DONOR, 3);
        break;
    case VMRES_TRACE_REMOVED:
        remove_for_pool(moves, record);
        break;
    case VMRES_TRACE_REASSIGN:
        reassign(moves, record);
        break;
    case VMRES_TRACE_NOTIFY:
    case VMRES_TRACE_INCORPORATED:
        mark_all(moves, record, RECIPIENT, 6);
        break;
    case VMRES_TRACE_CLOSED:
        close_move(moves, record);
        break;
    default:
        break;
    }
}
