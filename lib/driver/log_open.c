/* SPDX-License-Identifier: MIT */
/*
 * Rebuilds the options of an engine from the setup of its log. The reader owns all they point to.
 * Memory grows with what was read, never with what is only claimed: a table of a thousand million
 * cells must be there to be believed. Ranges are the engine's to check.
 */
#include "driver/log.h"

#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "driver/wire.h"

static enum vmres_status no_memory(struct vmres_error *error)
{
    return vmres__error_set(error, VMRES_NOMEM, "out of memory while reading the log");
}

/* Fetches a record which must be there and be of this type, at least `size` bytes long. */
static enum vmres_status expect(struct vmres__log_reader *reader, enum vmres__log_type type,
                                uint32_t size, struct vmres_error *error)
{
    enum vmres_status status;
    int end;

    status = vmres__log_fetch(reader, &end, error);
    if (status != VMRES_OK)
        return status;
    if (end)
        return vmres__error_set(error, VMRES_PARSE,
                                "the log is cut off: its setup goes on at byte %" PRIu64
                                "; record it anew",
                                reader->position);
    if (reader->type != (uint32_t)type || reader->size < size)
        return vmres__log_wrong(reader, "is not the one expected here", error);
    return VMRES_OK;
}

static enum vmres_status read_engine(struct vmres__log_reader *reader, struct vmres_error *error)
{
    struct vmres_engine_options *options = &reader->options;
    uint32_t version;
    uint32_t *numbers[] = {
        &version,
        &options->max_vms,
        &options->max_transfers,
        &options->max_actions,
        &options->kinds,
        &options->period_ms,
        &options->inquiry_ms,
        &options->progress_ms,
        &options->stale_periods,
        &options->notice_ms,
        &options->dry_run,
        &options->max_reservations,
        &options->relief_ms,
    };
    const unsigned char *at = reader->body;
    enum vmres_status status;

    status = expect(reader, VMRES__LOG_ENGINE, 4 * sizeof numbers / sizeof *numbers, error);
    if (status != VMRES_OK)
        return status;
    vmres_engine_options_init(options);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        at = vmres__wire_get32(at, numbers[i]);
    options->resources = reader->resources;
    options->policies = reader->policies;
    options->allocator = reader->allocator;
    if (options->kinds > VMRES_KINDS_MAX)
        return vmres__log_wrong(reader, "has too many kinds", error);
    return VMRES_OK;
}

static enum vmres_status read_resource(struct vmres__log_reader *reader, uint32_t kind,
                                       uint32_t *keys, char *policy, struct vmres_error *error)
{
    struct vmres_resource *resource = &reader->resources[kind];
    const unsigned char *at = reader->body;
    uint32_t unit, placement, removal;
    enum vmres_status status;

    status = expect(reader, VMRES__LOG_KIND, 48 + VMRES_KIND_NAME_MAX, error);
    if (status != VMRES_OK)
        return status;
    at = vmres__wire_get32(at, &unit);
    at = vmres__wire_get32(at, &placement);
    at = vmres__wire_get32(at, &removal);
    at = vmres__wire_get32(at, keys);
    at = vmres__wire_get64(at, &resource->granule);
    at = vmres__wire_get64(at, &resource->capacity);
    at = vmres__wire_get64(at, &resource->reserve);
    at = vmres__wire_get64(at, &resource->tolerance);
    memcpy(reader->names[kind], at, VMRES_KIND_NAME_MAX - 1);
    if (unit > VMRES_UNIT_COUNT || placement > VMRES_PLACEMENT_EXTENT ||
        removal > VMRES_REMOVAL_HOST)
        return vmres__log_wrong(reader, "describes no kind", error);
    resource->name = reader->names[kind];
    resource->unit = (enum vmres_unit)unit;
    resource->placement = (enum vmres_placement)placement;
    resource->removal = (enum vmres_removal)removal;
    if (!vmres__log_text(reader, 48 + VMRES_KIND_NAME_MAX, policy, VMRES__LOG_NAME_MAX))
        return vmres__log_wrong(reader, "names no policy", error);
    return VMRES_OK;
}

/* Takes the policy of this name, with a copy of its default options. */
static enum vmres_status find_policy(struct vmres__log_reader *reader, uint32_t kind,
                                     const char *name, struct vmres_error *error)
{
    const struct vmres_policy_ops *ops = vmres_policy_find(name);
    void *options;

    if (!ops && reader->find)
        ops = reader->find(name);
    if (!ops)
        return vmres__error_set(error, VMRES_UNKNOWN,
                                "no policy \"%s\" is known here; provide it through find", name);
    reader->policies[kind] = (struct vmres_policy){.ops = ops};
    if (ops->options_size == 0)
        return VMRES_OK;
    options = vmres_allocate(reader->allocator, 1, ops->options_size);
    if (!options)
        return no_memory(error);
    memcpy(options, ops->defaults, ops->options_size);
    reader->policy_options[kind] = options;
    reader->policies[kind].options = options;
    return VMRES_OK;
}

static const struct vmres_option_key *find_key(const struct vmres_policy_ops *ops, const char *name)
{
    const struct vmres_option_key *key = ops->keys;

    while (key && key->name && strcmp(key->name, name) != 0)
        key++;
    return key && key->name ? key : NULL;
}

static int grow(struct vmres__log_reader *reader, struct vmres__log_table *table, size_t more)
{
    size_t room = table->room ? table->room : 64;
    uint64_t *numbers;

    while (room < table->count + more)
        room *= 2;
    if (room == table->room)
        return 1;
    numbers = vmres_allocate(reader->allocator, room, sizeof *numbers);
    if (!numbers)
        return 0;
    if (table->count)
        memcpy(numbers, table->numbers, table->count * sizeof *numbers);
    vmres_release(reader->allocator, table->numbers, table->room, sizeof *numbers);
    table->numbers = numbers;
    table->room = room;
    return 1;
}

static enum vmres_status read_cells(struct vmres__log_reader *reader,
                                    struct vmres__log_table *table, struct vmres_error *error)
{
    /* Below 2^64: rows and columns are below 2^32. */
    uint64_t wanted = table->table.rows + (uint64_t)table->table.rows * table->table.columns;

    while (table->count < wanted) {
        const unsigned char *at = reader->body;
        enum vmres_status status;
        uint32_t some;

        status = expect(reader, VMRES__LOG_CELLS, 8, error);
        if (status != VMRES_OK)
            return status;
        some = reader->size / 8;
        if (some > wanted - table->count)
            return vmres__log_wrong(reader, "has more cells than the table", error);
        if (!grow(reader, table, some))
            return no_memory(error);
        for (uint32_t i = 0; i < some; i++)
            at = vmres__wire_get64(at, &table->numbers[table->count++]);
    }
    table->table.times_ms = table->numbers;
    table->table.cells = table->numbers + table->table.rows;
    return VMRES_OK;
}

static enum vmres_status read_table(struct vmres__log_reader *reader, char *place,
                                    struct vmres_error *error)
{
    const struct vmres_table *value;
    struct vmres__log_table *table;
    uint32_t rows, columns;
    enum vmres_status status;

    vmres__wire_get32(vmres__wire_get32(reader->body, &rows), &columns);
    if (rows == 0)
        return VMRES_OK;
    table = vmres_allocate(reader->allocator, 1, sizeof *table);
    if (!table)
        return no_memory(error);
    table->table.rows = rows;
    table->table.columns = columns;
    table->next = reader->tables;
    reader->tables = table;
    status = read_cells(reader, table, error);
    value = &table->table;
    memcpy(place, &value, sizeof value);
    return status;
}

/* Reads one OPTION or TABLE into the options of a kind's policy. */
static enum vmres_status read_option(struct vmres__log_reader *reader, uint32_t kind,
                                     struct vmres_error *error)
{
    const struct vmres_option_key *key = NULL;
    char name[VMRES__LOG_NAME_MAX];
    enum vmres_status status;
    uint64_t value;
    char *place;
    int end;

    status = vmres__log_fetch(reader, &end, error);
    if (status != VMRES_OK)
        return status;
    if (!end && reader->size > 8 && vmres__log_text(reader, 8, name, sizeof name))
        key = find_key(reader->policies[kind].ops, name);
    if (!key)
        return vmres__log_wrong(reader, "sets no option of its policy", error);
    place = (char *)reader->policy_options[kind] + key->offset;
    if (key->type == VMRES_OPTION_TABLE && reader->type == VMRES__LOG_TABLE)
        return read_table(reader, place, error);
    if (key->type == VMRES_OPTION_TABLE || reader->type != VMRES__LOG_OPTION)
        return vmres__log_wrong(reader, "sets an option of another type", error);
    vmres__wire_get64(reader->body, &value);
    memcpy(place, &value, sizeof value);
    return VMRES_OK;
}

static enum vmres_status read_kind(struct vmres__log_reader *reader, uint32_t kind,
                                   struct vmres_error *error)
{
    char policy[VMRES__LOG_NAME_MAX];
    enum vmres_status status;
    uint32_t keys;

    status = read_resource(reader, kind, &keys, policy, error);
    if (status == VMRES_OK)
        status = find_policy(reader, kind, policy, error);
    for (uint32_t i = 0; status == VMRES_OK && i < keys; i++)
        status = read_option(reader, kind, error);
    return status;
}

enum vmres_status vmres__log_open(struct vmres__log_reader *reader, struct vmres_error *error)
{
    enum vmres_status status;

    status = vmres__log_magic(reader, error);
    if (status == VMRES_OK)
        status = read_engine(reader, error);
    for (uint32_t i = 0; status == VMRES_OK && i < reader->options.kinds; i++)
        status = read_kind(reader, i, error);
    return status;
}

void vmres__log_close(struct vmres__log_reader *reader)
{
    while (reader->tables) {
        struct vmres__log_table *table = reader->tables;

        reader->tables = table->next;
        vmres_release(reader->allocator, table->numbers, table->room, sizeof *table->numbers);
        vmres_release(reader->allocator, table, 1, sizeof *table);
    }
    for (uint32_t i = 0; i < VMRES_KINDS_MAX; i++) {
        if (reader->policy_options[i])
            vmres_release(reader->allocator, reader->policy_options[i], 1,
                          reader->policies[i].ops->options_size);
        reader->policy_options[i] = NULL;
    }
}
