/* SPDX-License-Identifier: MIT */
/*
 * Lines for the host, as README.md has them: JSON by hand, for there is nothing in it that needs an
 * escape: known words and whole numbers. Invariant: a line is whole, or empty.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent.h"

struct text {
    char *line;
    size_t length;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    size_t room = ANSWER_MOST - text->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->line + text->length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        text->length += (size_t)length;
}

static void add_sample(struct text *text, const struct sample *sample, bool pressure)
{
    const struct {
        const char *key;
        uint64_t value;
    } members[] = {{"time_us", sample->time_us},
                   {"total", sample->total},
                   {"used", used_of(sample)},
                   {"available", sample->available},
                   {"free", sample->free},
                   {"cache", sample->cache},
                   {"swap_total", sample->swap_total},
                   {"swap_used", sample->swap_used},
                   {"refaults", sample->refaults},
                   {"refaults_anon", sample->refaults_anon},
                   {"oom_kills", sample->oom_kills}};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        add(text, ",\"%s\":%" PRIu64, members[i].key, members[i].value);
    if (pressure)
        add(text, ",\"some_us\":%" PRIu64 ",\"full_us\":%" PRIu64, sample->some_us,
            sample->full_us);
}

size_t answer_hello(char *line, uint64_t id, uint32_t period_ms, bool pressure)
{
    struct text text = {line, 0};

    add(&text,
        "{\"v\":%u,\"type\":\"hello\",\"id\":%" PRIu64 ",\"agent\":\"vmres-agent " AGENT_VERSION
        "\",\"period_ms\":%" PRIu32 ",\"pressure\":%s}\n",
        PROTOCOL_NEWEST, id, period_ms, pressure ? "true" : "false");
    return text.length;
}

size_t answer_error(char *line, uint64_t id, const char *why)
{
    struct text text = {line, 0};

    add(&text, "{\"v\":%u,\"type\":\"error\",\"id\":%" PRIu64 ",\"why\":\"%s\"", PROTOCOL_NEWEST,
        id, why);
    add(&text, ",\"oldest\":%u,\"newest\":%u}\n", PROTOCOL_OLDEST, PROTOCOL_NEWEST);
    return text.length;
}

size_t answer_report(char *line, uint64_t id, const struct sample *sample,
                     const struct summary *summary, bool pressure)
{
    struct text text = {line, 0};

    add(&text, "{\"v\":%u,\"type\":\"report\",\"id\":%" PRIu64, PROTOCOL_NEWEST, id);
    add_sample(&text, sample, pressure);
    add(&text, ",\"samples\":%" PRIu64 ",\"used_max\":%" PRIu64 ",\"used_mean\":%" PRIu64 "}\n",
        summary->count, summary->most, summary->mean);
    return text.length;
}

size_t answer_notice(char *line, const char *why, const struct sample *sample, bool pressure)
{
    struct text text = {line, 0};

    add(&text, "{\"v\":%u,\"type\":\"notice\",\"why\":\"%s\"", PROTOCOL_NEWEST, why);
    add_sample(&text, sample, pressure);
    add(&text, "}\n");
    return text.length;
}
