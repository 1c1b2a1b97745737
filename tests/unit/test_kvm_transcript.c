/* SPDX-License-Identifier: MIT */
/*
 * What QEMU 7.2 said once (qmp/README.md) against what we take it for: the fake QEMU of the other
 * tests says nothing that QEMU does not say, and what QEMU says is understood.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/kvm_world.h"
#include "support/qmp_script.h"

#define MIB KVM_WORLD_MIB
#define LINE_ROOM 8192

static const char *directory;

static FILE *open_record(const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

/* The next line that begins with `who`, without that; NULL: there is none. */
static json_t *next(FILE *file, const char *who)
{
    char line[LINE_ROOM];
    json_t *message;

    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, who, 2) != 0)
            continue;
        message = json_loads(line + 2, JSON_DECODE_INT_AS_REAL, NULL);
        assert_non_null(message);
        return message;
    }
    return NULL;
}

/* --- the fake --- */

/* Whether the one has nothing that the other has not, and nothing of another type. */
static bool is_part_of(const json_t *one, const json_t *other)
{
    const char *key;
    json_t *value;
    size_t index;

    if (json_typeof(one) != json_typeof(other) && !(json_is_boolean(one) && json_is_boolean(other)))
        return false;
    json_object_foreach((json_t *)(uintptr_t)one, key, value)
    {
        if (!json_object_get(other, key) || !is_part_of(value, json_object_get(other, key)))
            return false;
    }
    json_array_foreach(one, index, value)
    {
        if (json_array_size(other) > 0 && !is_part_of(value, json_array_get(other, 0)))
            return false;
    }
    return true;
}

static struct {
    struct fake_qmp qmp;
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    char said[LINE_ROOM];
    size_t length;
} client;

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(client.said + client.length, (unsigned)(LINE_ROOM - client.length - 1));
}

static void take(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    (void)stream, (void)buffer;
    assert_true(length > 0);
    client.length += (size_t)length;
    client.said[client.length] = '\0';
}

static void connected(uv_connect_t *request, int status)
{
    assert_int_equal(status, 0);
    assert_int_equal(uv_read_start(request->handle, room, take), 0);
}

static json_t *hear(void)
{
    json_t *message;

    while (!strchr(client.said, '\n'))
        uv_run(&client.loop, UV_RUN_ONCE);
    message = json_loads(client.said, JSON_DECODE_INT_AS_REAL | JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(message);
    client.length = 0;
    client.said[0] = '\0';
    return message;
}

static json_t *ask(const json_t *command)
{
    char *text = json_dumps(command, JSON_COMPACT | JSON_REAL_PRECISION(17));
    uv_buf_t parts[2] = {uv_buf_init(text, (unsigned)strlen(text)), uv_buf_init("\n", 1)};
    json_t *reply;

    assert_int_equal(uv_write(&client.write, (uv_stream_t *)&client.pipe, parts, 2, NULL), 0);
    reply = hear();
    free(text);
    return reply;
}

static void open_client(const char *path)
{
    assert_int_equal(uv_loop_init(&client.loop), 0);
    (void)remove(path);
    fake_qmp_open(&client.qmp, &client.loop, path);
    client.qmp.mem_max = 128 * MIB;
    uv_pipe_init(&client.loop, &client.pipe, 0);
    uv_pipe_connect(&client.connect, &client.pipe, path, connected);
}

static void close_client(void)
{
    uv_close((uv_handle_t *)&client.pipe, NULL);
    fake_qmp_kill(&client.qmp);
    uv_run(&client.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&client.loop), 0);
    fake_qmp_free(&client.qmp);
}

/* Every command of the record is put to the fake; its reply is compared with QEMU's. */
static void test_the_fake_speaks_as_qemu_does(void **state)
{
    FILE *asked = open_record("blocks.txt"), *said = open_record("blocks.txt");
    json_t *greeting, *command, *was = next(said, "< ");
    unsigned count = 0;

    (void)state;
    open_client("/tmp/vmres-test-transcript");
    greeting = hear();
    assert_true(is_part_of(greeting, was));
    json_decref(was);
    json_decref(greeting);
    while ((command = next(asked, "> ")) != NULL) {
        json_t *is = ask(command);

        while ((was = next(said, "< ")) != NULL && json_object_get(was, "event"))
            json_decref(was);
        if (!was) { /* the record ends with a command */
            json_decref(is);
            json_decref(command);
            break;
        }
        if (!is_part_of(is, was))
            fail_msg("to the %uth command the fake answers otherwise than QEMU", count);
        count++;
        json_decref(is);
        json_decref(was);
        json_decref(command);
    }
    assert_true(count > 50);
    close_client();
    fclose(asked);
    fclose(said);
}

/* --- the backend --- */

/* The place of a number is no text. */
static void unquote(char *text)
{
    char *place = strstr(text, "\"@\"");

    if (place)
        memcpy(place, " @ ", 3);
}

/* What QEMU answered, one after the other, without its number; and what it holds then, and could
 * at most, in MiB, and of how many parts. */
static void play(const char *name, unsigned replies, const unsigned expected[3])
{
    const struct kvm_parts *parts;
    FILE *file = open_record(name);
    struct qmp_script script;
    json_t *message;

    qmp_script_open(&script, NULL);
    while (replies > 0 && (message = next(file, "< ")) != NULL) {
        char *text;

        if (json_object_get(message, "id"))
            json_object_set_new(message, "id", json_string("@"));
        text = json_dumps(message, JSON_COMPACT | JSON_REAL_PRECISION(17));
        unquote(text);
        qmp_script_play(&script, text, strlen(text));
        replies -= json_object_get(message, "event") == NULL;
        free(text);
        json_decref(message);
    }
    assert_int_equal(qmp_script_vm(&script)->nonsense.count, 0);
    assert_true(kvm_probed(qmp_script_vm(&script)));
    parts = &qmp_script_vm(&script)->parts;
    assert_int_equal(vmres__kvm_part_held(parts), expected[0] * MIB);
    assert_int_equal(vmres__kvm_part_limit(parts), expected[1] * MIB);
    assert_int_equal(parts->count, expected[2]);
    qmp_script_close(&script);
    fclose(file);
}

static void test_qemu_is_understood(void **state)
{
    (void)state;
    play("balloon.txt", 12, (const unsigned[]){256, 256, 1});
    play("blocks.txt", 13, (const unsigned[]){256, 384, 2});
}

/* To its balloon a DIMM is memory, and an NVDIMM is not. */
static void test_dimms(void **state)
{
    (void)state;
    play("dimms.txt", 11, (const unsigned[]){384, 384, 1});
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_fake_speaks_as_qemu_does),
        cmocka_unit_test(test_qemu_is_understood),
        cmocka_unit_test(test_dimms),
    };

    if (count != 2) {
        fputs("usage: test-unit-kvm_transcript DIRECTORY\n", stderr);
        return 2;
    }
    directory = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
