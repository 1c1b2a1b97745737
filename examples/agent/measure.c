/* SPDX-License-Identifier: MIT */
/*
 * Steps 1 and 2 in the guest: its used and unused memory, as its kernel tells. Invariants:
 * free <= available <= total, and no number is above NUMBER_MOST. The files stay open: opening one
 * takes memory, which may not be there when it is needed most.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static int open_in(const char *proc, const char *name)
{
    char path[256];
    int length = snprintf(path, sizeof path, "%s/%s", proc, name);

    if (length < 0 || (size_t)length >= sizeof path)
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool measure_open(struct measure *measure, const char *proc)
{
    measure->meminfo = open_in(proc, "meminfo");
    measure->vmstat = open_in(proc, "vmstat");
    measure->pressure = open_in(proc, "pressure/memory");
    return measure->meminfo >= 0;
}

uint64_t measure_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The whole of a file, or as much of it as there is room for. */
static bool read_text(struct measure *measure, int fd)
{
    size_t length = 0;
    ssize_t got = 1;

    if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return false;
    while (got > 0 && length < sizeof measure->text - 1) {
        got = read(fd, measure->text + length, sizeof measure->text - 1 - length);
        if (got > 0)
            length += (size_t)got;
    }
    measure->text[length] = '\0';
    return length > 0;
}

/* The number after `key` in a line that begins with `begin`; 0 where there is none. */
static uint64_t number_in(const char *text, const char *begin, const char *key)
{
    const char *line = text;
    uint64_t number = 0;

    while (line && strncmp(line, begin, strlen(begin)) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    line = line ? strstr(line, key) : NULL;
    if (!line)
        return 0;
    line += strlen(key);
    line += strspn(line, " ");
    while (*line >= '0' && *line <= '9' && number < NUMBER_MOST)
        number = number * 10 + (uint64_t)(*line++ - '0');
    return least(number, NUMBER_MOST);
}

static uint64_t kib(const struct measure *measure, const char *key)
{
    return least(number_in(measure->text, key, key), NUMBER_MOST / 1024) * 1024;
}

static void take_memory(struct measure *measure, struct sample *sample)
{
    uint64_t cache = kib(measure, "Cached:") + kib(measure, "Buffers:");

    sample->total = kib(measure, "MemTotal:");
    sample->available = least(kib(measure, "MemAvailable:"), sample->total);
    sample->free = least(kib(measure, "MemFree:"), sample->available);
    /* What lies in a tmpfs is counted as cache, and cannot be dropped. */
    sample->cache = less(least(cache, sample->total), kib(measure, "Shmem:"));
    sample->swap_total = kib(measure, "SwapTotal:");
    /* A page read back keeps its place on swap for a while: that one is not missing. */
    sample->swap_used = less(sample->swap_total, kib(measure, "SwapFree:"));
    sample->swap_used = less(sample->swap_used, kib(measure, "SwapCached:"));
}

static void take_trouble(struct measure *measure, struct sample *sample)
{
    const char *text = measure->text;
    uint64_t anonymous = number_in(text, "workingset_refault_anon ", "workingset_refault_anon ");
    uint64_t file = number_in(text, "workingset_refault_file ", "workingset_refault_file ");

    sample->refaults = least(anonymous + file, NUMBER_MOST);
    sample->refaults_anon = anonymous;
    sample->oom_kills = number_in(text, "oom_kill ", "oom_kill ");
}

bool measure_take(struct measure *measure, struct sample *sample)
{
    *sample = (struct sample){.time_us = measure_now_us()};
    if (!read_text(measure, measure->meminfo))
        return false;
    take_memory(measure, sample);
    if (read_text(measure, measure->vmstat))
        take_trouble(measure, sample);
    if (read_text(measure, measure->pressure)) {
        sample->some_us = number_in(measure->text, "some ", "total=");
        sample->full_us = number_in(measure->text, "full ", "total=");
    }
    return true;
}
