/* SPDX-License-Identifier: MIT */
/*
 * Noise in integers, the same on every machine: a 64-bit mixing generator, and from it draws whose
 * mean is 0 and whose standard deviation is SIM_NOISE_ONE. Each VM, kind and purpose has a stream
 * of its own, so that what one VM does changes no other's noise. Knows nothing of sensors.
 */
#include "internal.h"

/* The golden ratio's step keeps the states apart, the mixing makes neighbours look unrelated
 * (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t vmres__sim_noise_bits(uint64_t *stream)
{
    uint64_t bits = *stream += 0x9e3779b97f4a7c15u;

    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

uint64_t vmres__sim_noise_stream(uint64_t seed, uint32_t vm, uint8_t kind, enum sim_purpose purpose)
{
    uint64_t stream = seed;

    stream = vmres__sim_noise_bits(&stream) ^ vm;
    stream = vmres__sim_noise_bits(&stream) ^ ((uint64_t)kind << 8 | (uint64_t)purpose);
    return vmres__sim_noise_bits(&stream);
}

/*
 * The sum of twelve even draws from 0 .. 65535 is close to a bell curve, of mean 12 * 32767.5 and,
 * since an even draw's variance is a twelfth of its squared width, of deviation 65536.
 */
int32_t vmres__sim_noise_draw(uint64_t *stream)
{
    int32_t sum = 0;

    for (int i = 0; i < 3; i++) {
        uint64_t bits = vmres__sim_noise_bits(stream);

        for (int part = 0; part < 4; part++, bits >>= 16)
            sum += (int32_t)(bits & 0xffff);
    }
    return sum - 12 * 65535 / 2;
}

uint64_t vmres__sim_noise_add(uint64_t value, uint32_t deviation_ppm, int32_t draw)
{
    uint64_t size = draw < 0 ? (uint64_t) - (int64_t)draw : (uint64_t)draw;
    /* In 1 / 2^24, so that one multiplication of the value is left; below 2^48. */
    uint64_t part = (deviation_ppm * size << 8) / VMRES_PPM;
    uint64_t error = (uint64_t)((sim_wide)value * part >> 24);

    if (draw < 0)
        return sim_less(value, error);
    return error > UINT64_MAX - value ? UINT64_MAX : value + error;
}
