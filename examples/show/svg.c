/* SPDX-License-Identifier: MIT */
/*
 * The picture of a run: for every kind, the host's resource stacked by VM, on a contiguous host
 * the same by address, then one panel per VM with what it wanted against what it had. Every VM has
 * one colour in both; red is what was missing and nothing else. All panels have the same scale, so
 * that large and small VMs look it.
 */
#include "svg.h"

#include <stdlib.h>
#include <string.h>

#include <vmres/units.h>

#include "plot.h"

enum {
    WIDTH = 1200,
    LEFT = 64,
    RIGHT = 96, /* names beside the stack */
    HEAD = 92,
    STACK = 260,
    TITLE = 22,    /* above a plot */
    FOOT = 44,     /* below a plot with numbers */
    GAP = 16,      /* between panels */
    NAME = 13,     /* between names beside the stack */
    LABELLED = 20, /* so many VMs can be named there */
    CAPTION = 14,  /* above all panels */
};

static const char style[] =
    "<style>\n"
    "text{font-family:system-ui,'Segoe UI','Helvetica Neue','DejaVu Sans',Arial,sans-serif;"
    "fill:#333}\n"
    ".h1{font-size:20px;font-weight:600}.sub{font-size:13px;fill:#666}\n"
    ".h2{font-size:13px;font-weight:600}.num{font-size:11px;fill:#777}\n"
    ".red{font-size:11px;fill:#c9211e}.end{text-anchor:end}.mid{text-anchor:middle}\n"
    "line{stroke-width:1}.grid{stroke:#000;stroke-opacity:.08}.axis{stroke:#999}\n"
    ".cap{stroke:#333;stroke-width:1.3;stroke-dasharray:6 4}\n"
    ".first{stroke:#888;stroke-dasharray:2 3}\n"
    "</style>\n";

/* Neighbours differ; none is red. */
static const uint32_t palette[] = {
    0x4e79a7, 0xf2a03d, 0x59a14f, 0xb07aa1, 0x76b7b2, 0xd4b92f,
    0x9c755f, 0x86a8d9, 0x8cd17d, 0xd7a0c4, 0x499894, 0xc0b08a,
};

/* Where the picture of one kind stands, and how it is measured. */
struct section {
    const struct scene *scene;
    const struct history *history;
    FILE *file;
    uint8_t kind;
    double unit;
    const char *unit_name;
    double seconds, y;
    uint32_t columns; /* of panels */
    double panel_width, panel_height;
};

/* The colour of a VM: the palette, paler in each further turn. */
static uint32_t colour_of(uint32_t vm)
{
    enum { COLOURS = sizeof palette / sizeof palette[0] };
    uint32_t colour = palette[vm % COLOURS], paler = vm / COLOURS % 3 * 28, mixed = 0;

    for (uint32_t shift = 0; shift < 24; shift += 8) {
        uint32_t part = colour >> shift & 0xff;

        mixed |= (part + (255 - part) * paler / 100) << shift;
    }
    return mixed;
}

static void put(const struct section *section, double x, double y, const char *class_name,
                const char *text)
{
    (void)fprintf(section->file, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
    plot_text(section->file, text);
    (void)fputs("</text>\n", section->file);
}

/* Copies one series of a VM's points; NULL: no memory. */
static struct span *spans_of(const struct section *section, uint32_t vm, bool demand)
{
    const struct point *points = history_of(section->history, section->kind, vm);
    struct span *spans = calloc(section->history->points, sizeof *spans);

    for (uint32_t i = 0; spans && i < section->history->points; i++)
        spans[i] = demand ? points[i].demand : points[i].held;
    return spans;
}

static uint64_t highest(const struct section *section, uint32_t vm)
{
    const struct point *points = history_of(section->history, section->kind, vm);
    uint64_t most = 0;

    for (uint32_t i = 0; i < section->history->points; i++) {
        most = points[i].held.high > most ? points[i].held.high : most;
        most = points[i].demand.high > most ? points[i].demand.high : most;
    }
    return most;
}

/* The part of a plot that the history covers: the rest of it stays empty. */
static struct plot covered(const struct section *section, const struct plot *plot)
{
    const struct history *history = section->history;
    struct plot part = *plot;

    part.width *= (double)(history->ticks * history->tick_ms) / 1000 / section->seconds;
    return part;
}

/* What all VMs together wanted, or the VMs from `vm` on held, at each point. */
static void sum_up(const struct section *section, uint32_t vm, bool demand, struct span *sums)
{
    memset(sums, 0, section->history->points * sizeof *sums);
    for (; vm < section->history->vms; vm++) {
        const struct point *points = history_of(section->history, section->kind, vm);

        for (uint32_t i = 0; i < section->history->points; i++)
            sums[i].last += demand ? points[i].demand.last : points[i].held.last;
    }
    for (uint32_t i = 0; i < section->history->points; i++)
        sums[i].low = sums[i].high = sums[i].last;
}

/* Where the names of the bands go: beside their middle, pushed apart where bands are thin. */
static void place_names(const struct section *section, const struct plot *plot, double *at)
{
    uint32_t vms = section->history->vms, last = section->history->points - 1;
    double below = 0, lowest = plot->y + plot->height;

    for (uint32_t vm = vms; vm-- > 0;) {
        double held = (double)history_of(section->history, section->kind, vm)[last].held.last;

        at[vm] = plot_y(plot, (below + held / 2) / section->unit) + 4;
        below += held;
    }
    for (uint32_t vm = 1; vm < vms; vm++)
        at[vm] = at[vm] < at[vm - 1] + NAME ? at[vm - 1] + NAME : at[vm];
    for (uint32_t vm = vms; vm-- > 0;) {
        at[vm] = at[vm] > lowest ? lowest : at[vm];
        lowest = at[vm] - NAME;
    }
}

static void name_bands(const struct section *section, const struct plot *plot)
{
    double at[LABELLED], x = plot->x + plot->width;

    place_names(section, plot, at);
    for (uint32_t vm = 0; vm < section->history->vms; vm++) {
        (void)fprintf(section->file,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"8\" height=\"8\" "
                      "fill=\"#%06x\"/>\n",
                      x + 8, at[vm] - 8, colour_of(vm));
        put(section, x + 20, at[vm], "num", section->scene->names[vm]);
    }
}

static void draw_bands(const struct section *section, const struct plot *plot, struct span *sums)
{
    for (uint32_t vm = 0; vm < section->history->vms; vm++) {
        char look[96];
        struct curve curve;

        sum_up(section, vm, false, sums);
        curve = plot_curve(plot, sums, section->history->points);
        (void)snprintf(look, sizeof look, "fill=\"#%06x\" stroke=\"#fff\" stroke-width=\"%g\"",
                       colour_of(vm), section->history->vms > LABELLED ? 0 : 0.8);
        plot_area(plot, &curve, look);
        free(curve.at);
    }
}

static double stack_top(const struct section *section, const struct span *wanted)
{
    double capacity = (double)section->scene->resource->capacity / section->unit;
    double top = capacity;

    for (uint32_t i = 0; i < section->history->points; i++) {
        double amount = (double)wanted[i].last / section->unit;

        top = amount > top ? amount : top;
    }
    /* What nobody could be given is not worth more than a third of the picture. */
    return (top > capacity * 1.5 ? capacity * 1.5 : top) * 1.04;
}

/* The host's resource, stacked by VM. */
static void draw_stack(struct section *section)
{
    const struct vmres_resource *resource = section->scene->resource;
    double capacity = (double)resource->capacity / section->unit;
    uint32_t points = section->history->points;
    struct span *wanted = calloc(points, sizeof *wanted), *sums = calloc(points, sizeof *sums);
    struct plot plot = {section->file,    LEFT, section->y + TITLE, WIDTH - LEFT - RIGHT, STACK,
                        section->seconds, 0,    section->unit};
    char text[128];

    if (wanted && sums) {
        struct plot part;
        struct curve curve;

        sum_up(section, 0, true, wanted);
        plot.top = stack_top(section, wanted);
        part = covered(section, &plot);
        (void)snprintf(text, sizeof text, "%s%s of the host by VM [%s]", section->scene->title,
                       resource->name, section->unit_name);
        put(section, LEFT, section->y + 13, "h2", text);
        draw_bands(section, &part, sums);
        plot_amounts(&plot, 6, true);
        plot_times(&plot, 14, true);
        curve = plot_curve(&part, wanted, points);
        plot_line(&part, &curve, "stroke=\"#fff\" stroke-width=\"3.2\" stroke-opacity=\".7\"");
        plot_line(&part, &curve, "stroke=\"#222\" stroke-width=\"1.4\"");
        free(curve.at);
        plot_level(&plot, capacity, "cap");
        if (section->history->vms <= LABELLED)
            name_bands(section, &part);
    }
    free(wanted);
    free(sums);
    section->y += TITLE + STACK + FOOT;
}

/* Where the block of a VM lay at each point. */
static void find_block(const struct section *section, uint32_t vm, struct span *lower,
                       struct span *upper)
{
    const struct point *points = history_of(section->history, section->kind, vm);

    for (uint32_t i = 0; i < section->history->points; i++) {
        lower[i].last = points[i].front;
        upper[i].last = points[i].front + points[i].held.last;
    }
}

static void draw_blocks(const struct section *section, const struct plot *plot, struct span *lower,
                        struct span *upper)
{
    uint32_t last = section->history->points - 1;

    for (uint32_t vm = 0; vm < section->history->vms; vm++) {
        double middle;
        char look[96];

        find_block(section, vm, lower, upper);
        (void)snprintf(look, sizeof look, "fill=\"#%06x\" stroke=\"#fff\" stroke-width=\".8\"",
                       colour_of(vm));
        plot_band(plot, lower, upper, section->history->points, look);
        middle = (double)(lower[last].last + upper[last].last) / 2 / section->unit;
        if (section->history->vms <= LABELLED && upper[last].last > lower[last].last)
            put(section, plot->x + plot->width + 8, plot_y(plot, middle) + 4, "num",
                section->scene->names[vm]);
    }
}

static bool has_map(const struct section *section)
{
    return section->scene->resource->placement == VMRES_PLACEMENT_EXTENT;
}

/* The host's resource by address: each VM's block where it lies, holes white. */
static void draw_map(struct section *section)
{
    const struct vmres_resource *resource = section->scene->resource;
    uint32_t points = section->history->points;
    struct span *lower = calloc(points, sizeof *lower), *upper = calloc(points, sizeof *upper);
    double capacity = (double)resource->capacity / section->unit;
    struct plot plot = {section->file,    LEFT,     section->y + TITLE, WIDTH - LEFT - RIGHT, STACK,
                        section->seconds, capacity, section->unit};
    char text[128];

    if (lower && upper) {
        struct plot part = covered(section, &plot);

        (void)snprintf(text, sizeof text, "%s of the host by address [%s]: who lies where",
                       resource->name, section->unit_name);
        put(section, LEFT, section->y + 13, "h2", text);
        plot_amounts(&plot, 6, true);
        plot_times(&plot, 14, true);
        draw_blocks(section, &part, lower, upper);
        plot_level(&plot, capacity, "cap");
    }
    free(lower);
    free(upper);
    section->y += TITLE + STACK + FOOT;
}

/* Swatch and name; on the right what this VM missed. */
static void title_panel(const struct section *section, const struct plot *plot, uint32_t vm)
{
    double missed = history_missed(section->history, section->kind, vm) / section->unit;
    const char *name = section->scene->names[vm];
    char text[96];

    (void)fprintf(section->file,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"#%06x\"/>\n",
                  plot->x, plot->y - 14, colour_of(vm));
    put(section, plot->x + 15, plot->y - 5, "h2", name);
    if (missed < 0.05)
        return;
    if (section->columns > 4)
        (void)snprintf(text, sizeof text, "%.1f", missed);
    else
        (void)snprintf(text, sizeof text, "missed %.1f %s s", missed, section->unit_name);
    put(section, plot->x + plot->width, plot->y - 5, "red end", text);
}

/* One VM: use against allotment. Red shows where the area of use looks out over the allotment. */
static void draw_panel(const struct section *section, const struct plot *plot, uint32_t vm)
{
    uint32_t points = section->history->points;
    struct span *demand = spans_of(section, vm, true), *held = spans_of(section, vm, false);
    size_t row = (size_t)section->kind * section->history->vms + vm;
    char look[96];

    if (demand && held) {
        const struct plot part = covered(section, plot);
        struct curve use = plot_curve(&part, demand, points);
        struct curve allotment = plot_curve(&part, held, points);

        plot_area(&part, &use, "fill=\"#e0312e\"");
        plot_area(&part, &allotment, "fill=\"#fff\"");
        (void)snprintf(look, sizeof look, "fill=\"#%06x\" fill-opacity=\".35\"", colour_of(vm));
        plot_area(&part, &allotment, look);
        (void)snprintf(look, sizeof look, "stroke=\"#%06x\" stroke-width=\"1.6\"", colour_of(vm));
        plot_line(&part, &allotment, look);
        plot_line(&part, &use,
                  section->columns > 4 ? "stroke=\"#222\" stroke-width=\".5\"" : "stroke=\"#222\"");
        plot_level(plot, (double)section->history->first[row] / section->unit, "first");
        free(use.at);
        free(allotment.at);
    }
    free(demand);
    free(held);
    title_panel(section, plot, vm);
}

static uint32_t rows_of(const struct section *section)
{
    return (section->history->vms + section->columns - 1) / section->columns;
}

static double row_height(const struct section *section)
{
    return section->panel_height + TITLE + 8;
}

static void draw_panels(struct section *section)
{
    uint32_t vms = section->history->vms;
    double top = 0;
    char text[64];

    (void)snprintf(text, sizeof text, "every VM [%s]", section->unit_name);
    put(section, LEFT, section->y + 5, "h2", text);
    section->y += CAPTION;
    for (uint32_t vm = 0; vm < vms; vm++) {
        double most = (double)highest(section, vm) / section->unit;

        top = most > top ? most : top;
    }
    for (uint32_t vm = 0; vm < vms; vm++) {
        uint32_t column = vm % section->columns, row = vm / section->columns;
        bool bottom = vm + section->columns >= vms;
        struct plot plot = {
            .file = section->file,
            .x = LEFT + column * (section->panel_width + GAP),
            .y = section->y + TITLE + row * row_height(section),
            .width = section->panel_width,
            .height = section->panel_height,
            .seconds = section->seconds,
            .top = top * 1.05,
            .unit = section->unit,
        };

        plot_amounts(&plot, section->panel_height > 100 ? 4 : 3, column == 0);
        plot_times(&plot, (uint32_t)(section->panel_width / 60) + 1, bottom);
        draw_panel(section, &plot, vm);
    }
    section->y += rows_of(section) * row_height(section) + FOOT;
}

/* How many panels stand side by side, and how large each is. */
static void lay_out(struct section *section)
{
    static const struct {
        uint32_t vms, columns;
        double height;
    } rows[] = {{4, 1, 130}, {12, 2, 110}, {32, 4, 90}, {UINT32_MAX, 8, 64}};
    size_t i = 0;

    while (section->history->vms > rows[i].vms)
        i++;
    section->columns = rows[i].columns;
    section->panel_height = rows[i].height;
    section->panel_width =
        (WIDTH - LEFT - (rows[i].columns == 1 ? RIGHT : 24) - (section->columns - 1.0) * GAP) /
        section->columns;
}

static double section_height(const struct section *section)
{
    return (has_map(section) ? 2 : 1) * (TITLE + STACK + FOOT) + CAPTION +
           rows_of(section) * row_height(section) + FOOT;
}

static struct section make_section(const struct scene *scene, FILE *file)
{
    const struct vmres_resource *resource = scene->resource;
    bool large = resource->capacity >= 2 * VMRES_GIB;
    struct section section = {
        .scene = scene,
        .history = scene->history,
        .file = file,
        .kind = scene->kind,
        .unit = 1000,
        .unit_name = "CPU",
        .seconds = scene->seconds,
    };

    if (resource->unit == VMRES_UNIT_BYTES) {
        section.unit = large ? (double)VMRES_GIB : (double)VMRES_MIB;
        section.unit_name = large ? "GiB" : "MiB";
    }
    lay_out(&section);
    return section;
}

static void put_legend(FILE *file, const char *unit, const char *first)
{
    double y = HEAD - 18;

    (void)fprintf(file,
                  "<line x1=\"64\" x2=\"86\" y1=\"%g\" y2=\"%g\" stroke=\"#222\" "
                  "stroke-width=\"1.4\"/><text class=\"sub\" x=\"92\" y=\"%g\">wanted</text>\n",
                  y, y, y + 4);
    (void)fprintf(file,
                  "<rect x=\"158\" y=\"%g\" width=\"22\" height=\"10\" fill=\"#4e79a7\" "
                  "fill-opacity=\".35\"/><line x1=\"158\" x2=\"180\" y1=\"%g\" y2=\"%g\" "
                  "stroke=\"#4e79a7\" stroke-width=\"1.6\"/>"
                  "<text class=\"sub\" x=\"186\" y=\"%g\">allotted</text>\n",
                  y - 5, y - 5, y - 5, y + 4);
    (void)fprintf(file,
                  "<rect x=\"254\" y=\"%g\" width=\"22\" height=\"10\" fill=\"#e0312e\"/>"
                  "<text class=\"sub\" x=\"282\" y=\"%g\">missing (red numbers: %s s)</text>\n",
                  y - 5, y + 4, unit);
    (void)fprintf(file,
                  "<line class=\"first\" x1=\"480\" x2=\"502\" y1=\"%g\" y2=\"%g\"/>"
                  "<text class=\"sub\" x=\"508\" y=\"%g\">%s</text>\n",
                  y, y, y + 4, first);
    (void)fprintf(file,
                  "<line class=\"cap\" x1=\"624\" x2=\"646\" y1=\"%g\" y2=\"%g\"/>"
                  "<text class=\"sub\" x=\"652\" y=\"%g\">capacity of the host</text>\n",
                  y, y, y + 4);
}

static void put_line(FILE *file, int y, const char *class_name, const char *text)
{
    (void)fprintf(file, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class_name, LEFT, y);
    plot_text(file, text);
    (void)fputs("</text>\n", file);
}

static void put_head(const struct picture *picture, FILE *file)
{
    const struct section first = make_section(&picture->scenes[0], file);

    put_line(file, 34, "h1", picture->title);
    put_line(file, 54, "sub", picture->subtitle);
    put_legend(file, first.unit_name, picture->first);
}

void svg_write(const struct picture *picture, FILE *file)
{
    double height = HEAD, y = HEAD;

    for (uint32_t i = 0; i < picture->count; i++) {
        const struct section section = make_section(&picture->scenes[i], file);

        height += section_height(&section);
    }
    (void)fprintf(file,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
                  "width=\"%d\" style=\"max-width:100%%;height:auto\" role=\"img\">\n"
                  "<title>What every VM wanted and was allotted over time</title>\n%s"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                  WIDTH, height, WIDTH, style);
    put_head(picture, file);
    for (uint32_t i = 0; i < picture->count; i++) {
        struct section section = make_section(&picture->scenes[i], file);
        char axis[64];

        section.y = y;
        draw_stack(&section);
        if (has_map(&section))
            draw_map(&section);
        draw_panels(&section);
        (void)snprintf(axis, sizeof axis, "time [%s]", plot_time_unit(section.seconds));
        put(&section, WIDTH / 2.0, section.y - 16, "num mid", axis);
        y = section.y;
    }
    (void)fputs("</svg>\n", file);
}
