/* SPDX-License-Identifier: MIT */
/* The picture of a run. */
#ifndef VMRES_SIM_SVG_H
#define VMRES_SIM_SVG_H

#include <stdio.h>

struct run;

void svg_write(const struct run *run, FILE *file);

#endif
