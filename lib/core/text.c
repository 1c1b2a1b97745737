/* SPDX-License-Identifier: MIT */
/*
 * Building a line. What does not fit is counted and dropped; the buffer always ends with a NUL.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

#include <vmres/units.h>

#include "utf8.h"

struct text vmres__text_begin(char *buffer, size_t size)
{
    if (size > 0)
        buffer[0] = '\0';
    return (struct text){buffer, size, 0};
}

void vmres__text_add(struct text *text, const char *format, ...)
{
    size_t left = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(left > 0 ? text->buffer + text->length : NULL, left, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->length += (size_t)length;
}

void vmres__text_add_name(struct text *text, const char *name)
{
    while (*name != '\0') {
        uint32_t code;
        size_t length = vmres__utf8_character(name, &code);

        if (length > 0 && vmres__utf8_is_plain(code))
            vmres__text_add(text, "%.*s", (int)length, name);
        else
            vmres__text_add(text, "?");
        name += length > 0 ? length : 1;
    }
}

void vmres__text_add_amount(struct text *text, enum vmres_unit unit, uint64_t amount)
{
    char buffer[VMRES_UNITS_ROOM];

    if (unit == VMRES_UNIT_COUNT)
        vmres__text_add(text, "%llu", (unsigned long long)amount);
    else
        vmres__text_add(text, "%s",
                        unit == VMRES_UNIT_BYTES ? vmres_format_size(buffer, sizeof buffer, amount)
                                                 : vmres_format_cpu(buffer, sizeof buffer, amount));
}
