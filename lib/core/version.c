/* SPDX-License-Identifier: MIT */
/* The version of the library that is running, as against that of the headers compiled with. */
#include <vmres/version.h>

const char *vmres_version(void)
{
    return VMRES_VERSION_STRING;
}

int vmres_version_number(void)
{
    return VMRES_VERSION_NUMBER;
}
