/* SPDX-License-Identifier: MIT */
/*
 * The catalogue of faults (backends/sim/README.md has its numbers, and what a correct manager does
 * about each), and by which faults of the swarm each row of it is played. Rows about bytes on a
 * socket and files on a disk are not here: no engine sees any. C rows are those that one does see.
 */
#include <inttypes.h>
#include <stdio.h>

#include "swarm/tally.h"

#define MOST 4

static const struct row {
    const char *name, *what;
    enum fault faults[MOST]; /* up to the first FAULTS, or all */
} catalogue[] = {
    {"G1", "ignores requests", {GUEST_IGNORES, FAULTS}},
    {"G2", "slow, partial, plateau", {GUEST_SLOW, GUEST_STOPS, FAULTS}},
    {"G3", "trickles, alternates", {GUEST_TRICKLES, GUEST_ALTERNATES, FAULTS}},
    {"G4", "claims need", {REPORT_CLAIMS_NEED, FAULTS}},
    {"G5", "hides use", {REPORT_HIDES_USE, FAULTS}},
    {"G6", "device lies", {GUEST_CLAIMS_DONE, GUEST_CLAIMS_LITTLE, GUEST_CLAIMS_MUCH, FAULTS}},
    {"G7", "retakes", {GUEST_RETAKES, FAULTS}},
    {"G8", "deflates itself", {GUEST_DEFLATES, FAULTS}},
    {"G9", "dies when squeezed", {GUEST_DIES, FAULTS}},
    {"G10", "reboots, balloon", {VM_REBOOTS, REBOOT_STALE, VM_SPEAKS_FIRST, FAULTS}},
    {"G11", "reboots, virtio-mem", {REBOOT_EMPTY, FAULTS}},
    {"G12", "boots, no driver yet", {BOOT_SLOW, FAULTS}},
    {"G14", "floods", {REPORT_FLOOD, FAULTS}},
    {"G15", "garbage", {REPORT_GARBAGE, FAULTS}},
    {"G16", "no reports, or frozen ones", {REPORT_MISSING, REPORT_OLD, FAULTS}},
    {"G17", "the witness wavers", {WITNESS_NOISE, GUEST_LETS_GO, FAULTS}},
    {"H1", "discard inhibited", {DISCARD_INHIBITED, FAULTS}},
    {"H2", "huge pages", {HUGE_GRANULE, FAULTS}},
    {"H3", "overhead grows", {OVERHEAD_GROWS, FAULTS}},
    {"H4", "pressure from outside", {CAPACITY_CHANGES, FAULTS}},
    {"H5", "capacity below what VMs hold", {CAPACITY_SHORT, FAULTS}},
    {"H6", "host kills a VM, or us", {VM_CRASHES, CONTROLLER_RESTARTS, FAULTS}},
    {"H7", "two nodes", {TWO_NODES, FAULTS}},
    {"H8", "freed, not usable yet", {WITNESS_LAGS, FAULTS}},
    {"H9", "odd sizes", {ODD_SIZES, FAULTS}},
    {"H10", "whole pieces only", {GUEST_ROUGH, FAULTS}},
    {"T1", "link down", {BACKEND_LOST, FAULTS}},
    {"T3", "hangs, slow answers", {ANSWER_LATE, ANSWER_NEVER, VM_HANGS, FAULTS}},
    {"T4",
     "repeated, coalesced, reordered",
     {ANSWER_TWICE, ANSWER_COALESCED, BREACH_AMOUNT_SHRINKS, REPORT_WRONG_ROUND}},
    {"T5", "words lost over a reconnect", {BACKEND_LOSES_WORDS, FAULTS}},
    {"T6", "acknowledged is not done", {GUEST_CLAIMS_DONE, FAULTS}},
    {"T9", "refused", {ANSWER_REFUSED, FAULTS}},
    {"T10", "no device for a while", {DEVICE_MISSING, FAULTS}},
    {"T11", "link restarted", {BACKEND_FOUND, BACKEND_LATE, FAULTS}},
    {"T12", "a call that blocks", {VM_HANGS, ANSWER_NEVER, FAULTS}},
    {"T13", "refused now and then", {ANSWER_REFUSED, FAULTS}},
    {"L1", "donor vanishes", {DONOR_VANISHES, FAULTS}},
    {"L2", "recipient vanishes", {RECIPIENT_VANISHES, FAULTS}},
    {"L3", "names used again", {SLOT_REUSED, VM_COMES_TWICE, BREACH_FORMER_LIFE, FAULTS}},
    {"L4", "migration", {VM_MIGRATES, VM_MIGRATED, VM_ADOPTED, FAULTS}},
    {"L5", "paused", {VM_PAUSES, FAULTS}},
    {"L6", "restored", {VM_RESTORED, VM_SNAPSHOT, FAULTS}},
    {"L7", "another maximum", {LIMIT_CHANGES, FAULTS}},
    {"L8", "start storm", {START_STORM, RESERVES, CLAIM_TAKEN, FAULTS}},
    {"L9", "gap in time", {CLOCK_LEAPS, BREACH_TIME_BACK, FAULTS}},
    {"L10", "controller leaves", {CONTROLLER_LEAVES, SETTLES, FAULTS}},
    {"C1", "controller crashes", {CONTROLLER_RESTARTS, FAULTS}},
    {"C4", "two controllers", {FOREIGN_TARGET, FAULTS}},
    {"C7", "limits change on the way", {LIMITS_CHANGE, LIMITS_BAD, LIMITS_HUGE, FAULTS}},
    {"C9", "load swings", {NEED_SWINGS, FAULTS}},
    {"C12", "embedder busy", {TIMER_LATE, FAULTS}},
};

/* How often the rarest of its faults fired. */
static uint64_t fired(const struct tally *tally, const struct row *row)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < MOST && row->faults[i] != FAULTS; i++)
        if (tally->faults[row->faults[i]] < least)
            least = tally->faults[row->faults[i]];
    return least;
}

void coverage_print(const struct tally *tally)
{
    for (size_t i = 0; i < sizeof catalogue / sizeof *catalogue; i++)
        printf("%10" PRIu64 "  %-4s%s\n", fired(tally, &catalogue[i]), catalogue[i].name,
               catalogue[i].what);
}

bool coverage_incomplete(const struct tally *tally)
{
    bool any = false;

    for (size_t i = 0; i < sizeof catalogue / sizeof *catalogue; i++) {
        /* Once in a thousand seeds. */
        if (fired(tally, &catalogue[i]) * 1000 >= tally->seeds && fired(tally, &catalogue[i]) > 0)
            continue;
        printf("too rare: %s, %s\n", catalogue[i].name, catalogue[i].what);
        any = true;
    }
    return any;
}
