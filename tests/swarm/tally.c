/* SPDX-License-Identifier: MIT */
/*
 * Prints what a swarm has been through, and what not. Knows no world.
 */
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vmres/action.h>
#include <vmres/query.h>
#include <vmres/status.h>

static const char *const fault_texts[] = {
#define FAULT_TEXT(name, text) text,
    FAULT_LIST(FAULT_TEXT)
#undef FAULT_TEXT
};

/* What a step may answer; the other statuses are of other calls. */
static const enum vmres_status answers[] = {
    VMRES_OK,    VMRES_MORE,     VMRES_INVALID, VMRES_NOROOM, VMRES_UNKNOWN,
    VMRES_STALE, VMRES_CONTRACT, VMRES_EXISTS,  VMRES_STATE,  VMRES_UNSUPPORTED,
};

static const char *const command_texts[] = {
    [VMRES_ACTION_INQUIRE] = "inquire",   [VMRES_ACTION_REQUEST_REMOVAL] = "request removal",
    [VMRES_ACTION_REASSIGN] = "reassign", [VMRES_ACTION_NOTIFY] = "notify",
    [VMRES_ACTION_PIN] = "pin",           [VMRES_ACTION_CANCEL] = "cancel",
};

void tally_engine(struct tally *tally, const struct vmres_engine *engine)
{
    struct vmres_counters counters;

    vmres_engine_counters(engine, &counters);
    tally->done += counters.transfers_done;
    tally->partial += counters.transfers_partial;
    tally->cancelled += counters.transfers_cancelled;
    tally->failed += counters.transfers_failed;
    tally->disputes += counters.disputes;
    tally->deficits += counters.deficits;
    tally->vetoed += counters.vetoed;
}

void tally_add(struct tally *to, const struct tally *from)
{
    uint64_t a, b;

    for (size_t at = 0; at < sizeof *to; at += sizeof a) {
        memcpy(&a, (char *)to + at, sizeof a);
        memcpy(&b, (const char *)from + at, sizeof b);
        a += b;
        memcpy((char *)to + at, &a, sizeof a);
    }
}

void tally_print(const struct tally *tally, double seconds)
{
    uint64_t events = tally->events + tally->calm_events;

    printf("%" PRIu64 " seeds, %" PRIu64 " events and %" PRIu64
           " to settle, %.1f s, %.0f events/s; %" PRIu64 " actions\n",
           tally->seeds, tally->events, tally->calm_events, seconds,
           seconds > 0 ? (double)events / seconds : 0, tally->actions);
    printf("transfers: %" PRIu64 " done, %" PRIu64 " partial, %" PRIu64 " cancelled, %" PRIu64
           " failed, %" PRIu64 " vetoed; %" PRIu64 " disputes, %" PRIu64 " deficits\n",
           tally->done, tally->partial, tally->cancelled, tally->failed, tally->vetoed,
           tally->disputes, tally->deficits);
    for (size_t i = 1; i < sizeof command_texts / sizeof *command_texts; i++)
        printf("%10" PRIu64 "  action: %s\n", tally->commands[i], command_texts[i]);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        printf("%10" PRIu64 "  status: %s\n", tally->statuses[answers[i]],
               vmres_status_name(answers[i]));
    for (uint32_t i = 0; i < FAULTS; i++)
        printf("%10" PRIu64 "  %s\n", tally->faults[i], fault_texts[i]);
    printf("The catalogue, row by row, each by its rarest fault:\n");
    coverage_print(tally);
}

static bool missing(uint64_t count, const char *what, const char *name)
{
    if (count == 0)
        printf("never happened: %s%s\n", what, name);
    return count == 0;
}

bool tally_incomplete(const struct tally *tally)
{
    bool any = false;

    for (size_t i = 1; i < sizeof command_texts / sizeof *command_texts; i++)
        any |= missing(tally->commands[i], "action: ", command_texts[i]);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        any |= missing(tally->statuses[answers[i]], "status: ", vmres_status_name(answers[i]));
    for (uint32_t i = 0; i < FAULTS; i++)
        any |= missing(tally->faults[i], "", fault_texts[i]);
    any |= missing(tally->done, "a transfer ", "done");
    any |= missing(tally->partial, "a transfer ", "partial");
    any |= missing(tally->cancelled, "a transfer ", "cancelled");
    any |= missing(tally->failed, "a transfer ", "failed");
    any |= missing(tally->vetoed, "a transfer ", "vetoed");
    any |= missing(tally->disputes, "a ", "dispute");
    any |= missing(tally->deficits, "a ", "deficit");
    if (tally->seeds >= 1000)
        any |= coverage_incomplete(tally);
    return any;
}
