/* SPDX-License-Identifier: MIT */
/*
 * QEMU may die, or be restarted, at any moment: for every byte of a first conversation there is a
 * guest whose connection ends just there. All must be found and adopted in the end.
 */
#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static bool all_are_live(void *user)
{
    struct kvm_world *world = user;

    for (unsigned i = 0; i < world->count; i++)
        if (!kvm_guest_is_live(&world->guests[i]))
            return false;
    return true;
}

/* Every guest's first connection is closed one byte later than that of the one before. */
static void cut_at(unsigned first, unsigned count)
{
    struct kvm_world world;

    kvm_world_init(&world, count);
    world.resource.capacity = count * 256 * MIB;
    world.driver_options.engine.tracer.level = VMRES_TRACE_INFO; /* they are many */
    kvm_world_create(&world);
    for (unsigned i = 0; i < count; i++)
        kvm_world_add(&world, i, 64, 256);
    for (unsigned i = 0; i < count; i++)
        world.guests[i].qmp.cut = first + i;
    kvm_world_start(&world);
    kvm_world_until(&world, all_are_live, &world);
    for (unsigned i = 0; i < count; i++) {
        assert_true(world.guests[i].qmp.connections >= 2);
        assert_int_equal(kvm_world_account(&world, i).charge, 256 * MIB);
    }
    kvm_world_close(&world);
}

static void test_cut_off_at_every_byte(void **state)
{
    enum { BATCH = 200, BYTES = 1000 };

    (void)state;
    for (unsigned first = 1; first < BYTES; first += BATCH)
        cut_at(first, BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off_at_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
