/* SPDX-License-Identifier: MIT */
/*
 * Which policy judges which kind, its options filled through its own table of keys, and the period
 * of the rounds. This file knows no policy by name, but for the one that stands where none is
 * given. Invariant: every policy handed out has accepted its options.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/error.h"

enum { MIN_PERIOD_MS = 10, MAX_PERIOD_MS = 3600000, MAX_KEYS_SHOWN = 24 };

/* One policy being configured. */
struct choice {
    struct config_loader *loader;
    const struct vmres_policy_ops *ops;
    unsigned char *options;
    struct config_mark at;
    uint8_t kind;
};

static const struct vmres_policy_ops *find(const struct config_loader *loader, const char *name)
{
    return loader->options->find ? loader->options->find(name) : vmres_policy_find(name);
}

/* The ready-made names, for messages; an embedder's own finder does not tell its. */
static const char *known_names(char *buffer, size_t room)
{
    const char *names[MAX_KEYS_SHOWN] = {NULL};
    const struct vmres_policy_ops *ops;

    for (uint32_t i = 0; i + 1 < MAX_KEYS_SHOWN && (ops = vmres_policy_at(i)) != NULL; i++)
        names[i] = ops->name;
    return vmres__tree_join(buffer, room, names);
}

static enum vmres_status read_period(struct config_loader *loader, const struct config_node *node)
{
    uint32_t *period = &loader->config->engine.period_ms;
    uint64_t ms = 0;
    enum vmres_status status = vmres__scalar_time(loader, node, &ms);

    if (!node || status)
        return status;
    if (ms < MIN_PERIOD_MS || ms > MAX_PERIOD_MS)
        return vmres__load_fail(loader, node->at, "period must lie between %dms and 1h; change it",
                                MIN_PERIOD_MS);
    if (*period != 0 && *period != ms)
        return vmres__load_fail(loader, node->at,
                                "one inquiry serves all kinds; write the same period for each");
    *period = (uint32_t)ms;
    return VMRES_OK;
}

/* Where an option lies; the policy's author says by the key's type what it is. */
static uint64_t *number_of(const struct choice *choice, const struct vmres_option_key *key)
{
    return (void *)(choice->options + key->offset);
}

static const struct vmres_table **table_of(const struct choice *choice,
                                           const struct vmres_option_key *key)
{
    return (void *)(choice->options + key->offset);
}

static const char *format_value(char *buffer, size_t room, const struct choice *choice,
                                const struct vmres_option_key *key, uint64_t value)
{
    enum vmres_unit unit = choice->loader->kind[choice->kind]->unit;
    char text[VMRES_UNITS_ROOM];

    switch (key->type) {
    case VMRES_OPTION_SHARE:
        return vmres_format_share(buffer, room, value > UINT32_MAX ? UINT32_MAX : (uint32_t)value);
    case VMRES_OPTION_TIME:
        return vmres_format_time(buffer, room, value);
    case VMRES_OPTION_AMOUNT:
        return vmres__scalar_format(buffer, room, unit, value);
    case VMRES_OPTION_RATE:
        (void)snprintf(buffer, room, "%s/s", vmres__scalar_format(text, sizeof text, unit, value));
        return buffer;
    default:
        return vmres__scalar_format(buffer, room, VMRES_UNIT_COUNT, value);
    }
}

static enum vmres_status read_number(const struct choice *choice,
                                     const struct vmres_option_key *key,
                                     const struct config_node *node, uint64_t *value)
{
    struct config_loader *loader = choice->loader;
    enum vmres_unit unit = loader->kind[choice->kind]->unit;
    enum vmres_status status;
    uint32_t share = 0;

    switch (key->type) {
    case VMRES_OPTION_SHARE:
        status = vmres__scalar_share(loader, node, &share);
        *value = share;
        return status;
    case VMRES_OPTION_AMOUNT:
        return vmres__scalar_amount(loader, node, unit, value);
    case VMRES_OPTION_RATE:
        return vmres__scalar_rate(loader, node, unit, value);
    case VMRES_OPTION_TIME:
        return vmres__scalar_time(loader, node, value);
    case VMRES_OPTION_FLAG:
        return vmres__scalar_flag(loader, node, value);
    default:
        return vmres__scalar_count(loader, node, value);
    }
}

static enum vmres_status read_option(const struct choice *choice,
                                     const struct vmres_option_key *key,
                                     const struct config_node *node)
{
    struct config_loader *loader = choice->loader;
    char least[VMRES_UNITS_ROOM + 8], most[VMRES_UNITS_ROOM + 8];
    const struct vmres_table **table = table_of(choice, key);
    uint64_t value = 0;
    enum vmres_status status;

    if (key->type == VMRES_OPTION_TABLE) {
        status = vmres__table_read(loader, node, loader->kind[choice->kind], table);
        value = status ? 0 : (*table)->rows;
    } else {
        status = read_number(choice, key, node, &value);
        *number_of(choice, key) = value;
    }
    if (status)
        return status;
    if (value < key->minimum || value > key->maximum)
        return vmres__load_fail(loader, node->at, "%s must lie between %s and %s; change it",
                                key->name,
                                format_value(least, sizeof least, choice, key, key->minimum),
                                format_value(most, sizeof most, choice, key, key->maximum));
    return VMRES_OK;
}

static const struct vmres_option_key *find_key(const struct vmres_policy_ops *ops, const char *name)
{
    const struct vmres_option_key *key = ops->keys;

    while (key && key->name && strcmp(key->name, name) != 0)
        key++;
    return key && key->name ? key : NULL;
}

static enum vmres_status fail_unknown_key(const struct choice *choice,
                                          const struct config_node *node)
{
    const char *names[MAX_KEYS_SHOWN] = {"name", "period"};
    char known[120];
    size_t count = 2;

    for (const struct vmres_option_key *key = choice->ops->keys;
         key && key->name && count + 1 < MAX_KEYS_SHOWN; key++)
        names[count++] = key->name;
    return vmres__load_fail(choice->loader, node->key_at,
                            "policy %s has no key '%.40s'; known here: %s", choice->ops->name,
                            node->key, vmres__tree_join(known, sizeof known, names));
}

/* All keys of the map but those that every policy has. */
static enum vmres_status read_options(const struct choice *choice, const struct config_node *map)
{
    enum vmres_status status = VMRES_OK;

    for (const struct config_node *node = map->first; node && status == VMRES_OK;
         node = node->next) {
        const struct vmres_option_key *key = find_key(choice->ops, node->key);

        if (strcmp(node->key, "name") == 0 || strcmp(node->key, "period") == 0)
            continue;
        status = key ? read_option(choice, key, node) : fail_unknown_key(choice, node);
    }
    return status;
}

/* The rates of the simulated device, where the policy asks for rates and the file gives none. */
static void fill_rates(const struct choice *choice, const struct config_node *map)
{
    const struct vmres_sim_device *device = &choice->loader->devices[choice->kind];
    const struct {
        const char *name;
        uint64_t rate;
    } rates[] = {{"release", device->release}, {"grant", device->grant}};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const struct vmres_option_key *key = find_key(choice->ops, rates[i].name);

        if (key && key->type == VMRES_OPTION_RATE && !vmres__tree_find(map, rates[i].name))
            *number_of(choice, key) = rates[i].rate;
    }
}

/* Tables have no default: one that needs rows must have been given. */
static enum vmres_status check_tables(const struct choice *choice)
{
    for (const struct vmres_option_key *key = choice->ops->keys; key && key->name; key++) {
        if (key->type == VMRES_OPTION_TABLE && key->minimum > 0 && !*table_of(choice, key))
            return vmres__load_fail(choice->loader, choice->at,
                                    "policy %s needs a table; add %s: FILE.csv", choice->ops->name,
                                    key->name);
    }
    return VMRES_OK;
}

/* "high 80%" of all keys of this type but this one, as far as there is room. */
static const char *list_others(char *buffer, size_t room, const struct choice *choice,
                               const struct vmres_option_key *but)
{
    size_t used = 0;

    (void)snprintf(buffer, room, "the rest");
    for (const struct vmres_option_key *key = choice->ops->keys; key->name && used < room; key++) {
        char value[VMRES_UNITS_ROOM + 8];

        if (key == but || key->type != but->type)
            continue;
        used += (size_t)snprintf(
            buffer + used, room - used, "%s%s %s", used ? ", " : "", key->name,
            format_value(value, sizeof value, choice, key, *number_of(choice, key)));
    }
    return buffer;
}

/* The policy would start if this key had its default. */
static enum vmres_status fail_beside(const struct choice *choice, const struct config_node *node,
                                     const struct vmres_option_key *key, uint64_t fallback)
{
    char is[VMRES_UNITS_ROOM + 8], would[VMRES_UNITS_ROOM + 8], others[100];

    return vmres__load_fail(choice->loader, node->at,
                            "policy %s refuses %s %s beside %s; change one, %s %s would do",
                            choice->ops->name, key->name,
                            format_value(is, sizeof is, choice, key, *number_of(choice, key)),
                            list_others(others, sizeof others, choice, key), key->name,
                            format_value(would, sizeof would, choice, key, fallback));
}

/* Whether the policy starts with these options, on a state that is thrown away. */
static bool starts(const struct choice *choice, void *state)
{
    struct config_loader *loader = choice->loader;
    const struct vmres_resource *resource = &loader->resources[choice->kind];
    const struct vmres_policy_host host = {
        .resource = resource,
        .granule = resource->granule,
        .period_ms = loader->config->engine.period_ms,
        .max_vms = loader->config->vm_count,
    };

    memset(state, 0, choice->ops->state_size);
    return choice->ops->start(state, choice->options, &host) == VMRES_OK;
}

/* Starts the policy to hear whether its options go together; if not, looks for the one of the file
 * that does not go with the others. */
static enum vmres_status try_start(const struct choice *choice, const struct config_node *map)
{
    size_t size = choice->ops->state_size;
    void *state;

    if (!choice->ops->start)
        return VMRES_OK;
    state = vmres__arena_take(&choice->loader->scratch, 1, size ? size : 1);
    if (!state)
        return vmres__load_no_memory(choice->loader);
    if (starts(choice, state))
        return VMRES_OK;
    for (const struct config_node *node = map ? map->first : NULL; node; node = node->next) {
        const struct vmres_option_key *key = find_key(choice->ops, node->key);
        uint64_t chosen, fallback;
        bool helps;

        if (!key || key->type == VMRES_OPTION_TABLE)
            continue;
        chosen = *number_of(choice, key);
        memcpy(&fallback, (const char *)choice->ops->defaults + key->offset, sizeof fallback);
        *number_of(choice, key) = fallback;
        helps = starts(choice, state);
        *number_of(choice, key) = chosen;
        if (helps)
            return fail_beside(choice, node, key, fallback);
    }
    return vmres__load_fail(choice->loader, choice->at,
                            "policy %s refuses these options together; see what each means",
                            choice->ops->name);
}

/* Fills choice->options for choice->ops; map NULL: from the defaults alone. */
static enum vmres_status configure(struct choice *choice, const struct config_node *map)
{
    size_t size = choice->ops->options_size;
    enum vmres_status status = VMRES_OK;

    choice->options = NULL;
    if (size) {
        choice->options = vmres__arena_take(choice->loader->keep, 1, size);
        if (!choice->options)
            return vmres__load_no_memory(choice->loader);
        memcpy(choice->options, choice->ops->defaults, size);
    }
    if (choice->loader->config->simulated)
        fill_rates(choice, map);
    if (map)
        status = read_options(choice, map);
    if (status == VMRES_OK)
        status = check_tables(choice);
    return status ? status : try_start(choice, map);
}

/* The policy the file names for one kind. */
static enum vmres_status read_named(struct choice *choice, const struct config_node *map)
{
    struct config_loader *loader = choice->loader;
    const struct config_node *node = NULL;
    char known[100];
    enum vmres_status status = vmres__tree_need(loader, map, "name", &node);

    if (status)
        return status;
    choice->ops = find(loader, node->text);
    choice->at = node->at;
    if (!choice->ops)
        return vmres__load_fail(loader, node->at, "no policy '%.40s'; there are: %s", node->text,
                                known_names(known, sizeof known));
    return configure(choice, map);
}

/* The policy of one kind: the file's, unless the caller wants another. */
static enum vmres_status read_choice(struct config_loader *loader, const struct config_node *map,
                                     uint8_t kind, struct vmres_policy *policy)
{
    struct choice choice = {.loader = loader, .kind = kind, .at = {1, 1}};
    const char *wanted = loader->options->policy;
    enum vmres_status status = VMRES_OK;

    if (map)
        status = read_named(&choice, map);
    if (status)
        return status;
    if (!choice.ops || (wanted && strcmp(choice.ops->name, wanted) != 0)) {
        choice.ops = find(loader, wanted ? wanted : "static");
        status = configure(&choice, NULL);
    }
    *policy = (struct vmres_policy){choice.ops, choice.options};
    return status;
}

/* One map for all kinds, or a map of one per kind. */
static int is_per_kind(const struct config_loader *loader, const struct config_node *node)
{
    for (uint32_t kind = 0; kind < loader->kinds; kind++) {
        if (vmres__tree_find(node, loader->kind[kind]->name))
            return !vmres__tree_find(node, "name");
    }
    return 0;
}

/* Shapes and periods first: a policy is told the period when it starts. */
static enum vmres_status read_shape(struct config_loader *loader, const struct config_node *node,
                                    int per_kind)
{
    static const char *const none[] = {NULL};
    const char *keys[CONFIG_KEYS_MAX];
    enum vmres_status status = VMRES_OK;

    vmres__host_keys(loader, none, keys);
    if (!per_kind && node->type != CONFIG_MAP)
        return vmres__load_fail(loader, node->at, "a policy is a map; write {name: pressure}");
    if (!per_kind)
        return read_period(loader, vmres__tree_find(node, "period"));
    status = vmres__tree_expect_map(loader, node, keys);
    for (const struct config_node *child = node->first; child && status == VMRES_OK;
         child = child->next)
        status = read_period(loader, vmres__tree_find(child, "period"));
    return status;
}

enum vmres_status vmres__policy_read(struct config_loader *loader, const struct config_node *node)
{
    int per_kind = node && is_per_kind(loader, node);
    const char *wanted = loader->options->policy;
    struct vmres_policy *policies;
    char known[100];
    enum vmres_status status = VMRES_OK;

    if (wanted && !find(loader, wanted))
        return vmres__error_set(loader->error, VMRES_UNKNOWN, "no policy '%.40s'; there are: %s",
                                wanted, known_names(known, sizeof known));
    policies = vmres__arena_take(loader->keep, loader->kinds, sizeof *policies);
    if (!policies)
        return vmres__load_no_memory(loader);
    loader->config->engine.policies = policies;
    if (node)
        status = read_shape(loader, node, per_kind);
    if (loader->config->engine.period_ms == 0)
        loader->config->engine.period_ms = 1000;
    for (uint8_t kind = 0; kind < loader->kinds && status == VMRES_OK; kind++) {
        const struct config_node *map =
            per_kind ? vmres__tree_find(node, loader->kind[kind]->name) : node;

        if (map && map->type != CONFIG_MAP)
            status = vmres__load_fail(loader, map->at, "a policy is a map; write {name: pressure}");
        else
            status = read_choice(loader, map, kind, &policies[kind]);
    }
    return status;
}
