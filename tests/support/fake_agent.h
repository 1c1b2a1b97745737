/* SPDX-License-Identifier: MIT */
/*
 * An agent in a guest as seen through its port's socket, on a libuv loop; and everything that can
 * be wrong with one. Time is counted in reports: each is a second later than the one before.
 */
#ifndef VMRES_TESTS_FAKE_AGENT_H
#define VMRES_TESTS_FAKE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct fake_agent {
    /* What it measures; change it at will. */
    uint64_t total, available, free; /* 256, 192, 128 MiB */
    uint64_t time_us, some_us;       /* at the last report */
    uint64_t stall_us;               /* added to some_us at each; 0 */
    uint64_t swapped;                /* on swap alone; 0 */
    uint64_t refaults, called_back;  /* from there; pages added at each; 0 */

    /* What it does. */
    bool mute;         /* takes requests and answers none */
    bool hung;         /* answers hello and no report */
    bool fresh;        /* it began anew: wants a hello before it reports */
    const char *reply; /* a line instead of each report; %u in it is the request's id */
    const char *hello; /* and instead of the answer to hello */

    /* What was seen. */
    unsigned connections, hellos, reports;

    /* Its own. */
    uv_loop_t *loop;
    uv_pipe_t server, *client;
    bool listening;
    int handles;
    char in[512];
    size_t length;
};

/* Listens at `path`. Whatever goes wrong fails the running test. */
void fake_agent_open(struct fake_agent *agent, uv_loop_t *loop, const char *path);
/* Listens no more. The loop must run on, until `handles` is 0. */
void fake_agent_close(struct fake_agent *agent);
/* Drops the connection and goes on listening. */
void fake_agent_drop(struct fake_agent *agent);
/* A notice, a second after the last report. */
void fake_agent_notice(struct fake_agent *agent);
/* Bytes of any kind. What the socket does not take is lost. */
void fake_agent_say(struct fake_agent *agent, const char *bytes, size_t length);

#endif
