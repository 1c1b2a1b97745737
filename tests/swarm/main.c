/* SPDX-License-Identifier: MIT */
/*
 * The swarm: many small hostile worlds, each from its seed, each run twice.
 *
 *     swarm [--seeds COUNT] [--seed FIRST] [--events COUNT] [--quick] [--log]
 *
 * A failure is printed with the line that repeats it. Without --quick a fault that never fired is a
 * failure too.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/world.h"

struct run {
    uint64_t first, seeds, events;
    bool quick, log;
};

/* Returns the hash of all actions; what failed, if anything, is in world->failure. */
static uint64_t play(struct world *world, uint64_t seed, const struct run *run, struct tally *tally)
{
    uint64_t events = run->events;

    if (world_create(world, seed, tally, run->log)) {
        world_run(world, events);
        tally->events += world->steps;
        if (!world_failed(world))
            world_settle(world);
        tally->calm_events += world->steps > events ? world->steps - events : 0;
        if (world->engine)
            tally_engine(tally, world->engine);
    }
    world_destroy(world);
    return world->hash;
}

/* Fewer events may do: half as many, as long as that fails too. */
static uint64_t fewest_events(struct world *world, uint64_t seed, uint64_t events)
{
    struct tally tally = {0};
    struct run fewer = {.events = events / 2};

    for (; fewer.events > 0; fewer.events /= 2) {
        play(world, seed, &fewer, &tally);
        if (!world_failed(world))
            break;
        events = fewer.events;
    }
    return events;
}

static bool try_seed(struct world *world, uint64_t seed, const struct run *run, struct tally *tally)
{
    struct tally again = {0};
    struct run silent = {.events = run->events};
    uint64_t hash = play(world, seed, run, tally);

    tally->seeds++;
    if (!world_failed(world) && play(world, seed, &silent, &again) != hash)
        world_fail(world, "I16: the second run is not like the first");
    if (!world_failed(world))
        return true;
    printf("swarm: seed %" PRIu64 ": %s\n", seed, world->failure);
    printf("repeat with: swarm --seed %" PRIu64 " --seeds 1 --events %" PRIu64 " --log\n", seed,
           run->log ? run->events : fewest_events(world, seed, run->events));
    return false;
}

/* An assertion of the engine's: what was being played? */
static struct world world;

static void aborted(int number)
{
    (void)number;
    printf("swarm: aborted at event %" PRIu64 "\nrepeat with: swarm --seed %" PRIu64
           " --seeds 1 --events %" PRIu64 " --log\n",
           world.steps, world.seed, world.steps);
    fflush(stdout);
}

static bool read_arguments(int count, char **arguments, struct run *run)
{
    for (int i = 1; i < count; i++) {
        uint64_t *number = NULL;

        if (strcmp(arguments[i], "--quick") == 0) {
            run->quick = true;
            continue;
        }
        if (strcmp(arguments[i], "--log") == 0) {
            run->log = true;
            continue;
        }
        if (strcmp(arguments[i], "--seed") == 0)
            number = &run->first;
        else if (strcmp(arguments[i], "--seeds") == 0)
            number = &run->seeds;
        else if (strcmp(arguments[i], "--events") == 0)
            number = &run->events;
        if (!number || i + 1 == count)
            return false;
        *number = strtoull(arguments[++i], NULL, 10);
    }
    return true;
}

int main(int count, char **arguments)
{
    struct run run = {.first = 1, .seeds = 500, .events = 2000};
    struct tally tally = {0};
    clock_t began = clock();
    uint64_t failures = 0;

    if (!read_arguments(count, arguments, &run)) {
        fprintf(stderr,
                "usage: swarm [--seeds COUNT] [--seed FIRST] [--events COUNT] [--quick] [--log]\n");
        return 2;
    }
    signal(SIGABRT, aborted);
    for (uint64_t i = 0; i < run.seeds && failures < 10; i++)
        failures += !try_seed(&world, run.first + i, &run, &tally);
    if (run.seeds > 1)
        tally_print(&tally, (double)(clock() - began) / CLOCKS_PER_SEC);
    if (!run.quick && run.seeds >= 100 && failures == 0 && tally_incomplete(&tally))
        return 1;
    return failures > 0;
}
