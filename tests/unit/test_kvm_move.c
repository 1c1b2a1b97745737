/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend end to end: two guests are adopted, and what one does not use goes to the other,
 * through all eight steps, or does not where it should not.
 */
#include <string.h>

#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static struct kvm_world world;
static struct fake_qmp *donor, *recipient;

static void open_two(void)
{
    kvm_world_init_pair(&world);
    donor = &world.guests[0].qmp;
    recipient = &world.guests[1].qmp;
    kvm_world_create(&world);
}

static bool both_are_live(void *user)
{
    (void)user;
    return kvm_guest_is_live(&world.guests[0]) && kvm_guest_is_live(&world.guests[1]) &&
           kvm_world_account(&world, 0).charge == 256 * MIB &&
           kvm_world_account(&world, 1).charge == 192 * MIB;
}

static void start_two(void)
{
    kvm_world_add(&world, 0, 64, 512);
    kvm_world_add(&world, 1, 64, 512);
    kvm_world_start(&world);
    kvm_world_until(&world, both_are_live, NULL);
}

/* From now on it should be the other way round. */
static void order(void)
{
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
}

static uint64_t held(unsigned guest)
{
    return kvm_world_account(&world, guest).held;
}

static bool both_moved(void *user)
{
    (void)user;
    return held(0) == 192 * MIB && held(1) == 256 * MIB &&
           kvm_world_account(&world, 0).charge == 192 * MIB &&
           kvm_world_account(&world, 1).incoming == 0;
}

static bool is_in_trace(void *words)
{
    return kvm_world_find(&world, NULL, words) != NULL;
}

static void wait_for(const char *words)
{
    kvm_world_until(&world, is_in_trace, (void *)(uintptr_t)words);
}

/* The eight steps, in their order; (1) and (2) are seen again and again. */
static void expect_steps(void)
{
    static const char *const steps[] = {"(1)",     "(2)",     "(3)",     "vm0 (4)",
                                        "vm0 (5)", "vm1 (6)", "vm1 (7)", "vm1 (8)"};
    const char *at = NULL;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *found = kvm_world_find(&world, at, steps[i]);

        if (!found)
            fail_msg("step %s is not in the trace", steps[i]);
        at = found;
    }
}

static void test_moves_memory(void **state)
{
    (void)state;
    open_two();
    start_two();
    order();
    kvm_world_until(&world, both_moved, NULL);
    expect_steps();
    assert_int_equal(donor->target, 192 * MIB);
    assert_int_equal(recipient->target, 256 * MIB);
    assert_null(kvm_world_find(&world, NULL, "disputed"));
    kvm_world_close(&world);
}

/* Blocks go before the balloon is filled; a balloon is emptied before blocks come. */
static void test_moves_blocks(void **state)
{
    (void)state;
    open_two();
    donor->actual = donor->target = 224 * MIB;
    donor->mem_max = recipient->mem_max = 128 * MIB;
    donor->mem_size = donor->mem_requested = 32 * MIB;
    kvm_world_process(&world.guests[0]);
    recipient->base = 224 * MIB;
    kvm_world_process(&world.guests[1]);
    start_two();
    order();
    kvm_world_until(&world, both_moved, NULL);
    assert_int_equal(donor->mem_size, 0);
    assert_int_equal(donor->actual, 192 * MIB);
    assert_int_equal(recipient->actual, 224 * MIB);
    assert_int_equal(recipient->mem_size, 32 * MIB);
    kvm_world_close(&world);
}

/* A guest whose blocks are in use tries again after a long while only, though they may be free by
 * then; unless it is told another size: to stay what it is, and after that the old one. */
static void test_blocks_that_stick_are_asked_for_again(void **state)
{
    (void)state;
    open_two();
    donor->actual = donor->target = 192 * MIB;
    donor->base = 192 * MIB;
    donor->mem_max = 128 * MIB;
    donor->mem_size = donor->mem_requested = 64 * MIB;
    donor->mem_sticks = 32 * MIB;
    kvm_world_process(&world.guests[0]);
    start_two();
    order();
    wait_for("transfer vm0 to vm1 moved 32MiB of 64MiB: partial");
    kvm_world_until(&world, both_moved, NULL);
    assert_int_equal(donor->mem_size, 0);
    assert_int_equal(donor->mem_requested, 0);
    assert_int_equal(donor->actual, 192 * MIB);
    kvm_world_close(&world);
}

/* --- lies and refusals --- */

/* The balloon says that it gave, and the host still holds it: locked memory, say. */
static void lose_nothing(struct fake_qmp *qmp)
{
    qmp->pinned = 256 * MIB - qmp->actual;
    kvm_world_process((struct kvm_guest *)qmp);
}

static void test_lie_is_disputed(void **state)
{
    (void)state;
    open_two();
    start_two();
    donor->changed = lose_nothing;
    order();
    wait_for("the host still sees it");
    kvm_world_turn(&world, 100);
    assert_true(donor->actual < 256 * MIB);
    assert_in_range(kvm_world_account(&world, 0).charge, 240 * MIB, 256 * MIB);
    assert_true(kvm_world_account(&world, 0).disputed > 0);
    assert_in_range(recipient->actual, 192 * MIB, 208 * MIB); /* the tolerance, at most */
    kvm_world_close(&world);
}

/* Counters are enough from then on. */
static void test_overhead_is_measured_once(void **state)
{
    (void)state;
    open_two();
    start_two();
    world.guests[0].smaps = false;
    kvm_world_process(&world.guests[0]);
    order();
    kvm_world_until(&world, both_moved, NULL);
    kvm_world_close(&world);
}

static bool donor_is_in_reach(void *user)
{
    (void)user;
    return kvm_world_info(&world, 0).witness != UINT64_MAX;
}

/* A part of the guest's memory that is not recognised would pass for QEMU's own, and be taken off
 * from what the host sees: then what was never given up would be believed. */
static void expect_overhead(bool split, uint64_t overhead)
{
    open_two();
    donor->actual = donor->target = 192 * MIB;
    donor->mem_max = 128 * MIB;
    donor->mem_size = donor->mem_requested = 64 * MIB;
    world.guests[0].split = split;
    kvm_world_process(&world.guests[0]);
    kvm_world_add(&world, 0, 64, 512);
    kvm_world_start(&world);
    kvm_world_until(&world, donor_is_in_reach, NULL);
    kvm_world_turn(&world, 100);
    assert_int_equal(kvm_world_info(&world, 0).overhead, overhead);
    kvm_world_close(&world);
}

static void test_unknown_mappings_are_not_taken_off(void **state)
{
    (void)state;
    expect_overhead(false, KVM_WORLD_OVERHEAD);
    expect_overhead(true, 0);
}

static void test_guest_ignores_the_request(void **state)
{
    (void)state;
    open_two();
    start_two();
    donor->step = 0;
    order();
    wait_for("uncooperative");
    wait_for("transfer vm0 to vm1 moved 0B of 64MiB");
    kvm_world_turn(&world, 50);
    assert_int_equal(donor->actual, 256 * MIB);
    assert_int_equal(donor->target, 256 * MIB); /* the unmet wish is not pursued any more */
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    assert_int_equal(recipient->actual, 192 * MIB);
    kvm_world_close(&world);
}

static bool the_rest_came(void *user)
{
    (void)user;
    return held(0) == 224 * MIB && held(1) == 224 * MIB &&
           kvm_world_account(&world, 0).charge == 224 * MIB && donor->target == 224 * MIB;
}

static void test_guest_goes_half_way(void **state)
{
    (void)state;
    open_two();
    start_two();
    donor->floor = 224 * MIB;
    order();
    kvm_world_until(&world, the_rest_came, NULL);
    kvm_world_close(&world);
}

static void test_qemu_refuses(void **state)
{
    (void)state;
    open_two();
    start_two();
    donor->command = "balloon";
    donor->reply = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": %d}";
    order();
    wait_for("transfer vm0 to vm1 moved 0B of 64MiB: failed");
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    donor->command = NULL;
    kvm_world_until(&world, both_moved, NULL);
    kvm_world_close(&world);
}

/* --- what the guest does by itself --- */

static bool is_seized(void *user)
{
    (void)user;
    return kvm_world_account(&world, 1).charge == 240 * MIB;
}

static void test_guest_takes_back(void **state)
{
    (void)state;
    open_two();
    world.resource.capacity = 512 * MIB;
    start_two();
    world.script.sizes[1] = 240 * MIB;
    recipient->target = recipient->actual = 240 * MIB; /* deflate-on-oom */
    kvm_world_process(&world.guests[1]);
    kvm_world_until(&world, is_seized, NULL);
    assert_non_null(kvm_world_find(&world, NULL, "more than it was charged with"));
    kvm_world_close(&world);
}

static void test_donor_dies_on_the_way(void **state)
{
    struct vmres_pool_info pool;

    (void)state;
    open_two();
    start_two();
    donor->step = 2 * MIB;
    order();
    wait_for("vm0 (5)");
    kvm_world_kill(&world, 0);
    kvm_world_until(&world, kvm_guest_is_gone, &world.guests[0]);
    kvm_world_turn(&world, 100);
    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(world.driver), 0, &pool));
    assert_int_equal(pool.transit, 0);
    assert_int_equal(pool.free + kvm_world_account(&world, 1).charge, 448 * MIB);
    kvm_world_close(&world);
}

static bool donor_is_frozen(void *user)
{
    (void)user;
    return kvm_world_state(&world, 0) == VMRES_VM_FROZEN;
}

/* What is open on it is called off, and nothing more is asked until it runs again. */
static void test_donor_is_paused_on_the_way(void **state)
{
    uint64_t target;

    (void)state;
    open_two();
    start_two();
    donor->step = 2 * MIB;
    order();
    wait_for("vm0 (5)");
    donor->running = false;
    fake_qmp_event(donor, "STOP", NULL);
    kvm_world_until(&world, donor_is_frozen, NULL);
    kvm_world_turn(&world, 60);
    target = donor->target;
    assert_int_equal(target, donor->actual); /* it is to stay where it came to */
    assert_true(kvm_world_account(&world, 0).charge >= donor->actual);
    kvm_world_turn(&world, 200);
    assert_int_equal(donor->target, target);
    donor->running = true;
    donor->step = 16 * MIB;
    fake_qmp_event(donor, "RESUME", NULL);
    kvm_world_until(&world, both_moved, NULL);
    kvm_world_close(&world);
}

static void test_hangs_on_the_way(void **state)
{
    (void)state;
    open_two();
    start_two();
    donor->step = 2 * MIB;
    order();
    wait_for("vm0 (5)");
    donor->hung = true;
    wait_for("vm0 silent");
    assert_true(kvm_world_account(&world, 0).charge >= donor->actual);
    donor->step = 16 * MIB;
    fake_qmp_go_on(donor);
    kvm_world_until(&world, both_moved, NULL);
    kvm_world_close(&world);
}

/* --- what it says of itself --- */

static bool has_reported(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).age_ms != UINT32_MAX;
}

/* What is used stays what it is, whatever the balloon holds; as soon as that is at rest. */
static bool has_92_available(void *user)
{
    struct vmres_account_info account = kvm_world_account(&world, 0);

    (void)user;
    return account.available == 92 * MIB && account.used == 100 * MIB;
}

static void test_reports(void **state)
{
    struct vmres_account_info account;

    (void)state;
    open_two();
    donor->used = 100 * MIB;
    start_two();
    kvm_world_until(&world, has_reported, NULL);
    account = kvm_world_account(&world, 0);
    assert_int_equal(account.used, 100 * MIB);
    assert_int_equal(account.available, 156 * MIB);
    assert_int_equal(account.free, 156 * MIB);
    assert_int_equal(account.stall, 0);
    order();
    kvm_world_until(&world, both_moved, NULL);
    kvm_world_until(&world, has_92_available, NULL);
    kvm_world_close(&world);
}

static bool is_fresh(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).flags & VMRES_VIEW_FRESH;
}

static bool is_stale(void *user)
{
    return !is_fresh(user);
}

/* The driver's statistics stop: what they said last grows old, whatever QEMU goes on saying. */
static void test_old_statistics_grow_stale(void **state)
{
    (void)state;
    open_two();
    start_two();
    kvm_world_until(&world, is_fresh, NULL);
    donor->driver = false;
    kvm_world_until(&world, is_stale, NULL);
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_memory),
        cmocka_unit_test(test_moves_blocks),
        cmocka_unit_test(test_blocks_that_stick_are_asked_for_again),
        cmocka_unit_test(test_lie_is_disputed),
        cmocka_unit_test(test_overhead_is_measured_once),
        cmocka_unit_test(test_unknown_mappings_are_not_taken_off),
        cmocka_unit_test(test_guest_ignores_the_request),
        cmocka_unit_test(test_guest_goes_half_way),
        cmocka_unit_test(test_qemu_refuses),
        cmocka_unit_test(test_guest_takes_back),
        cmocka_unit_test(test_donor_dies_on_the_way),
        cmocka_unit_test(test_donor_is_paused_on_the_way),
        cmocka_unit_test(test_hangs_on_the_way),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_old_statistics_grow_stale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
