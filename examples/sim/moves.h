/* SPDX-License-Identifier: MIT */
/* The transfers of a run, each with the time of its eight steps, kept for showing. */
#ifndef VMRES_SIM_MOVES_H
#define VMRES_SIM_MOVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmres/trace.h>

struct moves;
struct run;

enum { MOVES_MOST = 20000, STEPS = 8 };

#define MOVE_NEVER UINT64_MAX

/* The two parties of a transfer. */
enum side { DONOR = 0, RECIPIENT = 1 };

/* When a step was first and last taken, MOVE_NEVER: not at all. */
struct move_step {
    uint64_t first, last;
};

struct move {
    uint64_t id, asked, moved, closed_ms;
    struct move_step steps[STEPS + 1]; /* [1] .. [STEPS] */
    uint64_t used[2], held[2];         /* what each side had reported when it was planned */
    const char *reasons[2];            /* why this donor, or NULL; why it is moved */
    const char *end;                   /* "done", "partial", ...; NULL: it was open at the end */
    uint32_t vms[2];                   /* of the scenario; VMRES_VM_NONE: the pool */
    uint32_t seats[2], next[2];        /* while open: the engine's ids, and the next of that VM */
    uint8_t kind;
};

/* NULL: no memory. */
struct moves *moves_open(const struct run *run);
void moves_record(struct moves *moves, const struct vmres_trace_record *record);
void moves_close(struct moves *moves);

/* All of them in order, and how many there were beyond MOVES_MOST. */
const struct move *moves_all(const struct moves *moves, size_t *count, uint64_t *left_out);

#endif
