/* SPDX-License-Identifier: MIT */
/*
 * Bad configurations: every file of a folder must be refused with the one line that its first
 * comment says, "# FILE:LINE:COLUMN: what, and the remedy". UPDATE=1 rewrites the comments, to be
 * read before they are believed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/config.h>

#include "support/check.h"

static const char *folder;

enum { ROOM = 8192 };

static void read_text(const char *path, char text[ROOM])
{
    FILE *file = fopen(path, "rb");
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, ROOM - 1, file);
    text[size] = '\0';
    assert_int_equal(fclose(file), 0);
}

static void write_wanted(const char *path, const char *text, const char *wanted)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fprintf(file, "# %s%s", wanted, strchr(text, '\n')) > 0);
    assert_int_equal(fclose(file), 0);
}

/* Loads one file; returns 1 if it was refused as its comment says. */
static int is_refused_as_wanted(const char *name)
{
    struct vmres_config *config = NULL;
    struct vmres_error error = {.message = ""};
    char path[4096], text[ROOM], wanted[ROOM];
    const char *got;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    read_text(path, text);
    assert_int_equal(sscanf(text, "# %8191[^\n]", wanted), 1);
    EXPECT_STATUS(vmres_config_load(path, NULL, &config, &error), VMRES_PARSE);
    EXPECT_STATUS(error.status, VMRES_PARSE);
    assert_null(config);
    assert_memory_equal(error.message, folder, strlen(folder));
    got = error.message + strlen(folder) + 1;
    if (getenv("UPDATE"))
        write_wanted(path, text, got);
    else if (strcmp(got, wanted) != 0)
        print_error("wanted: %s\n   got: %s\n", wanted, got);
    return getenv("UPDATE") || strcmp(got, wanted) == 0;
}

static void every_file_is_refused_as_its_comment_says(void **state)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int files = 0, failures = 0;

    (void)state;
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (!dot || strcmp(dot, ".yaml") != 0)
            continue;
        files++;
        failures += is_refused_as_wanted(entry->d_name) ? 0 : 1;
    }
    (void)closedir(entries);
    assert_true(files > 100);
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_refused_as_its_comment_says),
    };

    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
