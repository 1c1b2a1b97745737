/* SPDX-License-Identifier: MIT */
/* Rigs with a contiguous host, and how their blocks are written down. */
#include "support/rig_row.h"

#include <stdio.h>
#include <string.h>

struct rig *row_new(uint32_t capacity)
{
    struct rig *rig = rig_prepare(capacity, 1, true);

    rig->resources[MEMORY].placement = VMRES_PLACEMENT_EXTENT;
    rig_start(rig);
    return rig;
}

void row_adopt(struct rig *rig, uint32_t vm, uint32_t front, uint32_t size,
               enum vmres_status status)
{
    struct rig_vm *it = &rig->vms[vm];
    uint64_t capacity = rig->resources[MEMORY].capacity;
    struct vmres_event event;

    *it = (struct rig_vm){.incarnation = it->incarnation + 1};
    it->devices[MEMORY].valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    event = rig_event(rig, VMRES_EVENT_VM_ADDED, vm);
    event.flags = VMRES_FLAG_ADOPTED;
    rig_told(rig, event);
    rig_told(rig, vmres_event_limits(rig->now, vm, it->incarnation, 0, capacity));
    event = rig_event(rig, VMRES_EVENT_EXTENT, vm);
    event.as.extent.front = front * VMRES_MIB;
    event.as.extent.size = size * VMRES_MIB;
    EXPECT_STATUS(rig_tell(rig, event), status);
    if (status != VMRES_OK) {
        rig_told(rig, rig_event(rig, VMRES_EVENT_VM_GONE, vm));
        return;
    }
    it->present = true;
    it->devices[MEMORY].held = size;
}

void row_expect(const struct rig *rig, const char *row, const char *file, int line)
{
    const struct kind *kind = &rig->engine->kinds[MEMORY];
    char text[512] = "";
    size_t used = 0;

    for (uint32_t vm = kind->lowest; vm != NONE; vm = kind->blocks[vm].above)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u:[%u,%u)", used ? " " : "",
                                 vm, kind->blocks[vm].front, vmres__extent_final(kind, vm));
    _assert_string_equal(text, row, file, line);
}

uint32_t row_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}
