/* SPDX-License-Identifier: MIT */
/*
 * Running a scenario: the configuration into a simulator and a driver, then tick after tick, with
 * whoever wants to know told of each. Shows what an embedder does, with virtual time for a clock.
 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <vmres/query.h>
#include <vmres/trace.h>

#include "csv.h"
#include "history.h"
#include "log.h"
#include "operate.h"
#include "page.h"
#include "picture.h"
#include "progress.h"
#include "story.h"
#include "why.h"

/* The engine's tracer: counts what ended how, and lets the log print. */
static void trace(void *user, const struct vmres_trace_record *record)
{
    struct run *run = user;
    struct outcomes *outcomes = &run->outcomes[record->kind];
    const struct {
        const char *word;
        uint64_t *count;
    } ends[] = {
        {"done", &outcomes->done},
        {"partial", &outcomes->partial},
        {"cancelled", &outcomes->cancelled},
        {"failed", &outcomes->failed},
    };

    for (size_t i = 0; record->type == VMRES_TRACE_CLOSED && i < sizeof ends / sizeof ends[0]; i++)
        *ends[i].count += strcmp(record->reason, ends[i].word) == 0 ? 1 : 0;
    if (run->log)
        log_record(run->log, record);
    if (run->story)
        story_record(run->story, record);
}

static const char *vm_name(void *user, uint32_t vm)
{
    const struct run *run = user;

    return vmres_driver_vm_name(run->driver, vm);
}

static enum exit_code complain(const char *line)
{
    (void)fprintf(stderr, "%s\n", line);
    return EXIT_WRONG;
}

/* Whoever keeps what is to be shown. */
static enum exit_code open_keepers(struct run *run)
{
    const struct vmres_trace_names names = {
        .vm_name = vm_name,
        .user = run,
        .resources = run->config->engine.resources,
        .kinds = run->config->engine.kinds,
    };
    bool drawn = run->svg || run->report, failed = false;

    if (run->options->log)
        failed |= !(run->log = log_open(&names, run->config->vm_count, run->notes));
    if (run->report)
        failed |= !(run->story = story_open(run, &names));
    if (drawn)
        failed |= !(run->history = picture_open(run));
    return failed ? complain("vmres-sim: out of memory") : EXIT_NOT_YET;
}

static enum vmres_status record_write(void *user, const void *data, size_t size)
{
    return fwrite(data, 1, size, user) == size ? VMRES_OK : VMRES_IO;
}

/* What no longer has a line in the scenario is told of the scenario as a whole. */
static enum exit_code complain_of_all(const struct run *run, const char *line)
{
    (void)fprintf(stderr, "%s:1:1: %s\n", run->options->scenario, line);
    return EXIT_WRONG;
}

static enum exit_code load(struct run *run)
{
    struct vmres_config_options options;
    struct vmres_error error;
    enum vmres_status status;

    vmres_config_options_init(&options);
    options.policy = run->options->policy;
    status = vmres_config_load(run->options->scenario, &options, &run->config, &error);
    if (status == VMRES_UNKNOWN)
        (void)fputs("vmres-sim: --policy: ", stderr);
    if (status)
        return complain(error.message);
    if (!run->config->simulated)
        return complain_of_all(run, "there is nothing to simulate; add a workload or a fleet");
    if (run->options->has_seed)
        run->config->sim.seed = run->options->seed;
    return EXIT_NOT_YET;
}

static enum exit_code open_output(const char *path, FILE **file)
{
    if (!path)
        return EXIT_NOT_YET;
    *file = fopen(path, "wb");
    if (*file)
        return EXIT_NOT_YET;
    (void)fprintf(stderr, "vmres-sim: %s cannot be written (%s); name another file\n", path,
                  strerror(errno));
    return EXIT_WRONG;
}

static enum exit_code open_outputs(struct run *run)
{
    enum exit_code code = open_output(run->options->csv, &run->csv);

    if (code == EXIT_NOT_YET)
        code = open_output(run->options->svg, &run->svg);
    if (code == EXIT_NOT_YET)
        code = open_output(run->options->report, &run->report);
    if (code == EXIT_NOT_YET)
        code = open_output(run->options->record, &run->record);
    if (code != EXIT_NOT_YET)
        return code;
    run->notes = run->options->json ? stderr : stdout;
    return open_keepers(run);
}

/* The world: every VM of the scenario, and what will go wrong with it. */
static enum exit_code build_sim(struct run *run)
{
    const struct vmres_config *config = run->config;
    struct vmres_error error;

    if (vmres_sim_create(&config->sim, &run->sim, &error))
        return complain_of_all(run, error.message);
    for (uint32_t i = 0; i < config->vm_count; i++) {
        uint32_t index;

        if (vmres_sim_add_vm(run->sim, &config->vms[i], &index))
            return complain_of_all(run, "a VM does not fit into the simulator; check its limits");
    }
    for (uint32_t i = 0; i < config->fault_count; i++) {
        if (vmres_sim_add_fault(run->sim, &config->faults[i]))
            return complain_of_all(run, "a fault makes no sense for its VM; check the faults");
    }
    return EXIT_NOT_YET;
}

static enum exit_code build_driver(struct run *run)
{
    struct vmres_driver_options options;
    struct vmres_error error;

    vmres_driver_options_init(&options);
    options.engine = run->config->engine;
    options.engine.tracer = (struct vmres_tracer){
        .function = trace,
        .user = run,
        .level = run->log || run->story ? VMRES_TRACE_DEBUG : VMRES_TRACE_INFO,
    };
    options.backend = vmres_sim_backend(run->sim);
    if (run->record)
        options.recorder = (struct vmres_recorder){.write = record_write, .user = run->record};
    if (vmres_driver_create(&options, &run->driver, &error) ||
        vmres_driver_start(run->driver, 0, &error))
        return complain_of_all(run, error.message);
    return EXIT_NOT_YET;
}

enum exit_code run_open(struct run *run, const struct options *options)
{
    enum exit_code code;

    *run = (struct run){.options = options};
    code = load(run);
    if (code == EXIT_NOT_YET)
        code = why_open(run);
    if (code == EXIT_NOT_YET)
        code = open_outputs(run);
    if (code == EXIT_NOT_YET)
        code = build_sim(run);
    if (code == EXIT_NOT_YET)
        code = build_driver(run);
    return code;
}

/* Says what broke in the tick that began at `at_ms`. */
static void note_breaches(struct run *run, uint64_t at_ms)
{
    const struct vmres_sim_violations before = run->violations;
    const struct vmres_sim_violations *now = &run->violations;
    struct vmres_error error;

    vmres_sim_violations(run->sim, &run->violations);
    if (!run->options->check)
        return;
    const struct {
        const char *name;
        uint64_t more;
    } kinds[] = {
        {"capacity", now->capacity - before.capacity},
        {"conservation", now->conservation - before.conservation},
        {"floor", now->floor - before.floor},
        {"ceiling", now->ceiling - before.ceiling},
        {"single_transfer", now->single_transfer - before.single_transfer},
        {"bound", now->bound - before.bound},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].more)
            (void)fprintf(run->notes, "breach at tick %" PRIu64 ": %s, %" PRIu64 " times\n",
                          at_ms / run->config->sim.tick_ms, kinds[i].name, kinds[i].more);
    }
    if (vmres_engine_audit(vmres_driver_engine(run->driver), &error)) {
        run->audits_failed++;
        (void)fprintf(run->notes, "breach at tick %" PRIu64 ": books: %s\n",
                      at_ms / run->config->sim.tick_ms, error.message);
    }
}

enum exit_code run_turn(struct run *run)
{
    uint64_t tick_ms = run->config->sim.tick_ms;
    uint64_t ticks = run_ticks(run);
    struct progress progress;

    if (run->csv)
        csv_head(run);
    progress_begin(&progress, ticks);
    for (uint64_t tick = 0; tick < ticks; tick++) {
        uint64_t at_ms = tick * tick_ms;

        operate(run, at_ms);
        vmres_sim_run(run->sim, at_ms + tick_ms);
        note_breaches(run, at_ms);
        why_tick(run, at_ms);
        if (run->csv)
            csv_row(run, at_ms);
        if (run->history)
            picture_add(run, tick);
        progress_show(&progress, tick + 1);
    }
    progress_end(&progress);
    return run_breaches(run) ? EXIT_BROKEN : EXIT_RAN;
}

/* Closes a file; a full disk shows here at the latest. */
static enum exit_code close_output(const char *path, FILE *file, enum exit_code code)
{
    bool failed = false;

    if (!file)
        return code;
    failed |= ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (!failed)
        return code;
    (void)fprintf(stderr, "vmres-sim: %s could not be written to the end; make room for it\n",
                  path);
    return EXIT_WRONG;
}

enum exit_code run_close(struct run *run, enum exit_code code)
{
    struct log *log = run->log;
    struct story *story = run->story;

    if (code != EXIT_WRONG && run->svg)
        picture_write(run, run->svg);
    if (code != EXIT_WRONG && run->report)
        page_write(run, run->report);
    run->log = NULL; /* that the world ends is no part of the story */
    run->story = NULL;
    vmres_driver_destroy(run->driver);
    vmres_sim_destroy(run->sim);
    code = close_output(run->options->record, run->record, code);
    code = close_output(run->options->csv, run->csv, code);
    code = close_output(run->options->svg, run->svg, code);
    code = close_output(run->options->report, run->report, code);
    if (log)
        log_close(log);
    if (story)
        story_close(story);
    history_close(run->history);
    vmres_config_destroy(run->config);
    return code;
}

uint64_t run_breaches(const struct run *run)
{
    const struct vmres_sim_violations *v = &run->violations;

    return v->capacity + v->conservation + v->floor + v->ceiling + v->single_transfer + v->bound +
           run->audits_failed;
}

uint64_t run_refused(const struct run *run)
{
    struct vmres_driver_counters counters;

    vmres_driver_counters(run->driver, &counters);
    return counters.orders_refused + run->astray;
}

uint64_t run_ticks(const struct run *run)
{
    uint64_t tick_ms = run->config->sim.tick_ms;

    return (run->config->duration_ms + tick_ms - 1) / tick_ms;
}

uint32_t run_vm(const struct run *run, uint32_t id)
{
    const struct vmres_config *config = run->config;
    const char *name = id == VMRES_VM_NONE ? NULL : vmres_driver_vm_name(run->driver, id);

    /* Mostly they are counted alike. */
    if (name && id < config->vm_count && strcmp(name, config->vms[id].spec.name) == 0)
        return id;
    for (uint32_t vm = 0; name && vm < config->vm_count; vm++) {
        if (strcmp(name, config->vms[vm].spec.name) == 0)
            return vm;
    }
    return VMRES_VM_NONE;
}
