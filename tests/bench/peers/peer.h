/* SPDX-License-Identifier: MIT */
/*
 * Other systems' rules, written anew from what they do, to be compared with: each as a function of
 * what it may see, which says what every VM should hold. Three forms, never confused:
 *
 *   a  the rule itself, checked on known cases (test_peers.c)
 *   b  the rule as a policy of the engine (adapter.h): its targets are clipped to what is feasible
 *   c  the rule over devices of its own, without the engine (quality/direct.h): for those that
 *      start every VM at its ceiling and let the sum exceed the host, this is what they do
 *
 * Amounts are bytes, or thousandths of a CPU, in doubles: rules of others are written that way.
 */
#ifndef VMRES_BENCH_PEER_H
#define VMRES_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_MIB 1048576.0

struct peer_vm {
    double floor, ceiling, weight;
    double held;      /* now */
    double target;    /* what it was last told; a rule sets it anew or leaves it */
    double available; /* held and not in use, noisy */
    double unused;    /* of that, what is not even cache */
    double demand;    /* what it wants, held or not, noisy: what commit charge or swap tell */
    double stall;     /* 0 .. 1, noisy */
};

struct peer_host {
    double capacity;
    double free;        /* what VMs do not use of it, caches counted as used */
    double unallocated; /* what VMs do not hold of it; below 0 where they hold more */
    double now_s;
    uint32_t count;
    struct peer_vm *vms;
};

struct peer;

/* A rule, and what it remembers of a host and of a VM: so many bytes, zeroed at first. */
struct peer_rule {
    size_t state_size, vm_size;
    bool memory_only; /* its constants are amounts of memory */
    /* Looks; NULL: it need not. Then judges: sets targets. */
    void (*sample)(const struct peer *peer, void *state, void *vms, const struct peer_host *host);
    void (*judge)(const struct peer *peer, void *state, void *vms, struct peer_host *host);
};

/* A rule as somebody runs it. */
struct peer {
    const char *name;
    const struct peer_rule *rule;
    double tuning;               /* what it is, the rule knows */
    uint32_t sample_s, period_s; /* it looks, it judges, every so many seconds; 0: never */
    bool overcommits;            /* starts every VM at its ceiling */
};

/* By index, NULL after the last; by name, or NULL. */
const struct peer *peer_at(uint32_t index);
const struct peer *peer_find(const char *name);

/* One peer at work on one host: what it remembers. */
struct peer_memory {
    void *state, *vms;
};
/* 0: no memory. */
int peer_open(struct peer_memory *memory, const struct peer *peer, uint32_t vms);
void peer_close(struct peer_memory *memory);
/* Looks and judges, whichever is due at host->now_s. Nothing is judged at 0. Targets end between
 * floor and ceiling. */
void peer_turn(const struct peer *peer, struct peer_memory *memory, struct peer_host *host);

/* --- the rules; tests call their parts --- */

extern const struct peer_rule static_rule, mom_rule, vdsm_rule, proxmox_rule, squeezed_rule,
    qmemman_rule, esx_rule, hyperv_rule;

/* What a guest is told that uses so much; tuning: the share of the host that is to be free. */
struct mom_setting {
    double threshold, critical; /* shares of the host */
    bool vdsm;
};
double mom_target(const struct mom_setting *setting, double host_free, double used,
                  const struct peer_vm *vm);

/* Spreads `goal` if it is above `least`, no VM changed by more than `most`. A weight of 1 is 1000
 * shares; tuning: the share of the host that is to be used. */
void proxmox_spread(struct peer_host *host, double goal, double least, double most);

enum squeezed_verdict { SQUEEZED_AGAIN, SQUEEZED_DONE, SQUEEZED_FAILED };
struct squeezed_vm {
    double last_held, progress_s;
    bool stuck, active;
};
struct squeezed_need {
    double required; /* free memory, slush included */
    double slush, inexact;
    bool balance;     /* to be met exactly, not at least */
    bool one_phase;   /* two mistakes, to show what they do: growing before all has shrunk, */
    bool uncorrected; /* and counting on VMs to be where they were told to be */
};
/* Forgets who was stuck. */
void squeezed_begin(struct squeezed_vm *vms, const struct peer_host *host);
/* One turn of the inner loop, a second after the last. */
enum squeezed_verdict squeezed_turn(const struct squeezed_need *need, struct squeezed_vm *vms,
                                    struct peer_host *host);

/* What each VM should have; then whether that is worth the while. */
void qmemman_balance(struct peer_host *host, double *wanted);
bool qmemman_significant(const struct peer_host *host, const double *wanted);

/* What a VM that holds so much and uses `active` of it pays for a unit; tuning: the tax. */
double esx_price(const struct peer_vm *vm, double active, double held, double tax);
void esx_balance(struct peer_host *host, const double *active, double tax);

#endif
