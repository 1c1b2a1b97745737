/* SPDX-License-Identifier: MIT */
/*
 * A rectangle of an SVG picture with time to the right and an amount upwards: its axes, and curves
 * in it. Knows nothing of VMs.
 */
#ifndef VMRES_SHOW_PLOT_H
#define VMRES_SHOW_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "history.h"

struct plot {
    FILE *file;
    double x, y, width, height; /* in the picture */
    double seconds;             /* at the right edge */
    double top;                 /* the amount at the upper edge, in what is printed */
    double unit;                /* of an amount, in what is printed: GiB, CPU */
};

/* A curve in picture coordinates. */
struct curve {
    struct vertex {
        double x, y;
    } * at;
    size_t count;
};

/* A curve over `count` spans that divide the time evenly, merged to what the eye can tell apart. A
 * curve without vertices: no memory. Free `at`. */
struct curve plot_curve(const struct plot *plot, const struct span *spans, uint32_t count);
/* Draws it as a line, or filled down to the axis; `style` is attributes of the path. */
void plot_line(const struct plot *plot, const struct curve *curve, const char *style);
void plot_area(const struct plot *plot, const struct curve *curve, const char *style);
/* Fills what lies between the last values of two rows of `count` spans, in steps. */
void plot_band(const struct plot *plot, const struct span *lower, const struct span *upper,
               uint32_t count, const char *style);
/* A horizontal line at an amount. */
void plot_level(const struct plot *plot, double amount, const char *class_name);
/* Where an amount stands. */
double plot_y(const struct plot *plot, double amount);

/* Grid and numbers. Lines are drawn in any case, numbers where wanted. */
void plot_amounts(const struct plot *plot, uint32_t most, bool numbers);
void plot_times(const struct plot *plot, uint32_t most, bool numbers);
/* What the numbers of the time axis count: "s", "min" or "h". */
const char *plot_time_unit(double seconds);
double plot_seconds_in(const char *unit);
/* Between lines of the grid: the smallest of 1, 2, 5, 10, 20, ... of which at most `most` go into a
 * range; the same with the steps of a clock. */
double plot_amount_step(double range, uint32_t most);
double plot_time_step(double seconds, uint32_t most);

/* Text with what XML needs escaped. */
void plot_text(FILE *file, const char *text);

#endif
