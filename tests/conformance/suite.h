/* SPDX-License-Identifier: MIT */
/*
 * What the files of the conformance suite share. A test is a function of a struct suite: world.c
 * gives it a host and moves things there, journal.c has heard every event and action since the
 * driver was made, must.c and may.c are the tests, suite.c runs them.
 *
 * Invariant: the first thing that goes wrong is kept; after it nothing more is done or checked, so
 * that tests need not ask after each call.
 */
#ifndef VMRES_CONFORMANCE_SUITE_H
#define VMRES_CONFORMANCE_SUITE_H

#include <stdbool.h>
#include <vmres/conformance.h>
#include <vmres/policy.h>
#include <vmres/query.h>

#define SUITE_VMS 4u
#define SUITE_UNNAMED UINT32_MAX /* a target: the policy does not speak of this VM */

/* journal.c: everything that was told to the engine or asked by it, in order. */
struct journal_entry {
    bool is_action;
    struct vmres_event event;
    struct vmres_action action;
};
struct journal {
    struct journal_entry *entries;
    size_t count, room;
    bool torn; /* no memory for more */
};

struct suite {
    const struct vmres_conformance_fixture *fixture;
    struct vmres_backend *backend;
    struct vmres_driver *driver;
    struct vmres_policy policies[VMRES_KINDS_MAX];
    struct vmres_resource resource; /* of the first kind, which is the one that is tested */
    uint32_t kinds;
    uint32_t guests; /* kinds that guests must give up, as bits */
    struct journal journal;
    uint32_t vms;
    uint32_t targets[SUITE_VMS]; /* granules, by number of the VM; what the policy says */
    uint32_t step;               /* granules: a quarter of the room every VM has, up and down */
    uint64_t id;                 /* of the last action the suite made up itself */
    size_t mark;                 /* what is waited for stands in the journal from here on, */
    uint32_t subject;            /* and is about this VM, by the driver's id */
    uint64_t now_ms;             /* in a world that has a tick */
    uint64_t rounds;             /* so many rounds are waited for */
    struct vmres_error wrong;    /* the first */
};

/* Notes what went wrong, unless something did before. */
void vmres__suite_fail(struct suite *suite, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Notes `what` unless it is true. Returns whether all is still well. */
bool vmres__suite_expect(struct suite *suite, bool truth, const char *what);
static inline bool suite_is_well(const struct suite *suite)
{
    return suite->wrong.status == VMRES_OK;
}

/* journal.c */
enum vmres_status vmres__journal_write(void *journal, const void *data, size_t size);
void vmres__journal_add_action(struct journal *journal, const struct vmres_action *action);
void vmres__journal_finish(struct journal *journal);
/* Where the first entry from `from` on stands that fits; the journal's end if none does. VM ids:
 * VMRES_VM_NONE is any. */
size_t vmres__journal_find_action(const struct journal *journal, size_t from,
                                  enum vmres_action_type type, uint32_t vm);
size_t vmres__journal_find_event(const struct journal *journal, size_t from,
                                 enum vmres_event_type type, uint32_t vm);
/* The final answer to the action at this place, or NULL. */
const struct vmres_event *vmres__journal_final(const struct journal *journal, size_t action);
/* Whether some action is owed an answer still. */
bool vmres__journal_is_open(const struct journal *journal);
/* What holds for every answer of every backend. NULL, or what is wrong. */
const char *vmres__journal_breach(const struct journal *journal, uint32_t guests);

/* world.c */
void vmres__world_open(struct suite *suite, uint32_t vms);
void vmres__world_close(struct suite *suite);
/* Makes a driver and waits until all VMs are live. */
void vmres__world_connect(struct suite *suite);
void vmres__world_disconnect(struct suite *suite);
uint64_t vmres__world_now(const struct suite *suite);
/* Lets time pass and pumps, until this is true or so much has passed. */
void vmres__world_pass(struct suite *suite, int (*done)(void *context), void *context, uint32_t ms);
/* Runs until this is true; not in time: the test fails, for `what` did not happen. */
void vmres__world_run(struct suite *suite, bool (*done)(struct suite *suite), const char *what);
/* Lets some rounds pass. */
void vmres__world_wait(struct suite *suite);
/* Runs until no transfer is open and no answer is owed. */
void vmres__world_rest(struct suite *suite);
/* From now on heard and asked look for what is said of this VM, or of any: VMRES_VM_NONE. */
void vmres__world_watch(struct suite *suite, uint32_t vm);
bool vmres__world_heard(struct suite *suite, enum vmres_event_type type);
bool vmres__world_asked(struct suite *suite, enum vmres_action_type type);
/* Wants a VM to have so many steps more or less than it is charged with. */
void vmres__world_name(struct suite *suite, uint32_t vm, int32_t steps);
/* Wants nothing any more: what is open is called off at the next judgement. */
void vmres__world_unname(struct suite *suite);
/* Wants so much moved, watches the donor, waits until it is asked, and returns where in the journal
 * that stands. */
size_t vmres__world_begin_move(struct suite *suite, uint32_t from, uint32_t to, uint32_t steps);
/* The same, to its end; checks that just that has moved. */
void vmres__world_move(struct suite *suite, uint32_t from, uint32_t to, uint32_t steps);
void vmres__world_hurt(struct suite *suite, uint32_t vm, enum vmres_conformance_harm harm);

/* The driver's id of a VM, VMRES_VM_NONE while it is not there. */
uint32_t vmres__world_id(const struct suite *suite, uint32_t vm);
struct vmres_account_info vmres__world_account(struct suite *suite, uint32_t vm);
/* In granules: a VM's charge, what it holds, what is free. */
uint32_t vmres__world_charge(struct suite *suite, uint32_t vm);
uint32_t vmres__world_held(struct suite *suite, uint32_t vm);
uint32_t vmres__world_free(struct suite *suite);
/* All that a transfer between vm0 and vm1 can move: what they have, and the pool. */
uint32_t vmres__world_sum(struct suite *suite);
enum vmres_vm_state vmres__world_state(const struct suite *suite, uint32_t vm);
bool vmres__world_all_live(struct suite *suite);

/* must.c, may.c */
struct suite_test {
    const char *name;
    void (*run)(struct suite *suite);
    uint32_t vms;
    uint32_t needs; /* capabilities */
};
extern const struct suite_test vmres__suite_must[], vmres__suite_may[]; /* end with a NULL name */

#endif
