/* SPDX-License-Identifier: MIT */
/*
 * CSV files: a line of names beginning with t_s, then rows of plain numbers, times ascending. Cells
 * get the file's unit appended and are read as any other quantity, so that decimals are as exact
 * here as in YAML. A file is read once, however many VMs follow it.
 */
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/utf8.h"

enum { MAX_CSV_BYTES = 256 << 20, MAX_CELL = 40 };

/* Where in the text we are. */
struct cursor {
    const char *at;
    uint32_t line, column;
};

/* One file being read. */
struct csv {
    struct config_loader *loader;
    const struct config_kind *kind;
    struct config_trace *trace;
    const struct config_text *text;
};

static enum vmres_status fail(const struct csv *csv, const struct cursor *cursor, const char *what)
{
    return vmres__load_fail_in(csv->loader, csv->trace->path,
                               (struct config_mark){cursor->line, cursor->column}, "%s", what);
}

/* The length of the cell under the cursor. */
static size_t cell_length(const struct cursor *cursor)
{
    return strcspn(cursor->at, ",\r\n");
}

/* Goes over a cell and the comma after it; 1 if another cell of the same row follows. */
static int next_cell(struct cursor *cursor)
{
    size_t length = cell_length(cursor);
    int more = cursor->at[length] == ',';

    cursor->at += length + (more ? 1 : 0);
    cursor->column += (uint32_t)length + 1;
    return more;
}

/* Goes over the end of a line; 1 if a further row follows. Empty lines at the end are none. */
static int next_line(struct cursor *cursor)
{
    cursor->at += *cursor->at == '\r' ? 1 : 0;
    cursor->at += *cursor->at == '\n' ? 1 : 0;
    cursor->line++;
    cursor->column = 1;
    return cursor->at[strspn(cursor->at, "\r\n")] != '\0';
}

/* Counts rows and sees that each is as wide as the names; then no allocation can be too large. */
static enum vmres_status measure(struct csv *csv)
{
    struct config_trace *trace = csv->trace;
    struct cursor cursor = {csv->text->bytes, 1, 1};

    if (strlen(csv->text->bytes) != csv->text->size)
        return fail(csv, &cursor, "the file contains a NUL byte; export it as plain text");
    if (cell_length(&cursor) != 3 || strncmp(cursor.at, "t_s", 3) != 0)
        return fail(csv, &cursor, "the first line must be names, the first of them t_s; add it");
    while (next_cell(&cursor))
        trace->columns++;
    while (next_line(&cursor)) {
        uint32_t cells = 0;

        while (next_cell(&cursor))
            cells++;
        if (cells != trace->columns) {
            cursor.column = 1;
            return fail(csv, &cursor, "this row has not as many cells as the names; mend it");
        }
        trace->rows++;
    }
    if (trace->columns == 0 || trace->rows == 0)
        return fail(csv, &(struct cursor){NULL, 1, 1},
                    "there is no data; add a column for a VM and rows of numbers");
    return VMRES_OK;
}

static int is_utf8(const char *text, size_t length)
{
    size_t at = 0, step = 1;
    uint32_t code;

    while (at < length && step > 0) {
        step = vmres__utf8_character(text + at, &code);
        at += step;
    }
    return at == length;
}

static enum vmres_status read_name(struct csv *csv, const struct cursor *cursor, uint32_t column)
{
    size_t length = cell_length(cursor);

    csv->trace->names[column] = vmres__arena_copy(csv->loader->keep, cursor->at, length);
    if (!csv->trace->names[column])
        return vmres__load_no_memory(csv->loader);
    if (length == 0)
        return fail(csv, cursor, "a column without a name; write one");
    if (!is_utf8(cursor->at, length))
        return fail(csv, cursor, "this name is no UTF-8 text; save the file as plain text");
    if (!vmres__names_add(&csv->trace->by_name, csv->trace->names[column], column))
        return fail(csv, cursor, "there are two columns of this name; rename one");
    return VMRES_OK;
}

/* A cell with its unit appended, as text. */
static enum vmres_status cell_text(const struct csv *csv, const struct cursor *cursor,
                                   const char *unit, char text[MAX_CELL + 8])
{
    size_t length = cell_length(cursor);

    if (length == 0 || length > MAX_CELL || strspn(cursor->at, "0123456789.") != length)
        return fail(csv, cursor, "this is not a number from 0 on; write digits and a point alone");
    memcpy(text, cursor->at, length);
    (void)snprintf(text + length, 8, "%s", unit);
    return VMRES_OK;
}

static enum vmres_status read_cell(const struct csv *csv, const struct cursor *cursor,
                                   uint64_t *value)
{
    char text[MAX_CELL + 8];
    enum vmres_status status = cell_text(csv, cursor, csv->trace->unit, text);

    if (status)
        return status;
    if (vmres__scalar_parse_amount(csv->kind->unit, text, value))
        return fail(csv, cursor, "this number is not understood or too large; change it");
    return VMRES_OK;
}

static enum vmres_status read_time(const struct csv *csv, const struct cursor *cursor, uint32_t row)
{
    char text[MAX_CELL + 8];
    uint64_t *times = csv->trace->times_ms;
    enum vmres_status status = cell_text(csv, cursor, "s", text);

    if (status)
        return status;
    if (vmres_parse_time(text, &times[row]))
        return fail(csv, cursor, "this time is not understood or too large; write seconds");
    if (row > 0 && times[row] <= times[row - 1])
        return fail(csv, cursor, "times must ascend, by a millisecond at least; sort the rows");
    return VMRES_OK;
}

static enum vmres_status read_row(const struct csv *csv, struct cursor *cursor, uint32_t row)
{
    struct config_trace *trace = csv->trace;
    enum vmres_status status = read_time(csv, cursor, row);

    for (uint32_t column = 0; next_cell(cursor) && status == VMRES_OK; column++)
        status = read_cell(csv, cursor, &trace->cells[(size_t)column * trace->rows + row]);
    return status;
}

static enum vmres_status read_cells(struct csv *csv)
{
    struct config_trace *trace = csv->trace;
    struct config_arena *keep = csv->loader->keep;
    struct cursor cursor = {csv->text->bytes, 1, 1};
    enum vmres_status status = VMRES_OK;

    trace->names = vmres__arena_take(keep, trace->columns + 1u, sizeof *trace->names);
    trace->times_ms = vmres__arena_take(keep, trace->rows, sizeof *trace->times_ms);
    trace->cells =
        vmres__arena_take(keep, (size_t)trace->columns * trace->rows, sizeof *trace->cells);
    if (!trace->names || !trace->times_ms || !trace->cells ||
        !vmres__names_open(&trace->by_name, &csv->loader->scratch, trace->columns))
        return vmres__load_no_memory(csv->loader);
    for (uint32_t column = 0; next_cell(&cursor) && status == VMRES_OK; column++)
        status = read_name(csv, &cursor, column);
    for (uint32_t row = 0; status == VMRES_OK && row < trace->rows; row++) {
        (void)next_line(&cursor);
        status = read_row(csv, &cursor, row);
    }
    return status;
}

/* A file named in the loader's file lies beside it. */
static const char *resolve(struct config_loader *loader, const char *name)
{
    const char *slash = strrchr(loader->path, '/');
    size_t folder = slash && name[0] != '/' ? (size_t)(slash + 1 - loader->path) : 0;
    size_t room = folder + strlen(name) + 1;
    char *path = vmres__arena_take(loader->keep, room, 1);

    if (path)
        (void)snprintf(path, room, "%.*s%s", (int)folder, loader->path, name);
    return path;
}

static enum vmres_status read_file(struct csv *csv, const struct config_node *node)
{
    struct config_loader *loader = csv->loader;
    struct config_text text;
    const char *reason = "";
    enum vmres_status status = vmres__file_read(&loader->scratch.allocator, csv->trace->path,
                                                MAX_CSV_BYTES, &text, &reason);

    if (status == VMRES_NOMEM)
        return vmres__load_no_memory(loader);
    if (status == VMRES_LIMIT)
        return vmres__load_fail(loader, node->at, "'%.60s' is larger than %d bytes; thin it out",
                                node->text, MAX_CSV_BYTES);
    if (status)
        return vmres__load_fail(loader, node->at,
                                "'%.60s' cannot be read (%s); name a file beside this one",
                                node->text, reason);
    csv->text = &text;
    status = measure(csv);
    if (status == VMRES_OK)
        status = read_cells(csv);
    csv->text = NULL;
    vmres__file_release(&loader->scratch.allocator, &text);
    return status;
}

enum vmres_status vmres__csv_read(struct config_loader *loader, const struct config_node *node,
                                  const struct config_kind *kind, const char *unit,
                                  const struct config_trace **result)
{
    struct csv csv = {.loader = loader, .kind = kind};
    const char *name = NULL, *path;
    enum vmres_status status = vmres__scalar_text(loader, node, &name);

    if (status)
        return status;
    path = resolve(loader, name);
    if (!path)
        return vmres__load_no_memory(loader);
    for (const struct config_trace *trace = loader->traces; trace; trace = trace->next) {
        if (strcmp(trace->path, path) == 0 && strcmp(trace->unit, unit) == 0) {
            *result = trace;
            return VMRES_OK;
        }
    }
    csv.trace = vmres__arena_take(loader->keep, 1, sizeof *csv.trace);
    if (!csv.trace)
        return vmres__load_no_memory(loader);
    csv.trace->path = path;
    csv.trace->unit = unit;
    status = read_file(&csv, node);
    if (status)
        return status;
    csv.trace->next = loader->traces;
    loader->traces = csv.trace;
    *result = csv.trace;
    return VMRES_OK;
}

enum vmres_status vmres__csv_need(struct config_loader *loader, const struct config_node *at,
                                  const struct config_trace *trace, const char *name,
                                  uint32_t *column)
{
    const char *slash = strrchr(trace->path, '/');
    char known[80];

    *column = vmres__names_find(&trace->by_name, name);
    if (*column == UINT32_MAX)
        return vmres__load_fail(loader, at->at, "%.60s has no column '%.40s'; it has: %s",
                                slash ? slash + 1 : trace->path, name,
                                vmres__tree_join(known, sizeof known, trace->names));
    return VMRES_OK;
}

uint64_t vmres__csv_length_ms(const struct config_trace *trace)
{
    uint64_t last = trace->times_ms[trace->rows - 1];
    uint64_t step = trace->rows > 1 ? last - trace->times_ms[trace->rows - 2] : 1000;

    return last > UINT64_MAX - step ? UINT64_MAX : last + step;
}
