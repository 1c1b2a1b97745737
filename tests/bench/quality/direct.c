/* SPDX-License-Identifier: MIT */
/*
 * A race without the engine: a peer's rule over devices that do what they are told, tick for tick
 * like the simulated host's. Rules that start every VM at its ceiling let the VMs hold more than
 * the host has; where what they touch does not fit, the host swaps, and all lose in proportion. The
 * same world in doubles, and noise of its own: it also checks the other one.
 */
#include <math.h>
#include <stdlib.h>

#include "quality/race.h"
#include "traces/dice.h"

#define GIB 1073741824.0
#define TURN_S 120

enum { HALVINGS = 60 };

struct guest {
    double demand, cache;
    double held, resident; /* of what it holds, it has touched so much */
    double real;           /* what the host truly gives it of that */
    double entitlement;
    double turned_s;
    int direction;
};

struct ring {
    const struct race *race;
    const struct trace *trace;
    struct guest *guests;
    struct peer_host host;
    struct peer_memory memory;
    struct dice dice;
    double scale, large;         /* what amounts of the trace, and what GiB or CPUs are */
    double release, grant, swap; /* a second */
    double unmet, bound, moved, shortfall, cache, reversed, relief;
    double others_shortfall, others_unmet;
    uint64_t oom_ticks;
};

static double noise(struct ring *ring, double deviation)
{
    return 1 + deviation * dice_bell(&ring->dice) / DICE_ONE;
}

/* --- the beginning --- */

static void share_out(struct ring *ring)
{
    double low = 0, high = ring->host.capacity;

    for (int i = 0; i < HALVINGS; i++) {
        double level = (low + high) / 2, sum = 0;

        for (uint32_t vm = 0; vm < ring->host.count; vm++) {
            struct peer_vm *seen = &ring->host.vms[vm];

            ring->guests[vm].entitlement =
                fmin(fmax(level * seen->weight, seen->floor), seen->ceiling);
            sum += ring->guests[vm].entitlement;
        }
        if (sum > ring->host.capacity)
            high = level;
        else
            low = level;
    }
}

static void begin(struct ring *ring)
{
    const struct trace *trace = ring->trace;
    double floors = 0, range = 0;

    ring->host.capacity = (double)trace->capacity * ring->scale;
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        ring->host.vms[vm] = (struct peer_vm){.floor = trace->floors[vm] * ring->scale,
                                              .ceiling = trace->ceilings[vm] * ring->scale,
                                              .weight = trace->weights[vm]};
        floors += ring->host.vms[vm].floor;
        range += ring->host.vms[vm].ceiling - ring->host.vms[vm].floor;
    }
    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        struct peer_vm *seen = &ring->host.vms[vm];
        double part = range > 0 ? fmin(1, (ring->host.capacity - floors) / range) : 0;

        if (ring->race->contestant->peer->overcommits)
            part = 1;
        ring->guests[vm].held = seen->floor + part * (seen->ceiling - seen->floor);
        seen->target = ring->guests[vm].held;
        ring->guests[vm].turned_s = -TURN_S;
    }
    share_out(ring);
}

/* --- a tick --- */

static void want(struct ring *ring, uint32_t row)
{
    const struct trace *trace = ring->trace;

    for (uint32_t vm = 0; vm < trace->vms; vm++) {
        struct guest *guest = &ring->guests[vm];

        guest->demand = trace_wish(trace, vm, row) * ring->scale;
        if (trace->cache)
            guest->cache = trace->cache[(size_t)vm * trace->rows + row] * ring->scale;
    }
}

/* What guests have touched, and what the host can give them of it. */
static void touch(struct ring *ring)
{
    double sum = 0;

    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct guest *guest = &ring->guests[vm];

        guest->resident = fmin(guest->held, fmax(guest->resident, guest->demand + guest->cache));
        sum += guest->resident;
    }
    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct guest *guest = &ring->guests[vm];

        guest->real = guest->held;
        if (sum > ring->host.capacity)
            guest->real = guest->resident * ring->host.capacity / sum;
    }
    ring->host.free = ring->host.capacity - sum;
}

static double missing(const struct guest *guest)
{
    return fmax(0, guest->demand - guest->real);
}

static void judge(struct ring *ring, uint32_t row)
{
    const struct peer *peer = ring->race->contestant->peer;

    ring->host.now_s = row;
    ring->host.unallocated = ring->host.capacity;
    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct peer_vm *seen = &ring->host.vms[vm];
        const struct guest *guest = &ring->guests[vm];
        double idle = guest->held - fmin(guest->held, guest->demand);

        seen->held = guest->held;
        seen->available = fmax(0, idle * noise(ring, 0.01));
        seen->unused = fmax(0, seen->available - guest->cache);
        seen->demand = guest->demand * noise(ring, 0.01);
        seen->stall = guest->demand > 0 ? missing(guest) / guest->demand * noise(ring, 0.2) : 0;
        ring->host.unallocated -= guest->held;
    }
    peer_turn(peer, &ring->memory, &ring->host);
}

/* Unused memory first, memory in use in what is left of the tick. Returns what is free then. */
static double release(struct ring *ring, double *moved)
{
    double pool = ring->host.capacity;

    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct guest *guest = &ring->guests[vm];
        double give = fmax(0, guest->held - ring->host.vms[vm].target);
        double idle = guest->held - fmin(guest->held, guest->demand);
        double fast = fmin(give, fmin(ring->release, idle));
        double slow = fmin(give - fast, ring->swap * fmax(0, 1 - fast / ring->release));

        moved[vm] = -(fast + slow);
        guest->held -= fast + slow;
        ring->moved += fast + slow;
        pool -= guest->held;
    }
    return pool;
}

static void grow(struct ring *ring, double pool, double *moved)
{
    double wanted = 0, part = 1;

    for (uint32_t vm = 0; vm < ring->host.count; vm++)
        wanted += fmin(fmax(0, ring->host.vms[vm].target - ring->guests[vm].held), ring->grant);
    if (wanted > 0 && wanted > pool && !ring->race->contestant->peer->overcommits)
        part = fmax(0, pool) / wanted;
    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct guest *guest = &ring->guests[vm];
        double more = part * fmin(fmax(0, ring->host.vms[vm].target - guest->held), ring->grant);

        guest->held += more;
        moved[vm] += more;
    }
}

static void count_turns(struct ring *ring, const double *moved, uint32_t row)
{
    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        struct guest *guest = &ring->guests[vm];
        int direction = moved[vm] > 0 ? 1 : -1;

        if (fabs(moved[vm]) <= ring->large / 10000)
            continue;
        if (guest->direction == -direction && row - guest->turned_s < TURN_S)
            ring->reversed += fabs(moved[vm]);
        guest->direction = direction;
        guest->turned_s = row;
    }
}

static void add_up(struct ring *ring, bool after_step)
{
    bool kept = !ring->race->contestant->peer->overcommits;
    double least = 0;

    for (uint32_t vm = 0; vm < ring->host.count; vm++) {
        const struct guest *guest = &ring->guests[vm];
        const struct peer_vm *seen = &ring->host.vms[vm];
        double owed = fmax(0, fmin(guest->demand, guest->entitlement) - guest->real);

        ring->unmet += missing(guest);
        ring->relief += after_step ? missing(guest) : 0;
        ring->shortfall += owed;
        ring->others_unmet += vm > 0 ? missing(guest) : 0;
        ring->others_shortfall += vm > 0 ? owed : 0;
        ring->cache += fmax(0, guest->cache - fmax(0, guest->real - guest->demand));
        ring->oom_ticks += missing(guest) > seen->ceiling / 4;
        /* Where more is promised than there is, floors are not kept for anybody. */
        least += fmax(guest->demand, kept ? seen->floor : 0);
    }
    ring->bound += fmax(0, least - ring->host.capacity);
}

static void run(struct ring *ring, double *moved)
{
    uint32_t size = 0, step = race_step(ring->trace, &size);

    begin(ring);
    for (uint32_t row = 0; row < ring->trace->rows; row++) {
        want(ring, row);
        touch(ring);
        judge(ring, row);
        grow(ring, release(ring, moved), moved);
        count_turns(ring, moved, row);
        touch(ring);
        add_up(ring, step > 0 && row >= step);
    }
    ring->relief = step > 0 ? ring->relief / (size * ring->scale) : -1;
}

static struct result result_of(const struct ring *ring)
{
    bool memory = ring->trace->unit == VMRES_UNIT_BYTES;
    double scale = ring->large;
    double price = memory ? 1 / RACE_RELEASE + 1 / RACE_GRANT : 0;
    double whole = ring->host.capacity * ring->trace->rows / 100;
    struct result result = {.unmet = ring->unmet / scale,
                            .bound = ring->bound / scale,
                            .moved = ring->moved / scale,
                            .shortfall = ring->shortfall / whole,
                            .others_shortfall = ring->others_shortfall / whole,
                            .others_unmet = ring->others_unmet / scale,
                            .cache = ring->cache / scale,
                            .reversed = ring->reversed / scale,
                            .relief = ring->relief,
                            .oom_ticks = memory ? ring->oom_ticks : 0};

    result.cost = result.unmet + price * result.moved;
    return result;
}

struct result direct_run(const struct race *race)
{
    struct ring ring = {.race = race,
                        .trace = race->trace,
                        .host = {.count = race->trace->vms},
                        .dice = dice_open(race->trace->name, 2),
                        .scale = 1,
                        .large = 1000};
    bool memory = race->trace->unit == VMRES_UNIT_BYTES;
    double *moved = calloc(race->trace->vms, sizeof *moved);
    struct result result = {.breach = "no memory"};

    if (memory) {
        ring.scale = PEER_MIB;
        ring.large = GIB;
    }
    ring.release = memory ? RACE_RELEASE * GIB : 1e9;
    ring.grant = memory ? RACE_GRANT * GIB : 1e9;
    ring.swap = memory ? RACE_SWAP * GIB : 1e9;
    ring.guests = calloc(race->trace->vms, sizeof *ring.guests);
    ring.host.vms = calloc(race->trace->vms, sizeof *ring.host.vms);
    if (moved && ring.guests && ring.host.vms &&
        peer_open(&ring.memory, race->contestant->peer, race->trace->vms)) {
        run(&ring, moved);
        result = result_of(&ring);
    }
    peer_close(&ring.memory);
    free(ring.host.vms);
    free(ring.guests);
    free(moved);
    return result;
}
