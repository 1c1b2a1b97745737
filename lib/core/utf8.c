/* SPDX-License-Identifier: MIT */
/*
 * Reading UTF-8 a character at a time. Invariant: of a text that ends with a NUL nothing behind
 * that is read, and nothing is taken for a character that another spelling is there for.
 */
#include "utf8.h"

size_t vmres__utf8_character(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t lead = (unsigned char)text[0], value;
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    *code = lead;
    if (size == 1)
        return 1;
    if (lead < 0xc0 || lead > 0xf7)
        return 0;
    value = lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | ((unsigned char)text[i] & 0x3f);
    }
    *code = value;
    return value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0
                                                                                          : size;
}

bool vmres__utf8_is_plain(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    if (code == 0x61c || code == 0x200e || code == 0x200f)
        return false;
    return (code < 0x2028 || code > 0x202e) && (code < 0x2066 || code > 0x2069);
}
