/* SPDX-License-Identifier: MIT */
/*
 * Form b: a peer's rule as a policy of the engine. It sees what the views say, and beside them what
 * some rules know of demand and of the host: that is put into the seat before each round.
 */
#ifndef VMRES_BENCH_ADAPTER_H
#define VMRES_BENCH_ADAPTER_H

#include <vmres/policy.h>

#include "peers/peer.h"

struct peer_seat {
    const struct peer *peer;
    struct peer_memory memory;
    struct peer_host host; /* vms[].demand and free are the caller's to set, by the engine's ids */
};

struct peer_options {
    struct peer_seat *seat; /* must outlive the engine */
};

/* 0: no memory. */
int peer_seat_open(struct peer_seat *seat, const struct peer *peer, uint32_t vms);
void peer_seat_close(struct peer_seat *seat);

extern const struct vmres_policy_ops peer_policy; /* options: struct peer_options */

#endif
