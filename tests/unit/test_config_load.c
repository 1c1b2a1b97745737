/* SPDX-License-Identifier: MIT */
/*
 * Good configurations: each word of a file arrives where it belongs, what is not said has its
 * default, and every allocation may fail.
 */
#include <stdio.h>
#include <string.h>

#include <vmres/config.h>
#include <vmres/policies.h>
#include <vmres/units.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static const char *folder;

/* A policy with an option of every type. */
struct probe_options {
    uint64_t share, amount, release, grant, time, count, flag;
    const struct vmres_table *table;
};

#define KEY(key, type, least, most) \
    { \
#key, VMRES_OPTION_##type, offsetof(struct probe_options, key), least, most, "" \
    }

static const struct vmres_option_key probe_keys[] = {
    KEY(share, SHARE, 0, VMRES_PPM),
    KEY(amount, AMOUNT, 0, VMRES_TIB),
    KEY(release, RATE, 0, UINT64_MAX),
    KEY(grant, RATE, 0, UINT64_MAX),
    KEY(time, TIME, 0, 3600000),
    KEY(count, COUNT, 0, 100),
    KEY(flag, FLAG, 0, 1),
    KEY(table, TABLE, 1, 1000),
    {0},
};

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    (void)state;
    (void)vm_states;
    (void)round;
    (void)verdict;
}

static const struct probe_options probe_defaults = {.count = 3};

static const struct vmres_policy_ops probe = {
    .size = sizeof probe,
    .name = "probe",
    .options_size = sizeof probe_defaults,
    .defaults = &probe_defaults,
    .keys = probe_keys,
    .judge = judge,
};

static const struct vmres_policy_ops *find(const char *name)
{
    return strcmp(name, probe.name) == 0 ? &probe : vmres_policy_find(name);
}

static enum vmres_status load_with(const char *name, const struct vmres_config_options *options,
                                   struct vmres_config **config, struct vmres_error *error)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return vmres_config_load(path, options, config, error);
}

/* Loads what must load. */
static struct vmres_config *load(const char *name, const char *policy)
{
    struct vmres_config_options options;
    struct vmres_config *config = NULL;
    struct vmres_error error = {.message = ""};
    enum vmres_status status;

    vmres_config_options_init(&options);
    options.find = find;
    options.policy = policy;
    status = load_with(name, &options, &config, &error);
    if (status)
        print_error("%s\n", error.message);
    EXPECT_OK(status);
    return config;
}

static void the_host_arrives(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_resource *memory = &config->engine.resources[0], *cpu = memory + 1;

    (void)state;
    assert_int_equal(config->engine.size, sizeof config->engine);
    assert_int_equal(config->engine.max_vms, 4);
    assert_int_equal(config->engine.kinds, 2);
    assert_int_equal(config->engine.period_ms, 2000);
    assert_string_equal(memory->name, "memory");
    assert_int_equal(memory->unit, VMRES_UNIT_BYTES);
    assert_int_equal(memory->removal, VMRES_REMOVAL_GUEST);
    assert_int_equal(memory->placement, VMRES_PLACEMENT_AMOUNT);
    assert_true(memory->capacity == 95 * VMRES_GIB / 2);
    assert_true(memory->reserve == VMRES_GIB);
    assert_true(memory->granule == 4 * VMRES_MIB);
    assert_string_equal(cpu->name, "cpu");
    assert_int_equal(cpu->unit, VMRES_UNIT_MILLI);
    assert_int_equal(cpu->removal, VMRES_REMOVAL_HOST);
    assert_int_equal(cpu->capacity, 16000);
    assert_int_equal(cpu->granule, 20);
    vmres_config_destroy(config);
}

static void the_simulation_arrives(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_sim_options *sim = &config->sim;

    (void)state;
    assert_int_equal(config->simulated, 1);
    assert_int_equal(config->duration_ms, 60000);
    assert_int_equal(sim->size, sizeof *sim);
    assert_int_equal(sim->tick_ms, 500);
    assert_int_equal(sim->seed, 42);
    assert_int_equal(sim->max_vms, 4);
    assert_int_equal(sim->max_faults, 25);
    assert_int_equal(sim->kinds, 2);
    assert_ptr_equal(sim->resources, config->engine.resources);
    assert_true(sim->devices[0].release == VMRES_GIB);
    assert_true(sim->devices[0].grant == 2 * VMRES_GIB);
    assert_true(sim->devices[0].swap_out == 0);
    assert_true(sim->devices[0].relocate == 3 * VMRES_GIB);
    assert_true(sim->devices[1].release == 0 && sim->devices[1].grant == 0);
    assert_int_equal(sim->sensors.stall, VMRES_SIM_STALL_EXACT);
    assert_int_equal(sim->sensors.available_noise, 20000);
    assert_int_equal(sim->sensors.stall_noise, 0);
    assert_int_equal(sim->sensors.notices, 0);
    vmres_config_destroy(config);
}

static void the_options_of_any_policy_arrive(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct probe_options *memory = config->engine.policies[0].options;
    const struct probe_options *cpu = config->engine.policies[1].options;

    (void)state;
    assert_ptr_equal(config->engine.policies[0].ops, &probe);
    assert_int_equal(memory->share, 125000);
    assert_true(memory->amount == 64 * VMRES_MIB);
    assert_true(memory->release == 5 * VMRES_GIB);
    assert_true(memory->grant == 2 * VMRES_GIB); /* not said: the device's */
    assert_int_equal(memory->time, 10000);
    assert_int_equal(memory->count, 7);
    assert_int_equal(memory->flag, 1);
    assert_int_equal(cpu->amount, 100);
    assert_int_equal(cpu->count, 3);
    assert_int_equal(cpu->release, 0);
    vmres_config_destroy(config);
}

static void a_table_has_the_order_of_the_vms(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct probe_options *memory = config->engine.policies[0].options;
    const struct probe_options *cpu = config->engine.policies[1].options;

    (void)state;
    assert_int_equal(memory->table->rows, 2);
    assert_int_equal(memory->table->columns, 4);
    assert_int_equal(memory->table->times_ms[0], 10000);
    assert_int_equal(memory->table->times_ms[1], 20500);
    for (uint32_t vm = 0; vm < 4; vm++) {
        assert_true(memory->table->cells[vm] == (vm + 1) * 100 * VMRES_MIB);
        assert_true(memory->table->cells[4 + vm] == ((vm + 1) * 100 + 1) * VMRES_MIB);
        assert_int_equal(cpu->table->cells[vm], (vm + 1) * 100);
    }
    vmres_config_destroy(config);
}

static void the_vms_arrive(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_sim_vm_spec *alpha = &config->vms[0], *beta = &config->vms[1];

    (void)state;
    assert_int_equal(config->vm_count, 4);
    assert_string_equal(alpha->spec.name, "alpha");
    assert_true(alpha->spec.limits[0].floor == VMRES_GIB);
    assert_true(alpha->spec.limits[0].ceiling == 16 * VMRES_GIB);
    assert_true(alpha->spec.limits[0].initial == 2 * VMRES_GIB);
    assert_int_equal(alpha->spec.limits[0].weight, 3);
    assert_int_equal(alpha->spec.limits[0].participation, VMRES_PARTICIPATE_BOTH);
    assert_int_equal(alpha->spec.limits[1].floor, 20);
    assert_int_equal(alpha->spec.limits[1].ceiling, 1000);
    assert_true(alpha->spec.limits[1].initial == UINT64_MAX);
    assert_string_equal(beta->spec.name, "beta");
    assert_true(beta->spec.limits[0].floor == 0);
    assert_true(beta->spec.limits[0].ceiling == config->engine.resources[0].capacity);
    assert_true(beta->spec.limits[0].initial == UINT64_MAX);
    assert_int_equal(beta->spec.limits[0].weight, 1);
    assert_int_equal(beta->demand[0].points, 0);
    vmres_config_destroy(config);
}

static void workloads_follow_traces_and_steps(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_sim_demand *memory = &config->vms[0].demand[0], *cpu = memory + 1;

    (void)state;
    assert_int_equal(memory->points, 3);
    assert_int_equal(memory->at_ms[2], 2500);
    assert_true(memory->amount[0] == 1025 * VMRES_GIB / 2);
    assert_true(memory->cache[1] == 200 * VMRES_GIB);
    assert_int_equal(cpu->points, 2);
    assert_int_equal(cpu->at_ms[1], 30000);
    assert_int_equal(cpu->amount[0], 100);
    assert_int_equal(cpu->amount[1], 1500);
    assert_null(cpu->cache);
    vmres_config_destroy(config);
}

static void a_fleet_is_a_vm_per_column(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_sim_vm_spec *vm1 = &config->vms[2], *vm2 = &config->vms[3];

    (void)state;
    assert_string_equal(vm1->spec.name, "vm1");
    assert_string_equal(vm2->spec.name, "vm2");
    assert_true(vm1->spec.limits[0].floor == VMRES_GIB);
    assert_true(vm2->spec.limits[0].floor == 2 * VMRES_GIB);
    assert_true(vm2->spec.limits[0].ceiling == 4 * VMRES_GIB);
    assert_int_equal(vm2->spec.limits[0].weight, 5);
    assert_true(vm1->demand[0].amount[1] == 2 * VMRES_GIB);
    assert_true(vm2->demand[0].amount[0] == 1025 * VMRES_MIB / 2);
    assert_true(vm1->demand[0].cache[1] == 200 * VMRES_MIB);
    assert_null(vm2->demand[0].cache);
    assert_int_equal(vm1->demand[1].points, 0);
    vmres_config_destroy(config);
}

static void operations_arrive(void **state)
{
    static const struct {
        uint64_t at_ms;
        enum vmres_event_type type;
        uint32_t vm;
        uint8_t kind;
        uint64_t id, words[3];
    } wanted[] = {
        {1000, VMRES_EVENT_FREEZE, 0, 0, 0, {0, 0, 0}},
        {2000, VMRES_EVENT_THAW, 0, 0, 0, {0, 0, 0}},
        {3000, VMRES_EVENT_SET, 1, 1, 0, {300, 0, 0}},
        {3000, VMRES_EVENT_MOVE, 0, 0, 0, {VMRES_GIB, 1, 0}},
        {4000, VMRES_EVENT_RESERVE, VMRES_VM_NONE, 0, 5, {VMRES_GIB, 2 * VMRES_GIB, 30000}},
        {5000, VMRES_EVENT_RESERVE, VMRES_VM_NONE, 1, 6, {60, 60, UINT64_MAX}},
        {6000, VMRES_EVENT_RELEASE, VMRES_VM_NONE, 0, 5, {0, 0, 0}},
        {7000, VMRES_EVENT_SETTLE, VMRES_VM_NONE, 0, 0, {0, 0, 10000}},
        {8000, VMRES_EVENT_RESUME, VMRES_VM_NONE, 0, 0, {0, 0, 0}},
    };
    struct vmres_config *config = load("full.yaml", NULL);

    (void)state;
    assert_int_equal(config->operation_count, sizeof wanted / sizeof wanted[0]);
    for (uint32_t i = 0; i < config->operation_count; i++) {
        const struct vmres_event *event = &config->operations[i].event;

        assert_int_equal(config->operations[i].at_ms, wanted[i].at_ms);
        assert_int_equal(event->type, wanted[i].type);
        assert_int_equal(event->vm, wanted[i].vm);
        assert_int_equal(event->kind, wanted[i].kind);
        assert_int_equal(event->id, wanted[i].id);
        assert_memory_equal(event->as.words, wanted[i].words, sizeof wanted[i].words);
    }
    assert_int_equal(config->vms[0].start_ms, 0);
    assert_int_equal(config->vms[1].start_ms, 10000);
    assert_int_equal(config->vms[0].reservation, 0);
    assert_int_equal(config->vms[1].reservation, 6);
    vmres_config_destroy(config);
}

static void faults_arrive(void **state)
{
    struct vmres_config *config = load("full.yaml", NULL);
    const struct vmres_sim_fault *faults = config->faults;

    (void)state;
    assert_int_equal(config->fault_count, 25);
    assert_int_equal(faults[0].fault, VMRES_SIM_IGNORE_REQUESTS);
    assert_int_equal(faults[0].vm, 0);
    assert_int_equal(faults[0].at_ms, 100000);
    assert_int_equal(faults[0].for_ms, 60000);
    assert_int_equal(faults[1].fault, VMRES_SIM_RETAKE);
    assert_true(faults[1].amount == VMRES_GIB);
    assert_int_equal(faults[2].fault, VMRES_SIM_LIE_NEED);
    assert_int_equal(faults[2].vm, 1);
    assert_int_equal(faults[2].kind, 1);
    assert_int_equal(faults[2].share, 400000);
    assert_int_equal(faults[3].fault, VMRES_SIM_FLOOD);
    assert_int_equal(faults[3].amount, 1000);
    assert_int_equal(faults[4].fault, VMRES_SIM_SHRINK);
    assert_int_equal(faults[4].vm, VMRES_VM_NONE);
    assert_true(faults[4].amount == VMRES_GIB);
    assert_int_equal(faults[5].fault, VMRES_SIM_SUSPEND);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(faults[5 + i].fault, VMRES_SIM_SUSPEND);
        assert_int_equal(faults[5 + i].at_ms, 9000 + i * 30000);
        assert_int_equal(faults[5 + i].amount, 2000);
    }
    vmres_config_destroy(config);
}

static void what_is_not_said_has_its_default(void **state)
{
    struct vmres_config *config = load("least.yaml", NULL);
    const struct vmres_pressure_options *pressure = config->engine.policies[0].options;

    (void)state;
    assert_int_equal(config->duration_ms,
                     4000); /* 2.5 s, and the last row as long as the one before */
    assert_int_equal(config->engine.period_ms, 1000);
    assert_true(config->engine.resources[0].granule == 2 * VMRES_MIB);
    assert_int_equal(config->sim.tick_ms, 1000);
    assert_int_equal(config->sim.seed, 1);
    assert_int_equal(config->sim.sensors.stall, VMRES_SIM_STALL_CROOKED);
    assert_int_equal(config->sim.sensors.available_noise, 10000);
    assert_int_equal(config->sim.sensors.stall_noise, 200000);
    assert_int_equal(config->sim.sensors.notices, 1);
    assert_true(config->sim.devices[0].release == 920196743);
    assert_true(pressure->release == 920196743);
    assert_true(pressure->grant == config->sim.devices[0].grant);
    vmres_config_destroy(config);
}

static void the_default_rates_are_the_documented_ones(void **state)
{
    struct vmres_config *config = load("least.yaml", NULL);
    const struct vmres_sim_device *device = &config->sim.devices[0];
    uint64_t rate = 0;

    (void)state;
    EXPECT_OK(vmres_parse_rate("0.857GiB/s", &rate));
    assert_true(device->release == rate);
    EXPECT_OK(vmres_parse_rate("2.11GiB/s", &rate));
    assert_true(device->grant == rate);
    EXPECT_OK(vmres_parse_rate("0.1GiB/s", &rate));
    assert_true(device->swap_out == rate);
    EXPECT_OK(vmres_parse_rate("2GiB/s", &rate));
    assert_true(device->relocate == rate);
    vmres_config_destroy(config);
}

static void the_first_row_holds_from_the_beginning(void **state)
{
    struct vmres_config *config = load("late.yaml", NULL);

    (void)state;
    assert_int_equal(config->vms[0].demand[0].at_ms[0], 0);
    assert_int_equal(config->vms[0].demand[0].at_ms[1], 20000);
    assert_int_equal(config->duration_ms, 30000);
    assert_string_equal(config->engine.policies[0].ops->name, "static");
    vmres_config_destroy(config);
}

static void a_mark_before_the_text_is_no_part_of_it(void **state)
{
    struct vmres_config *config = load("marked.yaml", NULL);

    (void)state;
    assert_int_equal(config->vm_count, 1);
    assert_string_equal(config->vms[0].spec.name, "b\xc3\xbcro-\xe6\xa9\x9f-\xf0\x9f\x98\x80");
    assert_int_equal(config->duration_ms, 40000);
    vmres_config_destroy(config);
}

static void a_plain_host_is_not_simulated(void **state)
{
    struct vmres_config *config = load("host.yaml", NULL);
    const struct vmres_pressure_options *pressure = config->engine.policies[0].options;

    (void)state;
    assert_int_equal(config->simulated, 0);
    assert_int_equal(pressure->release, 0); /* a real device's rate is not known here */
    vmres_config_destroy(config);
}

static void another_policy_can_be_wanted(void **state)
{
    struct vmres_config *config = load("full.yaml", "usage");
    const struct vmres_usage_options *usage = config->engine.policies[0].options;

    (void)state;
    assert_string_equal(config->engine.policies[0].ops->name, "usage");
    assert_string_equal(config->engine.policies[1].ops->name, "usage");
    assert_int_equal(usage->high, 800000);
    assert_int_equal(config->engine.period_ms, 2000);
    vmres_config_destroy(config);
    config = load("full.yaml", "probe");
    assert_int_equal(((const struct probe_options *)config->engine.policies[0].options)->count, 7);
    vmres_config_destroy(config);
}

static void a_wanted_policy_must_exist(void **state)
{
    struct vmres_config_options options;
    struct vmres_config *config = NULL;
    struct vmres_error error;

    (void)state;
    vmres_config_options_init(&options);
    options.policy = "magic";
    EXPECT_STATUS(load_with("least.yaml", &options, &config, &error), VMRES_UNKNOWN);
    assert_string_equal(error.message,
                        "no policy 'magic'; there are: static, script, usage, pressure");
    assert_null(config);
}

static void a_wanted_policy_needs_its_table(void **state)
{
    struct vmres_config_options options;
    struct vmres_config *config = NULL;
    struct vmres_error error;

    (void)state;
    vmres_config_options_init(&options);
    options.policy = "script";
    EXPECT_STATUS(load_with("least.yaml", &options, &config, &error), VMRES_PARSE);
    assert_non_null(strstr(error.message, "policy script needs a table; add targets: FILE.csv"));
}

static void a_missing_file_is_told_with_its_name(void **state)
{
    struct vmres_config *config = NULL;
    struct vmres_error error;

    (void)state;
    EXPECT_STATUS(vmres_config_load("none.yaml", NULL, &config, &error), VMRES_IO);
    EXPECT_STATUS(error.status, VMRES_IO);
    assert_string_equal(error.message, "none.yaml:1:1: cannot be read (No such file or directory);"
                                       " name a scenario file");
    EXPECT_STATUS(vmres_config_load("none.yaml", NULL, &config, NULL), VMRES_IO);
    assert_null(config);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    struct vmres_config_options options = {.size = 1};
    struct vmres_config *config = NULL;

    (void)state;
    EXPECT_STATUS(vmres_config_load(NULL, NULL, &config, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_config_load("none.yaml", NULL, NULL, NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_config_load("none.yaml", &options, &config, NULL), VMRES_INVALID);
    vmres_config_destroy(NULL);
    vmres_config_options_init(NULL);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct vmres_config_options options;
        struct vmres_config *config = NULL;
        struct vmres_error error = {.status = VMRES_OK};
        struct failing_allocator heap;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        vmres_config_options_init(&options);
        options.find = find;
        options.allocator = &heap.allocator;
        status = load_with("full.yaml", &options, &config, &error);
        vmres_config_destroy(config);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK) {
            assert_true(n > 5);
            break;
        }
        EXPECT_STATUS(status, VMRES_NOMEM);
        EXPECT_STATUS(error.status, VMRES_NOMEM);
        assert_null(config);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_arrives),
        cmocka_unit_test(the_simulation_arrives),
        cmocka_unit_test(the_options_of_any_policy_arrive),
        cmocka_unit_test(a_table_has_the_order_of_the_vms),
        cmocka_unit_test(the_vms_arrive),
        cmocka_unit_test(workloads_follow_traces_and_steps),
        cmocka_unit_test(a_fleet_is_a_vm_per_column),
        cmocka_unit_test(faults_arrive),
        cmocka_unit_test(operations_arrive),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(the_default_rates_are_the_documented_ones),
        cmocka_unit_test(the_first_row_holds_from_the_beginning),
        cmocka_unit_test(a_mark_before_the_text_is_no_part_of_it),
        cmocka_unit_test(a_plain_host_is_not_simulated),
        cmocka_unit_test(another_policy_can_be_wanted),
        cmocka_unit_test(a_wanted_policy_must_exist),
        cmocka_unit_test(a_wanted_policy_needs_its_table),
        cmocka_unit_test(a_missing_file_is_told_with_its_name),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
