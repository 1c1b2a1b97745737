/* SPDX-License-Identifier: MIT */
/*
 * Writes the event log, one write per record. It trusts what it is given, for that is what the
 * engine was given; and it never fails the driver: the first failed write ends the log.
 */
#include "driver/log.h"

#include <string.h>
#include <vmres/version.h>

#include "driver/wire.h"

static void put(struct vmres__log_writer *writer, const void *data, size_t size)
{
    if (writer->recorder.write &&
        writer->recorder.write(writer->recorder.user, data, size) != VMRES_OK)
        writer->recorder.write = NULL;
}

/* `record` has room for the head before `size` bytes of body. */
static void put_record(struct vmres__log_writer *writer, enum vmres__log_type type,
                       unsigned char *record, size_t size)
{
    unsigned char *at = record;
    uint32_t crc;

    at = vmres__wire_put32(at, (uint32_t)size);
    at = vmres__wire_put32(at, (uint32_t)type);
    crc = vmres__wire_crc(0, record, 8);
    crc = vmres__wire_crc(crc, record + VMRES__LOG_HEAD, size);
    vmres__wire_put32(at, crc);
    put(writer, record, VMRES__LOG_HEAD + size);
}

/* Puts a text, cut to what a reader takes, and returns what follows it. */
static unsigned char *put_text(unsigned char *at, const char *text)
{
    size_t length = strlen(text);

    if (length > VMRES__LOG_NAME_MAX - 1)
        length = VMRES__LOG_NAME_MAX - 1;
    memcpy(at, text, length);
    return at + length;
}

static void put_engine(struct vmres__log_writer *writer, const struct vmres_engine_options *options)
{
    const uint32_t numbers[] = {
        (uint32_t)vmres_version_number(),
        options->max_vms,
        options->max_transfers,
        options->max_actions,
        options->kinds,
        options->period_ms,
        options->inquiry_ms,
        options->progress_ms,
        options->stale_periods,
        options->notice_ms,
        options->dry_run,
        options->max_reservations,
        options->relief_ms,
    };
    unsigned char record[VMRES__LOG_HEAD + sizeof numbers];
    unsigned char *at = record + VMRES__LOG_HEAD;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        at = vmres__wire_put32(at, numbers[i]);
    put_record(writer, VMRES__LOG_ENGINE, record, sizeof numbers);
}

static uint32_t count_keys(const struct vmres_option_key *keys)
{
    uint32_t count = 0;

    while (keys && keys[count].name)
        count++;
    return count;
}

static void put_kind(struct vmres__log_writer *writer, const struct vmres_resource *resource,
                     const struct vmres_policy_ops *ops)
{
    unsigned char record[VMRES__LOG_HEAD + 48 + VMRES_KIND_NAME_MAX + VMRES__LOG_NAME_MAX] = {0};
    unsigned char *body = record + VMRES__LOG_HEAD, *at = body;

    at = vmres__wire_put32(at, (uint32_t)resource->unit);
    at = vmres__wire_put32(at, (uint32_t)resource->placement);
    at = vmres__wire_put32(at, (uint32_t)resource->removal);
    at = vmres__wire_put32(at, count_keys(ops->keys));
    at = vmres__wire_put64(at, resource->granule);
    at = vmres__wire_put64(at, resource->capacity);
    at = vmres__wire_put64(at, resource->reserve);
    at = vmres__wire_put64(at, resource->tolerance);
    put_text(at, resource->name);
    at = put_text(at + VMRES_KIND_NAME_MAX, ops->name);
    put_record(writer, VMRES__LOG_KIND, record, (size_t)(at - body));
}

static void put_numbers(struct vmres__log_writer *writer, const uint64_t *numbers, size_t count)
{
    enum { AT_ONCE = 64 };
    unsigned char record[VMRES__LOG_HEAD + AT_ONCE * 8];

    while (count > 0) {
        size_t some = count < AT_ONCE ? count : AT_ONCE;
        unsigned char *at = record + VMRES__LOG_HEAD;

        for (size_t i = 0; i < some; i++)
            at = vmres__wire_put64(at, numbers[i]);
        put_record(writer, VMRES__LOG_CELLS, record, some * 8);
        numbers += some;
        count -= some;
    }
}

static void put_table(struct vmres__log_writer *writer, const char *key,
                      const struct vmres_table *table)
{
    static const struct vmres_table none = {0};
    unsigned char record[VMRES__LOG_HEAD + 8 + VMRES__LOG_NAME_MAX];
    unsigned char *body = record + VMRES__LOG_HEAD, *at = body;

    if (!table)
        table = &none;
    at = vmres__wire_put32(at, table->rows);
    at = vmres__wire_put32(at, table->columns);
    at = put_text(at, key);
    put_record(writer, VMRES__LOG_TABLE, record, (size_t)(at - body));
    put_numbers(writer, table->times_ms, table->rows);
    put_numbers(writer, table->cells, (size_t)table->rows * table->columns);
}

static void put_option(struct vmres__log_writer *writer, const char *key, uint64_t value)
{
    unsigned char record[VMRES__LOG_HEAD + 8 + VMRES__LOG_NAME_MAX];
    unsigned char *body = record + VMRES__LOG_HEAD, *at = body;

    at = vmres__wire_put64(at, value);
    at = put_text(at, key);
    put_record(writer, VMRES__LOG_OPTION, record, (size_t)(at - body));
}

static void put_policy_options(struct vmres__log_writer *writer, const struct vmres_policy *policy)
{
    const char *options = policy->options ? policy->options : policy->ops->defaults;
    uint32_t keys = count_keys(policy->ops->keys);

    for (uint32_t i = 0; i < keys; i++) {
        const struct vmres_option_key *key = &policy->ops->keys[i];

        if (key->type == VMRES_OPTION_TABLE) {
            const struct vmres_table *table;

            memcpy(&table, options + key->offset, sizeof table);
            put_table(writer, key->name, table);
        } else {
            uint64_t value;

            memcpy(&value, options + key->offset, sizeof value);
            put_option(writer, key->name, value);
        }
    }
}

void vmres__log_begin(struct vmres__log_writer *writer, const struct vmres_engine_options *options)
{
    const struct vmres_policy none = {.ops = vmres_policy_find("static")};
    unsigned char head[VMRES__LOG_HEAD];

    if (!writer->recorder.write)
        return;
    memcpy(head, VMRES__LOG_MAGIC, 8);
    vmres__wire_put32(head + 8, VMRES_FORMAT_VERSION);
    put(writer, head, sizeof head);
    put_engine(writer, options);
    for (uint32_t i = 0; i < options->kinds; i++) {
        const struct vmres_policy *policy = options->policies ? &options->policies[i] : &none;

        put_kind(writer, &options->resources[i], policy->ops);
        put_policy_options(writer, policy);
    }
}

void vmres__log_name(struct vmres__log_writer *writer, uint32_t vm, const char *name)
{
    unsigned char record[VMRES__LOG_HEAD + 4 + VMRES_VM_NAME_MAX];
    unsigned char *body = record + VMRES__LOG_HEAD, *at = body;

    if (!writer->recorder.write)
        return;
    at = vmres__wire_put32(at, vm);
    at = put_text(at, name);
    put_record(writer, VMRES__LOG_NAME, record, (size_t)(at - body));
}

void vmres__log_event(struct vmres__log_writer *writer, const struct vmres_event *event)
{
    unsigned char record[VMRES__LOG_HEAD + VMRES__WIRE_EVENT];

    if (!writer->recorder.write)
        return;
    vmres__wire_put_event(record + VMRES__LOG_HEAD, event);
    put_record(writer, VMRES__LOG_EVENT, record, VMRES__WIRE_EVENT);
}

void vmres__log_action(struct vmres__log_writer *writer, const struct vmres_action *action)
{
    unsigned char record[VMRES__LOG_HEAD + VMRES__WIRE_EVENT];

    if (!writer->recorder.write)
        return;
    vmres__wire_put_action(record + VMRES__LOG_HEAD, action);
    put_record(writer, VMRES__LOG_ACTION, record, VMRES__WIRE_EVENT);
}
