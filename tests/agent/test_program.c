/* SPDX-License-Identifier: MIT */
/*
 * The agent as a host meets it: through its port, with a /proc that says what the test wants. It
 * must answer as long as it runs, whatever came before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/terminal.h"
#include "support/check.h"

#define REPORT "{\"ask\":\"report\",\"id\":7}\n"

static const char *program;
static struct terminal terminal;
static char proc[64];

/* --- a /proc --- */

static void write_proc(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", proc, name);
    fd = open(path, O_WRONLY | O_CREAT, 0600); /* in one piece, and in place */
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void set_available(unsigned kib)
{
    char text[256];

    snprintf(text, sizeof text,
             "MemTotal: 102400 kB\nMemFree: %6u kB\nMemAvailable: %6u kB\nCached: 100 kB\n",
             kib / 2, kib);
    write_proc("meminfo", text);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(proc, sizeof proc, "/tmp/vmres-test-XXXXXX");
    assert_non_null(mkdtemp(proc));
    set_available(51200);
    write_proc("vmstat", "oom_kill 0\n");
    terminal_start(&terminal, program, proc);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"meminfo", "vmstat", ""};
    char path[128];

    (void)state;
    terminal_end(&terminal);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", proc, names[i]);
        (void)remove(path);
    }
    return 0;
}

static void expect_answer(const char *wanted)
{
    const char *line = terminal_hear(&terminal);

    if (!strstr(line, wanted))
        fail_msg("wanted %s in %s", wanted, line);
}

static const char *hear_report(void)
{
    const char *line = terminal_hear(&terminal);

    while (strstr(line, "\"notice\""))
        line = terminal_hear(&terminal);
    return line;
}

static void expect_report_with(const char *wanted)
{
    terminal_say(&terminal, REPORT);
    if (!strstr(hear_report(), wanted))
        fail_msg("wanted %s in %s", wanted, terminal.line);
}

static void expect_report(void)
{
    expect_report_with("\"type\":\"report\",\"id\":7,");
}

/* --- what it answers --- */

static void test_answers(void **state)
{
    (void)state;
    terminal_greet(&terminal);
    terminal_say(&terminal, REPORT);
    expect_answer("\"total\":104857600,\"used\":52428800,\"available\":52428800,\"free\":26214400,"
                  "\"cache\":102400,");
    terminal_say(&terminal, "{\"ask\":\"sing\",\"id\":8}\n");
    expect_answer("\"type\":\"error\",\"id\":8,\"why\":\"ask\"");
}

static void test_versions(void **state)
{
    (void)state;
    terminal_say(&terminal, REPORT);
    expect_answer("\"id\":7,\"why\":\"hello\"");
    terminal_say(&terminal, "{\"ask\":\"hello\",\"id\":2,\"oldest\":2,\"newest\":9}\n");
    expect_answer("\"id\":2,\"why\":\"version\",\"oldest\":1,\"newest\":1}");
    terminal_say(&terminal, REPORT);
    expect_answer("\"why\":\"hello\"");
    terminal_say(&terminal, "{\"ask\":\"hello\",\"id\":3,\"oldest\":0,\"newest\":9}\n");
    expect_answer("{\"v\":1,\"type\":\"hello\",\"id\":3,");
    expect_report();
}

static void test_any_bytes(void **state)
{
    char noise[REQUEST_MOST * 5];

    (void)state;
    terminal_greet(&terminal);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7919 % 251 + 1);
    for (size_t i = 0; i < sizeof noise; i++)
        if (noise[i] == '\n')
            noise[i] = '?';
    noise[sizeof noise - 2] = '\n';
    noise[sizeof noise - 1] = '\0';
    terminal_say(&terminal, noise);
    expect_answer("\"id\":0,\"why\":\"request\"");
    for (unsigned i = 0; i < 20; i++)
        terminal_say(&terminal, "{]\n"); /* complained of once a second: no answer to these */
    expect_report();
}

static void test_byte_by_byte(void **state)
{
    char one[2] = {0};

    (void)state;
    terminal_greet(&terminal);
    for (const char *at = REPORT REPORT; *at; at++) {
        one[0] = *at;
        terminal_say(&terminal, one);
    }
    expect_answer("\"type\":\"report\"");
    expect_answer("\"type\":\"report\"");
}

/* Far more than the port takes: what does not fit is dropped, in whole lines. */
static void test_host_that_does_not_read(void **state)
{
    size_t length = strlen(REPORT);

    (void)state;
    terminal_greet(&terminal);
    assert_int_equal(fcntl(terminal.fd, F_SETFL, O_NONBLOCK), 0);
    for (unsigned i = 0; i < 400; i++)
        (void)!write(terminal.fd, REPORT, length);
    terminal_say(&terminal, "\n");
    do {
        terminal_hear(&terminal);
        assert_int_equal(terminal.line[0], '{');
        assert_int_equal(terminal.line[strlen(terminal.line) - 1], '}');
        (void)!write(terminal.fd, "{\"ask\":\"last\",\"id\":9}\n", 22);
    } while (!strstr(terminal.line, "\"id\":9,"));
}

static void test_comes_back(void **state)
{
    (void)state;
    terminal_greet(&terminal);
    terminal_say(&terminal, "{\"ask\":\"rep"); /* cut short by the hangup */
    terminal_hang_up(&terminal);
    terminal_connect(&terminal);
    terminal_say(&terminal, REPORT);
    expect_answer("\"why\":\"hello\""); /* another host: it must greet anew */
    terminal_greet(&terminal);
    expect_report();
}

/* --- what it says unasked --- */

static void test_low_without_a_trigger(void **state)
{
    (void)state;
    terminal_greet(&terminal);
    set_available(1024);
    expect_answer("\"type\":\"notice\",\"why\":\"low\"");
    expect_answer("\"type\":\"notice\",\"why\":\"low\""); /* it goes on */
}

static void test_a_killed_task(void **state)
{
    (void)state;
    terminal_greet(&terminal);
    write_proc("vmstat", "oom_kill 1\n");
    expect_answer("\"why\":\"oom\"");
}

static void test_stored_samples(void **state)
{
    (void)state;
    terminal_greet(&terminal);
    set_available(1024);
    expect_answer("\"why\":\"low\"");
    set_available(51200); /* the moment of shortage is over, and remembered: once */
    expect_report_with("\"used_max\":103809024,");
    do {
        terminal_say(&terminal, REPORT);
    } while (!strstr(hear_report(), "\"used_max\":52428800,"));
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_byte_by_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_that_does_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_low_without_a_trigger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_killed_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stored_samples, set_up, tear_down),
    };

    if (count != 2)
        return 2;
    if (terminal_missing())
        return 77;
    program = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
