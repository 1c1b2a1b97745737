/* SPDX-License-Identifier: MIT */
/* The picture of one run of a host, or of several under each other. */
#ifndef VMRES_SHOW_SVG_H
#define VMRES_SHOW_SVG_H

#include <stdint.h>
#include <stdio.h>

#include <vmres/resource.h>

#include "history.h"

/* One kind of resource of a host, over time. */
struct scene {
    const char *title; /* above the stack */
    const struct vmres_resource *resource;
    const struct history *history;
    const char *const *names; /* of the VMs */
    double seconds;           /* at the right edge; the history may end before */
    uint8_t kind;             /* of the history */
};

struct picture {
    const char *title, *subtitle;
    const char *first; /* what the dotted line is called */
    const struct scene *scenes;
    uint32_t count;
};

void svg_write(const struct picture *picture, FILE *file);

#endif
