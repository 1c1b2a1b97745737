/* SPDX-License-Identifier: MIT */
/*
 * The list of peers, as they come and as they are best tuned, and what is common to them: memory,
 * and when to look and to judge.
 */
#include "peers/peer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void stay(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    (void)peer;
    (void)state;
    (void)vms;
    (void)host;
}

const struct peer_rule static_rule = {.judge = stay};

static const struct peer peers[] = {
    {"static", &static_rule, 0, 0, 10, false},
    {"mom", &mom_rule, 0.20, 5, 10, true},
    {"mom-5%", &mom_rule, 0.05, 5, 10, true},
    {"vdsm", &vdsm_rule, 0.20, 5, 15, true},
    {"proxmox", &proxmox_rule, 0.80, 0, 10, true},
    {"proxmox-95%", &proxmox_rule, 0.95, 0, 10, true},
    {"squeezed", &squeezed_rule, 0, 0, 1, false},
    {"qmemman", &qmemman_rule, 0, 0, 1, false},
    {"esx-15s", &esx_rule, 0.75, 30, 15, false},
    {"esx-1s", &esx_rule, 0.75, 1, 1, false},
    {"hyper-v-10s", &hyperv_rule, 0.20, 0, 10, false},
    {"hyper-v-1s", &hyperv_rule, 0.20, 0, 1, false},
};

enum { PEERS = sizeof peers / sizeof peers[0] };

const struct peer *peer_at(uint32_t index)
{
    return index < PEERS ? &peers[index] : NULL;
}

const struct peer *peer_find(const char *name)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        if (strcmp(peers[i].name, name) == 0)
            return &peers[i];
    }
    return NULL;
}

int peer_open(struct peer_memory *memory, const struct peer *peer, uint32_t vms)
{
    memory->state = calloc(1, peer->rule->state_size + 1);
    memory->vms = calloc(vms, peer->rule->vm_size + 1);
    if (memory->state && memory->vms)
        return 1;
    peer_close(memory);
    return 0;
}

void peer_close(struct peer_memory *memory)
{
    free(memory->state);
    free(memory->vms);
    *memory = (struct peer_memory){NULL, NULL};
}

static bool is_due(uint32_t every_s, double now_s)
{
    return every_s > 0 && fmod(now_s, every_s) == 0;
}

void peer_turn(const struct peer *peer, struct peer_memory *memory, struct peer_host *host)
{
    if (peer->rule->sample && is_due(peer->sample_s, host->now_s))
        peer->rule->sample(peer, memory->state, memory->vms, host);
    if (host->now_s <= 0 || !is_due(peer->period_s, host->now_s))
        return;
    peer->rule->judge(peer, memory->state, memory->vms, host);
    for (uint32_t i = 0; i < host->count; i++) {
        struct peer_vm *vm = &host->vms[i];

        vm->target = fmin(fmax(vm->target, vm->floor), vm->ceiling);
    }
}
