/* SPDX-License-Identifier: MIT */
/*
 * Step 8 of the KVM backend: what was given counts as taken in when the guest sees it, not when
 * QEMU says so; what it never sees is taken back; and whatever a guest says of that, it is itself
 * alone that pays for it.
 */
#include <string.h>

#include "kvm/internal.h"
#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static struct kvm_world world;
static struct fake_qmp *donor, *recipient;

/* The second can be given blocks, or has a balloon that holds 64 MiB. */
static void open_two(bool blocks)
{
    kvm_world_init_pair(&world);
    world.driver_options.engine.progress_ms = 10000; /* the backend does not wait for so long */
    donor = &world.guests[0].qmp;
    recipient = &world.guests[1].qmp;
    if (blocks) {
        recipient->base = 192 * MIB;
        recipient->mem_max = 128 * MIB;
        kvm_world_process(&world.guests[1]);
    }
}

static bool is(unsigned guest, uint64_t size)
{
    struct vmres_account_info account;

    if (!kvm_guest_is_live(&world.guests[guest]))
        return false;
    account = kvm_world_account(&world, guest);
    return account.held == size && account.charge == size;
}

static bool both_are(uint64_t first, uint64_t second)
{
    return is(0, first) && is(1, second) && vmres_engine_settled(vmres_driver_engine(world.driver));
}

static bool are_as_ordered(void *user)
{
    (void)user;
    return both_are(world.script.sizes[0], world.script.sizes[1]);
}

static const struct kvm_sight *sight(void)
{
    return &vmres__kvm_find(world.kvm, "vm1")->sight;
}

/* What its guest counts is known, if it tells. */
static bool are_ready(void *user)
{
    (void)user;
    return are_as_ordered(NULL) && (sight()->known_total != 0 || recipient->reserve == 0);
}

static void start_two(void)
{
    kvm_world_create(&world);
    kvm_world_add(&world, 0, 64, 512);
    kvm_world_add(&world, 1, 64, 512);
    kvm_world_start(&world);
    kvm_world_until(&world, are_ready, NULL);
}

static void move_to(uint64_t first, uint64_t second)
{
    world.script.sizes[0] = first;
    world.script.sizes[1] = second;
    kvm_world_until(&world, are_as_ordered, NULL);
}

static void test_blocks_that_are_seen(void **state)
{
    struct vmres_kvm_vm_info info;

    (void)state;
    open_two(true);
    start_two();
    move_to(192 * MIB, 256 * MIB);
    info = kvm_world_info(&world, 1);
    assert_true(info.verified > 0);
    assert_int_equal(info.unverified + info.unseen, 0);
    kvm_world_close(&world);
}

/* --- a guest that does not bring blocks online --- */

static bool is_given_up(void *user)
{
    const char *reason = kvm_world_info(&world, 1).reason;

    (void)user;
    return reason && strstr(reason, "bring them online") && both_are(192 * MIB, 192 * MIB);
}

/* Nobody takes it for relieved, and what is of no use to it is there for others. */
static void test_blocks_that_stay_offline(void **state)
{
    struct vmres_pool_info pool;

    (void)state;
    open_two(true);
    recipient->offline = true;
    start_two();
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, is_given_up, NULL);
    assert_null(kvm_world_find(&world, NULL, "vm1 (8)"));
    assert_int_equal(recipient->mem_size, 0);
    assert_int_equal(kvm_world_info(&world, 1).unseen, 1);
    assert_int_equal(kvm_world_account(&world, 1).limit, 192 * MIB); /* no more can be given */
    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(world.driver), 0, &pool));
    assert_int_equal(pool.free, 64 * MIB);
    move_to(256 * MIB, 192 * MIB); /* which goes back to whom it is of use */
    kvm_world_close(&world);
}

static bool blocks_are_there(void *user)
{
    (void)user;
    return recipient->mem_size == 64 * MIB;
}

/* It takes its time to bring them online: that is waited for. */
static void test_blocks_that_come_late(void **state)
{
    (void)state;
    open_two(true);
    world.options.idle_ms = 400;
    recipient->offline = true;
    start_two();
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, blocks_are_there, NULL);
    kvm_world_turn(&world, 20);
    assert_null(kvm_world_find(&world, NULL, "vm1 (8)"));
    recipient->offline = false;
    kvm_world_until(&world, are_as_ordered, NULL);
    assert_int_equal(kvm_world_info(&world, 1).unseen, 0);
    assert_true(kvm_world_info(&world, 1).verified > 0);
    kvm_world_close(&world);
}

/* It is given blocks again when it began anew: then it may have been set up otherwise. */
static void test_a_new_life_is_tried_again(void **state)
{
    (void)state;
    open_two(true);
    recipient->offline = true;
    start_two();
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, is_given_up, NULL);
    recipient->offline = false;
    fake_qmp_event(recipient, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    kvm_world_until(&world, are_as_ordered, NULL);
    assert_null(kvm_world_info(&world, 1).reason);
    kvm_world_close(&world);
}

/* --- balloons --- */

static bool is_understood(void *user)
{
    (void)user;
    return sight()->counting != KVM_COUNTS_UNKNOWN;
}

/* The balloon moves, and how its guest counts it is known. */
static void open_understood(bool full)
{
    open_two(false);
    recipient->full = full;
    start_two();
    move_to(224 * MIB, 224 * MIB);
    kvm_world_until(&world, is_understood, NULL);
}

static void test_balloon_that_counts_as_gone(void **state)
{
    (void)state;
    open_understood(false);
    assert_int_equal(kvm_world_info(&world, 1).verified, 0);
    move_to(192 * MIB, 256 * MIB);
    assert_true(kvm_world_info(&world, 1).verified > 0);
    kvm_world_close(&world);
}

/* The total does not move: then the size of the balloon is all that its guest says. */
static void test_balloon_that_counts_as_used(void **state)
{
    (void)state;
    open_understood(true);
    move_to(192 * MIB, 256 * MIB);
    assert_int_equal(sight()->counting, KVM_COUNTS_USED);
    assert_int_equal(kvm_world_info(&world, 1).verified, 0);
    assert_int_equal(kvm_world_info(&world, 1).unseen, 0);
    kvm_world_close(&world);
}

/* Statistics come once a second; whoever waits for them asks for them. */
static void test_statistics_are_asked_for(void **state)
{
    unsigned woken;

    (void)state;
    open_two(true);
    start_two();
    recipient->dozes = true;
    woken = recipient->woken;
    move_to(192 * MIB, 256 * MIB);
    assert_true(recipient->woken > woken);
    assert_int_equal(kvm_world_info(&world, 1).unverified, 0);
    assert_true(recipient->timed);
    kvm_world_close(&world);
}

/* --- nobody to ask, or nobody to be believed --- */

/* Then QEMU's word has to do, and that can be seen. */
static void test_no_total_is_told(void **state)
{
    (void)state;
    open_two(true);
    recipient->reserve = 0;
    start_two();
    move_to(192 * MIB, 256 * MIB);
    assert_true(kvm_world_info(&world, 1).unverified > 0);
    assert_int_equal(kvm_world_info(&world, 1).verified, 0);
    kvm_world_close(&world);
}

static void test_no_total_is_told_any_more(void **state)
{
    (void)state;
    open_two(true);
    start_two();
    recipient->claimed = UINT64_MAX; /* not set */
    move_to(192 * MIB, 256 * MIB);
    assert_true(kvm_world_info(&world, 1).unverified > 0);
    kvm_world_close(&world);
}

/* It claims to see what is not there yet: it is charged with it all the same. */
static void test_claims_too_much(void **state)
{
    (void)state;
    open_two(true);
    world.options.idle_ms = 400; /* in time */
    start_two();
    recipient->offline = true;
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, blocks_are_there, NULL);
    recipient->claimed = (uint64_t)1 << 52;
    kvm_world_until(&world, are_as_ordered, NULL);
    move_to(256 * MIB, 192 * MIB);
    kvm_world_close(&world);
}

static bool donor_is_served(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).held == 256 * MIB;
}

/* It claims never to see anything: it gets nothing, and the other has what it wants. */
static void test_claims_to_see_nothing(void **state)
{
    (void)state;
    open_understood(false);
    recipient->claimed = recipient->total;
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_turn(&world, 300);
    world.script.sizes[0] = 256 * MIB;
    world.script.sizes[1] = 192 * MIB;
    kvm_world_until(&world, donor_is_served, NULL);
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_that_are_seen),
        cmocka_unit_test(test_blocks_that_stay_offline),
        cmocka_unit_test(test_blocks_that_come_late),
        cmocka_unit_test(test_a_new_life_is_tried_again),
        cmocka_unit_test(test_balloon_that_counts_as_gone),
        cmocka_unit_test(test_balloon_that_counts_as_used),
        cmocka_unit_test(test_statistics_are_asked_for),
        cmocka_unit_test(test_no_total_is_told),
        cmocka_unit_test(test_no_total_is_told_any_more),
        cmocka_unit_test(test_claims_too_much),
        cmocka_unit_test(test_claims_to_see_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
