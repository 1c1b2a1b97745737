/* SPDX-License-Identifier: MIT */
/*
 * What one round of collection costs: every VM is asked over its QMP socket what its guest says of
 * itself, and all have reported. From the inquiry that the backend is handed to the judgement,
 * through driver and libuv, against an epoll loop that sends the same bytes to the same sockets and
 * parses the replies with the same parser. Interleaved in one run, 100 and 1,000 sockets in one
 * server process. By the CPU time of this thread, the median of the ratios; by the clock, to which
 * others only add, the ratio of the fastest rounds. Both must be at most 2; what a busy host spoils
 * is measured again, twice at most.
 */
#define _GNU_SOURCE /* mkdtemp */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/query.h>
#include <vmres/uv.h>
#include <vmres/vmres.h>

#include "bench/live/echo.h"
#include "bench/live/endpoints.h"

#define SAMPLES 15
#define PERIOD_MS 200u
#define IDLE_MS \
    4000u /* the backend looks at every VM by itself so often: rounds in between count */
#define PATIENCE_MS 60000u
#define LIMIT 2.0
#define ATTEMPTS 3

struct moment {
    double wall, cpu; /* microseconds */
};

struct bench {
    uint32_t vms;
    char directory[64];
    pid_t server;
    uv_loop_t loop;
    uv_timer_t clock;
    struct vmres_kvm *kvm;
    struct vmres_driver *driver;
    struct vmres_uv *uv;
    struct vmres_backend_ops ops; /* the backend's, with a stopwatch */
    struct moment asked, judged;
    uint32_t rounds, heard; /* judged; VMs that had reported in the last */
};

static struct bench bench; /* for the policy and the stopwatch, which are handed no user */

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "collect: %s\n", what);
    exit(1);
}

static double microseconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct moment now(void)
{
    return (struct moment){microseconds(CLOCK_MONOTONIC), microseconds(CLOCK_THREAD_CPUTIME_ID)};
}

static struct moment since(struct moment begin)
{
    struct moment end = now();

    return (struct moment){end.wall - begin.wall, end.cpu - begin.cpu};
}

/* --- the stopwatch --- */

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    if (action->type == VMRES_ACTION_INQUIRE)
        bench.asked = now();
    return bench.ops.submit(backend, action);
}

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    (void)state;
    (void)vm_states;
    (void)verdict;
    bench.judged = since(bench.asked);
    bench.rounds++;
    bench.heard = 0;
    for (uint32_t i = 0; i < round->count; i++)
        bench.heard += (round->views[i].flags & VMRES_VIEW_REPORTED) != 0;
}

static const struct vmres_policy_ops onlooker = {
    .size = sizeof onlooker, .name = "onlooker", .judge = judge};

/* --- the library over the endpoints --- */

static void create_driver(void)
{
    static struct vmres_backend_ops timed;
    struct vmres_resource memory = {.name = "memory",
                                    .granule = 2 * VMRES_MIB,
                                    .capacity = bench.vms * 2 * ENDPOINT_BYTES,
                                    .tolerance = 16 * VMRES_MIB};
    struct vmres_policy policy = {.ops = &onlooker};
    struct vmres_driver_options options;
    struct vmres_error error = {.message = "no driver"};

    vmres_driver_options_init(&options);
    options.engine.max_vms = bench.vms;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.policies = &policy;
    options.engine.period_ms = PERIOD_MS;
    options.engine.inquiry_ms = PERIOD_MS;
    options.engine.stale_periods = 100;
    options.backend = vmres_kvm_backend(bench.kvm);
    bench.ops = *options.backend->ops;
    timed = bench.ops;
    timed.submit = submit;
    options.backend->ops = &timed;
    must(vmres_driver_create(&options, &bench.driver, &error) == VMRES_OK, error.message);
}

static void open_library(void)
{
    struct vmres_kvm_options options;

    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.clock);
    vmres_kvm_options_init(&options);
    options.max_vms = bench.vms;
    options.idle_ms = IDLE_MS;
    must(vmres_kvm_create(&bench.loop, &options, &bench.kvm, NULL) == VMRES_OK, "no backend");
    for (uint32_t i = 0; i < bench.vms; i++) {
        char path[ENDPOINT_PATH], name[16];
        const struct vmres_kvm_vm_spec spec = {
            .name = name,
            .socket = path,
            .overhead = 1,
            .limits = {.ceiling = ENDPOINT_BYTES, .participation = VMRES_PARTICIPATE_BOTH}};

        endpoints_path(bench.directory, i, path);
        snprintf(name, sizeof name, "vm%" PRIu32, i);
        must(vmres_kvm_add_vm(bench.kvm, &spec, NULL) == VMRES_OK, "a VM was not taken");
    }
    create_driver();
    must(vmres_uv_create(&bench.loop, NULL, &bench.uv) == VMRES_OK &&
             vmres_uv_start(bench.uv, bench.driver, NULL) == VMRES_OK,
         "the driver does not start");
}

static void close_library(void)
{
    vmres_uv_close(bench.uv, NULL, NULL);
    vmres_driver_destroy(bench.driver);
    vmres_kvm_close(bench.kvm, NULL, NULL);
    uv_close((uv_handle_t *)&bench.clock, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench.loop);
}

/* Turns the loop until another round was judged. */
static void collect(void)
{
    uint32_t rounds = bench.rounds;
    double begin = microseconds(CLOCK_MONOTONIC);

    while (bench.rounds == rounds) {
        must(microseconds(CLOCK_MONOTONIC) - begin < PATIENCE_MS * 1e3, "no round was judged");
        uv_run(&bench.loop, UV_RUN_ONCE);
    }
}

/* A round in which all have reported: at first not all are adopted yet, and on a busy host a round
 * may be judged without the last. */
static void collect_all(void)
{
    double begin = microseconds(CLOCK_MONOTONIC);

    do {
        must(microseconds(CLOCK_MONOTONIC) - begin < PATIENCE_MS * 1e3, "not all report");
        collect();
    } while (bench.heard < bench.vms);
}

/* --- the comparison --- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct series {
    double ours[SAMPLES], echo[SAMPLES], ratios[SAMPLES];
};

static void add(struct series *series, int i, double ours, double echo)
{
    series->ours[i] = ours;
    series->echo[i] = echo;
    series->ratios[i] = ours / echo;
}

static void sort(struct series *series)
{
    qsort(series->ours, SAMPLES, sizeof(double), compare);
    qsort(series->echo, SAMPLES, sizeof(double), compare);
    qsort(series->ratios, SAMPLES, sizeof(double), compare);
}

static bool report(const char *what, const struct series *series, double ratio)
{
    printf("%5" PRIu32 " endpoints, %s: %.2f (single ratios %.2f to %.2f), echo %.1f us each\n",
           bench.vms, what, ratio, series->ratios[SAMPLES / 4],
           series->ratios[SAMPLES - 1 - SAMPLES / 4], series->echo[SAMPLES / 2] / bench.vms);
    return ratio <= LIMIT;
}

static bool measure(void)
{
    struct series wall, cpu;
    struct echo *echo = echo_open(bench.directory, bench.vms);
    bool good;

    must(echo != NULL, "no connections for the echo");
    open_library();
    for (int i = 0; i < SAMPLES; i++) {
        struct moment begin, took;

        collect_all();
        begin = now();
        must(echo_round(echo), "an echo was lost");
        took = since(begin);
        add(&wall, i, bench.judged.wall, took.wall);
        add(&cpu, i, bench.judged.cpu, took.cpu);
    }
    close_library();
    echo_close(echo);
    sort(&wall);
    sort(&cpu);
    good = report("cpu", &cpu, cpu.ratios[SAMPLES / 2]);
    good &= report("clock", &wall, wall.ours[0] / wall.echo[0]);
    return good;
}

/* Also when it fails. */
static void clean_up(void)
{
    char path[ENDPOINT_PATH];

    if (bench.server > 0) {
        kill(bench.server, SIGKILL);
        waitpid(bench.server, NULL, 0);
        bench.server = 0;
    }
    for (uint32_t i = 0; i < bench.vms; i++) {
        endpoints_path(bench.directory, i, path);
        unlink(path);
    }
    rmdir(bench.directory);
}

static bool run(uint32_t vms)
{
    bool good;

    bench = (struct bench){.vms = vms, .directory = "/tmp/vmres-collect-XXXXXX"};
    must(mkdtemp(bench.directory) != NULL, "no directory can be made in /tmp");
    bench.server = endpoints_start(bench.directory, vms);
    must(bench.server > 0, "the endpoints do not listen");
    good = measure();
    clean_up();
    return good;
}

int main(void)
{
    static const uint32_t sizes[] = {100, 1000};

    must(atexit(clean_up) == 0, "no memory");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int attempt = 0;

        while (!run(sizes[i]))
            must(++attempt < ATTEMPTS, "a round costs more than twice the echo");
    }
    return 0;
}
