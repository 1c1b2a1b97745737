/* SPDX-License-Identifier: MIT */
/*
 * The eight hosts on which xapi's squeezed is tested, A to H: room is needed on a full host whose
 * guests stop short, stall, or do not move at all. The need is a reservation; what was gathered is
 * claimed by a VM that takes 500 of it, and the rest is given back. Amounts are MiB.
 */
#include <vmres/harness.h>
#include <vmres/operate.h>

#include "support/rig.h"

enum { FIRST_NEED = 1, TICK_MS = 250 };

struct guest {
    const char *name;
    uint32_t floor, ceiling, held;
    uint32_t stuck_at; /* it does not go below that, and does not say so; 0: it goes all the way */
    uint32_t rate;     /* releases so much a second; 0: what the device can, 500 */
    uint32_t pause_ms; /* stands still every other so many; UINT32_MAX: always */
};

struct world {
    struct vmres_resource memory;
    struct vmres_policy policy;
    struct vmres_sim_device device;
    struct vmres_harness *host;
    uint32_t guests;
};

static void fault(struct world *world, uint32_t vm, struct vmres_sim_fault what)
{
    what.vm = vm;
    vmres_harness_hurt(world->host, &what);
}

static void add(struct world *world, const struct guest *guest)
{
    const uint32_t minute = 60000; /* of stalling is enough */
    struct vmres_vm_limits limits = {.floor = guest->floor * VMRES_MIB,
                                     .ceiling = guest->ceiling * VMRES_MIB,
                                     .initial = guest->held * VMRES_MIB,
                                     .participation = VMRES_PARTICIPATE_BOTH};
    struct vmres_sim_vm_spec spec = {.spec = {.name = guest->name, .limits = &limits}};
    uint32_t vm;

    EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(world->host), &spec, &vm));
    /* Memory in use leaves at a byte a second: that is where it is stuck. */
    vmres_harness_want(world->host, vm, 0, guest->stuck_at * VMRES_MIB);
    if (guest->stuck_at > 0)
        fault(world, vm, (struct vmres_sim_fault){.fault = VMRES_SIM_LIE_USED, .share = 100000});
    if (guest->rate > 0)
        fault(world, vm,
              (struct vmres_sim_fault){.fault = VMRES_SIM_SLOW, .share = guest->rate * 2000});
    for (uint32_t at = 0; guest->pause_ms > 0 && at < minute; at += 2 * guest->pause_ms) {
        fault(world, vm,
              (struct vmres_sim_fault){.fault = VMRES_SIM_IGNORE_REQUESTS,
                                       .at_ms = at,
                                       .for_ms = guest->pause_ms < minute ? guest->pause_ms : 0});
        if (guest->pause_ms >= minute)
            break;
    }
}

/* A host that these fill. */
static void open_world(struct world *world, const struct guest *guests, uint32_t count)
{
    struct vmres_harness_options options;
    uint64_t capacity = 0;

    for (uint32_t i = 0; i < count; i++)
        capacity += guests[i].held * VMRES_MIB;
    *world = (struct world){
        .memory = {.name = "memory", .granule = VMRES_MIB, .capacity = capacity},
        .policy = {.ops = vmres_policy_find("static")},
        .device = {.release = 500 * VMRES_MIB, .grant = 2 * VMRES_GIB, .swap_out = 1},
        .guests = count};
    vmres_harness_options_init(&options);
    options.sim.kinds = 1;
    options.sim.resources = &world->memory;
    options.sim.devices = &world->device;
    options.sim.tick_ms = TICK_MS;
    options.sim.max_faults = 400;
    options.policies = &world->policy;
    EXPECT_OK(vmres_harness_create(&options, &world->host, NULL));
    for (uint32_t i = 0; i < count; i++)
        add(world, &guests[i]);
    vmres_harness_start(world->host);
    vmres_harness_run(world->host, 2000);
}

static void close_world(struct world *world)
{
    const char *breach = vmres_harness_breach(world->host);

    if (breach)
        fail_msg("%s", breach);
    vmres_harness_destroy(world->host);
}

static const struct vmres_engine *engine_of(const struct world *world)
{
    return vmres_driver_engine(vmres_harness_driver(world->host));
}

static void need(struct world *world, uint32_t amount)
{
    const struct vmres_reservation wanted = {.id = FIRST_NEED,
                                             .minimum = amount * VMRES_MIB,
                                             .maximum = amount * VMRES_MIB,
                                             .within_ms = 300000};

    EXPECT_OK(vmres_driver_reserve(vmres_harness_driver(world->host), &wanted));
    vmres_harness_run(world->host, TICK_MS);
}

/* Waits until it is ready, or until it is given up. */
static int gathered(struct world *world)
{
    struct vmres_reservation_info info;

    while (vmres_engine_reservation(engine_of(world), FIRST_NEED, &info) == VMRES_OK) {
        if (info.ready)
            return 1;
        vmres_harness_run(world->host, TICK_MS);
    }
    return 0;
}

/* One comes that takes 500 of it; the rest is given back, and nothing else is touched. */
static void consume(struct world *world)
{
    struct vmres_driver *driver = vmres_harness_driver(world->host);
    const struct vmres_vm_limits limits = {.floor = 500 * VMRES_MIB, .ceiling = 500 * VMRES_MIB};
    struct vmres_sim_vm_spec spec = {.spec = {.name = "new", .limits = &limits},
                                     .reservation = FIRST_NEED};
    struct vmres_reservation_info info;
    struct vmres_pool_info pool;
    uint64_t had;
    uint32_t vm;

    EXPECT_OK(vmres_engine_reservation(engine_of(world), FIRST_NEED, &info));
    had = info.charge;
    assert_non_null(driver);
    EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(world->host), &spec, &vm));
    vmres_harness_run(world->host, 1000);
    assert_int_equal(vmres_harness_vm(world->host, vm, 0).held, 500 * VMRES_MIB);
    EXPECT_OK(vmres_engine_pool(engine_of(world), 0, &pool));
    assert_true(pool.free >= had - 500 * VMRES_MIB);
    assert_int_equal(pool.reserved, 0);
}

static uint32_t held(const struct world *world, uint32_t vm)
{
    return (uint32_t)(vmres_harness_vm(world->host, vm, 0).held / VMRES_MIB);
}

static void a_hidden_floor_and_one_that_stalls(void **state)
{
    static const struct guest guests[] = {
        {"a", 1000, 2000, 1500, 1250, 100, 0},
        {"b", 2500, 4500, 3500, 0, 500, 250},
    };
    struct world world;

    (void)state;
    open_world(&world, guests, 2);
    need(&world, 1000);
    assert_true(gathered(&world));
    assert_true(held(&world, 0) >= 1250);
    consume(&world);
    close_world(&world);
}

static void two_that_stall_part_of_the_time(void **state)
{
    static const struct guest guests[] = {
        {"a", 500, 4500, 3500, 0, 100, 3000},
        {"b", 500, 2500, 1500, 0, 100, 1500},
    };
    struct world world;

    (void)state;
    open_world(&world, guests, 2);
    need(&world, 1000);
    assert_true(gathered(&world));
    consume(&world);
    close_world(&world);
}

/* Floors leave too little: that is said at once, and nobody is asked for anything. */
static void impossible(void **state)
{
    static const struct guest guests[] = {
        {"a", 1000, 2000, 1500, 0, 0, 0},
        {"b", 2000, 3000, 2500, 0, 0, 0},
    };
    struct world world;
    struct vmres_counters counters;

    (void)state;
    open_world(&world, guests, 2);
    vmres_engine_counters(engine_of(&world), &counters);
    assert_int_equal(counters.refused, 0);
    need(&world, 1500);
    vmres_engine_counters(engine_of(&world), &counters);
    assert_int_equal(counters.refused, 1);
    assert_false(gathered(&world));
    assert_int_equal(held(&world, 0), 1500);
    assert_int_equal(held(&world, 1), 2500);
    close_world(&world);
}

static void the_culprit_is_named(void **state)
{
    static const struct guest guests[] = {
        {"a", 1000, 2000, 1500, 0, 0, 0},
        {"b", 2000, 3000, 2500, 2250, 0, 0},
    };
    struct world world;
    struct vmres_pool_info pool;

    (void)state;
    open_world(&world, guests, 2);
    need(&world, 1000);
    vmres_harness_run(world.host, 20000);
    assert_true(vmres_harness_account(world.host, 1, 0).flags & VMRES_VIEW_UNCOOPERATIVE);
    assert_false(vmres_harness_account(world.host, 0, 0).flags & VMRES_VIEW_UNCOOPERATIVE);
    EXPECT_OK(vmres_engine_pool(engine_of(&world), 0, &pool));
    assert_true(pool.unmet > 0 && pool.unmet <= 250 * VMRES_MIB);
    assert_false(gathered(&world));
    /* Given up, it is free again, and nobody keeps what was gathered. */
    EXPECT_OK(vmres_engine_pool(engine_of(&world), 0, &pool));
    assert_int_equal(pool.reserved, 0);
    assert_true(pool.free >= 700 * VMRES_MIB);
    close_world(&world);
}

static const struct guest stuck_and_good[] = {
    {"stuck", 5000, 7000, 7000, 0, 0, UINT32_MAX},
    {"good", 5000, 11000, 6000, 0, 0, 0},
};

static void the_good_one_gives_although_it_is_owed_more(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, stuck_and_good, 2);
    need(&world, 1000);
    assert_true(gathered(&world));
    assert_int_equal(held(&world, 0), 7000);
    assert_int_equal(held(&world, 1), 5000);
    consume(&world);
    close_world(&world);
}

/* What has been asked for is not there yet: it cannot be claimed, and the host never holds more
 * than it has, which the harness sees to in every tick. */
static void nothing_is_allotted_from_nothing(void **state)
{
    const struct vmres_vm_limits limits = {.floor = 1000 * VMRES_MIB, .ceiling = 1000 * VMRES_MIB};
    struct vmres_sim_vm_spec spec = {.spec = {.name = "hasty", .limits = &limits},
                                     .reservation = FIRST_NEED};
    struct world world;
    uint32_t vm;

    (void)state;
    open_world(&world, stuck_and_good, 2);
    need(&world, 1000);
    EXPECT_OK(vmres_sim_add_vm(vmres_harness_sim(world.host), &spec, &vm));
    vmres_harness_run(world.host, TICK_MS);
    assert_int_equal(vmres_harness_vm(world.host, vm, 0).held, 0);
    /* It asks again until it is there. */
    vmres_harness_run(world.host, 40000);
    assert_int_equal(vmres_harness_vm(world.host, vm, 0).held, 1000 * VMRES_MIB);
    assert_int_equal(held(&world, 1), 5000);
    close_world(&world);
}

/* Devices that stop a little short of where they were told to go: what is missing is asked of the
 * other, then anew. */
static void devices_that_are_not_exact(void **state)
{
    static const struct guest guests[] = {
        {"a", 1000, 2000, 1500, 0, 100, 0},
        {"b", 2500, 4500, 3500, 0, 500, 250},
    };
    struct world world;

    (void)state;
    open_world(&world, guests, 2);
    for (uint32_t vm = 0; vm < 2; vm++)
        fault(
            &world, vm,
            (struct vmres_sim_fault){.fault = VMRES_SIM_PARTIAL, .share = 980000, .for_ms = 20000});
    need(&world, 1000);
    assert_true(gathered(&world));
    consume(&world);
    close_world(&world);
}

/* One cannot grow, and does not say so: the other gets all that is free. */
static void a_hidden_ceiling(void **state)
{
    struct rig *rig = rig_new(4000);

    (void)state;
    rig_add(rig, 0, 1000, 2000, 1500);
    rig_add(rig, 1, 1000, 2500, 1500);
    rig_boot(rig);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_wish(rig, 0, 2000);
    rig_wish(rig, 1, 2500);
    rig_until(rig, 20000);
    EXPECT_BOOKS(rig, "1500 2500 + 0");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_floor_and_one_that_stalls),          /* A */
        cmocka_unit_test(two_that_stall_part_of_the_time),             /* B */
        cmocka_unit_test(impossible),                                  /* C */
        cmocka_unit_test(the_culprit_is_named),                        /* D */
        cmocka_unit_test(the_good_one_gives_although_it_is_owed_more), /* E */
        cmocka_unit_test(nothing_is_allotted_from_nothing),            /* F */
        cmocka_unit_test(devices_that_are_not_exact),                  /* G */
        cmocka_unit_test(a_hidden_ceiling),                            /* H */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
