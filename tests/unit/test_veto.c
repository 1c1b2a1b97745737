/* SPDX-License-Identifier: MIT */
/* The embedder's veto: asked before each transfer, and what it says stands. */
#include "support/rig.h"

struct censor {
    uint32_t forbidden; /* as donor; VMRES_VM_NONE: what comes from the pool */
    uint32_t asked;
    struct vmres_transfer_info last;
};

static int forbid(void *user, const struct vmres_transfer_info *transfer)
{
    struct censor *censor = user;

    censor->asked++;
    censor->last = *transfer;
    return transfer->donor == censor->forbidden;
}

static struct rig *censored(struct censor *censor, uint32_t capacity, uint32_t dry_run)
{
    struct rig *rig = rig_prepare(capacity, 1, true);

    rig->options.veto = (struct vmres_veto){forbid, censor};
    rig->options.dry_run = dry_run;
    rig_start(rig);
    rig_fleet(rig, 3, 100);
    return rig;
}

static void what_it_is_told(void **state)
{
    struct censor censor = {.forbidden = 2};
    struct rig *rig = censored(&censor, 300, 0);

    (void)state;
    rig_wish(rig, 0, 150);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    assert_int_equal(censor.asked, 1);
    assert_int_equal(censor.last.donor, 1);
    assert_int_equal(censor.last.recipient, 0);
    assert_int_equal(censor.last.kind, MEMORY);
    assert_int_equal(censor.last.asked, 50 * VMRES_MIB);
    assert_int_equal(censor.last.released, 0);
    assert_int_equal(censor.last.started_ms, 1000);
    assert_string_equal(censor.last.reason, "wished");
    assert_int_not_equal(censor.last.id, 0);
    EXPECT_BOOKS(rig, "150 50 100 + 0");
    assert_int_equal(rig_counters(rig).vetoed, 0);
    rig_delete(rig);
}

static void what_it_forbids_does_not_happen_and_is_asked_again(void **state)
{
    struct censor censor = {.forbidden = 1};
    struct rig *rig = censored(&censor, 300, 0);

    (void)state;
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 80);
    rig_wish(rig, 2, 80);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 20MiB from vm2: wished\n"
                      "[    1.000] vm2 (4) remove 20MiB, down to 80MiB, for vm0: wished\n"
                      "[    1.000] vm2 (5) removed 20MiB, now 80MiB\n"
                      "[    1.000] vm0 (6) reassign 20MiB from vm2, now 120MiB\n"
                      "[    1.000] vm0 (7) notify of 20MiB, now 120MiB: wished\n"
                      "[    1.000] vm0 (8) incorporated 20MiB, holds 120MiB\n"
                      "[    1.000] transfer vm2 to vm0 moved 20MiB of 20MiB: done\n");
    assert_int_equal(rig_counters(rig).vetoed, 1);
    rig_round(rig);
    assert_int_equal(rig_counters(rig).vetoed, 2);
    censor.forbidden = 5;
    rig_round(rig);
    EXPECT_BOOKS(rig, "140 80 80 + 0");
    rig_delete(rig);
}

static void the_pool_too_is_asked_for(void **state)
{
    struct censor censor = {.forbidden = VMRES_VM_NONE};
    struct rig *rig = censored(&censor, 400, 0);

    (void)state;
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_TRACE(rig, "");
    EXPECT_BOOKS(rig, "100 100 100 + 100");
    assert_int_equal(rig_transfers(rig), 0);
    assert_int_equal(rig_counters(rig).vetoed, 1);
    rig_delete(rig);
}

static void a_dry_run_asks_as_well(void **state)
{
    struct censor censor = {.forbidden = 1};
    struct rig *rig = censored(&censor, 300, 1);

    (void)state;
    rig_wish(rig, 0, 140);
    rig_wish(rig, 1, 80);
    rig_wish(rig, 2, 80);
    rig_round(rig);
    EXPECT_TRACE(rig, "[    1.000] vm0 (3) gets 20MiB from vm2: wished\n");
    assert_int_equal(rig_transfers(rig), 1);
    rig_delete(rig);
}

/* Not even for what must be had is a VM touched that the embedder forbids: the deficit stays, and
 * with it nobody grows, until it relents. */
static void it_stands_above_what_must_be_had(void **state)
{
    struct censor censor = {.forbidden = 1};
    struct rig *rig = censored(&censor, 300, 0);
    struct vmres_event event;

    (void)state;
    event = rig_event(rig, VMRES_EVENT_CAPACITY, 0);
    event.as.capacity.capacity = 270 * VMRES_MIB;
    rig_told(rig, event);
    rig_told(rig, rig_set(rig, 1, 0));
    for (uint32_t round = 0; round < 8; round++)
        rig_round(rig);
    assert_int_equal(rig_charge(rig, 1, MEMORY), 100);
    assert_int_equal(rig_deficit(rig, MEMORY), 10);
    rig_wish(rig, 0, 150);
    rig_round(rig);
    EXPECT_BOOKS(rig, "90 100 90 + 0 - 10");
    censor.forbidden = 5;
    rig_round(rig);
    assert_int_equal(rig_deficit(rig, MEMORY), 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_is_told),
        cmocka_unit_test(what_it_forbids_does_not_happen_and_is_asked_again),
        cmocka_unit_test(the_pool_too_is_asked_for),
        cmocka_unit_test(a_dry_run_asks_as_well),
        cmocka_unit_test(it_stands_above_what_must_be_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
