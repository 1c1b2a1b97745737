/* SPDX-License-Identifier: MIT */
/*
 * The harness: a simulated host to test a manager against, from one's own tests and in few calls.
 *
 *     struct vmres_harness *host;
 *     vmres_harness_create(NULL, &host, NULL);              4 GiB, "pressure", exact sensors
 *     a = vmres_harness_add(host, "a", VMRES_GIB / 4, 3 * VMRES_GIB);
 *     b = vmres_harness_add(host, "b", VMRES_GIB / 4, 3 * VMRES_GIB);
 *     vmres_harness_start(host);                            or start a driver of your own
 *     vmres_harness_want(host, a, 0, 3 * VMRES_GIB);
 *     vmres_harness_hurt(host, &(struct vmres_sim_fault){.fault = VMRES_SIM_CRASH, .vm = b});
 *     vmres_harness_settle(host, 60000);
 *     vmres_harness_vm(host, a, 0).held                     what it has now
 *     vmres_harness_breach(host)                            NULL, or what went wrong first
 *     vmres_harness_destroy(host);
 *
 * Whose driver. vmres_harness_start() makes one. A manager that makes its own gives it the backend
 * that vmres_harness_driver_options() names and starts it; from then on the harness pumps it. With
 * no driver at all devices finish what they were told, and nothing else happens.
 *
 * Errors are few and come late: a call that makes no sense, a breach that the simulator's shadow of
 * every command sees, and books of the engine that do not add up are all told by
 * vmres_harness_breach(). One check at the end of a test is enough.
 *
 * VMs are named by index, as in sim.h; vmres_harness_sim() is there for all that is not here. Time
 * is the simulator's: a test of an hour takes a moment. Pointers must not be NULL unless said so.
 * Threads: all of it belongs to one.
 */
#ifndef VMRES_HARNESS_H
#define VMRES_HARNESS_H

#include <stdint.h>
#include <vmres/api.h>
#include <vmres/driver.h>
#include <vmres/policy.h>
#include <vmres/query.h>
#include <vmres/sim.h>
#include <vmres/sim_fault.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct vmres_harness;

/* Start from vmres_harness_options_init(). */
struct vmres_harness_options {
    size_t size; /* sizeof(struct vmres_harness_options), the version */
    /* Default: 64 VMs, ticks of 1 s, seed 1, exact sensors without noise, notices. With resources
     * NULL there is one kind, memory, whose devices release 1 GiB/s (100 MiB/s of what is in use)
     * and take in 2 GiB/s. */
    struct vmres_sim_options sim;
    uint64_t capacity;                   /* of that memory, in pieces of 2 MiB; default 4 GiB */
    const struct vmres_policy *policies; /* [kinds]; NULL: "pressure" for all. Must live until the
                                          * driver was made */
    uint32_t quiet_ticks;                /* so many ticks without a change are rest; default 5 */
    /* Your manager's own loop, called before each tick; NULL: it has none. */
    void (*manager)(void *user, uint64_t now_ms);
    void *user;
};

/* Sets *options to the defaults. NULL: no effect. */
VMRES_API void vmres_harness_options_init(struct vmres_harness_options *options);

/* Creates an empty host at time 0; the caller's to destroy. options NULL: the defaults. Statuses
 * and error (or NULL) as vmres_sim_create(). */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_harness_create(
    const struct vmres_harness_options *options, struct vmres_harness **harness,
    struct vmres_error *error);
/* Frees it, its driver first. A driver of your own: destroy it before. NULL: no effect. */
VMRES_API void vmres_harness_destroy(struct vmres_harness *harness);
/* The simulator behind it: for more kinds, adopted VMs, demand over time, metrics. */
VMRES_API struct vmres_sim *vmres_harness_sim(struct vmres_harness *harness);

/* A VM that wants nothing yet, with these limits of kind 0 (of the others: anything), its first
 * allotment automatic. Returns its index, VMRES_VM_NONE if there was a breach: limits out of order,
 * a name that is taken. That there is no room for it is none: it waits, and holds nothing. While
 * the floors do not fit it is tried again each second, and is VMRES_VM_VACANT in between; while
 * they do, but what it is to have is not free, it is VMRES_VM_BOOTING. */
VMRES_API uint32_t vmres_harness_add(struct vmres_harness *harness, const char *name,
                                     uint64_t floor, uint64_t ceiling);

/* Fills in what a driver over this host needs: backend, max_vms, kinds, resources, policies. What
 * it points to lives as long as the harness. Change what your manager does otherwise. */
VMRES_API void vmres_harness_driver_options(const struct vmres_harness *harness,
                                            struct vmres_driver_options *options);
/* Makes a driver of these options and starts it. */
VMRES_API void vmres_harness_start(struct vmres_harness *harness);
/* The driver that is started over this host, its own or yours; NULL: none is. */
VMRES_API struct vmres_driver *vmres_harness_driver(const struct vmres_harness *harness);

/* What a VM wants from the next tick on; overrides what it wanted over time. */
VMRES_API void vmres_harness_want(struct vmres_harness *harness, uint32_t vm, uint8_t kind,
                                  uint64_t amount);
/* Adds a fault. Here at_ms counts from now: 0 strikes in the next tick, UINT64_MAX never. */
VMRES_API void vmres_harness_hurt(struct vmres_harness *harness,
                                  const struct vmres_sim_fault *fault);
/* Ends all faults of a VM, of VMRES_VM_NONE: of the host. */
VMRES_API void vmres_harness_mend(struct vmres_harness *harness, uint32_t vm);

/* Runs so long, in whole ticks, and looks at the books after each. */
VMRES_API void vmres_harness_run(struct vmres_harness *harness, uint64_t ms);
/* Runs until all is at rest: no open transfer, no open command, and nothing has changed for
 * quiet_ticks. 1: it is; 0: limit_ms have passed without. A VM whose floor does not fit (see add)
 * does not rest, for it is tried again; one that boots and waits does. Whether all that should live
 * does, vmres_harness_state() tells. */
VMRES_API int vmres_harness_settle(struct vmres_harness *harness, uint64_t limit_ms);
/* When the next tick begins, in milliseconds. */
VMRES_API uint64_t vmres_harness_now(const struct vmres_harness *harness);

/* What a VM has, all 0 where there is none such. */
VMRES_API struct vmres_sim_state vmres_harness_vm(const struct vmres_harness *harness, uint32_t vm,
                                                  uint8_t kind);
/* What the engine's books say of it; all 0 while it is not there, or no driver is. */
VMRES_API struct vmres_account_info vmres_harness_account(const struct vmres_harness *harness,
                                                          uint32_t vm, uint8_t kind);
/* What it is to the engine; VMRES_VM_VACANT while it is not there, or no driver is. */
VMRES_API enum vmres_vm_state vmres_harness_state(const struct vmres_harness *harness, uint32_t vm);
/* Looks at the books again. NULL: nothing was ever wrong; else what was first, and by when, in one
 * line that lives as long as the harness. */
VMRES_API const char *vmres_harness_breach(struct vmres_harness *harness);

VMRES_END_DECLS

#endif
