/* SPDX-License-Identifier: MIT */
/*
 * A world in which all happens at once: VMs of 256 MiB, which the embedder adds, over a backend
 * that needs no time. What test_null.c and test_defects.c have in common.
 */
#ifndef VMRES_TESTS_INSTANT_H
#define VMRES_TESTS_INSTANT_H

#include <vmres/conformance.h>

/* The fixture's `user`. */
struct instant {
    struct vmres_backend *backend;
    struct vmres_resource memory;
    uint32_t vms;
    uint64_t now_ms;
};

/* A world anew, over this backend. */
void instant_open(struct instant *world, struct vmres_backend *backend, uint32_t vms);

/* Of a fixture: */
struct vmres_driver *instant_connect(void *user, struct vmres_driver_options *options);
void instant_tick(void *user, uint64_t now_ms);

#endif
