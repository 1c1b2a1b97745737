/* SPDX-License-Identifier: MIT */
/*
 * The last samples, so that an inquiry hears of what happened in between: the number of samples
 * since the inquiry before, the largest use and the mean. Of more than there is room for, the
 * oldest are forgotten.
 */
#include "agent.h"

void ring_add(struct ring *ring, const struct sample *sample)
{
    ring->samples[ring->taken++ % RING_ROOM] = *sample;
}

const struct sample *ring_last(const struct ring *ring)
{
    return ring->taken > 0 ? &ring->samples[(ring->taken - 1) % RING_ROOM] : NULL;
}

struct summary ring_tell(struct ring *ring)
{
    struct summary summary = {0};
    uint64_t sum = 0;

    if (ring->told == ring->taken && ring->taken > 0)
        ring->told--; /* asked again before the next sample: the last one counts twice */
    if (ring->taken - ring->told > RING_ROOM)
        ring->told = ring->taken - RING_ROOM;
    for (; ring->told < ring->taken; ring->told++) {
        uint64_t used = used_of(&ring->samples[ring->told % RING_ROOM]);

        summary.count++;
        summary.most = used > summary.most ? used : summary.most;
        sum += used;
    }
    summary.mean = summary.count > 0 ? sum / summary.count : 0;
    return summary;
}
