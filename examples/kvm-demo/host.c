/* SPDX-License-Identifier: MIT */
/*
 * Three guests and the library over them: what a manager of real guests does, in the order in which
 * it is done. Each step waits for a state, and ends early at Ctrl-C.
 */
#include "host.h"

#include <signal.h>
#include <string.h>

#include "log.h"

#define GUEST_MIB 448u /* the most a guest can have */
#define FLOOR (96 * VMRES_MIB)
#define TOLERANCE (16 * VMRES_MIB)
#define BOOT_MS 120000u
#define ADOPT_MS 60000u

/* Figure 2: one full, one mostly idle, one in between. A guest's system uses some 70 MiB by itself,
 * so VM1 wants more than it is allotted, and what it misses is swapped out. */
static const struct {
    const char *name, *tcg, *kvm;
} cast[HOST_GUESTS] = {
    {"VM1", "visit 210 250000", "visit 210 2500000"},
    {"VM2", "hold 30", "hold 30"},
    {"VM3", "hold 108", "hold 108"},
};

/* --- waiting --- */

static void interrupt(uv_signal_t *signal, int number)
{
    struct host *host = signal->data;

    (void)number;
    host->interrupted = true;
}

static void tick(uv_timer_t *timer)
{
    struct host *host = timer->data;

    if (host->ticked && host->begin_ms > 0)
        host->ticked(host);
}

static bool has_lost_a_guest(const struct host *host)
{
    for (uint32_t i = 0; i < HOST_GUESTS; i++)
        if (host->guests[i].state == GUEST_ENDED)
            return true;
    return false;
}

/* Turns the loop until the condition holds; false: it did not, in this time or ever. */
static bool until(struct host *host, bool (*condition)(const struct host *host), uint64_t patience)
{
    uint64_t begin = uv_now(&host->loop);

    while (!condition(host)) {
        if (host->interrupted || has_lost_a_guest(host) || uv_now(&host->loop) - begin >= patience)
            return false;
        uv_run(&host->loop, UV_RUN_ONCE);
    }
    return true;
}

static bool complain(const struct host *host, const char *what)
{
    if (!host->interrupted)
        fprintf(stderr, "kvm-demo: %s\n", what);
    return false;
}

/* --- the guests --- */

static bool are_ready(const struct host *host)
{
    for (uint32_t i = 0; i < HOST_GUESTS; i++)
        if (host->guests[i].state != GUEST_READY)
            return false;
    return true;
}

static bool boot(struct host *host)
{
    for (uint32_t i = 0; i < HOST_GUESTS; i++) {
        const struct guest_options options = {.directory = host->options->directory,
                                              .scratch = host->options->scratch,
                                              .name = cast[i].name,
                                              .words =
                                                  host->options->kvm ? cast[i].kvm : cast[i].tcg,
                                              .mib = GUEST_MIB,
                                              .kvm = host->options->kvm};

        if (!guest_start(&host->guests[i], &host->loop, &options) ||
            !guest_allot(&host->guests[i], HOST_ALLOTMENT))
            return false;
    }
    return until(host, are_ready, BOOT_MS) || complain(host, "a guest did not come up");
}

/* --- the library --- */

static const char *name_of(void *user, uint32_t vm)
{
    const struct host *host = user;

    return vmres_driver_vm_name(host->driver, vm);
}

static void trace(void *user, const struct vmres_trace_record *record)
{
    struct host *host = user;
    struct vmres_trace_record since = *record;

    if (record->step == 4 && host->begin_ms > 0 && host->asked_ms == 0)
        host->asked_ms = record->time_ms;
    if (!host->log || host->begin_ms == 0 ||
        (record->step == 0 && record->type != VMRES_TRACE_CLOSED &&
         record->type != VMRES_TRACE_NONSENSE))
        return;
    since.time_ms = record->time_ms > host->begin_ms ? record->time_ms - host->begin_ms : 0;
    log_record(host->log, &since);
}

static bool add_guests(struct host *host, struct vmres_error *error)
{
    struct vmres_kvm_options options;

    vmres_kvm_options_init(&options);
    options.idle_ms = 200;
    options.tolerance = TOLERANCE;
    options.tracer = (struct vmres_tracer){trace, host, VMRES_TRACE_WARN};
    if (vmres_kvm_create(&host->loop, &options, &host->kvm, error) != VMRES_OK)
        return false;
    for (uint32_t i = 0; i < HOST_GUESTS; i++) {
        const struct vmres_kvm_vm_spec spec = {.name = host->guests[i].name,
                                               .socket = host->guests[i].socket,
                                               .agent = host->guests[i].agent,
                                               .pid = host->guests[i].pid,
                                               .limits = {.floor = FLOOR,
                                                          .ceiling = GUEST_MIB * VMRES_MIB,
                                                          .participation = VMRES_PARTICIPATE_BOTH}};

        if (vmres_kvm_add_vm(host->kvm, &spec, error) != VMRES_OK)
            return false;
    }
    return true;
}

static bool create_driver(struct host *host, struct vmres_error *error)
{
    struct vmres_usage_options usage = {
        .low = 650000, .high = 800000, .region = 32 * VMRES_MIB, .regions = 1};
    struct vmres_policy policy = {.ops = vmres_policy_find(host->options->policy)};
    struct vmres_driver_options options;

    if (strcmp(host->options->policy, "usage") == 0)
        policy.options = &usage;
    host->memory = (struct vmres_resource){.name = "memory",
                                           .granule = 2 * VMRES_MIB,
                                           .capacity = HOST_GUESTS * HOST_ALLOTMENT,
                                           .tolerance = TOLERANCE};
    vmres_driver_options_init(&options);
    options.engine.max_vms = HOST_GUESTS;
    options.engine.kinds = 1;
    options.engine.resources = &host->memory;
    options.engine.policies = &policy;
    options.engine.tracer = (struct vmres_tracer){trace, host, VMRES_TRACE_DEBUG};
    options.backend = vmres_kvm_backend(host->kvm);
    return vmres_driver_create(&options, &host->driver, error) == VMRES_OK;
}

static bool open_log(struct host *host)
{
    const struct vmres_trace_names names = {name_of, host, &host->memory, 1};

    if (!host->options->log)
        return true;
    host->log = log_open(&names, HOST_GUESTS, host->options->log);
    return host->log != NULL;
}

/* And each has an agent that speaks for it. */
static bool are_adopted(const struct host *host)
{
    for (uint32_t i = 0; i < HOST_GUESTS; i++) {
        struct host_vm vm = host_look(host, i);

        if (!vm.known || !vm.agent)
            return false;
    }
    return true;
}

static bool manage(struct host *host)
{
    struct vmres_error error = {.message = "out of memory"};

    if (!add_guests(host, &error) || !create_driver(host, &error) || !open_log(host) ||
        vmres_uv_create(&host->loop, NULL, &host->uv) != VMRES_OK ||
        vmres_uv_start(host->uv, host->driver, &error) != VMRES_OK)
        return complain(host, error.message);
    return until(host, are_adopted, ADOPT_MS) ||
           complain(host, "a guest was not adopted, or has no agent");
}

/* --- the host --- */

bool host_open(struct host *host, const struct host_options *options)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    *host = (struct host){.options = options, .ticked = host->ticked, .user = host->user};
    uv_loop_init(&host->loop);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&host->loop, &host->signals[i]);
        host->signals[i].data = host;
        uv_signal_start(&host->signals[i], interrupt, numbers[i]);
    }
    uv_timer_init(&host->loop, &host->tick);
    host->tick.data = host;
    uv_timer_start(&host->tick, tick, HOST_TICK_MS, HOST_TICK_MS);
    return boot(host) && manage(host);
}

static bool is_done(const struct host *host)
{
    return host->guests[0].state == GUEST_DONE;
}

uint64_t host_work(struct host *host, uint64_t patience_ms)
{
    uv_update_time(&host->loop);
    host->begin_ms = uv_now(&host->loop);
    guest_go(&host->guests[0]);
    if (until(host, is_done, patience_ms))
        return host_now_ms(host);
    if (has_lost_a_guest(host))
        complain(host, "a guest ended while it worked");
    return 0;
}

void host_close(struct host *host)
{
    host->begin_ms = 0; /* that it ends is no part of the story */
    vmres_uv_close(host->uv, NULL, NULL);
    for (uint32_t i = 0; i < HOST_GUESTS; i++)
        guest_end(&host->guests[i]);
    vmres_driver_destroy(host->driver);
    vmres_kvm_close(host->kvm, NULL, NULL);
    for (size_t i = 0; i < sizeof host->signals / sizeof host->signals[0]; i++)
        uv_close((uv_handle_t *)&host->signals[i], NULL);
    uv_close((uv_handle_t *)&host->tick, NULL);
    uv_run(&host->loop, UV_RUN_DEFAULT);
    uv_loop_close(&host->loop);
    if (host->log)
        log_close(host->log);
}

struct host_vm host_look(const struct host *host, uint32_t index)
{
    const struct vmres_engine *engine = vmres_driver_engine(host->driver);
    uint32_t vm = vmres_driver_vm_id(host->driver, host->guests[index].name);
    struct vmres_account_info account;
    struct vmres_kvm_vm_info kvm;
    struct vmres_vm_info info;

    if (vmres_engine_vm(engine, vm, &info) != VMRES_OK || info.state != VMRES_VM_LIVE ||
        vmres_engine_account(engine, vm, 0, &account) != VMRES_OK || account.age_ms == UINT32_MAX ||
        vmres_kvm_vm(host->kvm, host->guests[index].name, &kvm) != VMRES_OK)
        return (struct host_vm){0};
    return (struct host_vm){.held = account.held,
                            .used = account.used,
                            .swapped = host->guests[index].swapped,
                            .beside = kvm.overhead,
                            .notices = kvm.notices,
                            .agent = kvm.agent == 1,
                            .known = true};
}

uint64_t host_now_ms(const struct host *host)
{
    return uv_now(&host->loop) - host->begin_ms;
}
