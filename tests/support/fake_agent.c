/* SPDX-License-Identifier: MIT */
/* Lines in, lines out, in the words of examples/agent/README.md; written apart from both sides. */
#include "support/fake_agent.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/check.h"

#define MIB ((uint64_t)1 << 20)
#define SECOND_US 1000000u
#define LINE_ROOM 1024

/* --- out --- */

void fake_agent_say(struct fake_agent *agent, const char *bytes, size_t length)
{
    uv_os_fd_t fd;

    if (agent->client && uv_fileno((const uv_handle_t *)agent->client, &fd) == 0)
        (void)!send(fd, bytes, length, MSG_NOSIGNAL);
}

static void say(struct fake_agent *agent, const char *line)
{
    char text[LINE_ROOM];
    int length = snprintf(text, sizeof text, "%s\n", line);

    assert_true(length > 0 && (size_t)length < sizeof text);
    fake_agent_say(agent, text, (size_t)length);
}

static void say_sample(struct fake_agent *agent, const char *begin, const char *end)
{
    char line[LINE_ROOM];
    uint64_t used = agent->total > agent->available ? agent->total - agent->available : 0;

    snprintf(line, sizeof line,
             "{\"v\":1,%s,\"time_us\":%" PRIu64 ",\"total\":%" PRIu64 ",\"used\":%" PRIu64
             ",\"available\":%" PRIu64 ",\"free\":%" PRIu64
             ",\"cache\":0,\"swap_total\":0,\"swap_used\":%" PRIu64
             ",\"refaults\":0,\"refaults_anon\":%" PRIu64 ",\"oom_kills\":0,\"some_us\":%" PRIu64
             ",\"full_us\":0%s}",
             begin, agent->time_us, agent->total, used, agent->available, agent->free,
             agent->swapped, agent->refaults, agent->some_us, end);
    say(agent, line);
}

void fake_agent_notice(struct fake_agent *agent)
{
    agent->time_us += SECOND_US;
    agent->some_us += agent->stall_us;
    agent->refaults += agent->called_back;
    say_sample(agent, "\"type\":\"notice\",\"why\":\"stall\"", "");
}

static void report(struct fake_agent *agent, unsigned id)
{
    char begin[64], end[128];
    uint64_t used = agent->total - agent->available;

    agent->time_us += SECOND_US;
    agent->some_us += agent->stall_us;
    agent->refaults += agent->called_back;
    snprintf(begin, sizeof begin, "\"type\":\"report\",\"id\":%u", id);
    snprintf(end, sizeof end, ",\"samples\":4,\"used_max\":%" PRIu64 ",\"used_mean\":%" PRIu64,
             used + MIB, used);
    say_sample(agent, begin, end);
}

/* --- in --- */

static void say_with(struct fake_agent *agent, const char *format, unsigned id)
{
    char line[LINE_ROOM];

    snprintf(line, sizeof line, format, id);
    say(agent, line);
}

static void take_line(struct fake_agent *agent, const char *line, size_t length)
{
    json_t *request = json_loadb(line, length, 0, NULL);
    const char *ask = json_string_value(json_object_get(request, "ask"));
    unsigned id = (unsigned)json_integer_value(json_object_get(request, "id"));
    bool hello;

    assert_non_null(ask);
    assert_true(id > 0);
    hello = strcmp(ask, "hello") == 0;
    agent->hellos += hello;
    agent->reports += !hello;
    json_decref(request);
    if (agent->mute || (agent->hung && !hello))
        return;
    if (hello) {
        agent->fresh = false;
        say_with(agent,
                 agent->hello ? agent->hello
                              : "{\"v\":1,\"type\":\"hello\",\"id\":%u,\"agent\":\"fake\"}",
                 id);
    } else if (agent->fresh) {
        say_with(agent, "{\"v\":1,\"type\":\"error\",\"id\":%u,\"why\":\"hello\"}", id);
    } else if (agent->reply) {
        say_with(agent, agent->reply, id);
    } else {
        report(agent, id);
    }
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct fake_agent *agent = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(agent->in + agent->length, (unsigned)(sizeof agent->in - agent->length));
}

static void take(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct fake_agent *agent = stream->data;
    char *end;

    (void)buffer;
    if (length < 0) {
        fake_agent_drop(agent);
        return;
    }
    agent->length += (size_t)length;
    while ((end = memchr(agent->in, '\n', agent->length)) != NULL) {
        size_t whole = (size_t)(end - agent->in) + 1;

        take_line(agent, agent->in, whole);
        agent->length -= whole;
        memmove(agent->in, agent->in + whole, agent->length);
    }
}

/* --- connections --- */

static void server_closed(uv_handle_t *handle)
{
    struct fake_agent *agent = handle->data;

    agent->handles--;
}

static void client_closed(uv_handle_t *handle)
{
    server_closed(handle);
    free(handle);
}

void fake_agent_drop(struct fake_agent *agent)
{
    if (agent->client)
        uv_close((uv_handle_t *)agent->client, client_closed);
    agent->client = NULL;
}

static void client_came(uv_stream_t *server, int status)
{
    struct fake_agent *agent = server->data;

    assert_int_equal(status, 0);
    fake_agent_drop(agent);
    agent->client = malloc(sizeof *agent->client);
    assert_non_null(agent->client);
    uv_pipe_init(agent->loop, agent->client, 0);
    agent->client->data = agent;
    agent->handles++;
    assert_int_equal(uv_accept(server, (uv_stream_t *)agent->client), 0);
    agent->connections++;
    agent->length = 0;
    uv_read_start((uv_stream_t *)agent->client, room, take);
}

void fake_agent_open(struct fake_agent *agent, uv_loop_t *loop, const char *path)
{
    *agent = (struct fake_agent){.total = 256 * MIB,
                                 .available = 192 * MIB,
                                 .free = 128 * MIB,
                                 .time_us = SECOND_US,
                                 .loop = loop};
    uv_pipe_init(loop, &agent->server, 0);
    agent->server.data = agent;
    agent->handles = 1;
    assert_int_equal(uv_pipe_bind(&agent->server, path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&agent->server, 8, client_came), 0);
    agent->listening = true;
}

void fake_agent_close(struct fake_agent *agent)
{
    fake_agent_drop(agent);
    if (!agent->listening)
        return;
    agent->listening = false;
    uv_close((uv_handle_t *)&agent->server, server_closed);
}
