/* SPDX-License-Identifier: MIT */
/*
 * What a guest says of itself: reports when asked, its stored samples, notice when it begins to
 * stall; true as far as its sensors go, or bent by the lies that fault.c has put upon it. What the
 * host sees for itself is host.c's.
 */
#include "internal.h"

enum { NOTICE_STALL = VMRES_STALL_ONE / 20, NOTICE_MS = 1000 };

/* The demand that holds from this tick on. */
static void want(struct sim_holding *holding, uint64_t now)
{
    const struct vmres_sim_demand *wish = &holding->wish;

    while (holding->point < wish->points && wish->at_ms[holding->point] <= now) {
        if (!holding->overridden)
            holding->wanted = wish->amount[holding->point];
        if (wish->cache)
            holding->cache = wish->cache[holding->point];
        holding->point++;
    }
    holding->demand = sim_min(holding->wanted, sim_min(holding->ceiling, holding->most));
}

void vmres__sim_guest_measure(struct vmres_sim *sim, struct sim_vm *vm)
{
    for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
        struct sim_holding *holding = &vm->holdings[kind];
        struct sim_sight sight;

        want(holding, sim->now);
        if (vm->life != SIM_LIVE && vm->life != SIM_ALLOTTED)
            continue;
        sight = (struct sim_sight){holding->demand, holding->cache, holding->held};
        vmres__sim_sensor_measure(&holding->sensor, &sim->options.sensors, &sight);
        vmres__sim_ring_store(&holding->ring, holding->sensor.sample.used);
    }
}

static uint32_t stall_told(const struct sim_holding *holding, uint32_t stall)
{
    const struct vmres_sim_fault *need = sim_hurt_by(holding, VMRES_SIM_LIE_NEED);

    if (sim_hurt_by(holding, VMRES_SIM_LIE_USED))
        return 0;
    return need ? (uint32_t)((uint64_t)need->share * VMRES_STALL_ONE / VMRES_PPM) : stall;
}

/* What it says it uses; its OS counts only what the device says it holds. */
static uint64_t used_told(const struct sim_holding *holding)
{
    uint64_t reading = sim_reading(holding);
    uint64_t used = sim_min(holding->sensor.sample.used, reading);
    const struct vmres_sim_fault *lie = sim_hurt_by(holding, VMRES_SIM_LIE_USED);

    if (lie)
        return sim_share(used, lie->share);
    return sim_hurt_by(holding, VMRES_SIM_LIE_NEED) ? reading : used;
}

static struct vmres_event compose(const struct sim_vm *vm, uint8_t kind)
{
    const struct sim_holding *holding = &vm->holdings[kind];
    struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_REPORT, kind);

    event.valid = VMRES_VALID_USED | VMRES_VALID_AVAILABLE | VMRES_VALID_FREE | VMRES_VALID_STALL;
    event.result = (uint16_t)stall_told(holding, holding->sensor.sample.stall);
    event.as.report.used = used_told(holding);
    event.as.report.available = sim_reading(holding) - event.as.report.used;
    event.as.report.free = sim_less(event.as.report.available, holding->cache);
    event.as.report.samples = 1;
    return event;
}

/* A guest writes what it likes: every word of a report, and which of them hold. */
static void scramble(const struct vmres_sim *sim, struct vmres_event *report)
{
    uint64_t stream = vmres__sim_noise_stream(sim->options.seed ^ sim->now, report->vm,
                                              report->kind, SIM_FOR_CHANCE);

    for (size_t i = 0; i < sizeof report->as.words / sizeof report->as.words[0]; i++)
        report->as.words[i] = vmres__sim_noise_bits(&stream);
    report->valid = (uint16_t)vmres__sim_noise_bits(&stream);
    report->result = (uint16_t)vmres__sim_noise_bits(&stream);
}

/* Answers one inquiry for one kind: what is stored since the last one, then how things stand. */
static void report(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind, uint64_t inquiry)
{
    struct sim_holding *holding = &vm->holdings[kind];
    struct sim_answer stored = vmres__sim_ring_answer(&holding->ring);

    if (!sim_hurt_by(holding, VMRES_SIM_STALE) || holding->report.type == 0) {
        holding->report = compose(vm, kind);
        holding->report.time_ms = sim->now;
        holding->report.as.report.samples = (uint32_t)stored.count;
    }
    holding->report.id = inquiry;
    holding->report.as.report.age_ms = (uint32_t)(sim->now - holding->report.time_ms);
    if (sim_hurt_by(holding, VMRES_SIM_NO_DEVICE))
        holding->report.valid = 0;
    if (sim_hurt_by(holding, VMRES_SIM_GARBAGE))
        scramble(sim, &holding->report);
    if (stored.count > 1 && !sim_hurt_by(holding, VMRES_SIM_STALE)) {
        struct vmres_event event = vmres__sim_host_event(vm, VMRES_EVENT_SAMPLES, kind);

        event.id = inquiry;
        event.as.samples.count = stored.count;
        event.as.samples.last = stored.last;
        event.as.samples.maximum = stored.maximum;
        event.as.samples.mean = stored.mean;
        (void)vmres__sim_host_post(sim, &event);
    }
    (void)vmres__sim_host_post(sim, &holding->report);
}

static bool speaks(const struct sim_vm *vm)
{
    return vm->life == SIM_LIVE && !sim_vm_hurt_by(vm, VMRES_SIM_HANG) &&
           !sim_vm_hurt_by(vm, VMRES_SIM_PAUSE);
}

void vmres__sim_guest_answer(struct vmres_sim *sim, uint64_t inquiry)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];

        if (!speaks(vm)) {
            sim->unanswered |= sim_present(vm);
            continue;
        }
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            if (vmres__sim_host_differs(sim, &vm->holdings[kind]))
                (void)vmres__sim_host_observe(sim, vm, kind);
            report(sim, vm, kind, inquiry);
        }
    }
}

/* Whether it would now give notice, had it not done so just before. */
static void feel(const struct vmres_sim *sim, struct sim_holding *holding)
{
    uint64_t felt = vmres__sim_sensor_stall(holding->sensor.shape, holding->demand, holding->held);
    uint32_t stall = stall_told(holding, (uint32_t)(felt * VMRES_STALL_ONE / SIM_STALL_ONE));
    bool rises = stall >= NOTICE_STALL && !holding->stalled;

    holding->stalled = stall >= NOTICE_STALL;
    if (!rises || sim->now - holding->noticed_ms < NOTICE_MS)
        return;
    holding->noticed_ms = sim->now;
    holding->notice = stall;
}

void vmres__sim_guest_feel(struct vmres_sim *sim)
{
    if (!sim->options.sensors.notices)
        return;
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        if (sim->vms[i].life != SIM_LIVE)
            continue;
        for (uint8_t kind = 0; kind < sim->kind_count; kind++)
            feel(sim, &sim->vms[i].holdings[kind]);
    }
}

static void give_notice(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind,
                        uint32_t stall)
{
    struct vmres_event event = compose(vm, kind);

    event.flags = VMRES_FLAG_NOTICE;
    event.result = (uint16_t)stall;
    (void)vmres__sim_host_post(sim, &event);
}

/* Says the same over and over, every other time as a notice. */
static void flood(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind, uint64_t count)
{
    struct vmres_event event = compose(vm, kind);

    for (uint64_t i = 0; i < count; i++) {
        event.flags = i % 2 == 0 ? 0 : VMRES_FLAG_NOTICE;
        (void)vmres__sim_host_post(sim, &event);
    }
}

void vmres__sim_guest_speak(struct vmres_sim *sim)
{
    for (uint32_t i = 0; i < sim->vm_count; i++) {
        struct sim_vm *vm = &sim->vms[i];

        if (!speaks(vm))
            continue;
        for (uint8_t kind = 0; kind < sim->kind_count; kind++) {
            struct sim_holding *holding = &vm->holdings[kind];
            const struct vmres_sim_fault *many = sim_hurt_by(holding, VMRES_SIM_FLOOD);

            if (holding->notice != 0)
                give_notice(sim, vm, kind, holding->notice);
            holding->notice = 0;
            if (many)
                flood(sim, vm, kind, many->amount);
        }
    }
}
