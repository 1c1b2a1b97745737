/* SPDX-License-Identifier: MIT */
/*
 * One line of text, put together piece by piece into a caller's buffer; its length is counted as if
 * the buffer were endless, as snprintf does. Used by whatever explains itself.
 */
#ifndef VMRES_CORE_TEXT_H
#define VMRES_CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <vmres/resource.h>

struct text {
    char *buffer;
    size_t size, length;
};

struct text vmres__text_begin(char *buffer, size_t size);
void vmres__text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As vmres__text_add("%s"), but what would not read as it is written becomes '?' (utf8.h): names
 * come from outside. */
void vmres__text_add_name(struct text *text, const char *name);
/* "1.5GiB", "250m" or "12". */
void vmres__text_add_amount(struct text *text, enum vmres_unit unit, uint64_t amount);

#endif
