/* SPDX-License-Identifier: MIT */
/*
 * What the page's script works on, as JSON in an element that no browser runs. Series are told as
 * differences from point to point, which are mostly 0. Amounts are MiB, thousandths of a CPU or
 * pieces. Nothing in it can end the element or be taken for markup: <, > and & are escaped.
 */
#include <inttypes.h>

#include <vmres/units.h>

#include "history.h"
#include "page.h"
#include "report.h"
#include "story.h"

static void put_text(FILE *file, const char *text)
{
    (void)fputc('"', file);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' || byte == '"' || byte == '\\' || byte == '<' || byte == '>' || byte == '&')
            (void)fprintf(file, "\\u%04x", (unsigned)byte);
        else
            (void)fputc(*text, file);
    }
    (void)fputc('"', file);
}

static int64_t in_small(const struct run *run, uint8_t kind, uint64_t amount)
{
    bool bytes = run->config->engine.resources[kind].unit == VMRES_UNIT_BYTES;

    return (int64_t)(bytes ? (amount + VMRES_MIB / 2) / VMRES_MIB : amount);
}

static void put_kinds(const struct run *run, FILE *file)
{
    (void)fputs("\"kinds\":[", file);
    for (uint8_t kind = 0; kind < run->config->engine.kinds; kind++) {
        const struct vmres_resource *resource = &run->config->engine.resources[kind];
        const char *unit;
        double whole = report_unit(run, kind, &unit);

        (void)fputs(kind ? ",{\"name\":" : "{\"name\":", file);
        put_text(file, resource->name);
        (void)fprintf(file, ",\"unit\":\"%s\",\"whole\":%g,\"capacity\":%" PRId64 "}", unit,
                      resource->unit == VMRES_UNIT_BYTES ? whole / (double)VMRES_MIB : whole,
                      in_small(run, kind, resource->capacity));
    }
    (void)fputs("],\n\"vms\":[", file);
    for (uint32_t vm = 0; vm < run->config->vm_count; vm++) {
        if (vm > 0)
            (void)fputc(',', file);
        put_text(file, run->config->vms[vm].spec.name);
    }
    (void)fputs("],\n", file);
}

/* Demand, holding, stall and lack of one VM; the last two in percent. */
static void put_series(const struct run *run, FILE *file, uint8_t kind, uint32_t vm)
{
    const struct point *points = history_of(run->history, kind, vm);
    int64_t before[4] = {0};

    for (int series = 0; series < 4; series++) {
        (void)fputs(series ? "],[" : "[[", file);
        for (uint32_t i = 0; i < run->history->points; i++) {
            const int64_t now[4] = {in_small(run, kind, points[i].demand.last),
                                    in_small(run, kind, points[i].held.last),
                                    (int64_t)(points[i].stall.last / 100),
                                    (int64_t)(points[i].lack.last / 100)};

            (void)fprintf(file, "%s%" PRId64, i ? "," : "", now[series] - before[series]);
            before[series] = now[series];
        }
    }
    (void)fputs("]]", file);
}

static void put_all_series(const struct run *run, FILE *file)
{
    (void)fputs("\"series\":[", file);
    for (uint8_t kind = 0; kind < run->config->engine.kinds; kind++) {
        (void)fputs(kind ? ",[" : "[", file);
        for (uint32_t vm = 0; vm < run->config->vm_count; vm++) {
            if (vm > 0)
                (void)fputs(",\n", file);
            put_series(run, file, kind, vm);
        }
        (void)fputc(']', file);
    }
    (void)fputs("],\n", file);
}

/* A VM by its index, -1: the pool. */
static int64_t index_of(uint32_t vm)
{
    return vm == VMRES_VM_NONE ? -1 : (int64_t)vm;
}

/* [kind, [donor, recipient], asked, moved, [used, held of both], end, reasons, decided, steps],
 * steps being first and last time of each less that of the decision, or null. */
static void put_move(const struct run *run, FILE *file, const struct move *move)
{
    uint64_t decided = move->steps[3].first;

    (void)fprintf(file, "[%u,[%" PRId64 ",%" PRId64 "],%" PRId64 ",%" PRId64 ",[", move->kind,
                  index_of(move->vms[DONOR]), index_of(move->vms[RECIPIENT]),
                  in_small(run, move->kind, move->asked), in_small(run, move->kind, move->moved));
    for (int side = DONOR; side <= RECIPIENT; side++)
        (void)fprintf(file, "%s%" PRId64 ",%" PRId64, side ? "," : "",
                      in_small(run, move->kind, move->used[side]),
                      in_small(run, move->kind, move->held[side]));
    (void)fputs("],", file);
    put_text(file, move->end ? move->end : "open");
    for (int side = DONOR; side <= RECIPIENT; side++) {
        (void)fputc(',', file);
        put_text(file, move->reasons[side] ? move->reasons[side] : "");
    }
    (void)fprintf(file, ",%" PRIu64 ",[", decided);
    for (uint8_t step = 1; step <= STEPS; step++) {
        const struct move_step *taken = &move->steps[step];

        if (taken->first == MOVE_NEVER)
            (void)fputs(step > 1 ? ",null" : "null", file);
        else
            (void)fprintf(file, "%s[%" PRId64 ",%" PRId64 "]", step > 1 ? "," : "",
                          (int64_t)(taken->first - decided), (int64_t)(taken->last - decided));
    }
    (void)fputs("]]", file);
}

static void put_moves(const struct run *run, FILE *file)
{
    uint64_t left_out;
    size_t count;
    const struct move *moves = moves_all(run->story->moves, &count, &left_out);

    (void)fputs("\"moves\":[\n", file);
    for (size_t i = 0; i < count; i++) {
        put_move(run, file, &moves[i]);
        (void)fputs(i + 1 < count ? ",\n" : "\n", file);
    }
    (void)fputs("],\n", file);
}

/* [time, step, level, VM, other VM, text]. */
static void put_lines(const struct run *run, FILE *file)
{
    const struct story *story = run->story;

    (void)fputs("\"log\":[\n", file);
    for (size_t i = 0; i < story->count; i++) {
        const struct story_line *line = &story->lines[i];

        (void)fprintf(file, "[%" PRIu64 ",%u,%u,%" PRId64 ",%" PRId64 ",", line->time_ms,
                      line->step, line->level, index_of(line->vms[0]), index_of(line->vms[1]));
        put_text(file, story->texts + line->text);
        (void)fputs(i + 1 < story->count ? "],\n" : "]\n", file);
    }
    (void)fputs("]", file);
}

void page_data(const struct run *run, FILE *file)
{
    (void)fprintf(file,
                  "<script type=\"application/json\" id=\"data\">{\"tick_ms\":%" PRIu32
                  ",\"ticks\":%" PRIu64 ",\"points\":%" PRIu32 ",\n",
                  run->config->sim.tick_ms, run_ticks(run), run->history->points);
    put_kinds(run, file);
    put_all_series(run, file);
    put_moves(run, file);
    put_lines(run, file);
    (void)fputs("}</script>\n", file);
}
