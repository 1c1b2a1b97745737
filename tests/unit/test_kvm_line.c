/* SPDX-License-Identifier: MIT */
/* Bytes into lines: the same lines come out however the bytes were cut. */
#include <stdlib.h>
#include <string.h>

#include "kvm/internal.h"
#include "support/check.h"

static void put(struct kvm_lines *lines, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room = 0;
        char *place = vmres__kvm_lines_room(lines, &room);
        size_t portion = length < room ? length : room;

        assert_non_null(place);
        memcpy(place, bytes, portion);
        vmres__kvm_lines_add(lines, portion);
        bytes += portion;
        length -= portion;
    }
}

static void expect_line(struct kvm_lines *lines, const char *wanted)
{
    struct kvm_text line;

    assert_int_equal(vmres__kvm_lines_take(lines, &line), KVM_LINES_ONE);
    assert_int_equal(line.length, strlen(wanted));
    assert_memory_equal(line.bytes, wanted, line.length);
}

static void expect_none(struct kvm_lines *lines)
{
    struct kvm_text line;

    assert_int_equal(vmres__kvm_lines_take(lines, &line), KVM_LINES_MORE);
}

static void test_split_at_every_byte(void **state)
{
    static const char text[] = "{\"one\": 1}\r\n\n{\"three\": 3}\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct kvm_lines lines = {.most = KVM_LINE_MAX};
        static const char *const wanted[] = {"{\"one\": 1}\r", "", "{\"three\": 3}"};
        struct kvm_text line;
        int taken = 0;

        put(&lines, text, cut);
        while (vmres__kvm_lines_take(&lines, &line) == KVM_LINES_ONE)
            assert_memory_equal(line.bytes, wanted[taken++], line.length);
        put(&lines, text + cut, sizeof text - 1 - cut);
        while (taken < 3)
            expect_line(&lines, wanted[taken++]);
        expect_none(&lines);
        vmres__kvm_lines_finish(&lines);
    }
}

static void test_byte_by_byte(void **state)
{
    struct kvm_lines lines = {.most = KVM_LINE_MAX};

    (void)state;
    for (int i = 0; i < 70000; i++) {
        put(&lines, "x", 1);
        expect_none(&lines);
    }
    put(&lines, "\n", 1);
    {
        struct kvm_text line;

        assert_int_equal(vmres__kvm_lines_take(&lines, &line), KVM_LINES_ONE);
        assert_int_equal(line.length, 70000);
    }
    vmres__kvm_lines_finish(&lines);
}

static enum kvm_lines_status take_one_of(size_t length)
{
    struct kvm_lines lines = {.most = KVM_LINE_MAX};
    struct kvm_text line;
    char *bytes = malloc(length);
    enum kvm_lines_status status;

    assert_non_null(bytes);
    memset(bytes, 'x', length);
    bytes[length - 1] = '\n';
    put(&lines, bytes, length - 1);
    expect_none(&lines);
    put(&lines, bytes + length - 1, 1);
    status = vmres__kvm_lines_take(&lines, &line);
    vmres__kvm_lines_finish(&lines);
    free(bytes);
    return status;
}

static void test_longest_line(void **state)
{
    (void)state;
    assert_int_equal(take_one_of(KVM_LINE_MAX), KVM_LINES_ONE);
    assert_int_equal(take_one_of(KVM_LINE_MAX - 1), KVM_LINES_ONE);
}

static void test_endless_line_has_no_room(void **state)
{
    struct kvm_lines lines = {.most = KVM_LINE_MAX};
    size_t room = 0, given = 0;
    char *place;

    (void)state;
    while ((place = vmres__kvm_lines_room(&lines, &room)) != NULL && given < 8 * KVM_LINE_MAX) {
        memset(place, 'x', room);
        vmres__kvm_lines_add(&lines, room);
        given += room;
        if (given > KVM_LINE_MAX) {
            struct kvm_text line;

            assert_int_equal(vmres__kvm_lines_take(&lines, &line), KVM_LINES_TOO_LONG);
        }
    }
    assert_null(place);
    assert_true(given <= 2 * KVM_LINE_MAX);
    vmres__kvm_lines_finish(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_at_every_byte),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_endless_line_has_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
