/* SPDX-License-Identifier: MIT */
/*
 * Faults: when each begins and ends, and what it does to whom. Those that last are chained to whom
 * they befall, and whoever acts there looks for them (sim_hurt_by); those that change something do
 * so here, when they begin and when they end. Invariant: a fault that is over has left no trace but
 * what it made happen.
 */
#include <string.h>

#include <vmres/operate.h>

#include "internal.h"

static const struct {
    const char *name;
    enum vmres_sim_scope scope;
} faults[] = {
#define FAULT(constant, name, figure, scope) \
    [VMRES_SIM_##constant] = {name, VMRES_SIM_SCOPE_##scope},
    VMRES_SIM_FAULT_LIST(FAULT)
#undef FAULT
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

const char *vmres_sim_fault_name(enum vmres_sim_fault_kind fault)
{
    return (unsigned)fault < FAULTS ? faults[fault].name : NULL;
}

enum vmres_sim_fault_kind vmres_sim_fault_find(const char *name)
{
    for (unsigned i = 1; i < FAULTS; i++) {
        if (strcmp(faults[i].name, name) == 0)
            return (enum vmres_sim_fault_kind)i;
    }
    return VMRES_SIM_NO_FAULT;
}

static bool is_of_host(const struct vmres_sim_fault *fault)
{
    return faults[fault->fault].scope == VMRES_SIM_SCOPE_HOST ||
           faults[fault->fault].scope == VMRES_SIM_SCOPE_STOCK;
}

/* Whether there is what it befalls. */
static bool has_scope(const struct vmres_sim *sim, uint8_t kind, enum vmres_sim_scope scope)
{
    bool giving = sim->kinds[kind].resource.removal == VMRES_REMOVAL_GUEST;
    bool blocks = vmres__sim_place_matters(sim, kind);

    if (scope == VMRES_SIM_SCOPE_GIVING)
        return giving;
    if (scope == VMRES_SIM_SCOPE_HOLDING)
        return giving && !blocks;
    return scope != VMRES_SIM_SCOPE_STOCK || !blocks;
}

static bool is_possible(const struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    if (!vmres_sim_fault_name(fault->fault) || fault->kind >= sim->kind_count ||
        fault->share > VMRES_PPM || (!is_of_host(fault) && fault->vm >= sim->vm_count))
        return false;
    if (fault->fault == VMRES_SIM_FLOOD && fault->amount > VMRES_SIM_FLOOD_MAX)
        return false;
    return has_scope(sim, fault->kind, faults[fault->fault].scope);
}

enum vmres_status vmres_sim_add_fault(struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    struct sim_fault **chain = &sim->host_faults;
    struct sim_fault *added;

    if (!is_possible(sim, fault))
        return VMRES_INVALID;
    if (sim->fault_count == sim->options.max_faults)
        return VMRES_LIMIT;
    added = &sim->faults[sim->fault_count++];
    added->what = *fault;
    if (faults[fault->fault].scope == VMRES_SIM_SCOPE_VM)
        added->what.kind = 0;
    if (is_of_host(fault))
        added->what.vm = VMRES_VM_NONE;
    else
        chain = &sim->vms[fault->vm].holdings[added->what.kind].faults;
    added->next = *chain;
    *chain = added;
    return VMRES_OK;
}

/* When a fault ends, or the VM it took comes back. */
static uint64_t end_of(const struct vmres_sim_fault *fault)
{
    if (fault->for_ms == 0 || fault->at_ms > SIM_NEVER - fault->for_ms)
        return SIM_NEVER;
    return fault->at_ms + fault->for_ms;
}

/* --- what changes when it begins and when it ends --- */

/* The stock of a kind, less all that is missing now; what is kept in reserve is still there. */
static void restock(struct vmres_sim *sim, uint8_t kind)
{
    struct sim_kind *world = &sim->kinds[kind];

    world->resource.capacity = world->capacity;
    for (const struct sim_fault *fault = sim->host_faults; fault; fault = fault->next) {
        if (fault->state == SIM_FAULT_ACTIVE && fault->what.fault == VMRES_SIM_SHRINK &&
            fault->what.kind == kind)
            world->resource.capacity = sim_less(world->resource.capacity, fault->what.amount);
    }
    world->resource.capacity = sim_max(world->resource.capacity, world->resource.reserve);
    world->restocked = true;
    vmres__sim_shadow_relaxed(sim);
    sim->shares_stale = true;
    sim->unruly = true; /* what is held may be more than there is */
}

/* What lies beyond the device's maximum is gone; of a block, what is to leave it first. */
static void cut(const struct vmres_sim *sim, struct sim_holding *holding)
{
    uint8_t kind = (uint8_t)((size_t)(holding - sim->holdings) % sim->kind_count);
    uint64_t gone = sim_less(holding->held, vmres__sim_place_part(sim, kind, holding->most));

    holding->held -= gone;
    if (vmres__sim_place_matters(sim, kind))
        vmres__sim_place_left(holding, gone);
    holding->hidden = sim_min(holding->hidden, holding->held);
    holding->target = sim_min(holding->target, holding->most);
    holding->promise = sim_min(holding->promise, holding->most);
}

/* Limits and maximum as the faults in effect have them. A ceiling alone takes nothing away; a link
 * of a chain may hold a little more. */
static void reconfigure(struct vmres_sim *sim, struct sim_holding *holding)
{
    const struct vmres_sim_fault *ceiling = sim_hurt_by(holding, VMRES_SIM_CEILING);
    const struct vmres_sim_fault *limit = sim_hurt_by(holding, VMRES_SIM_LIMIT);

    holding->limits.ceiling =
        ceiling ? sim_max(ceiling->amount, holding->limits.floor) : holding->ceiling;
    holding->most = limit ? limit->amount : sim_max(holding->ceiling, holding->limits.ceiling);
    if (limit)
        cut(sim, holding);
    vmres__sim_shadow_relaxed(sim);
    holding->unseen = true; /* the maximum, if nothing else */
    holding->reconfigured = true;
    sim->shares_stale = true;
}

/* What one that strikes once does. false: this is one that lasts. */
static bool strike(struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    struct sim_vm *vm = is_of_host(fault) ? NULL : &sim->vms[fault->vm];

    switch (fault->fault) {
    case VMRES_SIM_VANISH:
        if (sim_present(vm))
            vmres__sim_life_vanish(sim, vm, end_of(fault));
        return true;
    case VMRES_SIM_CRASH:
        if (sim_present(vm))
            vmres__sim_life_crash(sim, vm, end_of(fault));
        return true;
    case VMRES_SIM_REBOOT:
    case VMRES_SIM_REBOOT_STALE:
    case VMRES_SIM_REBOOT_EMPTY:
        vmres__sim_life_reboot(sim, vm, fault->fault);
        return true;
    case VMRES_SIM_RESTORE:
        vmres__sim_life_restore(sim, vm, fault->kind, fault->amount);
        return true;
    case VMRES_SIM_RETAKE:
        if (sim_running(vm))
            vmres__sim_device_retake(sim, &vm->holdings[fault->kind], fault->amount);
        return true;
    case VMRES_SIM_SUSPEND:
        sim->now += (fault->amount + sim->options.tick_ms - 1) / sim->options.tick_ms *
                    sim->options.tick_ms;
        return true;
    default:
        return false;
    }
}

/* The manager tells the driver, whatever the link is like; one that is not there is spared. */
static void freeze(struct vmres_sim *sim, const struct sim_vm *vm, bool frozen)
{
    struct vmres_driver *driver = sim->backend.driver;
    enum vmres_status status = VMRES_OK;

    if (vm->id != VMRES_VM_NONE)
        status = frozen ? vmres_driver_freeze(driver, vm->id) : vmres_driver_thaw(driver, vm->id);
    (void)status;
}

/* One that lasts has begun or ended. */
static void turn(struct vmres_sim *sim, const struct vmres_sim_fault *fault, bool begins)
{
    struct sim_holding *holding =
        is_of_host(fault) ? NULL : &sim->vms[fault->vm].holdings[fault->kind];

    switch (fault->fault) {
    case VMRES_SIM_LIE_RELEASED:
        holding->hidden = begins ? holding->hidden : 0;
        break;
    case VMRES_SIM_LIE_HELD: /* it will be pinned at that, and then have it */
        sim->unruly = true;
        break;
    case VMRES_SIM_SCRUB:
        holding->traces = 0;
        break;
    case VMRES_SIM_CEILING:
    case VMRES_SIM_LIMIT:
    case VMRES_SIM_NO_DEVICE:
        reconfigure(sim, holding);
        break;
    case VMRES_SIM_SHRINK:
        restock(sim, fault->kind);
        break;
    case VMRES_SIM_MIGRATE:
        if (begins)
            freeze(sim, &sim->vms[fault->vm], true);
        else if (sim_present(&sim->vms[fault->vm]))
            vmres__sim_life_vanish(sim, &sim->vms[fault->vm], SIM_NEVER);
        break;
    case VMRES_SIM_MIGRATION_FAILS:
    case VMRES_SIM_PAUSE:
        freeze(sim, &sim->vms[fault->vm], begins);
        break;
    case VMRES_SIM_LINK_DOWN:
        if (begins)
            vmres__sim_link_lose(sim);
        else if (!sim_active(sim->host_faults, VMRES_SIM_LINK_DOWN))
            vmres__sim_link_find(sim);
        break;
    default:
        break;
    }
}

/* What one that lasts does in every tick by itself. */
static void work(struct vmres_sim *sim, const struct vmres_sim_fault *fault)
{
    struct sim_vm *vm = is_of_host(fault) ? NULL : &sim->vms[fault->vm];
    struct sim_holding *holding = vm ? &vm->holdings[fault->kind] : NULL;

    if (!vm || !sim_running(vm))
        return;
    if (fault->fault == VMRES_SIM_SELF_DEFLATE)
        vmres__sim_device_retake(sim, holding, sim_less(holding->demand, holding->held));
    else if (fault->fault == VMRES_SIM_SCRUB)
        holding->traces = sim_less(
            holding->traces, (uint64_t)((sim_wide)fault->amount * sim->options.tick_ms / 1000));
    else if (fault->fault == VMRES_SIM_FRAGILE &&
             holding->held < sim_share(holding->demand, fault->share))
        vmres__sim_life_crash(sim, vm, SIM_NEVER);
}

/* --- time --- */

static void finish(struct vmres_sim *sim, struct sim_fault *fault)
{
    bool was_active = fault->state == SIM_FAULT_ACTIVE;

    fault->state = SIM_FAULT_OVER;
    if (was_active)
        turn(sim, &fault->what, false);
}

void vmres_sim_mend(struct vmres_sim *sim, uint32_t vm)
{
    for (uint32_t i = 0; i < sim->fault_count; i++) {
        if (sim->faults[i].what.vm == vm)
            finish(sim, &sim->faults[i]);
    }
}

static void advance(struct vmres_sim *sim, struct sim_fault *fault)
{
    const struct vmres_sim_fault *what = &fault->what;

    if (fault->state == SIM_FAULT_DUE && what->at_ms <= sim->now) {
        fault->state = SIM_FAULT_OVER;
        if (strike(sim, what))
            return;
        fault->state = SIM_FAULT_ACTIVE;
        turn(sim, what, true);
    }
    if (fault->state == SIM_FAULT_ACTIVE && end_of(what) <= sim->now)
        finish(sim, fault);
    else if (fault->state == SIM_FAULT_ACTIVE)
        work(sim, what);
}

void vmres__sim_fault_tick(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->fault_count; i++)
        advance(sim, &sim->faults[i]);
}
