/* SPDX-License-Identifier: MIT */
/*
 * A task with a working set: hog MIB [SECONDS]. It has so much memory and touches one page of it
 * after the other, at random, for ever or so long; then it says how many a second.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE ((size_t)4096)

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int main(int count, char **arguments)
{
    size_t pages = count > 1 ? strtoul(arguments[1], NULL, 10) * 1024 * 1024 / PAGE : 0;
    uint64_t patience_ms = count > 2 ? strtoul(arguments[2], NULL, 10) * 1000 : UINT64_MAX / 2;
    volatile unsigned char *memory = malloc(pages * PAGE);
    uint64_t random = 88172645463325252u, touched = 0, begin_ms;

    if (pages == 0 || !memory)
        return 1;
    for (size_t i = 0; i < pages; i++)
        memory[i * PAGE] = (unsigned char)(i | 1);
    begin_ms = now_ms();
    do {
        for (unsigned i = 0; i < 256; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            memory[random % pages * PAGE]++;
        }
        touched += 256;
    } while (now_ms() - begin_ms < patience_ms);
    (void)printf("hog: %llu pages a second\n",
                 (unsigned long long)(touched * 1000 / (now_ms() - begin_ms + 1)));
    return 0;
}
