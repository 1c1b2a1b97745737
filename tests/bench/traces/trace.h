/* SPDX-License-Identifier: MIT */
/*
 * A demand trace: what the VMs of one host want, second by second, and what host it is. As files it
 * is a pair: NAME.json says what host, NAME.csv has a row per second, `t_s`, then one column of
 * demand per VM, then perhaps one of page-cache wish per VM. See README.md.
 *
 * Amounts are MiB, or thousandths of a CPU.
 */
#ifndef VMRES_BENCH_TRACE_H
#define VMRES_BENCH_TRACE_H

#include <stdint.h>

#include <vmres/resource.h>

#define TRACE_NAME 64u
#define TRACE_NOTE 160u

struct trace {
    char name[TRACE_NAME], note[TRACE_NOTE];
    enum vmres_unit unit; /* VMRES_UNIT_BYTES: memory, in MiB; VMRES_UNIT_MILLI: CPU */
    uint32_t vms, rows;   /* a row is a second */
    uint64_t capacity;
    uint32_t *floors, *ceilings, *weights; /* [vms], owned */
    uint32_t *demand;                      /* [vms * rows], one VM after another, owned */
    uint32_t *cache;                       /* the same, or NULL: none is known; owned */
};

/* Room for everything but cache, all 0, weights 1. 0: no memory. Give back with trace_close(). */
int trace_open(struct trace *trace, uint32_t vms, uint32_t rows);
/* Room for cache. 0: no memory. */
int trace_add_cache(struct trace *trace);
void trace_close(struct trace *trace);

/* What one VM wants, row by row; never above its ceiling. */
uint32_t trace_wish(const struct trace *trace, uint32_t vm, uint32_t row);

/* Writes the pair of files. 0: it cannot be written. */
int trace_write(const struct trace *trace, const char *directory);
/* Reads one. 0: *why says in one line what is wrong, and nothing is to be closed. */
int trace_read(struct trace *trace, const char *directory, const char *name, const char **why);

/* kinds.c: the generators. By index, NULL after the last. */
const char *trace_kind(uint32_t index);
/* Makes "KIND-SEED". 0: there is no such kind, or no memory. */
int trace_make(struct trace *trace, const char *name);

#endif
