/* SPDX-License-Identifier: MIT */
/*
 * The commands of the KVM backend, one by one: nobody moves the one guest but the test. Whatever
 * comes in between, each is answered by one final, which speaks of what is really held.
 */
#include <string.h>

#include "driver/log.h"
#include "driver/wire.h"
#include "kvm/internal.h"
#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB
#define IDS 10000u /* those that the tests give out; the engine's are below */
#define IDS_COUNT 4u

static uint16_t finals[IDS_COUNT], results[IDS_COUNT];

static enum vmres_status note_final(void *user, const void *data, size_t size)
{
    struct vmres_event event;
    uint32_t type;

    (void)user;
    if (size != VMRES__LOG_HEAD + VMRES__WIRE_EVENT)
        return VMRES_OK;
    vmres__wire_get32((const unsigned char *)data + 4, &type);
    if (type != VMRES__LOG_EVENT)
        return VMRES_OK;
    vmres__wire_get_event((const unsigned char *)data + VMRES__LOG_HEAD, &event);
    if (event.id < IDS || event.id >= IDS + IDS_COUNT || !(event.flags & VMRES_FLAG_FINAL))
        return VMRES_OK;
    finals[event.id - IDS]++;
    results[event.id - IDS] = event.result;
    return VMRES_OK;
}

static struct kvm_world world;
static struct fake_qmp *qmp;

static void open_one(void)
{
    kvm_world_init(&world, 1);
    world.driver_options.recorder.write = note_final;
    kvm_world_create(&world);
    qmp = &world.guests[0].qmp;
    kvm_world_add(&world, 0, 64, 256);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
}

static const struct kvm_vm *vm(void)
{
    return world.kvm->by_id[kvm_world_info(&world, 0).vm];
}

static bool is_being_probed(void *user)
{
    (void)user;
    return vm()->probe.next < KVM_ASK_PROBED;
}

/* An order of the test's own. The guest holds 256 MiB. */
static void submit(uint8_t type, uint64_t id, uint64_t target)
{
    struct vmres_backend *backend = vmres_kvm_backend(world.kvm);
    struct vmres_action action = {
        .id = id, .type = type, .vm = vm()->id, .incarnation = vm()->incarnation};

    action.as.resize.target = target;
    action.as.resize.amount = 256 * MIB - target;
    EXPECT_OK(backend->ops->submit(backend, &action));
}

static void request(uint64_t id, uint64_t target)
{
    submit(VMRES_ACTION_REQUEST_REMOVAL, id, target);
}

/* A request that comes while a VM is asked anew what it is: what moves before the next reading is
 * of that request too. */
static void test_counts_from_what_was_held(void **state)
{
    (void)state;
    open_one();
    kvm_world_until(&world, is_being_probed, NULL);
    request(77, 240 * MIB);
    assert_int_equal(vm()->commands[KVM_SHRINK].from, 256 * MIB);
    kvm_world_close(&world);
}

static bool is_asked_nothing(void *user)
{
    (void)user;
    return vm()->talk.in_flight == 0 && !is_being_probed(NULL);
}

static bool is_told_the_last(void *user)
{
    (void)user;
    return qmp->target == 224 * MIB;
}

/* A request that comes while QEMU is being told of the one before is not forgotten with that. */
static void test_is_told_while_it_is_being_told(void **state)
{
    (void)state;
    open_one();
    kvm_world_until(&world, is_asked_nothing, NULL);
    request(77, 240 * MIB);
    assert_int_equal(vm()->talk.question, KVM_ASK_SET);
    request(78, 224 * MIB);
    kvm_world_until(&world, is_told_the_last, NULL);
    kvm_world_close(&world);
}

static bool all_are_answered(void *user)
{
    (void)user;
    for (unsigned i = 0; i < IDS_COUNT; i++)
        if (finals[i] == 0)
            return false;
    return true;
}

/* Of orders that contradict each other the newest counts, and each is answered, once. */
static void test_the_newest_order_counts(void **state)
{
    static const uint16_t expected[IDS_COUNT] = {VMRES_RESULT_SUPERSEDED, VMRES_RESULT_SUPERSEDED,
                                                 VMRES_RESULT_SUPERSEDED, VMRES_RESULT_DONE};

    (void)state;
    memset(finals, 0, sizeof finals);
    open_one();
    submit(VMRES_ACTION_REQUEST_REMOVAL, IDS, 192 * MIB);
    submit(VMRES_ACTION_PIN, IDS + 1, 256 * MIB);
    submit(VMRES_ACTION_PIN, IDS + 2, 256 * MIB);
    submit(VMRES_ACTION_REQUEST_REMOVAL, IDS + 3, 224 * MIB);
    kvm_world_until(&world, all_are_answered, NULL);
    kvm_world_turn(&world, 50);
    for (unsigned i = 0; i < IDS_COUNT; i++) {
        assert_int_equal(finals[i], 1);
        assert_int_equal(results[i], expected[i]);
    }
    assert_int_equal(qmp->actual, 224 * MIB);
    assert_false(vmres__kvm_command_open(vm()));
    kvm_world_close(&world);
}

static bool has_given(void *user)
{
    (void)user;
    return qmp->actual <= 240 * MIB;
}

static bool has_answered(void *user)
{
    (void)user;
    return !vmres__kvm_command_open(vm());
}

/* It is asked for 64 MiB, and has given some. */
static void open_one_and_ask(void)
{
    open_one();
    kvm_world_until(&world, is_asked_nothing, NULL);
    qmp->step = 2 * MIB;
    request(77, 192 * MIB);
    kvm_world_until(&world, has_given, NULL);
}

static void call_off(void)
{
    struct vmres_backend *backend = vmres_kvm_backend(world.kvm);

    backend->ops->cancel(backend, 77);
    kvm_world_until(&world, has_answered, NULL);
}

/* A guest goes on for a while when it is told to stay. What it is answered to hold is what it holds
 * when it has come to rest. */
static void test_called_off_comes_to_rest(void **state)
{
    (void)state;
    open_one_and_ask();
    qmp->late = 4;
    call_off();
    assert_in_range(qmp->actual, 194 * MIB, 240 * MIB);
    assert_int_equal(qmp->actual, qmp->target);
    assert_int_equal(qmp->actual, qmp->heeded);
    assert_int_equal(qmp->actual, kvm_world_info(&world, 0).held);
    kvm_world_close(&world);
}

/* It rests elsewhere than it was told: it is told to stay there. */
static void test_called_off_rests_elsewhere(void **state)
{
    (void)state;
    open_one_and_ask();
    qmp->heeded = 248 * MIB;
    qmp->lag = 100;
    call_off();
    assert_int_equal(qmp->actual, 248 * MIB);
    assert_int_equal(qmp->target, 248 * MIB);
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_from_what_was_held),
        cmocka_unit_test(test_is_told_while_it_is_being_told),
        cmocka_unit_test(test_the_newest_order_counts),
        cmocka_unit_test(test_called_off_comes_to_rest),
        cmocka_unit_test(test_called_off_rests_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
