/* SPDX-License-Identifier: MIT */
/*
 * What a simulated guest measures: noise of the stated deviation, stalls of each shape, samples
 * stored and answered for. Against numbers worked out by hand.
 */
#include "sim/internal.h"
#include "support/check.h"

enum { DRAWS = 200000 };

static void noise_has_the_stated_deviation(void **state)
{
    uint64_t stream = vmres__sim_noise_stream(1, 2, 3, SIM_FOR_STALL);
    double sum = 0, squares = 0;
    double mean, variance;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        double draw = (double)vmres__sim_noise_draw(&stream) / SIM_NOISE_ONE;

        assert_true(draw >= -6 && draw <= 6);
        sum += draw;
        squares += draw * draw;
    }
    mean = sum / DRAWS;
    variance = squares / DRAWS - mean * mean;
    /* Four standard errors: 1 / sqrt(n), and sqrt(2 / n). */
    assert_true(mean > -0.009 && mean < 0.009);
    assert_true(variance > 0.987 && variance < 1.013);
}

static void noise_scales_a_value(void **state)
{
    (void)state;
    assert_int_equal(vmres__sim_noise_add(1000000, 10000, 0), 1000000);
    assert_int_equal(vmres__sim_noise_add(1000000, 0, 3 * SIM_NOISE_ONE), 1000000);
    /* One deviation of 1 % up, two of 20 % down, within what the fraction loses. */
    assert_in_range(vmres__sim_noise_add(1000000, 10000, SIM_NOISE_ONE), 1009999, 1010000);
    assert_in_range(vmres__sim_noise_add(1000000, 200000, -2 * SIM_NOISE_ONE), 600000, 600001);
    assert_int_equal(vmres__sim_noise_add(1000000, 200000, -6 * SIM_NOISE_ONE), 0);
    assert_true(vmres__sim_noise_add(UINT64_MAX - 1, 200000, SIM_NOISE_ONE) == UINT64_MAX);
}

static void streams_differ_by_seed_vm_kind_and_purpose(void **state)
{
    uint64_t here = vmres__sim_noise_stream(1, 1, 1, SIM_FOR_AVAILABLE);

    (void)state;
    assert_true(here == vmres__sim_noise_stream(1, 1, 1, SIM_FOR_AVAILABLE));
    assert_true(here != vmres__sim_noise_stream(2, 1, 1, SIM_FOR_AVAILABLE));
    assert_true(here != vmres__sim_noise_stream(1, 2, 1, SIM_FOR_AVAILABLE));
    assert_true(here != vmres__sim_noise_stream(1, 1, 2, SIM_FOR_AVAILABLE));
    assert_true(here != vmres__sim_noise_stream(1, 1, 1, SIM_FOR_STALL));
}

static void stall_is_the_missing_share_bent_by_a_shape(void **state)
{
    (void)state;
    assert_int_equal(vmres__sim_sensor_stall(SIM_LINE, 100, 100), 0);
    assert_int_equal(vmres__sim_sensor_stall(SIM_LINE, 0, 0), 0);
    /* A quarter is missing: 1/4, its root 1/2, its square 1/16. */
    assert_int_equal(vmres__sim_sensor_stall(SIM_LINE, 100, 75), SIM_STALL_ONE / 4);
    assert_int_equal(vmres__sim_sensor_stall(SIM_ROOT, 100, 75), SIM_STALL_ONE / 2);
    assert_int_equal(vmres__sim_sensor_stall(SIM_SQUARE, 100, 75), SIM_STALL_ONE / 16);
    for (enum sim_shape shape = SIM_ROOT; shape <= SIM_SQUARE; shape++)
        assert_int_equal(vmres__sim_sensor_stall(shape, VMRES_TIB * 1000, 0), SIM_STALL_ONE);
}

static struct vmres_sim_options options_of(enum vmres_sim_stall stall)
{
    struct vmres_sim_options options;

    vmres_sim_options_init(&options);
    options.sensors = (struct vmres_sim_sensors){.stall = stall};
    return options;
}

static void an_exact_sensor_tells_of_this_tick(void **state)
{
    struct vmres_sim_options options = options_of(VMRES_SIM_STALL_EXACT);
    struct sim_sight sight = {.demand = 100, .cache = 30, .held = 75};
    struct sim_sensor sensor;

    (void)state;
    vmres__sim_sensor_init(&sensor, &options, 0, 0);
    vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
    assert_int_equal(sensor.sample.stall, VMRES_STALL_ONE / 4);
    assert_int_equal(sensor.sample.used, 75);
    assert_int_equal(sensor.sample.available, 0);
    sight.demand = 25;
    vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
    assert_int_equal(sensor.sample.stall, 0);
    assert_int_equal(sensor.sample.used, 25);
    assert_int_equal(sensor.sample.available, 50);
    assert_int_equal(sensor.sample.free, 20);
}

static void a_crooked_sensor_is_a_tick_late(void **state)
{
    static const uint32_t bent[] = {[SIM_ROOT] = 5000, [SIM_LINE] = 2500, [SIM_SQUARE] = 625};
    struct vmres_sim_options options = options_of(VMRES_SIM_STALL_CROOKED);
    struct sim_sight sight = {.demand = 100, .held = 75};
    unsigned met = 0;

    (void)state;
    for (uint32_t vm = 0; vm < 32; vm++) {
        struct sim_sensor sensor;

        vmres__sim_sensor_init(&sensor, &options, vm, 0);
        met |= 1u << sensor.shape;
        vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
        assert_int_equal(sensor.sample.stall, 0);
        vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
        assert_int_equal(sensor.sample.stall, bent[sensor.shape]);
    }
    assert_int_equal(met, 7); /* of 32 VMs some have each shape */
}

/* It tells that, not how much: a fiftieth missing looks like half of it. */
static void a_sensor_of_waiting_tells_only_that_something_is_missing(void **state)
{
    static const uint64_t demands[] = {51, 100};
    struct vmres_sim_options options = options_of(VMRES_SIM_STALL_WAITED);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sim_sight sight = {.demand = demands[i], .held = 50};
        struct sim_sensor sensor;
        double sum = 0;

        vmres__sim_sensor_init(&sensor, &options, 0, 0);
        for (int tick = 0; tick < DRAWS / 10; tick++) {
            vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
            assert_true(sensor.sample.stall < 70 * VMRES_STALL_ONE / 100);
            sum += sensor.sample.stall;
        }
        /* Four standard errors around 35 %. */
        assert_true(sum / (DRAWS / 10) > 0.344 * VMRES_STALL_ONE);
        assert_true(sum / (DRAWS / 10) < 0.356 * VMRES_STALL_ONE);
        sight.demand = 50;
        vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
        assert_int_equal(sensor.sample.stall, 0);
    }
}

static void what_is_noisy_stays_within_what_is_held(void **state)
{
    struct vmres_sim_options options;
    struct sim_sight sight = {.demand = 10, .cache = 5, .held = VMRES_GIB};
    struct sim_sensor sensor;
    double sum = 0;

    (void)state;
    vmres_sim_options_init(&options);
    vmres__sim_sensor_init(&sensor, &options, 0, 0);
    for (int i = 0; i < DRAWS / 10; i++) {
        vmres__sim_sensor_measure(&sensor, &options.sensors, &sight);
        assert_true(sensor.sample.available <= sight.held);
        assert_true(sensor.sample.free <= sensor.sample.available);
        assert_true(sensor.sample.used == sight.held - sensor.sample.available);
        sum += (double)sensor.sample.used;
    }
    /* Half of the noise is cut off at what is held; the mean of the other half is
     * 1 % / sqrt(2 pi) = 0.399 %. */
    assert_true(sum / (DRAWS / 10) > 0.0038 * VMRES_GIB);
    assert_true(sum / (DRAWS / 10) < 0.0042 * VMRES_GIB);
}

static void a_ring_answers_once(void **state)
{
    struct sim_ring ring = {0};
    struct sim_answer answer;

    (void)state;
    assert_int_equal(vmres__sim_ring_answer(&ring).count, 0);
    vmres__sim_ring_store(&ring, 10);
    vmres__sim_ring_store(&ring, 40);
    vmres__sim_ring_store(&ring, 20);
    answer = vmres__sim_ring_answer(&ring);
    assert_int_equal(answer.count, 3);
    assert_int_equal(answer.last, 20);
    assert_int_equal(answer.maximum, 40);
    assert_int_equal(answer.mean, 23);
    assert_int_equal(vmres__sim_ring_answer(&ring).count, 0);
    vmres__sim_ring_store(&ring, 7);
    answer = vmres__sim_ring_answer(&ring);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.maximum, 7);
}

static void a_full_ring_forgets_the_oldest(void **state)
{
    struct sim_ring ring = {0};
    struct sim_answer answer;

    (void)state;
    vmres__sim_ring_store(&ring, 1000);
    for (uint64_t i = 1; i <= SIM_RING; i++)
        vmres__sim_ring_store(&ring, i);
    answer = vmres__sim_ring_answer(&ring);
    assert_int_equal(answer.count, SIM_RING);
    assert_int_equal(answer.maximum, SIM_RING);
    assert_int_equal(answer.last, SIM_RING);
    assert_int_equal(answer.mean, (SIM_RING + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_has_the_stated_deviation),
        cmocka_unit_test(noise_scales_a_value),
        cmocka_unit_test(streams_differ_by_seed_vm_kind_and_purpose),
        cmocka_unit_test(stall_is_the_missing_share_bent_by_a_shape),
        cmocka_unit_test(an_exact_sensor_tells_of_this_tick),
        cmocka_unit_test(a_crooked_sensor_is_a_tick_late),
        cmocka_unit_test(a_sensor_of_waiting_tells_only_that_something_is_missing),
        cmocka_unit_test(what_is_noisy_stays_within_what_is_held),
        cmocka_unit_test(a_ring_answers_once),
        cmocka_unit_test(a_full_ring_forgets_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
