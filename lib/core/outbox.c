/* SPDX-License-Identifier: MIT */
/*
 * The outbox: the actions one step hands out. Bounded; whoever would push looks first whether it is
 * full, and leaves the rest of the work marked for the next step.
 */
#include <assert.h>
#include <string.h>

#include "internal.h"

bool vmres__outbox_full(const struct vmres_engine *engine)
{
    return engine->outbox_count == engine->max_actions;
}

struct vmres_action *vmres__outbox_push(struct vmres_engine *engine, uint8_t type, uint32_t vm,
                                        uint8_t kind)
{
    struct vmres_action *action = &engine->outbox[engine->outbox_count++];

    assert(engine->outbox_count <= engine->max_actions);
    memset(action, 0, sizeof *action);
    action->time_ms = engine->now;
    action->type = type;
    action->vm = vm;
    action->kind = kind;
    action->incarnation = vm == VMRES_VM_NONE ? 0 : engine->vms[vm].incarnation;
    engine->counters.actions++;
    return action;
}
