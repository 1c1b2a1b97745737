/* SPDX-License-Identifier: MIT */
/*
 * The trace as lines. A round begins with an inquiry and a report from every VM, and mostly ends
 * there: nothing to do. Those lines are kept back until the round is judged, and told only if
 * something came of it; so the log shows all eight steps where there were eight, and is silent
 * where there were two. A notice is kept back among them, for the order's sake, and told with the
 * next round in any case. Who has no room yet is told once, however often it asks.
 */
#include "log.h"

#include <stdbool.h>
#include <stdlib.h>

enum { LINE_ROOM = 512 };

struct log {
    struct vmres_trace_names names;
    struct log_reader reader;
    struct vmres_trace_record *held;   /* of the round at hand */
    size_t count, room;                /* for a report and a notice of each VM */
    struct vmres_trace_record waiting; /* the last one of who has no room */
};

static void print(void *file, const struct vmres_trace_record *record, const char *line)
{
    (void)record;
    (void)fprintf(file, "%s\n", line);
}

static void tell(const struct log *log, const struct vmres_trace_record *record)
{
    char line[LINE_ROOM];

    (void)vmres_trace_format(record, &log->names, line, sizeof line);
    log->reader.line(log->reader.user, record, line);
}

struct log *log_open(const struct vmres_trace_names *names, uint32_t vms, FILE *file)
{
    return log_open_for(names, vms, (struct log_reader){print, file});
}

struct log *log_open_for(const struct vmres_trace_names *names, uint32_t vms,
                         struct log_reader reader)
{
    struct log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->names = *names;
    log->reader = reader;
    log->room = 1 + (size_t)2 * vms * names->kinds;
    log->held = calloc(log->room, sizeof *log->held);
    if (log->held)
        return log;
    free(log);
    return NULL;
}

/* Of what is kept back, all or the notices alone. */
static void tell_held(struct log *log, bool all)
{
    for (size_t i = 0; i < log->count; i++)
        if (all || log->held[i].level != VMRES_TRACE_DEBUG)
            tell(log, &log->held[i]);
    log->count = 0;
}

static bool is_notice(const struct vmres_trace_record *record)
{
    return record->type == VMRES_TRACE_REPORT && record->level != VMRES_TRACE_DEBUG;
}

/* Whether this only says again who waits for what, and nobody has been allotted since. */
static bool is_known(struct log *log, const struct vmres_trace_record *record)
{
    const struct vmres_trace_record *last = &log->waiting;

    if (record->type == VMRES_TRACE_ALLOT)
        log->waiting.amount = 0;
    if (record->type != VMRES_TRACE_REFUSED || record->amount == 0)
        return false;
    if (last->vm == record->vm && last->kind == record->kind && last->amount == record->amount &&
        last->reason == record->reason)
        return true;
    log->waiting = *record;
    return false;
}

void log_record(struct log *log, const struct vmres_trace_record *record)
{
    if (is_known(log, record))
        return;
    if (record->type == VMRES_TRACE_INQUIRE)
        tell_held(log, false);
    if (record->step >= 3)
        tell_held(log, true);
    if (is_notice(record) && log->count == log->room)
        tell_held(log, false);
    if (!is_notice(record) && (record->level != VMRES_TRACE_DEBUG || record->step > 2))
        tell(log, record);
    else if (log->count < log->room)
        log->held[log->count++] = *record;
}

void log_close(struct log *log)
{
    free(log->held);
    free(log);
}
