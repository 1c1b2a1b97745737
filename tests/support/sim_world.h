/* SPDX-License-Identifier: MIT */
/*
 * A simulated host of one kind with a driver over it, in a few lines:
 *
 *     struct sim_world world;
 *     sim_world_init(&world);                 then change options, resource, policy
 *     sim_world_create(&world);
 *     vm1 = sim_world_add(&world, "vm1", 64, 512, NULL);
 *     sim_world_start(&world);
 *     vmres_sim_run(world.sim, 10000);
 *     sim_world_close(&world);
 *
 * Whatever goes wrong fails the running test.
 */
#ifndef VMRES_TESTS_SIM_WORLD_H
#define VMRES_TESTS_SIM_WORLD_H

#include <vmres/driver.h>
#include <vmres/harness.h>
#include <vmres/sim.h>
#include <vmres/sim_fault.h>

#define SIM_WORLD_VMS 64u

struct sim_world {
    struct vmres_resource resource;   /* memory: 1 GiB in MiB granules */
    struct vmres_sim_device device;   /* 100 MiB/s out, 200 in, 10 of memory in use */
    struct vmres_policy policy;       /* "static" */
    struct vmres_sim_options options; /* exact sensors without noise and notices, seed 1 */
    struct vmres_driver_options driver_options;
    struct vmres_sim *sim;
    struct vmres_driver *driver;
};

void sim_world_init(struct sim_world *world);
/* Creates the host. VMs and faults may be added from now on. */
void sim_world_create(struct sim_world *world);
/* Adds a VM with limits in MiB and auto as its initial allotment; demand may be NULL. */
uint32_t sim_world_add(struct sim_world *world, const char *name, uint64_t floor_mib,
                       uint64_t ceiling_mib, const struct vmres_sim_demand *demand);
/* Creates the driver and starts it. */
void sim_world_start(struct sim_world *world);
void sim_world_close(struct sim_world *world);

void sim_world_want(struct sim_world *world, uint32_t vm, uint64_t demand_mib);
struct vmres_sim_state sim_world_state(const struct sim_world *world, uint32_t vm);
uint64_t sim_world_held_mib(const struct sim_world *world, uint32_t vm);
struct vmres_account_info sim_world_account(const struct sim_world *world, uint32_t vm);
struct vmres_sim_metrics sim_world_metrics(const struct sim_world *world);
/* Fails unless the engine's books are sound and the simulator saw no breach. */
void sim_world_expect_sound(const struct sim_world *world);

/* For the tear-down of a test that has a harness instead: destroys it; what was wrong is printed,
 * and fails the test. */
int sim_world_end_harness(struct vmres_harness *harness);

#endif
