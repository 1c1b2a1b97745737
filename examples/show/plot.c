/* SPDX-License-Identifier: MIT */
/*
 * Axes and curves. A curve of more points than pixels keeps the highest and the lowest value of
 * each pixel, so that a short peak is seen; one of fewer is drawn in steps, for a value holds until
 * the next. Vertices along a level line are left out, which makes most pictures a tenth as large.
 */
#include "plot.h"

#include <math.h>
#include <stdlib.h>

static double plot_x(const struct plot *plot, double part)
{
    return plot->x + plot->width * part;
}

double plot_y(const struct plot *plot, double amount)
{
    double part = plot->top > 0 ? amount / plot->top : 0;

    return plot->y + plot->height * (1 - (part > 1 ? 1 : part));
}

static void add_vertex(struct curve *curve, double x, double y)
{
    size_t n = curve->count;

    /* On a level with the two before: the last of them only lies in between. */
    if (n >= 2 && fabs(curve->at[n - 1].y - y) < 0.05 && fabs(curve->at[n - 2].y - y) < 0.05)
        curve->count--;
    curve->at[curve->count++] = (struct vertex){x, y};
}

/* One column of the curve: a step, or both extremes, the nearer to where we are first. */
static void add_column(const struct plot *plot, struct curve *curve, struct span span,
                       const double edges[2])
{
    double low = plot_y(plot, (double)span.low / plot->unit);
    double high = plot_y(plot, (double)span.high / plot->unit);
    double middle = (edges[0] + edges[1]) / 2;
    double before = curve->count ? curve->at[curve->count - 1].y : low;
    bool low_first = fabs(before - low) <= fabs(before - high);

    if (fabs(low - high) < 0.05) {
        add_vertex(curve, edges[0], low);
        add_vertex(curve, edges[1], low);
        return;
    }
    add_vertex(curve, middle, low_first ? low : high);
    add_vertex(curve, middle, low_first ? high : low);
}

struct curve plot_curve(const struct plot *plot, const struct span *spans, uint32_t count)
{
    uint32_t columns = count < (uint32_t)plot->width ? count : (uint32_t)plot->width;
    struct curve curve = {.at = calloc(2 * (size_t)columns + 2, sizeof *curve.at)};

    if (!curve.at)
        return curve;
    for (uint32_t column = 0; column < columns; column++) {
        uint32_t from = (uint32_t)((uint64_t)column * count / columns);
        uint32_t to = (uint32_t)((uint64_t)(column + 1) * count / columns);
        const double edges[2] = {plot_x(plot, (double)column / columns),
                                 plot_x(plot, (double)(column + 1) / columns)};
        struct span span = spans[from];

        while (++from < to)
            span = history_join(span, spans[from]);
        add_column(plot, &curve, span, edges);
    }
    return curve;
}

static void put_vertices(const struct plot *plot, const struct curve *curve)
{
    for (size_t i = 0; i < curve->count; i++)
        (void)fprintf(plot->file, "%s%.1f %.1f", i ? " " : "", curve->at[i].x, curve->at[i].y);
}

void plot_line(const struct plot *plot, const struct curve *curve, const char *style)
{
    if (curve->count == 0)
        return;
    (void)fprintf(plot->file, "<path fill=\"none\" %s d=\"M", style);
    put_vertices(plot, curve);
    (void)fputs("\"/>\n", plot->file);
}

void plot_area(const struct plot *plot, const struct curve *curve, const char *style)
{
    double floor = plot->y + plot->height;

    if (curve->count == 0)
        return;
    (void)fprintf(plot->file, "<path %s d=\"M%.1f %.1f ", style, plot->x, floor);
    put_vertices(plot, curve);
    (void)fprintf(plot->file, " %.1f %.1fz\"/>\n", plot->x + plot->width, floor);
}

/* Goes along one edge of a band, forwards or back. */
static void put_edge(const struct plot *plot, const struct span *edge, uint32_t count, bool back)
{
    double before = -1;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = back ? count - 1 - i : i;
        double y = plot_y(plot, (double)edge[at].last / plot->unit);
        double from = plot_x(plot, (double)(back ? at + 1 : at) / count);

        if (fabs(y - before) >= 0.05) {
            if (i > 0)
                (void)fprintf(plot->file, " %.1f %.1f", from, before);
            (void)fprintf(plot->file, " %.1f %.1f", from, y);
        }
        before = y;
    }
    (void)fprintf(plot->file, " %.1f %.1f", plot_x(plot, back ? 0 : 1), before);
}

void plot_band(const struct plot *plot, const struct span *lower, const struct span *upper,
               uint32_t count, const char *style)
{
    (void)fprintf(plot->file, "<path %s d=\"M", style);
    put_edge(plot, upper, count, false);
    put_edge(plot, lower, count, true);
    (void)fputs("z\"/>\n", plot->file);
}

void plot_level(const struct plot *plot, double amount, const char *class_name)
{
    double y = plot_y(plot, amount);

    (void)fprintf(plot->file,
                  "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                  class_name, plot->x, plot->x + plot->width, y, y);
}

double plot_amount_step(double range, uint32_t most)
{
    static const double factors[] = {1, 2, 5, 10, 20, 50};
    double power = pow(10, floor(log10(range / most)));
    size_t i = 0;

    while (i + 1 < sizeof factors / sizeof factors[0] && range / (factors[i] * power) > most)
        i++;
    return factors[i] * power;
}

void plot_amounts(const struct plot *plot, uint32_t most, bool numbers)
{
    double step = plot->top > 0 ? plot_amount_step(plot->top, most) : 1;

    for (uint32_t i = 0; i * step <= plot->top * 1.0001; i++) {
        double amount = i * step;

        plot_level(plot, amount, amount > 0 ? "grid" : "axis");
        if (numbers)
            (void)fprintf(plot->file, "<text class=\"num end\" x=\"%.1f\" y=\"%.1f\">%g</text>\n",
                          plot->x - 6, plot_y(plot, amount) + 4, amount);
    }
}

double plot_seconds_in(const char *unit)
{
    return unit[0] == 's' ? 1 : unit[0] == 'm' ? 60 : 3600;
}

const char *plot_time_unit(double seconds)
{
    return seconds <= 240 ? "s" : seconds <= 4 * 3600 ? "min" : "h";
}

double plot_time_step(double seconds, uint32_t most)
{
    static const double steps[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                   600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    size_t i = 0;

    while (i < sizeof steps / sizeof steps[0] && seconds / steps[i] > most)
        i++;
    return i < sizeof steps / sizeof steps[0] ? steps[i]
                                              : plot_amount_step(seconds / 86400, most) * 86400;
}

void plot_times(const struct plot *plot, uint32_t most, bool numbers)
{
    double step = plot_time_step(plot->seconds, most);
    double unit = plot_seconds_in(plot_time_unit(plot->seconds));
    double floor = plot->y + plot->height;

    for (uint32_t i = 0; i * step <= plot->seconds * 1.0001; i++) {
        double at = i * step;
        double x = plot_x(plot, at / plot->seconds);

        (void)fprintf(plot->file,
                      "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x,
                      x, plot->y, floor);
        if (numbers)
            (void)fprintf(plot->file, "<text class=\"num mid\" x=\"%.1f\" y=\"%.1f\">%g</text>\n",
                          x, floor + 15, at / unit);
    }
}

void plot_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", file);
            break;
        case '>':
            (void)fputs("&gt;", file);
            break;
        case '&':
            (void)fputs("&amp;", file);
            break;
        case '"':
            (void)fputs("&quot;", file);
            break;
        default:
            (void)fputc((unsigned char)*text < ' ' ? '?' : *text, file);
        }
    }
}
