/* SPDX-License-Identifier: MIT */
/* The registry: names and ids are one to one, and the lives of an id only ever count up. */
#include "driver/registry.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/failing_allocator.h"

static struct vmres__registry registry;

static int setup(void **state)
{
    (void)state;
    EXPECT_OK(vmres__registry_init(&registry, 40, NULL));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres__registry_finish(&registry, NULL);
    return 0;
}

static uint32_t add(const char *name)
{
    uint32_t vm = VMRES_VM_NONE;

    EXPECT_OK(vmres__registry_add(&registry, name, &vm));
    return vm;
}

static void a_name_gets_an_id_and_back(void **state)
{
    uint32_t vm = add("web");

    (void)state;
    assert_int_equal(vmres__registry_find(&registry, "web"), vm);
    assert_string_equal(vmres__registry_vm(&registry, vm)->name, "web");
    assert_int_equal(vmres__registry_find(&registry, "we"), VMRES_VM_NONE);
    assert_null(vmres__registry_vm(&registry, vm + 1));
    assert_null(vmres__registry_vm(&registry, VMRES_VM_NONE));
}

static void a_name_is_taken_until_it_is_removed(void **state)
{
    uint32_t first = add("web"), again = 77;

    (void)state;
    EXPECT_STATUS(vmres__registry_add(&registry, "web", &again), VMRES_EXISTS);
    assert_int_equal(again, 77);
    vmres__registry_remove(&registry, first);
    assert_int_equal(vmres__registry_find(&registry, "web"), VMRES_VM_NONE);
    assert_null(vmres__registry_vm(&registry, first));
    assert_int_equal(add("web"), first);
}

static void each_life_of_an_id_has_a_higher_number(void **state)
{
    uint32_t last = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        uint32_t vm = add(i % 2 ? "odd" : "even");
        struct vmres__registry_vm *found = vmres__registry_vm(&registry, vm);

        assert_int_equal(vm, 0);
        assert_true(found->incarnation > last);
        assert_int_equal(found->born, found->incarnation);
        found->incarnation += 3; /* reboots */
        last = found->incarnation;
        vmres__registry_remove(&registry, vm);
    }
}

static void names_must_be_names(void **state)
{
    char name[VMRES_VM_NAME_MAX + 1];
    uint32_t vm;

    (void)state;
    EXPECT_STATUS(vmres__registry_add(&registry, NULL, &vm), VMRES_INVALID);
    EXPECT_STATUS(vmres__registry_add(&registry, "", &vm), VMRES_INVALID);
    EXPECT_STATUS(vmres__registry_add(&registry, "a\nb", &vm), VMRES_INVALID);
    memset(name, 'x', sizeof name);
    name[VMRES_VM_NAME_MAX] = '\0';
    EXPECT_STATUS(vmres__registry_add(&registry, name, &vm), VMRES_INVALID);
    name[VMRES_VM_NAME_MAX - 1] = '\0';
    EXPECT_OK(vmres__registry_add(&registry, name, &vm));
    assert_int_equal(vmres__registry_find(&registry, name), vm);
}

static void there_is_a_last_id(void **state)
{
    uint32_t vm;

    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "vm%d", i);
        assert_int_equal(add(name), i);
    }
    EXPECT_STATUS(vmres__registry_add(&registry, "one more", &vm), VMRES_LIMIT);
    vmres__registry_remove(&registry, 17);
    assert_int_equal(add("one more"), 17);
}

/* Names come and go in a fixed disorder; after each change all those there are must be found. */
static void removal_leaves_no_gap_in_the_table(void **state)
{
    uint32_t ids[40], random = 1;

    (void)state;
    memset(ids, 0xff, sizeof ids);
    for (int step = 0; step < 4000; step++) {
        char name[16];
        uint32_t which;

        random = random * 1664525u + 1013904223u;
        which = (random >> 16) % 40;
        snprintf(name, sizeof name, "vm%u", which);
        if (ids[which] == VMRES_VM_NONE) {
            ids[which] = add(name);
        } else {
            vmres__registry_remove(&registry, ids[which]);
            ids[which] = VMRES_VM_NONE;
        }
        for (uint32_t i = 0; i < 40; i++) {
            snprintf(name, sizeof name, "vm%u", i);
            assert_int_equal(vmres__registry_find(&registry, name), ids[i]);
        }
    }
}

static void every_failed_allocation_is_clean(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct failing_allocator heap;
        struct vmres__registry made;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        status = vmres__registry_init(&made, 4, &heap.allocator);
        if (status == VMRES_OK)
            vmres__registry_finish(&made, &heap.allocator);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK)
            break;
        EXPECT_STATUS(status, VMRES_NOMEM);
    }
}

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REGISTRY(a_name_gets_an_id_and_back),
        WITH_REGISTRY(a_name_is_taken_until_it_is_removed),
        WITH_REGISTRY(each_life_of_an_id_has_a_higher_number),
        WITH_REGISTRY(names_must_be_names),
        WITH_REGISTRY(there_is_a_last_id),
        WITH_REGISTRY(removal_leaves_no_gap_in_the_table),
        cmocka_unit_test(every_failed_allocation_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
