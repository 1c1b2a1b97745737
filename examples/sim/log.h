/* SPDX-License-Identifier: MIT */
/* The trace of a run as lines: the eight steps, as they happen. */
#ifndef VMRES_SIM_LOG_H
#define VMRES_SIM_LOG_H

#include <vmres/trace.h>

struct log;
struct run;

/* Prints to run->notes; NULL: no memory. */
struct log *log_open(struct run *run);
void log_record(struct log *log, const struct vmres_trace_record *record);
void log_close(struct log *log);

#endif
