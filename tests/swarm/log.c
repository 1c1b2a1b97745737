/* SPDX-License-Identifier: MIT */
/*
 * Prints what goes into an engine, what it says of itself, and what comes out. For whoever repeats
 * a failure.
 */
#include <stdio.h>

#include "swarm/world.h"

static void trace(void *user, const struct vmres_trace_record *record)
{
    const struct world *world = user;
    struct vmres_trace_names names = {
        .resources = world->resources,
        .kinds = world->options.kinds,
    };
    char line[300];

    vmres_trace_format(record, &names, line, sizeof line);
    printf("        %s\n", line);
}

static unsigned long long word(uint64_t value)
{
    return (unsigned long long)value;
}

void log_open(struct world *world)
{
    if (!world->log)
        return;
    world->options.tracer =
        (struct vmres_tracer){.function = trace, .user = world, .level = VMRES_TRACE_INFO};
    printf("%u slots, period %u, progress %u, transfers %u, actions %u\n", world->slots,
           world->options.period_ms, world->options.progress_ms, world->options.max_transfers,
           world->options.max_actions);
    for (uint32_t k = 0; k < world->options.kinds; k++)
        printf(
            "kind%u: %s, granule %llu, capacity %llu, reserve %llu, tolerance %llu, removal %d\n",
            k, world->policies[k].ops->name, word(world->resources[k].granule),
            word(world->resources[k].capacity), word(world->resources[k].reserve),
            word(world->resources[k].tolerance), (int)world->resources[k].removal);
}

void log_event(const struct world *world, const struct vmres_event *event, enum vmres_status status)
{
    static const char *const names[] = {
        "",         "TIMEOUT", "ADDED",    "LIMITS",  "LIVE",       "GONE",         "ALLOT",
        "REPORT",   "SAMPLES", "OBSERVED", "REMOVED", "REASSIGNED", "INCORPORATED", "PINNED",
        "CAPACITY", "LOST",    "READY",    "CANCEL",  "DRY_RUN",    "EXTENT",       "FREEZE",
        "THAW",     "SET",     "MOVE",     "RESERVE", "RELEASE",    "CLAIM",        "SETTLE",
        "RESUME",
    };

    if (!world->log)
        return;
    printf("%llu [%5llu] vm%u.%u kind%u %s id %llx flags %x valid %x result %u: %llu %llu %llu "
           "%llu -> %s\n",
           word(world->steps), word(event->time_ms), event->vm, event->incarnation, event->kind,
           event->type < sizeof names / sizeof *names ? names[event->type] : "?", word(event->id),
           event->flags, event->valid, event->result, word(event->as.words[0]),
           word(event->as.words[1]), word(event->as.words[2]), word(event->as.words[3]),
           vmres_status_name(status));
}

void log_action(const struct world *world, const struct vmres_action *action)
{
    static const char *const names[] = {"",       "INQUIRE", "REQUEST_REMOVAL", "REASSIGN",
                                        "NOTIFY", "PIN",     "CANCEL"};

    if (world->log)
        printf("    => vm%d.%u kind%u %s id %llx flags %x target %llu amount %llu front %llu\n",
               (int)action->vm, action->incarnation, action->kind, names[action->type % 7],
               word(action->id), action->flags, word(action->as.words[0]),
               word(action->as.words[1]), word(action->as.words[3]));
}
