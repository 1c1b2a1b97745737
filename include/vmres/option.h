/* SPDX-License-Identifier: MIT */
/*
 * Options of policies, described by a table of keys.
 *
 * Options are a plain struct of uint64_t and pointers. The table says where in the struct each key
 * lies and what it accepts, so that a configuration file can fill any policy's options, your own
 * policy's too, and report what is wrong with its position.
 */
#ifndef VMRES_OPTION_H
#define VMRES_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>

VMRES_BEGIN_DECLS

enum vmres_option_type {
    VMRES_OPTION_SHARE = 1, /* uint64_t, parts per million: "70%" */
    VMRES_OPTION_AMOUNT,    /* uint64_t, the kind's unit: "64MiB", "100m" */
    VMRES_OPTION_RATE,      /* uint64_t, the kind's unit per second: "0.857GiB/s" */
    VMRES_OPTION_TIME,      /* uint64_t, milliseconds: "10s" */
    VMRES_OPTION_COUNT,     /* uint64_t, a plain number */
    VMRES_OPTION_FLAG,      /* uint64_t, 0 or 1: "true", "false" */
    VMRES_OPTION_TABLE,     /* const struct vmres_table *: a CSV file, columns matched by VM name */
};

/* Rows in ascending time; cells[row * columns + vm] is the amount in the kind's unit for VM id
 * vm. */
struct vmres_table {
    uint32_t rows, columns;
    const uint64_t *times_ms;
    const uint64_t *cells;
};

struct vmres_option_key {
    const char *name; /* as in a configuration file, lower case */
    enum vmres_option_type type;
    size_t offset;             /* in the options struct */
    uint64_t minimum, maximum; /* accepted values, inclusive; tables: rows */
    const char *help;          /* one line */
};

VMRES_END_DECLS

#endif
