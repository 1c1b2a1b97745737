/* SPDX-License-Identifier: MIT */
/* The event log: what was written is read back, and what is damaged is told with its place. */
#include "driver/log.h"

#include <stdio.h>
#include <string.h>

#include <vmres/policies.h>

#include "driver/wire.h"
#include "support/check.h"
#include "support/failing_allocator.h"

enum { ROOM = 65536 };

/* A file in memory: written by a recorder, read in pieces of `step` bytes. */
static struct {
    unsigned char bytes[ROOM];
    size_t size, at, step;
} file;

static enum vmres_status write_file(void *user, const void *data, size_t size)
{
    (void)user;
    assert_true(file.size + size <= ROOM);
    memcpy(file.bytes + file.size, data, size);
    file.size += size;
    return VMRES_OK;
}

static size_t read_file(void *user, void *data, size_t size)
{
    size_t some = file.size - file.at;

    (void)user;
    if (some > size)
        some = size;
    if (file.step && some > file.step)
        some = file.step;
    memcpy(data, file.bytes + file.at, some);
    file.at += some;
    return some;
}

static const uint64_t times[] = {0, 10000};
static const uint64_t cells[] = {5, 6, 7, 8, 9, 10};
static const struct vmres_table table = {
    .rows = 2, .columns = 3, .times_ms = times, .cells = cells};
static const struct vmres_script_options script = {.targets = &table};
static const struct vmres_usage_options usage = {
    .low = 500000, .high = 900000, .region = 4096, .regions = 3};

static const struct vmres_resource resources[] = {
    {.name = "memory",
     .unit = VMRES_UNIT_BYTES,
     .removal = VMRES_REMOVAL_GUEST,
     .granule = 4096,
     .capacity = 1 << 20,
     .reserve = 8192,
     .tolerance = 4096},
    {.name = "cpu",
     .unit = VMRES_UNIT_MILLI,
     .removal = VMRES_REMOVAL_HOST,
     .granule = 10,
     .capacity = 16000},
};

static struct vmres_event sample_event(void)
{
    struct vmres_event event = {
        .time_ms = 0x0102030405060708,
        .id = 0x1112131415161718,
        .vm = 2,
        .type = VMRES_EVENT_REPORT,
        .kind = 1,
        .flags = VMRES_FLAG_NOTICE,
        .incarnation = 0x21222324,
        .valid = 0x3132,
        .result = 0x4142,
        .as.report = {.used = 1, .available = 2, .free = 3, .age_ms = 4, .samples = 5},
    };

    return event;
}

static struct vmres_action sample_action(void)
{
    struct vmres_action action = {
        .time_ms = 7,
        .id = 8,
        .vm = 1,
        .type = VMRES_ACTION_NOTIFY,
        .incarnation = 3,
        .as.resize = {.target = 1, .amount = 2, .transfer = 3, .front = 4},
    };

    return action;
}

/* Writes a log with two kinds, a name, an event and an action. */
static void write_log(void)
{
    const struct vmres_policy policies[] = {
        {.ops = vmres_policy_find("script"), .options = &script},
        {.ops = vmres_policy_find("usage"), .options = &usage},
    };
    struct vmres__log_writer writer = {.recorder = {.write = write_file}};
    struct vmres_engine_options options;
    struct vmres_event event = sample_event();
    struct vmres_action action = sample_action();

    vmres_engine_options_init(&options);
    options.max_vms = 3;
    options.kinds = 2;
    options.resources = resources;
    options.policies = policies;
    options.period_ms = 500;
    options.dry_run = 1;
    memset(&file, 0, sizeof file);
    vmres__log_begin(&writer, &options);
    vmres__log_name(&writer, 2, "db");
    vmres__log_event(&writer, &event);
    vmres__log_action(&writer, &action);
    assert_non_null(writer.recorder.write);
}

/* Reads the whole file; *entries counts what follows the setup. */
static enum vmres_status read_log(const struct vmres_allocator *allocator, int *entries,
                                  struct vmres_error *error)
{
    static struct vmres__log_reader reader;
    struct vmres__log_entry entry;
    enum vmres_status status;

    memset(&reader, 0, sizeof reader);
    reader.read = read_file;
    reader.allocator = allocator;
    file.at = 0;
    *entries = 0;
    status = vmres__log_open(&reader, error);
    while (status == VMRES_OK) {
        status = vmres__log_next(&reader, &entry, error);
        *entries += status == VMRES_OK;
    }
    vmres__log_close(&reader);
    return status;
}

static void events_look_the_same_on_every_machine(void **state)
{
    static const unsigned char expected[VMRES__WIRE_EVENT] = {
        8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
        2, 0, 0, 0, 7, 1, 2, 0, 0x24, 0x23, 0x22, 0x21, 0x32, 0x31, 0x42, 0x41,
        1, 0, 0, 0, 0, 0, 0, 0, 2,    0,    0,    0,    0,    0,    0,    0,
        3, 0, 0, 0, 0, 0, 0, 0, 4,    0,    0,    0,    5,    0,    0,    0};
    struct vmres_event event = sample_event(), back;
    unsigned char bytes[VMRES__WIRE_EVENT];

    (void)state;
    vmres__wire_put_event(bytes, &event);
    assert_memory_equal(bytes, expected, sizeof bytes);
    vmres__wire_get_event(bytes, &back);
    assert_memory_equal(&back, &event, sizeof back);
}

static void actions_come_back(void **state)
{
    struct vmres_action action = sample_action(), back;
    unsigned char bytes[VMRES__WIRE_EVENT];

    (void)state;
    vmres__wire_put_action(bytes, &action);
    vmres__wire_get_action(bytes, &back);
    assert_memory_equal(&back, &action, sizeof back);
}

static void the_check_sum_is_the_usual_one(void **state)
{
    (void)state;
    assert_int_equal(vmres__wire_crc(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(vmres__wire_crc(vmres__wire_crc(0, "1234", 4), "56789", 5), 0xcbf43926);
}

static void the_setup_comes_back(void **state)
{
    static struct vmres__log_reader reader;
    const struct vmres_script_options *targets;
    const struct vmres_usage_options *read_usage;

    (void)state;
    write_log();
    reader = (struct vmres__log_reader){.read = read_file};
    EXPECT_OK(vmres__log_open(&reader, NULL));
    assert_int_equal(reader.options.max_vms, 3);
    assert_int_equal(reader.options.kinds, 2);
    assert_int_equal(reader.options.period_ms, 500);
    assert_int_equal(reader.options.inquiry_ms, 0);
    assert_int_equal(reader.options.dry_run, 1);
    for (int i = 0; i < 2; i++) {
        const struct vmres_resource *resource = &reader.options.resources[i];

        assert_string_equal(resource->name, resources[i].name);
        assert_int_equal(resource->unit, resources[i].unit);
        assert_int_equal(resource->removal, resources[i].removal);
        assert_int_equal(resource->granule, resources[i].granule);
        assert_int_equal(resource->capacity, resources[i].capacity);
        assert_int_equal(resource->reserve, resources[i].reserve);
        assert_int_equal(resource->tolerance, resources[i].tolerance);
    }
    assert_string_equal(reader.options.policies[0].ops->name, "script");
    targets = reader.options.policies[0].options;
    assert_int_equal(targets->targets->rows, 2);
    assert_int_equal(targets->targets->columns, 3);
    assert_memory_equal(targets->targets->times_ms, times, sizeof times);
    assert_memory_equal(targets->targets->cells, cells, sizeof cells);
    assert_string_equal(reader.options.policies[1].ops->name, "usage");
    read_usage = reader.options.policies[1].options;
    assert_memory_equal(read_usage, &usage, sizeof usage);
    vmres__log_close(&reader);
}

static void the_entries_come_back(void **state)
{
    static struct vmres__log_reader reader;
    struct vmres_event event = sample_event();
    struct vmres_action action = sample_action();
    struct vmres__log_entry entry;

    (void)state;
    write_log();
    file.step = 5; /* a source that hands out little at a time */
    reader = (struct vmres__log_reader){.read = read_file};
    EXPECT_OK(vmres__log_open(&reader, NULL));
    EXPECT_OK(vmres__log_next(&reader, &entry, NULL));
    assert_int_equal(entry.type, VMRES__LOG_NAME);
    assert_int_equal(entry.vm, 2);
    assert_string_equal(entry.name, "db");
    EXPECT_OK(vmres__log_next(&reader, &entry, NULL));
    assert_int_equal(entry.type, VMRES__LOG_EVENT);
    assert_memory_equal(&entry.event, &event, sizeof event);
    EXPECT_OK(vmres__log_next(&reader, &entry, NULL));
    assert_int_equal(entry.type, VMRES__LOG_ACTION);
    assert_memory_equal(&entry.action, &action, sizeof action);
    EXPECT_STATUS(vmres__log_next(&reader, &entry, NULL), VMRES_UNKNOWN);
    vmres__log_close(&reader);
}

static void a_log_without_policies_means_static(void **state)
{
    static struct vmres__log_reader reader;
    struct vmres__log_writer writer = {.recorder = {.write = write_file}};
    struct vmres_engine_options options;

    (void)state;
    vmres_engine_options_init(&options);
    options.max_vms = 1;
    options.kinds = 1;
    options.resources = resources;
    memset(&file, 0, sizeof file);
    vmres__log_begin(&writer, &options);
    reader = (struct vmres__log_reader){.read = read_file};
    EXPECT_OK(vmres__log_open(&reader, NULL));
    assert_string_equal(reader.options.policies[0].ops->name, "static");
    vmres__log_close(&reader);
}

/* Cut anywhere, the log is whole up to its last whole record, and the rest is reported. */
static void a_cut_is_found_wherever_it_is(void **state)
{
    size_t size, borders = 0;

    (void)state;
    write_log();
    size = file.size;
    for (file.size = 0; file.size < size; file.size++) {
        struct vmres_error error;
        int entries;
        enum vmres_status status = read_log(NULL, &entries, &error);

        if (status == VMRES_UNKNOWN) {
            borders++;
            continue;
        }
        EXPECT_STATUS(status, VMRES_PARSE);
        assert_non_null(strstr(error.message, "byte"));
    }
    assert_int_equal(borders, 3); /* before the name, the event and the action */
}

/* Each record has a sum, so no changed byte goes unseen. */
static void every_changed_byte_is_found(void **state)
{
    (void)state;
    write_log();
    for (size_t i = 0; i < file.size; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            struct vmres_error error;
            int entries;

            file.bytes[i] ^= (unsigned char)(1 << bit);
            EXPECT_STATUS(read_log(NULL, &entries, &error), VMRES_PARSE);
            assert_non_null(strstr(error.message, "byte"));
            file.bytes[i] ^= (unsigned char)(1 << bit);
        }
    }
}

static void the_place_of_the_damage_is_named(void **state)
{
    struct vmres_error error;
    char place[32];
    int entries;

    (void)state;
    write_log();
    /* The last record is an action. */
    snprintf(place, sizeof place, "byte %zu ", file.size - VMRES__LOG_HEAD - VMRES__WIRE_EVENT);
    file.bytes[file.size - 1] ^= 1;
    EXPECT_STATUS(read_log(NULL, &entries, &error), VMRES_PARSE);
    assert_non_null(strstr(error.message, place));
    assert_int_equal(entries, 2);
}

static void other_formats_are_refused(void **state)
{
    struct vmres_error error;
    int entries;

    (void)state;
    write_log();
    file.bytes[8] = 2;
    EXPECT_STATUS(read_log(NULL, &entries, &error), VMRES_PARSE);
    assert_non_null(strstr(error.message, "format 2"));
    file.bytes[0] = '?';
    EXPECT_STATUS(read_log(NULL, &entries, &error), VMRES_PARSE);
    assert_non_null(strstr(error.message, "not an event log"));
}

/* A record with a right sum around whatever body, as a fuzzer makes them. */
static void put_record(uint32_t type, const void *body, uint32_t size)
{
    unsigned char *at = file.bytes + file.size;
    uint32_t crc;

    vmres__wire_put32(at, size);
    vmres__wire_put32(at + 4, type);
    memcpy(at + VMRES__LOG_HEAD, body, size);
    crc = vmres__wire_crc(vmres__wire_crc(0, at, 8), body, size);
    vmres__wire_put32(at + 8, crc);
    file.size += VMRES__LOG_HEAD + size;
}

static void a_table_that_is_only_claimed_takes_no_memory(void **state)
{
    unsigned char body[15] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                              't',  'a',  'r',  'g',  'e',  't',  's'};
    struct failing_allocator heap;
    size_t table_at = 12;
    int entries;

    (void)state;
    write_log();
    /* Keep ENGINE and the first KIND; in place of the rest a huge table, and eight bytes of it. */
    for (int i = 0; i < 2; i++)
        table_at += VMRES__LOG_HEAD + file.bytes[table_at];
    file.size = table_at;
    put_record(VMRES__LOG_TABLE, body, sizeof body);
    put_record(VMRES__LOG_CELLS, "\1\0\0\0\0\0\0\0", 8);
    failing_allocator_init(&heap, 0);
    EXPECT_STATUS(read_log(&heap.allocator, &entries, NULL), VMRES_PARSE);
    failing_allocator_expect_empty(&heap);
    assert_true(heap.asked <= 4);
}

static void records_of_a_wrong_shape_are_refused(void **state)
{
    static const struct {
        uint32_t type, size;
    } wrong[] = {
        {VMRES__LOG_EVENT, 63},
        {VMRES__LOG_ACTION, 65},
        {VMRES__LOG_NAME, 4},
        {VMRES__LOG_NAME, 3},
        {VMRES__LOG_NAME, 68},
        {VMRES__LOG_ENGINE, 44},
        {VMRES__LOG_OPTION, 12},
        {0, 0},
        {99, 64},
    };
    unsigned char body[80];
    size_t size;

    (void)state;
    memset(body, 'x', sizeof body);
    write_log();
    size = file.size;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int entries;

        file.size = size;
        put_record(wrong[i].type, body, wrong[i].size);
        EXPECT_STATUS(read_log(NULL, &entries, NULL), VMRES_PARSE);
        assert_int_equal(entries, 3);
    }
}

static void every_failed_allocation_is_clean(void **state)
{
    (void)state;
    write_log();
    for (size_t n = 1;; n++) {
        struct failing_allocator heap;
        enum vmres_status status;
        int entries;

        failing_allocator_init(&heap, n);
        status = read_log(&heap.allocator, &entries, NULL);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_UNKNOWN)
            break;
        EXPECT_STATUS(status, VMRES_NOMEM);
    }
}

static enum vmres_status write_nothing(void *user, const void *data, size_t size)
{
    int *left = user;

    (void)data, (void)size;
    assert_true(*left >= 0);
    return (*left)-- > 0 ? VMRES_OK : VMRES_IO;
}

static void a_failed_write_ends_the_log(void **state)
{
    int left = 1;
    struct vmres__log_writer writer = {.recorder = {.write = write_nothing, .user = &left}};

    (void)state;
    vmres__log_name(&writer, 0, "a");
    assert_non_null(writer.recorder.write);
    vmres__log_name(&writer, 0, "b");
    assert_null(writer.recorder.write);
    vmres__log_name(&writer, 0, "c"); /* would fail the check in write_nothing() */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_look_the_same_on_every_machine),
        cmocka_unit_test(actions_come_back),
        cmocka_unit_test(the_check_sum_is_the_usual_one),
        cmocka_unit_test(the_setup_comes_back),
        cmocka_unit_test(the_entries_come_back),
        cmocka_unit_test(a_log_without_policies_means_static),
        cmocka_unit_test(a_cut_is_found_wherever_it_is),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(the_place_of_the_damage_is_named),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(a_table_that_is_only_claimed_takes_no_memory),
        cmocka_unit_test(records_of_a_wrong_shape_are_refused),
        cmocka_unit_test(every_failed_allocation_is_clean),
        cmocka_unit_test(a_failed_write_ends_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
