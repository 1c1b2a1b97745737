/* SPDX-License-Identifier: MIT */
/* Files that a test reads whole. */
#ifndef VMRES_TESTS_TEXT_FILE_H
#define VMRES_TESTS_TEXT_FILE_H

/* A file's text, NUL-terminated, the caller's to free; NULL: it cannot be read to its end. */
char *text_file_read(const char *path);

#endif
