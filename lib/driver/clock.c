/* SPDX-License-Identifier: MIT */
/* The host's monotonic clock, and how long to wait for it. The only file of vmres that reads it. */
#include <limits.h>
#include <time.h>

#include <vmres/clock.h>

uint64_t vmres_clock_ms(void)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &now); /* which every Linux has */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int vmres_clock_wait(uint64_t deadline_ms)
{
    uint64_t now_ms = vmres_clock_ms();

    if (deadline_ms == UINT64_MAX)
        return -1;
    if (deadline_ms <= now_ms)
        return 0;
    return deadline_ms - now_ms > INT_MAX ? INT_MAX : (int)(deadline_ms - now_ms);
}
