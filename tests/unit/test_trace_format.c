/* SPDX-License-Identifier: MIT */
/* How each kind of trace record reads, with names and without, and in buffers of any size. */
#include <stdio.h>
#include <string.h>

#include <vmres/trace.h>
#include <vmres/units.h>

#include "support/check.h"

static const char *name_of(void *user, uint32_t vm)
{
    const char *const *names = user;

    return vm < 3 ? names[vm] : NULL;
}

static const struct vmres_resource resources[] = {
    {.name = "memory", .granule = VMRES_MIB},
    {.name = "cpu", .unit = VMRES_UNIT_MILLI, .granule = 10},
    {.name = "pages", .unit = VMRES_UNIT_COUNT, .granule = 1}};

static const char *const vm_names[] = {"web", "db", "a\x01\x7f\nb"};

static const char *line(struct vmres_trace_record record, uint32_t kinds)
{
    static char buffer[256];
    struct vmres_trace_names names = {name_of, (void *)vm_names, resources, kinds};
    size_t length = vmres_trace_format(&record, &names, buffer, sizeof buffer);

    assert_int_equal(length, strlen(buffer));
    return buffer;
}

static struct vmres_trace_record record(enum vmres_trace_type type, uint8_t step)
{
    return (struct vmres_trace_record){.time_ms = 12345,
                                       .type = (uint8_t)type,
                                       .step = step,
                                       .vm = 1,
                                       .other = 0,
                                       .transfer = 9,
                                       .amount = 64 * VMRES_MIB,
                                       .target = VMRES_GIB,
                                       .reason = "why"};
}

static void every_type_has_its_line(void **state)
{
    static const struct {
        enum vmres_trace_type type;
        uint8_t step;
        const char *line;
    } cases[] = {{VMRES_TRACE_VM, 0, "db why"},
                 {VMRES_TRACE_INQUIRE, 1, "all (1) inquire: why"},
                 {VMRES_TRACE_REPORT, 2, "db (2) uses 64MiB of 1GiB: why"},
                 {VMRES_TRACE_PLAN, 3, "web (3) gets 64MiB from db: why"},
                 {VMRES_TRACE_REMOVE, 4, "db (4) remove 64MiB, down to 1GiB, for web: why"},
                 {VMRES_TRACE_REMOVED, 5, "db (5) removed 64MiB, now 1GiB: why"},
                 {VMRES_TRACE_REASSIGN, 6, "db (6) reassign 64MiB from web, now 1GiB: why"},
                 {VMRES_TRACE_NOTIFY, 7, "db (7) notify of 64MiB, now 1GiB: why"},
                 {VMRES_TRACE_INCORPORATED, 8, "db (8) incorporated 64MiB, holds 1GiB: why"},
                 {VMRES_TRACE_CLOSED, 0, "transfer db to web moved 64MiB of 1GiB: why"},
                 {VMRES_TRACE_CANCEL, 0, "db call off 64MiB, keeps 1GiB: why"},
                 {VMRES_TRACE_PIN, 0, "db pinned: holds 64MiB, told 1GiB: why"},
                 {VMRES_TRACE_LEDGER, 0, "db books 64MiB, now 1GiB: why"},
                 {VMRES_TRACE_DISPUTED, 5, "db (5) disputed 64MiB, charged 1GiB: why"},
                 {VMRES_TRACE_ALLOT, 0, "db allot 64MiB, now 1GiB: why"},
                 {VMRES_TRACE_REFUSED, 0, "db waits for 64MiB: why"},
                 {VMRES_TRACE_NONSENSE, 0, "db was not understood (67108864): why"},
                 {VMRES_TRACE_STATIC, 0, "host why"}};

    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = line(record(cases[i].type, cases[i].step), 1);

        assert_memory_equal(got, "[   12.345] ", 12);
        assert_string_equal(got + 12, cases[i].line);
    }
}

static void the_pool_and_the_host_have_names_too(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_PLAN, 3);

    (void)state;
    r.reason = NULL;
    r.vm = VMRES_VM_NONE;
    assert_string_equal(line(r, 1), "[   12.345] web (3) gets 64MiB from the pool");
    r.vm = 1;
    r.other = VMRES_VM_NONE;
    assert_string_equal(line(r, 1), "[   12.345] db (3) gives 64MiB to the pool");
    r.type = VMRES_TRACE_REMOVE;
    r.step = 4;
    r.transfer = 0; /* for several */
    assert_string_equal(line(r, 1), "[   12.345] db (4) remove 64MiB, down to 1GiB");
    r.type = VMRES_TRACE_LEDGER;
    r.step = 0;
    r.vm = VMRES_VM_NONE;
    assert_string_equal(line(r, 1), "[   12.345] host books 64MiB, now 1GiB");
    r.type = VMRES_TRACE_REFUSED;
    r.amount = 0;
    assert_string_equal(line(r, 1), "[   12.345] host event refused");
}

static void a_kind_is_named_where_there_are_several(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_REMOVED, 5);

    (void)state;
    assert_string_equal(line(r, 3), "[   12.345] db (5) memory removed 64MiB, now 1GiB: why");
    r = record(VMRES_TRACE_REFUSED, 0);
    assert_string_equal(line(r, 3), "[   12.345] db memory waits for 64MiB: why");
    r = record(VMRES_TRACE_REMOVED, 5);
    r.kind = 1;
    r.amount = 250;
    r.target = 4000;
    assert_string_equal(line(r, 3), "[   12.345] db (5) cpu removed 250m, now 4000m: why");
    r.kind = 2;
    assert_string_equal(line(r, 3), "[   12.345] db (5) pages removed 250, now 4000: why");
    r.kind = 7; /* not one of ours */
    assert_string_equal(line(r, 3), "[   12.345] db (5) removed 250, now 4000: why");
}

static void without_names_there_are_numbers(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_REMOVED, 5);
    char buffer[128];

    (void)state;
    vmres_trace_format(&r, NULL, buffer, sizeof buffer);
    assert_string_equal(buffer, "[   12.345] vm#1 (5) removed 67108864, now 1073741824: why");
    r.vm = 3; /* of whom nobody knows the name */
    assert_string_equal(line(r, 1), "[   12.345] vm#3 (5) removed 64MiB, now 1GiB: why");
}

static void control_characters_do_not_reach_a_terminal(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_VM, 0);

    (void)state;
    r.vm = 2;
    assert_string_equal(line(r, 1), "[   12.345] a???b why");
}

/* What a terminal or a page would obey, and what is no text at all; the rest stays. */
static void no_character_bends_the_line(void **state)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"a\xc2\x80\xc2\x9f\xc2\xa0z", "a??\xc2\xa0z"},               /* C1; a blank is none */
        {"a\xe2\x80\xa8\xe2\x80\xa9z", "a??z"},                       /* ends of line */
        {"\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf", "??\xe2\x80\xaf"},   /* turn the order */
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9", "\xe2\x81\xa5??"},   /* isolate */
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "???"},                  /* marks */
        {"a\x80z\xff\xe2\x80", "a?z???"},                             /* no UTF-8; cut */
        {"\xc0\xaf\xed\xa0\x80", "?????"},                            /* overlong; surrogate */
        {"\xf4\x8f\xbf\xbd\xf4\x90\x80\x80", "\xf4\x8f\xbf\xbd????"}, /* the last; beyond */
        {"gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *names[] = {cases[i].name, NULL, NULL};
        const struct vmres_trace_names who = {name_of, (void *)names, resources, 1};
        struct vmres_trace_record r = record(VMRES_TRACE_VM, 0);
        char buffer[128], wanted[128];

        r.vm = 0;
        (void)snprintf(wanted, sizeof wanted, "[   12.345] %s why", cases[i].shown);
        (void)vmres_trace_format(&r, &who, buffer, sizeof buffer);
        assert_string_equal(buffer, wanted);
    }
}

static void time_is_in_seconds_however_long(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_VM, 0);

    (void)state;
    r.time_ms = 0;
    assert_string_equal(line(r, 1), "[    0.000] db why");
    r.time_ms = UINT64_C(123456789012);
    assert_string_equal(line(r, 1), "[123456789.012] db why");
}

static void a_line_is_cut_to_fit_and_measured_in_full(void **state)
{
    struct vmres_trace_record r = record(VMRES_TRACE_REMOVE, 4);
    char whole[128], buffer[128];
    size_t length = vmres_trace_format(&r, NULL, whole, sizeof whole);

    (void)state;
    for (size_t size = 0; size <= length + 2; size++) {
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(vmres_trace_format(&r, NULL, buffer, size), length);
        if (size > 0) {
            size_t fits = size - 1 < length ? size - 1 : length;

            assert_memory_equal(buffer, whole, fits);
            assert_int_equal(buffer[fits], '\0');
        }
        assert_int_equal(buffer[size], '#');
    }
    assert_int_equal(vmres_trace_format(&r, NULL, NULL, 0), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_line),
        cmocka_unit_test(the_pool_and_the_host_have_names_too),
        cmocka_unit_test(a_kind_is_named_where_there_are_several),
        cmocka_unit_test(without_names_there_are_numbers),
        cmocka_unit_test(control_characters_do_not_reach_a_terminal),
        cmocka_unit_test(no_character_bends_the_line),
        cmocka_unit_test(time_is_in_seconds_however_long),
        cmocka_unit_test(a_line_is_cut_to_fit_and_measured_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
