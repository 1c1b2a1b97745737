/* SPDX-License-Identifier: MIT */
/*
 * The rig: an engine, a host of obedient guests around it, and virtual time.
 *
 *     struct rig *rig = rig_new(300);                   a host of 300 MiB
 *     rig_fleet(rig, 3, 100);                           vm0, vm1, vm2, 100 MiB each, live
 *     rig_wish(rig, 0, 140), rig_wish(rig, 1, 60);      what the policy is to say from now on
 *     rig_round(rig);                                   one round, and all that follows from it
 *     EXPECT_TRACE(rig, "...");                         what the engine did and why
 *     rig_delete(rig);
 *
 * Guests answer at once and in full. A test takes one over with rig_withhold(): what it is told
 * then waits, until rig_progress() or rig_finish() lets it answer, truthfully, or rig_answer()
 * makes an event out of which the test may make any lie.
 *
 * After every step the engine's books are audited and compared with what the guests truly hold.
 * Amounts are granules: 1 MiB of kind MEMORY, 10m of kind CPU.
 */
#ifndef VMRES_TESTS_RIG_H
#define VMRES_TESTS_RIG_H

#include <stdbool.h>

#include <vmres/vmres.h>

#include "core/internal.h"

#include "support/check.h"
#include "support/failing_allocator.h"

#define RIG_VMS 12u
#define RIG_TABLE 256u /* actions kept, answers on their way */
#define RIG_TRACE 65536u

enum { MEMORY = 0, CPU = 1, RIG_KINDS = 2 };

/* For rig_withhold(), one bit for each of enum vmres_action_type: what a guest does not answer. */
#define RIG_BIT(type) (1u << (type))
#define RIG_REPORTS RIG_BIT(VMRES_ACTION_INQUIRE)
#define RIG_REMOVAL RIG_BIT(VMRES_ACTION_REQUEST_REMOVAL)
#define RIG_REASSIGN RIG_BIT(VMRES_ACTION_REASSIGN)
#define RIG_NOTIFY RIG_BIT(VMRES_ACTION_NOTIFY)
#define RIG_PIN RIG_BIT(VMRES_ACTION_PIN)
#define RIG_CANCEL RIG_BIT(VMRES_ACTION_CANCEL)
#define RIG_SUPERSEDED (1u << 7) /* the final answer of a command that a newer one took over */
#define RIG_ALL 0xffu

struct rig_device {
    uint32_t held, used, stall;
    uint32_t excess; /* what the host sees it hold beyond `held` */
    uint16_t valid;  /* which words its answers hold */
};

struct rig_vm {
    uint32_t incarnation; /* 0: never added */
    uint32_t withheld;
    bool present;
    struct rig_device devices[RIG_KINDS];
};

struct rig_command { /* an action whose final answer is owed */
    struct vmres_action action;
    uint64_t amount; /* granules answered so far */
};

struct rig {
    struct vmres_engine_options options;
    struct vmres_resource resources[RIG_KINDS];
    struct vmres_policy policies[RIG_KINDS];
    struct failing_allocator heap;
    struct vmres_engine *engine;
    uint64_t now;
    bool lying; /* a guest holds more than it says: the books cannot be compared with the truth */
    struct rig_vm vms[RIG_VMS];
    uint32_t wishes[RIG_KINDS][RIG_VMS];        /* NONE: the policy does not name it */
    uint32_t judged[RIG_KINDS];                 /* judgements made */
    struct vmres_view seen[RIG_KINDS][RIG_VMS]; /* what the policy saw last */
    struct vmres_round round;                   /* of the last judgement */
    struct rig_command open[RIG_TABLE];
    uint32_t open_count;
    struct vmres_event answers[RIG_TABLE]; /* on their way to the engine */
    uint32_t answer_count;
    struct vmres_action sent[RIG_TABLE]; /* the actions of the last rig_tell() */
    uint32_t sent_count;
    uint32_t more; /* steps that ended with VMRES_MORE */
    char trace[RIG_TRACE];
    size_t trace_length;
};

/* --- a rig's life --- */

/* Prepares a rig of `kinds` kinds; options may be changed before rig_start(). `commands`: the
 * policy is an operator's word, as "script" is; else it judges by reports. */
struct rig *rig_prepare(uint32_t capacity, uint32_t kinds, bool commands);
void rig_start(struct rig *rig);
/* One kind, the policy commands; started. */
struct rig *rig_new(uint32_t capacity);
/* Expects that everything was given back. */
void rig_delete(struct rig *rig);

/* --- VMs --- */

/* Adds a VM with these limits for every kind. `initial` NONE: auto. */
void rig_add(struct rig *rig, uint32_t vm, uint32_t floor, uint32_t ceiling, uint32_t initial);
/* First allotments for all, then all of them live. */
void rig_boot(struct rig *rig);
/* vm0 .. vm(count - 1), floor 0, ceiling the host's capacity, `each`; live; no trace of that. */
void rig_fleet(struct rig *rig, uint32_t count, uint32_t each);
/* Says that it is live, in its present incarnation; not delivered before the next rig_pump(). */
void rig_live(struct rig *rig, uint32_t vm);
void rig_gone(struct rig *rig, uint32_t vm);
void rig_withhold(struct rig *rig, uint32_t vm, uint32_t bits);

/* --- time and events --- */

struct vmres_event rig_event(const struct rig *rig, enum vmres_event_type type, uint32_t vm);
/* OBSERVED with what the guest truly holds and the host truly sees, both valid. */
struct vmres_event rig_observed(const struct rig *rig, uint32_t vm, uint8_t kind);
/* The operator's orders: let a VM hold so much; move so much. */
struct vmres_event rig_set(const struct rig *rig, uint32_t vm, uint32_t amount);
struct vmres_event rig_move(const struct rig *rig, uint32_t donor, uint32_t recipient,
                            uint32_t amount);
/* What the engine says to an event; its actions reach the guests, whose answers wait for
 * rig_pump(). */
enum vmres_status rig_tell(struct rig *rig, struct vmres_event event);
/* As rig_tell(), and expects VMRES_OK. */
void rig_told(struct rig *rig, struct vmres_event event);
/* Expects this refusal, and that it changed nothing but the counters. */
void rig_refused(struct rig *rig, struct vmres_event event, enum vmres_status status);
void rig_pump(struct rig *rig);
/* Lives on, event by event, until `ms` after the beginning. */
void rig_until(struct rig *rig, uint64_t ms);
/* Lives on through the next inquiry and all that follows from it at once. */
void rig_round(struct rig *rig);

/* --- the policy --- */

void rig_wish(struct rig *rig, uint32_t vm, uint32_t target);
void rig_wish_nothing(struct rig *rig);
/* vm1 is asked for 50 of its 100 and does not answer yet; vm0, which has 100, is to have them. */
void rig_ask(struct rig *rig);
/* A new rig of 200 in which that, and only that, was done; no trace of it. */
struct rig *rig_asked(void);

/* --- commands that wait --- */

/* The one command of this type that waits for its final answer; fails where there is none. Where
 * one superseded the other, the newer. */
struct rig_command *rig_open(struct rig *rig, uint32_t vm, enum vmres_action_type type);
bool rig_is_open(const struct rig *rig, uint32_t vm, enum vmres_action_type type);
/* Its answer, with this cumulative amount, not final, and what the guest truly holds. */
struct vmres_event rig_answer(struct rig *rig, const struct rig_command *command, uint64_t amount);
/* Moves `amount` more and says so, without an end. */
void rig_progress(struct rig *rig, uint32_t vm, enum vmres_action_type type, uint32_t amount);
/* Moves `amount` more, and that was the end. */
void rig_finish(struct rig *rig, uint32_t vm, enum vmres_action_type type, uint32_t amount,
                enum vmres_result result);
/* A removal that a newer one took over has moved `amount` until then, and that was its end. */
void rig_finish_older(struct rig *rig, const struct rig_command *older, uint32_t amount);

/* --- what came of it --- */

/* How many actions of this type the last rig_tell() led to. */
uint32_t rig_sent(const struct rig *rig, enum vmres_action_type type);
uint32_t rig_charge(const struct rig *rig, uint32_t vm, uint8_t kind);
uint32_t rig_free(const struct rig *rig, uint8_t kind);
uint32_t rig_deficit(const struct rig *rig, uint8_t kind);
uint32_t rig_disputed(const struct rig *rig, uint32_t vm, uint8_t kind);
uint32_t rig_transfers(const struct rig *rig);
struct vmres_counters rig_counters(const struct rig *rig);
enum vmres_vm_state rig_state(const struct rig *rig, uint32_t vm);
void rig_forget_trace(struct rig *rig);

/* Expects exactly these lines since the last time, each with its newline. When they differ, prints
 * what came, ready to be looked at and put in place. */
#define EXPECT_TRACE(rig, lines) rig_expect_trace(rig, lines, __FILE__, __LINE__)
void rig_expect_trace(struct rig *rig, const char *lines, const char *file, int line);

/* What each VM of MEMORY is charged with, and what is free, as "60 140 100 + 0". */
#define EXPECT_BOOKS(rig, books) rig_expect_books(rig, books, __FILE__, __LINE__)
void rig_expect_books(const struct rig *rig, const char *books, const char *file, int line);

#define EXPECT_STATE(rig, vm, state) assert_int_equal(rig_state(rig, vm), state)

#endif
