/* SPDX-License-Identifier: MIT */
/*
 * Writes demand traces.
 *
 *     bench-traces DIRECTORY [SEED | KIND-SEED]...
 *
 * A seed alone: every kind with that seed. Nothing: the seeds for looking, 1 and 3.
 */
#include <ctype.h>
#include <stdio.h>

#include "traces/trace.h"

static int write_one(const char *directory, const char *name)
{
    struct trace trace;
    int done;

    if (!trace_make(&trace, name)) {
        fprintf(stderr, "bench-traces: there is no kind for %s; the kinds are:", name);
        for (uint32_t i = 0; trace_kind(i); i++)
            fprintf(stderr, " %s", trace_kind(i));
        fputc('\n', stderr);
        return 0;
    }
    done = trace_write(&trace, directory);
    if (!done)
        fprintf(stderr, "bench-traces: cannot write %s into %s; make the directory\n", name,
                directory);
    trace_close(&trace);
    return done;
}

static int write_all(const char *directory, const char *seed)
{
    char name[TRACE_NAME];
    int done = 1;

    for (uint32_t i = 0; done && trace_kind(i); i++) {
        (void)snprintf(name, sizeof name, "%s-%s", trace_kind(i), seed);
        done = write_one(directory, name);
    }
    return done;
}

int main(int count, char **arguments)
{
    int done = 1;

    if (count < 2) {
        fputs("usage: bench-traces DIRECTORY [SEED | KIND-SEED]...\n", stderr);
        return 2;
    }
    if (count == 2)
        done = write_all(arguments[1], "1") && write_all(arguments[1], "3");
    for (int i = 2; done && i < count; i++)
        done = isdigit((unsigned char)arguments[i][0]) ? write_all(arguments[1], arguments[i])
                                                       : write_one(arguments[1], arguments[i]);
    return done ? 0 : 2;
}
