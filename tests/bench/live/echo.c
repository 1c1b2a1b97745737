/* SPDX-License-Identifier: MIT */
/* Plain sockets, one buffer each. The request is, byte for byte, the one that the library sends. */
#define _GNU_SOURCE /* epoll */
#include "bench/live/echo.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/live/endpoints.h"

#define EVENTS 1024 /* as libuv asks for */
#define ROOM 4096

struct line {
    int fd;
    size_t length;
    char bytes[ROOM];
};

struct echo {
    struct line *lines;
    uint32_t count;
    int poll;
    unsigned serial;
};

static bool read_line(struct line *line)
{
    ssize_t length = read(line->fd, line->bytes + line->length, ROOM - line->length);

    if (length > 0)
        line->length += (size_t)length;
    return length > 0 && line->bytes[line->length - 1] == '\n';
}

static bool open_line(struct echo *echo, const char *directory, uint32_t index)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct line *line = &echo->lines[index];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};

    endpoints_path(directory, index, address.sun_path);
    line->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (line->fd < 0 || connect(line->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        !read_line(line))
        return false;
    line->length = 0;
    return epoll_ctl(echo->poll, EPOLL_CTL_ADD, line->fd, &event) == 0;
}

struct echo *echo_open(const char *directory, uint32_t count)
{
    struct echo *echo = calloc(1, sizeof *echo);

    if (!echo)
        return NULL;
    echo->poll = epoll_create1(EPOLL_CLOEXEC);
    echo->lines = calloc(count, sizeof *echo->lines);
    while (echo->lines && echo->count < count && open_line(echo, directory, echo->count))
        echo->count++;
    if (echo->count == count)
        return echo;
    echo_close(echo);
    return NULL;
}

static bool ask(struct echo *echo, uint32_t index)
{
    char request[256];
    int length = snprintf(request, sizeof request,
                          "{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
                          "\"/machine/peripheral/balloon0\",\"property\":\"guest-stats\"},"
                          "\"id\":%u}\n",
                          ++echo->serial);

    return send(echo->lines[index].fd, request, (size_t)length, MSG_NOSIGNAL) == length;
}

static bool parse(struct line *line)
{
    json_t *reply = json_loadb(line->bytes, line->length,
                               JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, NULL);
    bool good = json_object_get(reply, "return") != NULL;

    json_decref(reply);
    line->length = 0;
    return good;
}

int echo_round(struct echo *echo)
{
    struct epoll_event events[EVENTS];
    uint32_t open = echo->count;

    for (uint32_t i = 0; i < echo->count; i++)
        if (!ask(echo, i))
            return 0;
    while (open > 0) {
        int found = epoll_wait(echo->poll, events, EVENTS, -1);

        for (int i = 0; i < found; i++, open--)
            if (!read_line(events[i].data.ptr) || !parse(events[i].data.ptr))
                return 0;
    }
    return 1;
}

void echo_close(struct echo *echo)
{
    for (uint32_t i = 0; i < echo->count; i++)
        close(echo->lines[i].fd);
    close(echo->poll);
    free(echo->lines);
    free(echo);
}
