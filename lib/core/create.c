/* SPDX-License-Identifier: MIT */
/*
 * Creating an engine: options are checked, its whole memory is laid out in one block and asked for
 * at once. The layout is walked twice, first without a block, to learn its size. Memory is touched
 * only as VMs, transfers and commands come into use.
 */
#include <string.h>

#include "error.h"
#include "internal.h"
#include "policy.h"

_Static_assert(sizeof(struct vmres_event) == 64, "the event format is frozen");
_Static_assert(sizeof(struct vmres_action) == 64, "the action format is frozen");
_Static_assert(sizeof(struct vmres_view) == 64, "a view is one cache line");

#define MAX_PERIOD_MS 3600000u

void vmres_engine_options_init(struct vmres_engine_options *options)
{
    if (options == NULL)
        return;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

/* --- checks --- */

static bool valid_name(const char *name)
{
    size_t length = 0;

    if (name == NULL)
        return false;
    for (; name[length] != '\0'; length++) {
        char c = name[length];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return length > 0 && length < VMRES_KIND_NAME_MAX;
}

static enum vmres_status check_resource(const struct vmres_resource *resource,
                                        struct vmres_error *error)
{
    if (!valid_name(resource->name))
        return vmres__error_set(
            error, VMRES_INVALID,
            "a resource needs a name of 1 to 15 lower case letters, digits, '-'");
    if (resource->placement > VMRES_PLACEMENT_EXTENT)
        return vmres__error_set(error, VMRES_INVALID,
                                "%s: no such placement; see enum vmres_placement", resource->name);
    if (resource->granule == 0 || resource->capacity / resource->granule == 0)
        return vmres__error_set(error, VMRES_INVALID, "%s: capacity must be at least one granule",
                                resource->name);
    if (resource->capacity / resource->granule > VMRES_GRANULES_MAX)
        return vmres__error_set(error, VMRES_INVALID,
                                "%s: capacity must be below 2^31 granules; use a larger granule",
                                resource->name);
    if (resource->reserve > resource->capacity)
        return vmres__error_set(error, VMRES_INVALID, "%s: reserve must be at most capacity",
                                resource->name);
    if (resource->unit > VMRES_UNIT_COUNT || resource->removal > VMRES_REMOVAL_HOST)
        return vmres__error_set(error, VMRES_INVALID, "%s: no such unit or removal; see resource.h",
                                resource->name);
    return VMRES_OK;
}

static enum vmres_status check_policy(const struct vmres_policy *policy, struct vmres_error *error)
{
    const struct vmres_policy_ops *ops = policy->ops;

    if (ops == NULL || ops->size < sizeof *ops || ops->name == NULL || ops->judge == NULL)
        return vmres__error_set(error, VMRES_INVALID,
                                "a policy needs its size, a name and a judge function");
    if (policy->options && ops->options_size == 0)
        return vmres__error_set(error, VMRES_INVALID, "policy %s has no options; give NULL",
                                ops->name);
    return VMRES_OK;
}

/* A chain has a transfer across each boundary, and one from each hole that feeds it: one that never
 * has room for all of them would be begun anew for ever. */
static enum vmres_status check_chains(const struct vmres_engine_options *options, uint32_t kind,
                                      struct vmres_error *error)
{
    if (options->resources[kind].placement != VMRES_PLACEMENT_EXTENT ||
        options->max_transfers == 0 || options->max_transfers >= 2 * options->max_vms)
        return VMRES_OK;
    return vmres__error_set(error, VMRES_INVALID,
                            "%s: contiguous, so max_transfers must be at least 2 * max_vms",
                            options->resources[kind].name);
}

static enum vmres_status check_options(const struct vmres_engine_options *options,
                                       struct vmres_error *error)
{
    enum vmres_status status = VMRES_OK;

    if (options == NULL || options->size < sizeof *options)
        return vmres__error_set(error, VMRES_INVALID, "start from vmres_engine_options_init()");
    if (options->max_vms == 0 || options->max_vms > VMRES_MAX_VMS)
        return vmres__error_set(error, VMRES_INVALID, "max_vms must be 1 to %u", VMRES_MAX_VMS);
    if (options->kinds == 0 || options->kinds > VMRES_KINDS_MAX || options->resources == NULL)
        return vmres__error_set(error, VMRES_INVALID, "kinds must be 1 to %u, with resources",
                                VMRES_KINDS_MAX);
    if (options->max_transfers > 4 * VMRES_MAX_VMS || options->max_reservations > 65536 ||
        options->max_actions > 4 * VMRES_MAX_VMS)
        return vmres__error_set(
            error, VMRES_INVALID,
            "max_transfers and max_actions must be at most %u, max_reservations 65536",
            4 * VMRES_MAX_VMS);
    if (options->period_ms > MAX_PERIOD_MS || options->inquiry_ms > MAX_PERIOD_MS ||
        options->progress_ms > MAX_PERIOD_MS || options->notice_ms > MAX_PERIOD_MS ||
        options->stale_periods > 100)
        return vmres__error_set(error, VMRES_INVALID,
                                "times must be at most an hour, stale_periods at most 100");
    for (uint32_t k = 0; k < options->kinds && status == VMRES_OK; k++) {
        status = check_resource(&options->resources[k], error);
        for (uint32_t j = 0; j < k && status == VMRES_OK; j++)
            if (strcmp(options->resources[j].name, options->resources[k].name) == 0)
                status = vmres__error_set(error, VMRES_INVALID,
                                          "%s: two resources of this name; rename one",
                                          options->resources[k].name);
        if (status == VMRES_OK)
            status = check_chains(options, k, error);
        if (status == VMRES_OK && options->policies)
            status = check_policy(&options->policies[k], error);
    }
    return status;
}

/* --- layout --- */

struct arena {
    unsigned char *base; /* NULL: only measure */
    size_t used;
};

static void *take(struct arena *arena, size_t count, size_t size)
{
    size_t at = (arena->used + 15) & ~(size_t)15;

    arena->used = at + count * size;
    return arena->base ? arena->base + at : NULL;
}

static void lay_out_kind(struct arena *arena, const struct vmres_engine *engine, struct kind *kind)
{
    const struct vmres_policy_ops *policy = kind->policy;

    arena->used = (arena->used + 63) & ~(size_t)63;
    kind->views = take(arena, engine->max_vms, sizeof *kind->views);
    kind->accounts = take(arena, engine->max_vms, sizeof *kind->accounts);
    if (kind->resource.placement == VMRES_PLACEMENT_EXTENT)
        kind->blocks = take(arena, engine->max_vms, sizeof *kind->blocks);
    kind->reasons.of = take(arena, engine->max_vms, sizeof *kind->reasons.of);
    kind->policy_options = take(arena, 1, policy->options_size);
    kind->policy_state = take(arena, 1, policy->state_size);
    kind->policy_vms = take(arena, engine->max_vms, policy->vm_state_size);
}

/* Only a contiguous host needs a row of its VMs. */
static void lay_out_row(struct arena *arena, const struct vmres_engine *engine, struct work *work)
{
    size_t n = engine->max_vms;

    work->views = take(arena, n, sizeof *work->views);
    work->row = take(arena, n, sizeof *work->row);
    work->place = take(arena, n, sizeof *work->place);
    work->flows = take(arena, n, sizeof *work->flows);
    work->surplus = take(arena, n, sizeof *work->surplus);
    work->from_below = take(arena, n, sizeof *work->from_below);
    work->from_above = take(arena, n, sizeof *work->from_above);
    work->holes = take(arena, n + 1, sizeof *work->holes);
    work->skip_up = take(arena, 2 * n + 1, sizeof *work->skip_up);
    work->skip_down = take(arena, 2 * n + 1, sizeof *work->skip_down);
}

/* One kind is judged after the other. */
static size_t scratch_size(const struct vmres_engine *engine)
{
    size_t size = 0;

    for (uint32_t k = 0; k < engine->kind_count; k++)
        if (size < engine->kinds[k].policy->vm_scratch_size)
            size = engine->kinds[k].policy->vm_scratch_size;
    return size;
}

static bool is_contiguous(const struct vmres_engine *engine)
{
    for (uint32_t k = 0; k < engine->kind_count; k++)
        if (engine->kinds[k].resource.placement == VMRES_PLACEMENT_EXTENT)
            return true;
    return false;
}

static void lay_out(struct arena *arena, struct vmres_engine *engine)
{
    struct work *work = &engine->work;

    take(arena, 1, sizeof *engine);
    engine->vms = take(arena, engine->max_vms, sizeof *engine->vms);
    for (uint32_t k = 0; k < engine->kind_count; k++)
        lay_out_kind(arena, engine, &engine->kinds[k]);
    work->verdict.targets = take(arena, engine->max_vms, sizeof *work->verdict.targets);
    work->verdict.named = take(arena, engine->max_vms, sizeof *work->verdict.named);
    work->verdict.set = take(arena, engine->max_vms, sizeof *work->verdict.set);
    work->gaps = take(arena, engine->max_vms, sizeof *work->gaps);
    work->donors = take(arena, engine->max_vms, sizeof *work->donors);
    work->recipients = take(arena, engine->max_vms, sizeof *work->recipients);
    work->scratch = take(arena, engine->max_vms, scratch_size(engine));
    if (is_contiguous(engine))
        lay_out_row(arena, engine, work);
    engine->reservations = take(arena, engine->max_reservations, sizeof *engine->reservations);
    engine->outbox = take(arena, engine->max_actions, sizeof *engine->outbox);
    engine->transfers = take(arena, engine->max_transfers, sizeof *engine->transfers);
    engine->commands = take(arena, engine->max_commands, sizeof *engine->commands);
}

/* --- filling in --- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

static uint8_t bits_of(uint64_t granule)
{
    uint8_t bits = 0;

    while (granule > 1 && granule % 2 == 0) {
        granule /= 2;
        bits++;
    }
    return granule == 1 ? bits : 0;
}

static void set_kind(struct kind *kind, const struct vmres_resource *resource,
                     const struct vmres_policy_ops *policy)
{
    uint32_t capacity, reserve;

    kind->resource = *resource;
    kind->granule_bits = bits_of(resource->granule);
    capacity = granules_down(kind, resource->capacity);
    reserve = min_u32(granules_up(kind, resource->reserve), capacity);
    memcpy(kind->name, resource->name, strlen(resource->name) + 1);
    kind->tolerance = granules_up(kind, resource->tolerance);
    kind->policy = policy;
    kind->lowest = NONE;
    vmres__ledger_open(&kind->ledger, capacity, reserve);
}

static void set_scalars(struct vmres_engine *engine, const struct vmres_engine_options *options)
{
    memset(engine, 0, sizeof *engine);
    engine->tracer = options->tracer;
    if (engine->tracer.level == 0)
        engine->tracer.level = VMRES_TRACE_INFO;
    engine->kind_count = options->kinds;
    engine->max_vms = options->max_vms;
    engine->max_transfers = or_default(options->max_transfers, 2 * options->max_vms + 64);
    engine->max_commands = 2 * engine->max_transfers + 16;
    engine->max_actions = or_default(options->max_actions, min_u32(options->max_vms, 1024) + 16);
    engine->period_ms = or_default(options->period_ms, 1000);
    engine->inquiry_ms = or_default(options->inquiry_ms, min_u32(engine->period_ms / 4, 250));
    engine->progress_ms = or_default(options->progress_ms, 5000);
    engine->stale_ms = or_default(options->stale_periods, 3) * engine->period_ms;
    engine->notice_ms = or_default(options->notice_ms, 1000);
    engine->max_reservations = or_default(options->max_reservations, 16);
    engine->relief_ms = or_default(options->relief_ms, 30000);
    engine->veto = options->veto;
    engine->dry_run = options->dry_run != 0;
    engine->command_deadline_ms = UINT64_MAX;
    engine->transfer_free = engine->transfer_open = NONE;
    engine->command_free = engine->command_open = NONE;
    engine->dirty_first = engine->dirty_last = NONE;
    engine->work.verdict.limit = engine->max_vms;
    for (uint32_t k = 0; k < options->kinds; k++)
        set_kind(&engine->kinds[k], &options->resources[k],
                 options->policies ? options->policies[k].ops : &vmres__policy_static);
}

static enum vmres_status tell_policy(const struct vmres_engine *engine, struct kind *kind)
{
    struct vmres_policy_host host = {.resource = &kind->resource,
                                     .granule = kind->resource.granule,
                                     .period_ms = engine->period_ms,
                                     .max_vms = engine->max_vms};

    if (kind->policy->start == NULL)
        return VMRES_OK;
    return kind->policy->start(kind->policy_state, kind->policy_options, &host);
}

static enum vmres_status start_policy(struct vmres_engine *engine, struct kind *kind,
                                      const void *options, struct vmres_error *error)
{
    const struct vmres_policy_ops *policy = kind->policy;
    enum vmres_status status;

    kind->resource.name = kind->name;
    if (options == NULL)
        options = policy->defaults;
    if (policy->options_size > 0 && options)
        memcpy(kind->policy_options, options, policy->options_size);
    status = tell_policy(engine, kind);
    if (status != VMRES_OK)
        vmres__error_set(error, status, "%s: policy %s refuses its options: %s", kind->name,
                         policy->name, vmres_status_text(status));
    return status;
}

enum vmres_status vmres_engine_create(const struct vmres_engine_options *options,
                                      struct vmres_engine **engine, struct vmres_error *error)
{
    struct vmres_engine draft, *made;
    struct arena arena = {NULL, 0};
    enum vmres_status status = check_options(options, error);

    if (status != VMRES_OK)
        return status;
    if (engine == NULL)
        return vmres__error_set(error, VMRES_INVALID, "where to put the engine must be given");
    set_scalars(&draft, options);
    lay_out(&arena, &draft);
    draft.bytes = arena.used;
    arena.base = vmres_allocate(options->allocator, 1, arena.used);
    if (arena.base == NULL)
        return vmres__error_set(error, VMRES_NOMEM, "no memory for an engine of %zu bytes",
                                draft.bytes);
    arena.used = 0;
    lay_out(&arena, &draft);
    made = (struct vmres_engine *)(void *)arena.base;
    *made = draft;
    if (options->allocator) {
        made->allocator = *options->allocator;
        made->heap = &made->allocator;
    }
    for (uint32_t k = 0; k < made->kind_count && status == VMRES_OK; k++)
        status = start_policy(made, &made->kinds[k],
                              options->policies ? options->policies[k].options : NULL, error);
    if (status != VMRES_OK) {
        vmres_engine_destroy(made);
        return status;
    }
    *engine = made;
    return VMRES_OK;
}

/* A clone's policy knows what its former self learned; the rest it is told anew. */
void vmres__create_inherit(struct vmres_engine *engine, const struct vmres_engine *from,
                           uint8_t kind_index)
{
    struct kind *kind = &engine->kinds[kind_index];

    if (kind->policy->state_size > 0)
        memcpy(kind->policy_state, from->kinds[kind_index].policy_state, kind->policy->state_size);
    (void)tell_policy(engine, kind); /* it took these options when the clone was created */
}

void vmres_engine_destroy(struct vmres_engine *engine)
{
    struct vmres_allocator allocator;
    bool own;

    if (engine == NULL)
        return;
    allocator = engine->allocator;
    own = engine->heap != NULL;
    vmres_release(own ? &allocator : NULL, engine, 1, engine->bytes);
}
