/* SPDX-License-Identifier: MIT */
/*
 * Building a host for a test, disturbing it, and reading what is there. A thin layer: all behaviour
 * is the simulator's, all judgement the engine's. Invariant: whatever fails after creation is
 * remembered as a breach, so that the calls of a test need no checks of their own.
 */
#include "harness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <vmres/policies.h>
#include <vmres/units.h>

#include "internal.h"

enum { VMS = 64, QUIET_TICKS = 5 };

static const struct vmres_sim_device device = {
    .release = VMRES_GIB, .grant = 2 * VMRES_GIB, .swap_out = 100 * VMRES_MIB};

void vmres_harness_options_init(struct vmres_harness_options *options)
{
    if (!options)
        return;
    *options = (struct vmres_harness_options){
        .size = sizeof *options, .capacity = 4 * VMRES_GIB, .quiet_ticks = QUIET_TICKS};
    vmres_sim_options_init(&options->sim);
    options->sim.max_vms = VMS;
    options->sim.sensors = (struct vmres_sim_sensors){.stall = VMRES_SIM_STALL_EXACT, .notices = 1};
}

/* The kinds and policies there will be, kept here for whoever makes a driver. */
static void describe(struct vmres_harness *harness)
{
    struct vmres_sim_options *sim = &harness->options.sim;

    if (!sim->resources) {
        harness->resources[0] = (struct vmres_resource){
            .name = "memory", .granule = 2 * VMRES_MIB, .capacity = harness->options.capacity};
        sim->kinds = 1;
        sim->resources = harness->resources;
        if (!sim->devices)
            sim->devices = &device;
    }
    for (uint32_t kind = 0; kind < sim->kinds && kind < VMRES_KINDS_MAX; kind++) {
        harness->resources[kind] = sim->resources[kind];
        (void)snprintf(harness->names[kind], sizeof harness->names[kind], "%s",
                       sim->resources[kind].name);
        harness->resources[kind].name = harness->names[kind];
        harness->policies[kind].ops = vmres_policy_find("pressure");
    }
    if (!harness->options.policies)
        harness->options.policies = harness->policies;
}

static enum vmres_status refuse(struct vmres_error *error, enum vmres_status status,
                                const char *why)
{
    if (error) {
        error->status = status;
        (void)snprintf(error->message, sizeof error->message, "harness: %s", why);
    }
    return status;
}

enum vmres_status vmres_harness_create(const struct vmres_harness_options *options,
                                       struct vmres_harness **harness, struct vmres_error *error)
{
    struct vmres_harness_options defaults;
    struct vmres_harness *created;
    enum vmres_status status;

    vmres_harness_options_init(&defaults);
    if (!options)
        options = &defaults;
    if (options->size < sizeof *options)
        return refuse(error, VMRES_INVALID, "start from vmres_harness_options_init()");
    created = vmres_allocate(options->sim.allocator, 1, sizeof *created);
    if (!created)
        return refuse(error, VMRES_NOMEM, "there is no memory for one");
    created->options = *options;
    if (options->sim.allocator)
        created->heap = *options->sim.allocator;
    describe(created);
    status = vmres_sim_create(&created->options.sim, &created->sim, error);
    if (status != VMRES_OK) {
        vmres_harness_destroy(created);
        return status;
    }
    *harness = created;
    return VMRES_OK;
}

void vmres_harness_destroy(struct vmres_harness *harness)
{
    struct vmres_allocator heap;

    if (!harness)
        return;
    vmres_driver_destroy(harness->driver);
    vmres_sim_destroy(harness->sim);
    heap = harness->heap;
    vmres_release(&heap, harness, 1, sizeof *harness);
}

struct vmres_sim *vmres_harness_sim(struct vmres_harness *harness)
{
    return harness->sim;
}

void vmres__harness_fail(struct vmres_harness *harness, const char *format, ...)
{
    struct vmres_error *breach = &harness->breach;
    va_list arguments;
    int length;

    if (breach->status != VMRES_OK)
        return;
    breach->status = VMRES_BUG;
    length = snprintf(breach->message, sizeof breach->message,
                      "by %" PRIu64 " ms: ", vmres_harness_now(harness));
    va_start(arguments, format);
    (void)vsnprintf(breach->message + length, sizeof breach->message - (size_t)length, format,
                    arguments);
    va_end(arguments);
}

/* Remembers a call that makes no sense. */
static void note(struct vmres_harness *harness, const char *call, enum vmres_status status)
{
    if (status != VMRES_OK)
        vmres__harness_fail(harness, "%s: %s", call, vmres_status_text(status));
}

uint32_t vmres_harness_add(struct vmres_harness *harness, const char *name, uint64_t floor,
                           uint64_t ceiling)
{
    struct vmres_vm_limits limits[VMRES_KINDS_MAX];
    struct vmres_sim_vm_spec spec = {.spec = {.name = name, .limits = limits}};
    uint32_t index = VMRES_VM_NONE;

    for (uint8_t kind = 0; kind < harness->sim->kind_count; kind++)
        limits[kind] = (struct vmres_vm_limits){
            .floor = kind == 0 ? floor : 0,
            .ceiling = kind == 0 ? ceiling : harness->resources[kind].capacity,
            .initial = UINT64_MAX,
            .participation = VMRES_PARTICIPATE_BOTH};
    note(harness, "add", vmres_sim_add_vm(harness->sim, &spec, &index));
    return index;
}

void vmres_harness_driver_options(const struct vmres_harness *harness,
                                  struct vmres_driver_options *options)
{
    vmres_driver_options_init(options);
    options->backend = vmres_sim_backend(harness->sim);
    options->engine.max_vms = harness->options.sim.max_vms;
    options->engine.kinds = harness->sim->kind_count;
    options->engine.resources = harness->resources;
    options->engine.policies = harness->options.policies;
    if (harness->heap.allocate)
        options->engine.allocator = &harness->heap;
}

void vmres_harness_start(struct vmres_harness *harness)
{
    struct vmres_error error = {.status = VMRES_OK};
    struct vmres_driver_options options;

    if (harness->driver) {
        note(harness, "start", VMRES_STATE);
        return;
    }
    vmres_harness_driver_options(harness, &options);
    if (vmres_driver_create(&options, &harness->driver, &error) != VMRES_OK ||
        vmres_driver_start(harness->driver, vmres_harness_now(harness), &error) != VMRES_OK)
        vmres__harness_fail(harness, "start: %s", error.message);
}

struct vmres_driver *vmres_harness_driver(const struct vmres_harness *harness)
{
    return harness->sim->backend.driver;
}

void vmres_harness_want(struct vmres_harness *harness, uint32_t vm, uint8_t kind, uint64_t amount)
{
    note(harness, "want", vmres_sim_set_demand(harness->sim, vm, kind, amount));
}

void vmres_harness_hurt(struct vmres_harness *harness, const struct vmres_sim_fault *fault)
{
    struct vmres_sim_fault from_now = *fault;
    uint64_t now = vmres_harness_now(harness);

    from_now.at_ms += sim_min(now, UINT64_MAX - from_now.at_ms);
    note(harness, "hurt", vmres_sim_add_fault(harness->sim, &from_now));
}

void vmres_harness_mend(struct vmres_harness *harness, uint32_t vm)
{
    vmres_sim_mend(harness->sim, vm);
}

uint64_t vmres_harness_now(const struct vmres_harness *harness)
{
    return vmres_sim_now(harness->sim);
}

struct vmres_sim_state vmres_harness_vm(const struct vmres_harness *harness, uint32_t vm,
                                        uint8_t kind)
{
    struct vmres_sim_state state;

    if (vmres_sim_vm(harness->sim, vm, kind, &state) != VMRES_OK)
        return (struct vmres_sim_state){.vm = VMRES_VM_NONE};
    return state;
}

struct vmres_account_info vmres_harness_account(const struct vmres_harness *harness, uint32_t vm,
                                                uint8_t kind)
{
    const struct vmres_driver *driver = vmres_harness_driver(harness);
    struct vmres_account_info account;

    if (!driver ||
        vmres_engine_account(vmres_driver_engine(driver), vmres_harness_vm(harness, vm, kind).vm,
                             kind, &account) != VMRES_OK)
        return (struct vmres_account_info){.charge = 0};
    return account;
}

enum vmres_vm_state vmres_harness_state(const struct vmres_harness *harness, uint32_t vm)
{
    const struct vmres_driver *driver = vmres_harness_driver(harness);
    struct vmres_vm_info info;

    if (!driver || vmres_engine_vm(vmres_driver_engine(driver), vmres_harness_vm(harness, vm, 0).vm,
                                   &info) != VMRES_OK)
        return VMRES_VM_VACANT;
    return info.state;
}
