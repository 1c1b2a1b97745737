/* SPDX-License-Identifier: MIT */
/* What somebody wants explained: why a VM had what it had at some time of the run. */
#ifndef VMRES_SIM_WHY_H
#define VMRES_SIM_WHY_H

#include "run.h"

/* Finds the VM and the time of every question. EXIT_WRONG: one makes no sense; that was said. */
enum exit_code why_open(struct run *run);
/* Answers what was asked about the tick that began at `at_ms`: a line for each kind. */
void why_tick(const struct run *run, uint64_t at_ms);

#endif
