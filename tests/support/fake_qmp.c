/* SPDX-License-Identifier: MIT */
/*
 * Commands in, one a line; replies out, in any portions. The guest moves when it is read, so tests
 * need no clock. It answers only what the backend asks; all else is CommandNotFound, as in a QEMU
 * that is older than the question.
 */
#include "support/fake_qmp.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/check.h"

#define MIB ((uint64_t)1 << 20)
#define IN_ROOM ((size_t)1 << 16)
#define OUT_ROOM ((size_t)4 << 20)
#define LINE_ROOM 4096

#define UNSET "18446744073709551615"

static void close_client(struct fake_qmp *fake);

/* --- bytes out --- */

static void write_now(struct fake_qmp *fake, const char *bytes, size_t length)
{
    while (length > 0 && fake->connected) {
        uv_os_fd_t fd = -1;
        ssize_t written;

        (void)uv_fileno((const uv_handle_t *)&fake->client, &fd);
        written = send(fd, bytes, length, MSG_NOSIGNAL); /* what libuv writes raises SIGPIPE */
        if (written < 0 && errno == EAGAIN)
            break;
        if (written <= 0) {
            close_client(fake);
            break;
        }
        bytes += written;
        length -= (size_t)written;
        fake->sent += (size_t)written;
    }
    /* What did not go is the next turn's. */
    if (length > 0 && fake->connected)
        memmove(fake->out, bytes, length);
    fake->out_length = fake->connected ? length : 0;
}

static void turn(uv_idle_t *idle)
{
    struct fake_qmp *fake = idle->data;
    size_t portion = fake->out_length;
    size_t left;

    if (fake->chunk > 0 && portion > fake->chunk)
        portion = fake->chunk;
    if (fake->cut > 0 && portion > fake->cut - fake->sent)
        portion = fake->cut - fake->sent;
    left = fake->out_length - portion;
    if (portion > 0) {
        char *rest = left ? malloc(left) : NULL;

        if (rest)
            memcpy(rest, fake->out + portion, left);
        write_now(fake, fake->out, portion);
        if (rest && fake->connected) {
            memcpy(fake->out + fake->out_length, rest, left);
            fake->out_length += left;
        }
        free(rest);
    }
    if (fake->connected && fake->cut > 0 && fake->sent >= fake->cut) {
        fake->cut = 0;
        close_client(fake);
    }
    if (fake->out_length == 0)
        uv_idle_stop(&fake->idle);
}

void fake_qmp_say(struct fake_qmp *fake, const char *bytes, size_t length)
{
    if (!fake->connected)
        return;
    assert_true(fake->out_length + length <= OUT_ROOM);
    memcpy(fake->out + fake->out_length, bytes, length);
    fake->out_length += length;
    uv_idle_start(&fake->idle, turn);
}

static void say(struct fake_qmp *fake, const char *text)
{
    fake_qmp_say(fake, text, strlen(text));
    fake_qmp_say(fake, "\r\n", 2);
}

void fake_qmp_event(struct fake_qmp *fake, const char *name, const char *data)
{
    char line[LINE_ROOM];

    snprintf(line, sizeof line,
             "{\"timestamp\": {\"seconds\": 1795392999, \"microseconds\": 221347}, "
             "\"event\": \"%s\"%s%s}",
             name, data ? ", \"data\": " : "", data ? data : "");
    say(fake, line);
}

/* --- the guest --- */

uint64_t fake_qmp_held(const struct fake_qmp *fake)
{
    return fake->actual + fake->mem_size;
}

static uint64_t towards(uint64_t from, uint64_t to, uint64_t step)
{
    if (from < to)
        return to - from < step ? to : from + step;
    return from - to < step ? to : from - step;
}

static bool sticks(const struct fake_qmp *fake)
{
    return fake->mem_size == fake->mem_sticks && fake->mem_requested < fake->mem_size;
}

static void move(struct fake_qmp *fake)
{
    uint64_t before = fake_qmp_held(fake);

    if (!fake->driver || !fake->running)
        return;
    if (fake->lag > 0)
        fake->lag--;
    else
        fake->heeded = fake->target < fake->floor ? fake->floor : fake->target;
    fake->actual = towards(fake->actual, fake->heeded, fake->step);
    if (!sticks(fake))
        fake->mem_size = towards(fake->mem_size, fake->mem_requested, fake->step);
    if (!fake->offline || fake->mem_online > fake->mem_size)
        fake->mem_online = fake->mem_size;
    if (fake_qmp_held(fake) != before && fake->changed)
        fake->changed(fake);
}

/* --- commands in --- */

static const char *text_of(const json_t *arguments, const char *key)
{
    const char *text = json_string_value(json_object_get(arguments, key));

    return text ? text : "";
}

static void reply(struct fake_qmp *fake, int id, const char *value)
{
    char line[LINE_ROOM + 64]; /* a value of a line, and what is around it */

    snprintf(line, sizeof line, "{\"return\": %s, \"id\": %d}", value, id);
    say(fake, line);
}

static void refuse(struct fake_qmp *fake, int id, const char *class)
{
    char line[LINE_ROOM];

    snprintf(line, sizeof line,
             "{\"error\": {\"class\": \"%s\", \"desc\": \"as asked\"}, \"id\": %d}", class, id);
    say(fake, line);
}

/* The guest's driver speaks, at the pace of QEMU's timer. */
static void take_statistics(struct fake_qmp *fake)
{
    uint64_t base = fake->full ? fake->base : fake->actual;

    if (!fake->driver || !fake->running)
        return;
    fake->update++;
    fake->total = fake->claimed > 0 ? fake->claimed : base + fake->mem_online - fake->reserve;
}

static void set_timer(struct fake_qmp *fake, int id, const json_t *arguments)
{
    bool timed = json_integer_value(json_object_get(arguments, "value")) > 0;

    if (timed && !fake->timed) {
        fake->woken++;
        take_statistics(fake);
    }
    fake->timed = timed;
    reply(fake, id, "{}");
}

static void answer_stats(struct fake_qmp *fake, int id)
{
    char line[LINE_ROOM], total[24] = UNSET;
    uint64_t free = fake_qmp_held(fake) > fake->used ? fake_qmp_held(fake) - fake->used : 0;

    if (!fake->dozes)
        take_statistics(fake);
    if (fake->reserve > 0 && fake->total > 0)
        snprintf(total, sizeof total, "%" PRIu64, fake->total);
    if (fake->update == 0)
        snprintf(line, sizeof line,
                 "{\"stats\": {\"stat-available-memory\": " UNSET ", \"stat-free-memory\": " UNSET
                 ", \"stat-total-memory\": " UNSET "}, \"last-update\": 0}");
    else
        snprintf(line, sizeof line,
                 "{\"stats\": {\"stat-htlb-pgalloc\": 0, \"stat-available-memory\": %" PRIu64
                 ", \"stat-free-memory\": %" PRIu64
                 ", \"stat-total-memory\": %s, \"stat-major-faults\": 0, "
                 "\"stat-swap-in\": " UNSET "}, \"last-update\": %" PRIu64 "}",
                 free, free, total, fake->update);
    reply(fake, id, line);
}

static void answer_devices(struct fake_qmp *fake, int id)
{
    char line[LINE_ROOM];

    if (fake->mem_max == 0) {
        reply(fake, id, "[]");
        return;
    }
    snprintf(line, sizeof line,
             "[{\"type\": \"virtio-mem\", \"data\": {\"memdev\": \"/objects/vmb0\", "
             "\"memaddr\": 4294967296, \"block-size\": %" PRIu64 ", \"size\": %" PRIu64
             ", \"node\": 0, \"max-size\": %" PRIu64 ", \"requested-size\": %" PRIu64
             ", \"id\": \"vm0\"}}]",
             fake->mem_block, fake->mem_size, fake->mem_max, fake->mem_requested);
    reply(fake, id, line);
}

static void answer_list(struct fake_qmp *fake, int id, const json_t *arguments)
{
    bool named = strcmp(text_of(arguments, "path"), "/machine/peripheral") == 0;
    char line[LINE_ROOM];

    snprintf(line, sizeof line, "[{\"name\": \"type\", \"type\": \"string\"}%s%s]",
             named && fake->balloon ? ", {\"name\": \"bal0\", \"type\": "
                                      "\"child<virtio-balloon-pci>\"}"
                                    : "",
             !named && fake->vfio ? ", {\"name\": \"device[0]\", \"type\": \"child<vfio-pci>\"}"
                                  : "");
    reply(fake, id, line);
}

static void set(struct fake_qmp *fake, int id, uint64_t *place, const json_t *arguments)
{
    *place = (uint64_t)json_integer_value(json_object_get(arguments, "value"));
    fake->sets++;
    reply(fake, id, "{}");
}

/* Told the same once more a guest does nothing anew; told otherwise it tries again. */
static void set_blocks(struct fake_qmp *fake, int id, const json_t *arguments)
{
    uint64_t before = fake->mem_requested;
    bool stuck = sticks(fake);

    set(fake, id, &fake->mem_requested, arguments);
    if (stuck && fake->mem_requested != before)
        fake->mem_sticks = 0;
}

static void answer_size(struct fake_qmp *fake, int id, bool balloon)
{
    char line[LINE_ROOM];

    move(fake);
    if (balloon)
        snprintf(line, sizeof line, "{\"actual\": %" PRIu64 "}", fake->actual);
    else
        snprintf(line, sizeof line, "%" PRIu64, fake->mem_size);
    reply(fake, id, line);
}

static void answer_property(struct fake_qmp *fake, int id, const char *command,
                            const json_t *arguments)
{
    const char *property = text_of(arguments, "property");

    if (strcmp(property, "guest-stats") == 0)
        answer_stats(fake, id);
    else if (strcmp(property, "requested-size") == 0)
        set_blocks(fake, id, arguments);
    else if (strcmp(property, "size") == 0)
        answer_size(fake, id, false);
    else if (strcmp(property, "confidential-guest-support") == 0)
        reply(fake, id, fake->encrypted ? "\"/objects/sev0\"" : "\"\"");
    else if (strcmp(command, "qom-set") == 0)
        set_timer(fake, id, arguments);
    else
        refuse(fake, id, "GenericError");
}

static void answer_state(struct fake_qmp *fake, int id, const char *command)
{
    char line[LINE_ROOM];

    if (strcmp(command, "query-status") == 0)
        snprintf(line, sizeof line, "{\"status\": \"%s\", \"singlestep\": false, \"running\": %s}",
                 fake->running  ? "running"
                 : fake->status ? fake->status
                                : "paused",
                 fake->running ? "true" : "false");
    else if (strcmp(command, "query-migrate") == 0 && fake->migration)
        snprintf(line, sizeof line, "{\"status\": \"%s\"}", fake->migration);
    else if (strcmp(command, "query-memory-size-summary") == 0)
        snprintf(line, sizeof line,
                 "{\"base-memory\": %" PRIu64 ", \"plugged-memory\": %" PRIu64 "}", fake->base,
                 fake->mem_size);
    else
        snprintf(line, sizeof line, "{}");
    reply(fake, id, line);
}

static void answer(struct fake_qmp *fake, const char *command, int id, const json_t *arguments)
{
    if (fake->command && strcmp(command, fake->command) == 0) {
        char line[LINE_ROOM];

        snprintf(line, sizeof line, fake->reply, id);
        say(fake, line);
    } else if (strcmp(command, "balloon") == 0 && fake->balloon) {
        fake->lag = fake->lag > 0 ? fake->lag : fake->late;
        set(fake, id, &fake->target, arguments);
    } else if (strcmp(command, "query-balloon") == 0 && fake->balloon) {
        answer_size(fake, id, true);
    } else if (strcmp(command, "query-memory-devices") == 0) {
        answer_devices(fake, id);
    } else if (strcmp(command, "qom-list") == 0) {
        answer_list(fake, id, arguments);
    } else if (strncmp(command, "qom-", 4) == 0) {
        answer_property(fake, id, command, arguments);
    } else if (strcmp(command, "migrate-set-capabilities") == 0) {
        fake->events = true;
        reply(fake, id, "{}");
    } else if (strncmp(command, "query-", 6) == 0 || strcmp(command, "qmp_capabilities") == 0) {
        answer_state(fake, id, command);
    } else {
        refuse(fake, id, "CommandNotFound");
    }
}

static void take_line(struct fake_qmp *fake, const char *line, size_t length)
{
    json_t *message = json_loadb(line, length, 0, NULL);
    const char *command = json_string_value(json_object_get(message, "execute"));

    assert_non_null(command);
    fake->commands++;
    snprintf(fake->last, sizeof fake->last, "%s", command);
    answer(fake, command, (int)json_integer_value(json_object_get(message, "id")),
           json_object_get(message, "arguments"));
    json_decref(message);
}

static void take_lines(struct fake_qmp *fake)
{
    char *end;

    while (!fake->hung && fake->connected &&
           (end = memchr(fake->in, '\n', fake->in_length)) != NULL) {
        size_t length = (size_t)(end - fake->in) + 1;

        take_line(fake, fake->in, length);
        fake->in_length -= length;
        memmove(fake->in, fake->in + length, fake->in_length);
    }
    fake->flying = 0;
    for (size_t i = 0; i < fake->in_length; i++)
        fake->flying += fake->in[i] == '\n';
    if (fake->flying > fake->flown)
        fake->flown = fake->flying;
}

void fake_qmp_go_on(struct fake_qmp *fake)
{
    fake->hung = false;
    take_lines(fake);
}

/* --- connections --- */

static void count_closed(uv_handle_t *handle)
{
    struct fake_qmp *fake = handle->data;

    fake->handles--;
}

static void accept_client(struct fake_qmp *fake);

static void client_closed(uv_handle_t *handle)
{
    struct fake_qmp *fake = handle->data;

    fake->handles--;
    fake->closing = false;
    if (fake->waiting && fake->listening)
        accept_client(fake);
}

static void close_client(struct fake_qmp *fake)
{
    if (!fake->connected)
        return;
    fake->connected = false;
    fake->closing = true;
    fake->out_length = 0;
    uv_idle_stop(&fake->idle);
    uv_close((uv_handle_t *)&fake->client, client_closed);
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct fake_qmp *fake = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(fake->in + fake->in_length, (unsigned)(IN_ROOM - fake->in_length));
}

static void take(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct fake_qmp *fake = stream->data;

    (void)buffer;
    if (length < 0) {
        close_client(fake);
        return;
    }
    fake->in_length += (size_t)length;
    take_lines(fake);
}

static void accept_client(struct fake_qmp *fake)
{
    fake->waiting = false;
    uv_pipe_init(fake->loop, &fake->client, 0);
    fake->handles++;
    fake->client.data = fake;
    assert_int_equal(uv_accept((uv_stream_t *)&fake->server, (uv_stream_t *)&fake->client), 0);
    fake->connected = true;
    fake->connections++;
    fake->sent = 0;
    fake->in_length = 0;
    uv_read_start((uv_stream_t *)&fake->client, room, take);
    if (!fake->silent)
        say(fake, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
                  "\"package\": \"Debian 1:7.2\"}, \"capabilities\": [\"oob\"]}}");
}

/* A second client waits, as with QEMU: it is connected, and not greeted. */
static void client_came(uv_stream_t *server, int status)
{
    struct fake_qmp *fake = server->data;

    assert_int_equal(status, 0);
    fake->waiting = true;
    if (!fake->connected && !fake->closing)
        accept_client(fake);
}

void fake_qmp_open(struct fake_qmp *fake, uv_loop_t *loop, const char *path)
{
    *fake = (struct fake_qmp){.base = 256 * MIB,
                              .actual = 256 * MIB,
                              .target = 256 * MIB,
                              .step = 16 * MIB,
                              .used = 64 * MIB,
                              .update = 1,
                              .reserve = 24 * MIB,
                              .mem_block = 2 * MIB,
                              .balloon = true,
                              .driver = true,
                              .running = true};
    fake->loop = loop;
    fake->in = malloc(IN_ROOM);
    fake->out = malloc(OUT_ROOM);
    assert_non_null(fake->in);
    assert_non_null(fake->out);
    uv_pipe_init(loop, &fake->server, 0);
    uv_idle_init(loop, &fake->idle);
    fake->handles = 2;
    fake->server.data = fake;
    fake->idle.data = fake;
    fake->client.data = fake;
    assert_int_equal(uv_pipe_bind(&fake->server, path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&fake->server, 8, client_came), 0);
    fake->listening = true;
}

void fake_qmp_drop(struct fake_qmp *fake)
{
    close_client(fake);
}

void fake_qmp_kill(struct fake_qmp *fake)
{
    close_client(fake);
    if (!fake->listening)
        return;
    fake->listening = false;
    uv_close((uv_handle_t *)&fake->server, count_closed);
    uv_close((uv_handle_t *)&fake->idle, count_closed);
}

void fake_qmp_free(struct fake_qmp *fake)
{
    assert_int_equal(fake->handles, 0);
    free(fake->in);
    free(fake->out);
    fake->in = NULL;
    fake->out = NULL;
}
