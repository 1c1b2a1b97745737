/* SPDX-License-Identifier: MIT */
/* The simulated host for tests; see sim_world.h. */
#include "support/sim_world.h"

#include <vmres/policies.h>
#include <vmres/query.h>
#include <vmres/units.h>

#include "support/check.h"

void sim_world_init(struct sim_world *world)
{
    *world = (struct sim_world){
        .resource = {.name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB},
        .device = {.release = 100 * VMRES_MIB,
                   .grant = 200 * VMRES_MIB,
                   .swap_out = 10 * VMRES_MIB},
        .policy = {.ops = vmres_policy_find("static")},
    };
    vmres_sim_options_init(&world->options);
    world->options.max_vms = SIM_WORLD_VMS;
    world->options.kinds = 1;
    world->options.sensors = (struct vmres_sim_sensors){.stall = VMRES_SIM_STALL_EXACT};
    vmres_driver_options_init(&world->driver_options);
    world->driver_options.engine.max_vms = SIM_WORLD_VMS;
    world->driver_options.engine.kinds = 1;
}

void sim_world_create(struct sim_world *world)
{
    struct vmres_error error = {0};

    world->options.resources = &world->resource;
    world->options.devices = &world->device;
    if (vmres_sim_create(&world->options, &world->sim, &error) != VMRES_OK)
        fail_msg("%s", error.message);
}

uint32_t sim_world_add(struct sim_world *world, const char *name, uint64_t floor_mib,
                       uint64_t ceiling_mib, const struct vmres_sim_demand *demand)
{
    struct vmres_vm_limits limits = {.floor = floor_mib * VMRES_MIB,
                                     .ceiling = ceiling_mib * VMRES_MIB,
                                     .initial = UINT64_MAX,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct vmres_sim_vm_spec spec = {.spec = {.name = name, .limits = &limits}, .demand = demand};
    uint32_t index = VMRES_VM_NONE;

    EXPECT_OK(vmres_sim_add_vm(world->sim, &spec, &index));
    return index;
}

void sim_world_start(struct sim_world *world)
{
    struct vmres_error error = {0};

    world->driver_options.engine.resources = &world->resource;
    world->driver_options.engine.policies = &world->policy;
    world->driver_options.backend = vmres_sim_backend(world->sim);
    if (vmres_driver_create(&world->driver_options, &world->driver, &error) != VMRES_OK)
        fail_msg("%s", error.message);
    if (vmres_driver_start(world->driver, vmres_sim_now(world->sim), &error) != VMRES_OK)
        fail_msg("%s", error.message);
}

void sim_world_close(struct sim_world *world)
{
    vmres_driver_destroy(world->driver);
    vmres_sim_destroy(world->sim);
    world->driver = NULL;
    world->sim = NULL;
}

void sim_world_want(struct sim_world *world, uint32_t vm, uint64_t demand_mib)
{
    EXPECT_OK(vmres_sim_set_demand(world->sim, vm, 0, demand_mib * VMRES_MIB));
}

struct vmres_sim_state sim_world_state(const struct sim_world *world, uint32_t vm)
{
    struct vmres_sim_state state;

    EXPECT_OK(vmres_sim_vm(world->sim, vm, 0, &state));
    return state;
}

uint64_t sim_world_held_mib(const struct sim_world *world, uint32_t vm)
{
    return sim_world_state(world, vm).held / VMRES_MIB;
}

struct vmres_account_info sim_world_account(const struct sim_world *world, uint32_t vm)
{
    struct vmres_account_info account;

    EXPECT_OK(vmres_engine_account(vmres_driver_engine(world->driver),
                                   sim_world_state(world, vm).vm, 0, &account));
    return account;
}

struct vmres_sim_metrics sim_world_metrics(const struct sim_world *world)
{
    struct vmres_sim_metrics metrics;

    EXPECT_OK(vmres_sim_metrics(world->sim, VMRES_VM_NONE, 0, &metrics));
    return metrics;
}

void sim_world_expect_sound(const struct sim_world *world)
{
    struct vmres_sim_violations seen;
    struct vmres_error error = {0};

    if (vmres_engine_audit(vmres_driver_engine(world->driver), &error) != VMRES_OK)
        fail_msg("%s", error.message);
    vmres_sim_violations(world->sim, &seen);
    assert_int_equal(seen.capacity, 0);
    assert_int_equal(seen.conservation, 0);
    assert_int_equal(seen.floor, 0);
    assert_int_equal(seen.ceiling, 0);
    assert_int_equal(seen.single_transfer, 0);
    assert_int_equal(seen.bound, 0);
}

int sim_world_end_harness(struct vmres_harness *harness)
{
    const char *breach = vmres_harness_breach(harness);
    int failed = breach != NULL;

    if (failed)
        print_error("%s\n", breach);
    vmres_harness_destroy(harness);
    return failed;
}
