/* SPDX-License-Identifier: MIT */
/*
 * The swarm: many small hostile worlds, each from its seed.
 *
 *     swarm [--seeds COUNT] [--seed FIRST] [--events COUNT] [--twice ONE_IN] [--jobs PROCESSES]
 *           [--quick] [--log]
 *
 * A failure is printed with the line that repeats it. Without --quick a fault that never fired is a
 * failure too, and from 1,000 seeds on a row of the catalogue (coverage.c) that is too rare. Each
 * seed is run twice (I16), or one in so many.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/jobs.h"
#include "swarm/world.h"

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
    if (!world_failed(world) && seed % run->twice == 0 &&
        play(world, seed, &silent, &again) != hash)
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

static uint64_t play_share(const struct run *run, uint64_t number, struct tally *tally)
{
    uint64_t failures = 0;

    for (uint64_t i = number; i < run->seeds && failures < 10; i += run->jobs)
        failures += !try_seed(&world, run->first + i, run, tally);
    return failures;
}

static bool read_arguments(int count, char **arguments, struct run *run)
{
    const struct {
        const char *name;
        uint64_t *number;
    } numbers[] = {{"--seed", &run->first},
                   {"--seeds", &run->seeds},
                   {"--events", &run->events},
                   {"--twice", &run->twice},
                   {"--jobs", &run->jobs}};

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
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            if (strcmp(arguments[i], numbers[n].name) == 0)
                number = numbers[n].number;
        if (!number || i + 1 == count)
            return false;
        *number = strtoull(arguments[++i], NULL, 10);
    }
    return run->twice > 0 && run->jobs > 0 && run->jobs <= JOBS;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    struct run run = {.first = 1, .seeds = 500, .events = 2000, .twice = 1, .jobs = 1};
    struct tally tally = {0};
    double began = now_s();
    bool well;

    if (!read_arguments(count, arguments, &run)) {
        fprintf(stderr, "usage: swarm [--seeds COUNT] [--seed FIRST] [--events COUNT] "
                        "[--twice ONE_IN] [--jobs PROCESSES] [--quick] [--log]\n");
        return 2;
    }
    signal(SIGABRT, aborted);
    well = jobs_play(&run, &tally, play_share);
    if (run.seeds > 1)
        tally_print(&tally, now_s() - began);
    if (well && !run.quick && run.seeds >= 100 && tally_incomplete(&tally))
        return 1;
    return !well;
}
