/* SPDX-License-Identifier: MIT */
/*
 * Agreement of the simulated world with an independent model of it: on the same traces, never
 * moving anything must cost the same, and following the same script of targets must come to nearly
 * the same in every measure. And with that model's first sketch of a policy as the mark,
 * `pressure` must be no dearer than 1.05 times it. The traces may not be distributed; where they
 * are absent this says so and is skipped.
 *
 *     test-scenario-agreement DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/policies.h>
#include <vmres/units.h>

#include "scenario/trace_file.h"
#include "support/check.h"
#include "support/sim_world.h"

enum { SKIPPED = 77 };

static const char *directory;
static char *reference;

/* The devices of the reference: 0.857, 2.11 and 0.1 GiB/s. */
static const struct vmres_sim_device device = {
    .release = 920196743, .grant = 2265595248, .swap_out = 107374182};

static struct vmres_sim_metrics run(const struct trace_file *trace, struct vmres_policy policy,
                                    uint32_t stall_noise)
{
    struct vmres_sim_metrics metrics;
    struct sim_world world;
    char name[16];

    sim_world_init(&world);
    world.policy = policy;
    world.options.sensors.stall_noise = stall_noise;
    world.options.sensors.available_noise = stall_noise / 20;
    world.device = device;
    world.resource.granule = 64 * VMRES_KIB;
    world.resource.capacity = trace->capacity;
    sim_world_create(&world);
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        (void)snprintf(name, sizeof name, "vm%u", vm + 1);
        (void)sim_world_add(&world, name, trace->floors[vm] / VMRES_MIB,
                            trace->ceilings[vm] / VMRES_MIB, &trace->demand[vm]);
    }
    sim_world_start(&world);
    vmres_sim_run(world.sim, trace->rows * (uint64_t)1000);
    metrics = sim_world_metrics(&world);
    sim_world_expect_sound(&world);
    sim_world_close(&world);
    return metrics;
}

/* Within so much of the reference, or of 0.1 where the reference is nothing. */
static void expect_near(const char *what, double got, double wanted, double tolerance)
{
    double margin = wanted == 0 ? 0.1 : wanted * tolerance;

    print_message("             %-14s %12.4f, reference %12.4f\n", what, got, wanted);
    assert_true(wanted >= 0);
    if (got < wanted - margin || got > wanted + margin)
        fail_msg("%s: %f, the reference says %f", what, got, wanted);
}

static void agrees_where_nothing_moves(void **state)
{
    const char *name = *state;
    const char *const cost[] = {"traces", name, "static", "J", NULL};
    const char *const shortfall[] = {"traces", name, "static", "E_pct", NULL};
    const char *const bound[] = {"traces", name, "U_lb", NULL};
    struct vmres_policy policy = {.ops = vmres_policy_find("static")};
    struct vmres_sim_metrics metrics;
    struct trace_file trace;

    assert_true(trace_open(&trace, directory, name));
    metrics = run(&trace, policy, 0);
    expect_near("J", metrics.cost, trace_number(reference, cost), 0.001);
    expect_near("E", metrics.shortfall_pct, trace_number(reference, shortfall), 0.001);
    expect_near("U_lb", metrics.unmet_bound, trace_number(reference, bound), 0.001);
    assert_true(metrics.moved == 0);
    trace_close(&trace);
}

static void agrees_where_a_script_moves(void **state)
{
    const char *name = *state;
    const char *keys[] = {"script", name, NULL, NULL};
    struct vmres_table table = {0};
    struct vmres_script_options options = {.targets = &table};
    struct vmres_policy policy = {.ops = vmres_policy_find("script"), .options = &options};
    struct vmres_sim_metrics metrics;
    struct trace_file trace;
    char file[64];

    (void)snprintf(file, sizeof file, "script-%s.csv", name);
    assert_true(trace_open(&trace, directory, name));
    assert_true(trace_open_table(&table, directory, file));
    metrics = run(&trace, policy, 0);
    keys[2] = "U";
    expect_near("U", metrics.unmet, trace_number(reference, keys), 0.02);
    keys[2] = "V";
    expect_near("V", metrics.moved, trace_number(reference, keys), 0.02);
    keys[2] = "J";
    expect_near("J", metrics.cost, trace_number(reference, keys), 0.02);
    keys[2] = "E_pct";
    expect_near("E", metrics.shortfall_pct, trace_number(reference, keys), 0.02);
    trace_close_table(&table);
    trace_close(&trace);
}

/* Exact sensor, noise of 1 % and 20 %, one judgement a second, no notices. */
static void pressure_is_no_dearer_than_the_sketch(void **state)
{
    const char *name = *state;
    const char *const mark[] = {"traces", name, "lazy max-min 1s censored+stall", "J", NULL};
    struct vmres_pressure_options options = {
        .release = device.release, .grant = device.grant, .margin = VMRES_PPM / 16};
    struct vmres_policy policy = {.ops = vmres_policy_find("pressure"), .options = &options};
    struct vmres_sim_metrics metrics;
    struct trace_file trace;
    double limit;

    assert_true(trace_open(&trace, directory, name));
    metrics = run(&trace, policy, 200000);
    limit = 1.05 * trace_number(reference, mark);
    print_message("             %-14s %12.4f, at most %12.4f\n", "J", metrics.cost, limit);
    assert_true(metrics.cost <= limit);
    trace_close(&trace);
}

int main(int count, char **arguments)
{
    static char names[][16] = {"ha8", "syn16", "syn32", "bb16", "square20", "relief16"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[0]),
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[1]),
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[2]),
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[3]),
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[4]),
        cmocka_unit_test_prestate(agrees_where_nothing_moves, names[5]),
        cmocka_unit_test_prestate(agrees_where_a_script_moves, names[0]),
        cmocka_unit_test_prestate(agrees_where_a_script_moves, names[1]),
        cmocka_unit_test_prestate(pressure_is_no_dearer_than_the_sketch, names[0]),
        cmocka_unit_test_prestate(pressure_is_no_dearer_than_the_sketch, names[1]),
        cmocka_unit_test_prestate(pressure_is_no_dearer_than_the_sketch, names[2]),
        cmocka_unit_test_prestate(pressure_is_no_dearer_than_the_sketch, names[3]),
        cmocka_unit_test_prestate(pressure_is_no_dearer_than_the_sketch, names[5]),
    };
    int failed;

    directory = count > 1 ? arguments[1] : ".";
    reference = trace_text(directory, "reference.json");
    if (!reference) {
        print_message("SKIPPED: agreement: no reference.json in %s\n", directory);
        return SKIPPED;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(reference);
    return failed;
}
