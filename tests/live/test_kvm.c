/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend with real guests. What a test sees for itself, through sockets of its own and in
 * /proc, is compared with what the library says.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "live/world.h"
#include "support/check.h"

#define MOVED (64 * MIB)

static const char *directory;
static struct live_world world;

static int tear_down(void **state)
{
    (void)state;
    live_end(&world);
    return 0;
}

/* --- by balloon --- */

static uint64_t shrink_by_hand(struct qemu *guest, uint64_t size)
{
    uint64_t begin_ms = qemu_now_ms();

    qemu_balloon(guest, size);
    while (qemu_actual(guest) > size)
        qemu_pause_ms(2);
    return qemu_now_ms() - begin_ms;
}

static uint64_t grow_by_hand(struct qemu *guest, uint64_t size)
{
    uint64_t begin_ms = qemu_now_ms();

    qemu_balloon(guest, size);
    while (qemu_actual(guest) < size)
        qemu_pause_ms(2);
    return qemu_now_ms() - begin_ms;
}

static void test_moves_by_balloon(void **state)
{
    const uint64_t all = GUEST_MIB * MIB, less = all - MOVED;
    uint64_t resident, moved_ms, back_ms, hand_ms;

    (void)state;
    live_boot(&world, directory, 2, "fill", NULL);
    (void)shrink_by_hand(&world.guests[1], less);
    resident = qemu_resident(&world.guests[0]);
    live_manage(&world, 2 * GUEST_MIB - MOVED / MIB, GUEST_MIB);
    (void)live_reach(&world, all, less); /* both are adopted */

    moved_ms = live_reach(&world, less, all);
    assert_int_equal(qemu_actual(&world.guests[0]), less);
    assert_int_equal(qemu_actual(&world.guests[1]), all);
    assert_true(qemu_resident(&world.guests[0]) + MOVED / 2 < resident);
    assert_true(live_account(&world, 0).witness <= less + world.resource.tolerance);
    assert_non_null(strstr(world.trace, "(5)"));
    assert_non_null(strstr(world.trace, "(8)"));

    back_ms = live_reach(&world, all, less);
    live_let_go(&world);
    hand_ms = shrink_by_hand(&world.guests[0], less) + grow_by_hand(&world.guests[1], all);
    print_message("64 MiB: %" PRIu64 " ms there, %" PRIu64 " ms back; by hand %" PRIu64 " ms\n",
                  moved_ms, back_ms, hand_ms);
}

/* --- by virtio-mem --- */

static const char *const device[] = {"-object", "memory-backend-ram,id=more,size=128M", "-device",
                                     "virtio-mem-pci,id=mem0,memdev=more,requested-size=0", NULL};

static struct vmres_kvm_vm_info info_of(const char *name)
{
    struct vmres_kvm_vm_info info;

    EXPECT_OK(vmres_kvm_vm(world.kvm, name, &info));
    return info;
}

static void test_moves_by_virtio_mem(void **state)
{
    const uint64_t base = GUEST_MIB * MIB;
    uint64_t moved_ms;

    (void)state;
    live_boot(&world, directory, 2, "memhp_default_state=online_movable", device);
    live_manage(&world, 2 * GUEST_MIB + 64, GUEST_MIB + 128);
    (void)live_reach(&world, base + 64 * MIB, base);
    assert_int_equal(qemu_actual(&world.guests[0]), base);

    moved_ms = live_reach(&world, base, base + 64 * MIB);
    print_message("64 MiB in blocks: %" PRIu64 " ms\n", moved_ms);
    (void)live_reach(&world, base + 96 * MIB, base - 32 * MIB); /* blocks, then the balloon */
    assert_int_equal(qemu_actual(&world.guests[1]), base - 32 * MIB);
    assert_true(info_of("b").verified > 0);
    assert_int_equal(info_of("a").unseen + info_of("b").unseen, 0);
    live_let_go(&world);
}

static bool is_of_no_use(struct live_world *it)
{
    return live_reason(it, "b", "bring them online") &&
           live_account(it, 1).charge == GUEST_MIB * MIB;
}

/* QEMU says that blocks are plugged, and the guest leaves them offline, as Debian's does. */
static void test_blocks_that_stay_offline(void **state)
{
    const uint64_t base = GUEST_MIB * MIB;

    (void)state;
    live_boot(&world, directory, 2, "memhp_default_state=offline", device);
    live_manage(&world, 2 * GUEST_MIB + 64, GUEST_MIB + 128);
    (void)live_reach(&world, base, base);
    world.sizes[1] = base + 64 * MIB;
    live_until(&world, is_of_no_use);
    assert_null(strstr(world.trace, "b (8)"));
    assert_int_equal(qemu_plugged(&world.guests[1]), 0);
    assert_int_equal(info_of("b").unseen, 1);
    assert_int_equal(live_pool(&world).free, 64 * MIB); /* for whom it is of use */
    live_let_go(&world);
}

/* --- hangs, dies --- */

static bool is_hung(struct live_world *it)
{
    return live_reason(it, "b", "does not answer");
}

static bool takes_part(struct live_world *it)
{
    return live_reason(it, "b", NULL);
}

static bool is_gone(struct live_world *it)
{
    return vmres_driver_vm_id(it->driver, "b") == VMRES_VM_NONE;
}

static void test_stopped_and_killed(void **state)
{
    const uint64_t all = GUEST_MIB * MIB;

    (void)state;
    live_boot(&world, directory, 2, "", NULL);
    (void)shrink_by_hand(&world.guests[0], all - MOVED);
    live_manage(&world, 2 * GUEST_MIB, GUEST_MIB);
    world.sizes[0] = all - MOVED;
    live_until(&world, live_is_adopted);
    assert_int_equal(kill(world.guests[1].pid, SIGSTOP), 0);
    live_until(&world, is_hung);
    assert_int_equal(live_account(&world, 1).charge, all);
    (void)live_reach(&world, all, all); /* the other is not held up: it grows */
    assert_int_equal(kill(world.guests[1].pid, SIGCONT), 0);
    live_until(&world, takes_part);
    assert_int_equal(kill(world.guests[1].pid, SIGKILL), 0);
    live_until(&world, is_gone);
    live_let_go(&world);
}

/* --- a release that frees nothing --- */

static bool is_locked(struct live_world *it)
{
    return live_reason(it, "a", "locked");
}

static void test_locked_memory(void **state)
{
    static const char *const lock[] = {"-overcommit", "mem-lock=on", NULL};

    (void)state;
    live_boot(&world, directory, 1, "", lock);
    live_manage(&world, GUEST_MIB, GUEST_MIB);
    live_until(&world, is_locked);
    assert_int_equal(live_account(&world, 0).charge, GUEST_MIB * MIB);
    live_let_go(&world);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_moves_by_balloon, tear_down),
        cmocka_unit_test_teardown(test_moves_by_virtio_mem, tear_down),
        cmocka_unit_test_teardown(test_blocks_that_stay_offline, tear_down),
        cmocka_unit_test_teardown(test_stopped_and_killed, tear_down),
        cmocka_unit_test_teardown(test_locked_memory, tear_down),
    };

    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
