/* SPDX-License-Identifier: MIT */
/*
 * The fake hypervisors. What a command is, is seen by a word in it, and its number is copied into
 * the reply: so cheap that the server is the smaller part of whatever is measured.
 */
#define _GNU_SOURCE /* prctl, epoll */
#include "bench/live/endpoints.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\":" \
    " \"Debian 1:7.2+dfsg-7+deb12u18\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define EVENTS 256
#define ROOM 2048

struct client {
    int fd;
    uint32_t listens; /* 1: a socket that takes clients */
    size_t length;
    char bytes[ROOM];
};

static const struct {
    const char *word, *value;
} replies[] = {
    {"guest-stats\"",
     "{\"stats\": {\"stat-htlb-pgalloc\": 0, \"stat-swap-out\": 0, \"stat-available-memory\": "
     "161053952, \"stat-htlb-pgfail\": 0, \"stat-free-memory\": 161344768, \"stat-minor-faults\": "
     "726, \"stat-major-faults\": 0, \"stat-total-memory\": 232847104, \"stat-swap-in\": 0, "
     "\"stat-disk-caches\": 3239936}, \"last-update\": %" PRIu64 "}"},
    {"query-balloon", "{\"actual\": 268435456}"},
    {"query-status", "{\"status\": \"running\", \"singlestep\": false, \"running\": true}"},
    {"query-memory-size-summary", "{\"base-memory\": 268435456, \"plugged-memory\": 0}"},
    {"query-memory-devices", "[]"},
    {"/machine/peripheral\"",
     "[{\"name\": \"balloon0\", \"type\": \"child<virtio-balloon-pci>\"}]"},
    {"/machine/peripheral-anon", "[]"},
};

void endpoints_path(const char *directory, uint32_t index, char path[ENDPOINT_PATH])
{
    snprintf(path, ENDPOINT_PATH, "%.80s/%" PRIu32, directory, index);
}

/* --- answers --- */

static const char *value_for(const char *line, char *room, size_t size)
{
    static uint64_t update = 1;

    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        if (!strstr(line, replies[i].word))
            continue;
        if (i > 0)
            return replies[i].value;
        snprintf(room, size, replies[0].value, update++);
        return room;
    }
    return "{}";
}

static void answer(const struct client *client, const char *line)
{
    const char *id = strstr(line, "\"id\":");
    char value[512], reply[640];
    int length = snprintf(reply, sizeof reply, "{\"return\": %s, \"id\": %" PRIu64 "}\r\n",
                          value_for(line, value, sizeof value),
                          id ? (uint64_t)strtoull(id + 5, NULL, 10) : 0);

    (void)!send(client->fd, reply, (size_t)length, MSG_NOSIGNAL);
}

/* false: it has gone, or talks nonsense. */
static int take(struct client *client)
{
    ssize_t length = read(client->fd, client->bytes + client->length, ROOM - 1 - client->length);
    char *line = client->bytes, *end;

    if (length <= 0)
        return 0;
    client->length += (size_t)length;
    client->bytes[client->length] = '\0';
    while ((end = strchr(line, '\n'))) {
        *end = '\0';
        answer(client, line);
        line = end + 1;
    }
    client->length -= (size_t)(line - client->bytes);
    memmove(client->bytes, line, client->length);
    return client->length < ROOM - 1;
}

/* --- sockets --- */

static int watch(int poll, int fd, uint32_t listens)
{
    struct client *client = calloc(1, sizeof *client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    if (!client)
        return -1;
    client->fd = fd;
    client->listens = listens;
    return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static int listen_at(const char *directory, uint32_t index)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    endpoints_path(directory, index, address.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
        return -1;
    return fd;
}

static void serve_one(int poll, struct client *client)
{
    if (client->listens) {
        int fd = accept4(client->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0 && watch(poll, fd, 0) == 0)
            (void)!send(fd, GREETING, strlen(GREETING), MSG_NOSIGNAL);
    } else if (!take(client)) {
        close(client->fd);
        free(client);
    }
}

static void serve(const char *directory, uint32_t count, int ready)
{
    struct epoll_event events[EVENTS];
    int poll = epoll_create1(EPOLL_CLOEXEC);

    for (uint32_t i = 0; i < count; i++)
        if (watch(poll, listen_at(directory, i), 1) != 0)
            _exit(1);
    (void)!write(ready, "", 1);
    for (;;) {
        int found = epoll_wait(poll, events, EVENTS, -1);

        for (int i = 0; i < found; i++)
            serve_one(poll, events[i].data.ptr);
    }
}

pid_t endpoints_start(const char *directory, uint32_t count)
{
    struct rlimit files;
    int ready[2];
    pid_t pid;
    char byte;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || pipe(ready) != 0)
        return 0;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        serve(directory, count, ready[1]);
    }
    close(ready[1]);
    if (pid > 0 && read(ready[0], &byte, 1) != 1)
        pid = 0;
    close(ready[0]);
    return pid;
}
