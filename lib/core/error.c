/* SPDX-License-Identifier: MIT */
/*
 * The one place where the words of an error are put together. The message is always terminated and
 * always one line, whatever a hypervisor or a configuration file put into it.
 */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

enum vmres_status vmres__error_set(struct vmres_error *error, enum vmres_status status,
                                   const char *format, ...)
{
    va_list arguments;

    if (!error)
        return status;
    error->status = status;
    error->message[0] = '\0';
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (char *c = error->message; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    return status;
}
