/* SPDX-License-Identifier: MIT */
/*
 * The simulator: a host and its virtual machines in virtual time, as a backend.
 *
 * Add VMs with their demand, and faults (sim_fault.h), hand vmres_sim_backend() to a driver, start
 * it, and let vmres_sim_run() turn the clock. The same seed and input give byte-identical runs: all
 * arithmetic is integer, noise included.
 *
 * One tick at time t: (a) demand applies; (b) faults and lifecycle events due are posted; (c) the
 * driver is pumped: inquiry, reports, judgement, requests to the devices; (d) releases, pump (steps
 * 5-7); (e) grants, never before the releases, pump (step 8); (f) what was missing is added up; (g)
 * a VM that has begun to stall gives notice at t + tick.
 *
 * Amounts are in the kind's unit. VMs are named by index, in order of vmres_sim_add_vm(). Pointers
 * must not be NULL unless said so. Threads: a simulator belongs to its driver's thread.
 */
#ifndef VMRES_SIM_H
#define VMRES_SIM_H

#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/backend.h>
#include <vmres/driver.h>
#include <vmres/resource.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

struct vmres_sim;

/* How fast one VM's device works, units per second; 0 = at once. swap_out is for memory in use, in
 * what the release of unused memory leaves of the tick; relocate moves used pages out of a region
 * that is to leave a block (VMRES_PLACEMENT_EXTENT). A kind that the host enforces
 * (VMRES_REMOVAL_HOST) needs no device: there all is done at once. */
struct vmres_sim_device {
    uint64_t release, grant, swap_out, relocate;
};

enum vmres_sim_stall {
    VMRES_SIM_STALL_CROOKED = 0, /* (short / demand) ^ g, a tick late, g in {1/2, 1, 2} per VM */
    VMRES_SIM_STALL_EXACT = 1,   /* short / demand of this tick */
    VMRES_SIM_STALL_WAITED = 2,  /* 0 to 70 % by chance in each tick in which it is short */
};

/* Standard deviations in parts per million. */
struct vmres_sim_sensors {
    enum vmres_sim_stall stall;
    uint32_t available_noise, stall_noise; /* default 1 %, 20 % */
    uint32_t notices; /* 1: a rising edge of stall >= 5 % gives notice, at most one a second */
};

/* Start from vmres_sim_options_init(), then set max_vms, kinds and resources. */
struct vmres_sim_options {
    size_t size;                             /* sizeof(struct vmres_sim_options), the version */
    uint32_t max_vms, kinds;                 /* as given to the engine */
    uint32_t max_faults;                     /* default 4 * max_vms + 16 */
    uint32_t tick_ms;                        /* default 1000 */
    const struct vmres_resource *resources;  /* [kinds], as given to the engine; copied */
    const struct vmres_sim_device *devices;  /* [kinds], copied; NULL: all at once */
    struct vmres_sim_sensors sensors;        /* default crooked, with notices */
    uint64_t seed;                           /* default 1 */
    const struct vmres_allocator *allocator; /* NULL = libc; copied */
};

/* What a VM wants over time: at_ms ascending, each value holds until the next, none before the
 * first. cache (page cache wish) may be NULL. The arrays stay the caller's and must outlive the
 * simulator. points 0: nothing, until vmres_sim_set_demand(). */
struct vmres_sim_demand {
    uint32_t points;
    const uint64_t *at_ms, *amount, *cache;
};

/* A VM. spec.limits and demand have one entry per kind; demand NULL: nothing of any kind. With
 * spec.adopted it already holds `initial` (auto: its ceiling) when a driver is started. */
struct vmres_sim_vm_spec {
    struct vmres_vm_spec spec;
    const struct vmres_sim_demand *demand;
    uint64_t start_ms;    /* when it appears; 0 = with the host */
    uint64_t reservation; /* what it claims then (operate.h); 0 = nothing */
    uint64_t swap;        /* of memory, for oom_ticks; 0 = a quarter of its ceiling */
};

/* What one VM has, right now. */
struct vmres_sim_state {
    uint64_t demand, held, target, missing, cache;
    uint64_t front; /* contiguous hosts: it has [front, front + held) */
    uint32_t vm;    /* the driver's id, VMRES_VM_NONE while it is not there */
    uint32_t lived; /* 1: it runs, or ran once */
};

/* Sums up to now, in GiB, CPUs or pieces, and seconds. In brackets: backends/sim/metric.c. */
struct vmres_sim_metrics {
    double capacity, unmet, unmet_bound, moved, cost; /* U, U_lb, V, J */
    double shortfall_pct;                             /* E */
    double reversed, cache_missing;                   /* turned within 120 s; R */
    double hops; /* contiguous hosts: passed on by VMs between, not in moved; see metric.c */
    uint64_t oom_ticks, ticks; /* VM-ticks with more memory missing than swap; ticks run */
};

/* Breaches seen from outside, by the simulator's own shadow of every command. */
struct vmres_sim_violations {
    uint64_t capacity, conservation, floor, ceiling, single_transfer, bound;
};

/* Sets *options to the defaults. NULL: no effect. */
VMRES_API void vmres_sim_options_init(struct vmres_sim_options *options);
/* Creates an empty host at time 0, in a handful of allocations, its last. On success *sim is the
 * caller's to destroy. VMRES_INVALID, VMRES_NOMEM. error: or NULL. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_create(const struct vmres_sim_options *options,
                                                            struct vmres_sim **sim,
                                                            struct vmres_error *error);
/* The backend to give a driver: the simulator's own, and destroyed with it. */
VMRES_API struct vmres_backend *vmres_sim_backend(struct vmres_sim *sim);
/* Frees everything. NULL: no effect. Destroy the driver first. */
VMRES_API void vmres_sim_destroy(struct vmres_sim *sim);

/* Adds a VM, before or between runs; the spec is copied but for the demand's arrays. *index counts
 * from 0. VMRES_LIMIT: max_vms; VMRES_INVALID: the name, or limits or times out of order;
 * VMRES_EXISTS: the name is taken, for good. Where there is no room for it, it waits. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_add_vm(struct vmres_sim *sim,
                                                            const struct vmres_sim_vm_spec *vm,
                                                            uint32_t *index);
/* Overrides the demand of one VM from the next tick on. VMRES_INVALID: no such VM or kind. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_set_demand(struct vmres_sim *sim,
                                                                uint32_t index, uint8_t kind,
                                                                uint64_t amount);

/* Runs whole ticks from where it stands to until_ms (exclusive). Without a started driver the
 * devices finish what they were told, and nothing else happens. */
VMRES_API void vmres_sim_run(struct vmres_sim *sim, uint64_t until_ms);
/* When the next tick begins, in milliseconds. */
VMRES_API uint64_t vmres_sim_now(const struct vmres_sim *sim);

/* Copies out what one VM has of one kind. VMRES_INVALID: no such VM or kind. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_vm(const struct vmres_sim *sim, uint32_t index,
                                                        uint8_t kind,
                                                        struct vmres_sim_state *state);
/* Copies out the sums of one kind. index VMRES_VM_NONE: of the whole host; else what one VM adds to
 * them, but for moved = given, cost = taken, unmet_bound = 0. VMRES_INVALID: no such VM or kind. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_metrics(const struct vmres_sim *sim,
                                                             uint32_t index, uint8_t kind,
                                                             struct vmres_sim_metrics *metrics);
/* Copies out the breaches of all kinds so far. */
VMRES_API void vmres_sim_violations(const struct vmres_sim *sim,
                                    struct vmres_sim_violations *violations);

VMRES_END_DECLS

#endif
