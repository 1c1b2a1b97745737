/* SPDX-License-Identifier: MIT */
/* A toy of a hypervisor with its backend; see toy.c. */
#ifndef TOY_H
#define TOY_H

#include <vmres/vmres.h>

enum { TOY_VMS = 4, TOY_TICK_MS = 100 };

/* So many VMs of 128 MiB, which may have twice as much. The backend is static: there is one toy. */
struct vmres_backend *toy_create(uint32_t vms);
/* A tenth of a second passes: every VM that is on its way moves by 1 MiB. */
void toy_tick(void);

#endif
