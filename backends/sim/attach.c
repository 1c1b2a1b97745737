/* SPDX-License-Identifier: MIT */
/*
 * How VMs and a driver come together: when the driver is started, when a VM appears, and when one
 * was turned away. Invariant: by_id and the ids of the VMs name each other. A VM has an id from
 * ADDED to LOST while a driver is started; without one, those that run stay as they are, and are
 * adopted by the next. What becomes of a VM afterwards is life.c's.
 */
#include <vmres/operate.h>
#include <vmres/query.h>

#include "internal.h"

enum { RETRY_MS = 1000 };

struct sim_vm *vmres__sim_attach_find(struct vmres_sim *sim, uint32_t id)
{
    if (id >= sim->options.max_vms || sim->by_id[id] == VMRES_VM_NONE)
        return NULL;
    return &sim->vms[sim->by_id[id]];
}

static void take_id(struct vmres_sim *sim, struct sim_vm *vm, uint32_t id)
{
    sim->by_id[id] = vm->index;
    vm->id = id;
    vmres__sim_delay_drop(sim, vm); /* it was for who had the id before */
    vm->incarnation = vmres_driver_vm_incarnation(sim->backend.driver, id);
}

void vmres__sim_attach_forget(struct vmres_sim *sim, struct sim_vm *vm)
{
    /* The id of one that was turned away may be another's by now. */
    if (vm->id != VMRES_VM_NONE && sim->by_id[vm->id] == vm->index) {
        vmres__sim_delay_drop(sim, vm);
        sim->by_id[vm->id] = VMRES_VM_NONE;
    }
    vm->id = VMRES_VM_NONE;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++)
        vmres__sim_shadow_forget(sim, vm, kind);
}

/* The same driver was started again, and still knows it: nothing to add. */
static bool recognise(struct vmres_sim *sim, struct sim_vm *vm)
{
    uint32_t id = vmres_driver_vm_id(sim->backend.driver, vm->name);

    if (id >= sim->options.max_vms)
        return false;
    take_id(sim, vm, id);
    return true;
}

static enum vmres_status add(struct vmres_sim *sim, struct sim_vm *vm, bool ran_before)
{
    struct vmres_vm_limits limits[VMRES_KINDS_MAX];
    struct vmres_vm_spec spec = {
        .name = vm->name, .tag = vm->tag, .adopted = ran_before, .limits = limits};
    enum vmres_status status;
    uint32_t id;

    for (uint8_t kind = 0; kind < sim->kind_count; kind++)
        limits[kind] = vmres__sim_host_limits(&vm->holdings[kind]);
    status = vmres_driver_add_vm(sim->backend.driver, &spec, &id);
    if (status != VMRES_OK)
        return status;
    if (id >= sim->options.max_vms)
        return VMRES_INVALID; /* the driver has room for more VMs than we were told */
    take_id(sim, vm, id);
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) /* in whole granules */
        vm->holdings[kind].told.limit =
            limits[kind].ceiling - limits[kind].ceiling % sim->kinds[kind].resource.granule;
    return VMRES_OK;
}

/* It ran before this driver: what it holds is there to be seen, and where, if that is new. */
static void show(struct vmres_sim *sim, struct sim_vm *vm, bool is_new)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (is_new && vmres__sim_place_matters(sim, kind))
            vmres__sim_place_show(sim, vm, kind);
        (void)vmres__sim_host_observe(sim, vm, kind);
    }
    if (vm->life != SIM_SILENT && vm->life != SIM_SETTLING)
        vmres__sim_life_begin(sim, vm);
}

/* The world before any driver: it holds what the spec says. */
static void furnish(struct vmres_sim *sim, struct sim_vm *vm)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &vm->holdings[kind];

        holding->held = sim_min(holding->limits.initial, holding->limits.ceiling);
        if (vmres__sim_place_matters(sim, kind)) /* a block is cut at granules */
            holding->held -= holding->held % sim->kinds[kind].resource.granule;
        holding->target = holding->held;
        holding->allotted = true;
        vmres__sim_place_settle(sim, holding, kind);
    }
    vm->adopted = false;
    sim->unruly = true; /* nobody saw to it that this fits */
}

/* Asks for its first allotment; what was reserved for it first, if that is ready. */
static void ask_allotment(struct vmres_sim *sim, const struct sim_vm *vm)
{
    if (vm->reservation == 0 ||
        vmres_driver_claim(sim->backend.driver, vm->id, vm->reservation) == VMRES_OK)
        sim->allot_due = true;
}

/* known: the driver may know it. One that was told to be gone it does not, whatever it still has
 * under that name. */
static enum vmres_status introduce(struct vmres_sim *sim, struct sim_vm *vm, bool known)
{
    bool ran_before = vm->adopted || sim_running(vm);
    enum vmres_status status = VMRES_OK;

    known = known && recognise(sim, vm);
    if (!known)
        status = add(sim, vm, ran_before);
    if (status != VMRES_OK)
        return status;
    if (vm->adopted)
        furnish(sim, vm);
    if (ran_before) {
        show(sim, vm, !known);
    } else {
        vmres__sim_life_blank(sim, vm);
        vmres__sim_life_enter(sim, vm, SIM_ADDED);
        ask_allotment(sim, vm);
    }
    return VMRES_OK;
}

enum vmres_status vmres__sim_attach_introduce(struct vmres_sim *sim, struct sim_vm *vm)
{
    return introduce(sim, vm, false);
}

void vmres__sim_attach_allot(struct vmres_sim *sim)
{
    if (sim->allot_due && vmres_driver_allot(sim->backend.driver) == VMRES_OK)
        sim->allot_due = false;
}

/* A driver that was made anew knows the host as it was described at first. */
static void tell_stock(struct vmres_sim *sim)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++)
        sim->kinds[kind].restocked |=
            sim->kinds[kind].resource.capacity != sim->kinds[kind].capacity;
    vmres__sim_host_configure(sim);
}

enum vmres_status vmres__sim_attach_start(struct vmres_sim *sim, const char **culprit)
{
    tell_stock(sim);
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];
        enum vmres_status status = VMRES_OK;

        if (sim_running(vm) || (vm->life == SIM_AWAITED && vm->return_ms <= sim->now))
            status = introduce(sim, vm, true);
        else if (vm->life == SIM_LOST)
            (void)recognise(sim, vm); /* to be told in the first tick */
        /* For want of room it is tried again in every tick. */
        if (status != VMRES_OK && status != VMRES_LIMIT) {
            *culprit = vm->name;
            return status;
        }
    }
    vmres__sim_attach_allot(sim);
    return VMRES_OK;
}

void vmres__sim_attach_stop(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];

        vmres__sim_command_drop(sim, vm);
        vmres__sim_attach_forget(sim, vm);
        if (vm->life == SIM_ADDED)
            vmres__sim_life_enter(sim, vm, SIM_AWAITED);
    }
    sim->allot_due = false;
}

/* What became of one that waits: the engine refuses a VM whose floors the host cannot bear. */
enum fate { TAKEN, UNHEARD, WITHOUT_LIMITS, UNKNOWN };

static enum fate fate_of(const struct vmres_sim *sim, const struct sim_vm *vm)
{
    const struct vmres_engine *engine = vmres_driver_engine(sim->backend.driver);
    struct vmres_account_info account;
    struct vmres_vm_info info;

    if (vmres_engine_vm(engine, vm->id, &info) != VMRES_OK || info.state == VMRES_VM_VACANT ||
        info.incarnation != vm->incarnation)
        return vmres_driver_vm_incarnation(sim->backend.driver, vm->id) == vm->incarnation
                   ? UNHEARD
                   : UNKNOWN;
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        if (vmres_engine_account(engine, vm->id, kind, &account) != VMRES_OK || account.weight == 0)
            return WITHOUT_LIMITS;
    }
    return TAKEN;
}

void vmres__sim_attach_await(struct vmres_sim *sim, struct sim_vm *vm)
{
    uint64_t waited_ms = sim->now - vm->since_ms;

    if (waited_ms == 0 || waited_ms % RETRY_MS >= sim->options.tick_ms)
        return;
    switch (fate_of(sim, vm)) {
    case TAKEN:
        ask_allotment(sim, vm);
        break;
    case UNHEARD: /* nobody has pumped yet */
        break;
    case WITHOUT_LIMITS:
        vmres__sim_life_vanish(sim, vm, sim->now + RETRY_MS);
        break;
    case UNKNOWN:
        vmres__sim_attach_forget(sim, vm);
        vmres__sim_life_enter(sim, vm, SIM_AWAITED);
        break;
    }
}
