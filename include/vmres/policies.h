/* SPDX-License-Identifier: MIT */
/*
 * Options of the ready-made policies. Fill one from the policy's `defaults`, change what you want,
 * hand it to vmres_engine_create() in struct vmres_policy. Units as in enum vmres_option_type.
 */
#ifndef VMRES_POLICIES_H
#define VMRES_POLICIES_H

#include <stdint.h>
#include <vmres/api.h>
#include <vmres/policy.h>

VMRES_BEGIN_DECLS

/* "static": never moves anything. No options. */

/* "script": what a table says, from each row's time on. Checks devices and tick order; commands. */
struct vmres_script_options {
    const struct vmres_table *targets; /* key "targets"; must be given */
};

/*
 * "usage": the method's own rule (Fujitsu, JP S64-2145): a VM whose usage rate, used / held, is
 * below `low` is decreased, one above `high` is increased, by whole regions of a fixed size.
 */
struct vmres_usage_options {
    uint64_t low;     /* key "low", ppm; default 60%; 0: nobody is decreased */
    uint64_t high;    /* key "high", ppm; default 80%; above low */
    uint64_t region;  /* key "region", units; default 0 = 1/64 of the capacity */
    uint64_t regions; /* key "regions", at most so many a VM and round; default 1 */
};

/*
 * "pressure": surplus first. Nothing moves until a VM stalls; then it gets what it misses, from the
 * largest surplus first; memory in use is taken only for VMs below their entitlement, from those
 * above theirs. Sees stall, available and held; never demand above the allotment. A stall may come
 * a round late, and grow with what is missing on any curve: both are learned per VM.
 */
struct vmres_pressure_options {
    uint64_t release; /* key "release", units/s one donor can let go; default 0 = no cap */
    uint64_t grant;   /* key "grant", units/s one recipient can take; default 0 = no cap */
    /* Key "margin", ppm of available a donor keeps; default 1/16. The rest is what others call a
     * tax on idle memory: at 100 % nobody gives what is idle within its share. */
    uint64_t margin;
};

VMRES_END_DECLS

#endif
