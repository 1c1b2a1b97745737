/* SPDX-License-Identifier: MIT */
/*
 * The JSON library is told that there is no memory, at each of its requests in turn, and from some
 * on, while a VM is met, asked and moved: nothing crashes, nothing is kept, and when there is
 * memory again the VM is met anew.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/qmp_script.h"

static struct {
    long left; /* requests until one fails; negative: it has */
    bool again, armed;
    long live; /* pieces that were not given back */
} memory;

/* The buffer in which jansson's lexer keeps a text doubles from 16 bytes on. Where that fails,
 * jansson 2.14 reads and writes past its end (its issue 362), which is not ours to mend. */
static bool may_be_a_lexers(size_t size)
{
    return size >= 32 && (size & (size - 1)) == 0;
}

static void *take(size_t size)
{
    void *piece = NULL;

    if (!memory.armed || may_be_a_lexers(size) || memory.left-- > 0 ||
        (memory.again && memory.left < -1))
        piece = malloc(size);
    memory.live += piece != NULL;
    return piece;
}

static void give(void *piece)
{
    memory.live -= piece != NULL;
    free(piece);
}

static char *read_script(const char *path, size_t *length)
{
    static char text[16384];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    *length = fread(text, 1, sizeof text, file);
    fclose(file);
    return text;
}

static const char greeting[] = "{\"QMP\": {}}\n{\"return\": {}, \"id\": @}\n";
static const char *script_path;

/* Returns whether a request failed. */
static bool play_without(long request, bool again)
{
    struct qmp_script script;
    size_t length;
    const char *text = read_script(script_path, &length);

    memory.left = request;
    memory.again = again;
    qmp_script_open(&script, NULL);
    memory.armed = true;
    qmp_script_play(&script, greeting, sizeof greeting - 1);
    qmp_script_play(&script, text, length);
    memory.armed = false;
    /* Whatever came of it, QEMU can be met again. */
    qmp_script_play(&script, "!d\n!c\n!c", 8);
    qmp_script_play(&script, greeting, sizeof greeting - 1);
    qmp_script_play(&script, text, length);
    assert_int_equal(qmp_script_vm(&script)->talk.phase, KVM_TALK_UP);
    assert_int_equal(qmp_script_vm(&script)->parts.count, 2);
    qmp_script_close(&script);
    assert_int_equal(memory.live, 0);
    return memory.left < 0;
}

static void test_each_request_fails(void **state)
{
    long request = 0;

    (void)state;
    json_set_alloc_funcs(take, give);
    while (play_without(request, true))
        request++;
    assert_true(request > 100);
    for (long from = 0; from < request; from += 7)
        (void)play_without(from, false);
    json_set_alloc_funcs(malloc, free);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_request_fails),
    };

    if (count != 2) {
        fputs("usage: test-unit-kvm_memory SCRIPT\n", stderr);
        return 2;
    }
    script_path = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
