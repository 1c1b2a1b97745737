/* SPDX-License-Identifier: MIT */
/*
 * MOM's balloon rules, and vdsm's variant of them: when the host runs short, every guest is shrunk
 * by a twentieth, down to what it uses and a reserve; when it does not, every guest grows by a
 * twentieth. What a guest needs decides nothing but how far. Averages are over ten samples.
 */
#include <math.h>

#include "peers/peer.h"

enum { SAMPLES = 10 };

#define STEP 0.05
#define GUEST_FREE 0.20 /* of its balloon, to be left when it grows */
#define LEAST 0.0025    /* of its balloon: less is not worth a change */

struct mom {
    double free[SAMPLES];
    uint32_t samples;
};

struct mom_vm {
    double held[SAMPLES], unused[SAMPLES];
};

/* What is to be left in the guest, of its balloon; below 0 where it is to be forced into swap. */
static double reserve_of(const struct mom_setting *setting, double host_free)
{
    if (host_free <= setting->critical)
        return host_free - setting->critical;
    return GUEST_FREE * host_free / setting->threshold;
}

static double significant(double now, double next)
{
    return fabs(next - now) > LEAST * now ? next : now;
}

double mom_target(const struct mom_setting *setting, double host_free, double used,
                  const struct peer_vm *vm)
{
    double now = vm->held, keep;

    if (host_free < setting->threshold) {
        keep = fmax(vm->floor, used + reserve_of(setting, host_free) * now);
        keep = fmax(now * (1 - STEP), keep);
        now = keep <= now ? significant(now, keep) : now;
    } else if (now < vm->ceiling) {
        keep = setting->vdsm ? reserve_of(setting, host_free) : GUEST_FREE;
        keep = fmax(vm->floor, used + keep * now);
        now = significant(now, fmin(fmax(now * (1 + STEP), keep), vm->ceiling));
    }
    return setting->vdsm ? fmax(now, vm->floor) : now;
}

static void sample(const struct peer *peer, void *state, void *vms, const struct peer_host *host)
{
    struct mom *mom = state;
    struct mom_vm *vm = vms;
    uint32_t at = mom->samples++ % SAMPLES;

    (void)peer;
    mom->free[at] = host->free / host->capacity;
    for (uint32_t i = 0; i < host->count; i++) {
        vm[i].held[at] = host->vms[i].held;
        vm[i].unused[at] = host->vms[i].unused;
    }
}

static double mean(const double *values, uint32_t count)
{
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

static void judge(const struct peer *peer, void *state, void *vms, struct peer_host *host)
{
    const struct mom *mom = state;
    const struct mom_vm *vm = vms;
    uint32_t count = mom->samples < SAMPLES ? mom->samples : SAMPLES;
    const struct mom_setting setting = {.threshold = peer->tuning,
                                        .critical = peer->tuning < 0.2 ? 0.01 : 0.05,
                                        .vdsm = peer->rule == &vdsm_rule};

    for (uint32_t i = 0; i < host->count; i++) {
        double used = mean(vm[i].held, count) - mean(vm[i].unused, count);
        double next = mom_target(&setting, mean(mom->free, count), used, &host->vms[i]);

        if (next != host->vms[i].held)
            host->vms[i].target = next;
    }
}

const struct peer_rule mom_rule = {.state_size = sizeof(struct mom),
                                   .vm_size = sizeof(struct mom_vm),
                                   .memory_only = true,
                                   .sample = sample,
                                   .judge = judge};
const struct peer_rule vdsm_rule = {.state_size = sizeof(struct mom),
                                    .vm_size = sizeof(struct mom_vm),
                                    .memory_only = true,
                                    .sample = sample,
                                    .judge = judge};
