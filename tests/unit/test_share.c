/* SPDX-License-Identifier: MIT */
/* Dividing: nothing is left over, nobody gets more than its part, and the order of magnitude of the
 * numbers plays no part. And entitlements, of which the same must be true. */
#include "core/share.h"
#include "support/rig.h"

static void shares_are_exact_for_the_largest_numbers(void **state)
{
    (void)state;
    assert_int_equal(share_of(10, 1, 3), 3);
    assert_int_equal(share_of(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
    assert_int_equal(share_of(UINT64_MAX, 1, 2), UINT64_MAX / 2);
    assert_int_equal(share_of(0, 5, 9), 0);
}

static void portions_add_up(void **state)
{
    uint32_t random = 5;

    (void)state;
    for (uint32_t trial = 0; trial < 3000; trial++) {
        uint32_t parts[16], count = 1 + trial % 16;
        uint64_t total = 0, amount, left, given = 0;

        for (uint32_t i = 0; i < count; i++) {
            random = random * 1664525 + 1013904223;
            parts[i] = trial % 3 == 0 ? (random >> 8) % 4 : random >> (trial % 31);
            total += parts[i];
        }
        random = random * 1664525 + 1013904223;
        left = amount = total == 0 ? 0 : (((uint64_t)random << 20) ^ random) % (total + 1);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t piece = portion(&left, &total, parts[i]);

            assert_true(piece <= parts[i]);
            given += piece;
        }
        assert_int_equal(given, amount);
        assert_int_equal(left, 0);
        assert_int_equal(total, 0);
    }
}

static void portions_are_proportional(void **state)
{
    uint64_t left = 50, total = 100;

    (void)state;
    assert_int_equal(portion(&left, &total, 20), 10);
    assert_int_equal(portion(&left, &total, 60), 30);
    assert_int_equal(portion(&left, &total, 20), 10);
    left = total = 0;
    assert_int_equal(portion(&left, &total, 0), 0);
}

/* Whatever floors, ceilings and weights: within bounds, together never more than there is, and as
 * much as there is unless all are at their ceilings, to within a granule each. */
static void entitlements_use_the_host_up(void **state)
{
    uint32_t random = 11;

    (void)state;
    for (uint32_t trial = 0; trial < 60; trial++) {
        struct rig *rig = rig_new(3000);
        uint32_t sum = 0, ceilings = 0, count = 1 + trial % RIG_VMS;

        for (uint32_t vm = 0; vm < count; vm++) {
            struct vmres_event limits;
            uint32_t floor, ceiling;

            random = random * 1664525 + 1013904223;
            floor = (random >> 8) % 200;
            ceiling = floor + (random >> 16) % 900;
            ceilings += ceiling;
            rig_add(rig, vm, floor, ceiling, NONE);
            limits = vmres_event_limits(0, vm, 1, floor * VMRES_MIB, ceiling * VMRES_MIB);
            limits.as.limits.weight = 1 + (random >> 24);
            rig_told(rig, limits);
        }
        rig_boot(rig);
        rig_round(rig);
        for (uint32_t vm = 0; vm < count; vm++) {
            const struct vmres_view *view = &rig->seen[MEMORY][vm];

            assert_in_range(view->entitlement, view->floor, view->ceiling);
            sum += view->entitlement;
        }
        if (ceilings <= 3000)
            assert_int_equal(sum, ceilings);
        else
            assert_in_range(sum, 3000 - count, 3000);
        rig_delete(rig);
    }
}

/* The largest host and weights there can be. */
static void entitlements_do_not_overflow(void **state)
{
    struct rig *rig = rig_prepare(VMRES_GRANULES_MAX, 1, false);
    struct vmres_event limits;

    (void)state;
    rig->resources[MEMORY].capacity = (uint64_t)VMRES_GRANULES_MAX * VMRES_MIB;
    rig_start(rig);
    for (uint32_t vm = 0; vm < 2; vm++) {
        rig_add(rig, vm, 0, VMRES_GRANULES_MAX, 1000);
        limits = vmres_event_limits(0, vm, 1, 0, (uint64_t)VMRES_GRANULES_MAX * VMRES_MIB);
        limits.as.limits.weight = vm == 0 ? VMRES_WEIGHT_MAX : 1;
        limits.flags = 0;
        limits.as.limits.initial = 1000 * VMRES_MIB;
        rig_told(rig, limits);
    }
    rig_boot(rig);
    rig_round(rig);
    assert_in_range(rig->seen[MEMORY][1].entitlement, 2000, 2148);
    assert_in_range((uint64_t)rig->seen[MEMORY][0].entitlement + rig->seen[MEMORY][1].entitlement,
                    VMRES_GRANULES_MAX - 2, VMRES_GRANULES_MAX);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact_for_the_largest_numbers),
        cmocka_unit_test(portions_add_up),
        cmocka_unit_test(portions_are_proportional),
        cmocka_unit_test(entitlements_use_the_host_up),
        cmocka_unit_test(entitlements_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
