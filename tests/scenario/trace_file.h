/* SPDX-License-Identifier: MIT */
/*
 * Demand traces from files, for scenario tests: NAME.json says what host and VMs they are for,
 * NAME.csv has a row per tick: time in seconds, a column of demand per VM, perhaps one of page
 * cache per VM. Amounts become bytes, or thousandths of a CPU.
 */
#ifndef VMRES_TESTS_TRACE_FILE_H
#define VMRES_TESTS_TRACE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <vmres/option.h>
#include <vmres/sim.h>

#define TRACE_VMS 64u

struct trace_file {
    uint32_t vms, rows;
    uint64_t capacity, floors[TRACE_VMS], ceilings[TRACE_VMS];
    struct vmres_sim_demand demand[TRACE_VMS];
    uint64_t *cells; /* owned: a column of times, then those of the file, one after another */
};

/* A file's text, NUL-terminated, the caller's to free; NULL: it is not there. */
char *trace_text(const char *directory, const char *name);

/* 0: it is not there, or not as described above. Give back with trace_close(). */
int trace_open(struct trace_file *trace, const char *directory, const char *name);
void trace_close(struct trace_file *trace);

/* A table of targets in MiB, one column per VM. Give back with trace_close_table(). */
int trace_open_table(struct vmres_table *table, const char *directory, const char *name);
void trace_close_table(struct vmres_table *table);

/* The number after the keys, each sought behind the one before; NULL ends them. -1: not found. */
double trace_number(const char *json, const char *const *keys);

#endif
