/* SPDX-License-Identifier: MIT */
/*
 * A peer's rule as a policy; see adapter.h. The rule commands: the engine holds it to floors and
 * ceilings, and lets it hand out only what there is. Between two of its judgements its targets
 * stand.
 */
#include "peers/adapter.h"

#include <math.h>
#include <stdlib.h>

#include <vmres/units.h>

int peer_seat_open(struct peer_seat *seat, const struct peer *peer, uint32_t vms)
{
    *seat = (struct peer_seat){.peer = peer, .host = {.count = vms}};
    seat->host.vms = calloc(vms, sizeof *seat->host.vms);
    if (seat->host.vms && peer_open(&seat->memory, peer, vms))
        return 1;
    peer_seat_close(seat);
    return 0;
}

void peer_seat_close(struct peer_seat *seat)
{
    peer_close(&seat->memory);
    free(seat->host.vms);
    seat->host.vms = NULL;
}

static enum vmres_status start(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    struct peer_seat **seat = state;

    *seat = ((const struct peer_options *)options)->seat;
    return *seat && (*seat)->host.count <= host->max_vms ? VMRES_OK : VMRES_INVALID;
}

/* The engine takes nothing from a VM before another is to get it; the rule is shown what it asked
 * for, as if it had been taken. */
static void look(struct peer_vm *vm, const struct vmres_view *view, double granule, bool first)
{
    double kept;

    vm->floor = view->floor * granule;
    vm->ceiling = view->ceiling * granule;
    vm->weight = view->weight;
    vm->held = view->held * granule;
    vm->available = view->available * granule;
    vm->unused = (view->flags & VMRES_VIEW_HAS_FREE ? view->free : view->available) * granule;
    vm->stall = (double)view->stall / VMRES_STALL_ONE;
    if (first)
        vm->target = vm->held;
    kept = fmax(0, vm->held - vm->target);
    vm->held -= kept;
    vm->available = fmax(0, vm->available - kept);
    vm->unused = fmax(0, vm->unused - kept);
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    struct peer_seat *seat = *(struct peer_seat **)state;
    struct peer_host *host = &seat->host;
    double granule = (double)round->granule;
    bool first = host->capacity == 0;

    (void)vm_states;
    host->capacity = (double)round->capacity * granule;
    host->unallocated = host->capacity;
    host->now_s = (double)(round->now_ms / 1000);
    for (uint32_t i = 0; i < host->count; i++) {
        look(&host->vms[i], &round->views[i], granule, first);
        host->unallocated -= host->vms[i].held;
    }
    peer_turn(seat->peer, &seat->memory, host);
    for (uint32_t i = 0; i < host->count; i++)
        vmres_verdict_set(verdict, i, (uint32_t)(host->vms[i].target / granule + 0.5),
                          seat->peer->name);
}

static const struct peer_options nobody = {NULL};

static const struct vmres_option_key keys[] = {
    {NULL, VMRES_OPTION_SHARE, 0, 0, 0, NULL},
};

const struct vmres_policy_ops peer_policy = {
    .size = sizeof(struct vmres_policy_ops),
    .name = "peer",
    .options_size = sizeof nobody,
    .defaults = &nobody,
    .keys = keys,
    .state_size = sizeof(struct peer_seat *),
    .commands = 1,
    .start = start,
    .judge = judge,
};
