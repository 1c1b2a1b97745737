/* SPDX-License-Identifier: MIT */
/*
 * One or two real guests, called a and b, with the KVM backend and a driver over them, whose policy
 * does what the test says. Public interface only: what an embedder has.
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

struct live_world {
    struct qemu guests[2];
    unsigned count;
    uv_loop_t loop;
    uv_timer_t clock;
    struct vmres_kvm *kvm;
    struct vmres_uv *uv;
    struct vmres_driver *driver;
    struct vmres_resource resource;
    uint64_t sizes[2]; /* what they should hold */
    char trace[1 << 16];
    size_t traced;
    uint64_t asked_ms, taken_ms; /* the first request since reach(), the last of step 8 */
    /* Set before live_manage(): the policy "pressure" judges, once a second, not the test; and all
     * that is traced is shown to it first. */
    bool judged;
    void (*shown)(struct live_world *world, const struct vmres_trace_record *record);
};

/* Starts so many guests, and waits until they are up. */
void live_boot(struct live_world *world, const char *directory, unsigned count, const char *words,
               const char *const *extra);
/* Puts the library over them. They may hold up to ceiling_mib, and `capacity_mib` together. */
void live_manage(struct live_world *world, uint64_t capacity_mib, uint64_t ceiling_mib);
/* Ends that; the guests run on. */
void live_let_go(struct live_world *world);
/* Ends the guests too. Safe after a test that failed anywhere. */
void live_end(struct live_world *world);

/* Runs the loop until the condition holds; fails the test when it does not in a minute. */
void live_until(struct live_world *world, bool (*condition)(struct live_world *world));
/* A condition: all are adopted. */
bool live_is_adopted(struct live_world *world);
/* Orders sizes, and runs the loop until the guests hold them and the books say so. Returns how long
 * that took, from the request to the donor on; 0 where nobody was asked. */
uint64_t live_reach(struct live_world *world, uint64_t first, uint64_t second);
struct vmres_account_info live_account(const struct live_world *world, uint32_t vm);
/* Whether the library gives such a reason for the guest; NULL: none. */
bool live_reason(const struct live_world *world, const char *name, const char *words);

#endif
