/* SPDX-License-Identifier: MIT */
/*
 * What a correct manager must do about each fault of the simulator, row by row of
 * backends/sim/README.md. All share one scene: two VMs of 512 MiB on a host of 1 GiB use 300 each;
 * from 2 s on "busy" wants 700, and policy "pressure" takes the 188 it misses from "idle", which
 * releases 100 a second. Whatever the fault, no breach is ever seen.
 */
#include <stdbool.h>

#include <vmres/harness.h>
#include <vmres/policies.h>
#include <vmres/units.h>

#include "support/check.h"
#include "support/sim_world.h"

enum { BUSY, IDLE };

static struct vmres_harness *host;

static const struct vmres_resource memory = {
    .name = "memory", .granule = VMRES_MIB, .capacity = VMRES_GIB};
static const struct vmres_sim_device device = {
    .release = 100 * VMRES_MIB, .grant = 200 * VMRES_MIB, .swap_out = 10 * VMRES_MIB};

static void open_host(const struct vmres_resource *resource)
{
    struct vmres_harness_options options;

    vmres_harness_options_init(&options);
    options.sim.kinds = 1;
    options.sim.resources = resource;
    options.sim.devices = &device;
    options.sim.max_faults = 64;
    EXPECT_OK(vmres_harness_create(&options, &host, NULL));
    (void)vmres_harness_add(host, "busy", 64 * VMRES_MIB, VMRES_GIB);
    (void)vmres_harness_add(host, "idle", 64 * VMRES_MIB, VMRES_GIB);
    vmres_harness_want(host, BUSY, 0, 300 * VMRES_MIB);
    vmres_harness_want(host, IDLE, 0, 300 * VMRES_MIB);
    vmres_harness_start(host);
    vmres_harness_run(host, 2000);
}

static int setup(void **state)
{
    (void)state;
    open_host(&memory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sim_world_end_harness(host);
}

static void want_700(void)
{
    vmres_harness_want(host, BUSY, 0, 700 * VMRES_MIB);
}

static uint64_t held(uint32_t vm)
{
    return vmres_harness_vm(host, vm, 0).held / VMRES_MIB;
}

static uint64_t charge(uint32_t vm)
{
    return vmres_harness_account(host, vm, 0).charge / VMRES_MIB;
}

static struct vmres_pool_info pool(void)
{
    struct vmres_pool_info info;

    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(vmres_harness_driver(host)), 0, &info));
    return info;
}

static struct vmres_counters counters(void)
{
    struct vmres_counters seen;

    vmres_engine_counters(vmres_driver_engine(vmres_harness_driver(host)), &seen);
    return seen;
}

static void hurt(uint32_t vm, struct vmres_sim_fault fault)
{
    fault.vm = vm;
    vmres_harness_hurt(host, &fault);
}

static void run(uint64_t seconds)
{
    vmres_harness_run(host, seconds * 1000);
}

/* --- guests --- */

/* G3 */
static void a_trickle_is_not_progress(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_TRICKLE, .amount = VMRES_MIB});
    want_700();
    run(14);
    assert_true(held(IDLE) < 512);
    assert_true(vmres_harness_account(host, IDLE, 0).flags & VMRES_VIEW_UNCOOPERATIVE);
    assert_true(charge(IDLE) >= held(IDLE));
    assert_int_equal(held(BUSY) + held(IDLE), 1024);
    vmres_harness_mend(host, IDLE);
    run(120);
    assert_int_equal(held(BUSY), 700);
}

/* G6: nothing released, whatever the device reads. */
static void a_reading_out_of_range_frees_nothing(void **state)
{
    const uint64_t lies[] = {0, UINT64_MAX, VMRES_GIB + 1, (uint64_t)1 << 63, 1};

    (void)state;
    want_700();
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_IGNORE_REQUESTS});
        hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_LIE_HELD, .amount = lies[i]});
        run(20);
        assert_int_equal(held(BUSY), 512);
        assert_true(charge(IDLE) >= 512 && charge(IDLE) <= 1024);
        vmres_harness_mend(host, IDLE);
        run(60);
        assert_int_equal(held(BUSY), 700);
        vmres_harness_want(host, BUSY, 0, 300 * VMRES_MIB);
        vmres_harness_want(host, IDLE, 0, 512 * VMRES_MIB);
        run(60);
        assert_int_equal(held(IDLE), 512);
        vmres_harness_want(host, IDLE, 0, 300 * VMRES_MIB);
        want_700();
    }
}

/* G8 */
static void what_deflates_itself_is_charged_at_once(void **state)
{
    (void)state;
    want_700();
    run(10);
    assert_int_equal(held(IDLE), 324);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_SELF_DEFLATE});
    vmres_harness_want(host, IDLE, 0, 400 * VMRES_MIB);
    run(2);
    assert_int_equal(held(IDLE), 400);
    assert_true(charge(IDLE) >= 400);
    assert_true(counters().deficits > 0);
    run(60);
    assert_int_equal(pool().deficit, 0);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
}

/* G9: the floor and what a VM uses keep it alive. */
static void a_fragile_one_is_not_squeezed_to_death(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_FRAGILE, .share = 990000});
    vmres_harness_want(host, BUSY, 0, VMRES_GIB);
    run(120);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    assert_true(held(IDLE) >= 297);
}

/* G9: and if it does die, what it had is free. */
static void one_that_dies_of_hunger_leaves_what_it_had(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_FRAGILE, .share = VMRES_PPM});
    vmres_harness_want(host, IDLE, 0, VMRES_GIB);
    run(5);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_VACANT);
    assert_int_equal(pool().free / VMRES_MIB, 512);
}

/* G10 */
static void a_stale_reading_after_a_reboot_is_not_believed(void **state)
{
    (void)state;
    want_700();
    run(10);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_REBOOT_STALE});
    run(2);
    assert_int_equal(held(IDLE), 1024);
    assert_int_equal(charge(IDLE), 1024); /* though its device reads 324 */
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
    assert_int_equal(pool().deficit, 0);
}

/* G11: virtio-mem. What it let go by itself is still what its device is told to have. */
static void what_a_reboot_empties_stays_reserved(void **state)
{
    uint64_t least = UINT64_MAX;

    (void)state;
    vmres_harness_want(host, IDLE, 0, 500 * VMRES_MIB);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_REBOOT_EMPTY});
    vmres_harness_want(host, BUSY, 0, 1000 * VMRES_MIB);
    for (int tick = 0; tick < 4; tick++) {
        run(1);
        least = held(IDLE) < least ? held(IDLE) : least;
        assert_true(charge(IDLE) >= 512);
        assert_true(held(BUSY) <= 512);
    }
    assert_int_equal(least, 0);
    run(60);
    assert_true(held(IDLE) >= 500);
    assert_true(held(BUSY) >= 512 - 12);
    assert_int_equal(held(IDLE) + held(BUSY), 1024);
    assert_int_equal(pool().deficit, 0);
}

/* G12 */
static void who_boots_is_not_asked(void **state)
{
    struct vmres_harness_options options;

    (void)state;
    vmres_harness_options_init(&options);
    options.sim.resources = &memory;
    options.sim.kinds = 1;
    vmres_harness_destroy(host);
    EXPECT_OK(vmres_harness_create(&options, &host, NULL));
    (void)vmres_harness_add(host, "busy", 64 * VMRES_MIB, VMRES_GIB);
    (void)vmres_harness_add(host, "idle", 64 * VMRES_MIB, VMRES_GIB);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_SLOW_BOOT, .for_ms = 20000});
    want_700();
    vmres_harness_start(host);
    run(20);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_BOOTING);
    assert_int_equal(held(BUSY), 512);
    run(20);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    assert_int_equal(held(BUSY), 700);
}

/* G15: at worst the guest harms itself, down to its floor. */
static void garbage_harms_nobody_else(void **state)
{
    (void)state;
    vmres_harness_want(host, BUSY, 0, 500 * VMRES_MIB);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_GARBAGE});
    for (int second = 0; second < 200; second++) {
        run(1);
        assert_true(held(BUSY) >= 500);
        assert_true(held(IDLE) >= 64);
    }
}

/* G17, H3 */
static void a_witness_that_errs_within_tolerance_is_no_news(void **state)
{
    struct vmres_resource tolerant = memory;

    (void)state;
    vmres_harness_destroy(host);
    tolerant.tolerance = 100 * VMRES_MIB;
    open_host(&tolerant);
    hurt(BUSY, (struct vmres_sim_fault){.fault = VMRES_SIM_WITNESS_NOISE, .share = 20000});
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_WITNESS_NOISE, .share = 20000});
    want_700();
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(charge(IDLE), 324);
    assert_int_equal(counters().disputes, 0);
    assert_int_equal(counters().deficits, 0);
}

/* --- the host and its devices --- */

/* H3 */
static void overhead_that_grows_is_charged(void **state)
{
    (void)state;
    vmres_harness_want(host, IDLE, 0, 100 * VMRES_MIB);
    hurt(BUSY, (struct vmres_sim_fault){.fault = VMRES_SIM_OVERHEAD, .amount = 2 * VMRES_MIB});
    run(20);
    assert_true(charge(BUSY) >= held(BUSY) + 36);
    run(40);
    assert_true(charge(BUSY) + charge(IDLE) <= 1024 + pool().deficit / VMRES_MIB);
    assert_true(held(IDLE) < 512); /* what the overhead took was asked back */
}

/* H4, H5 */
static void a_host_that_shrinks_asks_back_what_is_missing(void **state)
{
    (void)state;
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){
                            .fault = VMRES_SIM_SHRINK, .for_ms = 60000, .amount = 300 * VMRES_MIB});
    run(1);
    assert_true(counters().deficits > 0);
    run(30);
    assert_int_equal(pool().deficit, 0);
    assert_true(held(BUSY) + held(IDLE) <= 724);
    assert_true(held(BUSY) >= 300 && held(IDLE) >= 300);
    run(30);
    want_700();
    run(30);
    assert_int_equal(held(BUSY), 700);
}

/* What it holds while it gives back counts for what could have been done, too. */
static void the_bound_holds_while_a_host_shrinks(void **state)
{
    struct vmres_sim_metrics metrics;

    (void)state;
    vmres_harness_want(host, BUSY, 0, 500 * VMRES_MIB);
    vmres_harness_want(host, IDLE, 0, 500 * VMRES_MIB);
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){
                            .fault = VMRES_SIM_SHRINK, .for_ms = 60000, .amount = 300 * VMRES_MIB});
    run(60);
    EXPECT_OK(vmres_sim_metrics(vmres_harness_sim(host), VMRES_VM_NONE, 0, &metrics));
    assert_true(metrics.unmet_bound > 0);
    assert_true(metrics.unmet >= metrics.unmet_bound);
}

/* H8 */
static void what_is_not_usable_yet_is_not_granted(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_SCRUB, .amount = 10 * VMRES_MIB});
    want_700();
    run(3);
    assert_true(held(IDLE) <= 412);
    assert_true(held(BUSY) < 550); /* a tenth of what left its device */
    run(120);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(pool().disputed, 0);
}

/* H9, H10 */
static void odd_pieces_come_out_even(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_ROUGH, .amount = 48 * VMRES_MIB + 4096});
    want_700();
    run(60);
    assert_true(held(BUSY) >= 640);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
    assert_true(charge(IDLE) >= held(IDLE));
}

/* --- transport and backend --- */

/* T1, T5, T11 */
static void a_lost_link_stops_all_and_is_read_anew(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){.fault = VMRES_SIM_LINK_DOWN, .for_ms = 10000});
    hurt(IDLE, (struct vmres_sim_fault){
                   .fault = VMRES_SIM_RETAKE, .at_ms = 5000, .amount = 50 * VMRES_MIB});
    run(9);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_SILENT);
    assert_true(held(BUSY) <= 612);
    run(60);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
}

/* T1, L1, L3 */
static void who_comes_and_goes_while_the_link_is_down_is_found(void **state)
{
    uint32_t before = vmres_driver_vm_incarnation(vmres_harness_driver(host), 0);

    (void)state;
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){.fault = VMRES_SIM_LINK_DOWN, .for_ms = 10000});
    hurt(BUSY, (struct vmres_sim_fault){.fault = VMRES_SIM_REBOOT, .at_ms = 4000});
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_VANISH, .at_ms = 4000});
    run(60);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_VACANT);
    assert_int_equal(vmres_harness_state(host, BUSY), VMRES_VM_LIVE);
    assert_true(vmres_driver_vm_incarnation(vmres_harness_driver(host), 0) > before);
    assert_int_equal(charge(BUSY), held(BUSY));
    assert_int_equal(pool().free / VMRES_MIB, 1024 - charge(BUSY));
}

/* T3 */
static void what_arrives_late_is_still_matched(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_LATENCY, .amount = 3000});
    want_700();
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
    assert_int_equal(counters().refused_contract, 0);
}

/* T4 */
static void repeated_and_rare_words_come_to_the_same(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_REPEAT});
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_THROTTLE, .amount = 3000});
    hurt(BUSY, (struct vmres_sim_fault){.fault = VMRES_SIM_REPEAT});
    want_700();
    run(30);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(charge(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
    assert_int_equal(charge(IDLE), 324);
    assert_int_equal(counters().refused_contract, 0);
}

/* T6 */
static void done_is_not_believed_without_the_deed(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_FALSE_DONE, .for_ms = 20000});
    want_700();
    run(19);
    assert_int_equal(held(IDLE), 512);
    assert_int_equal(charge(IDLE), 512);
    assert_int_equal(held(BUSY), 512);
    run(120);
    assert_int_equal(held(BUSY), 700);
}

/* T9, T13 */
static void a_refusal_is_final_and_tried_again(void **state)
{
    (void)state;
    hurt(IDLE,
         (struct vmres_sim_fault){.fault = VMRES_SIM_REFUSE, .for_ms = 20000, .share = VMRES_PPM});
    want_700();
    run(19);
    assert_int_equal(held(BUSY), 512);
    assert_int_equal(charge(IDLE), 512);
    assert_true(vmres_harness_account(host, IDLE, 0).flags & VMRES_VIEW_UNCOOPERATIVE);
    run(120);
    assert_int_equal(held(BUSY), 700);
}

/* T13: now and then, on both sides. */
static void who_refuses_now_and_then_gets_there(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_REFUSE, .share = VMRES_PPM / 2});
    hurt(BUSY, (struct vmres_sim_fault){.fault = VMRES_SIM_REFUSE, .share = VMRES_PPM / 2});
    want_700();
    run(600);
    assert_int_equal(held(BUSY), 700);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
}

/* T10 */
static void without_a_device_it_takes_part_in_nothing(void **state)
{
    (void)state;
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_DEVICE, .for_ms = 20000});
    run(1);
    want_700();
    run(18);
    assert_int_equal(held(IDLE), 512);
    assert_int_equal(held(BUSY), 512);
    assert_int_equal(vmres_harness_account(host, IDLE, 0).participation, VMRES_PARTICIPATE_OFF);
    run(60);
    assert_int_equal(held(BUSY), 700);
}

/* T10: unplugged while it gives. */
static void a_device_may_vanish_while_it_gives(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_DEVICE});
    run(60);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
    assert_true(charge(IDLE) >= held(IDLE));
    assert_true(vmres_harness_settle(host, 60000));
}

/* T12 */
static void a_call_that_hangs_harms_one_vm(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_HANG, .for_ms = 30000});
    run(29);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_SILENT);
    assert_int_equal(vmres_harness_state(host, BUSY), VMRES_VM_LIVE);
    assert_true(charge(IDLE) >= held(IDLE));
    run(120);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
    assert_int_equal(held(BUSY), 700);
}

/* --- lives --- */

/* L6 */
static void a_snapshot_is_another_life(void **state)
{
    uint32_t before;

    (void)state;
    want_700();
    run(10);
    before = vmres_driver_vm_incarnation(vmres_harness_driver(host), 1);
    hurt(IDLE, (struct vmres_sim_fault){.fault = VMRES_SIM_RESTORE, .amount = 600 * VMRES_MIB});
    run(1);
    assert_int_equal(vmres_driver_vm_incarnation(vmres_harness_driver(host), 1), before + 1);
    assert_true(charge(IDLE) >= 600);
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
}

/* L7 */
static void another_maximum_is_another_ceiling(void **state)
{
    (void)state;
    hurt(BUSY, (struct vmres_sim_fault){
                   .fault = VMRES_SIM_LIMIT, .for_ms = 30000, .amount = 400 * VMRES_MIB});
    run(3);
    assert_int_equal(held(BUSY), 400);
    assert_true(vmres_harness_account(host, BUSY, 0).limit == 400 * VMRES_MIB);
    run(10);
    assert_int_equal(charge(BUSY), 400);
    run(30);
    want_700();
    run(30);
    assert_int_equal(held(BUSY), 700);
}

/* L8 */
static void a_start_storm_gets_what_is_free_and_no_more(void **state)
{
    struct vmres_vm_limits limits = {.floor = 64 * VMRES_MIB,
                                     .ceiling = 200 * VMRES_MIB,
                                     .initial = 100 * VMRES_MIB,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct vmres_sim_vm_spec spec = {.spec = {.limits = &limits}};
    static const char *const names[] = {"c", "d", "e"};
    uint64_t sum = 0;
    uint32_t vm;

    (void)state;
    want_700();
    run(1);
    spec.start_ms = vmres_harness_now(host); /* while memory is on its way */
    for (int i = 0; i < 3; i++) {
        spec.spec.name = names[i];
        EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(host), &spec, &vm));
        vmres_harness_want(host, vm, 0, 100 * VMRES_MIB);
    }
    run(60);
    for (vm = 0; vm < 5; vm++)
        sum += charge(vm);
    assert_true(sum <= 1024);
    assert_true(held(BUSY) <= 700);
}

/* L9 */
static void a_gap_in_time_makes_reports_unknown(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){.fault = VMRES_SIM_SUSPEND, .amount = 3600000});
    run(1);
    assert_true(vmres_harness_now(host) > 3600000);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(vmres_harness_state(host, IDLE), VMRES_VM_LIVE);
}

/* --- controller and embedding --- */

/* C7 */
static void limits_may_change_with_a_transfer_open(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(BUSY, (struct vmres_sim_fault){
                   .fault = VMRES_SIM_CEILING, .for_ms = 30000, .amount = 560 * VMRES_MIB});
    run(20);
    assert_true(held(BUSY) <= 560);
    assert_true(charge(BUSY) <= 560);
    run(60);
    assert_int_equal(held(BUSY), 700);
}

/* C12 */
static void a_busy_embedder_loses_time_only(void **state)
{
    (void)state;
    want_700();
    run(1);
    hurt(VMRES_VM_NONE, (struct vmres_sim_fault){.fault = VMRES_SIM_NO_PUMP, .for_ms = 30000});
    run(29);
    assert_true(held(BUSY) + held(IDLE) <= 1024);
    run(60);
    assert_int_equal(held(BUSY), 700);
    assert_int_equal(held(IDLE), 324);
}

/* One of all faults but three, which have their own tests: who dies of hunger is gone for good, who
 * hangs answers nothing, and who comes down to a lower ceiling while it says nothing may be sent
 * back up half the way. */
static struct vmres_sim_fault any_fault(uint64_t bits)
{
    struct vmres_sim_fault fault = {
        .fault = (enum vmres_sim_fault_kind)(1 + bits % VMRES_SIM_SUSPEND),
        .vm = bits / 64 % 4,
        .for_ms = 7000,
        .amount = bits / 256 % 512 * VMRES_MIB / 7,
        .share = VMRES_PPM / 2,
    };

    if (fault.fault == VMRES_SIM_FRAGILE)
        fault.fault = VMRES_SIM_REBOOT_EMPTY;
    else if (fault.fault == VMRES_SIM_HANG || fault.fault == VMRES_SIM_CEILING)
        fault.fault = VMRES_SIM_SUSPEND;
    if (fault.fault == VMRES_SIM_FLOOD)
        fault.amount = 10;
    else if (fault.fault == VMRES_SIM_SUSPEND || fault.fault == VMRES_SIM_THROTTLE ||
             fault.fault == VMRES_SIM_LATENCY)
        fault.amount = bits / 256 % 9000;
    return fault;
}

static void open_four(uint64_t seed)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct vmres_harness_options options;

    vmres_harness_options_init(&options);
    options.sim.seed = seed;
    options.sim.max_faults = 400;
    options.capacity = VMRES_GIB;
    EXPECT_OK(vmres_harness_create(&options, &host, NULL));
    for (int i = 0; i < 4; i++)
        (void)vmres_harness_add(host, names[i], 32 * VMRES_MIB, VMRES_GIB);
    vmres_harness_start(host);
}

static void calm_down(void)
{
    vmres_harness_mend(host, VMRES_VM_NONE);
    for (uint32_t vm = 0; vm < 4; vm++) {
        vmres_harness_mend(host, vm);
        vmres_harness_want(host, vm, 0, 100 * VMRES_MIB);
    }
    run(300);
}

/* A VM that came back when there was no room waits for somebody to reserve it some. */
static bool waits_for_room(uint32_t vm)
{
    return vmres_harness_state(host, vm) == VMRES_VM_BOOTING && held(vm) == 0 &&
           pool().free < 32 * VMRES_MIB;
}

static void everything_at_once(uint64_t seed)
{
    uint64_t stream = seed;

    open_four(seed);
    for (int i = 0; i < 300; i++) {
        struct vmres_sim_fault fault;

        stream = stream * 6364136223846793005u + 1442695040888963407u;
        fault = any_fault(stream >> 33);
        vmres_harness_hurt(host, &fault);
        vmres_harness_want(host, stream >> 43 & 3, 0, (stream >> 45) % 400 * VMRES_MIB);
        run(2);
        if (vmres_harness_breach(host))
            fail_msg("seed %u, last fault %s: %s", (unsigned)seed,
                     vmres_sim_fault_name(fault.fault), vmres_harness_breach(host));
    }
    calm_down();
    if (!vmres_harness_settle(host, 300000) || vmres_harness_breach(host))
        fail_msg("seed %u never rests: %s", (unsigned)seed, vmres_harness_breach(host));
    for (uint32_t vm = 0; vm < 4; vm++) {
        if (waits_for_room(vm))
            continue;
        assert_int_equal(vmres_harness_state(host, vm), VMRES_VM_LIVE);
        assert_true(held(vm) >= 100);
    }
    vmres_harness_destroy(host);
}

static void everything_at_once_comes_to_rest(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        everything_at_once(seed);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_trickle_is_not_progress),
        ROW(a_reading_out_of_range_frees_nothing),
        ROW(what_deflates_itself_is_charged_at_once),
        ROW(a_fragile_one_is_not_squeezed_to_death),
        ROW(one_that_dies_of_hunger_leaves_what_it_had),
        ROW(a_stale_reading_after_a_reboot_is_not_believed),
        ROW(what_a_reboot_empties_stays_reserved),
        ROW(who_boots_is_not_asked),
        ROW(garbage_harms_nobody_else),
        ROW(a_witness_that_errs_within_tolerance_is_no_news),
        ROW(overhead_that_grows_is_charged),
        ROW(a_host_that_shrinks_asks_back_what_is_missing),
        ROW(the_bound_holds_while_a_host_shrinks),
        ROW(what_is_not_usable_yet_is_not_granted),
        ROW(odd_pieces_come_out_even),
        ROW(a_lost_link_stops_all_and_is_read_anew),
        ROW(who_comes_and_goes_while_the_link_is_down_is_found),
        ROW(what_arrives_late_is_still_matched),
        ROW(repeated_and_rare_words_come_to_the_same),
        ROW(done_is_not_believed_without_the_deed),
        ROW(a_refusal_is_final_and_tried_again),
        ROW(who_refuses_now_and_then_gets_there),
        ROW(without_a_device_it_takes_part_in_nothing),
        ROW(a_device_may_vanish_while_it_gives),
        ROW(a_call_that_hangs_harms_one_vm),
        ROW(a_snapshot_is_another_life),
        ROW(another_maximum_is_another_ceiling),
        ROW(a_start_storm_gets_what_is_free_and_no_more),
        ROW(a_gap_in_time_makes_reports_unknown),
        ROW(limits_may_change_with_a_transfer_open),
        ROW(a_busy_embedder_loses_time_only),
        cmocka_unit_test(everything_at_once_comes_to_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
