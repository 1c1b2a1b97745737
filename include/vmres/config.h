/* SPDX-License-Identifier: MIT */
/*
 * Configuration: a host, its policies, its VMs and what a simulation of them needs, from one YAML
 * file into plain structs. examples/scenarios/README.md lists every key.
 *
 * What is loaded goes straight into the creating functions:
 *
 *     vmres_config_load("figure2.yaml", NULL, &config, &error);
 *     config->sim      -> vmres_sim_create(), config->vms    -> vmres_sim_add_vm()
 *     config->engine   -> driver options,     config->faults -> vmres_sim_add_fault()
 *
 * The loader is strict, for a typing error must not become an allotment: unknown and duplicate
 * keys, aliases, wrong units, limits that contradict each other and whatever does not fit into the
 * host are errors, and each says where it is and what to do about it:
 *
 *     host.yaml:14:7: reserve must be below capacity (12GiB); lower it
 *
 * Policies are found by name and their options filled through their table of keys (option.h), so
 * your own policy is configured like a ready-made one. Amounts, rates and tables of a policy are in
 * the unit of the kind it judges; a table is a CSV file with a column for every VM, by its name.
 *
 * The rates a policy should count on are those of the device it commands: where a policy has keys
 * `release` and `grant` of type VMRES_OPTION_RATE, and a file that describes a simulation does not
 * set them, they are those of sim.device.
 */
#ifndef VMRES_CONFIG_H
#define VMRES_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/engine.h>
#include <vmres/event.h>
#include <vmres/policy.h>
#include <vmres/sim.h>
#include <vmres/sim_fault.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

/* Start from vmres_config_options_init(). */
struct vmres_config_options {
    size_t size; /* sizeof(struct vmres_config_options), the version */
    /* Finds policies by name; NULL: vmres_policy_find(). */
    const struct vmres_policy_ops *(*find)(const char *name);
    /* The policy to use for every kind, whatever the file names; NULL: as the file says. Of the
     * file's own policy only the period remains then, and its options if it is the same one. */
    const char *policy;
    const struct vmres_allocator *allocator; /* NULL = libc; copied */
};

/* One thing an operator does: at at_ms `event` is to be posted, with the driver's ids in the place
 * of what are indices of `vms` here: event.vm, and the recipient of a MOVE. */
struct vmres_config_operation {
    uint64_t at_ms;
    struct vmres_event event;
};

/* All that a file says. Read-only; every pointer in it lives until vmres_config_destroy(). */
struct vmres_config {
    /* Resources, policies with their options, period, max_vms. Tracer and allocator are yours. */
    struct vmres_engine_options engine;
    /* Resources, devices, sensors, seed, tick, max_vms. The allocator is yours. */
    struct vmres_sim_options sim;
    /* How long to simulate: as the file says, or as long as the longest trace. */
    uint64_t duration_ms;
    /* 1: there is something to simulate, a sim section or a workload. 0: a plain host, of which
     * sim, duration_ms and the demands mean nothing. */
    int simulated;
    uint32_t vm_count, fault_count, operation_count;
    const struct vmres_sim_vm_spec *vms;  /* [vm_count]: those listed, then those of the fleet */
    const struct vmres_sim_fault *faults; /* [fault_count]: by VM, then the host's */
    const struct vmres_config_operation *operations; /* [operation_count], in order of time */
};

/* Zeroes *options and sets its size. NULL: no effect. */
VMRES_API void vmres_config_options_init(struct vmres_config_options *options);

/*
 * Loads the file at `path`; traces and tables named in it are looked for beside it. On success
 * *config is the caller's to destroy. options NULL: the defaults. error may be NULL; its line is
 * "FILE:LINE:COLUMN: what, and the remedy", counted from 1, FILE being a trace where that is at
 * fault.
 * VMRES_PARSE: the file or a trace is wrong, VMRES_IO: the file cannot be read, VMRES_INVALID:
 * a NULL argument or options of another version, VMRES_UNKNOWN: options.policy is not to be found,
 * VMRES_NOMEM. On failure *config is untouched.
 * Threads: touches nothing shared but the files.
 */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_config_load(
    const char *path, const struct vmres_config_options *options, struct vmres_config **config,
    struct vmres_error *error);

/* Frees the structs and all they point to. NULL: no effect. Destroy the engine first: it uses the
 * tables of its policies. */
VMRES_API void vmres_config_destroy(struct vmres_config *config);

VMRES_END_DECLS

#endif
