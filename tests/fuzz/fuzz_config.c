/* SPDX-License-Identifier: MIT */
/*
 * Bytes are loaded as a configuration, from a file in memory; with a table beside it that it may
 * name. What it says, if it can be loaded, must make an engine or be refused by one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmres/config.h>

#include "fuzz/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[192], yaml[224];

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* Where fuzz/run says; else in memory where there is such a place: a file for each input wears a
 * disk out. */
static void prepare(void)
{
    static const char table[] = "t_s,a,b\n0,100,200\n10,300,50\n";
    struct stat shared;
    const char *base = getenv("TMPDIR");
    char csv[224];

    if (!base)
        base = stat("/dev/shm", &shared) == 0 ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof directory, "%s/vmres-fuzz-XXXXXX", base);
    if (!mkdtemp(directory))
        abort();
    snprintf(yaml, sizeof yaml, "%s/host.yaml", directory);
    snprintf(csv, sizeof csv, "%s/table.csv", directory);
    write_file(csv, table, sizeof table - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmres_config_options options;
    struct vmres_config *config;
    struct vmres_engine *engine;
    struct vmres_error error;
    struct heap heap;

    if (!directory[0])
        prepare();
    write_file(yaml, data, size);
    heap_init(&heap);
    vmres_config_options_init(&options);
    options.allocator = &heap.allocator;
    if (vmres_config_load(yaml, &options, &config, &error) == VMRES_OK) {
        struct vmres_engine_options made = config->engine;

        made.allocator = &heap.allocator;
        if (vmres_engine_create(&made, &engine, &error) == VMRES_OK)
            vmres_engine_destroy(engine);
        vmres_config_destroy(config);
    }
    heap_expect_empty(&heap);
    return 0;
}
