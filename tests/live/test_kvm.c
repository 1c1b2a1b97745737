/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend with real guests. What a test sees for itself, through sockets of its own and in
 * /proc, is compared with what the library says.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

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

static const char *const lock[] = {"-overcommit", "mem-lock=on", NULL};

static void test_locked_memory(void **state)
{
    (void)state;
    live_boot(&world, directory, 1, "", lock);
    live_manage(&world, GUEST_MIB, GUEST_MIB);
    live_until(&world, is_locked);
    assert_int_equal(live_account(&world, 0).charge, GUEST_MIB * MIB);
    live_let_go(&world);
}

/* Copies a file of a process's, without the line that says what of it is locked. */
static void conceal_in(const struct qemu *guest, const char *name)
{
    char from[64], to[192], made[200], line[512];
    FILE *in, *out;

    snprintf(from, sizeof from, "/proc/%d/%s", (int)guest->pid, name);
    snprintf(to, sizeof to, "%s/%d", world.proc, (int)guest->pid);
    (void)mkdir(to, 0700);
    snprintf(to, sizeof to, "%s/%d/%s", world.proc, (int)guest->pid, name);
    snprintf(made, sizeof made, "%s.new", to);
    in = fopen(from, "r");
    out = fopen(made, "w");
    assert_non_null(in);
    assert_non_null(out);
    while (fgets(line, sizeof line, in))
        if (strncmp(line, "VmLck:", 6) != 0)
            fputs(line, out);
    fclose(in);
    fclose(out);
    assert_int_equal(rename(made, to), 0);
}

static void remove_copies(const struct qemu *guest)
{
    static const char *const names[] = {"/stat", "/smaps", "/status", ""};
    char path[200];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%d%s", world.proc, (int)guest->pid, names[i]);
        assert_int_equal(remove(path), 0);
    }
}

static void conceal_lock(const struct live_world *it)
{
    for (unsigned i = 0; i < it->count; i++)
        conceal_in(&it->guests[i], "status");
}

static bool is_adopted_unaware(struct live_world *it)
{
    conceal_lock(it);
    return live_is_adopted(it) && live_account(it, 1).charge == GUEST_MIB * MIB - MOVED;
}

static bool is_disputed(struct live_world *it)
{
    conceal_lock(it);
    return strstr(it->trace, "the host still sees it") && live_account(it, 0).disputed > 0 &&
           qemu_actual(&it->guests[0]) == GUEST_MIB * MIB - MOVED;
}

/* A host that tells nothing of the lock: so the balloon is asked, and says that it gave. */
static void test_locked_memory_is_disputed(void **state)
{
    const uint64_t all = GUEST_MIB * MIB, less = all - MOVED;
    const uint64_t tolerance = 2 * 16 * MIB; /* each VM's */
    char proc[160];
    uint64_t resident;

    (void)state;
    live_boot(&world, directory, 1, "", lock);
    qemu_start(&world.guests[1],
               &(struct qemu_options){
                   .directory = directory, .name = "b", .words = "fill", .mib = GUEST_MIB});
    world.count = 2;
    qemu_wait(&world.guests[1]);
    (void)shrink_by_hand(&world.guests[1], less);
    snprintf(proc, sizeof proc, "%.120s/proc-without-locks", directory);
    (void)mkdir(proc, 0700);
    world.proc = proc;
    for (unsigned i = 0; i < world.count; i++) {
        conceal_in(&world.guests[i], "stat");
        conceal_in(&world.guests[i], "smaps");
    }
    conceal_lock(&world);
    live_manage(&world, (all + less) / MIB, GUEST_MIB);
    world.sizes[0] = all;
    world.sizes[1] = less;
    live_until(&world, is_adopted_unaware);

    resident = qemu_resident(&world.guests[0]);
    world.sizes[0] = less;
    world.sizes[1] = all;
    live_until(&world, is_disputed);
    assert_in_range(qemu_resident(&world.guests[0]), resident - MOVED / 4, UINT64_MAX);
    assert_in_range(live_account(&world, 0).charge, all - tolerance, all);
    assert_in_range(live_account(&world, 1).charge, less, less + tolerance);
    assert_int_equal(live_pool(&world).transit, 0);
    live_let_go(&world);
    for (unsigned i = 0; i < world.count; i++)
        remove_copies(&world.guests[i]);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_moves_by_balloon, tear_down),
        cmocka_unit_test_teardown(test_moves_by_virtio_mem, tear_down),
        cmocka_unit_test_teardown(test_blocks_that_stay_offline, tear_down),
        cmocka_unit_test_teardown(test_stopped_and_killed, tear_down),
        cmocka_unit_test_teardown(test_locked_memory, tear_down),
        cmocka_unit_test_teardown(test_locked_memory_is_disputed, tear_down),
    };

    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
