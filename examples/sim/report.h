/* SPDX-License-Identifier: MIT */
/* What a run came to, for people and for programs. */
#ifndef VMRES_SIM_REPORT_H
#define VMRES_SIM_REPORT_H

#include <stdio.h>

#include "run.h"

/* A table that fits a screen. */
void table_write(const struct run *run, FILE *file);
/* One JSON object; the same run gives the same bytes. */
void json_write(const struct run *run, FILE *file);

/* The policy's name, or one for each kind with commas between. */
const char *report_policy(const struct run *run, char *buffer, size_t room);
/* What one unit of what is printed is of a kind's amounts, and its name; for pictures, which have
 * MiB where the host is small. */
double report_unit(const struct run *run, uint8_t kind, const char **name);
/* Sums of one VM, or of the host with VMRES_VM_NONE. */
struct vmres_sim_metrics report_metrics(const struct run *run, uint32_t vm, uint8_t kind);

#endif
