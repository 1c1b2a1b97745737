/* SPDX-License-Identifier: MIT */
/*
 * Takes a log apart into records, and the records after the setup into entries. It believes
 * nothing: every size is checked before it is used and every record against its sum, and whatever
 * is wrong is reported with the byte at which the record begins.
 */
#include "driver/log.h"

#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "driver/wire.h"

static size_t read_fully(struct vmres__log_reader *reader, unsigned char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t some = reader->read(reader->user, data + done, size - done);

        if (some == 0 || some > size - done)
            break;
        done += some;
    }
    reader->next += done;
    return done;
}

static enum vmres_status cut_off(const struct vmres__log_reader *reader, struct vmres_error *error)
{
    return vmres__error_set(error, VMRES_PARSE,
                            "the log is cut off: the record at byte %" PRIu64
                            " ends at byte %" PRIu64 "; keep what is before it",
                            reader->position, reader->next);
}

enum vmres_status vmres__log_wrong(const struct vmres__log_reader *reader, const char *what,
                                   struct vmres_error *error)
{
    return vmres__error_set(error, VMRES_PARSE,
                            "the log is damaged: the record at byte %" PRIu64
                            " %s; keep what is before it",
                            reader->position, what);
}

enum vmres_status vmres__log_magic(struct vmres__log_reader *reader, struct vmres_error *error)
{
    unsigned char head[VMRES__LOG_HEAD];
    uint32_t version;

    if (read_fully(reader, head, sizeof head) < sizeof head ||
        memcmp(head, VMRES__LOG_MAGIC, 8) != 0)
        return vmres__error_set(error, VMRES_PARSE,
                                "not an event log: no \"" VMRES__LOG_MAGIC
                                "\" at byte 0; name one that a recorder wrote");
    vmres__wire_get32(head + 8, &version);
    if (version != VMRES_FORMAT_VERSION)
        return vmres__error_set(error, VMRES_PARSE,
                                "byte 8: the log has format %" PRIu32
                                ", this is for format %u; replay it with the vmres that wrote it",
                                version, VMRES_FORMAT_VERSION);
    return VMRES_OK;
}

enum vmres_status vmres__log_fetch(struct vmres__log_reader *reader, int *end,
                                   struct vmres_error *error)
{
    unsigned char head[VMRES__LOG_HEAD];
    const unsigned char *at = head;
    uint32_t crc, sum;
    size_t got;

    reader->position = reader->next;
    got = read_fully(reader, head, sizeof head);
    *end = got == 0;
    if (*end)
        return VMRES_OK;
    if (got < sizeof head)
        return cut_off(reader, error);
    at = vmres__wire_get32(at, &reader->size);
    at = vmres__wire_get32(at, &reader->type);
    vmres__wire_get32(at, &crc);
    if (reader->size > VMRES__LOG_BODY_MAX)
        return vmres__log_wrong(reader, "claims to be larger than any", error);
    if (read_fully(reader, reader->body, reader->size) < reader->size)
        return cut_off(reader, error);
    sum = vmres__wire_crc(vmres__wire_crc(0, head, 8), reader->body, reader->size);
    if (sum != crc)
        return vmres__log_wrong(reader, "does not match its check sum", error);
    return VMRES_OK;
}

int vmres__log_text(const struct vmres__log_reader *reader, size_t from, char *text, size_t room)
{
    size_t length;

    if (reader->size <= from)
        return 0;
    length = reader->size - from;
    if (length >= room || memchr(reader->body + from, '\0', length))
        return 0;
    memcpy(text, reader->body + from, length);
    text[length] = '\0';
    return 1;
}

enum vmres_status vmres__log_next(struct vmres__log_reader *reader, struct vmres__log_entry *entry,
                                  struct vmres_error *error)
{
    enum vmres_status status;
    int end;

    status = vmres__log_fetch(reader, &end, error);
    if (status != VMRES_OK)
        return status;
    if (end)
        return VMRES_UNKNOWN;
    entry->type = (enum vmres__log_type)reader->type;
    switch (reader->type) {
    case VMRES__LOG_NAME:
        if (reader->size < 4 || !vmres__log_text(reader, 4, entry->name, sizeof entry->name))
            return vmres__log_wrong(reader, "is not a name", error);
        vmres__wire_get32(reader->body, &entry->vm);
        return VMRES_OK;
    case VMRES__LOG_EVENT:
        if (reader->size != VMRES__WIRE_EVENT)
            return vmres__log_wrong(reader, "is not an event", error);
        vmres__wire_get_event(reader->body, &entry->event);
        return VMRES_OK;
    case VMRES__LOG_ACTION:
        if (reader->size != VMRES__WIRE_EVENT)
            return vmres__log_wrong(reader, "is not an action", error);
        vmres__wire_get_action(reader->body, &entry->action);
        return VMRES_OK;
    default:
        return vmres__log_wrong(reader, "is of no type expected here", error);
    }
}
