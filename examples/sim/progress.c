/* SPDX-License-Identifier: MIT */
/*
 * The progress bar. It appears when a run has taken half a second, moves ten times a second at
 * most, and leaves nothing behind. The only part of the program that looks at a real clock.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 500, BETWEEN_MS = 100, WIDTH = 40 };

static int64_t ms_since(const struct timespec *then)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now))
        return 0;
    return (int64_t)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

void progress_begin(struct progress *progress, uint64_t ticks)
{
    *progress = (struct progress){.ticks = ticks, .wanted = isatty(STDERR_FILENO) == 1};
    if (progress->wanted && clock_gettime(CLOCK_MONOTONIC, &progress->began))
        progress->wanted = false;
    progress->shown = progress->began;
}

void progress_show(struct progress *progress, uint64_t tick)
{
    char bar[WIDTH + 1];
    uint64_t filled = tick * WIDTH / progress->ticks;

    if (!progress->wanted || ms_since(&progress->shown) < BETWEEN_MS ||
        ms_since(&progress->began) < PATIENCE_MS)
        return;
    for (uint64_t i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    (void)fprintf(stderr, "\r[%s] %3" PRIu64 "%%", bar, tick * 100 / progress->ticks);
    (void)clock_gettime(CLOCK_MONOTONIC, &progress->shown);
    progress->visible = true;
}

void progress_end(struct progress *progress)
{
    if (progress->visible)
        (void)fprintf(stderr, "\r%*s\r", WIDTH + 8, "");
}
