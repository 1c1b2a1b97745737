/* SPDX-License-Identifier: MIT */
/* Watching the host while VM1 works: a table as it goes, and the history for what comes after. */
#ifndef VMRES_KVM_DEMO_WATCH_H
#define VMRES_KVM_DEMO_WATCH_H

#include <stdbool.h>
#include <stdio.h>

#include "history.h"
#include "host.h"

struct watch {
    struct history *history;
    uint32_t ticks;
    uint64_t due_ms;               /* the next line of the table */
    uint64_t notices[HOST_GUESTS]; /* up to the last line of it */
    FILE *table;
};

/* To be called before host_open(). false: no memory. */
bool watch_begin(struct watch *watch, struct host *host, FILE *table);
/* The work is over: the last line. */
void watch_end(struct watch *watch, const struct host *host);
/* All readings, in MiB, with the names of columns that vmres-sim uses. */
void watch_csv(const struct watch *watch, const char *const *names, FILE *file);
void watch_free(struct watch *watch);

#endif
