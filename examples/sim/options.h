/* SPDX-License-Identifier: MIT */
/* The command line of vmres-sim. */
#ifndef VMRES_SIM_OPTIONS_H
#define VMRES_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum exit_code {
    EXIT_RAN = 0,
    EXIT_BROKEN = 1, /* an invariant was broken, or a replay differed */
    EXIT_WRONG = 2,  /* the input is wrong, or an output cannot be written */
    EXIT_NOT_YET = -1,
};

enum { WHYS_MAX = 16 };

struct options {
    const char *scenario; /* or NULL with replay */
    const char *replay;
    const char *policy, *svg, *report, *csv, *record; /* or NULL */
    const char *why[WHYS_MAX];                        /* [whys] */
    uint32_t whys;
    uint64_t seed;
    bool has_seed, json, log, check;
};

/* EXIT_NOT_YET: *options is filled, go on. Else --help or --version was printed, or the complaint
 * about what is wrong, and the program ends so. */
enum exit_code options_read(int argc, char **argv, struct options *options);

#endif
