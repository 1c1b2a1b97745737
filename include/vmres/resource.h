/* SPDX-License-Identifier: MIT */
/*
 * Resource kinds: what the engine moves between virtual machines.
 *
 * The engine does not know memory from CPU rate. It knows up to VMRES_KINDS_MAX *kinds*, fixed when
 * it is created, each described by one struct vmres_resource. Kind 0 is the first of the array.
 *
 * Amounts. Every amount that crosses the public interface in an event, an action or a query is a
 * uint64_t in the kind's unit (bytes, thousandths of a CPU, pieces). Inside, and in what a policy
 * sees, an amount is a uint32_t count of *granules*: the smallest piece the engine ever moves. What
 * is read from a guest or a host is rounded so that an error is safe: holdings up, surplus down.
 * Capacity divided by granule must therefore stay below 2^31 (4 TiB at 2 KiB, 4 PiB at 2 MiB).
 */
#ifndef VMRES_RESOURCE_H
#define VMRES_RESOURCE_H

#include <stdint.h>
#include <vmres/api.h>

VMRES_BEGIN_DECLS

#define VMRES_KINDS_MAX 8u             /* kinds in one engine */
#define VMRES_KIND_NAME_MAX 16u        /* bytes of a kind's name, with its NUL */
#define VMRES_GRANULES_MAX 0x7fffffffu /* granules in a kind's capacity */
#define VMRES_VM_NONE 0xffffffffu      /* "no VM": the free pool, where a transfer names a party */

/* What an amount counts; it decides only how the amount is printed. */
enum vmres_unit {
    VMRES_UNIT_BYTES = 0, /* "1.5GiB" */
    VMRES_UNIT_MILLI = 1, /* thousandths, as of a CPU: "250m" */
    VMRES_UNIT_COUNT = 2, /* pieces, as huge pages of a pool: "12" */
};

/* How allotments lie in the real resource. */
enum vmres_placement {
    VMRES_PLACEMENT_AMOUNT = 0, /* any part will do: a paged host, a CPU rate */
    VMRES_PLACEMENT_EXTENT = 1, /* one contiguous block per VM; its neighbours pass memory along */
};

/* Who takes a resource away from a VM. */
enum vmres_removal {
    VMRES_REMOVAL_GUEST = 0, /* the guest must give it up, and a host witness confirm that */
    VMRES_REMOVAL_HOST = 1,  /* the host enforces it at once, as a CPU quota */
};

/*
 * One kind. `name` is copied (lower case letters, digits and '-', at most VMRES_KIND_NAME_MAX - 1).
 * capacity: what there is; reserve: what of it no VM is ever given; tolerance: by how much a host
 * witness may exceed the charge and still confirm a release (page tables, rounding of a reading).
 * All three and granule are in the kind's unit. granule >= 1; capacity is rounded down to granules,
 * reserve and tolerance up.
 */
struct vmres_resource {
    const char *name;
    enum vmres_unit unit;
    enum vmres_placement placement;
    enum vmres_removal removal;
    uint64_t granule;
    uint64_t capacity;
    uint64_t reserve;
    uint64_t tolerance;
};

VMRES_END_DECLS

#endif
