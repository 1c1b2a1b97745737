/* SPDX-License-Identifier: MIT */
/* What the agent is made of: requests strictly read, answers within their bounds, samples kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "support/check.h"

/* --- requests --- */

static enum request_ask ask_of(const char *line)
{
    return request_parse(line, strlen(line)).ask;
}

static void test_requests_are_taken(void **state)
{
    struct request request;
    const char *hello = " { \"newest\" : 3 , \"ask\":\"hello\",\t\"id\":7,\"oldest\":1 } \r";

    (void)state;
    request = request_parse(hello, strlen(hello));
    assert_int_equal(request.ask, ASK_HELLO);
    assert_int_equal(request.id, 7);
    assert_int_equal(request.oldest, 1);
    assert_int_equal(request.newest, 3);
    assert_int_equal(ask_of("{\"ask\":\"report\",\"id\":9007199254740992}"), ASK_REPORT);
    assert_int_equal(ask_of("{\"ask\":\"report\",\"id\":0,\"later\":\"x\",\"z\":1}"), ASK_REPORT);
    assert_int_equal(ask_of("{\"ask\":\"reports\",\"id\":1}"), ASK_UNKNOWN);
    assert_int_equal(ask_of("{\"ask\":\"\",\"id\":1}"), ASK_UNKNOWN);
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "{",
        "[]",
        "report",
        "{\"ask\":\"report\"}",
        "{\"id\":1}",
        "{\"ask\":\"report\",\"id\":1",
        "{\"ask\":\"report\",\"id\":1} x",
        "{\"ask\":\"report\",\"id\":1}{}",
        "{\"ask\":\"report\",\"id\":1,}",
        "{,\"ask\":\"report\",\"id\":1}",
        "{\"ask\":\"report\",\"id\":01}",
        "{\"ask\":\"report\",\"id\":-1}",
        "{\"ask\":\"report\",\"id\":1.0}",
        "{\"ask\":\"report\",\"id\":}",
        "{\"ask\":\"report\",\"id\":9007199254740993}",
        "{\"ask\":\"report\",\"id\":99999999999999999999999999}",
        "{\"ask\":\"report\",\"id\":1,\"id\":1}",
        "{\"ask\":\"report\",\"id\":\"1\"}",
        "{\"ask\":1,\"id\":1}",
        "{\"ask\":\"rep\\u006frt\",\"id\":1}",
        "{\"ask\":\"report\",\"id\":1,\"x\":{}}",
        "{\"ask\":\"report\",\"id\":1,\"x\":true}",
        "{\"ask\":\"re\nport\",\"id\":1}",
        "{'ask':'report','id':1}",
        "{\"ask\"\"report\",\"id\":1}",
        "{\"ask\":\"report",
        "{\"ask\":\"report\"\"id\":1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ask_of(bad[i]) != ASK_NONSENSE)
            fail_msg("this was taken: %s", bad[i]);
    assert_int_equal(request_parse("{\"ask\":\"report\",\"id\":1}\0", 25).ask, ASK_NONSENSE);
}

/* --- answers --- */

static void test_answers_keep_their_bounds(void **state)
{
    const uint64_t most = NUMBER_MOST;
    const struct sample sample = {most, most, 0, 0, most, most, most, most, most, most, most, most};
    const struct summary summary = {most, most, most};
    char line[ANSWER_MOST + 1];
    size_t length;

    (void)state;
    memset(line, '#', sizeof line);
    length = answer_report(line, most, &sample, &summary, true);
    assert_true(length > 0 && length < ANSWER_MOST / 2);
    assert_memory_equal(line + length - 2, "}\n", 2);
    assert_int_equal(line[ANSWER_MOST], '#');
    length = answer_notice(line, "stall", &sample, true);
    assert_memory_equal(line + length - 2, "}\n", 2);
}

static void test_answers_say_what_is(void **state)
{
    const struct sample sample = {.time_us = 5,
                                  .total = 1000,
                                  .free = 10,
                                  .available = 300,
                                  .cache = 200,
                                  .swap_total = 50,
                                  .swap_used = 20,
                                  .some_us = 8,
                                  .full_us = 7,
                                  .refaults = 6,
                                  .refaults_anon = 2,
                                  .oom_kills = 1};
    const struct summary summary = {.count = 4, .most = 750, .mean = 690};
    char line[ANSWER_MOST];

    (void)state;
    line[answer_report(line, 3, &sample, &summary, true)] = '\0';
    assert_string_equal(
        line,
        "{\"v\":1,\"type\":\"report\",\"id\":3,\"time_us\":5,\"total\":1000,"
        "\"used\":700,\"available\":300,\"free\":10,\"cache\":200,"
        "\"swap_total\":50,\"swap_used\":20,\"refaults\":6,\"refaults_anon\":2,\"oom_kills\":1,"
        "\"some_us\":8,\"full_us\":7,\"samples\":4,\"used_max\":750,"
        "\"used_mean\":690}\n");
    line[answer_notice(line, "low", &sample, false)] = '\0';
    assert_string_equal(line, "{\"v\":1,\"type\":\"notice\",\"why\":\"low\",\"time_us\":5,"
                              "\"total\":1000,\"used\":700,\"available\":300,\"free\":10,"
                              "\"cache\":200,\"swap_total\":50,\"swap_used\":20,\"refaults\":6,"
                              "\"refaults_anon\":2,\"oom_kills\":1}\n");
    line[answer_hello(line, 1, 250, true)] = '\0';
    assert_string_equal(line, "{\"v\":1,\"type\":\"hello\",\"id\":1,\"agent\":\"vmres-agent 0.1.0\""
                              ",\"period_ms\":250,\"pressure\":true}\n");
    line[answer_error(line, 2, "ask")] = '\0';
    assert_string_equal(line, "{\"v\":1,\"type\":\"error\",\"id\":2,\"why\":\"ask\",\"oldest\":1,"
                              "\"newest\":1}\n");
}

/* --- samples --- */

static void add(struct ring *ring, uint64_t used)
{
    ring_add(ring, &(struct sample){.total = 1000, .available = 1000 - used});
}

static void test_ring(void **state)
{
    struct ring ring = {0};
    struct summary summary;

    (void)state;
    assert_null(ring_last(&ring));
    assert_int_equal(ring_tell(&ring).count, 0);
    add(&ring, 100);
    add(&ring, 400);
    add(&ring, 100);
    summary = ring_tell(&ring);
    assert_int_equal(summary.count, 3);
    assert_int_equal(summary.most, 400);
    assert_int_equal(summary.mean, 200);
    summary = ring_tell(&ring); /* nothing new: the last one again */
    assert_int_equal(summary.count, 1);
    assert_int_equal(summary.mean, 100);
    add(&ring, 900);
    for (unsigned i = 0; i < RING_ROOM; i++)
        add(&ring, 300);
    summary = ring_tell(&ring);
    assert_int_equal(summary.count, RING_ROOM);
    assert_int_equal(summary.most, 300);
    assert_int_equal(used_of(ring_last(&ring)), 300);
}

static char directory[64];

static void write_proc(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_proc(void **state)
{
    char path[128];

    (void)state;
    snprintf(directory, sizeof directory, "/tmp/vmres-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/pressure", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    return 0;
}

static int remove_proc(void **state)
{
    static const char *const names[] = {"meminfo", "vmstat", "pressure/memory", "pressure", ""};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)remove(path);
    }
    return 0;
}

static struct sample measure_once(void)
{
    struct measure measure;
    struct sample sample;

    assert_true(measure_open(&measure, directory));
    assert_true(measure_take(&measure, &sample));
    assert_true(sample.free <= sample.available && sample.available <= sample.total);
    close(measure.meminfo);
    if (measure.vmstat >= 0)
        close(measure.vmstat);
    if (measure.pressure >= 0)
        close(measure.pressure);
    return sample;
}

static void test_measure(void **state)
{
    struct sample sample;

    (void)state;
    write_proc("meminfo", "MemTotal:  1000 kB\nMemFree:   100 kB\nMemAvailable: 400 kB\n"
                          "Buffers: 50 kB\nCached: 300 kB\nSwapCached: 9 kB\nShmem: 20 kB\n"
                          "SwapTotal: 80 kB\nSwapFree: 60 kB\n");
    sample = measure_once();
    assert_int_equal(sample.some_us, 0);
    write_proc("vmstat", "nr_free_pages 1\nworkingset_refault_anon 3\nworkingset_refault_file 4\n"
                         "oom_kill 2\n");
    write_proc("pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\n"
                                  "full avg10=0.00 avg60=0.00 avg300=0.00 total=567\n");
    sample = measure_once();
    assert_int_equal(sample.total, 1000 * 1024);
    assert_int_equal(sample.free, 100 * 1024);
    assert_int_equal(sample.available, 400 * 1024);
    assert_int_equal(sample.cache, 330 * 1024);
    assert_int_equal(sample.swap_used, 11 * 1024);
    assert_int_equal(sample.refaults, 7);
    assert_int_equal(sample.refaults_anon, 3);
    assert_int_equal(sample.oom_kills, 2);
    assert_int_equal(sample.some_us, 1234);
    assert_int_equal(sample.full_us, 567);
}

static void test_measure_nonsense(void **state)
{
    struct sample sample;

    (void)state;
    write_proc("meminfo", "MemTotal: 99999999999999999999999999 kB\nMemFree: x\nMemAvailable:");
    write_proc("vmstat", "oom_kill 18446744073709551615\nworkingset_refault_anon");
    write_proc("pressure/memory", "some total=\nfull");
    sample = measure_once();
    assert_true(sample.total <= NUMBER_MOST);
    assert_int_equal(sample.available, 0);
    assert_true(sample.oom_kills == NUMBER_MOST);
    assert_int_equal(sample.some_us, 0);
}

/* --- the port --- */

static void test_only_a_device_is_a_port(void **state)
{
    struct port port;
    char path[128];

    (void)state;
    write_proc("meminfo", "any file\n");
    snprintf(path, sizeof path, "%s/meminfo", directory);
    port_init(&port, path);
    port_revive(&port);
    assert_int_equal(port.fd, -1);
    port_init(&port, "/dev/null");
    port_revive(&port);
    assert_true(port.fd >= 0);
    assert_int_equal(close(port.fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_taken),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_answers_keep_their_bounds),
        cmocka_unit_test(test_answers_say_what_is),
        cmocka_unit_test(test_ring),
        cmocka_unit_test_setup_teardown(test_measure, make_proc, remove_proc),
        cmocka_unit_test_setup_teardown(test_measure_nonsense, make_proc, remove_proc),
        cmocka_unit_test_setup_teardown(test_only_a_device_is_a_port, make_proc, remove_proc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
