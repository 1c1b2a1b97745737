/* SPDX-License-Identifier: MIT */
/*
 * ESX (Waldspurger, OSDI 2002): the VM that pays the least for a page loses it. A VM's shares are
 * what it has to pay with, and idle pages cost it more than active ones by the tax, so that memory
 * goes to who has many shares a page and uses them. Where nobody can be outbid any more, all prices
 * are the same but at floors and ceilings: that point is found by bisection.
 */
#include <math.h>
#include <stdlib.h>

#include "peers/peer.h"

#define SLOW 0.2 /* weights of a new sample */
#define FAST 0.5
#define STALLS 0.02 /* from here on it is taken to use all it has */

enum { HALVINGS = 60 };

struct esx_vm {
    double slow, fast, now;
    bool sampled;
};

double esx_price(const struct peer_vm *vm, double active, double held, double tax)
{
    double part = held > 0 ? fmin(1, active / held) : 1;

    return vm->weight / (held * (part + (1 - part) / (1 - tax)));
}

/* What a VM holds that pays 1 / level for a page. */
static double holding_at(const struct peer_vm *vm, double active, double tax, double level)
{
    double funded = level * vm->weight;

    if (funded > active && vm->stall <= STALLS)
        funded = active + (funded - active) * (1 - tax);
    return fmin(fmax(funded, vm->floor), vm->ceiling);
}

void esx_balance(struct peer_host *host, const double *active, double tax)
{
    double low = 0, high = 4 * host->capacity;

    for (int i = 0; i < HALVINGS; i++) {
        double level = (low + high) / 2, sum = 0;

        for (uint32_t vm = 0; vm < host->count; vm++)
            sum += holding_at(&host->vms[vm], active[vm], tax, level);
        if (sum > host->capacity)
            high = level;
        else
            low = level;
    }
    for (uint32_t vm = 0; vm < host->count; vm++)
        host->vms[vm].target = holding_at(&host->vms[vm], active[vm], tax, low);
}

static void sample(const struct peer *peer, void *state, void *vms, const struct peer_host *host)
{
    struct esx_vm *vm = vms;

    (void)peer;
    (void)state;
    for (uint32_t i = 0; i < host->count; i++) {
        double active = fmin(host->vms[i].held, host->vms[i].held - host->vms[i].available);

        if (!vm[i].sampled)
            vm[i] = (struct esx_vm){.slow = active, .fast = active, .sampled = true};
        vm[i].slow += SLOW * (active - vm[i].slow);
        vm[i].fast += FAST * (active - vm[i].fast);
        vm[i].now = active;
    }
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    const struct esx_vm *vm = vms;
    double *active = calloc(host->count, sizeof *active);

    (void)state;
    for (uint32_t i = 0; active && i < host->count; i++)
        active[i] = fmax(fmax(vm[i].slow, vm[i].fast), vm[i].now);
    if (active)
        esx_balance(host, active, peer->tuning);
    free(active);
}

const struct peer_rule esx_rule = {
    .vm_size = sizeof(struct esx_vm), .sample = sample, .judge = judge};
