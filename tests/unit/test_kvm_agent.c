/* SPDX-License-Identifier: MIT */
/*
 * The agent's channel: an agent that does well is believed as far as that goes; one that lies,
 * hangs, floods, raves or begins anew harms nobody, and the balloon's statistics serve meanwhile.
 * Those say that 192 MiB are available, the agent 100: so it is seen who spoke.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/internal.h"
#include "support/check.h"
#include "support/fake_agent.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB
#define SHORT_MS 100 /* where silence is what is waited for */
#define BY_BALLOON (192 * MIB)
#define BY_AGENT (100 * MIB)

static struct kvm_world world;
static struct fake_agent agents[2];
static unsigned count;
static void open_world(unsigned guests)
{
    kvm_world_init(&world, guests);
    world.resource.capacity = guests * 256 * MIB;
    count = guests;
    for (unsigned i = 0; i < guests; i++) {
        struct kvm_guest *guest = &world.guests[i];

        snprintf(guest->agent, sizeof guest->agent, "%s/agent%u", world.directory, i);
        fake_agent_open(&agents[i], &world.loop, guest->agent);
        agents[i].available = BY_AGENT;
        agents[i].free = 50 * MIB;
    }
    kvm_world_create(&world);
    for (unsigned i = 0; i < guests; i++)
        kvm_world_add(&world, i, 64, 256);
}

static void close_world(void)
{
    for (unsigned i = 0; i < count; i++)
        fake_agent_close(&agents[i]);
    kvm_world_close(&world);
}

static uint64_t available(unsigned guest)
{
    return kvm_world_account(&world, guest).available;
}

static bool agent_speaks(void *user)
{
    unsigned index = (unsigned)((struct kvm_guest *)user - world.guests);

    return kvm_guest_is_live(user) && kvm_world_info(&world, index).agent == 1 &&
           available(index) == BY_AGENT;
}

static bool balloon_speaks(void *user)
{
    unsigned index = (unsigned)((struct kvm_guest *)user - world.guests);

    return kvm_guest_is_live(user) && available(index) == BY_BALLOON;
}

/* One guest, and its agent has been heard. */
static void open_one(void)
{
    open_world(1);
    kvm_world_start(&world);
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
}

/* --- doing well --- */

static bool is_stalled_by_a_fifth(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).stall == VMRES_STALL_ONE / 5;
}

static void test_report(void **state)
{
    struct vmres_account_info account;

    (void)state;
    open_one();
    account = kvm_world_account(&world, 0);
    assert_int_equal(account.used, 156 * MIB);
    assert_int_equal(account.free, 50 * MIB);
    assert_int_equal(kvm_world_info(&world, 0).rejected, 0);
    agents[0].stall_us = 200000; /* of each second */
    kvm_world_until(&world, is_stalled_by_a_fifth, NULL);
    close_world();
}

/* While a command is open the statistics are read as well: they do not speak in place of an agent
 * that is only a little late. */
static void test_speaks_while_it_moves(void **state)
{
    struct vmres_backend *backend;
    struct kvm_vm *vm;
    struct vmres_action action = {.id = 10000, .type = VMRES_ACTION_REQUEST_REMOVAL};

    (void)state;
    open_one();
    backend = vmres_kvm_backend(world.kvm);
    vm = vmres__kvm_find(world.kvm, "vm0");
    action.incarnation = vm->incarnation;
    action.as.resize.target = 192 * MIB;
    action.as.resize.amount = 64 * MIB;
    world.guests[0].qmp.step = 0; /* it will not */
    EXPECT_OK(backend->ops->submit(backend, &action));
    agents[0].hung = true;
    while (kvm_world_info(&world, 0).timeouts == 0) {
        assert_int_equal(available(0), BY_AGENT);
        kvm_world_turn(&world, 1);
    }
    assert_true(vm->commands[KVM_SHRINK].id != 0);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    close_world();
}

static uint32_t expected_stall;

static bool is_stalled_as_expected(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).stall == expected_stall;
}

/* How much is missing lies on swap, while pages are called back from there. */
static void test_stall_by_swap(void **state)
{
    (void)state;
    open_one();
    agents[0].swapped = 64 * MIB;
    agents[0].stall_us = 700000; /* waited for something else: nothing came back */
    expected_stall = VMRES_STALL_ONE * 7 / 10;
    kvm_world_until(&world, is_stalled_as_expected, NULL);
    agents[0].called_back = 100;
    expected_stall = VMRES_STALL_ONE / 5; /* 64 MiB of 256 + 64 */
    kvm_world_until(&world, is_stalled_as_expected, NULL);
    agents[0].stall_us = 0; /* nobody waited, as the kernel counts; it is short all the same */
    kvm_world_turn(&world, 50);
    kvm_world_until(&world, is_stalled_as_expected, NULL);
    agents[0].called_back = 1; /* next to nothing: what is out there is not wanted */
    expected_stall = 0;
    kvm_world_until(&world, is_stalled_as_expected, NULL);
    agents[0].swapped = UINT64_MAX >> 11; /* a lie: as if it wanted 16 times what it holds */
    agents[0].called_back = 1000;
    expected_stall = VMRES_STALL_ONE * 15 / 16;
    kvm_world_until(&world, is_stalled_as_expected, NULL);
    close_world();
}

static uint64_t notices_taken(void)
{
    struct vmres_counters counters;

    vmres_engine_counters(vmres_driver_engine(world.driver), &counters);
    return counters.notices;
}

static bool is_noticed(void *user)
{
    (void)user;
    return notices_taken() > 0;
}

static void test_notice(void **state)
{
    (void)state;
    open_one();
    agents[0].stall_us = 300000;
    agents[0].available = 2 * MIB;
    fake_agent_notice(&agents[0]);
    kvm_world_until(&world, is_noticed, NULL);
    assert_int_equal(kvm_world_info(&world, 0).notices, 1);
    assert_non_null(kvm_world_find(&world, NULL, "is short"));
    close_world();
}

/* What a guest still calls available while it stalls is nothing it could give, then or later. */
static bool has_nothing(void *user)
{
    (void)user;
    return available(0) == 0 && kvm_world_account(&world, 0).stall > 0;
}

static bool has_what_is_real(void *user)
{
    (void)user;
    return available(0) == 94 * MIB && kvm_world_account(&world, 0).stall == 0;
}

static void test_dregs_are_not_available(void **state)
{
    (void)state;
    open_one();
    agents[0].available = 6 * MIB;
    agents[0].stall_us = 100000;
    kvm_world_until(&world, has_nothing, NULL);
    agents[0].available = BY_AGENT;
    agents[0].stall_us = 0;
    kvm_world_until(&world, has_what_is_real, NULL);
    close_world();
}

static bool has_all_it_says(void *user)
{
    (void)user;
    return available(0) == agents[0].available && kvm_world_account(&world, 0).stall > 0;
}

/* That there are none is learnt as well. */
static void test_no_dregs(void **state)
{
    (void)state;
    open_one();
    agents[0].available = 0;
    agents[0].stall_us = 100000;
    kvm_world_until(&world, has_nothing, NULL);
    agents[0].available = 6 * MIB;
    kvm_world_until(&world, has_all_it_says, NULL);
    close_world();
}

/* --- not there, or no more --- */

static void test_nobody_listens(void **state)
{
    (void)state;
    open_world(1);
    fake_agent_close(&agents[0]);
    kvm_world_start(&world);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    assert_int_equal(kvm_world_info(&world, 0).agent, 0);
    assert_int_equal(kvm_world_info(&world, 0).rejected, 0);
    close_world();
}

static void test_mute_then_there(void **state)
{
    (void)state;
    open_world(1);
    agents[0].mute = true;
    kvm_world_bear(&world, SHORT_MS);
    kvm_world_start(&world);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    agents[0].mute = false; /* its guest has booted: the next hello is answered */
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    close_world();
}

static bool is_missed(void *user)
{
    return balloon_speaks(user) && kvm_world_info(&world, 0).timeouts > 0;
}

static void test_hangs_then_goes_on(void **state)
{
    (void)state;
    open_one();
    kvm_world_bear(&world, SHORT_MS);
    agents[0].hung = true;
    kvm_world_until(&world, is_missed, &world.guests[0]);
    agents[0].hung = false;
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    close_world();
}

static void test_dropped_and_found_again(void **state)
{
    (void)state;
    open_one();
    for (unsigned i = 0; i < 3; i++) {
        unsigned before = agents[0].reports;

        fake_agent_drop(&agents[0]);
        kvm_world_until(&world, agent_speaks, &world.guests[0]);
        while (agents[0].reports == before)
            kvm_world_turn(&world, 10);
    }
    assert_true(agents[0].connections >= 4);
    close_world();
}

static void test_begins_anew(void **state)
{
    unsigned hellos;

    (void)state;
    open_one();
    hellos = agents[0].hellos;
    agents[0].fresh = true;
    agents[0].time_us = agents[0].some_us = 0; /* its guest's clock does, too */
    while (agents[0].fresh)
        kvm_world_turn(&world, 10);
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    assert_true(agents[0].hellos > hellos);
    assert_int_equal(kvm_world_account(&world, 0).stall, 0);
    assert_int_equal(agents[0].connections, 1);
    close_world();
}

static bool is_second_life(void *user)
{
    struct vmres_vm_info info;

    (void)user;
    return vmres_engine_vm(vmres_driver_engine(world.driver), 0, &info) == VMRES_OK &&
           info.incarnation > 1;
}

/* The former life's notices are on their way while the guest is reset: they count for nothing. */
static void test_reset(void **state)
{
    unsigned hellos;

    (void)state;
    open_one();
    hellos = agents[0].hellos;
    kvm_world_bear(&world, SHORT_MS);
    agents[0].mute = true;
    agents[0].available = 1 * MIB;
    fake_qmp_event(&world.guests[0].qmp, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    kvm_world_until(&world, is_second_life, NULL);
    fake_agent_notice(&agents[0]);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    assert_int_equal(notices_taken(), 0);
    agents[0].available = BY_AGENT;
    agents[0].mute = false;
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    assert_true(agents[0].hellos > hellos);
    close_world();
}

/* --- lies and ravings --- */

static void test_numbers_are_bounded(void **state)
{
    static const char *const lies[] = {
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":9007199254740992,\"free\":"
        "9007199254740992,\"total\":9007199254740992,\"used_max\":9007199254740992,\"used_mean\":"
        "9007199254740992,\"samples\":9007199254740992,\"time_us\":9007199254740992,"
        "\"some_us\":9007199254740992}",
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":0,\"free\":9007199254740992,"
        "\"total\":1,\"used_max\":9007199254740992,\"used_mean\":9007199254740992,\"samples\":1,"
        "\"time_us\":1,\"some_us\":9007199254740992}",
    };

    (void)state;
    open_one();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct vmres_account_info account;
        unsigned before = agents[0].reports;

        agents[0].reply = lies[i];
        while (agents[0].reports < before + 3)
            kvm_world_turn(&world, 10);
        account = kvm_world_account(&world, 0);
        assert_true(account.used <= 256 * MIB && account.available <= 256 * MIB);
        assert_true(account.free <= account.available);
        assert_true(account.stall <= VMRES_STALL_ONE);
        assert_int_equal(account.charge, 256 * MIB);
    }
    close_world();
}

static void test_nonsense_in_place_of_numbers(void **state)
{
    static const char *const nonsense[] = {
        "{\"v\":1,\"type\":\"report\",\"id\":%u}",
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":-1}",
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":\"all\"}",
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":18446744073709551615}",
        "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":[1]}",
        "{\"v\":1,\"type\":\"error\",\"id\":%u,\"why\":\"proc\"}",
        "{\"v\":1,\"type\":\"opera\",\"id\":%u}",
        "{\"v\":1,\"id\":%u}",
    };

    (void)state;
    open_one();
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        uint64_t before = kvm_world_info(&world, 0).rejected;

        agents[0].reply = nonsense[i];
        while (kvm_world_info(&world, 0).rejected == before)
            kvm_world_turn(&world, 10);
        kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    }
    close_world();
}

static void test_another_version(void **state)
{
    (void)state;
    open_world(1);
    agents[0].hello = "{\"v\":2,\"type\":\"error\",\"id\":%u,\"why\":\"version\"}";
    kvm_world_start(&world);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    assert_int_equal(kvm_world_info(&world, 0).agent, 0);
    agents[0].hello = "{\"v\":2,\"type\":\"hello\",\"id\":%u}"; /* we did not offer that one */
    while (agents[0].connections < 4)
        kvm_world_turn(&world, 10);
    assert_int_equal(kvm_world_info(&world, 0).agent, 0);
    agents[0].hello = NULL;
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    close_world();
}

static const struct {
    const char *bytes;
    size_t length;
} ravings[] = {{"\n", 1},
               {"{}}\n", 4},
               {"\0\0\0\n", 4},
               {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", 44},
               {"{\"type\":\"notice\",\"type\":\"notice\"}\n", 34},
               {"\xff\xfe\xfd\n", 4}};

static bool is_cut_off(void *user)
{
    const unsigned *connections = user;

    return agents[0].connections > *connections && agent_speaks(&world.guests[0]);
}

static void test_ravings(void **state)
{
    (void)state;
    open_one();
    for (size_t i = 0; i < sizeof ravings / sizeof *ravings; i++) {
        uint64_t rejected = kvm_world_info(&world, 0).rejected;
        unsigned connections = agents[0].connections;

        fake_agent_say(&agents[0], ravings[i].bytes, ravings[i].length);
        kvm_world_until(&world, is_cut_off, &connections);
        assert_true(kvm_world_info(&world, 0).rejected > rejected);
    }
    close_world();
}

static void test_endless_line(void **state)
{
    static char bytes[1 << 16];
    unsigned connections;

    (void)state;
    open_one();
    memset(bytes, 'x', sizeof bytes);
    connections = agents[0].connections;
    fake_agent_say(&agents[0], bytes, sizeof bytes);
    kvm_world_until(&world, is_cut_off, &connections);
    close_world();
}

static bool both_speak(void *user)
{
    (void)user;
    return agent_speaks(&world.guests[0]) && agent_speaks(&world.guests[1]);
}

/* It answers at once, and by that is asked anew at once: without end, if nobody stopped it. */
static void test_wants_hello_without_end(void **state)
{
    unsigned reports;

    (void)state;
    open_world(2);
    agents[0].hello = "{\"v\":1,\"type\":\"error\",\"id\":%u,\"why\":\"hello\"}";
    kvm_world_start(&world);
    kvm_world_until(&world, agent_speaks, &world.guests[1]);
    reports = agents[1].reports;
    while (agents[1].reports < reports + 5)
        kvm_world_turn(&world, 1);
    assert_true(agents[0].hellos > 0);
    assert_true(agents[0].hellos <= agents[0].connections);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    agents[0].hello = NULL;
    kvm_world_until(&world, both_speak, NULL);
    close_world();
}

/* It takes every hello, and forgets it: greeted once more, it is hung up on after that, and for
 * longer each time. */
static void test_forgets_every_hello(void **state)
{
    (void)state;
    open_one();
    agents[0].reply = "{\"v\":1,\"type\":\"error\",\"id\":%u,\"why\":\"hello\"}";
    while (agents[0].connections < 4)
        kvm_world_turn(&world, 1);
    assert_true(agents[0].hellos <= agents[0].connections + 1);
    assert_true(vmres__kvm_find(world.kvm, "vm0")->agent.failures >= 3);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    agents[0].reply = NULL;
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    close_world();
}

/* The number is right, and it is no answer to what was asked: it counts as nonsense. */
static void test_answers_another_question(void **state)
{
    unsigned connections;

    (void)state;
    open_one();
    connections = agents[0].connections;
    agents[0].reply = "{\"v\":1,\"type\":\"hello\",\"id\":%u}";
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    agents[0].reply = NULL;
    kvm_world_until(&world, is_cut_off, &connections);
    connections = agents[0].connections;
    agents[0].hello = "{\"v\":1,\"type\":\"report\",\"id\":%u,\"available\":1}";
    fake_agent_drop(&agents[0]);
    while (agents[0].connections < connections + 2)
        kvm_world_turn(&world, 10);
    assert_true(agents[0].hellos <= agents[0].connections);
    kvm_world_until(&world, balloon_speaks, &world.guests[0]);
    agents[0].hello = NULL;
    kvm_world_until(&world, agent_speaks, &world.guests[0]);
    close_world();
}

/* Notices without end: it is hung up on, for longer each time; the other is served as before. */
static void test_flood(void **state)
{
    unsigned connections, reports;

    (void)state;
    open_world(2);
    kvm_world_start(&world);
    kvm_world_until(&world, both_speak, NULL);
    reports = agents[1].reports;
    connections = agents[0].connections;
    while (agents[1].reports < reports + 20) {
        for (unsigned i = 0; i < 100; i++)
            fake_agent_notice(&agents[0]);
        kvm_world_turn(&world, 1);
    }
    assert_true(agents[0].connections > connections);
    assert_true(kvm_world_info(&world, 0).notices <= 16u * agents[0].connections);
    kvm_world_until(&world, agent_speaks, &world.guests[1]);
    close_world();
}

static void test_byte_by_byte(void **state)
{
    static const char line[] = "{\"v\":1,\"type\":\"notice\",\"why\":\"low\",\"time_us\":900000000"
                               ",\"available\":1048576,\"some_us\":1}\n";

    (void)state;
    open_one();
    agents[0].mute = true; /* no answer may come in between */
    for (size_t i = 0; i < sizeof line - 1; i++) {
        fake_agent_say(&agents[0], line + i, 1);
        kvm_world_turn(&world, 1);
    }
    kvm_world_until(&world, is_noticed, NULL);
    close_world();
}

static void test_path_that_is_too_long(void **state)
{
    struct vmres_kvm_vm_spec spec = {.name = "x", .socket = "/x"};
    char path[256];

    (void)state;
    open_world(1);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    spec.agent = path;
    EXPECT_STATUS(vmres_kvm_add_vm(world.kvm, &spec, NULL), VMRES_INVALID);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_speaks_while_it_moves),
        cmocka_unit_test(test_stall_by_swap),
        cmocka_unit_test(test_notice),
        cmocka_unit_test(test_dregs_are_not_available),
        cmocka_unit_test(test_no_dregs),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_mute_then_there),
        cmocka_unit_test(test_hangs_then_goes_on),
        cmocka_unit_test(test_dropped_and_found_again),
        cmocka_unit_test(test_begins_anew),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_numbers_are_bounded),
        cmocka_unit_test(test_nonsense_in_place_of_numbers),
        cmocka_unit_test(test_another_version),
        cmocka_unit_test(test_ravings),
        cmocka_unit_test(test_endless_line),
        cmocka_unit_test(test_wants_hello_without_end),
        cmocka_unit_test(test_forgets_every_hello),
        cmocka_unit_test(test_answers_another_question),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_path_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
