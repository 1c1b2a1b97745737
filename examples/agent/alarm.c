/* SPDX-License-Identifier: MIT */
/*
 * When to tell the host of a shortage unasked. The kernel itself wakes us when tasks have waited
 * for memory for a twentieth of a half second; where it cannot (it is too old, or was built or
 * booted without), a sample with next to nothing available has to do. A killed task is worth a
 * notice either way.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define LOW_PART 16u      /* this part of all memory, and less, is next to nothing */
#define AGAIN_US 1000000u /* while it lasts it is said so often */

static bool set_trigger(struct alarm *alarm, const char *path, const char *trigger)
{
    alarm->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (alarm->fd >= 0 &&
        write(alarm->fd, trigger, strlen(trigger) + 1) == (ssize_t)strlen(trigger) + 1)
        return true;
    if (alarm->fd >= 0)
        (void)close(alarm->fd);
    alarm->fd = -1;
    return false;
}

void alarm_open(struct alarm *alarm, const char *proc)
{
    /* Stall and window in microseconds; the second is what an ordinary user may ask for. */
    static const char *const triggers[] = {"some 25000 500000", "some 100000 2000000"};
    char path[256];
    int length = snprintf(path, sizeof path, "%s/pressure/memory", proc);

    *alarm = (struct alarm){.fd = -1};
    if (length < 0 || (size_t)length >= sizeof path)
        return;
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++)
        if (set_trigger(alarm, path, triggers[i]))
            return;
}

bool alarm_rang(struct alarm *alarm, short events)
{
    if (alarm->fd >= 0 && (events & (POLLERR | POLLNVAL))) {
        (void)close(alarm->fd);
        alarm->fd = -1;
    }
    return alarm->fd >= 0 && (events & POLLPRI);
}

const char *alarm_look(struct alarm *alarm, const struct sample *sample)
{
    const char *why = NULL;

    if (sample->oom_kills > alarm->oom_kills)
        why = "oom";
    else if (alarm->fd < 0 && sample->available < sample->total / LOW_PART)
        why = "low";
    alarm->oom_kills = sample->oom_kills;
    if (!why || (alarm->at_us != 0 && sample->time_us - alarm->at_us < AGAIN_US))
        return NULL;
    alarm->at_us = sample->time_us;
    return why;
}
