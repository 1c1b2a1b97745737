/* SPDX-License-Identifier: MIT */
/*
 * The simulated devices and the measures, in worlds of one to three VMs without a driver: what is
 * set by hand moves and is added up as worked out by hand.
 */
#include <string.h>

#include "sim/internal.h"
#include "support/check.h"
#include "support/failing_allocator.h"

/* 100 units a second out, 200 in, 10 of memory in use. */
static const struct vmres_sim_device device = {.release = 100, .grant = 200, .swap_out = 10};
static const struct vmres_resource resource = {
    .name = "memory", .unit = VMRES_UNIT_COUNT, .granule = 1, .capacity = 1000};

static struct vmres_sim *open_world(const struct vmres_sim_device *devices, uint32_t tick_ms)
{
    struct vmres_sim_options options;
    struct vmres_sim *sim;

    vmres_sim_options_init(&options);
    options.max_vms = 3;
    options.kinds = 1;
    options.resources = &resource;
    options.devices = devices;
    options.tick_ms = tick_ms;
    EXPECT_OK(vmres_sim_create(&options, &sim, NULL));
    return sim;
}

/* A VM that runs and holds so much, without any driver. */
static struct sim_holding *place(struct vmres_sim *sim, uint64_t held, uint64_t demand)
{
    static const char *const names[] = {"a", "b", "c"};
    struct vmres_vm_limits limits = {.floor = 10, .ceiling = 1000, .weight = 1};
    struct vmres_sim_vm_spec spec = {.spec = {.name = names[sim->vm_count], .limits = &limits}};
    struct sim_holding *holding;
    uint32_t index;

    EXPECT_OK(vmres_sim_add_vm(sim, &spec, &index));
    EXPECT_OK(vmres_sim_set_demand(sim, index, 0, demand));
    sim->vms[index].life = SIM_LIVE;
    sim->shares_stale = true;
    holding = sim->vms[index].holdings;
    holding->held = held;
    vmres__sim_device_aim(holding, held);
    return holding;
}

static struct vmres_sim_metrics metrics_of(const struct vmres_sim *sim, uint32_t index)
{
    struct vmres_sim_metrics metrics;

    EXPECT_OK(vmres_sim_metrics(sim, index, 0, &metrics));
    return metrics;
}

static int is_near(double got, double wanted)
{
    return got - wanted < 1e-9 && wanted - got < 1e-9;
}

static void unused_memory_leaves_first_and_fast(void **state)
{
    struct vmres_sim *sim = open_world(&device, 1000);
    struct sim_holding *holding = place(sim, 500, 440);

    (void)state;
    vmres__sim_device_aim(holding, 100);
    /* 60 unused units take 0.6 s; the other 0.4 s swap out 4 units that are in use. */
    vmres_sim_run(sim, 1000);
    assert_int_equal(holding->held, 436);
    vmres_sim_run(sim, 2000);
    assert_int_equal(holding->held, 426);
    EXPECT_OK(vmres_sim_set_demand(sim, 0, 0, 0));
    vmres_sim_run(sim, 3000);
    assert_int_equal(holding->held, 326);
    vmres_sim_run(sim, 9000);
    assert_int_equal(holding->held, 100);
    vmres_sim_destroy(sim);
}

static void a_device_without_rates_is_done_at_once(void **state)
{
    struct vmres_sim *sim = open_world(NULL, 1000);
    struct sim_holding *holding = place(sim, 500, 440);

    (void)state;
    vmres__sim_device_aim(holding, 100);
    vmres_sim_run(sim, 1000);
    assert_int_equal(holding->held, 100);
    vmres__sim_device_aim(holding, 900);
    vmres_sim_run(sim, 2000);
    assert_int_equal(holding->held, 900);
    vmres_sim_destroy(sim);
}

static void short_ticks_add_up_to_the_rate(void **state)
{
    const struct vmres_sim_device slow = {.release = 7, .grant = 3};
    struct vmres_sim *sim = open_world(&slow, 10);
    struct sim_holding *gives = place(sim, 500, 0);
    struct sim_holding *takes = place(sim, 100, 0);

    (void)state;
    vmres__sim_device_aim(gives, 10);
    vmres__sim_device_aim(takes, 900);
    vmres_sim_run(sim, 10000);
    assert_int_equal(gives->held, 430);
    assert_int_equal(takes->held, 130);
    vmres_sim_destroy(sim);
}

static void what_is_missing_is_added_up(void **state)
{
    struct vmres_sim *sim = open_world(&device, 500);

    (void)state;
    (void)place(sim, 300, 350); /* 50 short, of an entitlement of 333 33 short */
    (void)place(sim, 300, 300);
    (void)place(sim, 400, 100); /* floors and demand: 350 + 300 + 100, room for all */
    vmres_sim_run(sim, 10000);
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).unmet, 500));
    assert_true(is_near(metrics_of(sim, 0).unmet, 500));
    assert_true(is_near(metrics_of(sim, 1).unmet, 0));
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).unmet_bound, 0));
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).shortfall_pct, 3.3));
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).moved, 0));
    assert_int_equal(metrics_of(sim, VMRES_VM_NONE).ticks, 20);
    /* 1000 are there, 350 + 300 + 900 are wanted: nobody can do better than 550 short. */
    EXPECT_OK(vmres_sim_set_demand(sim, 2, 0, 900));
    vmres_sim_run(sim, 20000);
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).unmet_bound, 5500));
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).unmet, 500 + 5500));
    vmres_sim_destroy(sim);
}

static void moves_are_priced_and_turns_are_told(void **state)
{
    struct vmres_sim *sim = open_world(&device, 1000);
    struct sim_holding *holding = place(sim, 500, 0);
    struct vmres_sim_metrics all;

    (void)state;
    vmres__sim_device_aim(holding, 450);
    vmres_sim_run(sim, 1000);
    vmres__sim_device_aim(holding, 480);
    vmres_sim_run(sim, 2000); /* turned after 1 s: 30 reversed */
    vmres_sim_run(sim, 122000);
    vmres__sim_device_aim(holding, 470);
    vmres_sim_run(sim, 123000); /* turned after 121 s: a new thing */
    all = metrics_of(sim, VMRES_VM_NONE);
    assert_true(is_near(all.moved, 60));
    assert_true(is_near(all.cost, 60.0 / 100 + 60.0 / 200));
    assert_true(is_near(all.reversed, 30));
    assert_true(is_near(metrics_of(sim, 0).moved, 60));
    assert_true(is_near(metrics_of(sim, 0).cost, 30));
    vmres_sim_destroy(sim);
}

static void thrashing_and_caches_are_counted(void **state)
{
    struct vmres_sim *sim = open_world(&device, 1000);
    struct sim_holding *holding = place(sim, 500, 751); /* swap is a quarter of 1000 */

    (void)state;
    vmres_sim_run(sim, 3000);
    EXPECT_OK(vmres_sim_set_demand(sim, 0, 0, 750));
    vmres_sim_run(sim, 5000);
    assert_int_equal(metrics_of(sim, VMRES_VM_NONE).oom_ticks, 3);
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).cache_missing, 0));
    EXPECT_OK(vmres_sim_set_demand(sim, 0, 0, 450));
    holding->cache = 80;
    vmres_sim_run(sim, 7000);
    assert_true(is_near(metrics_of(sim, VMRES_VM_NONE).cache_missing, 60));
    vmres_sim_destroy(sim);
}

/* CPU first, and memory behind it: only what of that is missing kills. */
static void only_memory_runs_out(void **state)
{
    const struct vmres_resource both[] = {
        {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 1, .capacity = 1000},
        {.name = "memory", .granule = 1, .capacity = 1000}};
    const struct vmres_vm_limits limits[] = {{.ceiling = 1000, .weight = 1},
                                             {.ceiling = 400, .weight = 1}};
    const struct vmres_sim_vm_spec spec = {.spec = {.name = "a", .limits = limits}};

    (void)state;
    for (uint8_t kinds = 1; kinds <= 2; kinds++) {
        struct vmres_sim_options options;
        struct vmres_sim *sim;
        uint32_t index;

        vmres_sim_options_init(&options);
        options.max_vms = 1;
        options.kinds = kinds;
        options.resources = both;
        EXPECT_OK(vmres_sim_create(&options, &sim, NULL));
        EXPECT_OK(vmres_sim_add_vm(sim, &spec, &index));
        EXPECT_OK(vmres_sim_set_demand(sim, index, 0, 900));
        if (kinds > 1)
            EXPECT_OK(vmres_sim_set_demand(sim, index, 1, 101)); /* its swap is 100 */
        sim->vms[index].life = SIM_LIVE;
        vmres_sim_run(sim, 3000);
        for (uint8_t kind = 0; kind < kinds; kind++) {
            struct vmres_sim_metrics metrics;

            EXPECT_OK(vmres_sim_metrics(sim, VMRES_VM_NONE, kind, &metrics));
            assert_int_equal(metrics.oom_ticks, kind == 1 ? 3 : 0);
        }
        vmres_sim_destroy(sim);
    }
}

static void entitlements_are_a_weighted_level_within_limits(void **state)
{
    struct vmres_sim *sim = open_world(&device, 1000);
    struct sim_holding *a = place(sim, 0, 0);
    struct sim_holding *b = place(sim, 0, 0);
    struct sim_holding *c = place(sim, 0, 0);

    (void)state;
    a->limits.floor = 300;
    b->limits.ceiling = 100;
    vmres__sim_share_compute(sim, 0);
    assert_int_equal(a->tally.entitlement, 450);
    assert_int_equal(b->tally.entitlement, 100);
    assert_int_equal(c->tally.entitlement, 450);
    c->limits.weight = 3; /* 225 : 675, and a has its floor: 300 : 600 */
    vmres__sim_share_compute(sim, 0);
    assert_int_equal(a->tally.entitlement, 300);
    assert_int_equal(b->tally.entitlement, 100);
    assert_in_range(c->tally.entitlement, 599, 600);
    c->limits.ceiling = 50; /* nobody wants it all */
    a->limits.ceiling = 400;
    vmres__sim_share_compute(sim, 0);
    assert_int_equal(a->tally.entitlement, 400);
    assert_int_equal(c->tally.entitlement, 50);
    vmres_sim_destroy(sim);
}

static void nonsense_is_refused(void **state)
{
    struct vmres_vm_limits limits = {.floor = 10, .ceiling = 1000};
    struct vmres_sim_vm_spec vm = {.spec = {.name = "x", .limits = &limits}};
    const uint64_t backwards[] = {2, 1};
    struct vmres_sim_demand demand = {.points = 2, .at_ms = backwards, .amount = backwards};
    struct vmres_sim_fault fault = {.fault = VMRES_SIM_SLOW, .share = VMRES_PPM + 1};
    const struct vmres_sim_fault flood = {.fault = VMRES_SIM_FLOOD,
                                          .amount = VMRES_SIM_FLOOD_MAX + 1};
    struct vmres_sim *sim = open_world(&device, 1000);
    struct vmres_sim_state seen;
    uint32_t index = 77;

    (void)state;
    vm.spec.name = "";
    EXPECT_STATUS(vmres_sim_add_vm(sim, &vm, &index), VMRES_INVALID);
    vm.spec.name = "x";
    vm.demand = &demand;
    EXPECT_STATUS(vmres_sim_add_vm(sim, &vm, &index), VMRES_INVALID);
    vm.demand = NULL;
    limits.floor = 1001;
    EXPECT_STATUS(vmres_sim_add_vm(sim, &vm, &index), VMRES_INVALID);
    assert_int_equal(index, 77);
    EXPECT_STATUS(vmres_sim_vm(sim, 0, 0, &seen), VMRES_INVALID);
    limits.floor = 10;
    EXPECT_OK(vmres_sim_add_vm(sim, &vm, &index));
    EXPECT_STATUS(vmres_sim_add_vm(sim, &vm, &index), VMRES_EXISTS);
    assert_int_equal(index, 0);
    vm.spec.name = "y";
    EXPECT_OK(vmres_sim_add_vm(sim, &vm, &index));
    vm.spec.name = "z";
    EXPECT_OK(vmres_sim_add_vm(sim, &vm, &index));
    vm.spec.name = "more";
    EXPECT_STATUS(vmres_sim_add_vm(sim, &vm, &index), VMRES_LIMIT);
    EXPECT_STATUS(vmres_sim_add_fault(sim, &fault), VMRES_INVALID);
    fault.share = 1;
    fault.vm = 3;
    EXPECT_STATUS(vmres_sim_add_fault(sim, &fault), VMRES_INVALID);
    fault.vm = 2;
    EXPECT_STATUS(vmres_sim_add_fault(sim, &flood), VMRES_INVALID);
    for (uint32_t i = 0; i < 4 * 3 + 16; i++)
        EXPECT_OK(vmres_sim_add_fault(sim, &fault));
    EXPECT_STATUS(vmres_sim_add_fault(sim, &fault), VMRES_LIMIT);
    vmres_sim_destroy(sim);
}

static void faults_have_names(void **state)
{
    (void)state;
    assert_int_equal(vmres_sim_fault_find("ignore_requests"), VMRES_SIM_IGNORE_REQUESTS);
    assert_int_equal(vmres_sim_fault_find("flood"), VMRES_SIM_FLOOD);
    assert_int_equal(vmres_sim_fault_find("gremlin"), VMRES_SIM_NO_FAULT);
    assert_string_equal(vmres_sim_fault_name(VMRES_SIM_LIE_RELEASED), "lie_released");
    assert_null(vmres_sim_fault_name(VMRES_SIM_NO_FAULT));
    assert_null(vmres_sim_fault_name((enum vmres_sim_fault_kind)(VMRES_SIM_REBOOT_EMPTY + 1)));
}

static void every_failed_allocation_is_survived(void **state)
{
    struct vmres_sim_options options;
    struct failing_allocator heap;
    enum vmres_status status = VMRES_NOMEM;
    struct vmres_sim *sim = NULL;
    struct vmres_error error;

    (void)state;
    vmres_sim_options_init(&options);
    options.max_vms = 3;
    options.kinds = 1;
    options.resources = &resource;
    options.allocator = &heap.allocator;
    for (size_t n = 1; status != VMRES_OK; n++) {
        failing_allocator_init(&heap, n);
        status = vmres_sim_create(&options, &sim, &error);
        if (status != VMRES_OK) {
            EXPECT_STATUS(status, VMRES_NOMEM);
            assert_null(sim);
            failing_allocator_expect_empty(&heap);
        }
    }
    assert_true(heap.asked > 1);
    vmres_sim_destroy(sim);
    failing_allocator_expect_empty(&heap);
}

static void options_out_of_range_are_named(void **state)
{
    struct vmres_resource placed = resource;
    struct vmres_sim_options options;
    struct vmres_sim *sim = NULL;
    struct vmres_error error;

    (void)state;
    vmres_sim_options_init(&options);
    EXPECT_STATUS(vmres_sim_create(&options, &sim, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, "max_vms"));
    options.max_vms = 1;
    EXPECT_STATUS(vmres_sim_create(&options, &sim, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, "kinds"));
    options.kinds = 1;
    placed.placement = (enum vmres_placement)(VMRES_PLACEMENT_EXTENT + 1);
    options.resources = &placed;
    EXPECT_STATUS(vmres_sim_create(&options, &sim, &error), VMRES_INVALID);
    assert_non_null(strstr(error.message, "placement"));
    assert_null(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unused_memory_leaves_first_and_fast),
        cmocka_unit_test(a_device_without_rates_is_done_at_once),
        cmocka_unit_test(short_ticks_add_up_to_the_rate),
        cmocka_unit_test(what_is_missing_is_added_up),
        cmocka_unit_test(moves_are_priced_and_turns_are_told),
        cmocka_unit_test(thrashing_and_caches_are_counted),
        cmocka_unit_test(only_memory_runs_out),
        cmocka_unit_test(entitlements_are_a_weighted_level_within_limits),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(faults_have_names),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(options_out_of_range_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
