/* SPDX-License-Identifier: MIT */
/*
 * What the operator does is posted to the driver as any event is; the scenario names VMs by index,
 * the driver by id.
 */
#include "operate.h"

static uint32_t id_of(const struct run *run, uint32_t index)
{
    struct vmres_sim_state state;

    if (index >= run->config->vm_count || vmres_sim_vm(run->sim, index, 0, &state) != VMRES_OK)
        return VMRES_VM_NONE;
    return state.vm;
}

void operate(struct run *run, uint64_t at_ms)
{
    const struct vmres_config *config = run->config;

    for (; run->operated < config->operation_count; run->operated++) {
        const struct vmres_config_operation *next = &config->operations[run->operated];
        struct vmres_event event = next->event;

        if (next->at_ms > at_ms)
            return;
        event.vm = id_of(run, event.vm);
        if (event.type == VMRES_EVENT_MOVE)
            event.as.order.recipient = id_of(run, (uint32_t)event.as.order.recipient);
        if (vmres_driver_post(run->driver, &event) == VMRES_OK)
            continue;
        run->astray++;
        (void)fprintf(run->notes, "operator: at %llu ms there is no such VM\n",
                      (unsigned long long)next->at_ms);
    }
}
