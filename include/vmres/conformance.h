/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite: one set of tests that every backend passes, ours and yours.
 *
 * Whoever wrote a backend says in a fixture how a host with some VMs is made, how time passes
 * there and what can be done to a VM; the suite does the rest, with a policy and a driver of its
 * own:
 *
 *     failures = vmres_conformance_run(&fixture, vmres_conformance_print, stdout);
 *
 * It asserts order and books, never how long anything takes: steps in order, absolute targets,
 * cumulative amounts, one final answer per action, a witness for every release, and what becomes of
 * all that when a VM vanishes or a link breaks. What a world cannot do is skipped, and told so.
 *
 * The suite is plain C and needs no test framework. Threads: one, from which the fixture is called.
 */
#ifndef VMRES_CONFORMANCE_H
#define VMRES_CONFORMANCE_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>
#include <vmres/driver.h>

VMRES_BEGIN_DECLS

/* What can be done to a VM. Where it says "until MEND", mending it ends that. */
enum vmres_conformance_harm {
    VMRES_HARM_MEND = 0,    /* be well again */
    VMRES_HARM_PARTIAL = 1, /* it gives a part of what it is asked, and says so; until MEND */
    VMRES_HARM_REFUSE = 2,  /* it answers that it will not, gives nothing; until MEND */
    VMRES_HARM_IGNORE = 3,  /* it gives nothing, answers nothing unless called off; until MEND */
    VMRES_HARM_VANISH = 4,  /* it ends, for good */
    VMRES_HARM_REBOOT = 5,  /* it starts anew, with all that its device can hold */
    VMRES_HARM_RETAKE = 6,  /* it takes a granule or more unasked; the device lets it */
    VMRES_HARM_LINK = 7,    /* the hypervisor does not answer (`vm` is of no account); until MEND */
};

/* What a world can do. 1 << a harm, for each that it knows, and: */
enum vmres_conformance_capability {
    /* Removals take time: that of a quarter of what a VM has above its floor, two periods or more,
     * with answers on the way. */
    VMRES_CONFORMANCE_SLOW = 1 << 16,
    VMRES_CONFORMANCE_REPORTS = 1 << 17, /* its guests answer inquiries */
    VMRES_CONFORMANCE_ADOPTS = 1 << 18,  /* VMs go on without a driver; the next one finds them */
};

/*
 * A world to test in. What may be NULL says so; functions that return int return 0 for "this
 * failed", which fails the test at hand.
 */
struct vmres_conformance_fixture {
    size_t size;      /* sizeof(struct vmres_conformance_fixture), the version */
    const char *name; /* for the results */
    uint32_t capabilities;
    uint32_t patience_ms; /* how long anything at all may take; 0: a minute */
    void *user;           /* handed to each function */

    /* Make a host with so many equal VMs (2 to 4), "vm0", "vm1" ...; together they are to hold all
     * there is, each at least 8 granules from its floor and its ceiling, and need little. */
    int (*open)(void *user, uint32_t vms);
    /* Complete the options (backend, max_vms, kinds with their resources, which stay where they
     * are until close, the first to be tested; times if the defaults do not suit), create the
     * driver, start it, add the VMs unless the backend does. NULL: this failed. Called again after
     * disconnect; the host and its VMs are still there then. */
    struct vmres_driver *(*connect)(void *user, struct vmres_driver_options *options);
    /* Destroy the driver. NULL: the suite does. */
    void (*disconnect)(void *user, struct vmres_driver *driver);
    /* Undo open. NULL: there is nothing to undo. */
    void (*close)(void *user);
    /* The time to start and stop a driver with. Like run_until NULL where there is a tick. */
    uint64_t (*now)(void *user);
    /* Let time pass and pump the driver, until done(context) is true, asked at every step, or so
     * many milliseconds have passed. There may be no driver, or one that was stopped. */
    void (*run_until)(void *user, int (*done)(void *context), void *context, uint32_t ms);
    /* Let a VM use so much, in the kind's unit. NULL: this cannot be said. */
    int (*set_need)(void *user, uint32_t vm, uint64_t amount);
    int (*hurt)(void *user, uint32_t vm, enum vmres_conformance_harm harm); /* or NULL */
    /* A world without a clock of its own: it is now_ms, a tenth of a second later than when this
     * was last called, or 0. The suite pumps. NULL: time is run_until's. */
    void (*tick)(void *user, uint64_t now_ms);
};

enum vmres_conformance_outcome {
    VMRES_CONFORMANCE_PASSED = 0,
    VMRES_CONFORMANCE_FAILED = 1,
    VMRES_CONFORMANCE_SKIPPED = 2,
};

struct vmres_conformance_result {
    const char *fixture, *test;
    enum vmres_conformance_outcome outcome;
    const char *text; /* what was wrong, or why it was skipped; "" when it passed */
};

/* Runs all tests and tells each result to `report` as it comes. Returns how many failed; -1: the
 * fixture is not complete. */
VMRES_API int vmres_conformance_run(const struct vmres_conformance_fixture *fixture,
                                    void (*report)(void *user,
                                                   const struct vmres_conformance_result *result),
                                    void *user);

/* A `report` that prints a line for each result; file is a FILE *. */
VMRES_API void vmres_conformance_print(void *file, const struct vmres_conformance_result *result);

VMRES_END_DECLS

#endif
