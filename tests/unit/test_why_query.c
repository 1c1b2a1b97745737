/* SPDX-License-Identifier: MIT */
/* What an engine tells about itself: queries, and the line that says why. */
#include <string.h>

#include "support/rig.h"

static void expect_why(const struct rig *rig, uint32_t vm, const char *wanted)
{
    char line[400];
    size_t length = vmres_engine_why(rig->engine, vm, MEMORY, line, sizeof line);

    assert_string_equal(line, wanted);
    assert_int_equal(length, strlen(wanted));
}

static void why_tells_the_books_the_report_and_the_verdict(void **state)
{
    struct rig *rig = rig_new(300);

    (void)state;
    rig_fleet(rig, 2, 100);
    expect_why(rig, 0, "holds 100MiB, uses 0B (no report to go by)");
    rig->vms[0].devices[MEMORY].used = 70;
    rig->vms[0].devices[MEMORY].stall = 725;
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_wish(rig, 0, 240);
    rig_wish(rig, 1, 60);
    rig_round(rig);
    rig->now += 120;
    rig_told(rig, rig_event(rig, VMRES_EVENT_TIMEOUT, 0));
    expect_why(rig, 0,
               "holds 200MiB, uses 70MiB, stalls 7.25% (120 ms ago), entitled to 150MiB, "
               "still to get 40MiB; last verdict: wished");
    expect_why(rig, 1,
               "holds 100MiB, uses 0B (120 ms ago), entitled to 150MiB, still to give 40MiB; "
               "last verdict: wished");
    rig->vms[1].devices[MEMORY].excess = 15;
    rig_finish(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 15, VMRES_RESULT_PARTIAL);
    rig_round(rig);
    expect_why(rig, 1,
               "holds 85MiB, uses 0B (0 ms ago), entitled to 150MiB, disputed 15MiB, "
               "left alone: it did not do as asked; last verdict: wished");
    rig_delete(rig);
}

static void a_policy_adds_what_it_thinks(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);
    char line[400];

    (void)state;
    rig->policies[MEMORY] = (struct vmres_policy){vmres_policy_find("usage"), NULL};
    EXPECT_OK(vmres_engine_create(&rig->options, &rig->engine, NULL));
    rig_fleet(rig, 1, 100);
    rig->vms[0].devices[MEMORY].used = 70;
    rig_round(rig);
    vmres_engine_why(rig->engine, 0, MEMORY, line, sizeof line);
    assert_string_equal(line, "holds 100MiB, uses 70MiB (0 ms ago), entitled to 300MiB; usage: "
                              "usage rate 70%; decreased below 60%, increased above 80%");
    rig_delete(rig);
}

static void who_takes_no_part_is_told_why(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_event freeze;

    (void)state;
    rig_fleet(rig, 1, 100);
    rig_add(rig, 1, 0, 300, 50);
    expect_why(rig, 1, "holds 0B, uses 0B (no report to go by), not live yet");
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 0));
    expect_why(rig, 0, "holds 100MiB, uses 0B (no report to go by), frozen: left alone on request");
    freeze = rig_event(rig, VMRES_EVENT_FREEZE, 0);
    freeze.flags = VMRES_FLAG_HOST;
    rig_told(rig, freeze);
    expect_why(rig, 0,
               "holds 100MiB, uses 0B (no report to go by), "
               "frozen: left alone on request, and for the hypervisor");
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 0));
    expect_why(rig, 0,
               "holds 100MiB, uses 0B (no report to go by), frozen: left alone for the hypervisor");
    rig_told(rig, rig_event(rig, VMRES_EVENT_FREEZE, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_BACKEND_LOST, 0));
    rig_told(rig, rig_event(rig, VMRES_EVENT_THAW, 0));
    expect_why(rig, 0,
               "holds 100MiB, uses 0B (no report to go by), silent: its device does not answer");
    rig_delete(rig);
}

static void of_nobody_there_is_nothing_to_say(void **state)
{
    struct rig *rig = rig_new(300);
    char line[8] = "before";

    (void)state;
    assert_int_equal(vmres_engine_why(rig->engine, 3, MEMORY, line, sizeof line), 0);
    assert_string_equal(line, "");
    assert_int_equal(vmres_engine_why(rig->engine, RIG_VMS, MEMORY, line, sizeof line), 0);
    rig_fleet(rig, 1, 100);
    assert_int_equal(vmres_engine_why(rig->engine, 0, 1, line, sizeof line), 0);
    assert_int_equal(vmres_engine_why(rig->engine, 0, UINT8_MAX, line, sizeof line), 0);
    assert_true(vmres_engine_why(rig->engine, 0, MEMORY, line, sizeof line) > sizeof line);
    assert_string_equal(line, "holds 1");
    assert_true(vmres_engine_why(rig->engine, 0, MEMORY, NULL, 0) > 0);
    rig_delete(rig);
}

static void what_is_out_of_range_is_unknown(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_vm_info vm;
    struct vmres_account_info account;
    struct vmres_pool_info pool;

    (void)state;
    EXPECT_STATUS(vmres_engine_vm(rig->engine, RIG_VMS, &vm), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_engine_account(rig->engine, RIG_VMS, 0, &account), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_engine_account(rig->engine, 0, 0, &account), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_engine_account(rig->engine, 0, UINT8_MAX, &account), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_engine_pool(rig->engine, 1, &pool), VMRES_UNKNOWN);
    EXPECT_STATUS(vmres_engine_pool(rig->engine, UINT8_MAX, &pool), VMRES_UNKNOWN);
    EXPECT_OK(vmres_engine_vm(rig->engine, 0, &vm));
    assert_int_equal(vm.state, VMRES_VM_VACANT);
    rig_delete(rig);
}

static void without_an_engine_nothing_is_told(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_vm_info vm;
    struct vmres_account_info account;
    struct vmres_pool_info pool;
    struct vmres_reservation_info reservation;
    struct vmres_transfer_info transfer;
    struct vmres_error error;
    uint32_t cursor = 0;
    char line[8] = "before";

    (void)state;
    EXPECT_STATUS(vmres_engine_vm(NULL, 0, &vm), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_vm(rig->engine, 0, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_account(NULL, 0, 0, &account), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_account(rig->engine, 0, 0, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_pool(NULL, 0, &pool), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_pool(rig->engine, 0, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_reservation(NULL, 1, &reservation), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_reservation(rig->engine, 1, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_engine_audit(NULL, &error), VMRES_INVALID);
    assert_int_equal(vmres_engine_next_transfer(NULL, &cursor, &transfer), 0);
    assert_int_equal(vmres_engine_next_transfer(rig->engine, NULL, &transfer), 0);
    assert_int_equal(vmres_engine_next_transfer(rig->engine, &cursor, NULL), 0);
    assert_int_equal(vmres_engine_settled(NULL), 1);
    assert_true(vmres_engine_deadline(NULL) == UINT64_MAX);
    assert_int_equal(vmres_engine_why(NULL, 0, 0, line, sizeof line), 0);
    assert_string_equal(line, "");
    vmres_engine_counters(NULL, &rig->engine->counters);
    vmres_engine_counters(rig->engine, NULL);
    assert_int_equal(rig->engine->counters.events, 0);
    rig_delete(rig);
}

static void an_account_is_told_in_full(void **state)
{
    struct rig *rig = rig_new(300);
    struct vmres_account_info info;

    (void)state;
    rig_add(rig, 0, 20, 200, 100);
    EXPECT_OK(vmres_engine_account(rig->engine, 0, MEMORY, &info));
    assert_true(info.witness == UINT64_MAX && info.limit == UINT64_MAX);
    assert_int_equal(info.age_ms, UINT32_MAX);
    rig_boot(rig);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_OK(vmres_engine_account(rig->engine, 0, MEMORY, &info));
    assert_int_equal(info.floor, 20 * VMRES_MIB);
    assert_int_equal(info.ceiling, 200 * VMRES_MIB);
    assert_int_equal(info.entitlement, 200 * VMRES_MIB);
    assert_int_equal(info.charge, 150 * VMRES_MIB);
    assert_int_equal(info.held, 150 * VMRES_MIB);
    assert_int_equal(info.target, 150 * VMRES_MIB);
    assert_int_equal(info.witness, 150 * VMRES_MIB);
    assert_int_equal(info.weight, 1);
    assert_int_equal(info.participation, VMRES_PARTICIPATE_BOTH);
    assert_int_equal(info.age_ms, 0);
    assert_string_equal(info.reason, "wished");
    rig_delete(rig);
}

static void the_pool_sums_up(void **state)
{
    struct rig *rig = rig_prepare(300, 1, true);
    struct vmres_pool_info pool;

    (void)state;
    rig->resources[MEMORY].reserve = 30 * VMRES_MIB;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    EXPECT_OK(vmres_engine_pool(rig->engine, MEMORY, &pool));
    assert_int_equal(pool.capacity, 300 * VMRES_MIB);
    assert_int_equal(pool.reserve, 30 * VMRES_MIB);
    assert_int_equal(pool.charged, 200 * VMRES_MIB);
    assert_int_equal(pool.free, 70 * VMRES_MIB);
    assert_int_equal(pool.transit, 0);
    assert_int_equal(pool.deficit, 0);
    rig_delete(rig);
}

static void the_open_transfers_are_found_each_once(void **state)
{
    struct rig *rig = rig_new(500);
    struct vmres_transfer_info info;
    uint32_t cursor = 0, found = 0, seen = 0;

    (void)state;
    rig_fleet(rig, 5, 100);
    rig_withhold(rig, 0, RIG_REMOVAL);
    rig_wish(rig, 0, 20);
    for (uint32_t vm = 1; vm < 5; vm++)
        rig_wish(rig, vm, 120);
    rig_round(rig);
    while (vmres_engine_next_transfer(rig->engine, &cursor, &info)) {
        found++;
        seen |= 1u << info.recipient;
        assert_int_equal(info.donor, 0);
        assert_int_equal(info.asked, 20 * VMRES_MIB);
    }
    assert_int_equal(found, 4);
    assert_int_equal(seen, 0x1e);
    assert_int_equal(vmres_engine_next_transfer(rig->engine, &cursor, &info), 0);
    rig_delete(rig);
}

static void counters_count(void **state)
{
    struct rig *rig = rig_new(200);
    struct vmres_counters before, after;

    (void)state;
    rig_fleet(rig, 2, 100);
    before = rig_counters(rig);
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    after = rig_counters(rig);
    assert_int_equal(after.rounds, before.rounds + 1);
    assert_int_equal(after.judgements, before.judgements + 1);
    assert_int_equal(after.actions, before.actions + 4);
    assert_int_equal(after.events, before.events + 6); /* a timeout, two reports, three answers */
    assert_int_equal(after.released, 50);
    assert_int_equal(after.incorporated, 50);
    assert_int_equal(after.transfers_done, 1);
    assert_int_equal(after.refused, 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_tells_the_books_the_report_and_the_verdict),
        cmocka_unit_test(a_policy_adds_what_it_thinks),
        cmocka_unit_test(who_takes_no_part_is_told_why),
        cmocka_unit_test(of_nobody_there_is_nothing_to_say),
        cmocka_unit_test(what_is_out_of_range_is_unknown),
        cmocka_unit_test(without_an_engine_nothing_is_told),
        cmocka_unit_test(an_account_is_told_in_full),
        cmocka_unit_test(the_pool_sums_up),
        cmocka_unit_test(the_open_transfers_are_found_each_once),
        cmocka_unit_test(counters_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
