/* SPDX-License-Identifier: MIT */
/*
 * The simulator's contiguous hosts: how long it takes to clear a region, what counts as passed
 * along, that its shadow sees blocks that overlap; and whole runs, faults and all, in which none
 * ever does.
 */
#include <stdio.h>
#include <string.h>

#include <vmres/policies.h>

#include "sim/internal.h"
#include "support/check.h"
#include "support/sim_world.h"

enum { GIB = 1024 }; /* in MiB, in which these worlds are described */

static const struct vmres_sim_device device = {.release = VMRES_GIB,
                                               .grant = 2 * VMRES_GIB,
                                               .swap_out = VMRES_GIB / 8,
                                               .relocate = 2 * VMRES_GIB};

static void open_row(struct sim_world *world, const struct vmres_policy_ops *policy)
{
    sim_world_init(world);
    world->policy.ops = policy;
    world->device = device;
    world->resource.placement = VMRES_PLACEMENT_EXTENT;
    world->resource.granule = 64 * VMRES_MIB;
    world->resource.capacity = 16 * VMRES_GIB;
    sim_world_create(world);
}

/* --- the device --- */

static uint64_t clearing(uint64_t demand, uint64_t held, const struct vmres_sim_device *with)
{
    const struct sim_holding holding = {.demand = demand, .held = held};

    return vmres__sim_place_release(with, &holding);
}

static void used_pages_are_moved_out_of_what_leaves(void **state)
{
    const struct vmres_sim_device at_once = {.relocate = 1000};
    const struct vmres_sim_device both = {.release = 1000, .relocate = 1000};
    const struct vmres_sim_device free_moves = {.release = 1000};

    (void)state;
    assert_int_equal(clearing(0, 100, &both), 1000);
    assert_int_equal(clearing(100, 100, &both), 500); /* one unit: 1/1000 + 1/1000 s */
    assert_int_equal(clearing(50, 100, &both), 666);  /* 1/1000 + 1/2000 s */
    assert_int_equal(clearing(50, 100, &at_once), 2000);
    assert_int_equal(clearing(50, 100, &free_moves), 1000);
    assert_int_equal(clearing(900, 100, &both), 500); /* more than it has it cannot use */
}

static void blocks_are_cut_at_granules(void **state)
{
    struct vmres_sim_options options;
    struct vmres_resource resource = {.name = "memory",
                                      .unit = VMRES_UNIT_COUNT,
                                      .placement = VMRES_PLACEMENT_EXTENT,
                                      .granule = 10,
                                      .capacity = 1000};
    struct sim_holding *holding;
    struct vmres_sim *sim;

    (void)state;
    vmres_sim_options_init(&options);
    options.max_vms = 1;
    options.kinds = 1;
    options.resources = &resource;
    EXPECT_OK(vmres_sim_create(&options, &sim, NULL));
    holding = &sim->holdings[0];
    assert_int_equal(vmres__sim_place_whole(sim, holding, 0, (struct sim_step){7, 30}), 0);
    /* 14, and 4 begun */
    assert_int_equal(vmres__sim_place_whole(sim, holding, 0, (struct sim_step){7, 30}), 10);
    /* no more than to go */
    assert_int_equal(vmres__sim_place_whole(sim, holding, 0, (struct sim_step){500, 20}), 20);
    vmres_sim_destroy(sim);
}

/* --- the check --- */

static struct vmres_action told(uint8_t type, uint64_t front, uint64_t size)
{
    return (struct vmres_action){.type = type, .as.resize = {.front = front, .target = size}};
}

/* It is to lie in [100, 200), and has [150, 230): 30 leave, then 50 come, all at the front. */
static void one_that_lies_elsewhere_moves(void **state)
{
    struct sim_holding holding = {.held = 80, .place = {.front = 150}};
    const struct vmres_action pin = told(VMRES_ACTION_PIN, 100, 100);

    (void)state;
    vmres__sim_place_obey(&holding, &pin);
    assert_int_equal(vmres__sim_place_claimed(&holding), 130);
    assert_int_equal(vmres__sim_place_outside(&holding), 30);
    vmres__sim_place_left(&holding, 30);
    holding.held = 50;
    assert_int_equal(holding.place.front, 150);
    assert_int_equal(vmres__sim_place_outside(&holding), 0);
    assert_int_equal(vmres__sim_place_claimed(&holding), 100);
    holding.held = 100;
    vmres__sim_place_entered(&holding, 50);
    assert_int_equal(holding.place.front, 100);
}

static void the_shadow_sees_what_cannot_be(void **state)
{
    struct vmres_sim_options options;
    struct vmres_resource resource = {.name = "memory",
                                      .unit = VMRES_UNIT_COUNT,
                                      .placement = VMRES_PLACEMENT_EXTENT,
                                      .granule = 10,
                                      .capacity = 1000};
    struct vmres_action action;
    struct vmres_sim *sim;

    (void)state;
    vmres_sim_options_init(&options);
    options.max_vms = 2;
    options.kinds = 1;
    options.resources = &resource;
    EXPECT_OK(vmres_sim_create(&options, &sim, NULL));
    sim->vm_count = 2;
    sim->vms[0].holdings = &sim->holdings[0];
    sim->vms[1].holdings = &sim->holdings[1];
    sim->holdings[0].held = 300;
    sim->holdings[1].held = 300;
    sim->holdings[1].place.front = 400;
    vmres__sim_place_stay(&sim->holdings[0]);
    vmres__sim_place_stay(&sim->holdings[1]);

    action = told(VMRES_ACTION_NOTIFY, 0, 400);
    assert_true(vmres__sim_place_allows(sim, &sim->holdings[0], &action));
    vmres__sim_place_obey(&sim->holdings[0], &action);
    action = told(VMRES_ACTION_NOTIFY, 390, 310); /* promised to the other one just now */
    assert_false(vmres__sim_place_allows(sim, &sim->holdings[1], &action));
    action = told(VMRES_ACTION_NOTIFY, 400, 610); /* beyond the host */
    assert_false(vmres__sim_place_allows(sim, &sim->holdings[1], &action));
    action = told(VMRES_ACTION_PIN, 390, 300); /* as well */
    assert_false(vmres__sim_place_allows(sim, &sim->holdings[1], &action));
    action = told(VMRES_ACTION_REQUEST_REMOVAL, 430, 250); /* both ends */
    assert_false(vmres__sim_place_allows(sim, &sim->holdings[1], &action));
    action = told(VMRES_ACTION_REQUEST_REMOVAL, 450, 250);
    action.flags = VMRES_ACTION_FRONT;
    assert_true(vmres__sim_place_allows(sim, &sim->holdings[1], &action));
    vmres_sim_destroy(sim);
}

/* --- runs --- */

static uint64_t front_of(const struct sim_world *world, uint32_t vm)
{
    return sim_world_state(world, vm).front / VMRES_MIB;
}

/* vm0 uses all it has, the last one a quarter; those between are as they should be. */
static void what_passes_along_counts_once(void **state)
{
    struct vmres_sim_metrics metrics;
    struct sim_world world;

    (void)state;
    open_row(&world, vmres_policy_find("usage"));
    for (uint32_t vm = 0; vm < 4; vm++) {
        char name[8];

        (void)snprintf(name, sizeof name, "vm%u", vm);
        (void)sim_world_add(&world, name, 1 * GIB, 8 * GIB, NULL);
    }
    sim_world_start(&world);
    for (uint32_t vm = 0; vm < 4; vm++) {
        const uint64_t wants[] = {4 * GIB, 2800, 2800, 1 * GIB};

        sim_world_want(&world, vm, wants[vm]);
    }
    vmres_sim_run(world.sim, 60000);
    assert_int_equal(sim_world_held_mib(&world, 0), 5 * GIB);
    assert_int_equal(sim_world_held_mib(&world, 1), 4 * GIB);
    assert_int_equal(sim_world_held_mib(&world, 2), 4 * GIB);
    for (uint32_t vm = 1; vm < 4; vm++)
        assert_int_equal(front_of(&world, vm),
                         front_of(&world, vm - 1) + sim_world_held_mib(&world, vm - 1));
    metrics = sim_world_metrics(&world);
    assert_true(metrics.moved == 1 && metrics.hops == 2);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
}

/* A VM that vanishes leaves a hole, and one that comes back gets the first it fits. */
static void a_hole_is_left_and_filled(void **state)
{
    struct vmres_sim_fault fault = {
        .fault = VMRES_SIM_VANISH, .vm = 1, .at_ms = 5000, .for_ms = 10000};
    struct sim_world world;

    (void)state;
    open_row(&world, vmres_policy_find("static"));
    for (uint32_t vm = 0; vm < 4; vm++) {
        char name[8];

        (void)snprintf(name, sizeof name, "vm%u", vm);
        (void)sim_world_add(&world, name, 4 * GIB, 4 * GIB, NULL);
    }
    EXPECT_OK(vmres_sim_add_fault(world.sim, &fault));
    sim_world_start(&world);
    vmres_sim_run(world.sim, 10000);
    assert_int_equal(sim_world_held_mib(&world, 1), 0);
    assert_int_equal(front_of(&world, 2), 8 * GIB);
    vmres_sim_run(world.sim, 20000);
    assert_int_equal(sim_world_held_mib(&world, 1), 4 * GIB);
    assert_int_equal(front_of(&world, 1), 4 * GIB);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
}

/* Those that ran before any driver are taken where they lie, and again by the next driver. */
static void blocks_that_were_there_are_adopted(void **state)
{
    struct vmres_vm_limits limits = {.floor = VMRES_GIB,
                                     .ceiling = 8 * VMRES_GIB,
                                     .initial = 4 * VMRES_GIB,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct sim_world world;

    (void)state;
    open_row(&world, vmres_policy_find("usage"));
    for (uint32_t vm = 0; vm < 4; vm++) {
        char name[8];
        struct vmres_sim_vm_spec spec = {.spec = {.name = name, .limits = &limits, .adopted = 1}};
        uint32_t index;

        (void)snprintf(name, sizeof name, "vm%u", vm);
        EXPECT_OK(vmres_sim_add_vm(world.sim, &spec, &index));
        sim_world_want(&world, vm, vm == 0 ? 4 * GIB : vm == 3 ? 1 * GIB : 2800);
    }
    sim_world_start(&world);
    vmres_sim_run(world.sim, 6000);
    assert_true(sim_world_held_mib(&world, 0) > 4 * GIB);
    assert_true(sim_world_held_mib(&world, 0) < 5 * GIB);
    vmres_driver_destroy(world.driver);
    sim_world_start(&world);
    vmres_sim_run(world.sim, 60000);
    assert_int_equal(sim_world_held_mib(&world, 0), 5 * GIB);
    /* A piece that was on its way when the first driver stopped is its holder's now. */
    assert_in_range(sim_world_held_mib(&world, 3), 3 * GIB - 256, 3 * GIB);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
}

/* Blocks bound what VMs can hold, and the host's end may lie in one. */
static void what_blocks_rule_out_is_refused(void **state)
{
    static const enum vmres_sim_fault_kind kinds[] = {
        VMRES_SIM_RETAKE,     VMRES_SIM_SELF_DEFLATE, VMRES_SIM_LIE_RELEASED, VMRES_SIM_LIE_HELD,
        VMRES_SIM_FALSE_DONE, VMRES_SIM_ROUGH,        VMRES_SIM_SHRINK};
    struct sim_world world;

    (void)state;
    open_row(&world, vmres_policy_find("static"));
    (void)sim_world_add(&world, "vm0", 1 * GIB, 4 * GIB, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct vmres_sim_fault fault = {.fault = kinds[i], .amount = VMRES_GIB};

        EXPECT_STATUS(vmres_sim_add_fault(world.sim, &fault), VMRES_INVALID);
    }
    sim_world_close(&world);
}

/* A device that can hold less, and a snapshot that held less, leave a part of the block unused. The
 * one's is given to who needs it, and comes back when that is over; the other's is taken in. */
static void less_may_be_held_than_the_block_has(void **state)
{
    const struct vmres_sim_fault faults[] = {
        {.fault = VMRES_SIM_LIMIT,
         .vm = 1,
         .at_ms = 5000,
         .for_ms = 30000,
         .amount = 2 * VMRES_GIB + 1},
        {.fault = VMRES_SIM_RESTORE, .vm = 2, .at_ms = 5000, .amount = VMRES_GIB + 1}};
    struct sim_world world;

    (void)state;
    open_row(&world, vmres_policy_find("pressure"));
    for (uint32_t vm = 0; vm < 4; vm++) {
        char name[8];

        (void)snprintf(name, sizeof name, "vm%u", vm);
        (void)sim_world_add(&world, name, 1 * GIB, 6 * GIB, NULL);
    }
    for (uint32_t i = 0; i < 2; i++)
        EXPECT_OK(vmres_sim_add_fault(world.sim, &faults[i]));
    sim_world_start(&world);
    for (uint32_t vm = 1; vm < 3; vm++)
        sim_world_want(&world, vm, 3 * GIB);
    vmres_sim_run(world.sim, 6000);
    assert_int_equal(sim_world_held_mib(&world, 1), 2 * GIB);
    assert_in_range(sim_world_held_mib(&world, 2), 1 * GIB, 4 * GIB - 1);
    sim_world_want(&world, 0, 5 * GIB);
    vmres_sim_run(world.sim, 34000);
    assert_int_equal(sim_world_held_mib(&world, 1), 2 * GIB);
    assert_in_range(sim_world_held_mib(&world, 2), 3 * GIB, 4 * GIB);
    assert_true(sim_world_held_mib(&world, 0) >= 5 * GIB);
    vmres_sim_run(world.sim, 60000);
    assert_in_range(sim_world_held_mib(&world, 1), 3 * GIB, 4 * GIB);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
}

/* --- anything --- */

static uint32_t random_of(uint64_t *dice, uint32_t below)
{
    return (uint32_t)(vmres__sim_noise_bits(dice) % below);
}

static void hurt_somebody(struct vmres_sim *sim, uint64_t *dice)
{
    static const enum vmres_sim_fault_kind kinds[] = {
        VMRES_SIM_VANISH, VMRES_SIM_CRASH,           VMRES_SIM_REBOOT,   VMRES_SIM_PARTIAL,
        VMRES_SIM_SLOW,   VMRES_SIM_IGNORE_REQUESTS, VMRES_SIM_LIE_NEED, VMRES_SIM_STALE,
        VMRES_SIM_LIMIT,  VMRES_SIM_RESTORE};
    struct vmres_sim_fault fault = {.fault = kinds[random_of(dice, sizeof kinds / sizeof kinds[0])],
                                    .vm = random_of(dice, 8),
                                    .at_ms = 2000 + random_of(dice, 90000),
                                    .for_ms = 2000 + random_of(dice, 20000),
                                    .amount = random_of(dice, 6 * GIB) * VMRES_MIB,
                                    .share = random_of(dice, VMRES_PPM)};

    EXPECT_OK(vmres_sim_add_fault(sim, &fault));
}

static double run_anything(uint64_t seed)
{
    uint64_t dice = seed * 1000003;
    struct vmres_sim_metrics metrics;
    struct sim_world world;

    open_row(&world, vmres_policy_find(seed % 3 ? "pressure" : "usage"));
    for (uint32_t vm = 0; vm < 8; vm++) {
        char name[8];

        (void)snprintf(name, sizeof name, "vm%u", vm);
        (void)sim_world_add(&world, name, 512, (2 + random_of(&dice, 6)) * GIB, NULL);
    }
    for (uint32_t i = 0; i < 12; i++)
        hurt_somebody(world.sim, &dice);
    sim_world_start(&world);
    for (uint64_t until = 1000; until <= 120000; until += 1000) {
        if (random_of(&dice, 3) == 0)
            sim_world_want(&world, random_of(&dice, 8), random_of(&dice, 5 * GIB));
        vmres_sim_run(world.sim, until);
    }
    metrics = sim_world_metrics(&world);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
    return metrics.hops;
}

static void no_blocks_overlap_whatever_happens(void **state)
{
    double hops = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        hops += run_anything(seed);
    assert_true(hops > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(used_pages_are_moved_out_of_what_leaves),
        cmocka_unit_test(blocks_are_cut_at_granules),
        cmocka_unit_test(one_that_lies_elsewhere_moves),
        cmocka_unit_test(the_shadow_sees_what_cannot_be),
        cmocka_unit_test(what_passes_along_counts_once),
        cmocka_unit_test(a_hole_is_left_and_filled),
        cmocka_unit_test(blocks_that_were_there_are_adopted),
        cmocka_unit_test(what_blocks_rule_out_is_refused),
        cmocka_unit_test(less_may_be_held_than_the_block_has),
        cmocka_unit_test(no_blocks_overlap_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
