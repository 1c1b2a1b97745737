/* SPDX-License-Identifier: MIT */
/*
 * One to three real guests, called a, b and c, with the KVM backend and a driver over them, whose
 * policy does what the test says. Public interface only: what an embedder has.
 *
 * Whenever the loop has turned, what the QEMU processes hold together, as the kernel tells, may
 * not be above what the ledger charges their guests with, what each holds beside its guest, and,
 * for each, the tolerance that the resource states.
 */
#ifndef VMRES_TESTS_LIVE_WORLD_H
#define VMRES_TESTS_LIVE_WORLD_H

#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/query.h>
#include <vmres/uv.h>

#include "live/qemu.h"

#define MIB ((uint64_t)1 << 20)
#define GUEST_MIB 256u /* of base memory */
#define LIVE_GUESTS 3u

struct live_world {
    struct qemu guests[LIVE_GUESTS];
    uint64_t overheads[LIVE_GUESTS]; /* of their QEMUs, as last measured */
    unsigned count;
    uv_loop_t loop;
    uv_timer_t clock;
    struct vmres_kvm *kvm;
    struct vmres_uv *uv;
    struct vmres_driver *driver;
    struct vmres_resource resource;
    uint64_t sizes[LIVE_GUESTS]; /* what they should hold */
    uint64_t margin;             /* by which the sums were apart at least */
    char trace[1 << 16];
    size_t traced;
    uint64_t asked_ms, taken_ms; /* the first request since reach(), the last of step 8 */
    /* Set before live_manage(): the policy "pressure" judges, once a second, not the test; and all
     * that is traced is shown to it first. */
    bool judged;
    void (*shown)(struct live_world *world, const struct vmres_trace_record *record);
    uint32_t progress_ms; /* the engine's, also set before; 0: the default */
    uint32_t poll_ms;     /* the backend's, likewise, */
    const char *proc;     /* and where it looks at processes */
};

/* Starts so many guests, and waits until they are up. */
void live_boot(struct live_world *world, const char *directory, unsigned count, const char *words,
               const char *const *extra);
/* The same, each with its own words, and such that a reset does not end them. */
void live_boot_each(struct live_world *world, const char *directory, unsigned count,
                    const char *const *words);
/* They run already, started by another process, which watches them. */
void live_find(struct live_world *world, const char *directory, unsigned count);
/* Puts the library over them. They may hold up to ceiling_mib, and `capacity_mib` together. */
void live_manage(struct live_world *world, uint64_t capacity_mib, uint64_t ceiling_mib);
/* Ends that and says how far apart the sums were at least; the guests run on. */
void live_let_go(struct live_world *world);
/* Ends the guests too, and prints the trace where VMRES_TRACE is set. Safe after a test that failed
 * anywhere. */
void live_end(struct live_world *world);

/* Runs the loop until the condition holds; fails the test when it does not in a minute. */
void live_until(struct live_world *world, bool (*condition)(struct live_world *world));
/* Conditions: all are adopted; all hold what they should, the books say so, nothing is open. */
bool live_is_adopted(struct live_world *world);
bool live_is_reached(struct live_world *world);
/* Orders sizes, and runs the loop until the guests hold them and the books say so. Returns how long
 * that took, from the request to the donor on; 0 where nobody was asked. */
uint64_t live_reach(struct live_world *world, uint64_t first, uint64_t second);
enum vmres_vm_state live_state(const struct live_world *world, uint32_t vm);
struct vmres_pool_info live_pool(const struct live_world *world);
struct vmres_account_info live_account(const struct live_world *world, uint32_t vm);
/* Whether the library gives such a reason for the guest; NULL: none. */
bool live_reason(const struct live_world *world, const char *name, const char *words);

#endif
