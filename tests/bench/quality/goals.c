/* SPDX-License-Identifier: MIT */
/*
 * What was set out for, on the traces of others for which it was: how far from the best `pressure`
 * may be, how much a VM within its entitlement may miss, and how much of a CPU may turn back. Says
 * nothing of other traces.
 */
#include <math.h>
#include <string.h>

#include "quality/field.h"

#define SHORTFALL 0.2    /* E, percent, with a crooked sensor */
#define MORE 0.05        /* with an exact one, beyond what no policy can help */
#define OF_THE_BEST 0.5  /* of the regret of the best of MOM, Proxmox and ESX */
#define WORTH_MOVING 0.8 /* of what never moving costs: J* is at most that */

static const struct goal {
    const char *trace;
    double exact, crooked; /* regret */
    double shortfall;      /* E, percent, of one who knows demand and is only as fast as devices */
} goals[] = {
    {"ha8", 0.06, 0.15, 0.1579},  {"syn16", 0.045, 0.08, 0.0608}, {"syn32", 0.045, 0.08, 0.0515},
    {"bb16", 0.01, 0.02, 0.0126}, {"square20", 0.03, 0.2, 0.0},   {"pl64-cpu", 0.01, 0.05, 0.0},
};

static const struct goal *find_goal(const char *trace)
{
    for (uint32_t i = 0; i < sizeof goals / sizeof goals[0]; i++)
        if (strcmp(goals[i].trace, trace) == 0)
            return &goals[i];
    return NULL;
}

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* The regret of the best peer that sees as little as `pressure` does. */
static double best_peer(const struct field *field, const struct meeting *meeting)
{
    double best = INFINITY;

    for (uint32_t at = meeting->first; at < meeting->first + meeting->count; at++) {
        const char *name = field->races[at].contestant->name;

        if (begins(name, "mom") || begins(name, "proxmox") || strcmp(name, "esx-15s") == 0)
            best = fmin(best, field_regret(field, meeting, at));
    }
    return best;
}

/* What the rule that sees demand turns back at the least, judging as often as `pressure`. */
static double least_turned(const struct field *field, const struct meeting *meeting)
{
    double least = INFINITY;

    for (uint32_t at = meeting->first; at < meeting->first + meeting->count; at++)
        if (strcmp(field->races[at].contestant->name, "hyper-v-1s") == 0)
            least = fmin(least, field->results[at].reversed);
    return least;
}

static uint32_t hold(FILE *file, const char *trace, const char *what, double value, double most)
{
    if (value <= most)
        return 0;
    (void)fprintf(file, "BROKEN: %s: %s is %.4f: at most %.4f was set out for\n", trace, what,
                  value, most);
    return 1;
}

static uint32_t judge_race(const struct field *field, const struct meeting *meeting,
                           const struct goal *goal, uint32_t at, FILE *file)
{
    const char *trace = meeting->trace.name;
    const struct result *result = &field->results[at];
    bool exact = field->races[at].contestant->stall == VMRES_SIM_STALL_EXACT;
    double regret = field_regret(field, meeting, at);
    uint32_t broken = 0;

    broken += hold(file, trace, exact ? "regret, exact," : "regret, crooked,", regret,
                   exact ? goal->exact : goal->crooked);
    if (meeting->best <= WORTH_MOVING * field_static(field, meeting))
        broken += hold(file, trace, "regret beside peers", regret,
                       OF_THE_BEST * best_peer(field, meeting));
    broken += hold(file, trace, exact ? "E, exact," : "E, crooked,", result->shortfall,
                   exact ? goal->shortfall + MORE : SHORTFALL);
    if (meeting->trace.unit == VMRES_UNIT_MILLI)
        broken += hold(file, trace, "what turned", result->reversed, least_turned(field, meeting));
    return broken;
}

uint32_t goals_write(const struct field *field, FILE *file)
{
    uint32_t broken = 0;

    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];
        const struct goal *goal = meeting->best < 0 ? NULL : find_goal(meeting->trace.name);

        for (uint32_t at = meeting->first; goal && at < meeting->first + meeting->count; at++)
            if (field_is_usual(&field->races[at]) &&
                strcmp(field->races[at].contestant->name, "pressure") == 0)
                broken += judge_race(field, meeting, goal, at, file);
    }
    return broken;
}
