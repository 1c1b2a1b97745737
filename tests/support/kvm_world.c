/* SPDX-License-Identifier: MIT */
/*
 * The world is real but for QEMU and /proc: sockets, loop, driver and engine are those of the
 * library. Its intervals are short, so that what takes seconds on a host takes milliseconds here;
 * nothing is asserted about them.
 */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "support/kvm_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/internal.h"
#include "support/check.h"

#define PATH_ROOM 192

/* --- /proc --- */

static void place(const struct kvm_guest *guest, const char *name, char path[static PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/proc/%d/%s", guest->world->directory, guest->pid, name);
}

static FILE *create(const struct kvm_guest *guest, const char *name)
{
    char path[PATH_ROOM];
    FILE *file;

    place(guest, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void write_status(const struct kvm_guest *guest, uint64_t resident)
{
    FILE *file = create(guest, "status");

    fprintf(file, "Name:\tqemu-system-x86\nVmLck:\t%8" PRIu64 " kB\nVmPin:\t       0 kB\n",
            guest->locked / 1024);
    fprintf(file, "VmRSS:\t%8" PRIu64 " kB\nVmSwap:\t%8d kB\nHugetlbPages:\t%8" PRIu64 " kB\n",
            (resident - KVM_WORLD_MIB - guest->huge) / 1024, 1024, guest->huge / 1024);
    fclose(file);
}

static void write_smaps(const struct kvm_guest *guest, FILE *file)
{
    uint64_t base = guest->qmp.actual + guest->qmp.pinned, mem = guest->qmp.mem_size;
    uint64_t second = guest->split ? guest->qmp.mem_max / 2 : 0;
    uint64_t second_held = guest->split ? mem / 2 : 0;
    uint64_t node = guest->numa ? guest->qmp.base / 2 : 0;
    uint64_t node_held = guest->numa ? base / 2 : 0;
    const struct {
        uint64_t size, resident;
    } maps[] = {{guest->qmp.base - node, base - node_held},
                {node, node_held},
                {guest->qmp.mem_max - second, mem - second_held},
                {second, second_held},
                {64 * KVM_WORLD_MIB, guest->overhead}};
    uint64_t at = 0x7f0000000000;

    for (size_t i = 0; guest->smaps && i < sizeof maps / sizeof *maps; i++) {
        if (maps[i].size == 0)
            continue;
        fprintf(file, "%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 0 \nSize: %8" PRIu64 " kB\n", at,
                at + maps[i].size, maps[i].size / 1024);
        fprintf(file, "Rss:            %8" PRIu64 " kB\nSwap:                  0 kB\n",
                maps[i].resident / 1024);
        at += maps[i].size + 4096;
    }
    fclose(file);
}

/* In their place lies a pipe, which can be opened when somebody writes into it. */
static void make_slow(const struct kvm_guest *guest)
{
    struct stat status;
    char path[PATH_ROOM];

    place(guest, "smaps", path);
    if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
        return;
    (void)remove(path);
    assert_int_equal(mkfifo(path, 0600), 0);
}

FILE *kvm_world_reader(struct kvm_guest *guest)
{
    char path[PATH_ROOM];
    FILE *pipe;
    int fd;

    place(guest, "smaps", path);
    while ((fd = open(path, O_WRONLY | O_NONBLOCK)) < 0)
        kvm_world_turn(guest->world, 1); /* nobody reads it yet */
    pipe = fdopen(fd, "w");
    assert_non_null(pipe);
    return pipe;
}

void kvm_world_survey(struct kvm_guest *guest, FILE *pipe)
{
    FILE *reader = pipe ? pipe : kvm_world_reader(guest);
    char path[PATH_ROOM];

    place(guest, "smaps", path);
    (void)remove(path); /* it stays where it is opened */
    guest->slow = false;
    write_smaps(guest, reader);
    write_smaps(guest, create(guest, "smaps"));
}

void kvm_world_process(struct kvm_guest *guest)
{
    char path[PATH_ROOM];
    FILE *file;

    place(guest, "", path);
    mkdir(path, 0700);
    write_status(guest,
                 guest->qmp.actual + guest->qmp.pinned + guest->qmp.mem_size + guest->overhead);
    if (guest->slow)
        make_slow(guest);
    else
        write_smaps(guest, create(guest, "smaps"));
    file = create(guest, "stat");
    fprintf(file, "%d (qemu (x) y) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 4 0 %" PRIu64 " 0 0\n",
            guest->pid, guest->since);
    fclose(file);
}

static void changed(struct fake_qmp *qmp)
{
    kvm_world_process((struct kvm_guest *)qmp);
}

/* --- the world --- */

static const char *name_of(void *user, uint32_t vm)
{
    const struct kvm_world *world = user;

    return vmres_driver_vm_name(world->driver, vm);
}

static void note(void *user, const struct vmres_trace_record *record)
{
    struct kvm_world *world = user;
    struct vmres_trace_names names = {
        .vm_name = name_of, .user = world, .resources = &world->resource, .kinds = 1};
    char line[256];

    (void)vmres_trace_format(record, &names, line, sizeof line);
    assert_true(world->traced + strlen(line) + 2 < KVM_WORLD_TRACE);
    world->traced += (size_t)snprintf(world->trace + world->traced, sizeof line + 1, "%s\n", line);
}

static void open_guest(struct kvm_world *world, unsigned index)
{
    struct kvm_guest *guest = &world->guests[index];

    guest->world = world;
    guest->pid = 1000 + (int)index;
    guest->since = 12345 + index;
    guest->smaps = true;
    guest->overhead = KVM_WORLD_OVERHEAD;
    snprintf(guest->name, sizeof guest->name, "vm%u", index);
    snprintf(guest->socket, sizeof guest->socket, "%s/vm%u", world->directory, index);
    fake_qmp_open(&guest->qmp, &world->loop, guest->socket);
    guest->qmp.changed = changed;
    kvm_world_process(guest);
}

void kvm_world_init(struct kvm_world *world, unsigned guests)
{
    char path[96];

    memset(world, 0, sizeof *world);
    snprintf(world->directory, sizeof world->directory, "/tmp/vmres-test-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(path, sizeof path, "%s/proc", world->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(uv_timer_init(&world->loop, &world->clock), 0);
    world->guests = calloc(guests, sizeof *world->guests);
    world->trace = calloc(KVM_WORLD_TRACE, 1);
    world->count = guests;
    for (unsigned i = 0; i < guests; i++)
        open_guest(world, i);

    vmres_kvm_options_init(&world->options);
    world->options.max_vms = guests;
    kvm_world_bear(world, KVM_WORLD_LONG_MS);
    world->options.poll_ms = 1;
    world->options.idle_ms = 10;
    world->options.retry_ms = 2;
    world->options.tracer = (struct vmres_tracer){.function = note, .user = world};
    world->resource = (struct vmres_resource){.name = "memory",
                                              .unit = VMRES_UNIT_BYTES,
                                              .removal = VMRES_REMOVAL_GUEST,
                                              .granule = 2 * KVM_WORLD_MIB,
                                              .capacity = 512 * KVM_WORLD_MIB,
                                              .tolerance = 8 * KVM_WORLD_MIB};
    world->policy = (struct vmres_policy){.ops = vmres_policy_find("static")};
    vmres_driver_options_init(&world->driver_options);
    world->driver_options.engine.max_vms = guests;
    world->driver_options.engine.kinds = 1;
    world->driver_options.engine.period_ms = 20;
    world->driver_options.engine.progress_ms = 300;
    world->driver_options.engine.tracer =
        (struct vmres_tracer){.function = note, .user = world, .level = VMRES_TRACE_DEBUG};
}

void kvm_world_script(struct kvm_world *world)
{
    static const uint64_t at_once = 0;
    struct kvm_script *script = &world->script;

    assert_true(world->count <= KVM_WORLD_SCRIPTED);
    for (unsigned i = 0; i < world->count; i++)
        script->sizes[i] = fake_qmp_held(&world->guests[i].qmp);
    script->table = (struct vmres_table){
        .rows = 1, .columns = world->count, .times_ms = &at_once, .cells = script->sizes};
    script->options.targets = &script->table;
    world->policy =
        (struct vmres_policy){.ops = vmres_policy_find("script"), .options = &script->options};
}

void kvm_world_init_pair(struct kvm_world *world)
{
    struct kvm_guest *second;

    kvm_world_init(world, 2);
    world->resource.capacity = 448 * KVM_WORLD_MIB;
    second = &world->guests[1];
    second->qmp.actual = second->qmp.target = 192 * KVM_WORLD_MIB;
    kvm_world_process(second);
    kvm_world_script(world);
}

void kvm_world_bear(struct kvm_world *world, uint32_t silence_ms)
{
    struct vmres_kvm_options *options = world->kvm ? &world->kvm->options : &world->options;

    options->greeting_ms = silence_ms;
    options->command_ms = silence_ms;
}

void kvm_world_create_backend(struct kvm_world *world)
{
    char proc[96];
    struct vmres_error error = {0};

    snprintf(proc, sizeof proc, "%s/proc", world->directory);
    world->options.proc = proc;
    EXPECT_OK(vmres_kvm_create(&world->loop, &world->options, &world->kvm, &error));
    world->options.proc = NULL;
}

void kvm_world_create(struct kvm_world *world)
{
    struct vmres_error error = {0};

    kvm_world_create_backend(world);
    world->driver_options.engine.resources = &world->resource;
    world->driver_options.engine.policies = &world->policy;
    world->driver_options.backend = vmres_kvm_backend(world->kvm);
    EXPECT_OK(vmres_driver_create(&world->driver_options, &world->driver, &error));
    EXPECT_OK(vmres_uv_create(&world->loop, NULL, &world->uv));
}

void kvm_world_add(struct kvm_world *world, unsigned index, uint64_t floor_mib,
                   uint64_t ceiling_mib)
{
    const struct kvm_guest *guest = &world->guests[index];
    struct vmres_kvm_vm_spec spec = {
        .name = guest->name,
        .tag = index,
        .socket = guest->socket,
        .agent = *guest->agent ? guest->agent : NULL,
        .pid = guest->pid,
        .limits = {.floor = floor_mib * KVM_WORLD_MIB,
                   .ceiling = ceiling_mib * KVM_WORLD_MIB,
                   .participation = VMRES_PARTICIPATE_BOTH},
    };

    EXPECT_OK(vmres_kvm_add_vm(world->kvm, &spec, NULL));
}

void kvm_world_start(struct kvm_world *world)
{
    EXPECT_OK(vmres_uv_start(world->uv, world->driver, NULL));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void kvm_world_close(struct kvm_world *world)
{
    struct vmres_error error = {0};

    if (world->driver)
        EXPECT_OK(vmres_engine_audit(vmres_driver_engine(world->driver), &error));
    vmres_uv_close(world->uv, NULL, NULL);
    vmres_driver_destroy(world->driver);
    vmres_kvm_close(world->kvm, NULL, NULL);
    for (unsigned i = 0; i < world->count; i++)
        fake_qmp_kill(&world->guests[i].qmp);
    uv_close((uv_handle_t *)&world->clock, NULL);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    for (unsigned i = 0; i < world->count; i++)
        fake_qmp_free(&world->guests[i].qmp);
    free(world->guests);
    free(world->trace);
    assert_int_equal(nftw(world->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- time --- */

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

void kvm_world_until(struct kvm_world *world, bool (*condition)(void *user), void *user)
{
    uint64_t begin;

    uv_update_time(&world->loop);
    begin = uv_now(&world->loop);
    uv_timer_start(&world->clock, tick, 1, 1);
    while (!condition(user) && uv_now(&world->loop) - begin < KVM_WORLD_LONG_MS)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->clock);
    if (!condition(user)) {
        for (unsigned i = 0; i < world->count; i++) {
            const char *reason = kvm_world_info(world, i).reason;

            print_error("vm%u: %s\n", i, reason ? reason : "takes part");
        }
        fputs(world->trace, stderr);
        fail_msg("what was waited for did not come");
    }
}

void kvm_world_turn(struct kvm_world *world, unsigned turns)
{
    uv_timer_start(&world->clock, tick, 1, 1);
    while (turns-- > 0)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->clock);
}

void kvm_world_kill(struct kvm_world *world, unsigned index)
{
    struct kvm_guest *guest = &world->guests[index];
    static const char *const names[] = {"/status", "/smaps", "/stat", ""};
    char path[192];

    fake_qmp_kill(&guest->qmp);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/proc/%d%s", world->directory, guest->pid, names[i]);
        assert_int_equal(remove(path), 0);
    }
}

void kvm_world_revive(struct kvm_world *world, unsigned index)
{
    struct kvm_guest *guest = &world->guests[index];

    while (guest->qmp.handles > 0)
        uv_run(&world->loop, UV_RUN_NOWAIT);
    fake_qmp_free(&guest->qmp);
    (void)unlink(guest->socket);
    fake_qmp_open(&guest->qmp, &world->loop, guest->socket);
    guest->qmp.changed = changed;
    guest->since++;
    kvm_world_process(guest);
}

/* --- what is known --- */

struct vmres_kvm_vm_info kvm_world_info(const struct kvm_world *world, unsigned guest)
{
    struct vmres_kvm_vm_info info;

    EXPECT_OK(vmres_kvm_vm(world->kvm, world->guests[guest].name, &info));
    return info;
}

struct vmres_account_info kvm_world_account(const struct kvm_world *world, unsigned guest)
{
    struct vmres_account_info account;

    EXPECT_OK(vmres_engine_account(vmres_driver_engine(world->driver),
                                   kvm_world_info(world, guest).vm, 0, &account));
    return account;
}

enum vmres_vm_state kvm_world_state(const struct kvm_world *world, unsigned guest)
{
    uint32_t id = kvm_world_info(world, guest).vm;
    struct vmres_vm_info info;

    if (vmres_engine_vm(vmres_driver_engine(world->driver), id, &info) != VMRES_OK)
        return VMRES_VM_VACANT;
    return info.state;
}

static unsigned index_of(const struct kvm_guest *guest)
{
    return (unsigned)(guest - guest->world->guests);
}

bool kvm_guest_is_live(void *user)
{
    const struct kvm_guest *guest = user;

    return kvm_world_state(guest->world, index_of(guest)) == VMRES_VM_LIVE;
}

bool kvm_guest_is_gone(void *user)
{
    const struct kvm_guest *guest = user;

    return vmres_driver_vm_id(guest->world->driver, guest->name) == VMRES_VM_NONE;
}

const char *kvm_world_find(const struct kvm_world *world, const char *from, const char *text)
{
    return strstr(from ? from : world->trace, text);
}
