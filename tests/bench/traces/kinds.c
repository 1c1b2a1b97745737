/* SPDX-License-Identifier: MIT */
/*
 * The kinds of trace. Each is a function that fills in limits and demand by its dice; then the host
 * is made as large as the kind says: so large that the demand of all exceeds it in a given share of
 * the time, or a given multiple of something. Nothing here knows a policy.
 */
#include "traces/trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/dice.h"

enum { GIB = 1024 }; /* in MiB */

static uint32_t *row_of(struct trace *trace, uint32_t vm)
{
    return trace->demand + (size_t)vm * trace->rows;
}

static void limit(struct trace *trace, uint32_t floor, uint32_t ceiling)
{
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        trace->floors[vm] = floor;
        trace->ceilings[vm] = ceiling;
    }
}

static uint32_t clip(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* A host that is too small for all in so many of 1000 rows. */
static void size_host(struct trace *trace, uint32_t overloaded)
{
    uint64_t *sums = calloc(trace->rows, sizeof *sums);
    uint64_t floors = 0;

    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        floors += trace->floors[vm];
        for (uint32_t row = 0; sums && row < trace->rows; row++)
            sums[row] += trace_wish(trace, vm, row);
    }
    if (sums) {
        qsort(sums, trace->rows, sizeof *sums, compare);
        trace->capacity = sums[(uint64_t)(trace->rows - 1) * (1000 - overloaded) / 1000];
    }
    if (trace->capacity < floors)
        trace->capacity = floors;
    free(sums);
}

/* --- levels that hold for a while, then jump: what batch jobs and services look like --- */

static void add_levels(struct trace *trace, struct dice *dice, uint32_t mean_s)
{
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t level = 0;

        for (uint32_t row = 0; row < trace->rows; row++) {
            if (row == 0 || dice_once_in(dice, mean_s))
                level = clip(dice_skewed(dice, 1400, 1250), 300, 8 * GIB);
            row_of(trace, vm)[row] = dice_about(dice, level, 30);
        }
    }
}

static void levels(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB / 2, 8 * GIB);
    add_levels(trace, dice, 120);
    size_host(trace, 200);
}

static void weights(struct trace *trace, struct dice *dice)
{
    levels(trace, dice);
    for (uint32_t vm = 0; vm < trace->vms; vm += 2)
        trace->weights[vm] = 4;
    size_host(trace, 500);
}

/* Half of the VMs are promised twice what they mostly want, and get it. */
static void floors(struct trace *trace, struct dice *dice)
{
    levels(trace, dice);
    for (uint32_t vm = 0; vm < trace->vms; vm += 2)
        trace->floors[vm] = 3 * GIB;
    size_host(trace, 200);
}

/* A twentieth more than the floors is all that can move. */
static void tight(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB, 8 * GIB);
    add_levels(trace, dice, 120);
    trace->capacity = (uint64_t)trace->vms * GIB * 105 / 100;
}

static void flat(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB, 8 * GIB);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t level = dice_between(dice, GIB / 2, 4 * GIB);

        for (uint32_t row = 0; row < trace->rows; row++)
            row_of(trace, vm)[row] = level;
    }
    trace->capacity = (uint64_t)trace->vms * 5 * GIB;
}

/* --- builds: idle, then a job that climbs, breathes, links, is gone; its files stay cached --- */

struct build {
    uint32_t left_s, length_s, peak, link_left_s;
};

static uint32_t build_step(struct build *build, struct dice *dice)
{
    uint32_t done, use;

    if (build->left_s == 0 && dice_once_in(dice, 25)) {
        build->length_s = build->left_s = dice_between(dice, 120, 480);
        build->peak = dice_between(dice, 4 * GIB, 8 * GIB);
    }
    if (build->left_s == 0)
        return dice_about(dice, 530, 4);
    done = build->length_s - build->left_s--;
    use = 600 + build->peak * (done < 30 ? done : 30) / 30;
    if (build->link_left_s == 0 && done > 60 && dice_once_in(dice, 60))
        build->link_left_s = dice_between(dice, 8, 30);
    if (build->link_left_s > 0) {
        build->link_left_s--;
        use += build->peak * 3 / 5;
    }
    return dice_about(dice, use, 40);
}

static void builds(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB, 16 * GIB);
    if (!trace_add_cache(trace))
        return;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        struct build build = {.left_s = 0};
        uint32_t cached = 200, rows = trace->rows, warm_up = dice_between(dice, 0, 400);

        for (uint32_t row = 0; row < rows + warm_up; row++) {
            uint32_t use = build_step(&build, dice);

            cached += build.left_s > 0 && cached < 2 * GIB ? 4 : 0;
            if (row < warm_up)
                continue;
            row_of(trace, vm)[row - warm_up] = use;
            trace->cache[(size_t)vm * rows + row - warm_up] = cached;
        }
    }
    size_host(trace, 100);
}

/* --- what monitoring of whole companies shows: unlike sizes, mostly idle, slow, with bursts --- */

static uint32_t office_level(struct dice *dice, uint32_t ceiling)
{
    uint32_t share = dice_once_in(dice, 12) ? dice_between(dice, 300, 900) : 0;

    return share ? (uint32_t)((uint64_t)ceiling * share / 1000)
                 : clip(dice_skewed(dice, ceiling / 24, 1200), 0, ceiling);
}

static void add_slopes(struct trace *trace, struct dice *dice, uint32_t vm, uint32_t seconds)
{
    uint32_t ceiling = trace->ceilings[vm], from = office_level(dice, ceiling), to = from;

    for (uint32_t row = 0; row < trace->rows; row++) {
        uint32_t part = row % seconds;

        if (part == 0) {
            from = to;
            to = dice_once_in(dice, 3) ? office_level(dice, ceiling) : dice_about(dice, from, 60);
            to = clip(to, 0, ceiling);
        }
        row_of(trace, vm)[row] = (from * (seconds - part) + to * part) / seconds;
    }
}

static void offices(struct trace *trace, struct dice *dice)
{
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        trace->ceilings[vm] = 3u * GIB << dice_between(dice, 0, 3);
        trace->floors[vm] = trace->ceilings[vm] / 20;
        add_slopes(trace, dice, vm, 30);
    }
    size_host(trace, 100);
}

static void cpus(struct trace *trace, struct dice *dice)
{
    trace->unit = VMRES_UNIT_MILLI;
    limit(trace, 20, 1000);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t usual = dice_skewed(dice, 220, 1000), from = usual, to = usual;

        for (uint32_t row = 0; row < trace->rows; row++) {
            uint32_t part = row % 10;

            if (part == 0) {
                from = to;
                to = dice_once_in(dice, 8) ? dice_between(dice, 0, 950)
                                           : clip(dice_about(dice, usual, 250), 0, 1000);
            }
            row_of(trace, vm)[row] = (from * (10 - part) + to * part) / 10;
        }
    }
    size_host(trace, 100);
}

/* --- waves --- */

/* Half of the VMs in turns up and down, so that the sum stays below the host; half steady. */
static void add_waves(struct trace *trace, struct dice *dice, uint32_t period_s)
{
    uint32_t shift = dice_between(dice, 0, period_s - 1);

    limit(trace, GIB / 2, 8 * GIB);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t half = vm % 2 ? period_s / 2 : 0;

        for (uint32_t row = 0; row < trace->rows; row++) {
            bool up = (row + shift + half) % period_s < period_s / 2;

            row_of(trace, vm)[row] = vm >= trace->vms / 2 ? 1229 : up ? 3 * GIB : GIB;
        }
    }
    trace->capacity = (uint64_t)trace->vms * 1707;
}

static void wave_6s(struct trace *trace, struct dice *dice)
{
    add_waves(trace, dice, 6);
}

static void wave_20s(struct trace *trace, struct dice *dice)
{
    add_waves(trace, dice, 20);
}

static void wave_60s(struct trace *trace, struct dice *dice)
{
    add_waves(trace, dice, 60);
}

static void wave_600s(struct trace *trace, struct dice *dice)
{
    add_waves(trace, dice, 600);
}

/* Each climbs at a rate of its own, and falls at once: caches that fill, leaks with restarts. */
static void saws(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB / 2, 8 * GIB);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t length = dice_between(dice, 40, 240), at = dice_between(dice, 0, length - 1);
        uint32_t top = dice_between(dice, 2 * GIB, 5 * GIB);

        for (uint32_t row = 0; row < trace->rows; row++, at = (at + 1) % length)
            row_of(trace, vm)[row] = 700 + (top - 700) * at / length;
    }
    size_host(trace, 50);
}

/* A day in 24 minutes, VMs in three zones of the world. */
static void days(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB / 2, 8 * GIB);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t low = dice_between(dice, 500, 900), high = dice_between(dice, 3 * GIB, 6 * GIB);
        uint32_t zone = vm % 3 * 480;

        for (uint32_t row = 0; row < trace->rows; row++) {
            uint32_t minute = (row + zone) % 1440;
            uint32_t hill = minute < 720 ? minute * (720 - minute) / 1296 : 0; /* 0 .. 100 */

            row_of(trace, vm)[row] = dice_about(dice, low + (high - low) * hill / 100, 20);
        }
    }
    size_host(trace, 100);
}

/* --- worst cases --- */

/* At ease, then within three seconds all want more than the host has; thrice. */
static void rush(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB / 2, 8 * GIB);
    trace->capacity = (uint64_t)trace->vms * 3 * GIB / 2;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t begin = 0, high = 0;

        for (uint32_t row = 0; row < trace->rows; row++) {
            if (row % 400 == 0) {
                begin = row + 100 + dice_between(dice, 0, 3);
                high = dice_between(dice, GIB, 3 * GIB);
            }
            row_of(trace, vm)[row] = row >= begin && row < begin + 200 ? high : 700;
        }
    }
}

/* The first takes all it can get, the others stay within their share. */
static void hog(struct trace *trace, struct dice *dice)
{
    limit(trace, GIB / 2, 8 * GIB);
    trace->capacity = (uint64_t)trace->vms * 1707;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t level = dice_between(dice, 900, 1560);

        for (uint32_t row = 0; row < trace->rows; row++)
            row_of(trace, vm)[row] = vm == 0 ? 8 * GIB : level;
    }
}

/* A full host, in which one VM suddenly wants much more. */
static void relief(struct trace *trace, struct dice *dice)
{
    uint32_t who = dice_between(dice, 0, trace->vms - 1);
    uint32_t more = dice_between(dice, 2 * GIB, 6 * GIB);

    limit(trace, GIB / 2, 8 * GIB);
    trace->capacity = (uint64_t)trace->vms * 3 * GIB / 2;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        for (uint32_t row = 0; row < trace->rows; row++) {
            uint32_t level = row < 60 ? 1521 : GIB;

            row_of(trace, vm)[row] = vm == who && row >= 300 ? GIB + more : level;
        }
    }
}

/* Little in use, much cached: what is squeezed must be the cache of who does not need it. */
static void caches(struct trace *trace, struct dice *dice)
{
    levels(trace, dice);
    if (!trace_add_cache(trace))
        return;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        uint32_t wish = 0;

        for (uint32_t row = 0; row < trace->rows; row++) {
            size_t cell = (size_t)vm * trace->rows + row;

            if (row == 0 || dice_once_in(dice, 200))
                wish = dice_between(dice, GIB / 2, 4 * GIB);
            trace->demand[cell] /= 2;
            trace->cache[cell] = wish;
        }
    }
    size_host(trace, 50);
}

/* --- all of them --- */

static const struct kind {
    const char *name;
    uint32_t vms, rows;
    void (*fill)(struct trace *trace, struct dice *dice);
    const char *note;
} kinds[] = {
    {"syn16", 16, 1800, levels, "levels that hold for two minutes on average"},
    {"syn32", 32, 1800, levels, "levels that hold for two minutes on average"},
    {"build8", 8, 1700, builds, "builds that climb, breathe, link and are gone; files stay cached"},
    {"office16", 16, 2400, offices, "unlike sizes, mostly idle, slow, with bursts"},
    {"day12", 12, 2880, days, "two days of 24 minutes, in three zones"},
    {"saw12", 12, 1200, saws, "each climbs at its own rate and falls at once"},
    {"wave12-6s", 12, 600, wave_6s, "six of twelve up and down in turns, every 3 s"},
    {"wave12-20s", 12, 1200, wave_20s, "six of twelve up and down in turns, every 10 s"},
    {"wave12-60s", 12, 1200, wave_60s, "six of twelve up and down in turns, every 30 s"},
    {"wave12-600s", 12, 2400, wave_600s, "six of twelve up and down in turns, every 5 min"},
    {"rush16", 16, 1200, rush, "all at ease, then all up at once, beyond the host; thrice"},
    {"hog12", 12, 1200, hog, "the first takes all it can get, the others stay within their share"},
    {"relief16", 16, 700, relief, "a full host, then one wants much more"},
    {"cache12", 12, 1200, caches, "little in use, much cached"},
    {"weights16", 16, 1200, weights, "weights of 1 and 4, overloaded half of the time"},
    {"floors16", 16, 1200, floors, "half of the VMs have floors far above what they use"},
    {"tight16", 16, 900, tight, "a host hardly larger than the sum of its floors"},
    {"flat8", 8, 600, flat, "constant demand: nothing should move"},
    {"cpu64", 64, 1200, cpus, "CPU rate of 64 VMs"},
    {"crowd1000", 1000, 240, levels, "a thousand VMs"},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *trace_kind(uint32_t index)
{
    return index < KINDS ? kinds[index].name : NULL;
}

int trace_make(struct trace *trace, const char *name)
{
    const char *dash = strrchr(name, '-');
    size_t length = dash ? (size_t)(dash - name) : 0;
    uint32_t i = 0;
    struct dice dice;

    *trace = (struct trace){.vms = 0};
    while (i < KINDS &&
           (strlen(kinds[i].name) != length || memcmp(kinds[i].name, name, length) != 0))
        i++;
    if (i == KINDS || !trace_open(trace, kinds[i].vms, kinds[i].rows))
        return 0;
    dice = dice_open(kinds[i].name, strtoull(dash + 1, NULL, 10));
    kinds[i].fill(trace, &dice);
    (void)snprintf(trace->name, sizeof trace->name, "%s", name);
    (void)snprintf(trace->note, sizeof trace->note, "%s", kinds[i].note);
    return 1;
}
