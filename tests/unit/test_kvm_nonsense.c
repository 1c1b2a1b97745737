/* SPDX-License-Identifier: MIT */
/*
 * What nobody understands of what a VM says, on either of its sockets: counted, and told of in one
 * line a while.
 */
#include <string.h>

#include "support/check.h"
#include "support/fake_agent.h"
#include "support/kvm_world.h"
#include "support/qmp_script.h"

static struct {
    unsigned lines;
    uint64_t amount;
    const char *reason;
} told;

static void note(void *user, const struct vmres_trace_record *record)
{
    (void)user;
    assert_int_equal(record->type, VMRES_TRACE_NONSENSE);
    assert_int_equal(record->level, VMRES_TRACE_WARN);
    told.lines++;
    told.amount = record->amount;
    told.reason = record->reason;
}

static void play(struct qmp_script *script, const char *text)
{
    qmp_script_play(script, text, strlen(text));
}

/* The last line was so long ago. */
static void rave(struct kvm_vm *vm, uint64_t ms)
{
    vm->nonsense.told_ms = kvm_now(vm) - ms;
    vmres__kvm_nonsense(vm, "it raves");
}

static void test_one_line_in_ten_seconds(void **state)
{
    struct qmp_script script;
    struct kvm_vm *vm;

    (void)state;
    memset(&told, 0, sizeof told);
    qmp_script_open(&script, NULL);
    vm = qmp_script_vm(&script);
    script.kvm->options.tracer = (struct vmres_tracer){.function = note};
    play(&script, "{\"QMP\": {}}\n{\"return\": {}, \"id\": @}\n");
    assert_int_equal(told.lines, 0);
    play(&script, "{}\n{\"event\": 1}\n{\"return\": 1, \"id\": 999}\n{\"x\": 1}\n");
    assert_int_equal(told.lines, 1);
    assert_int_equal(told.amount, 1);
    rave(vm, 9999);
    assert_int_equal(told.lines, 1);
    rave(vm, 10000);
    assert_int_equal(told.lines, 2);
    assert_int_equal(told.amount, 5); /* all since the last line */
    assert_string_equal(told.reason, "it raves");
    assert_int_equal(vm->nonsense.count, 6);
    qmp_script_close(&script);
}

/* More of them than a sum has room for: it must not come out as little. */
static void test_devices_without_end(void **state)
{
    struct qmp_script script;
    struct kvm_vm *vm;
    json_t *list = json_array();

    (void)state;
    qmp_script_open(&script, NULL);
    vm = qmp_script_vm(&script);
    for (unsigned i = 0; i < 2048; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:{s:f}}", "type", "dimm", "data", "size", 9007199254740992.0));
    vm->probe.next = KVM_ASK_DEVICES;
    vmres__kvm_probe_take(vm, KVM_ASK_DEVICES, (struct kvm_reply){.value = list});
    json_decref(list);
    assert_true(vm->probe.dimms >= (uint64_t)1 << 53);
    qmp_script_close(&script);
}

static void test_no_tracer(void **state)
{
    struct qmp_script script;

    (void)state;
    qmp_script_open(&script, NULL);
    play(&script, "{\"QMP\": {}}\n{\"return\": {}, \"id\": @}\n{}\n{}\n");
    assert_int_equal(qmp_script_vm(&script)->nonsense.count, 2);
    qmp_script_close(&script);
}

/* Each VM has a line of its own, whichever of its sockets raves. */
static struct kvm_world world;

static bool have_raved(void *user)
{
    (void)user;
    return kvm_world_info(&world, 0).rejected > 3 && kvm_world_info(&world, 1).rejected > 0;
}

static unsigned count(const char *text)
{
    unsigned found = 0;

    for (const char *at = world.trace; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

static bool is_greeted(void *user)
{
    (void)user;
    return kvm_world_info(&world, 1).agent && kvm_guest_is_live(&world.guests[0]);
}

static void test_both_sockets(void **state)
{
    static const char strange[] = "{}\n{\"a\": 1}\n{}\n{\"b\": 2}\n{}\n";
    struct fake_agent agent;

    (void)state;
    kvm_world_init(&world, 2);
    snprintf(world.guests[1].agent, sizeof world.guests[1].agent, "%s/agent", world.directory);
    fake_agent_open(&agent, &world.loop, world.guests[1].agent);
    kvm_world_create(&world);
    kvm_world_add(&world, 0, 64, 256);
    kvm_world_add(&world, 1, 64, 256);
    kvm_world_start(&world);
    kvm_world_until(&world, is_greeted, NULL);
    fake_qmp_say(&world.guests[0].qmp, strange, sizeof strange - 1);
    fake_agent_say(&agent, "no words of its own\n", 20);
    kvm_world_until(&world, have_raved, NULL);
    assert_int_equal(count("vm0 was not understood (1): what its socket says"), 1);
    assert_int_equal(count("vm1 was not understood (1): "), 1);
    fake_agent_close(&agent);
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_in_ten_seconds),
        cmocka_unit_test(test_devices_without_end),
        cmocka_unit_test(test_no_tracer),
        cmocka_unit_test(test_both_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
