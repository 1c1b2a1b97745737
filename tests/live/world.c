/* SPDX-License-Identifier: MIT */
/*
 * The library over real guests. The loop is turned by hand, so that a test can look at everything
 * in between; what it waits for is always a state, never a time.
 */
#include "live/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#define PATIENCE_MS 60000u

static const char *const names[LIVE_GUESTS] = {"a", "b", "c"};

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

/* --- the world --- */

static const char *name_of(void *user, uint32_t vm)
{
    const struct live_world *world = user;

    return vmres_driver_vm_name(world->driver, vm);
}

static void note(void *user, const struct vmres_trace_record *record)
{
    struct live_world *world = user;
    struct vmres_trace_names labels = {
        .vm_name = name_of, .user = world, .resources = &world->resource, .kinds = 1};
    char line[256];

    if (world->shown)
        world->shown(world, record);
    if (record->level > VMRES_TRACE_INFO)
        return;
    if (record->step == 4 && world->asked_ms == 0)
        world->asked_ms = record->time_ms;
    if (record->step == 8)
        world->taken_ms = record->time_ms;
    (void)vmres_trace_format(record, &labels, line, sizeof line);
    if (world->traced + sizeof line < sizeof world->trace)
        world->traced +=
            (size_t)snprintf(world->trace + world->traced, sizeof line + 1, "%s\n", line);
}

static void boot(struct live_world *world, unsigned count, const struct qemu_options *common,
                 const char *const *words)
{
    memset(world, 0, sizeof *world);
    world->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct qemu_options options = *common;

        options.name = names[i];
        options.words = words ? words[i] : common->words;
        options.mib = GUEST_MIB;
        qemu_start(&world->guests[i], &options);
    }
    for (unsigned i = 0; i < count; i++)
        qemu_wait(&world->guests[i]);
}

void live_boot(struct live_world *world, const char *directory, unsigned count, const char *words,
               const char *const *extra)
{
    struct qemu_options options = {.directory = directory, .words = words, .extra = extra};

    boot(world, count, &options, NULL);
}

void live_boot_each(struct live_world *world, const char *directory, unsigned count,
                    const char *const *words)
{
    struct qemu_options options = {.directory = directory, .reboots = true};

    boot(world, count, &options, words);
}

void live_find(struct live_world *world, const char *directory, unsigned count)
{
    memset(world, 0, sizeof *world);
    world->count = count;
    for (unsigned i = 0; i < count; i++)
        qemu_place(&world->guests[i], directory, names[i]);
}

static void create_driver(struct live_world *world, uint64_t capacity_mib)
{
    struct orders orders = {.sizes = world->sizes};
    struct vmres_policy policy = {.ops = &obedient, .options = &orders};
    struct vmres_driver_options options;

    if (world->judged)
        policy = (struct vmres_policy){.ops = vmres_policy_find("pressure")};
    world->resource = (struct vmres_resource){.name = "memory",
                                              .removal = VMRES_REMOVAL_GUEST,
                                              .granule = 2 * MIB,
                                              .capacity = capacity_mib * MIB,
                                              .tolerance = 16 * MIB};
    vmres_driver_options_init(&options);
    options.engine.max_vms = world->count;
    options.engine.kinds = 1;
    options.engine.resources = &world->resource;
    options.engine.policies = &policy;
    options.engine.period_ms = world->judged ? 1000 : 250;
    if (world->progress_ms)
        options.engine.progress_ms = world->progress_ms;
    options.engine.tracer = (struct vmres_tracer){note, world, VMRES_TRACE_DEBUG};
    options.backend = vmres_kvm_backend(world->kvm);
    EXPECT_OK(vmres_driver_create(&options, &world->driver, NULL));
}

void live_manage(struct live_world *world, uint64_t capacity_mib, uint64_t ceiling_mib)
{
    struct vmres_kvm_options options;

    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(uv_timer_init(&world->loop, &world->clock), 0);
    vmres_kvm_options_init(&options);
    options.max_vms = world->count;
    options.idle_ms = 200;
    options.tolerance = 16 * MIB;
    if (world->poll_ms)
        options.poll_ms = world->poll_ms;
    options.proc = world->proc;
    EXPECT_OK(vmres_kvm_create(&world->loop, &options, &world->kvm, NULL));
    for (unsigned i = 0; i < world->count; i++) {
        struct vmres_kvm_vm_spec spec = {.name = names[i],
                                         .socket = world->guests[i].socket,
                                         .agent = *world->guests[i].agent ? world->guests[i].agent
                                                                          : NULL,
                                         .limits = {.floor = 128 * MIB,
                                                    .ceiling = ceiling_mib * MIB,
                                                    .participation = VMRES_PARTICIPATE_BOTH}};

        world->sizes[i] = GUEST_MIB * MIB;
        if (world->guests[i].pid > 0)
            world->overheads[i] = qemu_overhead(&world->guests[i]);
        EXPECT_OK(vmres_kvm_add_vm(world->kvm, &spec, NULL));
    }
    world->margin = UINT64_MAX;
    create_driver(world, capacity_mib);
    EXPECT_OK(vmres_uv_create(&world->loop, NULL, &world->uv));
    EXPECT_OK(vmres_uv_start(world->uv, world->driver, NULL));
}

void live_let_go(struct live_world *world)
{
    struct vmres_error error;
    uint64_t overhead = 0;

    for (unsigned i = 0; i < world->count; i++)
        overhead += world->overheads[i];
    if (world->margin != UINT64_MAX)
        print_message("held: never closer than %" PRIu64 " MiB to what is charged and stated, of "
                      "which %" PRIu64 " MiB are QEMU's own\n",
                      world->margin / MIB, overhead / MIB);
    EXPECT_OK(vmres_engine_audit(vmres_driver_engine(world->driver), &error));
    vmres_uv_close(world->uv, NULL, NULL);
    vmres_driver_destroy(world->driver);
    vmres_kvm_close(world->kvm, NULL, NULL);
    uv_close((uv_handle_t *)&world->clock, NULL);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

void live_end(struct live_world *world)
{
    if (getenv("VMRES_TRACE"))
        fputs(world->trace, stderr);
    for (unsigned i = 0; i < world->count; i++)
        qemu_end(&world->guests[i]);
}

/* --- watching --- */

/* What is held beyond what may be; negative, as it should be. The processes are looked at first:
 * what they take after that is none of this look's. */
static int64_t excess(struct live_world *world)
{
    int64_t excess = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        uint64_t resident = qemu_resident(&world->guests[i]);

        if (live_state(world, i) == VMRES_VM_VACANT || world->guests[i].pid == 0)
            continue; /* not met yet, or gone; or another process watches */
        excess += (int64_t)resident - (int64_t)live_account(world, i).charge;
        excess -= (int64_t)(world->overheads[i] + world->resource.tolerance);
    }
    return excess;
}

/* QEMU's own memory grows, if only by the code that an emulated guest is translated to: before
 * anything is called wrong, it is measured anew. */
static void watch(struct live_world *world)
{
    int64_t now = excess(world);

    if (now > 0) {
        for (uint32_t i = 0; i < world->count; i++)
            if (qemu_resident(&world->guests[i]) > 0)
                world->overheads[i] = qemu_overhead(&world->guests[i]);
        now = excess(world);
    }
    if (now > 0)
        fail_msg("the processes hold %" PRId64 " bytes more than is charged and stated", now);
    if (now < 0 && (uint64_t)-now < world->margin)
        world->margin = (uint64_t)-now;
}

/* --- waiting --- */

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

void live_until(struct live_world *world, bool (*condition)(struct live_world *world))
{
    uint64_t begin_ms = qemu_now_ms();

    uv_timer_start(&world->clock, tick, 5, 5);
    while (!condition(world) && qemu_now_ms() - begin_ms < PATIENCE_MS) {
        uv_run(&world->loop, UV_RUN_ONCE);
        watch(world);
    }
    uv_timer_stop(&world->clock);
    if (condition(world))
        return;
    fputs(world->trace, stderr);
    for (unsigned i = 0; i < world->count; i++) {
        struct vmres_kvm_vm_info info;

        EXPECT_OK(vmres_kvm_vm(world->kvm, names[i], &info));
        print_error("%s holds %" PRIu64 " MiB: %s\n", names[i], info.held / MIB,
                    info.reason ? info.reason : "takes part");
    }
    fail_msg("what was waited for did not come");
}

bool live_is_adopted(struct live_world *world)
{
    for (uint32_t vm = 0; vm < world->count; vm++)
        if (live_state(world, vm) != VMRES_VM_LIVE)
            return false;
    return true;
}

/* By the device's own word too, for in the books a granule counts as held when its first page is;
 * but that word is read before the books hear of it. */
bool live_is_reached(struct live_world *world)
{
    for (uint32_t vm = 0; vm < world->count; vm++) {
        struct vmres_account_info account = live_account(world, vm);
        struct vmres_kvm_vm_info info;

        EXPECT_OK(vmres_kvm_vm(world->kvm, names[vm], &info));
        if (info.held != world->sizes[vm] || account.held != info.held ||
            account.charge != info.held)
            return false;
    }
    return vmres_engine_settled(vmres_driver_engine(world->driver)) != 0;
}

uint64_t live_reach(struct live_world *world, uint64_t first, uint64_t second)
{
    world->sizes[0] = first;
    world->sizes[1] = second;
    world->asked_ms = 0;
    world->taken_ms = 0;
    live_until(world, live_is_reached);
    return world->asked_ms ? world->taken_ms - world->asked_ms : 0;
}

/* --- what is known --- */

enum vmres_vm_state live_state(const struct live_world *world, uint32_t vm)
{
    struct vmres_vm_info info;

    if (vmres_engine_vm(vmres_driver_engine(world->driver), vm, &info) != VMRES_OK)
        return VMRES_VM_VACANT;
    return info.state;
}

struct vmres_pool_info live_pool(const struct live_world *world)
{
    struct vmres_pool_info pool;

    EXPECT_OK(vmres_engine_pool(vmres_driver_engine(world->driver), 0, &pool));
    return pool;
}

struct vmres_account_info live_account(const struct live_world *world, uint32_t vm)
{
    struct vmres_account_info account = {0};

    if (vmres_engine_account(vmres_driver_engine(world->driver), vm, 0, &account) != VMRES_OK)
        account.held = 0; /* it is not known yet */
    return account;
}

bool live_reason(const struct live_world *world, const char *name, const char *words)
{
    struct vmres_kvm_vm_info info;

    EXPECT_OK(vmres_kvm_vm(world->kvm, name, &info));
    return words ? info.reason && strstr(info.reason, words) : !info.reason;
}
