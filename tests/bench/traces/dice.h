/* SPDX-License-Identifier: MIT */
/* Chance in integers: the same seed gives the same draws on every machine. */
#ifndef VMRES_BENCH_DICE_H
#define VMRES_BENCH_DICE_H

#include <stdint.h>

#define DICE_ONE 65536 /* shares and deviations are in parts of this */

struct dice {
    uint64_t state;
};

struct dice dice_open(const char *name, uint64_t seed);
/* low .. high, all alike. */
uint32_t dice_between(struct dice *dice, uint32_t low, uint32_t high);
/* Whether something that happens once in `times` happens now. */
int dice_once_in(struct dice *dice, uint32_t times);
/* A bell curve of mean 0 and deviation DICE_ONE, at most six deviations wide. */
int32_t dice_bell(struct dice *dice);
/* value, give or take a bell of so many thousandths of it; never below 0. */
uint32_t dice_about(struct dice *dice, uint32_t value, uint32_t thousandths);
/* A median doubled and halved at random: 2 ^ bell times `thousandths` of an octave. */
uint32_t dice_skewed(struct dice *dice, uint32_t median, uint32_t thousandths);

#endif
