/* SPDX-License-Identifier: MIT */
/* One row per tick: what every VM wanted, held and was told to hold. */
#ifndef VMRES_SIM_CSV_H
#define VMRES_SIM_CSV_H

#include <stdint.h>

struct run;

void csv_head(const struct run *run);
/* The tick that began at `at_ms` is over. */
void csv_row(const struct run *run, uint64_t at_ms);

#endif
