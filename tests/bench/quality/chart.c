/* SPDX-License-Identifier: MIT */
/*
 * One trace as a picture: above what all VMs want of the host, below what each policy costs, as a
 * bar of two parts: what was missing, and what moving cost. Ours first, the cheapest of each group
 * on top. Red is what was missing and nothing else.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quality/field.h"

enum {
    WIDTH = 1200,
    LEFT = 226,  /* names end here */
    RIGHT = 330, /* numbers */
    HEAD = 74,
    LOAD = 120, /* the picture of demand */
    TITLE = 26,
    ROW = 19,
    BAR = 12,
    FOOT = 30,
    POINTS = 600, /* of demand at most */
    TURNS = 8,    /* at most so many numbers on an axis */
};

static const char style[] =
    "<style>\n"
    "text{font-family:system-ui,'Segoe UI','Helvetica Neue','DejaVu Sans',Arial,sans-serif;"
    "fill:#333}\n"
    ".h1{font-size:20px;font-weight:600}.sub{font-size:13px;fill:#666}\n"
    ".h2{font-size:13px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:5px}.num{font-"
    "size:11px;fill:#777}\n"
    ".name{font-size:12px}.ours{font-size:12px;font-weight:600;fill:#1f5582}\n"
    ".val{font-size:11px;text-anchor:end}.end{text-anchor:end}.mid{text-anchor:middle}\n"
    "line{stroke-width:1}.grid{stroke:#000;stroke-opacity:.08}.axis{stroke:#999}\n"
    ".cap{stroke:#333;stroke-width:1.3;stroke-dasharray:6 4}\n"
    ".best{stroke:#2e8b57;stroke-width:1.6}.never{stroke:#888;stroke-dasharray:2 3}\n"
    ".miss{fill:#e0312e}.move{fill:#4e79a7;fill-opacity:.55}.zebra{fill:#000;fill-opacity:.025}\n"
    "</style>\n";

struct chart {
    const struct field *field;
    const struct meeting *meeting;
    FILE *file;
    double y, most; /* the cost at the right edge */
};

static double plot_width(void)
{
    return WIDTH - LEFT - RIGHT;
}

static void put_text(const struct chart *chart, double x, double y, const char *class_name,
                     const char *text)
{
    (void)fprintf(chart->file, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
    for (; *text; text++) {
        if (*text == '<' || *text == '&')
            (void)fputs(*text == '<' ? "&lt;" : "&amp;", chart->file);
        else
            (void)fputc(*text, chart->file);
    }
    (void)fputs("</text>\n", chart->file);
}

static void put_line(const struct chart *chart, const char *class_name, double x[2], double y[2])
{
    (void)fprintf(chart->file,
                  "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                  class_name, x[0], x[1], y[0], y[1]);
}

static void put_rect(const struct chart *chart, const char *class_name, double x, double width)
{
    if (width > 0.05)
        (void)fprintf(chart->file,
                      "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
                      class_name, x, chart->y + (ROW - BAR) / 2.0, width, BAR);
}

/* The smallest of 1, 2, 5, 10, 20, ... of which at most `most` go into the range. */
static double step_of(double range, int most)
{
    static const double factors[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(range / most)));
    int i = 0;

    while (i < 3 && range / (factors[i] * power) > most)
        i++;
    return factors[i] * power;
}

/* --- what all VMs want --- */

/* The most that is wanted in the span of one point. */
static double wanted_at(const struct trace *trace, uint32_t point, uint32_t points)
{
    uint32_t row = (uint32_t)((uint64_t)point * trace->rows / points);
    uint32_t end = (uint32_t)((uint64_t)(point + 1) * trace->rows / points);
    double most = 0;

    for (; row < end; row++) {
        double sum = 0;

        for (uint32_t vm = 0; vm < trace->vms; vm++)
            sum += trace_wish(trace, vm, row);
        most = fmax(most, sum);
    }
    return most;
}

/* What of the demand lies between two amounts. */
static void put_area(const struct chart *chart, const double *wanted, const double band[2],
                     double top, const char *look)
{
    const struct trace *trace = &chart->meeting->trace;
    uint32_t points = trace->rows < POINTS ? trace->rows : POINTS;
    double width = WIDTH - LEFT - 40.0, floor = chart->y + LOAD;
    double low = floor - LOAD * band[0] / top;

    (void)fprintf(chart->file, "<path %s d=\"M%d %.1f", look, LEFT, low);
    for (uint32_t i = 0; i < points; i++) {
        double y = floor - LOAD * fmax(band[0], fmin(wanted[i], band[1])) / top;

        (void)fprintf(chart->file, " %.1f %.1f %.1f %.1f", LEFT + width * i / points, y,
                      LEFT + width * (i + 1) / points, y);
    }
    (void)fprintf(chart->file, " %.1f %.1fz\"/>\n", LEFT + width, low);
}

static void put_load_axes(const struct chart *chart, double top, double unit)
{
    const struct trace *trace = &chart->meeting->trace;
    double width = WIDTH - LEFT - 40.0, floor = chart->y + LOAD;
    double step = step_of(top / unit, 4), seconds = step_of(trace->rows, 2 * TURNS);
    char text[32];

    for (double at = 0; at <= top / unit * 1.0001; at += step) {
        double y = floor - LOAD * at * unit / top;

        put_line(chart, at > 0 ? "grid" : "axis", (double[]){LEFT, LEFT + width}, (double[]){y, y});
        (void)snprintf(text, sizeof text, "%g", at);
        put_text(chart, LEFT - 6, y + 4, "num end", text);
    }
    for (double at = 0; at <= trace->rows; at += seconds) {
        double x = LEFT + width * at / trace->rows;

        put_line(chart, "grid", (double[]){x, x}, (double[]){chart->y, floor});
        (void)snprintf(text, sizeof text, at > 0 ? "%g" : "%g s", at);
        put_text(chart, x, floor + 15, "num mid", text);
    }
}

static void put_load(struct chart *chart)
{
    const struct trace *trace = &chart->meeting->trace;
    uint32_t points = trace->rows < POINTS ? trace->rows : POINTS;
    bool memory = trace->unit == VMRES_UNIT_BYTES;
    double capacity = (double)trace->capacity, top = capacity, unit = memory ? 1024 : 1000;
    double *wanted = calloc(points, sizeof *wanted);

    put_text(chart, LEFT, chart->y + 14, "h2",
             memory ? "wanted by all VMs, and the host [GiB]"
                    : "wanted by all VMs, and the host "
                      "[CPUs]");
    chart->y += TITLE;
    for (uint32_t i = 0; wanted && i < points; i++) {
        wanted[i] = wanted_at(trace, i, points);
        top = fmax(top, wanted[i]);
    }
    top = fmin(top, 2 * capacity) * 1.04;
    if (wanted) {
        double y = chart->y + LOAD - LOAD * capacity / top;

        put_area(chart, wanted, (double[]){0, capacity}, top,
                 "fill=\"#4e79a7\" fill-opacity=\".35\"");
        put_area(chart, wanted, (double[]){capacity, top}, top, "fill=\"#e0312e\"");
        put_load_axes(chart, top, unit);
        put_line(chart, "cap", (double[]){LEFT, WIDTH - 40}, (double[]){y, y});
    }
    free(wanted);
    chart->y += LOAD + FOOT + 10;
}

/* --- what each policy costs --- */

static double x_of(const struct chart *chart, double cost)
{
    return LEFT + plot_width() * fmin(1, chart->most > 0 ? cost / chart->most : 0);
}

static void put_number(const struct chart *chart, double x, const char *format, double value)
{
    char text[32];

    (void)snprintf(text, sizeof text, format, value);
    put_text(chart, x, chart->y + 14, "val", isnan(value) ? "–" : text);
}

static void put_race(struct chart *chart, uint32_t index, bool shaded)
{
    const struct race *race = &chart->field->races[index];
    const struct result *result = &chart->field->results[index];
    bool ours = race->contestant->form == RACE_OURS;
    double right = LEFT + plot_width();
    char name[64];

    (void)snprintf(name, sizeof name, "%s%s", race->contestant->name,
                   strcmp(race->contestant->name, "pressure") != 0      ? ""
                   : race->contestant->stall == VMRES_SIM_STALL_CROOKED ? ", crooked sensor"
                                                                        : ", exact sensor");
    if (!field_is_usual(race))
        (void)snprintf(name, sizeof name, "%s", race->condition->name);
    if (shaded)
        (void)fprintf(chart->file,
                      "<rect class=\"zebra\" x=\"40\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n",
                      chart->y, WIDTH - 80, ROW);
    put_text(chart, LEFT - 8, chart->y + 14, ours ? "ours end" : "name end", name);
    put_rect(chart, "miss", LEFT, x_of(chart, result->unmet) - LEFT);
    put_rect(chart, "move", x_of(chart, result->unmet),
             x_of(chart, result->cost) - x_of(chart, result->unmet));
    if (result->cost > chart->most)
        put_text(chart, right + 3, chart->y + 14, "num", "›");
    put_number(chart, right + 74, "%.1f", result->cost);
    put_number(chart, right + 128, "%.3f", field_regret(chart->field, chart->meeting, index));
    put_number(chart, right + 182, "%.3f", result->shortfall);
    put_number(chart, right + 236, "%.1f", result->moved);
    put_number(chart, right + 290, "%.1f", result->reversed);
    chart->y += ROW;
}

struct group {
    const char *title;
    bool (*has)(const struct race *race);
};

static bool is_ours(const struct race *race)
{
    return race->contestant->form == RACE_OURS && field_is_usual(race);
}

static bool is_policy(const struct race *race)
{
    return race->contestant->form == RACE_POLICY;
}

static bool is_direct(const struct race *race)
{
    return race->contestant->form == RACE_DIRECT;
}

static bool is_unusual(const struct race *race)
{
    return !field_is_usual(race) && race->contestant->stall == VMRES_SIM_STALL_CROOKED;
}

static const struct group groups[] = {
    {"ours", is_ours},
    {"others' rules as policies of this engine (b)", is_policy},
    {"others' rules by themselves, without the engine (c)", is_direct},
    {"pressure, crooked sensor, when something is wrong", is_unusual},
};

enum { GROUPS = sizeof groups / sizeof groups[0], RACES_MOST = 128 };

/* The races of a group, the cheapest first; returns how many. */
static uint32_t sort_group(const struct chart *chart, const struct group *group, uint32_t *races)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < chart->meeting->count && count < RACES_MOST; i++) {
        uint32_t index = chart->meeting->first + i, at = count;

        if (!group->has(&chart->field->races[index]))
            continue;
        for (; at > 0 && group->has != is_unusual &&
               chart->field->results[races[at - 1]].cost > chart->field->results[index].cost;
             at--)
            races[at] = races[at - 1];
        races[at] = index;
        count++;
    }
    return count;
}

static void put_cost_axis(const struct chart *chart, double end)
{
    double step = chart->most > 0 ? step_of(chart->most, TURNS) : 1;
    char text[32];

    for (double at = 0; at <= chart->most; at += step) {
        double x = x_of(chart, at);

        put_line(chart, at > 0 ? "grid" : "axis", (double[]){x, x}, (double[]){chart->y, end});
        (void)snprintf(text, sizeof text, "%g", at);
        put_text(chart, x, end + 15, "num mid", text);
    }
}

static void put_columns(const struct chart *chart)
{
    static const char *const names[] = {"J", "rho", "E %", "moved", "turned"};
    double right = LEFT + plot_width();

    for (int i = 0; i < 5; i++)
        put_text(chart, right + 74 + 54 * i, chart->y - 6, "num end", names[i]);
}

static double costs_height(const struct chart *chart)
{
    uint32_t races[RACES_MOST];
    double height = 0;

    for (int i = 0; i < GROUPS; i++)
        height += sort_group(chart, &groups[i], races) * ROW + TITLE;
    return height;
}

/* J* and what never moving costs. */
static void put_marks(const struct chart *chart, double begin, double end)
{
    double never = x_of(chart, field_static(chart->field, chart->meeting));
    double best = x_of(chart, chart->meeting->best);

    put_line(chart, "never", (double[]){never, never}, (double[]){begin, end});
    if (chart->meeting->best >= 0)
        put_line(chart, "best", (double[]){best, best}, (double[]){begin, end});
}

static void put_costs(struct chart *chart)
{
    double begin = chart->y, end = begin + costs_height(chart);
    uint32_t races[RACES_MOST];

    put_cost_axis(chart, end);
    put_columns(chart);
    put_marks(chart, begin, end);
    for (int i = 0; i < GROUPS; i++) {
        uint32_t count = sort_group(chart, &groups[i], races);

        put_text(chart, 44, chart->y + 17, "h2", groups[i].title);
        chart->y += TITLE;
        for (uint32_t race = 0; race < count; race++)
            put_race(chart, races[race], race % 2 == 0);
    }
    chart->y = end + FOOT;
}

/* --- all of it --- */

static void put_head(const struct chart *chart)
{
    const struct trace *trace = &chart->meeting->trace;
    char text[256];

    put_text(chart, 44, 34, "h1", trace->name);
    (void)snprintf(text, sizeof text, "%s  ·  %" PRIu32 " VMs, %" PRIu32 " s", trace->note,
                   trace->vms, trace->rows);
    put_text(chart, 44, 54, "sub", text);
}

static void put_legend(struct chart *chart)
{
    const char *unit = chart->meeting->trace.unit == VMRES_UNIT_BYTES ? "GiB s" : "CPU s";
    double y = chart->y + 10;
    char text[64];

    (void)snprintf(text, sizeof text, "cost J [%s]", unit);
    put_text(chart, 44, y, "h2", text);
    (void)fprintf(chart->file,
                  "<rect class=\"miss\" x=\"%d\" y=\"%.1f\" width=\"22\" height=\"10\"/>"
                  "<text class=\"sub\" x=\"%d\" y=\"%.1f\">missing</text>\n"
                  "<rect class=\"move\" x=\"%d\" y=\"%.1f\" width=\"22\" height=\"10\"/>"
                  "<text class=\"sub\" x=\"%d\" y=\"%.1f\">moving, priced</text>\n",
                  LEFT, y - 9, LEFT + 28, y, LEFT + 100, y - 9, LEFT + 128, y);
    (void)fprintf(chart->file,
                  "<line class=\"best\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  "<text class=\"sub\" x=\"%d\" y=\"%.1f\">the best plan that knows the future%s"
                  "</text>\n"
                  "<line class=\"never\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  "<text class=\"sub\" x=\"%d\" y=\"%.1f\">never moving</text>\n",
                  LEFT + 246, LEFT + 268, y - 4, y - 4, LEFT + 274, y,
                  chart->meeting->best >= 0 ? "" : " (not computed)", LEFT + 530, LEFT + 552, y - 4,
                  y - 4, LEFT + 558, y);
    chart->y += 42;
}

/* The right edge: a little beyond never moving, or beyond all where that costs next to nothing. */
static double most_of(const struct chart *chart)
{
    double never = field_static(chart->field, chart->meeting), most = 0;

    for (uint32_t i = 0; i < chart->meeting->count; i++)
        most = fmax(most, chart->field->results[chart->meeting->first + i].cost);
    return fmin(most, never > 1 ? never * 1.25 : most);
}

void chart_write(const struct field *field, const struct meeting *meeting, FILE *file)
{
    struct chart chart = {.field = field, .meeting = meeting, .file = file, .y = HEAD};
    double height = HEAD + TITLE + LOAD + FOOT + 10 + 42 + costs_height(&chart) + FOOT;

    chart.most = most_of(&chart);
    (void)fprintf(file,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
                  "width=\"%d\" style=\"max-width:100%%;height:auto\" role=\"img\">\n"
                  "<title>What policies cost on %s</title>\n%s"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                  WIDTH, height, WIDTH, meeting->trace.name, style);
    put_head(&chart);
    put_load(&chart);
    put_legend(&chart);
    put_costs(&chart);
    (void)fputs("</svg>\n", file);
}
