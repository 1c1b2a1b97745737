/* SPDX-License-Identifier: MIT */
/* Reading traces; see trace_file.h. It trusts the files to be well-formed where they are there. */
#include "scenario/trace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/units.h>

#include "support/text_file.h"

char *trace_text(const char *directory, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return text_file_read(path);
}

static const char *behind(const char *json, const char *key)
{
    char quoted[64];

    (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
    json = json ? strstr(json, quoted) : NULL;
    return json ? json + strlen(quoted) : NULL;
}

double trace_number(const char *json, const char *const *keys)
{
    for (; json && *keys; keys++)
        json = behind(json, *keys);
    return json ? strtod(json, NULL) : -1;
}

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n' || text[1] == '\0';
    return lines;
}

static uint32_t count_columns(const char *text)
{
    uint32_t columns = 1;

    for (; *text && *text != '\n'; text++)
        columns += *text == ',';
    return columns;
}

/* Reads all rows below the header into columns, cells[column * rows + row], the first times 1000,
 * the others times `unit`. */
static uint64_t *read_cells(const char *text, uint32_t rows, uint32_t columns, uint64_t unit)
{
    uint64_t *cells = calloc((size_t)rows * columns, sizeof *cells);
    char *end;

    text = strchr(text, '\n');
    for (uint32_t row = 0; cells && row < rows; row++) {
        for (uint32_t column = 0; column < columns; column++) {
            double value = strtod(text + 1, &end);

            cells[(size_t)column * rows + row] =
                (uint64_t)(value * (double)(column == 0 ? 1000 : unit) + 0.5);
            text = end;
        }
    }
    return cells;
}

static void read_list(const char *json, const char *key, const struct trace_file *trace,
                      uint64_t *values)
{
    const char *at = behind(json, key);
    uint64_t unit = strstr(json, "\"MiB\"") ? VMRES_MIB : 1;
    char *end;

    at = at ? strchr(at, '[') : NULL;
    for (uint32_t vm = 0; at && vm < trace->vms; vm++, at = end)
        values[vm] = strtoull(at + 1, &end, 10) * unit;
}

int trace_open(struct trace_file *trace, const char *directory, const char *name)
{
    const char *const vms[] = {"vms", NULL};
    const char *const capacity[] = {"capacity", NULL};
    char file[64];
    char *json, *csv;
    uint32_t columns;
    uint64_t unit;

    *trace = (struct trace_file){0};
    (void)snprintf(file, sizeof file, "%s.json", name);
    json = trace_text(directory, file);
    (void)snprintf(file, sizeof file, "%s.csv", name);
    csv = trace_text(directory, file);
    if (json && csv && trace_number(json, vms) > 0 && trace_number(json, vms) <= TRACE_VMS) {
        unit = strstr(json, "\"MiB\"") ? VMRES_MIB : 1;
        trace->vms = (uint32_t)trace_number(json, vms);
        trace->capacity = (uint64_t)trace_number(json, capacity) * unit;
        read_list(json, "min", trace, trace->floors);
        read_list(json, "max", trace, trace->ceilings);
        trace->rows = count_lines(csv) - 1;
        columns = count_columns(csv);
        trace->cells = read_cells(csv, trace->rows, columns, unit);
        for (uint32_t vm = 0; trace->cells && vm < trace->vms; vm++) {
            struct vmres_sim_demand *demand = &trace->demand[vm];

            demand->points = trace->rows;
            demand->at_ms = trace->cells;
            demand->amount = trace->cells + (size_t)(1 + vm) * trace->rows;
            if (columns > 1 + trace->vms)
                demand->cache = trace->cells + (size_t)(1 + trace->vms + vm) * trace->rows;
        }
    }
    free(json);
    free(csv);
    return trace->cells != NULL;
}

void trace_close(struct trace_file *trace)
{
    free(trace->cells);
    trace->cells = NULL;
}

/* The table wants rows, the file gives columns. */
static void transpose(uint64_t *rows, const uint64_t *columns, const struct vmres_table *table)
{
    for (uint32_t row = 0; row < table->rows; row++) {
        for (uint32_t column = 0; column < table->columns; column++)
            rows[(size_t)row * table->columns + column] =
                columns[(size_t)(1 + column) * table->rows + row];
    }
}

int trace_open_table(struct vmres_table *table, const char *directory, const char *name)
{
    char *csv = trace_text(directory, name);
    uint64_t *columns = NULL, *rows = NULL;

    if (!csv)
        return 0;
    table->rows = count_lines(csv) - 1;
    table->columns = count_columns(csv) - 1;
    columns = read_cells(csv, table->rows, table->columns + 1, VMRES_MIB);
    rows = calloc((size_t)table->rows * table->columns, sizeof *rows);
    if (columns && rows)
        transpose(rows, columns, table);
    free(csv);
    table->times_ms = columns;
    table->cells = rows;
    return columns && rows;
}

void trace_close_table(struct vmres_table *table)
{
    free((void *)(uintptr_t)table->times_ms);
    free((void *)(uintptr_t)table->cells);
}
