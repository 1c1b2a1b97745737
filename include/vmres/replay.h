/* SPDX-License-Identifier: MIT */
/*
 * Replay: feeds a recorded event log (struct vmres_recorder) to a fresh engine and compares what it
 * asks for with what was recorded, action by action. Threads: a replay shares nothing, and calls
 * its callbacks from within vmres_replay_run().
 */
#ifndef VMRES_REPLAY_H
#define VMRES_REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/policy.h>
#include <vmres/status.h>
#include <vmres/trace.h>

VMRES_BEGIN_DECLS

struct vmres_replay_options {
    size_t size; /* sizeof(struct vmres_replay_options), the version */
    /* Reads up to size bytes into data, returns how many; 0 = end. */
    size_t (*read)(void *user, void *data, size_t size);
    void *user;
    /* Finds policies that are not ready-made; NULL: only vmres_policy_find(). */
    const struct vmres_policy_ops *(*find)(const char *name);
    void (*line)(void *user, const char *line); /* the trace, formatted; NULL: none */
    const struct vmres_allocator *allocator;
};

struct vmres_replay_result {
    uint64_t events, actions;
    uint64_t differences;      /* actions that were not the recorded ones */
    uint64_t first_difference; /* number of the first such action, from 1; 0 = none */
};

VMRES_API void vmres_replay_options_init(struct vmres_replay_options *options);
/*
 * VMRES_OK: the whole log was replayed (look at differences). VMRES_PARSE: not a log, another
 * format version, or damaged: error says at which byte; VMRES_UNKNOWN: a policy is not to be
 * found; VMRES_NOMEM.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_replay_run(
    const struct vmres_replay_options *options, struct vmres_replay_result *result,
    struct vmres_error *error);

VMRES_END_DECLS

#endif
