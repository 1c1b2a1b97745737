/* SPDX-License-Identifier: MIT */
/*
 * The event log: every event an engine was told, every action it asked for, and what it was created
 * with, so that the same engine can be built again and must do the same (backends/replay).
 *
 * A log is the 8 bytes "vmreslog", the format version (u32, VMRES_FORMAT_VERSION) and records.
 * Numbers are little-endian. A record is
 *
 *     size u32    bytes of its body, at most VMRES__LOG_BODY_MAX
 *     type u32    enum vmres__log_type
 *     crc  u32    CRC-32 of the 8 bytes before and the body
 *     body
 *
 * and they come in this order: one ENGINE; for each kind its KIND, followed by one OPTION or one
 * TABLE with its CELLS for each key of its policy; then any number of NAME, EVENT and ACTION as
 * they happened, the actions after the event that caused them, a name before the VM_ADDED it
 * belongs to. A log may end after any record; one that ends within a record was cut off.
 *
 *     ENGINE  library version u32, max_vms, max_transfers, max_actions, kinds, period_ms,
 *             inquiry_ms, progress_ms, stale_periods, notice_ms, dry_run, max_reservations,
 *             relief_ms: u32 each, as they were given: 0 is the default
 *     KIND    unit, placement, removal, keys of its policy: u32 each; granule, capacity, reserve,
 *             tolerance: u64 each; its name, VMRES_KIND_NAME_MAX bytes filled up with NULs; the
 *             name of its policy, the rest
 *     OPTION  value u64; its key, the rest
 *     TABLE   rows, columns: u32 each; its key, the rest. 0 rows: no table was given
 *     CELLS   u64 each: of the table before, the times of all rows, then all cells, row by row, in
 *             as many records as it takes
 *     NAME    vm u32; its name, the rest
 *     EVENT   64 bytes, ACTION 64 bytes: as in event.h and action.h
 */
#ifndef VMRES_DRIVER_LOG_H
#define VMRES_DRIVER_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/action.h>
#include <vmres/driver.h>
#include <vmres/engine.h>
#include <vmres/event.h>
#include <vmres/option.h>
#include <vmres/policy.h>
#include <vmres/status.h>

#define VMRES__LOG_MAGIC "vmreslog"
#define VMRES__LOG_HEAD 12u /* bytes before the body of a record, and before the first record */
#define VMRES__LOG_BODY_MAX 32768u
#define VMRES__LOG_NAME_MAX 64u /* of a policy or a key, with its NUL */

enum vmres__log_type {
    VMRES__LOG_ENGINE = 1,
    VMRES__LOG_KIND = 2,
    VMRES__LOG_OPTION = 3,
    VMRES__LOG_TABLE = 4,
    VMRES__LOG_CELLS = 5,
    VMRES__LOG_NAME = 6,
    VMRES__LOG_EVENT = 7,
    VMRES__LOG_ACTION = 8,
};

/* Writing. Nothing is returned: when a write fails the log ends, and `recorder.write` is NULL. */
struct vmres__log_writer {
    struct vmres_recorder recorder;
};

void vmres__log_begin(struct vmres__log_writer *writer, const struct vmres_engine_options *options);
void vmres__log_name(struct vmres__log_writer *writer, uint32_t vm, const char *name);
void vmres__log_event(struct vmres__log_writer *writer, const struct vmres_event *event);
void vmres__log_action(struct vmres__log_writer *writer, const struct vmres_action *action);

/* A table read from a log, in a list. */
struct vmres__log_table {
    struct vmres_table table;
    uint64_t *numbers; /* [room]: times, then cells */
    size_t count, room;
    struct vmres__log_table *next;
};

/* Reading. Any bytes may come; memory is taken only for what was really there. */
struct vmres__log_reader {
    /* Set these four, all else zero. */
    size_t (*read)(void *user, void *data, size_t size);
    void *user;
    const struct vmres_policy_ops *(*find)(const char *name); /* or NULL */
    const struct vmres_allocator *allocator;

    uint64_t position; /* of the record at hand */
    uint64_t next;     /* of the one after it */
    uint32_t type, size;
    unsigned char body[VMRES__LOG_BODY_MAX];

    /* The engine, complete after vmres__log_open(). */
    struct vmres_engine_options options;
    struct vmres_resource resources[VMRES_KINDS_MAX];
    struct vmres_policy policies[VMRES_KINDS_MAX];
    char names[VMRES_KINDS_MAX][VMRES_KIND_NAME_MAX];
    void *policy_options[VMRES_KINDS_MAX];
    struct vmres__log_table *tables;
};

/* One NAME, EVENT or ACTION. */
struct vmres__log_entry {
    enum vmres__log_type type;
    uint32_t vm;                  /* NAME */
    char name[VMRES_VM_NAME_MAX]; /* NAME */
    struct vmres_event event;
    struct vmres_action action;
};

/* Reads up to the last KIND: `reader->options` can then be given to vmres_engine_create(). Whatever
 * it returns, vmres__log_close() is due. VMRES_PARSE, with the byte in *error; VMRES_UNKNOWN: no
 * such policy; VMRES_NOMEM. */
enum vmres_status vmres__log_open(struct vmres__log_reader *reader, struct vmres_error *error);
/* VMRES_OK: *entry is the next one; VMRES_UNKNOWN: there is none; VMRES_PARSE as above. */
enum vmres_status vmres__log_next(struct vmres__log_reader *reader, struct vmres__log_entry *entry,
                                  struct vmres_error *error);
void vmres__log_close(struct vmres__log_reader *reader);

/* Between the two files of the reader: log_read.c takes records apart, log_open.c builds options.
 * Reads what is before the first record. */
enum vmres_status vmres__log_magic(struct vmres__log_reader *reader, struct vmres_error *error);
/* Fetches the next record; *end is set at the proper end. */
enum vmres_status vmres__log_fetch(struct vmres__log_reader *reader, int *end,
                                   struct vmres_error *error);
/* Says that the record at hand makes no sense. Returns VMRES_PARSE. */
enum vmres_status vmres__log_wrong(const struct vmres__log_reader *reader, const char *what,
                                   struct vmres_error *error);
/* Copies the text at body[from ..] to the end of the body into text[room]. 0: it is empty, does not
 * fit or holds a NUL. */
int vmres__log_text(const struct vmres__log_reader *reader, size_t from, char *text, size_t room);

#endif
