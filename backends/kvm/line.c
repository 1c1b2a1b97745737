/* SPDX-License-Identifier: MIT */
/*
 * Bytes into lines, however they are cut: QMP is one JSON object a line. Invariant: what has been
 * looked through is not looked through again, so a line that comes byte by byte costs no more than
 * one that comes whole; and no line, finished or not, is longer than the most it was made for.
 */
#include <string.h>

#include "internal.h"

#define FIRST_ROOM ((size_t)16 * 1024)
#define LEAST_ROOM ((size_t)4 * 1024)

/* Moves what is left to the front, and makes more room if there is still too little. */
static bool grow(struct kvm_lines *lines)
{
    size_t room = lines->room ? lines->room * 2 : FIRST_ROOM;
    char *bytes;

    if (lines->room - lines->length >= LEAST_ROOM)
        return true;
    if (lines->length >= lines->most)
        return false;
    bytes = vmres_allocate(lines->heap, room, 1);
    if (!bytes)
        return false;
    if (lines->length > 0)
        memcpy(bytes, lines->bytes, lines->length);
    vmres_release(lines->heap, lines->bytes, lines->room, 1);
    lines->bytes = bytes;
    lines->room = room;
    return true;
}

char *vmres__kvm_lines_room(struct kvm_lines *lines, size_t *room)
{
    if (lines->first > 0) {
        memmove(lines->bytes, lines->bytes + lines->first, lines->length - lines->first);
        lines->length -= lines->first;
        lines->searched -= lines->first;
        lines->first = 0;
    }
    if (!grow(lines))
        return NULL;
    *room = lines->room - lines->length;
    return lines->bytes + lines->length;
}

void vmres__kvm_lines_add(struct kvm_lines *lines, size_t length)
{
    lines->length += length;
}

enum kvm_lines_status vmres__kvm_lines_take(struct kvm_lines *lines, struct kvm_text *line)
{
    const char *end = NULL;

    if (lines->searched < lines->length)
        end = memchr(lines->bytes + lines->searched, '\n', lines->length - lines->searched);
    lines->searched = end ? (size_t)(end - lines->bytes) + 1 : lines->length;
    if (lines->searched - lines->first > lines->most)
        return KVM_LINES_TOO_LONG;
    if (!end)
        return KVM_LINES_MORE;
    line->bytes = lines->bytes + lines->first;
    line->length = (size_t)(end - line->bytes);
    lines->first = lines->searched;
    return KVM_LINES_ONE;
}

void vmres__kvm_lines_clear(struct kvm_lines *lines)
{
    lines->length = 0;
    lines->first = 0;
    lines->searched = 0;
}

void vmres__kvm_lines_finish(struct kvm_lines *lines)
{
    vmres_release(lines->heap, lines->bytes, lines->room, 1);
    *lines = (struct kvm_lines){.heap = lines->heap, .most = lines->most};
}
