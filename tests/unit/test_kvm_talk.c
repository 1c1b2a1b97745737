/* SPDX-License-Identifier: MIT */
/*
 * The conversation with QEMU when all goes wrong: sockets that are busy, silent, full of garbage;
 * replies that are late, or not to us. In the end the guest must always be found again, and nobody
 * else may have to wait.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB
#define SHORT_MS 60 /* where silence is what is waited for */

static void create_world(struct kvm_world *world)
{
    world->resource.capacity = world->count * 256 * MIB;
    kvm_world_create(world);
    for (unsigned i = 0; i < world->count; i++)
        kvm_world_add(world, i, 64, 256);
}

static void open_world(struct kvm_world *world, unsigned guests)
{
    kvm_world_init(world, guests);
    create_world(world);
}

static struct vmres_kvm_vm_info info_of(const struct kvm_guest *guest)
{
    return kvm_world_info(guest->world, (unsigned)(guest - guest->world->guests));
}

static bool speaks_of(const struct kvm_guest *guest, const char *words)
{
    const char *reason = info_of(guest).reason;

    return reason && strstr(reason, words);
}

/* --- connecting --- */

/* In the books, to which it comes with the next pump. */
static bool is_charged_in_full(void *user)
{
    const struct kvm_guest *guest = user;
    unsigned index = (unsigned)(guest - guest->world->guests);

    return kvm_world_state(guest->world, index) == VMRES_VM_BOOTING &&
           kvm_world_account(guest->world, index).charge == 256 * MIB;
}

static bool is_said_to_be_busy(void *guest)
{
    return speaks_of(guest, "another client holds it") &&
           info_of(guest).state == VMRES_KVM_UNREACHABLE;
}

static void test_greeting_never_comes(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    world.guests[0].qmp.silent = true;
    kvm_world_bear(&world, SHORT_MS);
    kvm_world_start(&world);
    kvm_world_until(&world, is_said_to_be_busy, &world.guests[0]);
    kvm_world_bear(&world, KVM_WORLD_LONG_MS);
    kvm_world_until(&world, is_charged_in_full, &world.guests[0]);
    /* The other client lets go. */
    world.guests[0].qmp.silent = false;
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    kvm_world_close(&world);
}

static bool is_said_to_be_deserted(void *guest)
{
    return speaks_of(guest, "nobody listens") && info_of(guest).state == VMRES_KVM_ABSENT;
}

static void test_comes_later(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    kvm_world_kill(&world, 0);
    kvm_world_start(&world);
    kvm_world_until(&world, is_said_to_be_deserted, &world.guests[0]);
    assert_int_equal(info_of(&world.guests[0]).vm, VMRES_VM_NONE);
    kvm_world_revive(&world, 0);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    kvm_world_close(&world);
}

/* --- bytes --- */

static void test_one_byte_at_a_time(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    world.guests[0].qmp.chunk = 1;
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    assert_int_equal(info_of(&world.guests[0]).rejected, 0);
    assert_int_equal(info_of(&world.guests[0]).lost, 0);
    kvm_world_close(&world);
}

static bool all_are_live(void *user)
{
    struct kvm_world *world = user;

    for (unsigned i = 0; i < world->count; i++)
        if (!kvm_guest_is_live(&world->guests[i]))
            return false;
    return true;
}

/* --- messages --- */

static bool was_lost(void *guest)
{
    return info_of(guest).lost > 0;
}

/* More than twice where a busy machine let a greeting be too late. */
static bool is_back(void *user)
{
    const struct kvm_guest *guest = user;

    return guest->qmp.connections >= 2 && !info_of(guest).reason && kvm_guest_is_live(user);
}

static bool is_ready(void *guest)
{
    return info_of(guest).state == VMRES_KVM_READY;
}

static void expect_rejected(const char *bytes, size_t length)
{
    struct kvm_world world;
    struct kvm_guest *guest;

    open_world(&world, 1);
    guest = &world.guests[0];
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    fake_qmp_say(&guest->qmp, bytes, length);
    kvm_world_until(&world, was_lost, guest);
    assert_true(info_of(guest).rejected > 0);
    kvm_world_until(&world, is_back, guest);
    kvm_world_close(&world);
}

static void test_garbage_ends_the_connection(void **state)
{
    static const char *const garbage[] = {
        "HTTP/1.1 400 Bad Request\r\n",       "{\"return\": \n",
        "{\"return\": {}, \"return\": {}}\n", "[1, 2, 3]\n",
        "{\"event\": \"RESET\\u0000\"}\n",    "\xff\xfe\xfd\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        expect_rejected(garbage[i], strlen(garbage[i]));
}

static void test_deep_and_long_lines_end_the_connection(void **state)
{
    size_t length = ((size_t)1 << 20) + 2;
    char *line = malloc(length);

    (void)state;
    assert_non_null(line);
    memset(line, '[', 200000);
    line[200000] = '\n';
    expect_rejected(line, 200001);
    memset(line, ' ', length);
    expect_rejected(line, length); /* with no end in sight */
    free(line);
}

static void test_a_long_line_is_no_harm(void **state)
{
    size_t length = (size_t)1 << 20;
    char *line = malloc(length);
    struct kvm_world world;

    (void)state;
    assert_non_null(line);
    memset(line, ' ', length);
    memcpy(line, "{\"event\": \"NOTHING\"}", 20);
    line[length - 1] = '\n';
    open_world(&world, 1);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    fake_qmp_say(&world.guests[0].qmp, line, length);
    free(line);
    kvm_world_turn(&world, 60);
    assert_int_equal(info_of(&world.guests[0]).lost, 0);
    assert_int_equal(info_of(&world.guests[0]).rejected, 0);
    kvm_world_close(&world);
}

/* Objects that make no sense, but are objects: passed over. */
static void test_strange_messages_are_passed_over(void **state)
{
    static const char strange[] =
        "{}\r\n{\"event\": 1}\r\n{\"event\": \"RESETS\"}\r\n{\"return\": 1}\r\n"
        "{\"return\": {}, \"id\": 18446744073709551615}\r\n{\"return\": {}, \"id\": -1}\r\n"
        "{\"return\": {}, \"id\": \"1\"}\r\n{\"return\": {}, \"id\": 999999}\r\n"
        "{\"error\": 7, \"id\": 1}\r\n{\"error\": {\"class\": []}, \"id\": 2}\r\n"
        "{\"event\": \"MIGRATION\"}\r\n{\"event\": \"BALLOON_CHANGE\", \"data\": 3}\r\n";
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    fake_qmp_say(&world.guests[0].qmp, strange, sizeof strange - 1);
    kvm_world_turn(&world, 30);
    assert_true(info_of(&world.guests[0]).rejected >= 6);
    assert_int_equal(info_of(&world.guests[0]).lost, 0);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_LIVE);
    assert_int_equal(kvm_world_account(&world, 0).held, 256 * MIB);
    kvm_world_close(&world);
}

static void test_flood_of_events(void **state)
{
    struct kvm_world world;
    struct kvm_guest *guest;
    unsigned before;

    (void)state;
    open_world(&world, 1);
    guest = &world.guests[0];
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    before = guest->qmp.commands;
    for (int i = 0; i < 10000; i++)
        fake_qmp_event(&guest->qmp, "BALLOON_CHANGE", "{\"actual\": 1}");
    kvm_world_turn(&world, 60);
    assert_true(guest->qmp.commands - before < 500);
    assert_int_equal(info_of(guest).lost, 0);
    assert_int_equal(kvm_world_account(&world, 0).held, 256 * MIB); /* read back, not believed */
    kvm_world_close(&world);
}

/* --- time --- */

static bool is_said_to_hang(void *guest)
{
    return speaks_of(guest, "does not answer") && info_of(guest).state == VMRES_KVM_BUSY;
}

static bool is_asked_twice(void *guest)
{
    return ((const struct kvm_guest *)guest)->qmp.commands >= 2;
}

/* Its QEMU hangs, with a question that is not waited for long. */
static void hang(struct kvm_guest *guest)
{
    kvm_world_bear(guest->world, SHORT_MS);
    guest->qmp.commands = 0;
    kvm_world_until(guest->world, is_asked_twice, guest);
    guest->qmp.hung = true;
    kvm_world_until(guest->world, is_said_to_hang, guest);
    kvm_world_bear(guest->world, KVM_WORLD_LONG_MS);
}

static void test_late_reply(void **state)
{
    struct kvm_world world;
    struct kvm_guest *guest;
    unsigned connections;
    uint64_t timeouts;

    (void)state;
    open_world(&world, 1);
    guest = &world.guests[0];
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, guest);
    hang(guest);
    timeouts = info_of(guest).timeouts;
    kvm_world_turn(&world, 100);
    assert_int_equal(guest->qmp.flown, 1); /* nothing more was asked */
    assert_int_equal(kvm_world_account(&world, 0).participation, VMRES_PARTICIPATE_OFF);
    connections = guest->qmp.connections;
    fake_qmp_go_on(&guest->qmp);
    kvm_world_until(&world, is_ready, guest);
    kvm_world_turn(&world, 30);
    assert_int_equal(guest->qmp.connections, connections);
    assert_int_equal(info_of(guest).rejected, 0);
    assert_int_equal(info_of(guest).timeouts, timeouts);
    assert_int_equal(kvm_world_account(&world, 0).participation, VMRES_PARTICIPATE_BOTH);
    kvm_world_close(&world);
}

/* Whoever holds the socket greets, and says no more. */
static void test_hangs_from_the_start(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    world.guests[0].qmp.hung = true;
    kvm_world_bear(&world, SHORT_MS);
    kvm_world_start(&world);
    kvm_world_until(&world, is_said_to_hang, &world.guests[0]);
    kvm_world_bear(&world, KVM_WORLD_LONG_MS);
    kvm_world_until(&world, is_charged_in_full, &world.guests[0]);
    fake_qmp_go_on(&world.guests[0].qmp);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    kvm_world_close(&world);
}

struct service {
    struct kvm_guest *guest;
    uint64_t judgements;
    unsigned commands;
};

static uint64_t judgements(const struct kvm_world *world)
{
    struct vmres_counters counters;

    vmres_engine_counters(vmres_driver_engine(world->driver), &counters);
    return counters.judgements;
}

static bool is_served(void *user)
{
    const struct service *wanted = user;

    return judgements(wanted->guest->world) >= wanted->judgements &&
           wanted->guest->qmp.commands > wanted->commands && kvm_guest_is_live(wanted->guest) &&
           !info_of(wanted->guest).reason;
}

/* It is asked, and so many more times judged, whatever the others do. */
static void expect_service(struct kvm_guest *guest, uint64_t more)
{
    struct service wanted = {guest, judgements(guest->world) + more, guest->qmp.commands};

    kvm_world_until(guest->world, is_served, &wanted);
}

static void test_one_that_hangs_stalls_nobody(void **state)
{
    struct kvm_world world;

    (void)state;
    kvm_world_init(&world, 2);
    world.driver_options.engine.inquiry_ms = 5000; /* a round that waits is seen */
    create_world(&world);
    kvm_world_start(&world);
    kvm_world_until(&world, all_are_live, &world);
    hang(&world.guests[1]);
    expect_service(&world.guests[0], 5);
    fake_qmp_go_on(&world.guests[1].qmp);
    kvm_world_close(&world);
}

/* Agrees to talk, then raves, and is hung up on; returns when that began. */
static uint64_t rave(struct kvm_guest *guest)
{
    static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n";
    uint64_t lost = info_of(guest).lost, begin_ms;

    kvm_world_until(guest->world, is_ready, guest);
    begin_ms = uv_now(&guest->world->loop);
    fake_qmp_say(&guest->qmp, garbage, sizeof garbage - 1);
    while (info_of(guest).lost == lost)
        kvm_world_turn(guest->world, 1);
    return begin_ms;
}

/* Timers never fire too early: so the wait is at least what it should be, on any host. */
static void test_one_that_raves_is_tried_later_each_time(void **state)
{
    struct kvm_world world;
    struct kvm_guest *guest;
    uint64_t begin_ms = 0;

    (void)state;
    open_world(&world, 1);
    guest = &world.guests[0];
    kvm_world_start(&world);
    for (unsigned i = 0; i < 6; i++)
        begin_ms = rave(guest);
    kvm_world_until(&world, is_ready, guest);
    assert_true(uv_now(&world.loop) - begin_ms >= (uint64_t)world.options.retry_ms << 5);
    kvm_world_until(&world, kvm_guest_is_live, guest); /* and is not given up */
    kvm_world_close(&world);
}

/* It is left alone, charged with what it was told; the other is asked and judged as before. */
static void test_one_that_raves_harms_nobody(void **state)
{
    struct kvm_world world;
    struct kvm_guest *raving;

    (void)state;
    open_world(&world, 2);
    raving = &world.guests[1];
    raving->qmp.actual = raving->qmp.target = 192 * MIB;
    kvm_world_process(raving);
    kvm_world_start(&world);
    kvm_world_until(&world, all_are_live, &world);
    for (unsigned i = 0; i < 6; i++) {
        (void)rave(raving);
        assert_int_equal(info_of(raving).state, VMRES_KVM_UNREACHABLE);
        assert_non_null(info_of(raving).reason);
        kvm_world_turn(&world, 1);
        assert_int_equal(kvm_world_account(&world, 1).participation, VMRES_PARTICIPATE_OFF);
        assert_true(kvm_world_account(&world, 1).charge >= raving->qmp.target);
        expect_service(&world.guests[0], 2);
    }
    assert_int_equal(info_of(&world.guests[0]).connections, 1);
    assert_true(info_of(raving).rejected >= 6);
    kvm_world_until(&world, kvm_guest_is_live, raving);
    kvm_world_close(&world);
}

static void test_one_command_at_a_time(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    kvm_world_turn(&world, 100);
    assert_true(world.guests[0].qmp.flown <= 1);
    kvm_world_close(&world);
}

/* --- errors, by class --- */

static bool has_no_device(void *guest)
{
    return info_of(guest).state == VMRES_KVM_READY && speaks_of(guest, "neither a balloon");
}

static void expect_without(const char *command, const char *error)
{
    struct kvm_world world;

    open_world(&world, 1);
    world.guests[0].qmp.command = command;
    world.guests[0].qmp.reply = error;
    kvm_world_start(&world);
    kvm_world_until(&world, has_no_device, &world.guests[0]);
    kvm_world_until(&world, is_charged_in_full, &world.guests[0]);
    kvm_world_close(&world);
}

static void test_unknown_commands_mean_no_device(void **state)
{
    static const char not_found[] =
        "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}, \"id\": %d}";

    (void)state;
    expect_without("qom-list", not_found);
}

/* So many commands that it has been asked anew what there is. */
static bool was_asked_again(void *guest)
{
    return ((const struct kvm_guest *)guest)->qmp.commands > 64;
}

/* Its balloon can give back at any time what the host does not see it hold now. */
static void test_unknown_size_is_all_there_could_be(void **state)
{
    struct kvm_world world;
    struct fake_qmp *qmp;

    (void)state;
    open_world(&world, 1);
    qmp = &world.guests[0].qmp;
    qmp->actual = qmp->target = 128 * MIB;
    kvm_world_process(&world.guests[0]);
    qmp->command = "query-memory-size-summary";
    qmp->reply = "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}, \"id\": %d}";
    kvm_world_start(&world);
    kvm_world_until(&world, was_asked_again, &world.guests[0]);
    qmp->actual = qmp->target = 64 * MIB;
    kvm_world_process(&world.guests[0]);
    qmp->commands = 0;
    kvm_world_until(&world, was_asked_again, &world.guests[0]);
    kvm_world_turn(&world, 30);
    assert_int_equal(kvm_world_account(&world, 0).charge, 256 * MIB);
    assert_true(speaks_of(&world.guests[0], "how large it is"));
    kvm_world_close(&world);
}

/* It can be spoken of by no name, but it plugs what it was told to by somebody else. */
static void test_device_without_id_counts_as_full(void **state)
{
    struct kvm_world world;

    (void)state;
    open_world(&world, 1);
    world.guests[0].qmp.command = "query-memory-devices";
    world.guests[0].qmp.reply =
        "{\"return\": [{\"type\": \"virtio-mem\", \"data\": {\"block-size\": 2097152, \"size\": "
        "67108864, \"max-size\": 134217728, \"requested-size\": 67108864}}], \"id\": %d}";
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    assert_int_equal(info_of(&world.guests[0]).held, (256 + 128) * MIB);
    assert_int_equal(info_of(&world.guests[0]).devices, VMRES_KVM_BALLOON);
    kvm_world_close(&world);
}

static bool holds_most(void *guest)
{
    const struct kvm_guest *one = guest;

    return info_of(one).held == 256 * MIB && info_of(one).rejected > 0;
}

static void test_nonsense_counts_as_most(void **state)
{
    static const char *const replies[] = {
        "{\"return\": {\"actual\": -1}, \"id\": %d}",
        "{\"return\": {\"actual\": 18446744073709551615}, \"id\": %d}",
        "{\"return\": {\"actual\": 268435457}, \"id\": %d}",
        "{\"return\": {\"actual\": \"134217728\"}, \"id\": %d}",
        "{\"return\": {}, \"id\": %d}",
        "{\"return\": null, \"id\": %d}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct kvm_world world;

        open_world(&world, 1);
        world.guests[0].qmp.actual = 128 * MIB;
        world.guests[0].qmp.command = "query-balloon";
        world.guests[0].qmp.reply = replies[i];
        kvm_world_start(&world);
        kvm_world_until(&world, holds_most, &world.guests[0]);
        kvm_world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greeting_never_comes),
        cmocka_unit_test(test_comes_later),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_garbage_ends_the_connection),
        cmocka_unit_test(test_deep_and_long_lines_end_the_connection),
        cmocka_unit_test(test_a_long_line_is_no_harm),
        cmocka_unit_test(test_strange_messages_are_passed_over),
        cmocka_unit_test(test_flood_of_events),
        cmocka_unit_test(test_late_reply),
        cmocka_unit_test(test_hangs_from_the_start),
        cmocka_unit_test(test_one_that_hangs_stalls_nobody),
        cmocka_unit_test(test_one_that_raves_is_tried_later_each_time),
        cmocka_unit_test(test_one_that_raves_harms_nobody),
        cmocka_unit_test(test_one_command_at_a_time),
        cmocka_unit_test(test_unknown_commands_mean_no_device),
        cmocka_unit_test(test_unknown_size_is_all_there_could_be),
        cmocka_unit_test(test_device_without_id_counts_as_full),
        cmocka_unit_test(test_nonsense_counts_as_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
