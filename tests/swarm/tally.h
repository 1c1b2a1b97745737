/* SPDX-License-Identifier: MIT */
/*
 * What a swarm has been through: each fault that was injected and each status a step answered. A
 * fault that never fired tests nothing, so a long run fails when one did not.
 */
#ifndef VMRES_TESTS_SWARM_TALLY_H
#define VMRES_TESTS_SWARM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_LIST(X) \
    X(GUEST_IGNORES, "guest ignores requests") \
    X(GUEST_STOPS, "guest stops short of the target") \
    X(GUEST_CLAIMS_DONE, "guest's device claims to be done") \
    X(GUEST_CLAIMS_LITTLE, "guest's device claims to hold nothing") \
    X(GUEST_CLAIMS_MUCH, "guest's device claims to hold more than there is") \
    X(GUEST_SLOW, "guest slow") \
    X(GUEST_TRICKLES, "guest trickles") \
    X(GUEST_ALTERNATES, "guest moves now and then") \
    X(GUEST_ROUGH, "guest moves whole pieces only") \
    X(GUEST_DIES, "guest dies when squeezed") \
    X(NEED_SWINGS, "guest's need swings") \
    X(DISCARD_INHIBITED, "host cannot discard what a guest gives") \
    X(OVERHEAD_GROWS, "witness: overhead grows") \
    X(WITNESS_LAGS, "witness: what is gone is seen for a while") \
    X(WITNESS_NOISE, "witness: wavers within the tolerance") \
    X(DEVICE_MISSING, "device missing for a while") \
    X(HUGE_GRANULE, "host: granules of 2 MiB or more") \
    X(ODD_SIZES, "host: sizes that are no multiple of a granule") \
    X(CONTIGUOUS, "host: contiguous") \
    X(MIXED, "host: contiguous in one kind, paged in another") \
    X(LINK_GIVES, "link of a chain asked to pass on") \
    X(EXTENT_SHOWN, "extent of a vm that ran before us") \
    X(EXTENT_BAD, "breach: an extent where none is asked for") \
    X(TWO_NODES, "host: two kinds of one sort") \
    X(GUEST_RETAKES, "guest retakes some memory") \
    X(GUEST_DEFLATES, "guest retakes all it can") \
    X(GUEST_LETS_GO, "guest lets go unasked") \
    X(REPORT_CLAIMS_NEED, "report: claims need") \
    X(REPORT_HIDES_USE, "report: hides use") \
    X(REPORT_GARBAGE, "report: garbage") \
    X(REPORT_OLD, "report: old") \
    X(REPORT_MISSING, "report: missing") \
    X(REPORT_WRONG_ROUND, "report: of another round") \
    X(REPORT_FLOOD, "report: flood of notices") \
    X(VM_VANISHES, "vm vanishes") \
    X(VM_CRASHES, "vm crashes, told late") \
    X(VM_REBOOTS, "vm reboots") \
    X(REBOOT_STALE, "vm reboots, and its device reads as before") \
    X(REBOOT_EMPTY, "vm reboots, empty, and fills again") \
    X(VM_RESTORED, "vm restored from a snapshot") \
    X(VM_HANGS, "vm hangs") \
    X(BOOT_SLOW, "vm boots for longer than a period") \
    X(DONOR_VANISHES, "vm goes, and was to give") \
    X(RECIPIENT_VANISHES, "vm goes, and was to get") \
    X(SLOT_REUSED, "vm comes into a slot another left") \
    X(START_STORM, "vms come all at once") \
    X(VM_SPEAKS_FIRST, "vm reboots, and its guest's report comes first") \
    X(VM_COMES, "vm comes") \
    X(VM_ADOPTED, "vm comes, running before us") \
    X(VM_COMES_TWICE, "vm comes into a taken slot") \
    X(FOREIGN_TARGET, "somebody else sets a target") \
    X(LIMIT_CHANGES, "device maximum changes") \
    X(LIMITS_CHANGE, "floor, ceiling, weight change") \
    X(LIMITS_BAD, "floor above ceiling") \
    X(LIMITS_HUGE, "floors above the host") \
    X(CAPACITY_CHANGES, "capacity changes") \
    X(CAPACITY_SHORT, "capacity falls below what is charged") \
    X(CAPACITY_BAD, "reserve above capacity") \
    X(BACKEND_LOST, "backend lost") \
    X(BACKEND_LOSES_WORDS, "backend lost, with its answers") \
    X(BACKEND_FOUND, "backend found") \
    X(BACKEND_LATE, "backend lost, its answers come all the same") \
    X(ANSWER_LATE, "answer is late") \
    X(ANSWER_TWICE, "answer or report comes twice") \
    X(ANSWER_COALESCED, "progress is not told") \
    X(ANSWER_NEVER, "final answer never comes") \
    X(ANSWER_REFUSED, "command is refused") \
    X(ANSWER_NO_WITNESS, "answer without a witness") \
    X(BREACH_TWO_FINALS, "breach: two finals") \
    X(BREACH_UNKNOWN_ID, "breach: unknown id") \
    X(BREACH_UNKNOWN_VM, "breach: unknown vm") \
    X(BREACH_WRONG_TYPE, "breach: answer of the wrong type") \
    X(BREACH_AMOUNT_SHRINKS, "breach: amount shrinks") \
    X(BREACH_AMOUNT_EXCEEDS, "breach: amount exceeds") \
    X(BREACH_TIME_BACK, "breach: time runs backwards") \
    X(BREACH_FORMER_LIFE, "breach: former incarnation's word") \
    X(BREACH_RANDOM, "breach: random bytes") \
    X(VM_SNAPSHOT, "operator freezes a vm, for a snapshot") \
    X(VM_MIGRATES, "operator freezes a vm that migrates") \
    X(VM_MIGRATED, "vm has migrated") \
    X(VM_PAUSES, "operator freezes a vm that is paused") \
    X(THAWS_NOTHING, "operator thaws what may not be frozen") \
    X(ORDER_SET, "operator sets what a vm holds") \
    X(ORDER_MOVE, "operator moves an amount") \
    X(RESERVES, "operator reserves") \
    X(RELEASES, "operator releases a reservation") \
    X(CLAIMS, "operator claims a reservation") \
    X(CLAIM_TAKEN, "vm starts on what was reserved for it") \
    X(SETTLES, "operator lets all settle") \
    X(RESUMES, "operator resumes") \
    X(CLONED, "engine cloned into a larger one") \
    X(CLONE_UNLIKE, "engine cloned into one of another granule") \
    X(CONTROLLER_RESTARTS, "controller crashes, its successor adopts") \
    X(CONTROLLER_LEAVES, "controller crashes with transfers open") \
    X(CANCELS, "embedder cancels a transfer") \
    X(CANCELS_NOTHING, "embedder cancels what is not there") \
    X(DRY_RUN, "dry run toggled") \
    X(TIMER_LATE, "timeout is late") \
    X(TIMER_EARLY, "timeout is early") \
    X(CLOCK_LEAPS, "clock leaps ahead")

enum fault {
#define FAULT_ENUM(name, text) name,
    FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
        FAULTS
};

#define STATUSES 16u

struct tally { /* of 64-bit words, and nothing else */
    uint64_t seeds, events, calm_events, actions;
    uint64_t faults[FAULTS];
    uint64_t statuses[STATUSES];
    uint64_t commands[8]; /* by type of action */
    uint64_t done, partial, cancelled, failed, disputes, deficits, vetoed;
};

struct vmres_engine;

/* Adds what an engine counted; to be called once in its life. */
void tally_engine(struct tally *tally, const struct vmres_engine *engine);

void tally_add(struct tally *to, const struct tally *from);
void tally_print(const struct tally *tally, double seconds);

/* Prints what never happened. Returns whether there is any such thing. */
bool tally_incomplete(const struct tally *tally);

/* --- coverage.c: the rows of the catalogue of faults --- */
void coverage_print(const struct tally *tally);
bool coverage_incomplete(const struct tally *tally);

#endif
