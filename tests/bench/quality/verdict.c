/* SPDX-License-Identifier: MIT */
/*
 * What must hold on every trace, whoever made it: nothing is broken, nobody beats the bound, and no
 * VM that lies or takes all costs another what that is entitled to. (One that is stuck does: what
 * it does not let go, nobody can give.) Over all traces of a set one that refuses to give misses
 * more than had it given.
 */
#include <string.h>

#include "quality/field.h"

#define LOST_TO_A_HOG 5.0 /* GiB s */
#define REFUSALS 16       /* so many traces are enough to say what refusing comes to */
#define LAG_S 2           /* to see that a VM is short, and to take back what a liar was lent */

/* What others may lose to a liar, percent: so long each time one needs more within its share. */
static double loss_to_a_liar(const struct trace *trace)
{
    double rises = 0;
    uint64_t weights = 0;

    for (uint32_t vm = 0; vm < trace->vms; vm++)
        weights += trace->weights[vm];
    for (uint32_t vm = 1; vm < trace->vms; vm++) {
        uint64_t share = trace->capacity * trace->weights[vm] / weights;

        for (uint32_t row = 1; row < trace->rows; row++) {
            uint64_t before = trace_wish(trace, vm, row - 1), now = trace_wish(trace, vm, row);

            now = now < share ? now : share;
            rises += now > before ? (double)(now - before) : 0;
        }
    }
    return 100 * LAG_S * rises / ((double)trace->capacity * trace->rows);
}

static uint32_t tell(FILE *file, const struct meeting *meeting, const struct race *race,
                     const char *what)
{
    (void)fprintf(file, "BROKEN: %s: %s (%s, %s)%s%s: %s\n", meeting->trace.name,
                  race->contestant->name, field_form(race), field_sensor(race),
                  field_is_usual(race) ? "" : ", ", race->condition->name, what);
    return 1;
}

static bool is_lie(const struct race *race)
{
    return race->condition->fault == VMRES_SIM_LIE_NEED ||
           race->condition->fault == VMRES_SIM_LIE_USED;
}

static uint32_t judge_race(const struct field *field, const struct meeting *meeting, uint32_t at,
                           FILE *file)
{
    const struct race *race = &field->races[at];
    const struct result *result = &field->results[at], *usual;
    bool is_ours = strcmp(race->contestant->name, "pressure") == 0;

    if (result->breach[0])
        return tell(file, meeting, race, result->breach);
    if (result->unmet < result->bound * (1 - 1e-6) - 1e-6)
        return tell(file, meeting, race, "less was missing than can be");
    if (is_ours && strncmp(meeting->trace.name, "flat", 4) == 0 && field_is_usual(race) &&
        result->moved > 0)
        return tell(file, meeting, race, "something moved though nobody wanted anything");
    if (is_ours && strncmp(meeting->trace.name, "hog", 3) == 0 && field_is_usual(race) &&
        result->others_unmet > LOST_TO_A_HOG)
        return tell(file, meeting, race, "honest VMs lost to a hog");
    if (!is_lie(race))
        return 0;
    usual = field_ours(field, meeting, race->contestant->name, race->contestant->stall, "");
    if (usual &&
        result->others_shortfall > usual->others_shortfall + loss_to_a_liar(&meeting->trace))
        return tell(file, meeting, race, "others lost what they are entitled to");
    return 0;
}

/* What the first VM missed over all traces, when it gave and when it refused to; returns of how
 * many. */
static uint32_t add_refusals(const struct field *field, enum vmres_sim_stall stall, double *gave,
                             double *refused)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];
        const struct result *usual = field_ours(field, meeting, "pressure", stall, "");
        const struct result *stuck = field_ours(field, meeting, "pressure", stall, "vm1 stuck");

        if (!usual || !stuck)
            continue;
        *gave += usual->unmet - usual->others_unmet;
        *refused += stuck->unmet - stuck->others_unmet;
        found++;
    }
    return found;
}

/* On one trace it may pay, by what was lent before; see README.md. */
static uint32_t judge_refusal(const struct field *field, enum vmres_sim_stall stall, FILE *file)
{
    double gave = 0, refused = 0;

    if (add_refusals(field, stall, &gave, &refused) < REFUSALS || refused >= gave)
        return 0;
    (void)fprintf(file, "BROKEN: refusing to give pays: %.0f GiB s missed instead of %.0f\n",
                  refused, gave);
    return 1;
}

uint32_t verdict_write(const struct field *field, FILE *file)
{
    uint32_t broken = judge_refusal(field, VMRES_SIM_STALL_EXACT, file) +
                      judge_refusal(field, VMRES_SIM_STALL_CROOKED, file);

    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];

        for (uint32_t at = meeting->first; at < meeting->first + meeting->count; at++)
            broken += judge_race(field, meeting, at, file);
    }
    return broken;
}
