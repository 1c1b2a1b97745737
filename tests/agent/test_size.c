/* SPDX-License-Identifier: MIT */
/* The agent as guests get it: small as a file, small in memory, all of it locked, needs nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/terminal.h"
#include "support/check.h"

#define FILE_MOST (200u * 1024)
#define RESIDENT_MOST 1024u /* KiB */

static const char *program;
static struct terminal terminal;

static int tear_down(void **state)
{
    (void)state;
    terminal_end(&terminal);
    return 0;
}

static void test_file(void **state)
{
    struct stat file;

    (void)state;
    assert_int_equal(stat(program, &file), 0);
    print_message("the file has %ld bytes, at most %u\n", (long)file.st_size, FILE_MOST);
    assert_true(file.st_size <= FILE_MOST);
}

static unsigned long status_of(const char *key)
{
    char path[64], line[256];
    unsigned long kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)terminal.pid);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoul(line + strlen(key), NULL, 10);
    fclose(file);
    return kib;
}

static void test_memory(void **state)
{
    struct rlimit limit;
    unsigned long resident, locked;

    (void)state;
    terminal_start(&terminal, program, NULL);
    terminal_greet(&terminal);
    for (unsigned i = 0; i < 100; i++) {
        terminal_say(&terminal, "{\"ask\":\"report\",\"id\":7}\n");
        assert_non_null(strstr(terminal_hear(&terminal), "\"report\""));
    }
    resident = status_of("VmRSS:");
    locked = status_of("VmLck:");
    print_message("%lu KiB resident, at most %u; %lu KiB locked\n", resident, RESIDENT_MOST,
                  locked);
    assert_true(resident > 0 && resident <= RESIDENT_MOST);
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (limit.rlim_cur >= RESIDENT_MOST * 1024)
        assert_true(locked >= resident / 2);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test_teardown(test_memory, tear_down),
    };

    if (count != 2)
        return 2;
    if (terminal_missing())
        return 77;
    program = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
