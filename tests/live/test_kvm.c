/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend with real guests: two of them are adopted, and 64 MiB move from one to the other,
 * which has let go of them before it gets them. What a test sees for itself, through sockets of its
 * own and in /proc, is compared with what the library says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/query.h>
#include <vmres/uv.h>

#include "live/qemu.h"
#include "support/check.h"

#define MIB ((uint64_t)1 << 20)
#define GUEST_MIB 256u
#define MOVED (64 * MIB)
#define PATIENCE_MS 60000u

static const char *directory;

/* --- a policy that does what the test says --- */

struct orders {
    const uint64_t *sizes; /* by VM id, in bytes */
};

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    const struct orders *orders = state;

    (void)vm_states;
    for (uint32_t vm = 0; vm < round->count; vm++)
        if (round->views[vm].flags & VMRES_VIEW_PRESENT)
            vmres_verdict_set(verdict, vm, (uint32_t)(orders->sizes[vm] / round->granule),
                              "the test says so");
}

static enum vmres_status begin(void *state, const void *options,
                               const struct vmres_policy_host *host)
{
    (void)host;
    memcpy(state, options, sizeof(struct orders));
    return VMRES_OK;
}

static const struct vmres_option_key no_keys[] = {{.name = NULL}};
static const struct orders no_orders;
static const struct vmres_policy_ops obedient = {
    .size = sizeof obedient,
    .name = "obedient",
    .options_size = sizeof(struct orders),
    .defaults = &no_orders,
    .keys = no_keys,
    .state_size = sizeof(struct orders),
    .commands = 1,
    .start = begin,
    .judge = judge,
};

/* --- a host of two guests --- */

struct world {
    struct qemu guests[2];
    uv_loop_t loop;
    uv_timer_t clock;
    struct vmres_kvm *kvm;
    struct vmres_uv *uv;
    struct vmres_driver *driver;
    struct vmres_resource resource;
    uint64_t sizes[2];
    char trace[1 << 16];
    size_t traced;
    uint64_t asked_ms, taken_ms; /* the first request since reach(), the last of step 8 */
};

static void note(void *user, const struct vmres_trace_record *record)
{
    struct world *world = user;
    struct vmres_trace_names names = {.resources = &world->resource, .kinds = 1};
    char line[256];

    if (record->step == 4 && world->asked_ms == 0)
        world->asked_ms = record->time_ms;
    if (record->step == 8)
        world->taken_ms = record->time_ms;
    (void)vmres_trace_format(record, &names, line, sizeof line);
    if (world->traced + sizeof line < sizeof world->trace)
        world->traced +=
            (size_t)snprintf(world->trace + world->traced, sizeof line + 1, "%s\n", line);
}

static void boot(struct world *world)
{
    static const char *const names[] = {"a", "b"};

    for (int i = 0; i < 2; i++)
        qemu_start(&world->guests[i], &(struct qemu_options){.directory = directory,
                                                             .name = names[i],
                                                             .words = "fill",
                                                             .mib = GUEST_MIB});
    for (int i = 0; i < 2; i++)
        qemu_wait(&world->guests[i]);
}

static void create_driver(struct world *world)
{
    struct orders orders = {.sizes = world->sizes};
    struct vmres_policy policy = {.ops = &obedient, .options = &orders};
    struct vmres_driver_options options;

    /* Both have all they could have: more than the host has. One must give first. */
    world->resource = (struct vmres_resource){.name = "memory",
                                              .removal = VMRES_REMOVAL_GUEST,
                                              .granule = 2 * MIB,
                                              .capacity = 2 * GUEST_MIB * MIB - MOVED,
                                              .tolerance = 16 * MIB};
    vmres_driver_options_init(&options);
    options.engine.max_vms = 2;
    options.engine.kinds = 1;
    options.engine.resources = &world->resource;
    options.engine.policies = &policy;
    options.engine.period_ms = 250;
    options.engine.tracer = (struct vmres_tracer){note, world, VMRES_TRACE_INFO};
    options.backend = vmres_kvm_backend(world->kvm);
    EXPECT_OK(vmres_driver_create(&options, &world->driver, NULL));
}

static void manage(struct world *world)
{
    struct vmres_kvm_options options;
    static const char *const names[] = {"a", "b"};

    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(uv_timer_init(&world->loop, &world->clock), 0);
    vmres_kvm_options_init(&options);
    options.max_vms = 2;
    options.idle_ms = 200;
    options.tolerance = 16 * MIB;
    EXPECT_OK(vmres_kvm_create(&world->loop, &options, &world->kvm, NULL));
    for (int i = 0; i < 2; i++) {
        struct vmres_kvm_vm_spec spec = {.name = names[i],
                                         .socket = world->guests[i].socket,
                                         .limits = {.floor = 128 * MIB,
                                                    .ceiling = GUEST_MIB * MIB,
                                                    .participation = VMRES_PARTICIPATE_BOTH}};

        EXPECT_OK(vmres_kvm_add_vm(world->kvm, &spec, NULL));
    }
    create_driver(world);
    EXPECT_OK(vmres_uv_create(&world->loop, NULL, &world->uv));
    EXPECT_OK(vmres_uv_start(world->uv, world->driver, NULL));
}

static void end(struct world *world)
{
    struct vmres_error error;

    EXPECT_OK(vmres_engine_audit(vmres_driver_engine(world->driver), &error));
    vmres_uv_close(world->uv, NULL, NULL);
    vmres_driver_destroy(world->driver);
    vmres_kvm_close(world->kvm, NULL, NULL);
    uv_close((uv_handle_t *)&world->clock, NULL);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

/* --- waiting --- */

static struct vmres_account_info account_of(const struct world *world, uint32_t vm)
{
    struct vmres_account_info account = {0};

    if (vmres_engine_account(vmres_driver_engine(world->driver), vm, 0, &account) != VMRES_OK)
        account.held = 0; /* it is not known yet */
    return account;
}

static bool is_reached(const struct world *world)
{
    for (uint32_t vm = 0; vm < 2; vm++) {
        struct vmres_account_info account = account_of(world, vm);

        if (account.held != world->sizes[vm] || account.charge != world->sizes[vm])
            return false;
    }
    return true;
}

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Returns how long it took, from the request to the donor on. */
static uint64_t reach(struct world *world, uint64_t first, uint64_t second)
{
    uint64_t begin_ms = qemu_now_ms();

    world->sizes[0] = first;
    world->sizes[1] = second;
    world->asked_ms = 0;
    world->taken_ms = 0;
    uv_timer_start(&world->clock, tick, 5, 5);
    while (!is_reached(world) && qemu_now_ms() - begin_ms < PATIENCE_MS)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->clock);
    if (!is_reached(world)) {
        fputs(world->trace, stderr);
        fail_msg("the guests did not come to hold %" PRIu64 " and %" PRIu64 " MiB", first / MIB,
                 second / MIB);
    }
    return world->taken_ms - world->asked_ms;
}

/* --- the device alone, for comparison --- */

static uint64_t shrink_by_hand(struct qemu *guest, uint64_t size)
{
    uint64_t begin_ms = qemu_now_ms();

    qemu_balloon(guest, size);
    while (qemu_actual(guest) > size)
        qemu_pause_ms(2);
    return qemu_now_ms() - begin_ms;
}

static uint64_t grow_by_hand(struct qemu *guest, uint64_t size)
{
    uint64_t begin_ms = qemu_now_ms();

    qemu_balloon(guest, size);
    while (qemu_actual(guest) < size)
        qemu_pause_ms(2);
    return qemu_now_ms() - begin_ms;
}

/* --- tests --- */

static struct world world;

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        qemu_end(&world.guests[i]);
    return 0;
}

static void test_moves_memory(void **state)
{
    const uint64_t all = GUEST_MIB * MIB, less = all - MOVED;
    uint64_t resident, moved_ms, back_ms, hand_ms;

    (void)state;
    boot(&world);
    (void)shrink_by_hand(&world.guests[1], less);
    resident = qemu_resident(&world.guests[0]);
    manage(&world);
    (void)reach(&world, all, less); /* both are adopted */

    moved_ms = reach(&world, less, all);
    assert_int_equal(qemu_actual(&world.guests[0]), less);
    assert_int_equal(qemu_actual(&world.guests[1]), all);
    assert_true(qemu_resident(&world.guests[0]) + MOVED / 2 < resident);
    assert_true(account_of(&world, 0).witness <= less + world.resource.tolerance);
    assert_non_null(strstr(world.trace, "(5)"));
    assert_non_null(strstr(world.trace, "(8)"));

    back_ms = reach(&world, all, less);
    end(&world);
    hand_ms = shrink_by_hand(&world.guests[0], less) + grow_by_hand(&world.guests[1], all);
    print_message("64 MiB: %" PRIu64 " ms there, %" PRIu64 " ms back; by hand %" PRIu64 " ms\n",
                  moved_ms, back_ms, hand_ms);
    if (getenv("VMRES_TRACE"))
        fputs(world.trace, stderr);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_moves_memory, tear_down),
    };

    if (count != 2) {
        fputs("usage: live-kvm DIRECTORY, as filled by tests/live/fetch\n", stderr);
        return 2;
    }
    directory = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
