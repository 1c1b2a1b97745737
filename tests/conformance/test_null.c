/* SPDX-License-Identifier: MIT */
/* The null backend: it is perfect and instant, so that little can go wrong with it. */
#include <stdio.h>

#include <vmres/conformance.h>
#include <vmres/null.h>

#include "instant.h"

static int open(void *user, uint32_t vms)
{
    struct vmres_backend *backend;

    if (vmres_null_create(NULL, &backend) != VMRES_OK)
        return 0;
    instant_open(user, backend, vms);
    return 1;
}

static void close(void *user)
{
    vmres_backend_destroy(((struct instant *)user)->backend);
}

int main(void)
{
    struct instant world;
    const struct vmres_conformance_fixture fixture = {.size = sizeof fixture,
                                                      .name = "null",
                                                      .user = &world,
                                                      .open = open,
                                                      .connect = instant_connect,
                                                      .close = close,
                                                      .tick = instant_tick};

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout) != 0;
}
