/* SPDX-License-Identifier: MIT */
/*
 * A VM's life as the driver is told of it: adopted when its guest's driver is heard of, born again
 * by a reset, out of play while it is paused or on its way, gone when its process is.
 */
#include <string.h>

#include <vmres/operate.h>

#include "kvm/internal.h"
#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static struct kvm_world world;
static struct kvm_guest *guest; /* the first of the world's */

static void open_world(unsigned guests)
{
    kvm_world_init(&world, guests);
    kvm_world_create(&world);
    for (unsigned i = 0; i < guests; i++)
        kvm_world_add(&world, i, 64, 256);
    guest = &world.guests[0];
}

static void open_live(unsigned guests)
{
    open_world(guests);
    kvm_world_start(&world);
    for (unsigned i = 0; i < guests; i++)
        kvm_world_until(&world, kvm_guest_is_live, &world.guests[i]);
}

static bool is_said(void *words)
{
    const char *reason = kvm_world_info(&world, 0).reason;

    return words ? reason && strstr(reason, words) : !reason;
}

static void wait_for(const char *words)
{
    kvm_world_until(&world, is_said, (void *)(uintptr_t)words);
}

static uint32_t incarnation(void)
{
    return vmres_driver_vm_incarnation(world.driver, kvm_world_info(&world, 0).vm);
}

/* --- adoption --- */

static void test_is_adopted_at_what_it_holds(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.actual = guest->qmp.target = 160 * MIB;
    kvm_world_process(guest);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 160 * MIB);
    assert_int_equal(kvm_world_account(&world, 0).charge, 160 * MIB);
    assert_int_equal(kvm_world_account(&world, 0).limit, 256 * MIB);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD);
    assert_int_equal(kvm_world_info(&world, 0).devices, VMRES_KVM_BALLOON);
    assert_int_equal(guest->qmp.target, 160 * MIB);
    assert_true(guest->qmp.sets >= 1); /* an older wish of somebody else's is not pursued */
    kvm_world_close(&world);
}

static void test_without_driver_it_is_not_adopted(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.driver = false;
    guest->qmp.update = 7; /* what a driver said once is no proof that there is one */
    guest->qmp.actual = 100 * MIB;
    kvm_world_start(&world);
    wait_for("has not been heard of");
    kvm_world_turn(&world, 200);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_BOOTING);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    guest->qmp.driver = true;
    guest->qmp.target = 100 * MIB;
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 100 * MIB);
    kvm_world_close(&world);
}

static void test_waits_until_it_is_at_rest(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.target = 64 * MIB; /* the guest goes on filling its balloon */
    guest->qmp.step = 8 * MIB;
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 64 * MIB);
    kvm_world_close(&world);
}

static void expect_off(const char *words)
{
    kvm_world_start(&world);
    wait_for(words);
    kvm_world_turn(&world, 60);
    assert_int_equal(kvm_world_account(&world, 0).participation, VMRES_PARTICIPATE_OFF);
    assert_int_equal(kvm_world_info(&world, 0).devices, 0);
    kvm_world_close(&world);
}

static void test_cannot_take_part(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.balloon = false;
    expect_off("neither a balloon");

    open_world(1);
    guest->qmp.vfio = true;
    expect_off("passed through");

    open_world(1);
    guest->qmp.encrypted = true;
    expect_off("encrypted");

    open_world(1);
    guest->locked = 290 * MIB;
    kvm_world_process(guest);
    expect_off("locked");

    open_world(1);
    guest->huge = 256 * MIB;
    kvm_world_process(guest);
    expect_off("huge pages");
}

/* Whatever keeps the balloon from freeing memory: blocks are moved where QEMU has the device. */
static void expect_blocks_only(const char *words)
{
    guest->qmp.mem_max = 128 * MIB;
    guest->qmp.mem_size = guest->qmp.mem_requested = 64 * MIB;
    kvm_world_process(guest);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    wait_for(words);
    assert_int_equal(kvm_world_info(&world, 0).devices, VMRES_KVM_VIRTIO_MEM);
    assert_int_equal(kvm_world_info(&world, 0).witness, 320 * MIB); /* huge pages, swap and all */
    assert_int_equal(kvm_world_account(&world, 0).participation, VMRES_PARTICIPATE_BOTH);
    assert_int_equal(kvm_world_account(&world, 0).floor, 256 * MIB);
    kvm_world_close(&world);
}

static void test_blocks_stay_where_the_balloon_does_not(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.vfio = true;
    expect_blocks_only("passed through");

    open_world(1);
    guest->qmp.encrypted = true;
    expect_blocks_only("encrypted");

    open_world(1);
    guest->locked = 290 * MIB;
    expect_blocks_only("locked");

    open_world(1);
    guest->huge = 256 * MIB;
    expect_blocks_only("huge pages");
}

static void test_virtio_mem_without_balloon(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.balloon = false;
    guest->qmp.base = guest->qmp.actual = guest->qmp.target = 128 * MIB;
    guest->qmp.mem_max = 128 * MIB;
    guest->qmp.mem_requested = 32 * MIB; /* the guest boots, and has still to plug it */
    guest->qmp.step = 2 * MIB;
    kvm_world_process(guest);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 160 * MIB);
    assert_int_equal(kvm_world_account(&world, 0).floor, 128 * MIB);
    assert_int_equal(kvm_world_info(&world, 0).devices, VMRES_KVM_VIRTIO_MEM);
    kvm_world_close(&world);
}

/* Nobody could say what it holds: it gets, and is asked for nothing. */
static void test_unseen_process(void **state)
{
    (void)state;
    kvm_world_init(&world, 1);
    kvm_world_create(&world);
    world.guests[0].pid = 4242;
    kvm_world_add(&world, 0, 64, 256);
    guest = &world.guests[0];
    guest->qmp.actual = guest->qmp.target = 128 * MIB;
    guest->qmp.changed = NULL;
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    wait_for("cannot be seen");
    kvm_world_turn(&world, 30);
    assert_int_equal(kvm_world_account(&world, 0).participation, VMRES_PARTICIPATE_RECIPIENT);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    assert_true(kvm_world_info(&world, 0).witness == UINT64_MAX);
    kvm_world_close(&world);
}

/* --- reset --- */

static bool is_booting(void *user)
{
    (void)user;
    return kvm_world_state(&world, 0) == VMRES_VM_BOOTING;
}

static void test_reset_without_driver(void **state)
{
    uint32_t before;

    (void)state;
    open_world(1);
    guest->qmp.actual = guest->qmp.target = 160 * MIB;
    kvm_world_process(guest);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    before = incarnation();
    /* The guest has everything again, and QEMU goes on saying 160. */
    guest->qmp.driver = false;
    guest->qmp.pinned = 96 * MIB;
    kvm_world_process(guest);
    for (int i = 0; i < 3; i++)
        fake_qmp_event(&guest->qmp, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    kvm_world_until(&world, is_booting, NULL);
    kvm_world_turn(&world, 200);
    assert_int_equal(incarnation(), before + 1);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_BOOTING);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    /* Its driver loads, and fills the balloon to the old target. */
    guest->qmp.pinned = 0;
    guest->qmp.driver = true;
    kvm_world_process(guest);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 160 * MIB);
    assert_int_equal(kvm_world_account(&world, 0).charge, 160 * MIB);
    kvm_world_close(&world);
}

/* --- paused, shut down, on its way --- */

static bool is_frozen(void *user)
{
    (void)user;
    return kvm_world_state(&world, 0) == VMRES_VM_FROZEN;
}

static void test_paused(void **state)
{
    (void)state;
    open_live(1);
    guest->qmp.running = false;
    fake_qmp_event(&guest->qmp, "STOP", NULL);
    wait_for("paused");
    kvm_world_until(&world, is_frozen, NULL);
    kvm_world_turn(&world, 30);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_FROZEN);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    guest->qmp.running = true;
    fake_qmp_event(&guest->qmp, "RESUME", NULL);
    wait_for(NULL);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

/* Setting it back to a snapshot changes what it holds, without a reset. */
static void test_set_back_to_a_snapshot(void **state)
{
    (void)state;
    open_live(1);
    guest->qmp.running = false;
    guest->qmp.status = "restore-vm";
    fake_qmp_event(&guest->qmp, "STOP", NULL);
    wait_for("snapshot");
    kvm_world_until(&world, is_frozen, NULL);
    guest->qmp.actual = guest->qmp.target = 160 * MIB;
    kvm_world_process(guest);
    guest->qmp.running = true;
    fake_qmp_event(&guest->qmp, "RESUME", NULL);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).held, 160 * MIB);
    kvm_world_close(&world);
}

static void pause(bool paused)
{
    guest->qmp.running = !paused;
    fake_qmp_event(&guest->qmp, paused ? "STOP" : "RESUME", NULL);
    wait_for(paused ? "paused" : NULL);
}

static bool is_probed(void *user)
{
    (void)user;
    return kvm_probed(vmres__kvm_find(world.kvm, "vm0"));
}

/* As fast as it is asked about that; and it is frozen and thawed once in an idle look. */
static void test_paused_again_and_again(void **state)
{
    const uint32_t idle_ms = 100;
    uint64_t begin_ms, times = 0;

    (void)state;
    kvm_world_init(&world, 1);
    world.options.idle_ms = idle_ms;
    kvm_world_create(&world);
    kvm_world_add(&world, 0, 64, 256);
    guest = &world.guests[0];
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    begin_ms = uv_now(&world.loop);
    for (unsigned i = 0; i < 100; i++) {
        pause(i % 2 == 0);
        kvm_world_until(&world, is_probed, NULL);
    }
    for (const char *at = world.trace; (at = strstr(at, "vm0 frozen")) != NULL; at++)
        times++;
    assert_in_range(times, 1, (uv_now(&world.loop) - begin_ms) / idle_ms + 1);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

/* Whom the embedder has frozen is frozen until the embedder thaws it. */
static void test_frozen_by_another(void **state)
{
    uint32_t id;

    (void)state;
    open_live(1);
    id = kvm_world_info(&world, 0).vm;
    EXPECT_OK(vmres_driver_freeze(world.driver, id));
    kvm_world_until(&world, is_frozen, NULL);
    pause(true);
    kvm_world_turn(&world, 60);
    pause(false);
    kvm_world_turn(&world, 60);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_FROZEN);
    EXPECT_OK(vmres_driver_thaw(world.driver, id));
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

/* The same while it is paused already; and who is thawed too early stays frozen. */
static void test_frozen_by_another_meanwhile(void **state)
{
    uint32_t id;

    (void)state;
    open_live(1);
    id = kvm_world_info(&world, 0).vm;
    pause(true);
    kvm_world_until(&world, is_frozen, NULL);
    EXPECT_OK(vmres_driver_freeze(world.driver, id));
    kvm_world_turn(&world, 30);
    pause(false);
    kvm_world_turn(&world, 60);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_FROZEN);
    pause(true);
    kvm_world_turn(&world, 60);
    EXPECT_OK(vmres_driver_thaw(world.driver, id));
    kvm_world_turn(&world, 60);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_FROZEN);
    pause(false);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

/* A VM that is found paused is not adopted before it runs. */
static void test_found_paused(void **state)
{
    (void)state;
    open_world(1);
    guest->qmp.running = false;
    guest->qmp.status = "inmigrate";
    kvm_world_start(&world);
    wait_for("from another host");
    kvm_world_turn(&world, 60);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_BOOTING);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    guest->qmp.running = true;
    fake_qmp_event(&guest->qmp, "RESUME", NULL);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

static void test_migrating(void **state)
{
    (void)state;
    open_live(1);
    assert_true(guest->qmp.events); /* were asked for */
    fake_qmp_event(&guest->qmp, "MIGRATION", "{\"status\": \"setup\"}");
    guest->qmp.migration = "active";
    wait_for("another host");
    kvm_world_until(&world, is_frozen, NULL);
    fake_qmp_event(&guest->qmp, "MIGRATION", "{\"status\": \"active\"}");
    kvm_world_turn(&world, 300); /* it is asked anew meanwhile */
    assert_true(is_frozen(NULL));
    wait_for("another host");
    guest->qmp.migration = "cancelled";
    fake_qmp_event(&guest->qmp, "MIGRATION", "{\"status\": \"cancelled\"}");
    wait_for(NULL);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    kvm_world_close(&world);
}

static void test_shut_down(void **state)
{
    (void)state;
    open_live(1);
    fake_qmp_event(&guest->qmp, "SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
    wait_for("shut down");
    kvm_world_kill(&world, 0);
    kvm_world_until(&world, kvm_guest_is_gone, guest);
    kvm_world_close(&world);
}

/* --- the process --- */

static struct vmres_pool_info pool(void)
{
    struct vmres_pool_info info;

    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(world.driver), 0, &info));
    return info;
}

static void test_killed_and_started_again(void **state)
{
    uint32_t before;

    (void)state;
    open_live(2);
    assert_int_equal(pool().free, 0);
    before = incarnation();
    kvm_world_kill(&world, 0);
    kvm_world_until(&world, kvm_guest_is_gone, guest);
    assert_int_equal(pool().free, 256 * MIB);
    kvm_world_revive(&world, 0);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_true(incarnation() > before);
    assert_int_equal(pool().free, 0);
    kvm_world_close(&world);
}

static bool is_unreachable(void *user)
{
    (void)user;
    return kvm_world_info(&world, 0).state == VMRES_KVM_UNREACHABLE;
}

/* The connection is lost and nobody listens, but the process lives: it holds what it held. */
static void test_lost_is_not_gone(void **state)
{
    uint32_t before;

    (void)state;
    open_live(1);
    before = incarnation();
    guest->qmp.silent = true;
    kvm_world_bear(&world, 100); /* then it is tried again */
    fake_qmp_drop(&guest->qmp);
    kvm_world_until(&world, is_unreachable, NULL);
    kvm_world_turn(&world, 200);
    kvm_world_bear(&world, KVM_WORLD_LONG_MS);
    assert_false(kvm_guest_is_gone(guest));
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    guest->qmp.silent = false;
    wait_for(NULL);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_true(incarnation() > before); /* what happened meanwhile cannot be known */
    kvm_world_close(&world);
}

static bool is_another(void *before)
{
    return kvm_guest_is_live(guest) && incarnation() > *(uint32_t *)before;
}

/* Another process at the same socket, with the same pid even. */
static void test_replaced(void **state)
{
    uint32_t before;

    (void)state;
    open_live(1);
    before = incarnation();
    guest->since += 100;
    guest->qmp.actual = guest->qmp.target = 128 * MIB;
    kvm_world_process(guest);
    fake_qmp_drop(&guest->qmp);
    kvm_world_until(&world, is_another, &before);
    assert_int_equal(kvm_world_account(&world, 0).held, 128 * MIB);
    kvm_world_close(&world);
}

/* --- coming and going of VMs and drivers --- */

static void test_added_and_removed_at_run_time(void **state)
{
    (void)state;
    kvm_world_init(&world, 2);
    kvm_world_create(&world);
    kvm_world_start(&world);
    kvm_world_turn(&world, 5);
    kvm_world_add(&world, 1, 64, 256);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[1]);
    EXPECT_OK(vmres_kvm_remove_vm(world.kvm, "vm1"));
    EXPECT_STATUS(vmres_kvm_remove_vm(world.kvm, "vm1"), VMRES_UNKNOWN);
    kvm_world_until(&world, kvm_guest_is_gone, &world.guests[1]);
    kvm_world_add(&world, 1, 64, 256);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[1]);
    kvm_world_close(&world);
}

/* Until the next pump no event finds room. */
static void fill_queue(void)
{
    struct vmres_event event = {.type = VMRES_EVENT_THAW};
    enum vmres_status status;

    do
        status = vmres_driver_post(world.driver, &event);
    while (status == VMRES_OK);
    EXPECT_STATUS(status, VMRES_LIMIT);
}

static void test_removed_while_the_queue_is_full(void **state)
{
    (void)state;
    open_live(1);
    fill_queue();
    EXPECT_OK(vmres_kvm_remove_vm(world.kvm, "vm0"));
    assert_false(kvm_guest_is_gone(guest));
    kvm_world_until(&world, kvm_guest_is_gone, guest);
    assert_int_equal(pool().free, world.resource.capacity);
    kvm_world_close(&world);
}

static bool is_anew(void *before)
{
    return kvm_guest_is_live(guest) && incarnation() > *(uint32_t *)before;
}

/* Of its name there is another by then, which is not taken for it. */
static void expect_two_of_a_name(bool full)
{
    uint32_t before;

    open_live(1);
    before = incarnation();
    if (full)
        fill_queue();
    EXPECT_OK(vmres_kvm_remove_vm(world.kvm, "vm0"));
    kvm_world_add(&world, 0, 64, 256);
    kvm_world_until(&world, is_anew, &before);
    kvm_world_close(&world);
}

static void test_removed_and_added_at_once(void **state)
{
    (void)state;
    expect_two_of_a_name(false);
    expect_two_of_a_name(true);
}

static void test_removed_while_stopped(void **state)
{
    (void)state;
    open_live(2);
    vmres_uv_stop(world.uv);
    EXPECT_OK(vmres_kvm_remove_vm(world.kvm, "vm0"));
    assert_false(kvm_guest_is_gone(guest));
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_gone, guest);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[1]);
    kvm_world_close(&world);
}

static void test_refuses_bad_specs(void **state)
{
    struct vmres_kvm_vm_spec spec = {.name = "vm1", .socket = "/nowhere"};
    char path[200];
    struct vmres_error error;

    (void)state;
    open_world(1);
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, &error), VMRES_LIMIT);
    spec.name = "vm0";
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, &error), VMRES_EXISTS);
    spec.name = "";
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, &error), VMRES_INVALID);
    spec.name = "vm1";
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    spec.socket = path;
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, &error), VMRES_INVALID);
    spec.socket = "/nowhere";
    spec.limits.floor = 1;
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, &error), VMRES_INVALID);
    assert_string_equal(error.message,
                        "VM 'vm1': its limits contradict each other; floor is at most ceiling");
    kvm_world_close(&world);
}

static void test_stopped_and_started(void **state)
{
    (void)state;
    open_live(1);
    vmres_uv_stop(world.uv);
    kvm_world_turn(&world, 20);
    assert_int_equal(guest->qmp.connections, 1);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(guest->qmp.connections, 2);
    kvm_world_close(&world);
}

/* What happened while nobody looked is not known: it is charged with the most, and met anew. */
static void test_reset_while_stopped(void **state)
{
    uint32_t before;

    (void)state;
    open_world(1);
    guest->qmp.actual = guest->qmp.target = 160 * MIB;
    kvm_world_process(guest);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    before = incarnation();
    vmres_uv_stop(world.uv);
    guest->qmp.driver = false;
    kvm_world_start(&world);
    kvm_world_turn(&world, 200);
    assert_true(incarnation() > before);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_BOOTING);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    guest->qmp.driver = true;
    kvm_world_until(&world, kvm_guest_is_live, guest);
    assert_int_equal(kvm_world_account(&world, 0).charge, 160 * MIB);
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_adopted_at_what_it_holds),
        cmocka_unit_test(test_without_driver_it_is_not_adopted),
        cmocka_unit_test(test_waits_until_it_is_at_rest),
        cmocka_unit_test(test_cannot_take_part),
        cmocka_unit_test(test_blocks_stay_where_the_balloon_does_not),
        cmocka_unit_test(test_virtio_mem_without_balloon),
        cmocka_unit_test(test_unseen_process),
        cmocka_unit_test(test_reset_without_driver),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_set_back_to_a_snapshot),
        cmocka_unit_test(test_paused_again_and_again),
        cmocka_unit_test(test_frozen_by_another),
        cmocka_unit_test(test_frozen_by_another_meanwhile),
        cmocka_unit_test(test_found_paused),
        cmocka_unit_test(test_migrating),
        cmocka_unit_test(test_shut_down),
        cmocka_unit_test(test_killed_and_started_again),
        cmocka_unit_test(test_lost_is_not_gone),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_added_and_removed_at_run_time),
        cmocka_unit_test(test_removed_while_the_queue_is_full),
        cmocka_unit_test(test_removed_and_added_at_once),
        cmocka_unit_test(test_removed_while_stopped),
        cmocka_unit_test(test_refuses_bad_specs),
        cmocka_unit_test(test_stopped_and_started),
        cmocka_unit_test(test_reset_while_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
