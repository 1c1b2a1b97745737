/* SPDX-License-Identifier: MIT */
/* The audit finds what is wrong: each breach is made by hand, found, named, and undone. */
#include "support/rig.h"

/* vm1 has given 20 of 50 to vm0, which has not taken them in; vm2 looks on; slot 3 is vacant. */
static struct rig *busy(void)
{
    struct rig *rig = rig_new(400);

    rig_fleet(rig, 4, 100);
    rig_withhold(rig, 0, RIG_NOTIFY);
    rig_withhold(rig, 1, RIG_REMOVAL);
    rig_gone(rig, 3);
    rig_told(rig, vmres_event_limits(rig->now, 2, 1, 0, 400 * VMRES_MIB));
    rig_wish(rig, 0, 250);
    rig_wish(rig, 1, 50);
    rig_round(rig);
    rig_progress(rig, 1, VMRES_ACTION_REQUEST_REMOVAL, 20);
    rig_pump(rig);
    return rig;
}

static void found(const struct rig *rig, const char *message)
{
    struct vmres_error error;

    EXPECT_STATUS(vmres_engine_audit(rig->engine, &error), VMRES_BUG);
    EXPECT_STATUS(error.status, VMRES_BUG);
    assert_string_equal(error.message, message);
    EXPECT_STATUS(vmres_engine_audit(rig->engine, NULL), VMRES_BUG);
}

static void sound(const struct rig *rig)
{
    EXPECT_OK(vmres_engine_audit(rig->engine, NULL));
}

/* Changes a number, expects the breach, and changes it back. */
#define BREACH(rig, lvalue, value, message) \
    do { \
        __typeof__(lvalue) kept_ = (lvalue); \
        (lvalue) = (value); \
        found(rig, message); \
        (lvalue) = kept_; \
        sound(rig); \
    } while (0)

static void the_pool_must_balance(void **state)
{
    struct rig *rig = busy();
    struct ledger *ledger = &rig->engine->kinds[MEMORY].ledger;

    (void)state;
    sound(rig);
    BREACH(rig, ledger->free, ledger->free + 1, "memory: the ledger is out of balance");
    BREACH(rig, ledger->capacity, ledger->capacity - 1, "memory: the ledger is out of balance");
    BREACH(rig, rig->engine->kinds[MEMORY].views[2].charge, 99,
           "memory: the charges do not sum to the ledger's");
    ledger->transit += 5;
    ledger->capacity += 5;
    found(rig, "memory: a piece was left in transit");
    ledger->transit -= 5;
    ledger->capacity -= 5;
    rig_delete(rig);
}

static void lists_and_sums_must_agree(void **state)
{
    struct rig *rig = busy();
    struct kind *kind = &rig->engine->kinds[MEMORY];
    struct transfer *transfer = &rig->engine->transfers[kind->accounts[1].outgoing];

    (void)state;
    BREACH(rig, kind->views[1].outgoing, kind->views[1].outgoing + 1,
           "memory, vm#1: outgoing or incoming is not the sum of its transfers");
    BREACH(rig, kind->views[0].incoming, 0,
           "memory, vm#0: outgoing or incoming is not the sum of its transfers");
    BREACH(rig, kind->accounts[1].outgoing, NONE,
           "memory, vm#1: outgoing or incoming is not the sum of its transfers");
    BREACH(rig, kind->accounts[0].unincorporated, 0,
           "memory, vm#0: what is to be incorporated is not what was placed");
    BREACH(rig, transfer->donor, 2, "memory, vm#1: a list of transfers is not its own");
    BREACH(rig, transfer->recipient, 2, "memory, vm#0: a list of transfers is not its own");
    BREACH(rig, transfer->kind, 1, "memory, vm#0: a list of transfers is not its own");
    BREACH(rig, transfer->out_next, kind->accounts[1].outgoing,
           "memory, vm#1: a list of transfers is not its own"); /* a ring */
    rig_delete(rig);
}

static void nobody_gives_more_than_it_has(void **state)
{
    struct rig *rig = busy();
    struct kind *kind = &rig->engine->kinds[MEMORY];

    (void)state;
    BREACH(rig, kind->accounts[0].untold, kind->accounts[0].unincorporated + 1,
           "memory, vm#0: more is on its way than there is");
    BREACH(rig, kind->views[2].disputed, 101, "memory, vm#2: more is on its way than there is");
    BREACH(rig, kind->views[1].disputed, 60, "memory, vm#1: more is on its way than there is");
    rig_delete(rig);
}

static void nobody_is_promised_more_than_it_is_charged_with(void **state)
{
    struct rig *rig = busy();
    struct kind *kind = &rig->engine->kinds[MEMORY];
    struct command *command = &rig->engine->commands[kind->accounts[0].notify];

    (void)state;
    BREACH(rig, command->target, kind->views[0].charge + 1,
           "memory, vm#0: it was promised more than it is charged with");
    rig_delete(rig);
}

static void only_the_living_take_part(void **state)
{
    struct rig *rig = busy();

    (void)state;
    BREACH(rig, rig->engine->vms[1].state, VMRES_VM_SILENT,
           "memory, vm#1: it is not live and in a transfer");
    BREACH(rig, rig->engine->vms[2].state, VMRES_VM_VACANT,
           "memory, vm#2: it is gone and still charged");
    rig_delete(rig);
}

static void states_must_be_possible(void **state)
{
    struct rig *rig = busy();
    struct kind *kind = &rig->engine->kinds[MEMORY];
    struct transfer *transfer = &rig->engine->transfers[kind->accounts[1].outgoing];

    (void)state;
    BREACH(rig, rig->engine->vms[2].state, VMRES_VM_FROZEN + 1,
           "memory, vm#2: it is in no state there is");
    BREACH(rig, transfer->state, VMRES_TRANSFER_DONE,
           "memory: an open transfer is in a state of the closed");
    BREACH(rig, transfer->state, VMRES_TRANSFER_PLACING,
           "memory: a transfer's state is not what its amounts say");
    transfer->placed++; /* and the books agree */
    kind->accounts[0].unincorporated++;
    found(rig, "memory: a transfer placed more than it released, or the like");
    rig_delete(rig);
}

static void every_kind_is_looked_at(void **state)
{
    struct rig *rig = rig_prepare(400, 2, true);

    (void)state;
    rig_start(rig);
    rig_fleet(rig, 2, 100);
    BREACH(rig, rig->engine->kinds[CPU].ledger.free, 0, "cpu: the ledger is out of balance");
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_must_balance),
        cmocka_unit_test(lists_and_sums_must_agree),
        cmocka_unit_test(nobody_gives_more_than_it_has),
        cmocka_unit_test(nobody_is_promised_more_than_it_is_charged_with),
        cmocka_unit_test(only_the_living_take_part),
        cmocka_unit_test(states_must_be_possible),
        cmocka_unit_test(every_kind_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
