/* SPDX-License-Identifier: MIT */
/* What is kept of a run for its page: the log, line by line, and the transfers. */
#ifndef VMRES_SIM_STORY_H
#define VMRES_SIM_STORY_H

#include <stddef.h>
#include <stdint.h>

#include <vmres/trace.h>

#include "moves.h"

struct run;

enum { STORY_MOST = 50000 };

struct story_line {
    uint64_t time_ms;
    size_t text;     /* where it begins in `texts`; the time is not repeated there */
    uint32_t vms[2]; /* of the scenario, or VMRES_VM_NONE */
    uint8_t step, level;
};

struct story {
    const struct run *run;
    struct log *log;
    struct moves *moves;
    struct story_line *lines;
    char *texts;
    size_t count, room, length, text_room;
    uint64_t left_out; /* lines beyond STORY_MOST */
};

/* NULL: no memory. */
struct story *story_open(const struct run *run, const struct vmres_trace_names *names);
void story_record(struct story *story, const struct vmres_trace_record *record);
void story_close(struct story *story);

#endif
