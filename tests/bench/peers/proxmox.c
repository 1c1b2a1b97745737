/* SPDX-License-Identifier: MIT */
/*
 * Proxmox's automatic ballooning: the host is to be used to a given share. What that lacks, or is
 * over, is spread by shares above the minima: growth first over VMs that have little free,
 * shrinking first over those that have much. No VM changes by more than 100 MiB at a time.
 */
#include <math.h>
#include <stdlib.h>

#include "peers/peer.h"

#define RICH 0.25 /* of its minimum free */
#define WORTH (10 * PEER_MIB)
#define MOST (100 * PEER_MIB)
#define SHARES 1000 /* of a VM of weight 1 */

/* One spreading: who takes part, and what each is to have; 0: nothing was said of it. */
struct spread {
    struct peer_host *host;
    double *next;
    bool *in; /* takes part */
    double most, change, progress;
    bool again;
};

static double now_of(const struct spread *spread, uint32_t vm)
{
    return spread->next[vm] != 0 ? spread->next[vm] : spread->host->vms[vm].held;
}

static void change_one(struct spread *spread, uint32_t id, double wanted, bool grow)
{
    const struct peer_vm *vm = &spread->host->vms[id];
    double before = now_of(spread, id), next;

    if (wanted > vm->ceiling || wanted < vm->floor) {
        wanted = wanted > vm->ceiling ? vm->ceiling : vm->floor;
        spread->again = true;
    }
    if (grow && wanted > vm->held) {
        next = fmin(vm->held + spread->most, wanted);
    } else if (wanted < vm->held) {
        next = fmax(vm->held - spread->most, wanted);
    } else {
        spread->in[id] = false;
        return;
    }
    if (next == vm->held)
        return;
    spread->next[id] = next;
    if (next == before)
        return;
    spread->change += next - before;
    spread->progress += fabs(next - vm->held);
    spread->again = true;
}

/* Returns what is left of the amount. */
static double change(struct spread *spread, double amount)
{
    const struct peer_vm *vms = spread->host->vms;
    double rest = amount;

    spread->again = true;
    spread->progress = 1;
    while (rest != 0 && spread->again && spread->progress > 0) {
        double shares = 0, above = 0;

        spread->again = false;
        spread->progress = 0;
        spread->change = 0;
        for (uint32_t i = 0; i < spread->host->count; i++) {
            shares += spread->in[i] ? SHARES * vms[i].weight : 0;
            above += spread->in[i] ? now_of(spread, i) - vms[i].floor : 0;
        }
        for (uint32_t i = 0; i < spread->host->count; i++)
            if (spread->in[i])
                change_one(spread, i,
                           vms[i].floor + trunc((above + rest) / shares * (SHARES * vms[i].weight)),
                           amount > 0);
        rest -= spread->change;
    }
    return rest;
}

/* Those that have much free, or the others, or all, take part. */
static void choose(struct spread *spread, bool rich, bool poor)
{
    for (uint32_t i = 0; i < spread->host->count; i++) {
        const struct peer_vm *vm = &spread->host->vms[i];
        bool is_rich = vm->unused > RICH * vm->floor && vm->held >= vm->floor;

        spread->in[i] = is_rich ? rich : poor;
    }
}

void proxmox_spread(struct peer_host *host, double goal, double least, double most)
{
    struct spread spread = {.host = host, .most = most};
    double rest;

    spread.next = calloc(host->count, sizeof *spread.next);
    spread.in = calloc(host->count, sizeof *spread.in);
    if (spread.next && spread.in && fabs(goal) > least) {
        choose(&spread, goal<0, goal> 0);
        rest = change(&spread, goal);
        if (goal > 0 ? rest >= goal : rest <= goal) {
            choose(&spread, true, true);
            (void)change(&spread, rest);
        }
        for (uint32_t i = 0; i < host->count; i++)
            host->vms[i].target = spread.next[i] != 0 ? spread.next[i] : host->vms[i].target;
    }
    free(spread.next);
    free(spread.in);
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    (void)state;
    (void)vms;
    proxmox_spread(host, host->capacity * peer->tuning - (host->capacity - host->free), WORTH,
                   MOST);
}

const struct peer_rule proxmox_rule = {.memory_only = true, .judge = judge};
