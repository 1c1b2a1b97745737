/* SPDX-License-Identifier: MIT */
/*
 * Who runs where, and the running of it. Races are independent: processes take the next one from a
 * pipe and write what came of it into another, whole records at a time, so that nothing depends on
 * who was faster. Invariant: results[i] is what came of races[i].
 */
#include "quality/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct contestant ours[] = {
    {"static", RACE_OURS, VMRES_SIM_STALL_EXACT, NULL},
    {"usage", RACE_OURS, VMRES_SIM_STALL_EXACT, NULL},
    {"pressure", RACE_OURS, VMRES_SIM_STALL_EXACT, NULL},
    {"pressure", RACE_OURS, VMRES_SIM_STALL_CROOKED, NULL},
};

enum { OURS = sizeof ours / sizeof ours[0], PRESSURE = 2 };

static const struct condition usual = {"", 1, 1, VMRES_SIM_NO_FAULT, 0};

static const struct condition unusual[] = {
    {"every 2 s", 2, 1, VMRES_SIM_NO_FAULT, 0},
    {"every 5 s", 5, 1, VMRES_SIM_NO_FAULT, 0},
    {"every 10 s", 10, 1, VMRES_SIM_NO_FAULT, 0},
    {"noise x3", 1, 3, VMRES_SIM_NO_FAULT, 0},
    {"vm1 stuck", 1, 1, VMRES_SIM_IGNORE_REQUESTS, 0},
    {"vm1 slow", 1, 1, VMRES_SIM_SLOW, 50000},
    {"vm1 claims need", 1, 1, VMRES_SIM_LIE_NEED, 500000},
    {"vm1 hides use", 1, 1, VMRES_SIM_LIE_USED, 300000},
};

enum { UNUSUAL = sizeof unusual / sizeof unusual[0] };

/* --- filling --- */

static int add_race(struct field *field, const struct contestant *contestant,
                    const struct condition *condition)
{
    if (field->race_count == field->race_room) {
        uint32_t room = 2 * field->race_room + 64;
        struct race *races = realloc(field->races, room * sizeof *races);

        if (!races)
            return 0;
        field->races = races;
        field->race_room = room;
    }
    field->races[field->race_count++] =
        (struct race){.contestant = contestant, .condition = condition};
    return 1;
}

static int add_peers(struct field *field, const struct trace *trace, enum race_form form)
{
    static struct contestant peers[2][32];
    int done = 1;

    for (uint32_t i = 1; done && peer_at(i); i++) { /* the first is "static", as ours */
        const struct peer *peer = peer_at(i);

        if (peer->rule->memory_only && trace->unit != VMRES_UNIT_BYTES)
            continue;
        peers[form == RACE_DIRECT][i] =
            (struct contestant){peer->name, form, VMRES_SIM_STALL_EXACT, peer};
        done = add_race(field, &peers[form == RACE_DIRECT][i], &usual);
    }
    return done;
}

static int add_races(struct field *field, const struct trace *trace)
{
    bool memory = trace->unit == VMRES_UNIT_BYTES;
    int done = 1;

    for (uint32_t i = 0; done && i < OURS; i++)
        done = add_race(field, &ours[i], &usual);
    done = done && add_peers(field, trace, RACE_POLICY) && add_peers(field, trace, RACE_DIRECT);
    for (uint32_t i = 0; done && i < UNUSUAL; i++) {
        bool giving =
            unusual[i].fault == VMRES_SIM_IGNORE_REQUESTS || unusual[i].fault == VMRES_SIM_SLOW;

        if (!memory && giving)
            continue;
        for (uint32_t sensor = PRESSURE; done && sensor < OURS; sensor++)
            done = add_race(field, &ours[sensor], &unusual[i]);
    }
    return done;
}

int field_add(struct field *field, struct trace *trace, double best)
{
    struct meeting *meeting;

    if (field->meeting_count == field->meeting_room) {
        uint32_t room = 2 * field->meeting_room + 16;

        meeting = realloc(field->meetings, room * sizeof *meeting);
        if (!meeting) {
            trace_close(trace);
            return 0;
        }
        field->meetings = meeting;
        field->meeting_room = room;
    }
    meeting = &field->meetings[field->meeting_count++];
    *meeting = (struct meeting){.trace = *trace, .best = best, .first = field->race_count};
    if (!add_races(field, trace))
        return 0;
    meeting->count = field->race_count - meeting->first;
    return 1;
}

void field_close(struct field *field)
{
    for (uint32_t i = 0; i < field->meeting_count; i++)
        trace_close(&field->meetings[i].trace);
    free(field->meetings);
    free(field->races);
    free(field->results);
    *field = (struct field){.meeting_count = 0};
}

/* --- running --- */

struct record {
    uint32_t race;
    struct result result;
};

_Static_assert(sizeof(struct record) <= 512, "a pipe takes a record as a whole");

static struct result run_one(const struct race *race)
{
    return race->contestant->form == RACE_DIRECT ? direct_run(race) : race_run(race);
}

static void work(const struct field *field, int next, int done)
{
    struct record record;

    while (read(next, &record.race, sizeof record.race) == (ssize_t)sizeof record.race) {
        record.result = run_one(&field->races[record.race]);
        if (write(done, &record, sizeof record) != (ssize_t)sizeof record)
            _exit(1);
    }
    _exit(0);
}

/* Hands races out and takes results in; a pipe holds far more than `ahead` numbers. */
static int manage(struct field *field, int next, int done, uint32_t ahead)
{
    uint32_t sent = 0;
    struct record record;

    for (uint32_t got = 0; got < field->race_count; got++) {
        for (; sent < field->race_count && sent < got + ahead; sent++) {
            if (write(next, &sent, sizeof sent) != (ssize_t)sizeof sent)
                return 0;
        }
        if (read(done, &record, sizeof record) != (ssize_t)sizeof record)
            return 0;
        field->results[record.race] = record.result;
    }
    return 1;
}

static int run_apart(struct field *field, uint32_t processes, int next[2], int done[2])
{
    int complete;

    for (uint32_t i = 0; i < processes; i++) {
        if (fork() != 0)
            continue;
        (void)close(next[1]);
        (void)close(done[0]);
        work(field, next[0], done[1]);
    }
    (void)close(next[0]);
    (void)close(done[1]);
    complete = manage(field, next[1], done[0], 2 * processes);
    (void)close(next[1]);
    (void)close(done[0]);
    while (wait(NULL) > 0)
        continue;
    return complete;
}

int field_run(struct field *field, uint32_t processes)
{
    int next[2], done[2];

    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];

        for (uint32_t race = 0; race < meeting->count; race++)
            field->races[meeting->first + race].trace = &meeting->trace;
    }
    field->results = calloc(field->race_count + 1, sizeof *field->results);
    if (!field->results || pipe(next) != 0)
        return 0;
    if (pipe(done) != 0) {
        (void)close(next[0]);
        (void)close(next[1]);
        return 0;
    }
    return run_apart(field, processes, next, done);
}

/* --- looking --- */

bool field_is_usual(const struct race *race)
{
    return race->condition == &usual;
}

const char *field_form(const struct race *race)
{
    static const char *const names[] = {
        [RACE_OURS] = "ours", [RACE_POLICY] = "b", [RACE_DIRECT] = "c"};

    return names[race->contestant->form];
}

const char *field_sensor(const struct race *race)
{
    return race->contestant->stall == VMRES_SIM_STALL_EXACT ? "exact" : "crooked";
}

const struct result *field_ours(const struct field *field, const struct meeting *meeting,
                                const char *name, enum vmres_sim_stall stall, const char *condition)
{
    for (uint32_t i = meeting->first; i < meeting->first + meeting->count; i++) {
        const struct contestant *contestant = field->races[i].contestant;

        if (contestant->form == RACE_OURS && contestant->stall == stall &&
            strcmp(contestant->name, name) == 0 &&
            strcmp(field->races[i].condition->name, condition) == 0)
            return &field->results[i];
    }
    return NULL;
}

double field_static(const struct field *field, const struct meeting *meeting)
{
    return field->results[meeting->first].cost;
}

double field_regret(const struct field *field, const struct meeting *meeting, uint32_t race)
{
    double range = field_static(field, meeting) - meeting->best;

    if (meeting->best < 0 || range < 1)
        return (double)NAN;
    return (field->results[race].cost - meeting->best) / range;
}
