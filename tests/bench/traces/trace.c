/* SPDX-License-Identifier: MIT */
/* Traces in memory and as files; see trace.h. Files are the user's: nothing in them is trusted. */
#include "traces/trace.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/text_file.h"

enum { VMS_MOST = 100000, ROWS_MOST = 10000000 };

int trace_open(struct trace *trace, uint32_t vms, uint32_t rows)
{
    *trace = (struct trace){.unit = VMRES_UNIT_BYTES, .vms = vms, .rows = rows};
    trace->floors = calloc(vms, sizeof *trace->floors);
    trace->ceilings = calloc(vms, sizeof *trace->ceilings);
    trace->weights = calloc(vms, sizeof *trace->weights);
    trace->demand = calloc((size_t)vms * rows, sizeof *trace->demand);
    if (!trace->floors || !trace->ceilings || !trace->weights || !trace->demand) {
        trace_close(trace);
        return 0;
    }
    for (uint32_t vm = 0; vm < vms; vm++)
        trace->weights[vm] = 1;
    return 1;
}

int trace_add_cache(struct trace *trace)
{
    trace->cache = calloc((size_t)trace->vms * trace->rows, sizeof *trace->cache);
    return trace->cache != NULL;
}

void trace_close(struct trace *trace)
{
    free(trace->floors);
    free(trace->ceilings);
    free(trace->weights);
    free(trace->demand);
    free(trace->cache);
    *trace = (struct trace){.vms = 0};
}

uint32_t trace_wish(const struct trace *trace, uint32_t vm, uint32_t row)
{
    uint32_t wish = trace->demand[(size_t)vm * trace->rows + row];

    return wish < trace->ceilings[vm] ? wish : trace->ceilings[vm];
}

/* --- writing --- */

static FILE *open_file(const struct trace *trace, const char *directory, const char *ending)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s.%s", directory, trace->name, ending);
    return fopen(path, "w");
}

static void write_list(FILE *file, const char *key, const uint32_t *values, uint32_t count)
{
    (void)fprintf(file, " \"%s\": [", key);
    for (uint32_t i = 0; i < count; i++)
        (void)fprintf(file, "%s%" PRIu32, i ? ", " : "", values[i]);
    (void)fputs("],\n", file);
}

static int write_json(const struct trace *trace, const char *directory)
{
    FILE *file = open_file(trace, directory, "json");
    bool memory = trace->unit == VMRES_UNIT_BYTES;

    if (!file)
        return 0;
    (void)fprintf(file,
                  "{\n \"name\": \"%s\",\n \"resource\": \"%s\",\n \"unit\": \"%s\",\n"
                  " \"vms\": %" PRIu32 ",\n \"rows\": %" PRIu32 ",\n \"tick_s\": 1.0,\n"
                  " \"capacity\": %" PRIu64 ",\n",
                  trace->name, memory ? "memory" : "cpu", memory ? "MiB" : "millicores", trace->vms,
                  trace->rows, trace->capacity);
    write_list(file, "min", trace->floors, trace->vms);
    write_list(file, "max", trace->ceilings, trace->vms);
    write_list(file, "weight", trace->weights, trace->vms);
    (void)fprintf(file, " \"note\": \"%s\"\n}\n", trace->note);
    return fclose(file) == 0;
}

static void write_row(FILE *file, const uint32_t *cells, const struct trace *trace, uint32_t row)
{
    for (uint32_t vm = 0; cells && vm < trace->vms; vm++)
        (void)fprintf(file, ",%" PRIu32, cells[(size_t)vm * trace->rows + row]);
}

static int write_csv(const struct trace *trace, const char *directory)
{
    FILE *file = open_file(trace, directory, "csv");

    if (!file)
        return 0;
    (void)fputs("t_s", file);
    for (uint32_t vm = 0; vm < trace->vms; vm++)
        (void)fprintf(file, ",vm%" PRIu32, vm + 1);
    for (uint32_t vm = 0; trace->cache && vm < trace->vms; vm++)
        (void)fprintf(file, ",vm%" PRIu32 ".cache", vm + 1);
    for (uint32_t row = 0; row < trace->rows; row++) {
        (void)fprintf(file, "\n%" PRIu32, row);
        write_row(file, trace->demand, trace, row);
        write_row(file, trace->cache, trace, row);
    }
    (void)fputc('\n', file);
    return fclose(file) == 0;
}

int trace_write(const struct trace *trace, const char *directory)
{
    return write_json(trace, directory) && write_csv(trace, directory);
}

/* --- reading --- */

static char *read_text(const char *directory, const char *name, const char *ending)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    return text_file_read(path);
}

/* What follows a key, blanks skipped; NULL: the key is not there. */
static const char *behind(const char *json, const char *key)
{
    char quoted[32];

    (void)snprintf(quoted, sizeof quoted, "\"%s\"", key);
    json = strstr(json, quoted);
    if (!json)
        return NULL;
    json += strlen(quoted);
    return json + strspn(json, " \t\r\n:");
}

/* An amount, 0 .. UINT32_MAX, where *at stands, which then stands behind it. */
static int read_amount(const char **at, uint32_t *amount)
{
    char *end;
    double value = strtod(*at, &end);

    if (end == *at || !(value >= 0) || value > (double)UINT32_MAX)
        return 0;
    *amount = (uint32_t)(value + 0.5);
    *at = end;
    return 1;
}

static int read_number(const char *json, const char *key, uint32_t *number)
{
    const char *at = behind(json, key);

    return at && read_amount(&at, number);
}

static int read_list(const char *json, const char *key, uint32_t *values, uint32_t count)
{
    const char *at = behind(json, key);

    for (uint32_t i = 0; at && i < count; i++) {
        if (*at != (i ? ',' : '['))
            return 0;
        at++;
        if (!read_amount(&at, &values[i]))
            return 0;
        at += strspn(at, " \t\r\n");
    }
    return at && *at == ']';
}

static void read_note(struct trace *trace, const char *json)
{
    const char *at = behind(json, "note");
    size_t length = at && *at == '"' ? strcspn(at + 1, "\"\n") : 0;

    length = length < TRACE_NOTE - 1 ? length : TRACE_NOTE - 1;
    if (length > 0)
        memcpy(trace->note, at + 1, length);
}

static const char *read_json(struct trace *trace, const char *json, const char *name)
{
    const char *unit = behind(json, "unit");
    uint32_t vms, rows, capacity, tick;

    if (!read_number(json, "tick_s", &tick) || tick != 1)
        return "the JSON says no tick_s of 1";
    if (!read_number(json, "vms", &vms) || vms == 0 || vms > VMS_MOST ||
        !read_number(json, "rows", &rows) || rows == 0 || rows > ROWS_MOST ||
        !read_number(json, "capacity", &capacity) || !unit)
        return "the JSON lacks vms, rows, capacity or unit";
    if (!trace_open(trace, vms, rows))
        return "no memory";
    (void)snprintf(trace->name, sizeof trace->name, "%s", name);
    read_note(trace, json);
    trace->capacity = capacity;
    if (strncmp(unit, "\"MiB\"", 5) != 0)
        trace->unit = VMRES_UNIT_MILLI;
    if (!read_list(json, "min", trace->floors, vms) ||
        !read_list(json, "max", trace->ceilings, vms))
        return "the JSON lacks a min or max for each VM";
    if (behind(json, "weight") && !read_list(json, "weight", trace->weights, vms))
        return "the JSON does not give each VM a weight";
    for (uint32_t vm = 0; vm < vms; vm++) {
        if (trace->floors[vm] > trace->ceilings[vm] || trace->weights[vm] == 0)
            return "the JSON has a min above its max, or a weight of 0";
    }
    return NULL;
}

static const char *read_cells(const char *at, uint32_t *cells, const struct trace *trace,
                              uint32_t row, const char **end)
{
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        if (*at != ',')
            return "a row of the CSV is too short";
        at++;
        if (!read_amount(&at, &cells[(size_t)vm * trace->rows + row]))
            return "the CSV has a cell that is no amount";
    }
    *end = at;
    return NULL;
}

static const char *read_csv(struct trace *trace, const char *csv)
{
    const char *why = NULL;
    uint32_t time;

    if (strstr(csv, ".cache") && !trace_add_cache(trace))
        return "no memory";
    for (uint32_t row = 0; row < trace->rows && !why; row++) {
        csv = strchr(csv, '\n');
        if (!csv || !csv[1])
            return "the CSV has fewer rows than the JSON says";
        csv++;
        if (!read_amount(&csv, &time))
            return "a row of the CSV begins without a time";
        why = read_cells(csv, trace->demand, trace, row, &csv);
        if (!why && trace->cache)
            why = read_cells(csv, trace->cache, trace, row, &csv);
    }
    return why;
}

int trace_read(struct trace *trace, const char *directory, const char *name, const char **why)
{
    char *json = read_text(directory, name, "json");
    char *csv = read_text(directory, name, "csv");

    *trace = (struct trace){.vms = 0};
    *why = json && csv ? read_json(trace, json, name) : "it is no pair of CSV and JSON";
    if (!*why)
        *why = read_csv(trace, csv);
    if (*why)
        trace_close(trace);
    free(json);
    free(csv);
    return !*why;
}
