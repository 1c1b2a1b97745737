/* SPDX-License-Identifier: MIT */
/* Statuses in words. Knows nothing but the list in the header. */
#include <vmres/status.h>

const char *vmres_status_text(enum vmres_status status)
{
    switch (status) {
#define STATUS_TEXT(name, number, text) \
    case VMRES_##name: \
        return text;
        VMRES_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

const char *vmres_status_name(enum vmres_status status)
{
    switch (status) {
#define STATUS_NAME(name, number, text) \
    case VMRES_##name: \
        return #name;
        VMRES_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "?";
}
