/* SPDX-License-Identifier: MIT */
/*
 * Builds events, for whoever tells an engine something: pure functions. Here is said which event
 * answers which action.
 */
#include <string.h>

#include "internal.h"

struct vmres_event vmres_event_make(enum vmres_event_type type, uint64_t now_ms, uint32_t vm,
                                    uint32_t incarnation)
{
    struct vmres_event event;

    memset(&event, 0, sizeof event);
    event.type = (uint8_t)type;
    event.time_ms = now_ms;
    event.vm = vm;
    event.incarnation = incarnation;
    return event;
}

struct vmres_event vmres_event_limits(uint64_t now_ms, uint32_t vm, uint32_t incarnation,
                                      uint64_t floor, uint64_t ceiling)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_VM_LIMITS, now_ms, vm, incarnation);

    event.flags = VMRES_FLAG_AUTO;
    event.as.limits.floor = floor;
    event.as.limits.ceiling = ceiling;
    event.as.limits.weight = 1;
    event.as.limits.participation = VMRES_PARTICIPATE_BOTH;
    return event;
}

enum vmres_event_type vmres__event_answering(uint8_t action)
{
    switch (action) {
    case VMRES_ACTION_REQUEST_REMOVAL:
        return VMRES_EVENT_REMOVED;
    case VMRES_ACTION_REASSIGN:
        return VMRES_EVENT_REASSIGNED;
    case VMRES_ACTION_NOTIFY:
        return VMRES_EVENT_INCORPORATED;
    case VMRES_ACTION_PIN:
        return VMRES_EVENT_PINNED;
    default:
        return (enum vmres_event_type)0;
    }
}

struct vmres_event vmres_event_answer(const struct vmres_action *action, uint64_t now_ms,
                                      enum vmres_result result)
{
    struct vmres_event event = vmres_event_make(vmres__event_answering(action->type), now_ms,
                                                action->vm, action->incarnation);

    event.id = action->id;
    event.kind = action->kind;
    event.flags = VMRES_FLAG_FINAL;
    event.result = (uint16_t)result;
    return event;
}
