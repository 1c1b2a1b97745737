/* SPDX-License-Identifier: MIT */
/*
 * The simulator: a host and its virtual machines in virtual time, as a backend.
 *
 * Add VMs with their demand and faults, hand vmres_sim_backend() to a driver, and let
 * vmres_sim_run() turn the clock. The same seed and input give byte-identical runs: all arithmetic
 * is integer, noise included.
 *
 * One tick at time t: (a) demand applies; (b) faults and lifecycle events due are posted; (c) the
 * driver is pumped: inquiry, reports, judgement, requests to the devices; (d) releases, pump (steps
 * 5-7); (e) grants, never before the releases, pump (step 8); (f) what was missing is added up; (g)
 * a VM that has begun to stall gives notice at t + tick.
 *
 * Amounts are in the kind's unit. Threads: a simulator belongs to its driver's thread.
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
 * what the release of unused memory leaves of the tick. */
struct vmres_sim_device {
    uint64_t release, grant, swap_out, relocate;
};

enum vmres_sim_stall {
    VMRES_SIM_STALL_CROOKED = 0, /* (short / demand) ^ g, a tick late, g in {1/2, 1, 2} per VM */
    VMRES_SIM_STALL_EXACT = 1,   /* short / demand of this tick */
};

/* Standard deviations in parts per million. */
struct vmres_sim_sensors {
    enum vmres_sim_stall stall;
    uint32_t available_noise, stall_noise;
    uint32_t notices; /* 1: a rising edge of stall >= 5 % gives notice, at most one a second */
};

struct vmres_sim_options {
    size_t size; /* sizeof(struct vmres_sim_options), the version */
    uint32_t max_vms, kinds;
    const struct vmres_resource *resources; /* [kinds], as given to the engine */
    const struct vmres_sim_device *devices; /* [kinds] */
    struct vmres_sim_sensors sensors;
    uint64_t seed;
    uint32_t tick_ms;                        /* default 1000 */
    const struct vmres_allocator *allocator; /* NULL = libc */
};

/* What a VM wants over time: at_ms ascending, each value holds until the next. cache (page cache
 * wish) may be NULL. The arrays stay the caller's and must outlive the simulator. */
struct vmres_sim_demand {
    uint32_t points;
    const uint64_t *at_ms, *amount, *cache;
};

/* A VM. spec.limits and demand have one entry per kind. */
struct vmres_sim_vm_spec {
    struct vmres_vm_spec spec;
    const struct vmres_sim_demand *demand;
    uint64_t start_ms; /* when it appears; 0 = with the host */
    uint64_t swap;     /* kind 0, for oom_ticks; 0 = a quarter of the ceiling */
};

/* The fault catalogue's simulator column; names as in a scenario. amount and share: as noted. */
enum vmres_sim_fault_kind {
    VMRES_SIM_IGNORE_REQUESTS = 1, /* "ignore_requests": releases nothing */
    VMRES_SIM_SLOW,                /* "slow": releases at `share` of the device's rate */
    VMRES_SIM_PARTIAL,             /* "partial": releases `share` of what is asked, then says so */
    VMRES_SIM_VANISH,              /* "vanish": is gone, for good or until at + for */
    VMRES_SIM_CRASH,        /* "crash": its hypervisor process dies: gone, commands unanswered */
    VMRES_SIM_REBOOT,       /* "reboot": a new incarnation; takes its boot size (ceiling) */
    VMRES_SIM_RETAKE,       /* "retake": takes `amount` back unasked */
    VMRES_SIM_LIE_USED,     /* "lie_used": reports `share` of its use, never a stall */
    VMRES_SIM_LIE_NEED,     /* "lie_need": reports all in use and a stall of `share` */
    VMRES_SIM_LIE_RELEASED, /* "lie_released": says released, keeps it; the witness shows */
    VMRES_SIM_STALE,        /* "stale": repeats its last report, with its age */
    VMRES_SIM_FLOOD,        /* "flood": `amount` extra reports and notices a tick */
};

struct vmres_sim_fault {
    enum vmres_sim_fault_kind fault;
    uint32_t vm;  /* index in order of vmres_sim_add_vm() */
    uint8_t kind; /* of the resource */
    uint64_t at_ms;
    uint64_t for_ms; /* 0 = for ever, or once */
    uint64_t amount; /* units or count */
    uint32_t share;  /* parts per million */
};

/* What one VM has, right now. */
struct vmres_sim_state {
    uint64_t demand, held, target, missing, cache;
    uint32_t vm; /* the driver's id, VMRES_VM_NONE while it is not there */
};

/* Sums up to now, in GiB or CPUs (or pieces) and seconds; design of the measures: backends/sim. */
struct vmres_sim_metrics {
    double capacity, unmet, unmet_bound, moved, cost; /* U, U_lb, V, J */
    double shortfall_pct;                             /* E */
    double reversed, cache_missing;
    uint64_t oom_ticks, ticks;
};

/* Breaches seen from outside, by the simulator's own shadow of every command. */
struct vmres_sim_violations {
    uint64_t capacity, conservation, floor, ceiling, single_transfer, bound;
};

VMRES_API void vmres_sim_options_init(struct vmres_sim_options *options);
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_create(const struct vmres_sim_options *options,
                                                            struct vmres_sim **sim,
                                                            struct vmres_error *error);
/* The backend to give a driver; destroyed with the simulator. */
VMRES_API struct vmres_backend *vmres_sim_backend(struct vmres_sim *sim);
/* NULL: no effect. Destroy the driver first. */
VMRES_API void vmres_sim_destroy(struct vmres_sim *sim);

/* Before or between runs. *index counts from 0. VMRES_LIMIT, VMRES_INVALID. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_add_vm(struct vmres_sim *sim,
                                                            const struct vmres_sim_vm_spec *vm,
                                                            uint32_t *index);
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_add_fault(struct vmres_sim *sim,
                                                               const struct vmres_sim_fault *fault);
/* Overrides the demand of one VM from now on. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_set_demand(struct vmres_sim *sim,
                                                                uint32_t index, uint8_t kind,
                                                                uint64_t amount);

/* Runs whole ticks from where it stands to until_ms (exclusive). The driver must be started. */
VMRES_API void vmres_sim_run(struct vmres_sim *sim, uint64_t until_ms);
VMRES_API uint64_t vmres_sim_now(const struct vmres_sim *sim);

VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_vm(const struct vmres_sim *sim, uint32_t index,
                                                        uint8_t kind,
                                                        struct vmres_sim_state *state);
/* index VMRES_VM_NONE: the whole host; else one VM (unmet, moved = given, cost = taken). */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_sim_metrics(const struct vmres_sim *sim,
                                                             uint32_t index, uint8_t kind,
                                                             struct vmres_sim_metrics *metrics);
VMRES_API void vmres_sim_violations(const struct vmres_sim *sim,
                                    struct vmres_sim_violations *violations);

VMRES_END_DECLS

#endif
