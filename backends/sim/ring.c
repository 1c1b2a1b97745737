/* SPDX-License-Identifier: MIT */
/*
 * The samples a guest stores between two inquiries: measured at a fixed timing, answered for when
 * asked, then forgotten. Invariant: count <= SIM_RING, and the youngest sample lies before `next`.
 * Knows nothing of what the samples are of.
 */
#include "internal.h"

void vmres__sim_ring_store(struct sim_ring *ring, uint64_t sample)
{
    ring->samples[ring->next] = sample;
    ring->next = (ring->next + 1) % SIM_RING;
    if (ring->count < SIM_RING)
        ring->count++;
}

struct sim_answer vmres__sim_ring_answer(struct sim_ring *ring)
{
    struct sim_answer answer = {.count = ring->count};
    sim_wide sum = 0;

    if (ring->count == 0)
        return answer;
    for (uint32_t age = 1; age <= ring->count; age++) {
        uint64_t sample = ring->samples[(ring->next + SIM_RING - age) % SIM_RING];

        answer.maximum = sim_max(answer.maximum, sample);
        sum += sample;
    }
    answer.last = ring->samples[(ring->next + SIM_RING - 1) % SIM_RING];
    answer.mean = (uint64_t)(sum / ring->count);
    ring->count = 0;
    return answer;
}
