/* SPDX-License-Identifier: MIT */
/* The field as text: a table for each trace, one line for each, and everything as CSV. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "quality/field.h"

static void put(FILE *file, const char *format, double value)
{
    if (isnan(value) || value < 0)
        (void)fputs("       -", file);
    else
        (void)fprintf(file, format, value);
}

static void write_race(const struct field *field, const struct meeting *meeting, uint32_t index,
                       FILE *file)
{
    const struct race *race = &field->races[index];
    const struct result *result = &field->results[index];
    char name[48];

    (void)snprintf(name, sizeof name, "%s%s%s", race->contestant->name,
                   field_is_usual(race) ? "" : ", ", race->condition->name);
    (void)fprintf(file, "  %-25s %-4s %-7s %9.1f %8.1f %9.1f", name, field_form(race),
                  field_sensor(race), result->unmet, result->moved, result->cost);
    put(file, " %7.3f", field_regret(field, meeting, index));
    (void)fprintf(file, " %6.3f %8.1f %6.1f", result->shortfall, result->cache, result->reversed);
    put(file, " %7.2f", result->relief);
    (void)fprintf(file, " %5" PRIu64 "\n", result->oom_ticks);
}

void table_write(const struct field *field, FILE *file)
{
    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];
        const struct trace *trace = &meeting->trace;
        double least = field->results[meeting->first].bound;

        (void)fprintf(file, "%s: %s. %" PRIu32 " VMs, %" PRIu32 " s; U_lb %.1f, J* ", trace->name,
                      trace->note, trace->vms, trace->rows, least);
        if (meeting->best >= 0)
            (void)fprintf(file, "%.1f\n", meeting->best);
        else
            (void)fputs("not known\n", file);
        (void)fputs("  policy                    form sensor          U        V         J     rho"
                    "    E %        R  turned relief   oom\n",
                    file);
        for (uint32_t race = 0; race < meeting->count; race++)
            write_race(field, meeting, meeting->first + race, file);
        (void)fputc('\n', file);
    }
}

/* --- one line a trace --- */

static bool is_host_driven(const char *name)
{
    return strncmp(name, "mom", 3) == 0 || strncmp(name, "proxmox", 7) == 0 ||
           strcmp(name, "vdsm") == 0 || strcmp(name, "esx-15s") == 0;
}

/* The cheapest of what others run, without seeing demand; of those that see it where `sees`. */
static uint32_t best_peer(const struct field *field, const struct meeting *meeting, bool sees)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = meeting->first; i < meeting->first + meeting->count; i++) {
        const struct contestant *contestant = field->races[i].contestant;

        if (contestant->form == RACE_OURS || is_host_driven(contestant->name) == sees)
            continue;
        if (best == UINT32_MAX || field->results[i].cost < field->results[best].cost)
            best = i;
    }
    return best;
}

static void put_best(const struct field *field, uint32_t race, FILE *file)
{
    char name[32] = "-";

    if (race != UINT32_MAX)
        (void)snprintf(name, sizeof name, "%s %s", field->races[race].contestant->name,
                       field_form(&field->races[race]));
    (void)fprintf(file, " %-15s", name);
    if (race != UINT32_MAX)
        (void)fprintf(file, " %8.1f", field->results[race].cost);
}

void table_sum_up(const struct field *field, FILE *file)
{
    (void)fputs("                    never           pressure, exact        pressure, crooked   "
                "best of MOM, PVE, ESX    best of all others\n"
                "trace              moving       J*        J    rho   E %        J    rho   E %\n",
                file);
    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];

        (void)fprintf(file, "%-15s %9.1f", meeting->trace.name, field_static(field, meeting));
        put(file, " %8.1f", meeting->best);
        for (uint32_t race = meeting->first + 2; race < meeting->first + 4; race++) {
            (void)fprintf(file, " %8.1f", field->results[race].cost);
            put(file, "%7.3f", field_regret(field, meeting, race));
            (void)fprintf(file, "%6.3f", field->results[race].shortfall);
        }
        put_best(field, best_peer(field, meeting, false), file);
        put_best(field, best_peer(field, meeting, true), file);
        (void)fputc('\n', file);
    }
}

/* --- everything --- */

static void put_cell(FILE *file, double value)
{
    if (isnan(value) || value < 0)
        (void)fputc(',', file);
    else
        (void)fprintf(file, ",%.4f", value);
}

void csv_write(const struct field *field, FILE *file)
{
    (void)fputs(
        "trace,policy,form,sensor,condition,U,U_lb,V,J,J_static,J_star,rho,E_pct,R,reversed,"
        "relief_s,oom_ticks,U_others,E_others_pct\n",
        file);
    for (uint32_t i = 0; i < field->meeting_count; i++) {
        const struct meeting *meeting = &field->meetings[i];

        for (uint32_t at = meeting->first; at < meeting->first + meeting->count; at++) {
            const struct race *race = &field->races[at];
            const struct result *result = &field->results[at];
            const double cells[] = {result->unmet,
                                    result->bound,
                                    result->moved,
                                    result->cost,
                                    field_static(field, meeting),
                                    meeting->best,
                                    field_regret(field, meeting, at),
                                    result->shortfall,
                                    result->cache,
                                    result->reversed,
                                    result->relief,
                                    (double)result->oom_ticks,
                                    result->others_unmet,
                                    result->others_shortfall};

            (void)fprintf(file, "%s,%s,%s,%s,%s", meeting->trace.name, race->contestant->name,
                          field_form(race), field_sensor(race), race->condition->name);
            for (size_t cell = 0; cell < sizeof cells / sizeof cells[0]; cell++)
                put_cell(file, cells[cell]);
            (void)fputc('\n', file);
        }
    }
}
