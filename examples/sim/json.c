/* SPDX-License-Identifier: MIT */
/*
 * The JSON report, by a writer of two dozen lines: objects, lists, numbers with a fixed number of
 * decimals and escaped text. Keys of amounts end in _gib or _cores, as the kind is counted.
 */
#include <inttypes.h>
#include <string.h>

#include "report.h"

/* Where the next value goes. */
struct json {
    FILE *file;
    int depth;
    bool flat;  /* what is open stands on one line */
    bool first; /* nothing stands before it */
};

static void put_text(struct json *json, const char *text)
{
    (void)fputc('"', json->file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)fprintf(json->file, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            (void)fprintf(json->file, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            (void)fputc(*text, json->file);
    }
    (void)fputc('"', json->file);
}

/* A comma if one is due, the line's indent, and the key: `stem` with `suffix` in place of a '*'. */
static void put_key(struct json *json, const char *stem, const char *suffix)
{
    const char *star = stem ? strchr(stem, '*') : NULL;

    if (!json->first)
        (void)fputs(json->flat ? ", " : ",", json->file);
    if (!json->flat)
        (void)fprintf(json->file, "\n%*s", 2 * json->depth, "");
    json->first = false;
    if (star)
        (void)fprintf(json->file, "\"%.*s%s%s\": ", (int)(star - stem), stem, suffix, star + 1);
    else if (stem)
        (void)fprintf(json->file, "\"%s\": ", stem);
}

static void open_value(struct json *json, const char *key, char bracket, bool flat)
{
    put_key(json, key, "");
    (void)fputc(bracket, json->file);
    json->depth++;
    json->flat = flat;
    json->first = true;
}

static void close_value(struct json *json, char bracket)
{
    json->depth--;
    if (!json->flat && !json->first)
        (void)fprintf(json->file, "\n%*s", 2 * json->depth, "");
    (void)fputc(bracket, json->file);
    json->flat = false;
    json->first = false;
}

static void put_number(struct json *json, const char *stem, const char *suffix, double value)
{
    put_key(json, stem, suffix);
    (void)fprintf(json->file, "%.6f", value);
}

static void put_count(struct json *json, const char *key, uint64_t value)
{
    put_key(json, key, "");
    (void)fprintf(json->file, "%" PRIu64, value);
}

static void put_string(struct json *json, const char *key, const char *text)
{
    put_key(json, key, "");
    put_text(json, text);
}

static const char *suffix_of(const struct run *run, uint8_t kind)
{
    static const char *const suffixes[] = {
        [VMRES_UNIT_BYTES] = "gib", [VMRES_UNIT_MILLI] = "cores", [VMRES_UNIT_COUNT] = "pieces"};

    return suffixes[run->config->engine.resources[kind].unit];
}

static void put_resource(struct json *json, const struct run *run, uint8_t kind)
{
    const struct vmres_sim_metrics metrics = report_metrics(run, VMRES_VM_NONE, kind);
    const struct outcomes *outcomes = &run->outcomes[kind];
    const char *suffix = suffix_of(run, kind);

    open_value(json, run->config->engine.resources[kind].name, '{', false);
    put_number(json, "capacity_*", suffix, metrics.capacity);
    put_number(json, "unmet_*_s", suffix, metrics.unmet);
    put_number(json, "unmet_bound_*_s", suffix, metrics.unmet_bound);
    put_number(json, "moved_*", suffix, metrics.moved);
    put_number(json, "hops_*", suffix, metrics.hops);
    put_number(json, "cost_*_s", suffix, metrics.cost);
    put_number(json, "entitlement_shortfall_pct", "", metrics.shortfall_pct);
    put_number(json, "reversed_*", suffix, metrics.reversed);
    open_value(json, "transfers", '{', true);
    put_count(json, "done", outcomes->done);
    put_count(json, "partial", outcomes->partial);
    put_count(json, "cancelled", outcomes->cancelled);
    put_count(json, "failed", outcomes->failed);
    close_value(json, '}');
    put_count(json, "oom_ticks", metrics.oom_ticks);
    close_value(json, '}');
}

static void put_violations(struct json *json, const struct run *run)
{
    const struct vmres_sim_violations *violations = &run->violations;

    open_value(json, "violations", '{', true);
    put_count(json, "capacity", violations->capacity);
    put_count(json, "conservation", violations->conservation + run->audits_failed);
    put_count(json, "floor", violations->floor);
    put_count(json, "ceiling", violations->ceiling);
    put_count(json, "single_transfer", violations->single_transfer);
    put_count(json, "bound", violations->bound);
    close_value(json, '}');
}

static void put_vm(struct json *json, const struct run *run, uint32_t vm)
{
    open_value(json, NULL, '{', true);
    put_string(json, "name", run->config->vms[vm].spec.name);
    for (uint8_t kind = 0; kind < run->config->engine.kinds; kind++) {
        const struct vmres_sim_metrics metrics = report_metrics(run, vm, kind);
        const char *suffix = suffix_of(run, kind);

        put_number(json, "unmet_*_s", suffix, metrics.unmet);
        put_number(json, "given_*", suffix, metrics.moved);
        put_number(json, "taken_*", suffix, metrics.cost);
    }
    close_value(json, '}');
}

void json_write(const struct run *run, FILE *file)
{
    const struct vmres_config *config = run->config;
    struct json json = {.file = file, .depth = 1, .first = true};
    char policy[256];

    (void)fputc('{', file);
    put_string(&json, "policy", report_policy(run, policy, sizeof policy));
    put_count(&json, "ticks", run_ticks(run));
    put_number(&json, "tick_s", "", (double)config->sim.tick_ms / 1000);
    put_count(&json, "vms", config->vm_count);
    put_count(&json, "seed", config->sim.seed);
    open_value(&json, "resources", '{', false);
    for (uint8_t kind = 0; kind < config->engine.kinds; kind++)
        put_resource(&json, run, kind);
    close_value(&json, '}');
    put_violations(&json, run);
    put_count(&json, "operations_refused", run_refused(run));
    open_value(&json, "per_vm", '[', false);
    for (uint32_t vm = 0; vm < config->vm_count; vm++)
        put_vm(&json, run, vm);
    close_value(&json, ']');
    close_value(&json, '}');
    (void)fputc('\n', file);
}
