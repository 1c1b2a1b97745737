/* SPDX-License-Identifier: MIT */
/*
 * Hyper-V's dynamic memory, RECONSTRUCTED from its documents; what it does when memory is short is
 * our reading of "higher weight first". Each VM is to have its commit charge and a buffer; who has
 * less is given from what nobody holds, then from those that have more, in proportion. When that is
 * not enough the buffers shrink first, all to the same part; when even without any it is not, what
 * there is is filled up by weight.
 */
#include <math.h>

#include "peers/peer.h"

#define SLACK 1.02 /* what is within that is left alone */

enum { HALVINGS = 60 };

static double wish_of(const struct peer_vm *vm, double buffer)
{
    return fmin(fmax(vm->demand * (1 + buffer), vm->floor), vm->ceiling);
}

static double level_at(const struct peer_vm *vm, double level)
{
    return fmax(vm->floor, fmin(wish_of(vm, 0), vm->floor + level * vm->weight));
}

/* Up from the floors by weight, to the demand at most. */
static void fill(struct peer_host *host, double buffer)
{
    double low = 0, high = host->capacity, demand = 0, buffers = 0, part;

    for (int i = 0; i < HALVINGS; i++) {
        double level = (low + high) / 2, sum = 0;

        for (uint32_t vm = 0; vm < host->count; vm++)
            sum += level_at(&host->vms[vm], level);
        if (sum > host->capacity)
            high = level;
        else
            low = level;
    }
    for (uint32_t vm = 0; vm < host->count; vm++) {
        host->vms[vm].target = level_at(&host->vms[vm], low);
        demand += host->vms[vm].target;
        buffers += wish_of(&host->vms[vm], buffer) - wish_of(&host->vms[vm], 0);
    }
    part = buffers > 0 ? fmin(1, fmax(0, host->capacity - demand) / buffers) : 0;
    for (uint32_t vm = 0; vm < host->count; vm++)
        host->vms[vm].target +=
            part * (wish_of(&host->vms[vm], buffer) - wish_of(&host->vms[vm], 0));
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    double need = 0, excess = 0, free = fmax(0, host->unallocated), part;

    (void)state;
    (void)vms;
    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];
        double wish = wish_of(vm, peer->tuning);

        need += wish > SLACK * vm->held ? wish - vm->held : 0;
        excess += vm->held > SLACK * wish ? vm->held - wish : 0;
    }
    if (need > free + excess) {
        fill(host, peer->tuning);
        return;
    }
    part = need > free ? (need - free) / excess : 0;
    for (uint32_t i = 0; i < host->count; i++) {
        struct peer_vm *vm = &host->vms[i];
        double wish = wish_of(vm, peer->tuning);

        vm->target = vm->held;
        if (wish > SLACK * vm->held)
            vm->target = wish;
        else if (vm->held > SLACK * wish)
            vm->target -= part * (vm->held - wish);
    }
}

const struct peer_rule hyperv_rule = {.judge = judge};
