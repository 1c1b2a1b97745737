/* SPDX-License-Identifier: MIT */
/* A program of somebody else's: it sees the installed package and nothing else. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vmres/units.h>
#include <vmres/version.h>

int main(void)
{
    char buffer[VMRES_UNITS_ROOM];
    uint64_t bytes = 0;

    if (strcmp(vmres_version(), VMRES_VERSION_STRING) != 0)
        return 1;
    if (vmres_parse_size("1.5GiB", &bytes) != VMRES_OK)
        return 1;
    printf("%s is %" PRIu64 " bytes\n", vmres_format_size(buffer, sizeof buffer, bytes), bytes);
    return 0;
}
