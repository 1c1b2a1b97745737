/* SPDX-License-Identifier: MIT */
/*
 * The curve of one VM's stall: stall = (missing / demand) ^ shape. Nobody knows the shape of a
 * guest's sensor, but where the demand becomes known, the stall told of it is one point of the
 * curve. On logarithms that is a line through the origin with the shape as its slope: the mean of
 * the points' own slopes, weighted by the square of how far out they lie (least squares; noise that
 * is a share of the stall shifts a far point's slope less). Integers only; logarithms are good to
 * 1 %. Invariant: the shape is 1/4 to 4. When to believe a point is pressure_need.c's to know.
 */
#include "pressure.h"

#define SHAPE_LEAST (CURVE_ONE / 4)
#define SHAPE_MOST (CURVE_ONE * 4)
#define EVIDENCE_AT_FIRST 4u /* for a shape of 1: half that of a point at an eighth missing */

/* Of a share missing, 1 / VMRES_STALL_ONE: less is drift of the demand, more is all but nothing. */
#define MISSING_LEAST (VMRES_STALL_ONE / 200)
#define MISSING_MOST (VMRES_STALL_ONE / 10 * 9)

#define DEPTH_MOST (4 * CURVE_ONE) /* a point further out counts as much as one here */
#define DEPTH_OF_ONE 54426u        /* log2 of VMRES_STALL_ONE */
#define BEND 1407u /* log2(1 + t) is t + 0.3435 t (1 - t), 2^-t is 1 - t / 2 - half of that */

static uint32_t bend_of(uint32_t part)
{
    return part * (CURVE_ONE - part) / CURVE_ONE * BEND / CURVE_ONE;
}

/* -log2 of a share above 0: how far out it lies. */
static uint32_t depth_of(uint32_t share)
{
    uint32_t zeros = (uint32_t)__builtin_clz(share);
    uint32_t part = (share << zeros) >> (31 - CURVE_BITS) & (CURVE_ONE - 1);
    uint32_t log = (31 - zeros) * CURVE_ONE + part + bend_of(part);

    return above(DEPTH_OF_ONE, log);
}

static uint32_t share_of(uint32_t depth)
{
    uint32_t whole = depth / CURVE_ONE;
    uint32_t part = depth % CURVE_ONE;
    uint32_t rest = CURVE_ONE - part / 2 - bend_of(part) / 2;

    return whole < 32 ? VMRES_STALL_ONE * rest / CURVE_ONE >> whole : 0;
}

/* share ^ power */
static uint32_t raise(uint32_t share, uint32_t power)
{
    if (share == 0 || power == CURVE_ONE)
        return share;
    return share_of(depth_of(share) * power / CURVE_ONE);
}

static uint32_t missing_share(uint32_t held, uint32_t demand)
{
    return demand > held ? (uint32_t)((uint64_t)(demand - held) * VMRES_STALL_ONE / demand) : 0;
}

void vmres__pressure_curve_init(struct pressure_vm *vm)
{
    vm->shape = CURVE_ONE;
    vm->evidence = EVIDENCE_AT_FIRST;
}

void vmres__pressure_curve_learn(struct pressure_vm *vm, uint32_t stall, uint32_t held,
                                 uint32_t demand)
{
    uint32_t missing = missing_share(held, demand);
    uint32_t depth, slope;
    int32_t weight, change;

    if (stall == 0 || missing < MISSING_LEAST || missing > MISSING_MOST)
        return;
    depth = depth_of(missing);
    slope = least(depth_of(stall) * CURVE_ONE / depth, SHAPE_MOST);
    slope = slope < SHAPE_LEAST ? SHAPE_LEAST : slope;
    depth = least(depth, DEPTH_MOST);
    weight = (int32_t)(depth * depth >> (2 * CURVE_BITS - 3)); /* 0 to 128 */
    change = ((int32_t)slope - (int32_t)vm->shape) * weight / (vm->evidence + weight);
    vm->shape = (uint16_t)(vm->shape + change);
    vm->evidence = (uint8_t)least((uint32_t)(vm->evidence + weight), UINT8_MAX);
}

uint32_t vmres__pressure_curve_missing(const struct pressure_vm *vm, uint32_t stall)
{
    return raise(stall, CURVE_ONE * CURVE_ONE / vm->shape);
}

bool vmres__pressure_curve_agrees(const struct pressure_vm *vm, uint32_t stall, uint32_t held,
                                  uint32_t demand)
{
    uint32_t expected = raise(missing_share(held, demand), vm->shape);

    return expected > 0 && 5 * expected >= 3 * stall && 5 * expected <= 7 * stall;
}
