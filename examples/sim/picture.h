/* SPDX-License-Identifier: MIT */
/* The picture of a run, and what is kept for it while it turns. */
#ifndef VMRES_SIM_PICTURE_H
#define VMRES_SIM_PICTURE_H

#include <stdint.h>
#include <stdio.h>

struct run;

/* NULL: no memory. */
struct history *picture_open(const struct run *run);
/* The tick is over: keeps what every VM wanted and held. */
void picture_add(const struct run *run, uint64_t tick);
void picture_write(const struct run *run, FILE *file);

#endif
