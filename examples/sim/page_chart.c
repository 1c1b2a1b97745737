/* SPDX-License-Identifier: MIT */
/*
 * Use, allotment and pressure over time. Curves are in a box of 1000 x 200 that is stretched to
 * whatever room there is; numbers stand beside it as text, so that they stay readable on a phone.
 * Every chart of a kind has the same scale of time, those of its VMs the same scale of amounts.
 */
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "plot.h"
#include "report.h"

enum { WIDTH = 1000, HEIGHT = 200, PANEL_WIDTH = 500, COLOURS = 12, MANY = 16 };

static const struct point *points_of(const struct part *part, uint32_t vm)
{
    return history_of(part->run->history, part->kind, vm);
}

static const char *kind_name(const struct part *part)
{
    return part->run->config->engine.resources[part->kind].name;
}

static const char *vm_name(const struct part *part, uint32_t vm)
{
    return part->run->config->vms[vm].spec.name;
}

void page_name(const struct part *part, uint32_t vm)
{
    (void)fprintf(part->file, "<i class=\"vm c%u\"></i>", vm % COLOURS);
    plot_text(part->file, vm_name(part, vm));
}

void page_times(const struct part *part, uint32_t most)
{
    double step = plot_time_step(part->seconds, most);
    const char *name = plot_time_unit(part->seconds);
    double unit = plot_seconds_in(name);

    (void)fputs("<ol class=\"x\" aria-hidden=\"true\">", part->file);
    for (uint32_t i = 0; i * step <= part->seconds * 0.97; i++)
        (void)fprintf(part->file, "<li style=\"left:%.2f%%\">%g%s%s</li>",
                      100 * i * step / part->seconds, i * step / unit, i ? "" : " ", i ? "" : name);
    (void)fputs("</ol>", part->file);
}

/* Numbers to the left of a plot. */
static void put_amounts(const struct part *part, double top, uint32_t most)
{
    double step = top > 0 ? plot_amount_step(top, most) : 1;

    (void)fputs("<ol class=\"y\" aria-hidden=\"true\">", part->file);
    for (uint32_t i = 0; i * step <= top; i++)
        (void)fprintf(part->file, "<li style=\"bottom:%.2f%%\">%g</li>",
                      top > 0 ? 100 * i * step / top : 0, i * step);
    (void)fputs("</ol>", part->file);
}

static void put_grid(const struct plot *plot, uint32_t amounts, uint32_t times)
{
    double step = plot->top > 0 ? plot_amount_step(plot->top, amounts) : 1;

    for (uint32_t i = 0; i * step <= plot->top; i++)
        plot_level(plot, i * step, i ? "grid" : "axis");
    plot_times(plot, times, false);
}

/* --- the host --- */

/* What all VMs together wanted, or the VMs from `vm` on held, at each point. */
static void sum_up(const struct part *part, uint32_t vm, bool demand, struct span *sums)
{
    const struct history *history = part->run->history;

    memset(sums, 0, history->points * sizeof *sums);
    for (; vm < history->vms; vm++) {
        const struct point *points = points_of(part, vm);

        for (uint32_t i = 0; i < history->points; i++)
            sums[i].last += demand ? points[i].demand.last : points[i].held.last;
    }
    for (uint32_t i = 0; i < history->points; i++)
        sums[i].low = sums[i].high = sums[i].last;
}

static void draw_curve(const struct plot *plot, const struct span *spans, uint32_t count,
                       const char *area, const char *line)
{
    struct curve curve = plot_curve(plot, spans, count);

    if (area)
        plot_area(plot, &curve, area);
    if (line)
        plot_line(plot, &curve, line);
    free(curve.at);
}

static void draw_bands(const struct part *part, const struct plot *plot, struct span *sums)
{
    for (uint32_t vm = 0; vm < part->run->history->vms; vm++) {
        char look[32];

        (void)snprintf(look, sizeof look, "class=\"band c%u\"", vm % COLOURS);
        sum_up(part, vm, false, sums);
        draw_curve(plot, sums, part->run->history->points, look, NULL);
    }
}

static double highest(const struct part *part, const struct span *wanted)
{
    double capacity = (double)part->run->config->engine.resources[part->kind].capacity / part->unit;
    double top = capacity;

    for (uint32_t i = 0; i < part->run->history->points; i++) {
        double amount = (double)wanted[i].last / part->unit;

        top = amount > top ? amount : top;
    }
    /* What nobody could be given is not worth more than a third of the picture. */
    return (top > capacity * 1.5 ? capacity * 1.5 : top) * 1.04;
}

static void open_host_chart(const struct part *part, const char *what, const char *description)
{
    (void)fputs(part->run->history->vms > MANY ? "<figure class=\"chart host many\"><figcaption><b>"
                                               : "<figure class=\"chart host\"><figcaption><b>",
                part->file);
    plot_text(part->file, kind_name(part));
    (void)fprintf(part->file,
                  " of the host by %s</b> <span class=\"unit\">%s</span><output aria-live=\"off\" "
                  "data-host=\"%u\">"
                  "</output></figcaption>\n<div class=\"plot\"><svg viewBox=\"0 0 %d %d\" "
                  "preserveAspectRatio=\"none\" role=\"img\"><title>",
                  what, part->unit_name, part->kind, WIDTH, HEIGHT);
    plot_text(part->file, kind_name(part));
    (void)fprintf(part->file, " of the host by %s, over time</title><desc>%s</desc>\n", what,
                  description);
}

static void close_chart(const struct part *part, double top, uint32_t amounts, uint32_t times)
{
    (void)fputs("</svg>", part->file);
    put_amounts(part, top, amounts);
    page_times(part, times);
    (void)fputs("</div></figure>\n", part->file);
}

static void put_host(const struct part *part)
{
    const struct vmres_sim_metrics sums = report_metrics(part->run, VMRES_VM_NONE, part->kind);
    double capacity = (double)part->run->config->engine.resources[part->kind].capacity / part->unit;
    uint32_t count = part->run->history->points;
    struct span *wanted = calloc(count, sizeof *wanted), *held = calloc(count, sizeof *held);
    struct plot plot = {part->file, 0, 0, WIDTH, HEIGHT, part->seconds, 0, part->unit};
    char text[160];

    if (wanted && held) {
        sum_up(part, 0, true, wanted);
        plot.top = highest(part, wanted);
        (void)snprintf(text, sizeof text,
                       "A band for each of %u VMs, what it holds, up to the capacity of %.1f %s; "
                       "a line for what all want. %.1f was missing.",
                       part->run->history->vms, capacity, part->unit_name, sums.unmet);
        open_host_chart(part, "VM", text);
        draw_bands(part, &plot, held);
        put_grid(&plot, 5, 12);
        draw_curve(&plot, wanted, count, NULL, "class=\"halo\"");
        draw_curve(&plot, wanted, count, NULL, "class=\"use\"");
        plot_level(&plot, capacity, "cap");
        close_chart(part, plot.top, 5, 12);
    }
    free(wanted);
    free(held);
}

/* On a contiguous host: whose block lies where. */
static void put_map(const struct part *part)
{
    double capacity = (double)part->run->config->engine.resources[part->kind].capacity / part->unit;
    uint32_t count = part->run->history->points;
    struct span *lower = calloc(count, sizeof *lower), *upper = calloc(count, sizeof *upper);
    struct plot plot = {part->file, 0, 0, WIDTH, HEIGHT, part->seconds, capacity, part->unit};

    if (lower && upper) {
        open_host_chart(part, "address", "A band for the block of each VM, where it lies.");
        put_grid(&plot, 5, 12);
        for (uint32_t vm = 0; vm < part->run->history->vms; vm++) {
            const struct point *points = points_of(part, vm);
            char look[32];

            for (uint32_t i = 0; i < count; i++) {
                lower[i].last = points[i].front;
                upper[i].last = points[i].front + points[i].held.last;
            }
            (void)snprintf(look, sizeof look, "class=\"band c%u\"", vm % COLOURS);
            plot_band(&plot, lower, upper, count, look);
        }
        close_chart(part, capacity, 5, 12);
    }
    free(lower);
    free(upper);
}

/* --- a VM --- */

enum series { DEMAND, HELD, STALL, LACK };

static struct span pick(const struct point *point, enum series series)
{
    switch (series) {
    case DEMAND:
        return point->demand;
    case HELD:
        return point->held;
    case STALL:
        return point->stall;
    case LACK:
        break;
    }
    return point->lack;
}

/* Copies one series of a VM's points; NULL: no memory. */
static struct span *spans_of(const struct part *part, uint32_t vm, enum series series)
{
    uint32_t count = part->run->history->points;
    struct span *spans = calloc(count, sizeof *spans);

    for (uint32_t i = 0; spans && i < count; i++)
        spans[i] = pick(&points_of(part, vm)[i], series);
    return spans;
}

static struct span reach(const struct span *spans, uint32_t count)
{
    struct span all = spans[0];

    for (uint32_t i = 1; i < count; i++)
        all = history_join(all, spans[i]);
    return all;
}

/* Use against allotment. Missing shows where the area of use looks out over the allotment. */
static void draw_vm(const struct part *part, uint32_t vm, double top)
{
    const struct history *history = part->run->history;
    struct plot plot = {part->file, 0, 0, PANEL_WIDTH, HEIGHT, part->seconds, top, part->unit};
    struct span *demand = spans_of(part, vm, DEMAND), *held = spans_of(part, vm, HELD);
    size_t row = (size_t)part->kind * history->vms + vm;
    uint32_t count = history->points;

    if (demand && held) {
        struct span wants = reach(demand, count), has = reach(held, count);

        (void)fprintf(part->file, "<desc>It wanted %.2f to %.2f %s and held %.2f to %.2f.</desc>\n",
                      (double)wants.low / part->unit, (double)wants.high / part->unit,
                      part->unit_name, (double)has.low / part->unit, (double)has.high / part->unit);
        put_grid(&plot, 3, 6);
        draw_curve(&plot, demand, count, "class=\"missing\"", NULL);
        draw_curve(&plot, held, count, "class=\"room\"", NULL);
        draw_curve(&plot, held, count, "class=\"held\"", "class=\"edge\"");
        draw_curve(&plot, demand, count, NULL, "class=\"use\"");
        plot_level(&plot, (double)history->first[row] / part->unit, "first");
    }
    free(demand);
    free(held);
}

/* Pressure, as it is and as the VM reports it. */
static void draw_pressure(const struct part *part, uint32_t vm)
{
    struct plot plot = {part->file,    0,   0,  PANEL_WIDTH, HEIGHT,
                        part->seconds, 105, 100}; /* of VMRES_STALL_ONE: percent */
    struct span *lack = spans_of(part, vm, LACK), *stall = spans_of(part, vm, STALL);
    uint32_t count = part->run->history->points;

    if (lack && stall) {
        (void)fprintf(part->file,
                      "<desc>At most %.0f %% were missing; it reported at most %.0f %%."
                      "</desc>\n",
                      (double)reach(lack, count).high / 100,
                      (double)reach(stall, count).high / 100);
        plot_level(&plot, 0, "axis");
        plot_level(&plot, 100, "grid");
        draw_curve(&plot, lack, count, "class=\"lack\"", NULL);
        draw_curve(&plot, stall, count, NULL, "class=\"stall\"");
    }
    free(lack);
    free(stall);
}

static void put_title(const struct part *part, uint32_t vm, const char *what)
{
    (void)fprintf(part->file,
                  "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\"><title>",
                  PANEL_WIDTH, HEIGHT);
    plot_text(part->file, vm_name(part, vm));
    (void)fprintf(part->file, ": %s over time</title>", what);
}

static void put_vm(const struct part *part, uint32_t vm, double top)
{
    double missed = report_metrics(part->run, vm, part->kind).unmet;

    (void)fprintf(part->file, "<figure class=\"chart each c%u\"><figcaption><b>", vm % COLOURS);
    page_name(part, vm);
    (void)fputs("</b>", part->file);
    if (missed >= 0.05)
        (void)fprintf(part->file, " <span class=\"missed\">missed %.1f %s s</span>", missed,
                      strcmp(part->unit_name, "MiB") == 0 ? "GiB" : part->unit_name);
    (void)fprintf(
        part->file,
        "<output aria-live=\"off\" data-kind=\"%u\" data-vm=\"%u\"></output></figcaption>\n"
        "<div class=\"plot\">",
        part->kind, vm);
    put_title(part, vm, "use and allotment");
    draw_vm(part, vm, top);
    (void)fputs("</svg>", part->file);
    put_amounts(part, top, 3);
    (void)fputs("</div>\n<div class=\"plot strip\">", part->file);
    put_title(part, vm, "pressure");
    draw_pressure(part, vm);
    (void)fputs("</svg>", part->file);
    page_times(part, 6);
    (void)fputs("</div></figure>\n", part->file);
}

void page_charts(const struct part *part)
{
    const struct history *history = part->run->history;
    uint64_t most = 0;

    put_host(part);
    if (part->run->config->engine.resources[part->kind].placement == VMRES_PLACEMENT_EXTENT)
        put_map(part);
    for (uint32_t vm = 0; vm < history->vms; vm++) {
        for (uint32_t i = 0; i < history->points; i++) {
            const struct point *point = &points_of(part, vm)[i];

            most = point->held.high > most ? point->held.high : most;
            most = point->demand.high > most ? point->demand.high : most;
        }
    }
    (void)fputs("<h3>", part->file);
    plot_text(part->file, kind_name(part));
    (void)fprintf(part->file,
                  " of every VM <span class=\"unit\">%s</span></h3>\n"
                  "<div class=\"panels%s\">\n",
                  part->unit_name,
                  history->vms > 16                        ? " many"
                  : history->vms <= 4 && history->vms != 3 ? " few"
                                                           : "");
    for (uint32_t vm = 0; vm < history->vms; vm++)
        put_vm(part, vm, (double)most / part->unit * 1.05);
    (void)fputs("</div>\n", part->file);
}
