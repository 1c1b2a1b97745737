/* SPDX-License-Identifier: MIT */
/*
 * What every reader of a configuration says when something is wrong: where, what, and the remedy,
 * in one form. Knows nothing of what is read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/error.h"
#include "core/utf8.h"

enum { MAX_PATH_SHOWN = 140 };

static void set_error(struct config_loader *loader, const char *path, struct config_mark at,
                      const char *what)
{
    size_t length = strlen(path);
    const char *cut = length > MAX_PATH_SHOWN ? "..." : "";

    path += length > MAX_PATH_SHOWN ? length - MAX_PATH_SHOWN : 0;
    (void)vmres__error_set(loader->error, VMRES_PARSE, "%s%s:%u:%u: %s", cut, path, at.line,
                           at.column, what);
}

/* Puts a '?' in the place of what would not read as it is written. */
static void make_plain(char *words)
{
    char *to = words;

    while (*words) {
        uint32_t code;
        size_t length = vmres__utf8_character(words, &code);

        if (length > 0 && vmres__utf8_is_plain(code)) {
            memmove(to, words, length);
            to += length;
        } else {
            *to++ = '?';
        }
        words += length > 0 ? length : 1;
    }
    *to = '\0';
}

/* Words with what the file said in them; it may have said anything. */
static void write_words(char *words, size_t room, const char *format, va_list arguments)
{
    (void)vsnprintf(words, room, format, arguments);
    make_plain(words);
}

enum vmres_status vmres__load_fail(struct config_loader *loader, struct config_mark at,
                                   const char *format, ...)
{
    char words[VMRES_ERROR_ROOM];
    va_list arguments;

    va_start(arguments, format);
    write_words(words, sizeof words, format, arguments);
    va_end(arguments);
    set_error(loader, loader->path, at, words);
    return VMRES_PARSE;
}

enum vmres_status vmres__load_fail_in(struct config_loader *loader, const char *path,
                                      struct config_mark at, const char *format, ...)
{
    char words[VMRES_ERROR_ROOM];
    va_list arguments;

    va_start(arguments, format);
    write_words(words, sizeof words, format, arguments);
    va_end(arguments);
    set_error(loader, path, at, words);
    return VMRES_PARSE;
}

enum vmres_status vmres__load_no_memory(struct config_loader *loader)
{
    return vmres__error_set(loader->error, VMRES_NOMEM, "%s: out of memory", loader->path);
}
