/* SPDX-License-Identifier: MIT */
/*
 * The harness, as its two files share it: harness.c builds and asks, harness_watch.c turns the
 * clock and looks on.
 */
#ifndef VMRES_SIM_HARNESS_H
#define VMRES_SIM_HARNESS_H

#include <stdbool.h>
#include <vmres/harness.h>

struct vmres_harness {
    struct vmres_allocator heap;
    struct vmres_harness_options options;
    struct vmres_resource resources[VMRES_KINDS_MAX];
    char names[VMRES_KINDS_MAX][VMRES_KIND_NAME_MAX];
    struct vmres_policy policies[VMRES_KINDS_MAX];
    struct vmres_sim *sim;
    struct vmres_driver *driver; /* its own, or NULL */
    struct vmres_error breach;   /* the first; VMRES_OK: none yet */
};

/* Remembers what went wrong, unless something did before. */
void vmres__harness_fail(struct vmres_harness *harness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
