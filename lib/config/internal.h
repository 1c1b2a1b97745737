/* SPDX-License-Identifier: MIT */
/*
 * What the files of the configuration loader share: the tree of nodes with positions, the loader
 * that walks it, and the typed readers. yaml.c alone knows libyaml; everybody else reads nodes.
 *
 * Every function that can fail has put its one line into loader->error when it does; callers pass
 * the status on and add nothing.
 */
#ifndef VMRES_CONFIG_INTERNAL_H
#define VMRES_CONFIG_INTERNAL_H

#include <stdbool.h>

#include <vmres/config.h>
#include <vmres/sim_fault.h>
#include <vmres/units.h>

/* Memory that is given back all at once. */
struct config_arena {
    struct vmres_allocator allocator;
    struct config_block *blocks;
};

/* Where something stands in a file; lines and columns count from 1. */
struct config_mark {
    uint32_t line, column;
};

enum config_node_type {
    CONFIG_SCALAR,
    CONFIG_LIST,
    CONFIG_MAP,
};

/* A value of the file. Values of a map know their key. */
struct config_node {
    enum config_node_type type;
    uint32_t count; /* of values below it */
    struct config_mark at;
    struct config_mark key_at;
    const char *key;           /* in a map, else NULL */
    const char *text;          /* of a scalar, else "" */
    struct config_node *first; /* of a list or map */
    struct config_node *next;  /* beside it */
};

/* What a file calls a resource kind, and how it is treated when the file says no more. */
struct config_kind {
    const char *name;
    enum vmres_unit unit;
    enum vmres_removal removal;
    uint64_t granule;
    const char *trace_unit;         /* of a CSV file that does not say */
    const char *const *trace_units; /* those it may be in; ends with NULL */
};

/* names.c: names and their numbers. */
struct config_name {
    const char *name;
    uint32_t number;
};
struct config_names {
    struct config_name *slots; /* [mask + 1] */
    size_t mask;
};

/* A CSV file: times ascending, cells by column: cells[column * rows + row]. */
struct config_trace {
    const char *path;
    const char *unit;
    uint32_t rows, columns; /* without t_s */
    const char **names;     /* [columns], then NULL */
    struct config_names by_name;
    uint64_t *times_ms; /* [rows] */
    uint64_t *cells;    /* [columns * rows] */
    struct config_trace *next;
};

/* What is being loaded, and the books kept meanwhile. */
struct config_loader {
    const char *path;
    struct vmres_error *error;
    const struct vmres_config_options *options;
    struct config_arena scratch; /* the tree: gone when loading ends */
    struct config_arena *keep;   /* the result's own */
    struct vmres_config *config;
    struct config_trace *traces; /* read so far */
    uint64_t longest_ms;         /* of the demand traces */
    uint8_t kinds;
    const struct config_kind *kind[VMRES_KINDS_MAX];
    uint64_t floors[VMRES_KINDS_MAX];   /* sum so far, of whole granules */
    uint64_t initials[VMRES_KINDS_MAX]; /* the same; VMs with initial: auto count their floor */
    struct vmres_resource *resources;   /* [kinds] */
    struct vmres_sim_device *devices;   /* [kinds] */
    struct vmres_sim_vm_spec *vms;
    struct config_names vm_names;
    struct vmres_sim_fault *faults; /* [fault_room] */
    uint32_t fault_room;
};

/* arena.c. Zeroed and aligned for any type; NULL when there is no memory, or count or size is 0. */
void *vmres__arena_take(struct config_arena *arena, size_t count, size_t size);
/* A copy of `length` bytes with a NUL behind them. */
char *vmres__arena_copy(struct config_arena *arena, const char *text, size_t length);
void vmres__arena_release(struct config_arena *arena);

/* names.c. Takes room for so many names; false: there is no memory. Names stay the caller's. */
bool vmres__names_open(struct config_names *names, struct config_arena *arena, size_t room);
/* false: it is there already, and keeps its number. */
bool vmres__names_add(struct config_names *names, const char *name, uint32_t number);
/* The number of this name, or UINT32_MAX. */
uint32_t vmres__names_find(const struct config_names *names, const char *name);

/* file.c. A whole file, NUL-terminated; `room` bytes were allocated. */
struct config_text {
    char *bytes;
    size_t size, room;
};
/* VMRES_IO: *reason says why not (static text); VMRES_LIMIT: larger than `most`; VMRES_NOMEM. */
enum vmres_status vmres__file_read(const struct vmres_allocator *allocator, const char *path,
                                   size_t most, struct config_text *text, const char **reason);
void vmres__file_release(const struct vmres_allocator *allocator, struct config_text *text);

/* load.c. Fails with VMRES_PARSE: "FILE:LINE:COLUMN: ...", with a '?' for what is not plain
 * (core/utf8.h). */
enum vmres_status vmres__load_fail(struct config_loader *loader, struct config_mark at,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same about another file than the loader's. */
enum vmres_status vmres__load_fail_in(struct config_loader *loader, const char *path,
                                      struct config_mark at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
enum vmres_status vmres__load_no_memory(struct config_loader *loader);

/* yaml.c. Reads the text of the loader's file into a tree, in the loader's scratch memory. */
enum vmres_status vmres__yaml_read(struct config_loader *loader, const struct config_text *text,
                                   struct config_node **root);

/* tree.c. `keys` ends with NULL; a key of the map that is not among them is an error. */
enum vmres_status vmres__tree_expect_map(struct config_loader *loader,
                                         const struct config_node *node, const char *const *keys);
enum vmres_status vmres__tree_expect_list(struct config_loader *loader,
                                          const struct config_node *node);
/* The value of `key`, or NULL; map may be NULL. */
const struct config_node *vmres__tree_find(const struct config_node *map, const char *key);
/* The same, and an error if it is missing. */
enum vmres_status vmres__tree_need(struct config_loader *loader, const struct config_node *map,
                                   const char *key, const struct config_node **value);
/* Writes the names, a comma between them, cut to fit; returns buffer. `names` ends with NULL. */
const char *vmres__tree_join(char *buffer, size_t room, const char *const *names);

/* scalar.c. `node` NULL: nothing is read and *value stays as it is. */
enum vmres_status vmres__scalar_text(struct config_loader *loader, const struct config_node *node,
                                     const char **value);
enum vmres_status vmres__scalar_amount(struct config_loader *loader, const struct config_node *node,
                                       enum vmres_unit unit, uint64_t *value);
enum vmres_status vmres__scalar_rate(struct config_loader *loader, const struct config_node *node,
                                     enum vmres_unit unit, uint64_t *value);
enum vmres_status vmres__scalar_time(struct config_loader *loader, const struct config_node *node,
                                     uint64_t *value);
enum vmres_status vmres__scalar_share(struct config_loader *loader, const struct config_node *node,
                                      uint32_t *value);
enum vmres_status vmres__scalar_count(struct config_loader *loader, const struct config_node *node,
                                      uint64_t *value);
enum vmres_status vmres__scalar_flag(struct config_loader *loader, const struct config_node *node,
                                     uint64_t *value);
/* One of `names`, which ends with NULL: its index. */
enum vmres_status vmres__scalar_choice(struct config_loader *loader, const struct config_node *node,
                                       const char *const *names, uint32_t *value);
/* The text of one amount, rate or count, without a node: what CSV cells and messages need. */
enum vmres_status vmres__scalar_parse_amount(enum vmres_unit unit, const char *text,
                                             uint64_t *value);
const char *vmres__scalar_format(char *buffer, size_t room, enum vmres_unit unit, uint64_t value);

/* host.c, sim.c: the sections of these names; node NULL: not there. */
enum vmres_status vmres__host_read(struct config_loader *loader, const struct config_node *node);
enum vmres_status vmres__sim_read(struct config_loader *loader, const struct config_node *node);
/* The index of a kind of the host by name; the error is at `at`. */
enum vmres_status vmres__host_kind(struct config_loader *loader, const struct config_node *at,
                                   const char *name, uint8_t *kind);
/* Keys a map of the VM section may have: the host's kinds by name, then `more` up to its NULL. */
enum { CONFIG_KEYS_MAX = VMRES_KINDS_MAX + 16 };
void vmres__host_keys(const struct config_loader *loader, const char *const *more,
                      const char *keys[CONFIG_KEYS_MAX]);

/* vms.c: the VMs listed one by one, none where list is NULL, with room for so many more. */
enum vmres_status vmres__vms_read(struct config_loader *loader, const struct config_node *list,
                                  uint32_t more);
/* The next VM, `at` being what an error about its name is about; its limits and demands are the
 * caller's to fill, one per kind. */
enum vmres_status vmres__vms_add(struct config_loader *loader, const struct config_node *at,
                                 const char *name, struct vmres_vm_limits **limits,
                                 struct vmres_sim_demand **demand);
/* fleet.c: one VM per demand column of its trace. `count` stores how many there are. */
enum vmres_status vmres__fleet_count(struct config_loader *loader, const struct config_node *fleet,
                                     uint32_t *count);
enum vmres_status vmres__fleet_read(struct config_loader *loader, const struct config_node *fleet);

/* limits.c: floor, ceiling, initial and weight of one kind. `index`: which entry where a list is
 * given instead of a value; CONFIG_NO_LISTS where none may be. node NULL: not limited. */
#define CONFIG_NO_LISTS UINT32_MAX
enum vmres_status vmres__limits_read(struct config_loader *loader, const struct config_node *node,
                                     uint8_t kind, uint32_t index, struct vmres_vm_limits *limits);

/* workload.c: one VM's demand for every kind. node NULL: none. */
enum vmres_status vmres__workload_read(struct config_loader *loader, const struct config_node *node,
                                       struct vmres_sim_demand *demand);
/* Demand from a column of a trace, cache from another or UINT32_MAX. */
enum vmres_status vmres__workload_follow(struct config_loader *loader,
                                         const struct config_trace *trace, uint32_t column,
                                         uint32_t cache, struct vmres_sim_demand *demand);

/* fault.c: the faults of VM `vm`, or of the host, VMRES_VM_NONE. */
enum vmres_status vmres__fault_read(struct config_loader *loader, const struct config_node *list,
                                    uint32_t vm);

/* operate.c: what the operator does, and the VMs that claim what was reserved. */
enum vmres_status vmres__operate_read(struct config_loader *loader, const struct config_node *list,
                                      const struct config_node *vms);

/* policy.c: the policies of all kinds. Wants hosts, VMs and devices to be known. */
enum vmres_status vmres__policy_read(struct config_loader *loader, const struct config_node *node);
/* table.c: a policy's table from a CSV file, columns by VM. */
enum vmres_status vmres__table_read(struct config_loader *loader, const struct config_node *node,
                                    const struct config_kind *kind,
                                    const struct vmres_table **result);

/* csv.c: the CSV file `node` names, cells in `unit` of the kind; each is read once. */
enum vmres_status vmres__csv_read(struct config_loader *loader, const struct config_node *node,
                                  const struct config_kind *kind, const char *unit,
                                  const struct config_trace **result);
/* The column of this name; the error is at `at`. */
enum vmres_status vmres__csv_need(struct config_loader *loader, const struct config_node *at,
                                  const struct config_trace *trace, const char *name,
                                  uint32_t *column);
/* Its end: the last row holds as long as the one before it did. */
uint64_t vmres__csv_length_ms(const struct config_trace *trace);

#endif
