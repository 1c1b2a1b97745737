/* SPDX-License-Identifier: MIT */
/*
 * What a guest's OS measures of itself, once a tick, noise and crookedness included. A stall is the
 * missing share of the demand, bent by a shape that is hidden per VM; a crooked sensor also shows
 * it a tick late. One that tells of the time waited says no more than that something is missing: so
 * does Linux (PSI), measured in guests short of 2 to 40 %. Invariants: available <= held, free <=
 * available. Knows neither lies nor hosts.
 */
#include "internal.h"

#define WAITED_MOST (SIM_STALL_ONE / 10 * 7)

/* The largest root with root * root <= square, a bit at a time. */
static uint64_t root_of(uint64_t square)
{
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 31; bit != 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= square)
            root |= bit;
    }
    return root;
}

uint32_t vmres__sim_sensor_stall(enum sim_shape shape, uint64_t demand, uint64_t held)
{
    uint64_t part;

    if (demand <= held)
        return 0;
    part = (uint64_t)((sim_wide)(demand - held) * SIM_STALL_ONE / demand);
    if (shape == SIM_ROOT)
        part = root_of(part * SIM_STALL_ONE);
    else if (shape == SIM_SQUARE)
        part = part * part / SIM_STALL_ONE;
    return (uint32_t)part;
}

/* This tick's stall, before noise. */
static uint32_t stall_now(struct sim_sensor *sensor, enum vmres_sim_stall kind,
                          const struct sim_sight *sight)
{
    uint64_t bits;

    if (kind != VMRES_SIM_STALL_WAITED)
        return vmres__sim_sensor_stall(sensor->shape, sight->demand, sight->held);
    bits = vmres__sim_noise_bits(&sensor->stall_stream);
    return sight->demand > sight->held ? (uint32_t)(bits % WAITED_MOST) : 0;
}

void vmres__sim_sensor_init(struct sim_sensor *sensor, const struct vmres_sim_options *options,
                            uint32_t vm, uint8_t kind)
{
    uint64_t hash = vmres__sim_noise_stream(options->seed, vm, kind, SIM_FOR_SHAPE);

    *sensor = (struct sim_sensor){
        .available_stream = vmres__sim_noise_stream(options->seed, vm, kind, SIM_FOR_AVAILABLE),
        .stall_stream = vmres__sim_noise_stream(options->seed, vm, kind, SIM_FOR_STALL),
        .shape = options->sensors.stall == VMRES_SIM_STALL_CROOKED ? (enum sim_shape)(hash % 3)
                                                                   : SIM_LINE,
    };
}

void vmres__sim_sensor_measure(struct sim_sensor *sensor, const struct vmres_sim_sensors *sensors,
                               const struct sim_sight *sight)
{
    struct sim_sample *sample = &sensor->sample;
    uint32_t raw = stall_now(sensor, sensors->stall, sight);
    uint64_t stall = sensors->stall == VMRES_SIM_STALL_CROOKED ? sample->raw : raw;
    uint64_t idle = sim_less(sight->held, sight->demand);

    /* Both streams advance every tick, so that noise does not depend on what happens. */
    idle = vmres__sim_noise_add(idle, sensors->available_noise,
                                vmres__sim_noise_draw(&sensor->available_stream));
    stall = vmres__sim_noise_add(stall, sensors->stall_noise,
                                 vmres__sim_noise_draw(&sensor->stall_stream));
    sample->raw = raw;
    sample->available = sim_min(idle, sight->held);
    sample->free = sim_less(sample->available, sight->cache);
    sample->used = sight->held - sample->available;
    sample->stall = (uint32_t)(sim_min(stall, SIM_STALL_ONE) * VMRES_STALL_ONE / SIM_STALL_ONE);
}
