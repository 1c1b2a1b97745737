/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend end to end: two guests are adopted, and what one does not use goes to the other,
 * through all eight steps, or does not where it should not.
 */
#include <string.h>

#include <vmres/policies.h>

#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static const uint64_t at_once = 0, sizes[] = {192 * MIB, 256 * MIB};
static const struct vmres_table table = {
    .rows = 1, .columns = 2, .times_ms = &at_once, .cells = sizes};
static const struct vmres_script_options script = {.targets = &table};

/* One has 256 MiB, the other 192; it should be the other way round. */
static void open_two(struct kvm_world *world)
{
    kvm_world_init(world, 2);
    world->policy = (struct vmres_policy){.ops = vmres_policy_find("script"), .options = &script};
    world->resource.capacity = 448 * MIB;
    world->guests[0].qmp.used = 48 * MIB;
    world->guests[1].qmp.actual = world->guests[1].qmp.target = 192 * MIB;
    world->guests[1].qmp.used = 190 * MIB;
    kvm_world_process(&world->guests[1]);
    kvm_world_create(world);
    kvm_world_add(world, 0, 64, 256);
    kvm_world_add(world, 1, 64, 256);
}

static bool both_moved(void *user)
{
    struct kvm_world *world = user;

    return world->guests[0].qmp.actual == 192 * MIB && world->guests[1].qmp.actual == 256 * MIB &&
           kvm_world_account(world, 1).held == 256 * MIB &&
           kvm_world_account(world, 1).incoming == 0;
}

/* The eight steps, in their order; (1) and (2) are seen again and again. */
static void expect_steps(const struct kvm_world *world)
{
    static const char *const steps[] = {"(1)",     "(2)",     "(3)",     "vm0 (4)",
                                        "vm0 (5)", "vm1 (6)", "vm1 (7)", "vm1 (8)"};
    const char *at = NULL;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *found = kvm_world_find(world, at, steps[i]);

        if (!found)
            fail_msg("step %s is not in the trace:\n%s", steps[i], world->trace);
        at = found;
    }
}

static void test_moves_memory(void **state)
{
    struct kvm_world world;

    (void)state;
    open_two(&world);
    kvm_world_start(&world);
    kvm_world_until(&world, both_moved, &world);
    expect_steps(&world);
    assert_null(kvm_world_find(&world, NULL, "not believed"));
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
