/* SPDX-License-Identifier: MIT */
/*
 * A run of the swarm, and how it is shared among processes.
 */
#ifndef VMRES_TESTS_SWARM_JOBS_H
#define VMRES_TESTS_SWARM_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/tally.h"

#define JOBS 64u

struct run {
    uint64_t first, seeds, events;
    uint64_t twice; /* one seed in so many is run twice (I16) */
    uint64_t jobs;  /* 1 .. JOBS processes */
    bool quick, log;
};

/* Plays the seeds of process `number`; returns how many of them failed. */
typedef uint64_t play_function(const struct run *run, uint64_t number, struct tally *tally);

/* Returns whether all went well. */
bool jobs_play(const struct run *run, struct tally *tally, play_function *play);

#endif
