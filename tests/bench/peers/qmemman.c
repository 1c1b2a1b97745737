/* SPDX-License-Identifier: MIT */
/*
 * Qubes' qmemman: each VM is preferred to have 1.3 times what it uses. Where there is more, all of
 * it is handed out in proportion; where there is less, those above what they prefer give. It sees
 * what a VM has swapped out, so it knows demand above the allotment.
 */
#include <math.h>
#include <stdlib.h>

#include "peers/peer.h"

#define BOOST 1.3
#define LEAST (200 * PEER_MIB)
#define RESERVE (50 * PEER_MIB)
#define WORTH (15 * PEER_MIB)      /* to a VM below what it prefers */
#define WORTH_ALL (150 * PEER_MIB) /* to all together */
#define WORTH_GIVING (10 * PEER_MIB)
#define NEARLY 0.999

static double preferred(const struct peer_vm *vm)
{
    return fmax(LEAST, fmin(vm->demand * BOOST, vm->ceiling));
}

static double has(const struct peer_vm *vm)
{
    return fmax(vm->held, vm->target);
}

/* What the host has beyond its reserve and what is promised. */
static double surplus_of(const struct peer_host *host)
{
    double surplus = host->unallocated - RESERVE;

    for (uint32_t i = 0; i < host->count; i++)
        surplus -= has(&host->vms[i]) - host->vms[i].held;
    return surplus;
}

/* What goes beyond ceilings is spread evenly over those below theirs, again and again. */
static void spread_rest(const struct peer_host *host, double *wanted, double rest)
{
    for (uint32_t turn = 0; turn <= host->count && rest >= 1; turn++) {
        uint32_t below = 0;
        double each;

        for (uint32_t i = 0; i < host->count; i++)
            below += wanted[i] < host->vms[i].ceiling;
        if (below == 0)
            return;
        each = trunc(NEARLY * rest / below);
        rest = 0;
        for (uint32_t i = 0; i < host->count; i++) {
            if (wanted[i] >= host->vms[i].ceiling)
                continue;
            wanted[i] += each;
            rest += fmax(0, wanted[i] - host->vms[i].ceiling);
            wanted[i] = fmin(wanted[i], host->vms[i].ceiling);
        }
    }
}

static void hand_out(const struct peer_host *host, double *wanted, double available, double sum)
{
    double rest = 0;

    for (uint32_t i = 0; i < host->count; i++) {
        double pref = preferred(&host->vms[i]);
        double next = trunc(NEARLY * (pref + pref / sum * available));

        wanted[i] = fmin(next, host->vms[i].ceiling);
        rest += next - wanted[i];
    }
    spread_rest(host, wanted, rest);
}

static bool gives(const struct peer_vm *vm)
{
    return preferred(vm) < has(vm) || has(vm) >= vm->ceiling;
}

static void collect(const struct peer_host *host, double *wanted)
{
    double rest = surplus_of(host), sum = 0;

    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];
        double over = has(vm) - preferred(vm);

        if (!gives(vm)) {
            sum += preferred(vm);
        } else if (over >= WORTH_GIVING) {
            rest -= over; /* the sign is upstream's: what donors give is handed out a turn later */
            wanted[i] = preferred(vm);
        }
    }
    for (uint32_t i = 0; rest >= 0 && i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];

        if (!gives(vm))
            wanted[i] = fmin(vm->ceiling, trunc(NEARLY * (has(vm) + preferred(vm) / sum * rest)));
    }
}

void qmemman_balance(struct peer_host *host, double *wanted)
{
    double available = surplus_of(host), sum = 0;

    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];

        wanted[i] = vm->target;
        available -= preferred(vm) - has(vm);
        sum += preferred(vm);
    }
    if (available > 0)
        hand_out(host, wanted, available, sum);
    else
        collect(host, wanted);
}

bool qmemman_significant(const struct peer_host *host, const double *wanted)
{
    double change = fabs(host->unallocated - RESERVE);

    if (host->unallocated < RESERVE - WORTH)
        return true;
    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];

        change += fabs(wanted[i] - vm->target);
        if (has(vm) < preferred(vm) && wanted[i] - has(vm) > WORTH)
            return true;
    }
    return change > WORTH_ALL;
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    double *wanted = calloc(host->count, sizeof *wanted);

    (void)peer;
    (void)state;
    (void)vms;
    if (wanted) {
        qmemman_balance(host, wanted);
        for (uint32_t i = 0; qmemman_significant(host, wanted) && i < host->count; i++)
            host->vms[i].target = wanted[i];
    }
    free(wanted);
}

const struct peer_rule qmemman_rule = {.memory_only = true, .judge = judge};
