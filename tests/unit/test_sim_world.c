/* SPDX-License-Identifier: MIT */
/*
 * The simulated host under a real driver and engine. Most tests share one scene: two VMs of 512
 * MiB on a host of 1 GiB use 300 each; from 2 s on vm1 wants 700, and policy "pressure" takes the
 * 188 it misses from vm2, which releases 100 a second. What the fault at hand changes is checked.
 */
#include <stdlib.h>
#include <string.h>

#include <vmres/query.h>
#include <vmres/units.h>

#include "support/check.h"
#include "support/sim_world.h"

enum { VM1, VM2 };

static void open_scene(struct sim_world *world, struct vmres_sim_fault fault)
{
    sim_world_init(world);
    world->policy.ops = vmres_policy_find("pressure");
    sim_world_create(world);
    (void)sim_world_add(world, "vm1", 64, 1024, NULL);
    (void)sim_world_add(world, "vm2", 64, 1024, NULL);
    sim_world_want(world, VM1, 300);
    sim_world_want(world, VM2, 300);
    if (fault.fault != VMRES_SIM_NO_FAULT) {
        fault.vm = VM2;
        EXPECT_OK(vmres_sim_add_fault(world->sim, &fault));
    }
    sim_world_start(world);
    vmres_sim_run(world->sim, 2000);
    sim_world_want(world, VM1, 700);
}

static void close_scene(struct sim_world *world)
{
    sim_world_expect_sound(world);
    sim_world_close(world);
}

/* Runs to the end of the tick that begins at so many seconds. */
static void run_through(struct sim_world *world, uint64_t seconds)
{
    vmres_sim_run(world->sim, seconds * 1000 + 1000);
}

static void expect_held(const struct sim_world *world, uint64_t vm1_mib, uint64_t vm2_mib)
{
    assert_int_equal(sim_world_held_mib(world, VM1), vm1_mib);
    assert_int_equal(sim_world_held_mib(world, VM2), vm2_mib);
}

static uint32_t incarnation_of(const struct sim_world *world, uint32_t vm)
{
    return vmres_driver_vm_incarnation(world->driver, sim_world_state(world, vm).vm);
}

static enum vmres_vm_state engine_state_of(const struct sim_world *world, uint32_t vm)
{
    struct vmres_vm_info info;

    EXPECT_OK(
        vmres_engine_vm(vmres_driver_engine(world->driver), sim_world_state(world, vm).vm, &info));
    return info.state;
}

static void what_never_moves_is_missed_exactly(void **state)
{
    struct sim_world world;

    (void)state;
    sim_world_init(&world);
    sim_world_create(&world);
    (void)sim_world_add(&world, "vm1", 64, 1024, NULL);
    (void)sim_world_add(&world, "vm2", 64, 1024, NULL);
    sim_world_want(&world, VM1, 612);
    sim_world_want(&world, VM2, 2000); /* clipped to its ceiling of 1024 */
    sim_world_start(&world);
    vmres_sim_run(world.sim, 10000);
    expect_held(&world, 512, 512);
    /* 100 + 512 MiB for ten seconds; there are 612 too few for all. */
    assert_true(sim_world_metrics(&world).unmet == 10 * 612.0 / 1024);
    assert_true(sim_world_metrics(&world).unmet_bound == 10 * 612.0 / 1024);
    assert_true(sim_world_metrics(&world).cost == sim_world_metrics(&world).unmet);
    close_scene(&world);
}

static void surplus_moves_within_the_tick_of_the_stall(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_FAULT});
    expect_held(&world, 512, 512);
    run_through(&world, 2);
    expect_held(&world, 612, 412);
    run_through(&world, 3);
    expect_held(&world, 700, 324);
    run_through(&world, 30);
    expect_held(&world, 700, 324);
    close_scene(&world);
}

static void one_that_ignores_is_left_alone_and_tried_again(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world,
               (struct vmres_sim_fault){.fault = VMRES_SIM_IGNORE_REQUESTS, .for_ms = 20000});
    run_through(&world, 10);
    expect_held(&world, 512, 512);
    assert_true(sim_world_account(&world, VM2).flags & VMRES_VIEW_UNCOOPERATIVE);
    run_through(&world, 60);
    expect_held(&world, 700, 324);
    close_scene(&world);
}

static void a_slow_one_releases_at_its_share_of_the_rate(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_SLOW, .share = 100000});
    run_through(&world, 2);
    expect_held(&world, 522, 502);
    run_through(&world, 3);
    expect_held(&world, 532, 492);
    close_scene(&world);
}

static void a_partial_release_is_all_there_is(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_PARTIAL, .share = 500000});
    run_through(&world, 4);
    expect_held(&world, 606, 418); /* half of 188 */
    close_scene(&world);
}

static void one_that_vanishes_frees_what_it_held_and_may_return(void **state)
{
    struct sim_world world;
    uint32_t before;

    (void)state;
    open_scene(&world,
               (struct vmres_sim_fault){.fault = VMRES_SIM_VANISH, .at_ms = 3000, .for_ms = 4000});
    before = incarnation_of(&world, VM2);
    run_through(&world, 3);
    assert_int_equal(sim_world_state(&world, VM2).vm, VMRES_VM_NONE);
    expect_held(&world, 700, 0); /* 88 from the pool, at once */
    run_through(&world, 7);
    expect_held(&world, 700, 324);
    assert_int_equal(engine_state_of(&world, VM2), VMRES_VM_LIVE);
    assert_true(incarnation_of(&world, VM2) > before);
    close_scene(&world);
}

static void a_crash_is_noticed_a_tick_late(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_CRASH, .at_ms = 3000});
    run_through(&world, 3);
    expect_held(&world, 612, 0);
    assert_int_equal(engine_state_of(&world, VM2), VMRES_VM_LIVE);
    run_through(&world, 4);
    expect_held(&world, 700, 0);
    run_through(&world, 30);
    assert_int_equal(sim_world_state(&world, VM2).vm, VMRES_VM_NONE);
    close_scene(&world);
}

static void a_reboot_takes_the_boot_size_until_the_balloon_is_back(void **state)
{
    struct sim_world world;
    uint32_t before;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_REBOOT, .at_ms = 5000});
    before = incarnation_of(&world, VM2);
    run_through(&world, 5);
    assert_int_equal(sim_world_held_mib(&world, VM2), 1024);
    assert_int_equal(sim_world_account(&world, VM2).charge / VMRES_MIB, 1024);
    assert_int_equal(incarnation_of(&world, VM2), before + 1);
    run_through(&world, 7);
    assert_int_equal(sim_world_held_mib(&world, VM2), 1024);
    run_through(&world, 8);
    assert_int_equal(sim_world_held_mib(&world, VM2), 924);
    run_through(&world, 60);
    expect_held(&world, 700, 324);
    assert_int_equal(engine_state_of(&world, VM2), VMRES_VM_LIVE);
    close_scene(&world);
}

static void what_is_retaken_is_charged_and_worked_off(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){
                           .fault = VMRES_SIM_RETAKE, .at_ms = 5000, .amount = 100 * VMRES_MIB});
    run_through(&world, 5);
    assert_int_equal(sim_world_held_mib(&world, VM2), 424);
    assert_int_equal(sim_world_account(&world, VM2).charge / VMRES_MIB, 424);
    run_through(&world, 60);
    expect_held(&world, 700, 324);
    close_scene(&world);
}

static void one_that_hides_its_use_harms_itself_alone(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_LIE_USED, .share = 100000});
    sim_world_want(&world, VM2, 600);
    run_through(&world, 2);
    assert_int_equal(sim_world_account(&world, VM2).used / VMRES_MIB, 52); /* a tenth of 512 */
    assert_int_equal(sim_world_account(&world, VM2).stall, 0);
    run_through(&world, 60);
    expect_held(&world, 700, 324);
    close_scene(&world);
}

static void one_that_claims_need_gets_no_more_than_its_share(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_LIE_NEED, .share = 300000});
    run_through(&world, 20);
    assert_int_equal(sim_world_account(&world, VM2).stall, 3000);
    assert_true(sim_world_account(&world, VM2).used == sim_world_account(&world, VM2).held);
    assert_true(sim_world_held_mib(&world, VM1) >= 512);
    close_scene(&world);
}

static void what_the_witness_still_sees_is_not_granted(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_LIE_RELEASED});
    run_through(&world, 20);
    expect_held(&world, 512, 512);
    assert_true(sim_world_account(&world, VM2).disputed > 0);
    assert_int_equal(sim_world_account(&world, VM2).charge / VMRES_MIB, 512);
    assert_true(sim_world_metrics(&world).moved == 0);
    close_scene(&world);
}

static void a_stale_report_tells_its_age(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_STALE, .at_ms = 1500});
    run_through(&world, 10);
    assert_true(sim_world_account(&world, VM2).age_ms >= 9000);
    assert_true(sim_world_account(&world, VM1).age_ms == 0);
    assert_false(sim_world_account(&world, VM2).flags & VMRES_VIEW_FRESH);
    close_scene(&world);
}

static void a_flood_is_one_word_in_the_end(void **state)
{
    struct vmres_counters counters;
    struct sim_world world;

    (void)state;
    open_scene(&world,
               (struct vmres_sim_fault){.fault = VMRES_SIM_FLOOD, .at_ms = 4000, .amount = 100000});
    run_through(&world, 10);
    expect_held(&world, 700, 324);
    vmres_engine_counters(vmres_driver_engine(world.driver), &counters);
    assert_true(counters.events < 500);
    assert_true(counters.notices > 0);
    close_scene(&world);
}

static void a_new_stall_gives_notice(void **state)
{
    struct vmres_counters counters;
    struct sim_world world;

    (void)state;
    sim_world_init(&world);
    world.policy.ops = vmres_policy_find("pressure");
    world.options.sensors.notices = 1;
    world.driver_options.engine.period_ms = 4000;
    sim_world_create(&world);
    (void)sim_world_add(&world, "vm1", 64, 1024, NULL);
    (void)sim_world_add(&world, "vm2", 64, 1024, NULL);
    sim_world_want(&world, VM1, 300);
    sim_world_want(&world, VM2, 300);
    sim_world_start(&world);
    run_through(&world, 4);
    sim_world_want(&world, VM1, 600);
    run_through(&world, 5);
    expect_held(&world, 512, 512); /* felt at the end of this tick */
    run_through(&world, 6);
    expect_held(&world, 600, 424);
    vmres_engine_counters(vmres_driver_engine(world.driver), &counters);
    assert_int_equal(counters.notices, 1);
    close_scene(&world);
}

/* A policy that judges nothing and keeps what it saw of VM 0. */
static struct vmres_view seen;

static void look(void *policy, void *vm_states, const struct vmres_round *round,
                 struct vmres_verdict *verdict)
{
    (void)policy;
    (void)vm_states;
    (void)verdict;
    seen = round->views[0];
}

static void samples_come_with_a_longer_period(void **state)
{
    static const struct vmres_policy_ops spy = {.size = sizeof spy, .name = "spy", .judge = look};
    const uint64_t at_ms[] = {0, 2000, 3000};
    const uint64_t amount[] = {100 * VMRES_MIB, 400 * VMRES_MIB, 100 * VMRES_MIB};
    struct vmres_sim_demand demand = {.points = 3, .at_ms = at_ms, .amount = amount};
    struct sim_world world;

    (void)state;
    sim_world_init(&world);
    world.policy.ops = &spy;
    world.driver_options.engine.period_ms = 4000;
    sim_world_create(&world);
    (void)sim_world_add(&world, "vm1", 64, 1024, &demand);
    sim_world_start(&world);
    run_through(&world, 4);
    assert_true(seen.flags & VMRES_VIEW_SAMPLES);
    assert_int_equal(seen.used, 100);
    assert_int_equal(seen.used_max, 400);
    assert_int_equal(seen.used_mean, 160); /* of five: 0 s to 4 s */
    close_scene(&world);
}

static void one_that_comes_later_gets_what_is_free(void **state)
{
    struct vmres_vm_limits limits = {.floor = 64 * VMRES_MIB,
                                     .ceiling = VMRES_GIB,
                                     .initial = 300 * VMRES_MIB,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct vmres_sim_vm_spec spec = {.spec = {.name = "late", .limits = &limits}, .start_ms = 5000};
    struct sim_world world;
    uint32_t late;

    (void)state;
    sim_world_init(&world);
    sim_world_create(&world);
    (void)sim_world_add(&world, "vm1", 64, 600, NULL);
    EXPECT_OK(vmres_sim_add_vm(world.sim, &spec, &late));
    sim_world_start(&world);
    run_through(&world, 4);
    assert_int_equal(sim_world_state(&world, late).vm, VMRES_VM_NONE);
    expect_held(&world, 600, 0);
    run_through(&world, 5);
    expect_held(&world, 600, 300);
    close_scene(&world);
}

static void one_that_does_not_fit_waits_for_room(void **state)
{
    struct vmres_vm_limits limits = {.floor = 300 * VMRES_MIB,
                                     .ceiling = VMRES_GIB,
                                     .initial = 300 * VMRES_MIB,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct vmres_sim_vm_spec spec = {.spec = {.name = "late", .limits = &limits}, .start_ms = 2000};
    struct vmres_sim_fault end = {.fault = VMRES_SIM_VANISH, .at_ms = 6000};
    struct sim_world world;
    uint32_t late;

    (void)state;
    sim_world_init(&world);
    sim_world_create(&world);
    end.vm = sim_world_add(&world, "vm1", 800, 1024, NULL);
    EXPECT_OK(vmres_sim_add_vm(world.sim, &spec, &late));
    EXPECT_OK(vmres_sim_add_fault(world.sim, &end));
    sim_world_start(&world);
    run_through(&world, 5);
    expect_held(&world, 1024, 0);
    run_through(&world, 8);
    expect_held(&world, 0, 300);
    assert_int_equal(engine_state_of(&world, late), VMRES_VM_LIVE);
    close_scene(&world);
}

/* Memory moves as devices let it, a CPU rate at once, each by its own policy. */
static void two_kinds_live_side_by_side(void **state)
{
    struct vmres_resource resources[] = {
        {.name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB},
        {.name = "cpu",
         .unit = VMRES_UNIT_MILLI,
         .removal = VMRES_REMOVAL_HOST,
         .granule = 10,
         .capacity = 4000}};
    const struct vmres_sim_device devices[] = {{.release = 100 * VMRES_MIB}, {.release = 1}};
    struct vmres_policy policies[] = {{.ops = vmres_policy_find("static")},
                                      {.ops = vmres_policy_find("pressure")}};
    struct vmres_vm_limits limits[] = {
        {64 * VMRES_MIB, VMRES_GIB, UINT64_MAX, 1, VMRES_PARTICIPATE_BOTH},
        {100, 4000, UINT64_MAX, 1, VMRES_PARTICIPATE_BOTH}};
    struct vmres_sim_vm_spec spec = {.spec = {.limits = limits}};
    struct vmres_sim_fault lie = {.fault = VMRES_SIM_LIE_RELEASED, .kind = 1};
    struct vmres_sim_metrics metrics;
    struct vmres_sim_state cpu;
    struct sim_world world;
    uint32_t vm;

    (void)state;
    sim_world_init(&world);
    world.options.kinds = 2;
    world.options.resources = resources;
    world.options.devices = devices;
    EXPECT_OK(vmres_sim_create(&world.options, &world.sim, NULL));
    for (int i = 0; i < 2; i++) {
        spec.spec.name = i == 0 ? "vm1" : "vm2";
        EXPECT_OK(vmres_sim_add_vm(world.sim, &spec, &vm));
        EXPECT_OK(vmres_sim_set_demand(world.sim, vm, 1, i == 0 ? 3000 : 500));
    }
    EXPECT_STATUS(vmres_sim_add_fault(world.sim, &lie), VMRES_INVALID);
    world.driver_options.engine.kinds = 2;
    world.driver_options.engine.resources = resources;
    world.driver_options.engine.policies = policies;
    world.driver_options.backend = vmres_sim_backend(world.sim);
    EXPECT_OK(vmres_driver_create(&world.driver_options, &world.driver, NULL));
    EXPECT_OK(vmres_driver_start(world.driver, 0, NULL));
    run_through(&world, 1);
    expect_held(&world, 512, 512);
    EXPECT_OK(vmres_sim_vm(world.sim, VM1, 1, &cpu));
    assert_int_equal(cpu.held, 3000);
    EXPECT_OK(vmres_sim_metrics(world.sim, VMRES_VM_NONE, 1, &metrics));
    assert_true(metrics.unmet == 1); /* one CPU for the first second */
    assert_true(metrics.moved == 1 && metrics.cost == 1);
    close_scene(&world);
}

/* The controller is gone, with transfers open; another one takes over the running VMs. */
static void another_driver_adopts_what_runs(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_FAULT});
    run_through(&world, 2);
    vmres_driver_destroy(world.driver);
    run_through(&world, 3); /* the devices go on: vm2 was told 324 */
    expect_held(&world, 612, 324);
    sim_world_start(&world);
    run_through(&world, 20);
    expect_held(&world, 700, 324);
    assert_int_equal(engine_state_of(&world, VM2), VMRES_VM_LIVE);
    close_scene(&world);
}

static void the_same_driver_may_be_started_again(void **state)
{
    struct sim_world world;

    (void)state;
    open_scene(&world, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_FAULT});
    run_through(&world, 2);
    vmres_driver_stop(world.driver, vmres_sim_now(world.sim));
    run_through(&world, 5);
    expect_held(&world, 612, 324);
    EXPECT_OK(vmres_driver_start(world.driver, vmres_sim_now(world.sim), NULL));
    run_through(&world, 30);
    expect_held(&world, 700, 324);
    assert_int_equal(engine_state_of(&world, VM1), VMRES_VM_LIVE);
    assert_int_equal(engine_state_of(&world, VM2), VMRES_VM_LIVE);
    close_scene(&world);
}

/* A recorded run, grown in memory. */
struct record {
    unsigned char *bytes;
    size_t size;
};

static enum vmres_status keep(void *user, const void *data, size_t size)
{
    struct record *record = user;
    unsigned char *grown = realloc(record->bytes, record->size + size);

    if (!grown)
        return VMRES_NOMEM;
    memcpy(grown + record->size, data, size);
    record->bytes = grown;
    record->size += size;
    return VMRES_OK;
}

static const struct vmres_sim_fault mixture[] = {
    {.fault = VMRES_SIM_SLOW, .vm = 0, .at_ms = 5000, .for_ms = 30000, .share = 300000},
    {.fault = VMRES_SIM_REBOOT, .vm = 1, .at_ms = 20000},
    {.fault = VMRES_SIM_CRASH, .vm = 2, .at_ms = 40000, .for_ms = 9000},
    {.fault = VMRES_SIM_LIE_NEED, .vm = 3, .at_ms = 10000, .for_ms = 50000, .share = 200000},
    {.fault = VMRES_SIM_PARTIAL, .vm = 4, .at_ms = 0, .for_ms = 70000, .share = 400000},
    {.fault = VMRES_SIM_RETAKE, .vm = 5, .at_ms = 33000, .amount = 50 * VMRES_MIB},
};

/* Eight VMs whose wishes jump about, every sensor noisy, and faults among them. */
static struct vmres_sim_metrics run_mixture(uint64_t seed, struct record *record)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct vmres_sim_metrics metrics;
    struct sim_world world;
    uint64_t stream = 7;

    sim_world_init(&world);
    vmres_sim_options_init(&world.options);
    world.options.max_vms = SIM_WORLD_VMS;
    world.options.kinds = 1;
    world.options.seed = seed;
    world.policy.ops = vmres_policy_find("pressure");
    world.driver_options.recorder = (struct vmres_recorder){.write = keep, .user = record};
    sim_world_create(&world);
    for (uint32_t vm = 0; vm < 8; vm++)
        (void)sim_world_add(&world, names[vm], 32, 512, NULL);
    for (size_t i = 0; i < sizeof mixture / sizeof mixture[0]; i++)
        EXPECT_OK(vmres_sim_add_fault(world.sim, &mixture[i]));
    sim_world_start(&world);
    for (uint64_t second = 0; second < 120; second++) {
        stream = stream * 6364136223846793005u + 1442695040888963407u;
        sim_world_want(&world, (uint32_t)(stream >> 61), 30 + (stream >> 32) % 200);
        run_through(&world, second);
    }
    metrics = sim_world_metrics(&world);
    close_scene(&world);
    return metrics;
}

static void the_same_seed_runs_the_same_to_the_byte(void **state)
{
    struct record first = {0}, second = {0}, other = {0};
    struct vmres_sim_metrics one, two;

    (void)state;
    one = run_mixture(1, &first);
    two = run_mixture(1, &second);
    (void)run_mixture(2, &other);
    assert_true(one.moved > 0 && one.unmet > 0);
    assert_memory_equal(&one, &two, sizeof one);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    assert_true(first.size != other.size || memcmp(first.bytes, other.bytes, first.size) != 0);
    free(first.bytes);
    free(second.bytes);
    free(other.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_moves_is_missed_exactly),
        cmocka_unit_test(surplus_moves_within_the_tick_of_the_stall),
        cmocka_unit_test(one_that_ignores_is_left_alone_and_tried_again),
        cmocka_unit_test(a_slow_one_releases_at_its_share_of_the_rate),
        cmocka_unit_test(a_partial_release_is_all_there_is),
        cmocka_unit_test(one_that_vanishes_frees_what_it_held_and_may_return),
        cmocka_unit_test(a_crash_is_noticed_a_tick_late),
        cmocka_unit_test(a_reboot_takes_the_boot_size_until_the_balloon_is_back),
        cmocka_unit_test(what_is_retaken_is_charged_and_worked_off),
        cmocka_unit_test(one_that_hides_its_use_harms_itself_alone),
        cmocka_unit_test(one_that_claims_need_gets_no_more_than_its_share),
        cmocka_unit_test(what_the_witness_still_sees_is_not_granted),
        cmocka_unit_test(a_stale_report_tells_its_age),
        cmocka_unit_test(a_flood_is_one_word_in_the_end),
        cmocka_unit_test(a_new_stall_gives_notice),
        cmocka_unit_test(samples_come_with_a_longer_period),
        cmocka_unit_test(one_that_comes_later_gets_what_is_free),
        cmocka_unit_test(one_that_does_not_fit_waits_for_room),
        cmocka_unit_test(two_kinds_live_side_by_side),
        cmocka_unit_test(another_driver_adopts_what_runs),
        cmocka_unit_test(the_same_driver_may_be_started_again),
        cmocka_unit_test(the_same_seed_runs_the_same_to_the_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
