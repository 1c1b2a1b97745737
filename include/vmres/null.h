/* SPDX-License-Identifier: MIT */
/*
 * The null backend: every command is carried out in full, at once, and a VM is live as soon as it
 * has its first allotment. No VMs of its own: add them with vmres_driver_add_vm(), allot, and post
 * their reports yourself. For first steps, tests and walk-throughs. Threads: its driver's.
 */
#ifndef VMRES_NULL_H
#define VMRES_NULL_H

#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/backend.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

/* On success *backend is the caller's to give to vmres_backend_destroy(). allocator NULL = libc.
 * VMRES_NOMEM. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_null_create(
    const struct vmres_allocator *allocator, struct vmres_backend **backend);

VMRES_END_DECLS

#endif
