/* SPDX-License-Identifier: MIT */
/*
 * Chance in integers. A generator that steps by the golden ratio and mixes (Steele, Lea, Flood:
 * Fast splittable pseudorandom number generators, 2014); bells are sums of twelve even draws.
 * Invariant: no floating point, so no draw depends on machine, compiler or flags.
 */
#include "traces/dice.h"

static uint64_t bits(struct dice *dice)
{
    uint64_t word = dice->state += 0x9e3779b97f4a7c15u;

    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 27) * 0x94d049bb133111ebu;
    return word ^ word >> 31;
}

struct dice dice_open(const char *name, uint64_t seed)
{
    struct dice dice = {seed};

    for (; *name; name++)
        dice.state = bits(&dice) ^ (unsigned char)*name;
    return dice;
}

uint32_t dice_between(struct dice *dice, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(bits(dice) % ((uint64_t)high - low + 1));
}

int dice_once_in(struct dice *dice, uint32_t times)
{
    return bits(dice) % times == 0;
}

int32_t dice_bell(struct dice *dice)
{
    int32_t sum = 0;

    for (int draw = 0; draw < 3; draw++) {
        uint64_t word = bits(dice);

        for (int part = 0; part < 4; part++, word >>= 16)
            sum += (int32_t)(word & 0xffff);
    }
    return sum - 12 * 65535 / 2;
}

uint32_t dice_about(struct dice *dice, uint32_t value, uint32_t thousandths)
{
    int64_t error = (int64_t)value * thousandths * dice_bell(dice) / (1000 * DICE_ONE);

    return error < -(int64_t)value ? 0 : (uint32_t)(value + error);
}

/* 2 ^ (part / DICE_ONE), by DICE_ONE; part below DICE_ONE. Good to 1 %. */
static uint32_t power(uint32_t part)
{
    return DICE_ONE + part - part / 256 * ((DICE_ONE - part) / 256) * 343 / 1000;
}

uint32_t dice_skewed(struct dice *dice, uint32_t median, uint32_t thousandths)
{
    int64_t octaves = (int64_t)dice_bell(dice) * thousandths / 1000 + 16 * DICE_ONE;
    uint64_t whole = octaves < 0 ? 0 : (uint64_t)octaves / DICE_ONE;
    uint64_t scaled = (uint64_t)median * power((uint32_t)((uint64_t)octaves % DICE_ONE));

    if (octaves < 0)
        return 0;
    whole = whole > 24 ? 24 : whole; /* 256 times the median is enough */
    return (uint32_t)((scaled << whole) / DICE_ONE >> 16);
}
