/* SPDX-License-Identifier: MIT */
/*
 * Replaying an event log: the same events into a fresh engine must yield the same actions, byte for
 * byte. With --log the trace is printed as it was when the log was made.
 */
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vmres/replay.h>

static size_t read_bytes(void *user, void *data, size_t size)
{
    return fread(data, 1, size, user);
}

static void print_line(void *user, const char *line)
{
    (void)user;
    (void)puts(line);
}

static enum exit_code cannot_read(const char *path, int why)
{
    (void)fprintf(stderr, "%s:1:1: cannot be read (%s); name a file that --record wrote\n", path,
                  strerror(why));
    return EXIT_WRONG;
}

static enum exit_code report(const char *path, const struct vmres_replay_result *result)
{
    (void)printf("%s: %" PRIu64 " events, %" PRIu64 " actions", path, result->events,
                 result->actions);
    if (result->differences == 0) {
        (void)puts(": all as recorded");
        return EXIT_RAN;
    }
    (void)printf(": %" PRIu64 " differ, the first is action %" PRIu64 "\n", result->differences,
                 result->first_difference);
    return EXIT_BROKEN;
}

enum exit_code replay(const struct options *options)
{
    struct vmres_replay_options replay_options;
    struct vmres_replay_result result;
    struct vmres_error error;
    FILE *file = fopen(options->replay, "rb");
    enum vmres_status status;
    int why;

    if (!file)
        return cannot_read(options->replay, errno);
    vmres_replay_options_init(&replay_options);
    replay_options.read = read_bytes;
    replay_options.user = file;
    replay_options.line = options->log ? print_line : NULL;
    status = vmres_replay_run(&replay_options, &result, &error);
    why = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (why)
        return cannot_read(options->replay, why);
    if (status == VMRES_OK)
        return report(options->replay, &result);
    (void)fprintf(stderr, "%s:1:1: %s\n", options->replay, error.message);
    return EXIT_WRONG;
}
