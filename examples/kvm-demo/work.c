/* SPDX-License-Identifier: MIT */
/*
 * What runs in a guest of the demo: a program that holds memory, or one that works on it. It waits
 * for a line before it works, and says four times a second how far it is and how much of the guest
 * is swapped out, so that the host can draw what the guest misses.
 *
 *     work hold MIB            touches so much memory and keeps it
 *     work visit MIB VISITS    reads and writes so many pages of it, each drawn by lot
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define WORDS (PAGE / sizeof(uint64_t))
#define TELL_MS 250u
#define LOW_KIB (51u * 1024) /* a fifth of its allotment: the policy gives it more from here on */

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The number behind a word at the beginning of a line, in a file of the kernel's; or 0. */
static unsigned long read_kib(const char *path, const char *word)
{
    FILE *file = fopen(path, "r");
    unsigned long kib = 0;
    char line[128];

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, word, strlen(word)) == 0)
            kib = strtoul(line + strlen(word), NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

static void tell(unsigned percent)
{
    printf("at %u %lu\n", percent, read_kib("/proc/self/status", "VmSwap:"));
}

/* Each page gets content of its own, so that no host can share or compress it away. Says when the
 * guest begins to run short. */
static uint64_t *take(size_t pages)
{
    uint64_t *memory = malloc(pages * PAGE);
    bool low = false;

    for (size_t page = 0; memory && page < pages; page++) {
        for (size_t i = page * WORDS; i < (page + 1) * WORDS; i++)
            memory[i] = i * 0x9e3779b97f4a7c15u;
        if (low || page % 256 != 0 || read_kib("/proc/meminfo", "MemAvailable:") >= LOW_KIB)
            continue;
        low = true;
        puts("low");
    }
    return memory;
}

static uint64_t draw(uint64_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return *dice;
}

static void visit(uint64_t *page)
{
    for (size_t i = 0; i < WORDS; i++)
        page[i] = page[i] * 6364136223846793005u + 1;
}

static void work(size_t pages, uint64_t visits)
{
    uint64_t *memory = take(pages);
    uint64_t dice = 88172645463325252u, told_ms = 0;

    if (!memory) {
        puts("out of memory");
        return;
    }
    for (uint64_t i = 0; i < visits; i++) {
        visit(memory + draw(&dice) % pages * WORDS);
        if (i % 64 != 0 || now_ms() - told_ms < TELL_MS)
            continue;
        told_ms = now_ms();
        tell((unsigned)(i * 100 / visits));
    }
    tell(100);
    puts("done");
}

static void hold(size_t pages)
{
    const uint64_t *memory = take(pages);

    puts(memory ? "ready" : "out of memory");
    for (;;)
        pause();
}

int main(int count, char **arguments)
{
    size_t pages = count > 2 ? strtoul(arguments[2], NULL, 10) * (1024 * 1024 / PAGE) : 0;
    char line[16];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count == 3 && strcmp(arguments[1], "hold") == 0)
        hold(pages);
    if (count != 4 || strcmp(arguments[1], "visit") != 0 || pages == 0) {
        puts("usage: work hold MIB | work visit MIB VISITS");
        return 2;
    }
    puts("ready");
    if (fgets(line, sizeof line, stdin))
        work(pages, strtoull(arguments[3], NULL, 10));
    return 0;
}
