/* SPDX-License-Identifier: MIT */
/*
 * The registry: which VM is called what. The engine knows ids, people know names; both are unique
 * among the VMs there are. It also numbers the lives of each id, its incarnations.
 */
#ifndef VMRES_DRIVER_REGISTRY_H
#define VMRES_DRIVER_REGISTRY_H

#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/driver.h>
#include <vmres/status.h>

struct vmres__registry_vm {
    char name[VMRES_VM_NAME_MAX]; /* empty: vacant */
    uint32_t incarnation;         /* the latest; kept while vacant, so that it only ever grows */
    uint32_t born;                /* the one it was added with: older words mean a former VM */
    uint32_t next_vacant;         /* while vacant */
};

struct vmres__registry {
    struct vmres__registry_vm *vms; /* [max_vms] */
    uint32_t *buckets;              /* [mask + 1]: id + 1 by hash of the name, 0 = empty */
    uint32_t max_vms, mask;
    uint32_t used;   /* ids 0 .. used - 1 have been in use */
    uint32_t vacant; /* the first of them that is vacant again, or VMRES_VM_NONE */
};

/* VMRES_NOMEM, or VMRES_OK; then vmres__registry_finish() with the same allocator. */
enum vmres_status vmres__registry_init(struct vmres__registry *registry, uint32_t max_vms,
                                       const struct vmres_allocator *allocator);
void vmres__registry_finish(struct vmres__registry *registry,
                            const struct vmres_allocator *allocator);

/* Gives a name an id, and that id a new incarnation. VMRES_INVALID: empty, too long, or with
 * control characters; VMRES_EXISTS: taken; VMRES_LIMIT: no id is vacant. */
enum vmres_status vmres__registry_add(struct vmres__registry *registry, const char *name,
                                      uint32_t *vm);
/* Makes an id in use vacant. */
void vmres__registry_remove(struct vmres__registry *registry, uint32_t vm);

/* The VM with this id, or NULL when there is none. */
struct vmres__registry_vm *vmres__registry_vm(const struct vmres__registry *registry, uint32_t vm);
/* The id of this name, or VMRES_VM_NONE. */
uint32_t vmres__registry_find(const struct vmres__registry *registry, const char *name);

#endif
