/* SPDX-License-Identifier: MIT */
/*
 * Replays an event log: builds the engine anew, tells it every recorded event, and compares what it
 * asks for with what was recorded, byte for byte.
 *
 * It steps the engine itself instead of playing the backend to a driver. A driver would choose when
 * a TIMEOUT comes and what is folded together in its queue; but which events came, when, and in
 * which order is just what the log has recorded, and must be repeated exactly.
 */
#include <vmres/replay.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "driver/log.h"
#include "driver/wire.h"

#define LINE_ROOM 512

struct replay {
    const struct vmres_replay_options *options;
    struct vmres__log_reader reader;
    struct vmres_engine *engine;
    struct vmres_actions produced; /* by the step at hand */
    uint32_t compared;             /* of them */
    enum vmres_status step;        /* its status: VMRES_MORE as long as there is more to come */
    struct vmres_replay_result result;
    char (*names)[VMRES_VM_NAME_MAX]; /* [max_vms]; only if there is a trace to print */
};

static const char *vm_name(void *user, uint32_t vm)
{
    const struct replay *replay = user;

    if (vm >= replay->reader.options.max_vms || !replay->names[vm][0])
        return NULL;
    return replay->names[vm];
}

static void print_record(void *user, const struct vmres_trace_record *record)
{
    struct replay *replay = user;
    const struct vmres_trace_names names = {
        .vm_name = vm_name,
        .user = replay,
        .resources = replay->reader.resources,
        .kinds = replay->reader.options.kinds,
    };
    char line[LINE_ROOM];

    vmres_trace_format(record, &names, line, sizeof line);
    replay->options->line(replay->options->user, line);
}

static enum vmres_status build(struct replay *replay, struct vmres_error *error)
{
    struct vmres_engine_options *options = &replay->reader.options;
    enum vmres_status status;

    status = vmres__log_open(&replay->reader, error);
    if (status != VMRES_OK)
        return status;
    if (replay->options->line)
        options->tracer = (struct vmres_tracer){
            .function = print_record, .user = replay, .level = VMRES_TRACE_DEBUG};
    status = vmres_engine_create(options, &replay->engine, error);
    if (status == VMRES_NOMEM || status == VMRES_OK)
        return status;
    /* Whoever wrote the log had an engine of it. */
    return vmres__log_wrong(&replay->reader, "ends a setup of which no engine can be made", error);
}

/* One more action was compared. */
static void count(struct replay *replay, int same)
{
    struct vmres_replay_result *result = &replay->result;

    result->actions++;
    if (same)
        return;
    result->differences++;
    if (result->first_difference == 0)
        result->first_difference = result->actions;
}

/* The next action of the engine, or NULL when this event makes it ask for no more. */
static const struct vmres_action *next_produced(struct replay *replay)
{
    while (replay->compared == replay->produced.count) {
        if (replay->step != VMRES_MORE)
            return NULL;
        replay->step = vmres_engine_step(replay->engine, NULL, &replay->produced);
        replay->compared = 0;
    }
    return &replay->produced.items[replay->compared++];
}

static void compare(struct replay *replay, const struct vmres_action *recorded)
{
    const struct vmres_action *produced = next_produced(replay);
    unsigned char ours[VMRES__WIRE_EVENT], theirs[VMRES__WIRE_EVENT];

    if (!produced) {
        count(replay, 0);
        return;
    }
    vmres__wire_put_action(ours, produced);
    vmres__wire_put_action(theirs, recorded);
    count(replay, memcmp(ours, theirs, sizeof ours) == 0);
}

/* What the engine asks for and nobody recorded. */
static void finish_step(struct replay *replay)
{
    while (next_produced(replay))
        count(replay, 0);
}

static void tell(struct replay *replay, const struct vmres_event *event)
{
    finish_step(replay);
    replay->result.events++;
    replay->produced = (struct vmres_actions){0};
    replay->compared = 0;
    replay->step = vmres_engine_step(replay->engine, event, &replay->produced);
}

static void remember_name(struct replay *replay, const struct vmres__log_entry *entry)
{
    if (replay->names && entry->vm < replay->reader.options.max_vms)
        memcpy(replay->names[entry->vm], entry->name, sizeof entry->name);
}

static enum vmres_status run(struct replay *replay, struct vmres_error *error)
{
    struct vmres__log_entry entry;
    enum vmres_status status;

    while ((status = vmres__log_next(&replay->reader, &entry, error)) == VMRES_OK) {
        if (entry.type == VMRES__LOG_NAME)
            remember_name(replay, &entry);
        else if (entry.type == VMRES__LOG_EVENT)
            tell(replay, &entry.event);
        else
            compare(replay, &entry.action);
    }
    finish_step(replay);
    return status == VMRES_UNKNOWN ? VMRES_OK : status;
}

static enum vmres_status replay_log(struct replay *replay, struct vmres_error *error)
{
    const struct vmres_allocator *allocator = replay->options->allocator;
    enum vmres_status status;
    size_t max_vms;

    status = build(replay, error);
    if (status != VMRES_OK)
        return status;
    max_vms = replay->reader.options.max_vms;
    if (replay->options->line) {
        replay->names = vmres_allocate(allocator, max_vms, sizeof *replay->names);
        if (!replay->names)
            return vmres__error_set(error, VMRES_NOMEM, "no memory for the names of the VMs");
    }
    status = run(replay, error);
    vmres_release(allocator, replay->names, max_vms, sizeof *replay->names);
    return status;
}

void vmres_replay_options_init(struct vmres_replay_options *options)
{
    if (options)
        *options = (struct vmres_replay_options){.size = sizeof *options};
}

enum vmres_status vmres_replay_run(const struct vmres_replay_options *options,
                                   struct vmres_replay_result *result, struct vmres_error *error)
{
    enum vmres_status status;
    struct replay *replay;

    if (!options || options->size < sizeof *options || !options->read || !result)
        return vmres__error_set(error, VMRES_INVALID,
                                "replay: read and result must be given; start from "
                                "vmres_replay_options_init()");
    replay = vmres_allocate(options->allocator, 1, sizeof *replay);
    if (!replay)
        return vmres__error_set(error, VMRES_NOMEM, "no memory for a replay");
    replay->options = options;
    replay->reader.read = options->read;
    replay->reader.user = options->user;
    replay->reader.find = options->find;
    replay->reader.allocator = options->allocator;
    status = replay_log(replay, error);
    if (status == VMRES_OK)
        *result = replay->result;
    vmres_engine_destroy(replay->engine);
    vmres__log_close(&replay->reader);
    vmres_release(options->allocator, replay, 1, sizeof *replay);
    return status;
}
