/* SPDX-License-Identifier: MIT */
/*
 * How good policies are: ours and those of others, on demand traces. See README.md.
 *
 *     bench-quality [OPTION]... [DIRECTORY]...    traces found there, in pairs of CSV and JSON
 *       --own KIND-SEED | SEED    made here; a seed alone: every kind. May be repeated
 *       --optimum FILE            J* of those made here
 *       --out DIRECTORY           writes quality.csv and a chart for each trace
 *       --jobs N                  processes; default: one for each processor
 *
 * Exit 0: what must hold holds; 1: something is broken, and was told; 2: wrong use.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quality/field.h"

struct options {
    const char *optimum, *out;
    uint32_t jobs;
};

static int complain(const char *what, const char *which)
{
    (void)fprintf(stderr, "bench-quality: %s: %s\n", which, what);
    return 2;
}

/* --- gathering traces --- */

static int add_own(struct field *field, const struct options *options, const char *name)
{
    struct trace trace;
    double best = options->optimum ? optimum_of(options->optimum, name) : -1;

    if (!trace_make(&trace, name))
        return complain("there is no such kind of trace", name);
    return field_add(field, &trace, best) ? 0 : complain("no memory", name);
}

static int add_seed(struct field *field, const struct options *options, const char *seed)
{
    char name[TRACE_NAME];
    int status = 0;

    for (uint32_t i = 0; status == 0 && trace_kind(i); i++) {
        (void)snprintf(name, sizeof name, "%s-%s", trace_kind(i), seed);
        status = add_own(field, options, name);
    }
    return status;
}

static int add_found(struct field *field, const char *directory, const char *name)
{
    char path[1024];
    const char *why;
    struct trace trace;
    double best;

    if (!trace_read(&trace, directory, name, &why)) {
        (void)fprintf(stderr, "bench-quality: SKIPPED %s/%s: %s\n", directory, name, why);
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/optimum.json", directory);
    best = optimum_of(path, name);
    (void)snprintf(path, sizeof path, "%s/reference.json", directory);
    best = best < 0 ? optimum_of(path, name) : best;
    return field_add(field, &trace, best) ? 0 : complain("no memory", name);
}

/* Names that end in .csv; scripts are none of traces. */
static int is_csv(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".csv") == 0 &&
           strncmp(entry->d_name, "script-", 7) != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct field *field, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_csv, by_name), status = 0;

    if (count <= 0)
        (void)fprintf(stderr, "bench-quality: SKIPPED: there are no traces in %s\n", directory);
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
        if (status == 0)
            status = add_found(field, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* --- the command line --- */

static int read_option(struct field *field, struct options *options, const char *name,
                       const char *value)
{
    if (strcmp(name, "--optimum") == 0)
        options->optimum = value;
    else if (strcmp(name, "--out") == 0)
        options->out = value;
    else if (strcmp(name, "--jobs") == 0 && strtoul(value, NULL, 10) > 0)
        options->jobs = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--own") == 0)
        return isdigit((unsigned char)value[0]) ? add_seed(field, options, value)
                                                : add_own(field, options, value);
    else
        return complain("there is no such option, or no such value of it", name);
    return 0;
}

static int read_arguments(struct field *field, struct options *options, int count, char **arguments)
{
    int status = 0;

    for (int i = 1; i < count && status == 0; i++) {
        if (strncmp(arguments[i], "--", 2) != 0)
            status = add_directory(field, arguments[i]);
        else if (i + 1 == count)
            status = complain("a value is missing", arguments[i]);
        else {
            status = read_option(field, options, arguments[i], arguments[i + 1]);
            i++;
        }
    }
    if (status == 0 && field->meeting_count == 0)
        status = complain("name a directory of traces, or --own SEED", "no traces");
    return status;
}

/* --- the results --- */

static FILE *open_output(const struct options *options, const char *name, const char *ending)
{
    char path[1024];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s.%s", options->out, name, ending);
    file = fopen(path, "w");
    if (!file)
        complain("cannot be written; make the directory", path);
    return file;
}

static int write_files(const struct field *field, const struct options *options)
{
    FILE *file = open_output(options, "quality", "csv");

    if (!file)
        return 2;
    csv_write(field, file);
    if (fclose(file) != 0)
        return complain("cannot be written", "quality.csv");
    for (uint32_t i = 0; i < field->meeting_count; i++) {
        file = open_output(options, field->meetings[i].trace.name, "svg");
        if (!file)
            return 2;
        chart_write(field, &field->meetings[i], file);
        if (fclose(file) != 0)
            return complain("cannot be written", field->meetings[i].trace.name);
    }
    return 0;
}

int main(int count, char **arguments)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.jobs = processors > 0 ? (uint32_t)processors : 1};
    struct field field = {.meeting_count = 0};
    int status = read_arguments(&field, &options, count, arguments);

    if (status == 0 && !field_run(&field, options.jobs))
        status = complain("the races cannot be run", "no processes");
    if (status == 0) {
        table_write(&field, stdout);
        table_sum_up(&field, stdout);
        status = options.out ? write_files(&field, &options) : 0;
        if (status == 0 && verdict_write(&field, stderr) + goals_write(&field, stderr) > 0)
            status = 1;
    }
    field_close(&field);
    return status;
}
