/* SPDX-License-Identifier: MIT */
/* The operator of a scenario: does at its time what the file says. */
#ifndef VMRES_SIM_OPERATE_H
#define VMRES_SIM_OPERATE_H

#include "run.h"

/* Posts what is due by `at_ms`, for the tick that begins then. */
void operate(struct run *run, uint64_t at_ms);

#endif
