/* SPDX-License-Identifier: MIT */
/*
 * Keeping what happened. Memory is bounded: of a long run the beginning is kept, and how much was
 * left out is said, so that nobody takes a part for the whole.
 */
#include "story.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "run.h"

static bool has_room(struct story *story, size_t length)
{
    if (story->count == story->room) {
        size_t room = story->room ? 2 * story->room : 256;
        struct story_line *lines = realloc(story->lines, room * sizeof *lines);

        if (!lines)
            return false;
        story->lines = lines;
        story->room = room;
    }
    if (story->length + length > story->text_room) {
        size_t room = 2 * story->text_room + length + 4096;
        char *texts = realloc(story->texts, room);

        if (!texts)
            return false;
        story->texts = texts;
        story->text_room = room;
    }
    return true;
}

static void keep_line(void *user, const struct vmres_trace_record *record, const char *line)
{
    struct story *story = user;
    const char *end_of_time = strstr(line, "] ");
    const char *text = end_of_time ? end_of_time + 2 : line;
    size_t length = strlen(text) + 1;

    if (story->count == STORY_MOST || !has_room(story, length)) {
        story->left_out++;
        return;
    }
    story->lines[story->count++] = (struct story_line){
        .time_ms = record->time_ms,
        .text = story->length,
        .vms = {run_vm(story->run, record->vm), run_vm(story->run, record->other)},
        .step = record->step,
        .level = record->level,
    };
    memcpy(story->texts + story->length, text, length);
    story->length += length;
}

struct story *story_open(const struct run *run, const struct vmres_trace_names *names)
{
    struct story *story = calloc(1, sizeof *story);

    if (!story)
        return NULL;
    story->run = run;
    story->log = log_open_for(names, run->config->vm_count, (struct log_reader){keep_line, story});
    story->moves = moves_open(run);
    if (story->log && story->moves)
        return story;
    story_close(story);
    return NULL;
}

void story_record(struct story *story, const struct vmres_trace_record *record)
{
    moves_record(story->moves, record);
    log_record(story->log, record);
}

void story_close(struct story *story)
{
    if (story->log)
        log_close(story->log);
    if (story->moves)
        moves_close(story->moves);
    free(story->lines);
    free(story->texts);
    free(story);
}
