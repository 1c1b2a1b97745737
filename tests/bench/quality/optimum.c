/* SPDX-License-Identifier: MIT */
/*
 * Reads one number out of a file of results: {"traces": {NAME: {..., "J_star": NUMBER}}}. Keys of
 * that name deeper inside, or of other traces, are not taken for it.
 */
#include "quality/field.h"

#include <stdlib.h>
#include <string.h>

#include "support/text_file.h"

/* The value of a key of the object that begins at `object`; NULL: it has none such. */
static const char *member(const char *object, const char *key)
{
    size_t length = strlen(key);
    int depth = 0;

    for (const char *at = object; at && *at; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        if ((*at == '}' || *at == ']') && --depth == 0)
            return NULL;
        if (*at != '"')
            continue;
        if (depth == 1 && strncmp(at + 1, key, length) == 0 && at[1 + length] == '"') {
            at += length + 2;
            at += strspn(at, " \t\r\n");
            if (*at == ':')
                return at + 1 + strspn(at + 1, " \t\r\n");
        }
        at = strchr(at + 1, '"'); /* behind the text, be it key or value */
        if (!at)
            return NULL;
    }
    return NULL;
}

double optimum_of(const char *path, const char *trace)
{
    char *text = text_file_read(path);
    const char *at = text ? strchr(text, '{') : NULL;
    double best;

    at = at ? member(at, "traces") : NULL;
    at = at && *at == '{' ? member(at, trace) : NULL;
    at = at && *at == '{' ? member(at, "J_star") : NULL;
    best = at ? strtod(at, NULL) : -1;
    free(text);
    return best;
}
