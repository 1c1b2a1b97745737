/* SPDX-License-Identifier: MIT */
/*
 * Shares seeds among processes, one for each core: seed i is played by process i modulo their
 * number, and what each has been through is added up. What a seed leads to does not depend on it.
 */
#include "swarm/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct job {
    pid_t pid;
    int words; /* its tally comes here */
};

/* Returns false where a process cannot be started. */
static bool start(struct job *job, const struct run *run, uint32_t number, play_function *play)
{
    struct tally tally = {0};
    int ends[2];
    uint64_t failures;

    if (pipe(ends) != 0)
        return false;
    fflush(stdout);
    job->pid = fork();
    if (job->pid != 0) {
        close(ends[1]);
        job->words = ends[0];
        return job->pid > 0;
    }
    failures = play(run, number, &tally);
    fflush(stdout);
    if (write(ends[1], &tally, sizeof tally) != (ssize_t)sizeof tally)
        failures++;
    _exit(failures > 0);
}

/* Returns whether it found nothing. */
static bool finish(struct job *job, struct tally *tally)
{
    struct tally part;
    size_t got = 0;
    ssize_t piece = 1;
    int status = 1;

    while (got < sizeof part && piece > 0) {
        piece = read(job->words, (char *)&part + got, sizeof part - got);
        got += piece > 0 ? (size_t)piece : 0;
    }
    close(job->words);
    if (got == sizeof part)
        tally_add(tally, &part);
    return waitpid(job->pid, &status, 0) == job->pid && status == 0 && got == sizeof part;
}

bool jobs_play(const struct run *run, struct tally *tally, play_function *play)
{
    struct job jobs[JOBS];
    uint32_t started = 0;
    bool well = true;

    if (run->jobs == 1)
        return play(run, 0, tally) == 0;
    while (started < run->jobs && well) {
        well = start(&jobs[started], run, started, play);
        started += well;
    }
    for (uint32_t i = 0; i < started; i++)
        well &= finish(&jobs[i], tally);
    return well;
}
