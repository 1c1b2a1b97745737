/* SPDX-License-Identifier: MIT */
/*
 * What a plan costs on a contiguous host, and what first allotments do: are they O(n)? Every round
 * each of n VMs, in a row, is to have more or less at random, so that flows of every length cross
 * the row; what counts is the one step in which the judgement is made and planned, as a dry run, so
 * that each round finds the same host. At a start it is the step in which n VMs are placed. It is
 * compared with one pass that reads and writes n records of 512 bytes, about what such a host keeps
 * of a VM; interleaved, the median of the ratios in thread CPU time. Linear means that the ratio
 * does not grow: the exponent of the cost, by least squares from 1,000 to 100,000 VMs, is printed
 * and must stay below 1.10.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vmres/vmres.h>

#define SAMPLES 21
#define STARTS 5       /* samples, of what begins with an empty host */
#define GRANULES 1000u /* of a VM */
#define WORDS 64u      /* of a record */

struct host {
    struct vmres_engine *engine;
    uint64_t *records;
    uint64_t now_ms, planned;
    uint32_t vms;
};

static void must(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "extent: %s\n", what);
    exit(1);
}

/* --- a policy that wants something else each round --- */

static void judge(void *state, void *vm_states, const struct vmres_round *round,
                  struct vmres_verdict *verdict)
{
    uint64_t *dice = state;

    (void)vm_states;
    for (uint32_t vm = 0; vm < round->count; vm++) {
        *dice = *dice * 6364136223846793005u + 1442695040888963407u;
        vmres_verdict_set(verdict, vm, GRANULES / 2 + (uint32_t)(*dice >> 33) % GRANULES, "any");
    }
}

static const struct vmres_policy_ops anything = {.size = sizeof(struct vmres_policy_ops),
                                                 .name = "anything",
                                                 .state_size = sizeof(uint64_t),
                                                 .commands = 1,
                                                 .judge = judge};

static void count_plans(void *user, const struct vmres_trace_record *record)
{
    struct host *host = user;

    host->planned += record->type == VMRES_TRACE_PLAN;
}

/* --- the host --- */

/* A VM that is adopted is pinned, twice; it holds what it has. */
static void step(struct host *host, struct vmres_event event)
{
    struct vmres_actions actions;
    enum vmres_status status = vmres_engine_step(host->engine, &event, &actions);

    must(status == VMRES_OK, vmres_status_text(status));
    while (actions.count == 1 && actions.items[0].type == VMRES_ACTION_PIN) {
        event = vmres_event_make(VMRES_EVENT_PINNED, host->now_ms, actions.items[0].vm, 1);
        event.id = actions.items[0].id;
        event.flags = VMRES_FLAG_FINAL;
        event.valid = VMRES_VALID_HELD;
        event.as.answer.held = GRANULES;
        status = vmres_engine_step(host->engine, &event, &actions);
        must(status == VMRES_OK, vmres_status_text(status));
    }
}

/* A VM that ran before. From the top of the host down, so that each finds its place at once. */
static void adopt(struct host *host, uint32_t vm)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_VM_ADDED, 0, vm, 1);

    event.flags = VMRES_FLAG_ADOPTED;
    step(host, event);
    step(host, vmres_event_limits(0, vm, 1, 0, 2 * GRANULES));
    event = vmres_event_make(VMRES_EVENT_EXTENT, 0, vm, 1);
    event.as.extent.front = (uint64_t)(host->vms - 1 - vm) * GRANULES;
    event.as.extent.size = GRANULES;
    step(host, event);
    step(host, vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm, 1));
}

static void open_host(struct host *host, uint32_t vms)
{
    struct vmres_resource row = {.name = "memory",
                                 .unit = VMRES_UNIT_COUNT,
                                 .placement = VMRES_PLACEMENT_EXTENT,
                                 .granule = 1,
                                 .capacity = (uint64_t)vms * GRANULES};
    struct vmres_policy policy = {.ops = &anything};
    struct vmres_engine_options options;

    *host = (struct host){.vms = vms, .records = calloc(vms, WORDS * sizeof(uint64_t))};
    must(host->records != NULL, "no memory");
    vmres_engine_options_init(&options);
    options.max_vms = vms;
    options.kinds = 1;
    options.resources = &row;
    options.policies = &policy;
    options.dry_run = 1;
    options.tracer = (struct vmres_tracer){count_plans, host, VMRES_TRACE_INFO};
    must(vmres_engine_create(&options, &host->engine, NULL) == VMRES_OK, "no engine");
}

static void close_host(struct host *host)
{
    vmres_engine_destroy(host->engine);
    free(host->records);
}

/* --- a judgement, a start, and the pass they are compared with --- */

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Nobody reports; the round is judged when its time is over. Returns what that took. */
static uint64_t plan(struct host *host)
{
    struct vmres_event event;
    uint64_t begin;

    host->now_ms = vmres_engine_deadline(host->engine);
    step(host, vmres_event_make(VMRES_EVENT_TIMEOUT, host->now_ms, 0, 0));
    host->now_ms = vmres_engine_deadline(host->engine);
    event = vmres_event_make(VMRES_EVENT_TIMEOUT, host->now_ms, 0, 0);
    begin = cpu_ns();
    step(host, event);
    return cpu_ns() - begin;
}

/* All VMs get their first allotments, none of them the same. Returns what that took. */
static uint64_t allot(struct host *host)
{
    const struct vmres_event event = vmres_event_make(VMRES_EVENT_ALLOT, 0, 0, 0);
    struct vmres_actions actions;
    enum vmres_status status;
    uint64_t begin;

    for (uint32_t vm = 0; vm < host->vms; vm++) {
        step(host, vmres_event_make(VMRES_EVENT_VM_ADDED, 0, vm, 1));
        step(host, vmres_event_limits(0, vm, 1, vm % 100, 2 * GRANULES));
    }
    begin = cpu_ns();
    status = vmres_engine_step(host->engine, &event, &actions);
    begin = cpu_ns() - begin;
    must(status == VMRES_OK || status == VMRES_MORE, "they are not allotted");
    return begin;
}

static uint64_t touch(struct host *host)
{
    uint64_t *record = host->records, *end = record + (size_t)host->vms * WORDS;
    uint64_t begin = cpu_ns();

    for (; record < end; record += WORDS)
        for (uint32_t word = 0; word < WORDS; word++)
            record[word] += 1;
    __asm__ volatile("" : : "r"(host->records) : "memory");
    return cpu_ns() - begin;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *ratios, uint32_t count)
{
    qsort(ratios, count, sizeof ratios[0], compare);
    return ratios[count / 2];
}

static double measure_plan(uint32_t vms)
{
    uint32_t rounds = 200000 / vms; /* so that a clock reading costs nothing */
    double ratios[SAMPLES];
    struct host host;

    open_host(&host, vms);
    for (uint32_t vm = 0; vm < vms; vm++)
        adopt(&host, vm);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint64_t planning = 0, passing = 0;

        for (uint32_t k = 0; k < rounds; k++) {
            planning += plan(&host);
            passing += touch(&host);
        }
        ratios[i] = (double)planning / (double)passing;
    }
    must(host.planned > (uint64_t)SAMPLES * rounds * vms / 2, "hardly anything was planned");
    close_host(&host);
    return median(ratios, SAMPLES);
}

static double measure_start(uint32_t vms)
{
    uint32_t rounds = 200000 / vms;
    double ratios[STARTS];

    for (uint32_t i = 0; i < STARTS; i++) {
        uint64_t starting = 0, passing = 0;

        for (uint32_t k = 0; k < rounds; k++) {
            struct host host;

            open_host(&host, vms);
            (void)touch(&host); /* the first time its pages are made */
            starting += allot(&host);
            passing += touch(&host);
            close_host(&host);
        }
        ratios[i] = (double)starting / (double)passing;
    }
    return median(ratios, STARTS);
}

/* log2 by repeated squaring: no libm is needed for a benchmark. */
static double log2_of(double x)
{
    double result = 0, part = 1;

    for (; x < 1; x *= 2)
        result -= 1;
    for (; x >= 2; x /= 2)
        result += 1;
    for (int i = 0; i < 40; i++) {
        x *= x;
        part /= 2;
        if (x >= 2) {
            x /= 2;
            result += part;
        }
    }
    return result;
}

/* The exponent of a cost, from a ratio that should not grow. */
static double slope_of(const char *what, double (*measure)(uint32_t vms))
{
    static const uint32_t sizes[] = {1000, 3162, 10000, 31623, 100000};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    double x = 0, y = 0, xx = 0, xy = 0;

    for (int i = 0; i < COUNT; i++) {
        double ratio = measure(sizes[i]), n = log2_of(sizes[i]), r = log2_of(ratio);

        printf("%s %u %.1f\n", what, sizes[i], ratio);
        fflush(stdout);
        x += n;
        y += r;
        xx += n * n;
        xy += n * r;
    }
    x = 1 + (COUNT * xy - x * y) / (COUNT * xx - x * x);
    printf("%s slope %.2f\n", what, x);
    return x;
}

int main(void)
{
    must(slope_of("start", measure_start) <= 1.10,
         "a start costs more than linear time: the slope is above 1.10");
    must(slope_of("plan", measure_plan) <= 1.10,
         "a plan costs more than linear time: the slope is above 1.10");
    return 0;
}
