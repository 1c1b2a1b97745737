/* SPDX-License-Identifier: MIT */
/*
 * xapi's squeezed: every VM gets its minimum and the same share of its range, whatever it uses. To
 * get there it shrinks all that must shrink, and only then lets others grow; one that has made no
 * progress for five seconds is stuck, and left out.
 */
#include <math.h>

#include "peers/peer.h"

#define SLUSH (72 * PEER_MIB)
#define INEXACT 4096.0
#define BALANCED (512 * 1024.0)
#define STUCK_S 5
#define BALANCE_S 10

struct squeezed {
    bool busy;
};

static bool hit(const struct peer_vm *vm, double inexact)
{
    return fabs(vm->held - vm->target) <= inexact;
}

static void watch(const struct squeezed_need *need, struct squeezed_vm *vms,
                  const struct peer_host *host)
{
    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];
        double moved = vm->held - vms[i].last_held;
        bool right = (moved > 0 && vm->target > vm->held + need->inexact) ||
                     (moved < 0 && vm->target < vm->held - need->inexact);

        vms[i].last_held = vm->held;
        if (right) {
            vms[i].progress_s = host->now_s;
            vms[i].stuck = false;
        }
        if (!hit(vm, need->inexact) && host->now_s - vms[i].progress_s > STUCK_S)
            vms[i].stuck = true;
        vms[i].active = vm->ceiling > vm->floor && !vms[i].stuck;
    }
}

/* The share of its range that each gets. */
static double share_of(const struct squeezed_need *need, const struct squeezed_vm *vms,
                       const struct peer_host *host)
{
    double surplus = host->unallocated - need->required, range = 0;
    double error = need->uncorrected ? 0 : 2 * need->inexact;

    for (uint32_t i = 0; i < host->count; i++) {
        const struct peer_vm *vm = &host->vms[i];

        if (!vms[i].active)
            continue;
        surplus += fmax(0, vm->held - vm->floor - error);
        range += vm->ceiling - vm->floor;
    }
    return range > 0 ? fmin(1, fmax(0, surplus) / range) : 0;
}

static bool is_enough(const struct squeezed_need *need, const struct peer_host *host)
{
    if (need->balance)
        return host->unallocated - need->slush < BALANCED;
    return host->unallocated >= need->required;
}

void squeezed_begin(struct squeezed_vm *vms, const struct peer_host *host)
{
    for (uint32_t i = 0; i < host->count; i++)
        vms[i] = (struct squeezed_vm){.last_held = host->vms[i].held, .progress_s = host->now_s};
}

static bool must_shrink(const struct squeezed_need *need, const struct peer_vm *vm, double share)
{
    return vm->held - (vm->floor + trunc(share * (vm->ceiling - vm->floor))) > need->inexact;
}

enum squeezed_verdict squeezed_turn(const struct squeezed_need *need, struct squeezed_vm *vms,
                                    struct peer_host *host)
{
    bool shrinks = false, reached = true, changed = false;
    double share;

    watch(need, vms, host);
    share = share_of(need, vms, host);
    for (uint32_t i = 0; i < host->count; i++)
        shrinks |= vms[i].active && must_shrink(need, &host->vms[i], share);
    for (uint32_t i = 0; i < host->count; i++) {
        struct peer_vm *vm = &host->vms[i];
        double next = vm->floor + trunc(share * (vm->ceiling - vm->floor));

        if (!vms[i].active)
            continue;
        reached &= hit(vm, need->inexact);
        if (shrinks && !must_shrink(need, vm, share) && !need->one_phase)
            continue;
        changed |= vm->target != next;
        vm->target = next;
    }
    if (!reached || changed)
        return SQUEEZED_AGAIN;
    return is_enough(need, host) ? SQUEEZED_DONE : SQUEEZED_FAILED;
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    const struct squeezed_need need = {
        .required = SLUSH, .slush = SLUSH, .inexact = INEXACT, .balance = true};
    struct squeezed *squeezed = state;

    (void)peer;
    if (fmod(host->now_s, BALANCE_S) == 0) {
        squeezed_begin(vms, host);
        squeezed->busy = true;
    }
    if (squeezed->busy)
        squeezed->busy = squeezed_turn(&need, vms, host) == SQUEEZED_AGAIN;
}

const struct peer_rule squeezed_rule = {.state_size = sizeof(struct squeezed),
                                        .vm_size = sizeof(struct squeezed_vm),
                                        .memory_only = true,
                                        .judge = judge};
