/* SPDX-License-Identifier: MIT */
/*
 * Chance, from a seed: the same on every machine. splitmix64, written out here, because what a seed
 * leads to must not depend on a C library.
 */
#ifndef VMRES_TESTS_SWARM_DICE_H
#define VMRES_TESTS_SWARM_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t dice_throw(struct dice *dice)
{
    dice->state += 0x9e3779b97f4a7c15u;
    return dice_mix(dice->state);
}

/* 0 .. n - 1; 0 for n = 0. */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return n ? dice_throw(dice) % n : 0;
}

/* low .. high */
static inline uint64_t dice_between(struct dice *dice, uint64_t low, uint64_t high)
{
    return low + dice_below(dice, high - low + 1);
}

/* True so many times in a thousand. */
static inline bool dice_chance(struct dice *dice, uint32_t permille)
{
    return dice_below(dice, 1000) < permille;
}

#endif
