/* SPDX-License-Identifier: MIT */
/* The trace of a run as lines: the eight steps, as they happen. */
#ifndef VMRES_SHOW_LOG_H
#define VMRES_SHOW_LOG_H

#include <stdio.h>

#include <vmres/trace.h>

struct log;

/* Who is told: what happened, and how that reads as a line. Neither lives on. */
struct log_reader {
    void (*line)(void *user, const struct vmres_trace_record *record, const char *line);
    void *user;
};

/* For up to `vms` VMs; *names is copied. Wants to be told of VMRES_TRACE_DEBUG and all below. NULL:
 * no memory. */
struct log *log_open(const struct vmres_trace_names *names, uint32_t vms, FILE *file);
/* The same, told to somebody instead of printed. */
struct log *log_open_for(const struct vmres_trace_names *names, uint32_t vms,
                         struct log_reader reader);
void log_record(struct log *log, const struct vmres_trace_record *record);
void log_close(struct log *log);

#endif
