/* SPDX-License-Identifier: MIT */
/*
 * Reading a whole file into memory, never more than a given number of bytes: what is configured is
 * small, and what is not small was named by mistake. Works for pipes too, so nothing is measured
 * beforehand. The mark that some editors put before UTF-8 text is no part of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"

enum { FIRST_ROOM = 16384 };

/* Makes room for more; the old bytes move along. */
static enum vmres_status grow(const struct vmres_allocator *allocator, struct config_text *text)
{
    size_t room = text->room ? text->room * 2 : FIRST_ROOM;
    char *bytes = vmres_allocate(allocator, room, 1);

    if (!bytes)
        return VMRES_NOMEM;
    if (text->bytes)
        memcpy(bytes, text->bytes, text->size);
    vmres__file_release(allocator, &(struct config_text){text->bytes, 0, text->room});
    text->bytes = bytes;
    text->room = room;
    return VMRES_OK;
}

static enum vmres_status read_all(const struct vmres_allocator *allocator, FILE *file, size_t most,
                                  struct config_text *text)
{
    do {
        enum vmres_status status = VMRES_OK;

        if (text->room - text->size < 2)
            status = grow(allocator, text);
        if (status)
            return status;
        text->size += fread(text->bytes + text->size, 1, text->room - text->size - 1, file);
        text->bytes[text->size] = '\0';
        if (ferror(file))
            return VMRES_IO;
        if (text->size > most)
            return VMRES_LIMIT;
    } while (!feof(file));
    return VMRES_OK;
}

static void drop_mark(struct config_text *text)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (strncmp(text->bytes, mark, sizeof mark - 1) == 0) {
        text->size -= sizeof mark - 1;
        memmove(text->bytes, text->bytes + sizeof mark - 1, text->size + 1);
    }
}

enum vmres_status vmres__file_read(const struct vmres_allocator *allocator, const char *path,
                                   size_t most, struct config_text *text, const char **reason)
{
    FILE *file = fopen(path, "rb");
    enum vmres_status status;

    *text = (struct config_text){0};
    if (!file) {
        *reason = strerror(errno);
        return VMRES_IO;
    }
    status = read_all(allocator, file, most, text);
    if (status == VMRES_IO)
        *reason = strerror(errno);
    (void)fclose(file);
    if (status)
        vmres__file_release(allocator, text);
    else
        drop_mark(text);
    return status;
}

void vmres__file_release(const struct vmres_allocator *allocator, struct config_text *text)
{
    vmres_release(allocator, text->bytes, text->room, 1);
    *text = (struct config_text){0};
}
