/* SPDX-License-Identifier: MIT */
/*
 * The ledger of one kind: where every granule of the host is. Double entry, integers.
 *
 *     free + charged + transit + reserve = capacity + deficit         (conservation)
 *     deficit > 0 implies free = 0, and nothing is granted            (worked off first)
 *
 * charged is the sum of the VMs' charges; each entry that touches a charge is handed that charge,
 * so that the two cannot part. deficit arises only from the involuntary entries, seize and resize.
 */
#ifndef VMRES_CORE_LEDGER_H
#define VMRES_CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger {
    uint64_t capacity, reserve;
    uint64_t free, charged, transit, deficit;
};

void vmres__ledger_open(struct ledger *ledger, uint64_t capacity, uint64_t reserve);

/* Step 5, a verified piece: charge -> transit. */
void vmres__ledger_release(struct ledger *ledger, uint32_t *charge, uint32_t amount);
/* Step 6, before REASSIGN is sent: transit -> charge. */
void vmres__ledger_place(struct ledger *ledger, uint32_t *charge, uint32_t amount);
/* A piece nobody waits for: transit -> deficit, then free. */
void vmres__ledger_park(struct ledger *ledger, uint32_t amount);
/* Out of the pool on its way to somebody: free -> transit. */
void vmres__ledger_draw(struct ledger *ledger, uint32_t amount);
/* Known not to be held any more: charge -> deficit, then free. */
void vmres__ledger_shed(struct ledger *ledger, uint32_t *charge, uint32_t amount);
/* Held, whether we like it or not: free, then deficit -> charge. */
void vmres__ledger_seize(struct ledger *ledger, uint32_t *charge, uint32_t amount);
/* The host has changed. reserve <= capacity. */
void vmres__ledger_resize(struct ledger *ledger, uint64_t capacity, uint64_t reserve);

/* What may be granted now. */
uint64_t vmres__ledger_grantable(const struct ledger *ledger);
bool vmres__ledger_balanced(const struct ledger *ledger);

#endif
