/* SPDX-License-Identifier: MIT */
/*
 * The generators: every kind makes a host that makes sense, the same bytes whenever it is asked,
 * others for other seeds; and what is written is what is read, or it is said what is wrong with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "traces/trace.h"

/* FNV-1a over all amounts. */
static uint64_t hash_of(const struct trace *trace)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < (size_t)trace->vms * trace->rows; i++)
        hash = (hash ^ trace->demand[i]) * 0x100000001b3u;
    for (size_t i = 0; trace->cache && i < (size_t)trace->vms * trace->rows; i++)
        hash = (hash ^ trace->cache[i]) * 0x100000001b3u;
    return (hash ^ trace->capacity) * 0x100000001b3u;
}

static struct trace make(const char *kind, const char *seed)
{
    struct trace trace;
    char name[TRACE_NAME];

    (void)snprintf(name, sizeof name, "%s-%s", kind, seed);
    assert_true(trace_make(&trace, name));
    assert_string_equal(trace.name, name);
    return trace;
}

static void every_kind_is_a_host(void **state)
{
    (void)state;
    for (uint32_t i = 0; trace_kind(i); i++) {
        struct trace trace = make(trace_kind(i), "1");
        uint64_t floors = 0, ceilings = 0, wanted = 0;

        for (uint32_t vm = 0; vm < trace.vms; vm++) {
            assert_true(trace.floors[vm] <= trace.ceilings[vm]);
            floors += trace.floors[vm];
            ceilings += trace.ceilings[vm];
            for (uint32_t row = 0; row < trace.rows; row++)
                wanted += trace_wish(&trace, vm, row);
        }
        print_message("             %-12s %3.0f %% of the host wanted on average\n", trace_kind(i),
                      100 * (double)wanted / ((double)trace.capacity * trace.rows));
        assert_true(floors <= trace.capacity);
        assert_true(ceilings >= trace.capacity);
        assert_true(wanted > 0);
        trace_close(&trace);
    }
}

static void a_seed_makes_the_same_and_another_does_not(void **state)
{
    (void)state;
    for (uint32_t i = 0; trace_kind(i); i++) {
        struct trace one = make(trace_kind(i), "1");
        struct trace again = make(trace_kind(i), "1");
        struct trace other = make(trace_kind(i), "3");

        assert_true(hash_of(&one) == hash_of(&again));
        assert_true(hash_of(&one) != hash_of(&other));
        trace_close(&one);
        trace_close(&again);
        trace_close(&other);
    }
}

/* Results are kept beside traces, and are worth nothing once these have changed. */
static void a_trace_is_what_it_was(void **state)
{
    struct trace trace = make("syn16", "1");

    (void)state;
    assert_int_equal(trace.capacity, 31585);
    assert_true(hash_of(&trace) == 0x4e828fd98ec7cae8u);
    trace_close(&trace);
    assert_false(trace_make(&trace, "syn16"));
    assert_false(trace_make(&trace, "syn17-1"));
}

/* --- files --- */

static char directory[] = "/tmp/vmres-traces-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static void put(const char *ending, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/bad.%s", directory, ending);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"cache12-1", "weights16-1", "bad"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s.csv", directory, names[i]);
        (void)remove(path);
        (void)snprintf(path, sizeof path, "%s/%s.json", directory, names[i]);
        (void)remove(path);
    }
    return remove(directory);
}

static void what_is_written_is_read(void **state)
{
    static const char *const kinds[] = {"cache12", "weights16"};
    const char *why = NULL;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct trace made = make(kinds[i], "1");
        struct trace found;

        assert_true(trace_write(&made, directory));
        assert_true(trace_read(&found, directory, made.name, &why));
        assert_true(hash_of(&made) == hash_of(&found));
        assert_string_equal(made.note, found.note);
        assert_int_equal(made.unit, found.unit);
        assert_memory_equal(made.floors, found.floors, made.vms * sizeof *made.floors);
        assert_memory_equal(made.ceilings, found.ceilings, made.vms * sizeof *made.ceilings);
        assert_memory_equal(made.weights, found.weights, made.vms * sizeof *made.weights);
        trace_close(&made);
        trace_close(&found);
    }
}

static void what_is_wrong_is_said(void **state)
{
#define HEAD "{\"vms\": 2, \"rows\": 2, \"tick_s\": 1.0, \"capacity\": 9, \"unit\": \"MiB\", "
#define LIMITS "\"min\": [1, 1], \"max\": [4, 5]"
    static const struct {
        const char *json, *csv, *why;
    } cases[] = {
        {"{}", "", "tick_s"},
        {"{\"tick_s\": 2}", "", "tick_s"},
        {"{\"tick_s\": 1, \"vms\": 2}", "", "lacks"},
        {HEAD "\"min\": [1], \"max\": [4, 5]}", "", "min or max"},
        {HEAD "\"min\": [1, 6], \"max\": [4, 5]}", "", "above"},
        {HEAD LIMITS ", \"weight\": [1]}", "", "weight"},
        {HEAD LIMITS ", \"weight\": [1, 0]}", "", "weight"},
        {HEAD LIMITS "}", "t_s,vm1,vm2\n0,1,1\n", "fewer rows"},
        {HEAD LIMITS "}", "t_s,vm1,vm2\n0,1\n1,1,1\n", "short"},
        {HEAD LIMITS "}", "t_s,vm1,vm2\n0,1,x\n1,1,1\n", "no amount"},
        {HEAD LIMITS "}", "t_s,vm1,vm2\n0,1,-3\n1,1,1\n", "no amount"},
        {HEAD LIMITS "}", "t_s,vm1,vm2\nx,1,3\n1,1,1\n", "time"},
    };
    const char *why = NULL;
    struct trace trace;

    (void)state;
    assert_false(trace_read(&trace, directory, "nowhere", &why));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("json", cases[i].json);
        put("csv", cases[i].csv);
        assert_false(trace_read(&trace, directory, "bad", &why));
        if (!strstr(why, cases[i].why))
            fail_msg("case %zu: \"%s\" does not speak of \"%s\"", i, why, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_a_host),
        cmocka_unit_test(a_seed_makes_the_same_and_another_does_not),
        cmocka_unit_test(a_trace_is_what_it_was),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_wrong_is_said),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
