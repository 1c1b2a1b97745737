/* SPDX-License-Identifier: MIT */
/*
 * Characters of names that come from outside. Private to the libraries: each that needs it has its
 * own copy of utf8.c, for nothing with a double underscore is exported.
 */
#ifndef VMRES_CORE_UTF8_H
#define VMRES_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the UTF-8 character that `text` begins with, and which it is; 0: it begins with
 * none. The end of the text is a character too. */
size_t vmres__utf8_character(const char *text, uint32_t *code);
/* Whether a line it stands in still reads as it was written: it is no control character, ends no
 * line, and turns no other round. */
bool vmres__utf8_is_plain(uint32_t code);

#endif
