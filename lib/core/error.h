/* SPDX-License-Identifier: MIT */
/*
 * Filling in a struct vmres_error. Private to the libraries: each that needs it has its own copy
 * of error.c, for nothing with a double underscore is exported.
 */
#ifndef VMRES_CORE_ERROR_H
#define VMRES_CORE_ERROR_H

#include <vmres/status.h>

/*
 * Stores `status` and the formatted line in `*error`, cut to fit, and returns `status`, so that a
 * function can fail with `return vmres__error_set(error, VMRES_IO, "...")`. `error` may be NULL.
 * Newlines in the result become blanks: a message is one line.
 */
enum vmres_status vmres__error_set(struct vmres_error *error, enum vmres_status status,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
