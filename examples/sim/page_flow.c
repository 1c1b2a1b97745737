/* SPDX-License-Identifier: MIT */
/*
 * Who gave and who took, over time: a lane for each VM, with bars upwards for what it took into use
 * and downwards for what it let go, in columns of time. Heights go by the square root, so that a
 * small move is seen beside a large one. A thin line shows how long a donor was asked. While there
 * are few transfers, each is a line from donor to recipient.
 */
#include <math.h>
#include <stdlib.h>

#include "page.h"
#include "plot.h"
#include "run.h"
#include "story.h"

enum { WIDTH = 1000, LANE = 24, COLUMNS_MOST = 400, LINKS_MOST = 300, COLOURS = 12 };

struct flow {
    const struct part *part;
    const struct move *moves;
    size_t count;
    uint32_t columns, vms;
    double *sums; /* [side][vm][column] */
    double most;
};

static double *sum_of(const struct flow *flow, enum side side, uint32_t vm)
{
    return &flow->sums[((size_t)side * flow->vms + vm) * flow->columns];
}

/* From the left edge, of WIDTH. */
static double x_of(const struct flow *flow, uint64_t at_ms)
{
    double part = (double)at_ms / 1000 / flow->part->seconds;

    return WIDTH * (part > 1 ? 1 : part);
}

static double middle_of(uint32_t vm)
{
    return vm * LANE + LANE / 2.0;
}

static void add(struct flow *flow, const struct move *move, enum side side, uint8_t step)
{
    uint64_t at = move->steps[step].last;
    uint32_t column;
    double *sum;

    if (at == MOVE_NEVER || move->vms[side] == VMRES_VM_NONE)
        return;
    column = (uint32_t)(x_of(flow, at) / WIDTH * flow->columns);
    column = column < flow->columns ? column : flow->columns - 1;
    sum = &sum_of(flow, side, move->vms[side])[column];
    *sum += (double)move->moved;
    flow->most = *sum > flow->most ? *sum : flow->most;
}

static void put_bars(const struct flow *flow, enum side side, uint32_t vm)
{
    const double *sums = sum_of(flow, side, vm);
    double width = (double)WIDTH / flow->columns, middle = middle_of(vm);
    FILE *file = flow->part->file;

    (void)fprintf(file, "<path class=\"%s c%u\" d=\"", side == DONOR ? "gave" : "took",
                  vm % COLOURS);
    for (uint32_t column = 0; column < flow->columns; column++) {
        double height = sqrt(sums[column] / flow->most) * (LANE / 2.0 - 1);

        if (sums[column] > 0)
            (void)fprintf(file, "M%.1f %.1fh%.1fv%.1fh-%.1fz", column * width, middle,
                          width < 1.5 ? 1.5 : width, side == DONOR ? height : -height,
                          width < 1.5 ? 1.5 : width);
    }
    (void)fputs("\"/>\n", file);
}

/* How long each donor was asked. */
static void put_waits(const struct flow *flow)
{
    (void)fputs("<path class=\"asked\" d=\"", flow->part->file);
    for (size_t i = 0; i < flow->count; i++) {
        const struct move *move = &flow->moves[i];
        uint64_t until = move->end ? move->closed_ms : (uint64_t)(flow->part->seconds * 1000);

        if (move->kind == flow->part->kind && move->vms[DONOR] != VMRES_VM_NONE &&
            move->steps[4].first != MOVE_NEVER && until > move->steps[4].first)
            (void)fprintf(flow->part->file, "M%.1f %.1fH%.1f", x_of(flow, move->steps[4].first),
                          middle_of(move->vms[DONOR]) + 2, x_of(flow, until));
    }
    (void)fputs("\"/>\n", flow->part->file);
}

static void put_links(const struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++) {
        const struct move *move = &flow->moves[i];

        if (move->kind != flow->part->kind || move->vms[DONOR] == VMRES_VM_NONE ||
            move->vms[RECIPIENT] == VMRES_VM_NONE || move->steps[6].first == MOVE_NEVER)
            continue;
        (void)fprintf(flow->part->file, "<path class=\"link c%u\" d=\"M%.1f %.1fV%.1f\"/>\n",
                      move->vms[DONOR] % COLOURS,
                      x_of(flow, move->steps[6].first) + WIDTH / 2.0 / flow->columns,
                      middle_of(move->vms[DONOR]), middle_of(move->vms[RECIPIENT]));
    }
}

static void put_lanes(const struct flow *flow)
{
    FILE *file = flow->part->file;

    (void)fputs("<figure class=\"chart flow\"><figcaption><b>Who gave, who took</b> "
                "<span class=\"unit\">up: taken into use, down: let go",
                file);
    (void)fprintf(file,
                  "; the highest bar is %.2f %s</span></figcaption>\n<div class=\"lanes\"><ol>",
                  flow->most / flow->part->unit, flow->part->unit_name);
    for (uint32_t vm = 0; vm < flow->vms; vm++) {
        (void)fputs("<li>", file);
        page_name(flow->part, vm);
        (void)fputs("</li>", file);
    }
    (void)fprintf(file,
                  "</ol><div class=\"plot\"><svg viewBox=\"0 0 %d %u\" style=\"height:%upx\" "
                  "preserveAspectRatio=\"none\" role=\"img\"><title>What each VM gave and took "
                  "over time</title><desc>A lane for each of %u VMs; the transfers are listed "
                  "below.</desc>\n",
                  WIDTH, flow->vms * LANE, flow->vms * LANE, flow->vms);
    for (uint32_t vm = 0; vm < flow->vms; vm++)
        (void)fprintf(file, "<path class=\"axis\" d=\"M0 %.1fH%d\"/>\n", middle_of(vm), WIDTH);
    if (flow->count <= LINKS_MOST)
        put_links(flow);
    put_waits(flow);
    for (uint32_t vm = 0; vm < flow->vms; vm++) {
        put_bars(flow, DONOR, vm);
        put_bars(flow, RECIPIENT, vm);
    }
    (void)fputs("</svg>", file);
    page_times(flow->part, 10);
    (void)fputs("</div></div></figure>\n", file);
}

void page_flow(const struct part *part)
{
    const struct history *history = part->run->history;
    uint32_t columns = history->points < COLUMNS_MOST ? history->points : COLUMNS_MOST;
    struct flow flow = {.part = part, .columns = columns, .vms = history->vms};
    uint64_t left_out;

    flow.moves = moves_all(part->run->story->moves, &flow.count, &left_out);
    flow.sums = calloc((size_t)2 * flow.vms * columns, sizeof *flow.sums);
    for (size_t i = 0; flow.sums && i < flow.count; i++) {
        if (flow.moves[i].kind != part->kind)
            continue;
        add(&flow, &flow.moves[i], DONOR, 5);
        add(&flow, &flow.moves[i], RECIPIENT, 8);
    }
    if (flow.most > 0)
        put_lanes(&flow);
    free(flow.sums);
}
