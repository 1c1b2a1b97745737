/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend with real guests that do what they should not: reboot, have no driver, have
 * nothing to give, die in the middle of a transfer. Through all of it the books must hold, and what
 * the processes hold together stay below them (live/world.h).
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "live/world.h"
#include "support/check.h"

#define ALL (GUEST_MIB * MIB)

static const char *directory;
static struct live_world world;

/* What is done, once, as soon as a step is told of a VM. */
static struct {
    unsigned step;
    uint32_t vm;
    void (*act)(struct qemu *guest);
    uint64_t held; /* by the VM when it was done, as the books had it */
} plot;

static void follow(struct live_world *it, const struct vmres_trace_record *record)
{
    void (*act)(struct qemu * guest) = plot.act;

    if (!act || record->step != plot.step || record->vm != plot.vm)
        return;
    plot.act = NULL;
    plot.held = live_account(it, plot.vm).held;
    act(&it->guests[plot.vm]);
}

static void expect(unsigned step, uint32_t vm, void (*act)(struct qemu *guest))
{
    plot.step = step;
    plot.vm = vm;
    plot.act = act;
    world.shown = follow;
}

static bool has_happened(struct live_world *it)
{
    (void)it;
    return plot.act == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    live_end(&world);
    return 0;
}

static void shrink_by_hand(unsigned guest, uint64_t size)
{
    qemu_balloon(&world.guests[guest], size);
    while (qemu_actual(&world.guests[guest]) > size)
        qemu_pause_ms(2);
}

static void order(uint64_t a, uint64_t b, uint64_t c)
{
    world.sizes[0] = a;
    world.sizes[1] = b;
    world.sizes[2] = c;
}

/* --- reboots --- */

static void reset(struct qemu *guest)
{
    qemu_do(guest, "system_reset");
}

static bool donor_is_reborn(struct live_world *it)
{
    return live_state(it, 0) == VMRES_VM_BOOTING;
}

/* Its words of before do not count, and it is charged with all it could hold. */
static void expect_new_life(uint32_t vm)
{
    struct vmres_account_info account = live_account(&world, vm);

    assert_false(account.flags & VMRES_VIEW_FRESH);
    assert_int_equal(account.charge, ALL);
}

static bool driver_is_missed(struct live_world *it)
{
    return qemu_said(&it->guests[1], "guest: ready") == 2 &&
           live_reason(it, "b", "has not been heard of");
}

static bool b_is_reborn(struct live_world *it)
{
    return live_state(it, 1) == VMRES_VM_BOOTING;
}

static void test_reboots(void **state)
{
    const uint64_t less = ALL - 96 * MIB;
    static const char *const words[] = {"fill", "fill once=virtio_balloon"};

    (void)state;
    live_boot_each(&world, directory, 2, words);
    shrink_by_hand(1, less);
    live_manage(&world, (ALL + less) / MIB, GUEST_MIB);
    (void)live_reach(&world, ALL, less);

    /* In the middle of a transfer, the driver coming back: the rest of it is done after that. */
    expect(5, 0, reset);
    order(less, ALL, 0);
    live_until(&world, has_happened);
    assert_true(plot.held > less); /* it was in the middle */
    live_until(&world, donor_is_reborn);
    expect_new_life(0);
    (void)live_reach(&world, less, ALL);
    assert_int_equal(qemu_said(&world.guests[0], "guest: ready"), 2);

    /* At rest, and the driver does not come back. */
    (void)live_reach(&world, ALL, less);
    reset(&world.guests[1]);
    live_until(&world, b_is_reborn);
    expect_new_life(1);
    live_until(&world, driver_is_missed);
    assert_int_equal(live_state(&world, 1), VMRES_VM_BOOTING);
    expect_new_life(1);
    live_let_go(&world);
}

/* --- nothing to give --- */

static bool is_held_by_another(struct live_world *it)
{
    return live_reason(it, "c", "another client holds it");
}

static bool is_tried(struct live_world *it)
{
    return strstr(it->trace, "b call off") && strstr(it->trace, "uncooperative");
}

static bool b_and_c_take_part(struct live_world *it)
{
    return live_state(it, 1) == VMRES_VM_LIVE && live_state(it, 2) == VMRES_VM_LIVE;
}

static bool is_calm(struct live_world *it)
{
    return vmres_engine_settled(vmres_driver_engine(it->driver)) &&
           live_account(it, 1).held == live_account(it, 1).charge;
}

/* Without a driver; with all its memory in use; with another client at its socket. */
static void test_nothing_to_give(void **state)
{
    static const char *const words[] = {"without=virtio_balloon", "full", "fill"};
    int client;

    (void)state;
    live_boot_each(&world, directory, 3, words);
    shrink_by_hand(2, ALL - 64 * MIB);
    client = qemu_occupy(&world.guests[2]);
    world.progress_ms = 2000;
    live_manage(&world, 3 * GUEST_MIB - 64, GUEST_MIB);
    order(ALL, ALL, ALL - 64 * MIB);
    live_until(&world, is_held_by_another);
    (void)close(client);
    live_until(&world, b_and_c_take_part);
    assert_true(live_reason(&world, "a", "has not been heard of"));

    order(ALL - 64 * MIB, ALL - 64 * MIB, ALL); /* of the two only the second can be asked */
    live_until(&world, is_tried);
    assert_null(strstr(world.trace, "a (4)"));
    assert_int_equal(live_account(&world, 0).charge, ALL);
    world.sizes[1] = live_account(&world, 1).charge;
    world.sizes[2] = live_account(&world, 2).charge;
    live_until(&world, is_calm);
    assert_true(live_account(&world, 1).held > ALL - 64 * MIB); /* it could not give all */
    assert_in_range(qemu_actual(&world.guests[1]), live_account(&world, 1).held - 2 * MIB + 1,
                    live_account(&world, 1).held);
    assert_int_equal(qemu_said(&world.guests[1], "guest: ready"), 1); /* and has survived it */
    live_let_go(&world);
}

/* --- death --- */

static void kill_guest(struct qemu *guest)
{
    assert_int_equal(kill(guest->pid, SIGKILL), 0);
}

static bool a_is_gone(struct live_world *it)
{
    return live_state(it, 0) == VMRES_VM_VACANT;
}

static bool c_is_gone(struct live_world *it)
{
    return live_state(it, 2) == VMRES_VM_VACANT;
}

/* All there is, is charged to those who are left, or free. */
static void expect_sum(uint64_t capacity)
{
    struct vmres_pool_info pool = live_pool(&world);

    assert_int_equal(pool.transit, 0);
    assert_int_equal(pool.deficit, 0);
    assert_int_equal(pool.free + live_account(&world, 0).charge + live_account(&world, 1).charge +
                         live_account(&world, 2).charge,
                     capacity);
}

static bool b_got_it(struct live_world *it)
{
    return live_account(it, 1).held == ALL && live_account(it, 1).charge == ALL;
}

static void test_killed_in_the_middle(void **state)
{
    const uint64_t less = ALL - 64 * MIB, capacity = 3 * ALL - 128 * MIB;
    static const char *const words[] = {"fill", "fill", "fill"};

    (void)state;
    live_boot_each(&world, directory, 3, words);
    shrink_by_hand(1, less);
    shrink_by_hand(2, less);
    live_manage(&world, capacity / MIB, GUEST_MIB);
    order(ALL, less, less);
    live_until(&world, live_is_reached);

    /* The donor, when it has given a first piece: to b the rest comes from what is free. */
    expect(5, 0, kill_guest);
    order(ALL - 96 * MIB, ALL, less);
    live_until(&world, has_happened);
    assert_true(plot.held > ALL - 96 * MIB);
    live_until(&world, a_is_gone);
    live_until(&world, b_got_it);
    expect_sum(capacity);

    /* The recipient, when it is told of its first piece. */
    expect(7, 2, kill_guest);
    order(0, less, ALL);
    live_until(&world, has_happened);
    live_until(&world, c_is_gone);
    expect_sum(capacity);
    assert_int_equal(live_state(&world, 1), VMRES_VM_LIVE);
    live_let_go(&world);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_reboots, tear_down),
        cmocka_unit_test_teardown(test_nothing_to_give, tear_down),
        cmocka_unit_test_teardown(test_killed_in_the_middle, tear_down),
    };

    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
