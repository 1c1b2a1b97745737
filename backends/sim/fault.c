/* SPDX-License-Identifier: MIT */
/*
 * Faults: when each begins and ends, and what it does to whom. A lasting one is a mark upon a
 * holding that device.c and guest.c heed; one that strikes once acts through life.c or device.c.
 * Invariant: the marks are those of the faults that are active now, whatever began or ended first.
 */
#include <string.h>

#include "internal.h"

static const char *const names[] = {NULL,
#define FAULT_NAME(constant, name) name,
                                    VMRES_SIM_FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
};

enum { FAULTS = sizeof names / sizeof names[0] };

const char *vmres_sim_fault_name(enum vmres_sim_fault_kind fault)
{
    return (unsigned)fault < FAULTS ? names[fault] : NULL;
}

enum vmres_sim_fault_kind vmres_sim_fault_find(const char *name)
{
    for (unsigned i = 1; i < FAULTS; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum vmres_sim_fault_kind)i;
    }
    return VMRES_SIM_NO_FAULT;
}

/* Whether it is about a guest that gives something up; where the host takes, no guest can err. */
static bool is_of_releasing(enum vmres_sim_fault_kind fault)
{
    return fault == VMRES_SIM_IGNORE_REQUESTS || fault == VMRES_SIM_SLOW ||
           fault == VMRES_SIM_PARTIAL || fault == VMRES_SIM_RETAKE ||
           fault == VMRES_SIM_LIE_RELEASED;
}

static bool strikes_once(enum vmres_sim_fault_kind fault)
{
    return fault == VMRES_SIM_VANISH || fault == VMRES_SIM_CRASH || fault == VMRES_SIM_REBOOT ||
           fault == VMRES_SIM_RETAKE;
}

enum vmres_status vmres_sim_add_fault(struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    if (!vmres_sim_fault_name(fault->fault) || fault->vm >= sim->vm_count ||
        fault->kind >= sim->options.kinds || fault->share > VMRES_PPM)
        return VMRES_INVALID;
    if (is_of_releasing(fault->fault) &&
        sim->kinds[fault->kind].resource.removal == VMRES_REMOVAL_HOST)
        return VMRES_INVALID;
    if (sim->fault_count == sim->options.max_faults)
        return VMRES_LIMIT;
    sim->faults[sim->fault_count++] = (struct sim_fault){.what = *fault};
    return VMRES_OK;
}

void vmres_sim_mend(struct vmres_sim *sim, uint32_t vm)
{
    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct vmres_sim_fault *what = &sim->faults[i].what;

        if (what->vm != vm)
            continue;
        sim->faults[i].state = SIM_FAULT_OVER;
        sim->vms[vm].holdings[what->kind].hurt = (struct sim_hurt){0};
    }
}

static uint64_t end_of(const struct vmres_sim_fault *fault)
{
    if (fault->for_ms == 0 || fault->for_ms > SIM_NEVER - fault->at_ms)
        return SIM_NEVER;
    return fault->at_ms + fault->for_ms;
}

static void strike(struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    struct sim_vm *vm = &sim->vms[fault->vm];

    if (!sim_present(vm) || vm->life == SIM_LOST)
        return;
    switch (fault->fault) {
    case VMRES_SIM_VANISH:
        vmres__sim_life_vanish(sim, vm, end_of(fault));
        break;
    case VMRES_SIM_CRASH:
        vmres__sim_life_crash(sim, vm, end_of(fault));
        break;
    case VMRES_SIM_REBOOT:
        vmres__sim_life_reboot(sim, vm);
        break;
    default:
        if (sim_running(vm))
            vmres__sim_device_retake(sim, &vm->holdings[fault->kind], fault->amount);
        break;
    }
}

static void mark(struct sim_hurt *hurt, const struct vmres_sim_fault *fault)
{
    hurt->active |= 1u << fault->fault;
    switch (fault->fault) {
    case VMRES_SIM_SLOW:
        hurt->slow = fault->share;
        break;
    case VMRES_SIM_PARTIAL:
        hurt->partial = fault->share;
        break;
    case VMRES_SIM_LIE_USED:
        hurt->used = fault->share;
        break;
    case VMRES_SIM_LIE_NEED:
        hurt->need = fault->share;
        break;
    case VMRES_SIM_FLOOD:
        hurt->flood = fault->amount;
        break;
    default:
        break;
    }
}

/* Moves one fault on by the clock, and clears the marks on whom it lies upon. */
static void advance(struct vmres_sim *sim, struct sim_fault *fault)
{
    const struct vmres_sim_fault *what = &fault->what;

    if (fault->state == SIM_FAULT_DUE && what->at_ms <= sim->now) {
        fault->state = strikes_once(what->fault) ? SIM_FAULT_OVER : SIM_FAULT_ACTIVE;
        if (fault->state == SIM_FAULT_OVER)
            strike(sim, what);
    }
    if (fault->state != SIM_FAULT_ACTIVE)
        return;
    sim->vms[what->vm].holdings[what->kind].hurt = (struct sim_hurt){0};
    if (end_of(what) <= sim->now)
        fault->state = SIM_FAULT_OVER;
}

void vmres__sim_fault_tick(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->fault_count; i++)
        advance(sim, &sim->faults[i]);
    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct vmres_sim_fault *what = &sim->faults[i].what;

        if (sim->faults[i].state == SIM_FAULT_ACTIVE)
            mark(&sim->vms[what->vm].holdings[what->kind].hurt, what);
    }
    /* Where nobody lies any more the device reads what is really held. */
    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct vmres_sim_fault *what = &sim->faults[i].what;
        struct sim_holding *holding = &sim->vms[what->vm].holdings[what->kind];

        if (!sim_hurt_by(holding, VMRES_SIM_LIE_RELEASED))
            holding->hidden = 0;
    }
}
