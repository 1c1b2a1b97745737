/* SPDX-License-Identifier: MIT */
/* A bar on standard error, if that is a terminal and the run is long. */
#ifndef VMRES_SIM_PROGRESS_H
#define VMRES_SIM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
    uint64_t ticks;
    struct timespec began, shown;
    bool wanted, visible;
};

void progress_begin(struct progress *progress, uint64_t ticks);
void progress_show(struct progress *progress, uint64_t tick);
/* Wipes the bar. */
void progress_end(struct progress *progress);

#endif
