/* SPDX-License-Identifier: MIT */
/*
 * Which vmres this is: the one compiled against (macros) and the one running (function).
 *
 * Versions are semantic: within one MAJOR a newer library runs what an older one ran. While MAJOR
 * is 0 that promise holds within one MINOR.
 */
#ifndef VMRES_VERSION_H
#define VMRES_VERSION_H

#include <vmres/api.h>

VMRES_BEGIN_DECLS

#define VMRES_VERSION_MAJOR 0
#define VMRES_VERSION_MINOR 1
#define VMRES_VERSION_PATCH 0
#define VMRES_VERSION_STRING "0.1.0"

/* One number to compare versions by, in the preprocessor too. */
#define VMRES_VERSION_NUMBER \
    (VMRES_VERSION_MAJOR * 1000000 + VMRES_VERSION_MINOR * 1000 + VMRES_VERSION_PATCH)

/* Returns the version of the library in use, a constant such as "0.1.0". Any thread. */
VMRES_API const char *vmres_version(void);

/* Returns the version of the library in use as VMRES_VERSION_NUMBER counts it. Any thread. */
VMRES_API int vmres_version_number(void);

VMRES_END_DECLS

#endif
