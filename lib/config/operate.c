/* SPDX-License-Identifier: MIT */
/*
 * What an operator does while the host runs: a list in order of time, each entry one verb and what
 * it needs beside it. VMs and reservations are known by name here, by index and number from here
 * on. Invariant: every name means something, and no key goes unread.
 */
#include <stdbool.h>
#include <string.h>

#include "config/internal.h"

enum amounts { NO_KIND, AN_AMOUNT, A_RANGE };

static const struct verb {
    const char *name;
    const char *also; /* a key it needs or takes beside those of a kind, or "" */
    enum vmres_event_type type;
    enum amounts amounts;
} verbs[] = {
    {"freeze", "", VMRES_EVENT_FREEZE, NO_KIND},      {"thaw", "", VMRES_EVENT_THAW, NO_KIND},
    {"set", "", VMRES_EVENT_SET, AN_AMOUNT},          {"move", "to", VMRES_EVENT_MOVE, AN_AMOUNT},
    {"reserve", "for", VMRES_EVENT_RESERVE, A_RANGE}, {"release", "", VMRES_EVENT_RELEASE, NO_KIND},
    {"settle", "", VMRES_EVENT_SETTLE, NO_KIND},      {"resume", "", VMRES_EVENT_RESUME, NO_KIND},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static const struct verb *find_verb(const char *key)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, key) == 0)
            return &verbs[i];
    }
    return NULL;
}

static bool is_kind(const struct config_loader *loader, const char *key, uint8_t *kind)
{
    for (uint8_t i = 0; i < loader->kinds; i++) {
        if (strcmp(loader->kind[i]->name, key) == 0) {
            *kind = i;
            return true;
        }
    }
    return false;
}

static enum vmres_status find_vm(struct config_loader *loader, const struct config_node *node,
                                 uint64_t *index)
{
    const char *name = NULL;
    enum vmres_status status = vmres__scalar_text(loader, node, &name);

    if (status)
        return status;
    *index = vmres__names_find(&loader->vm_names, name);
    if (*index != UINT32_MAX)
        return VMRES_OK;
    return vmres__load_fail(loader, node->at, "there is no VM '%.40s'; add it or rename this",
                            name);
}

/* A reservation's number is its place in the list. */
static enum vmres_status find_reservation(struct config_loader *loader,
                                          const struct config_node *list,
                                          const struct config_node *node, uint64_t *id)
{
    const char *name = NULL;
    enum vmres_status status = vmres__scalar_text(loader, node, &name);
    uint64_t place = 1;

    if (status)
        return status;
    for (const struct config_node *entry = list ? list->first : NULL; entry; entry = entry->next) {
        const struct config_node *reserve = vmres__tree_find(entry, "reserve");

        if (reserve && strcmp(reserve->text, name) == 0) {
            *id = place;
            return VMRES_OK;
        }
        place++;
    }
    return vmres__load_fail(loader, node->at,
                            "nobody reserves '%.40s'; add it to operate, or rename this", name);
}

/* The one verb of an entry, and the value that goes with it. */
static enum vmres_status read_verb(struct config_loader *loader, const struct config_node *entry,
                                   const struct verb **verb, const struct config_node **value)
{
    *verb = NULL;
    for (const struct config_node *child = entry->first; child; child = child->next) {
        const struct verb *found = find_verb(child->key);

        if (found && *verb)
            return vmres__load_fail(loader, child->key_at, "one thing at a time, not %s and %s",
                                    (*verb)->name, found->name);
        if (found) {
            *verb = found;
            *value = child;
        }
    }
    if (*verb)
        return VMRES_OK;
    return vmres__load_fail(loader, entry->at,
                            "what is to be done? say freeze, thaw, set, move, reserve, release, "
                            "settle or resume");
}

/* What can never be kept, whatever the host is like by then. */
static enum vmres_status check_range(struct config_loader *loader,
                                     const struct config_node *minimum,
                                     const struct vmres_event *event)
{
    const struct vmres_resource *resource = &loader->resources[event->kind];
    uint64_t usable = resource->capacity - resource->reserve;
    uint64_t least = event->as.terms.minimum, most = event->as.terms.maximum;
    char text[VMRES_UNITS_ROOM];

    if (least == 0)
        return vmres__load_fail(loader, minimum->at, "no room is kept for nothing; raise min");
    if (least > usable)
        return vmres__load_fail(loader, minimum->at, "min must fit into the host (%s); lower it",
                                vmres__scalar_format(text, sizeof text, resource->unit, usable));
    if ((least - 1) / resource->granule == most / resource->granule)
        return vmres__load_fail(
            loader, minimum->at, "no whole granule (%s) lies between min and max; raise max",
            vmres__scalar_format(text, sizeof text, resource->unit, resource->granule));
    return VMRES_OK;
}

/* What is reserved of a kind. */
static enum vmres_status read_range(struct config_loader *loader, const struct config_node *node,
                                    struct vmres_event *event)
{
    static const char *const keys[] = {"min", "max", NULL};
    enum vmres_unit unit = loader->kind[event->kind]->unit;
    const struct config_node *minimum = NULL, *maximum = vmres__tree_find(node, "max");
    enum vmres_status status = vmres__tree_expect_map(loader, node, keys);

    if (loader->resources[event->kind].placement == VMRES_PLACEMENT_EXTENT)
        return vmres__load_fail(loader, node->key_at,
                                "an amount is no block, none is kept on a contiguous host; remove "
                                "this");
    if (status == VMRES_OK)
        status = vmres__tree_need(loader, node, "min", &minimum);
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, minimum, unit, &event->as.terms.minimum);
    event->as.terms.maximum = event->as.terms.minimum;
    if (status == VMRES_OK)
        status = vmres__scalar_amount(loader, maximum, unit, &event->as.terms.maximum);
    if (status == VMRES_OK && event->as.terms.maximum < event->as.terms.minimum)
        return vmres__load_fail(loader, maximum->at, "max must not be below min; raise it");
    return status ? status : check_range(loader, minimum, event);
}

/* What is set or moved of a kind. */
static enum vmres_status read_amount(struct config_loader *loader, const struct config_node *node,
                                     struct vmres_event *event)
{
    enum vmres_unit unit = loader->kind[event->kind]->unit;
    uint64_t granule = loader->resources[event->kind].granule;
    enum vmres_status status = vmres__scalar_amount(loader, node, unit, &event->as.order.amount);
    char text[VMRES_UNITS_ROOM];

    if (status == VMRES_OK && event->type == VMRES_EVENT_MOVE && event->as.order.amount < granule)
        return vmres__load_fail(loader, node->at,
                                "less than a granule (%s) moves nothing; raise it",
                                vmres__scalar_format(text, sizeof text, unit, granule));
    return status;
}

/* The keys beside `at` and the verb: of one kind, where the verb wants that, and its own other. */
static enum vmres_status read_rest(struct config_loader *loader, const struct config_node *entry,
                                   const struct verb *verb, struct vmres_event *event)
{
    const struct config_node *amount = NULL;

    for (const struct config_node *child = entry->first; child; child = child->next) {
        bool of_kind = is_kind(loader, child->key, &event->kind);

        if (strcmp(child->key, "at") == 0 || strcmp(child->key, verb->name) == 0 ||
            strcmp(child->key, verb->also) == 0)
            continue;
        if (!of_kind || verb->amounts == NO_KIND || amount)
            return vmres__load_fail(loader, child->key_at, "%s takes no%s '%s'; remove it",
                                    verb->name, amount ? " second" : "", child->key);
        amount = child;
    }
    if (verb->amounts == NO_KIND)
        return VMRES_OK;
    if (!amount)
        return vmres__load_fail(loader, entry->at, "%s how much? add memory: ..., say", verb->name);
    if (verb->amounts == A_RANGE)
        return read_range(loader, amount, event);
    return read_amount(loader, amount, event);
}

static enum vmres_status read_object(struct config_loader *loader, const struct config_node *list,
                                     const struct config_node *value, struct vmres_event *event)
{
    enum vmres_status status = VMRES_OK;
    uint64_t index = VMRES_VM_NONE, flag = 0;

    switch (event->type) {
    case VMRES_EVENT_RESERVE:
    case VMRES_EVENT_RELEASE:
        return find_reservation(loader, list, value, &event->id);
    case VMRES_EVENT_SETTLE:
        return vmres__scalar_time(loader, value, &event->as.terms.within_ms);
    case VMRES_EVENT_RESUME:
        status = vmres__scalar_flag(loader, value, &flag);
        return status || flag ? status
                              : vmres__load_fail(loader, value->at,
                                                 "this resumes nothing; write true, or remove it");
    default:
        status = find_vm(loader, value, &index);
        event->vm = (uint32_t)index;
        return status;
    }
}

static enum vmres_status read_recipient(struct config_loader *loader,
                                        const struct config_node *entry, struct vmres_event *event)
{
    const struct config_node *to = NULL;
    enum vmres_status status = vmres__tree_need(loader, entry, "to", &to);

    if (status == VMRES_OK)
        status = find_vm(loader, to, &event->as.order.recipient);
    if (status == VMRES_OK && event->as.order.recipient == event->vm)
        return vmres__load_fail(loader, to->at, "'%.40s' moves nothing to itself; name another VM",
                                to->text);
    return status;
}

/* How long a reservation stands, and that it is the only one of its name. */
static enum vmres_status read_terms(struct config_loader *loader, const struct config_node *entry,
                                    struct vmres_event *event)
{
    const struct config_node *within = vmres__tree_find(entry, "for");
    const struct config_node *name = vmres__tree_find(entry, "reserve");
    enum vmres_status status;

    event->as.terms.within_ms = UINT64_MAX;
    status = vmres__scalar_time(loader, within, &event->as.terms.within_ms);
    if (status)
        return status;
    if (event->as.terms.within_ms == 0)
        return vmres__load_fail(loader, within->at,
                                "kept for no time it is kept for nobody; raise it, or leave out "
                                "for");
    if (event->id != loader->config->operation_count) /* the first of this name has another place */
        return vmres__load_fail(loader, name->at, "there are two reservations '%.40s'; rename one",
                                name->text);
    return VMRES_OK;
}

static enum vmres_status read_entry(struct config_loader *loader, const struct config_node *list,
                                    const struct config_node *entry,
                                    struct vmres_config_operation *operation)
{
    static const char *const keys[] = {"at",      "freeze",  "thaw",   "set",    "move", "to",
                                       "reserve", "release", "settle", "resume", "for",  NULL};
    const char *all[CONFIG_KEYS_MAX];
    const struct verb *verb = NULL;
    const struct config_node *value = NULL, *at = NULL;
    struct vmres_event *event = &operation->event;
    enum vmres_status status;

    vmres__host_keys(loader, keys, all);
    status = vmres__tree_expect_map(loader, entry, all);
    if (status == VMRES_OK)
        status = vmres__tree_need(loader, entry, "at", &at);
    if (status == VMRES_OK)
        status = vmres__scalar_time(loader, at, &operation->at_ms);
    if (status == VMRES_OK)
        status = read_verb(loader, entry, &verb, &value);
    if (status)
        return status;
    *event = vmres_event_make(verb->type, 0, VMRES_VM_NONE, 0);
    status = read_object(loader, list, value, event);
    if (status == VMRES_OK)
        status = read_rest(loader, entry, verb, event);
    if (status == VMRES_OK && verb->type == VMRES_EVENT_MOVE)
        status = read_recipient(loader, entry, event);
    if (status == VMRES_OK && verb->type == VMRES_EVENT_RESERVE)
        status = read_terms(loader, entry, event);
    return status;
}

static enum vmres_status read_list(struct config_loader *loader, const struct config_node *list)
{
    struct vmres_config *config = loader->config;
    struct vmres_config_operation *all;
    enum vmres_status status = vmres__tree_expect_list(loader, list);

    if (status || list->count == 0)
        return status;
    all = vmres__arena_take(loader->keep, list->count, sizeof *all);
    if (!all)
        return vmres__load_no_memory(loader);
    config->operations = all;
    for (const struct config_node *entry = list->first; entry && status == VMRES_OK;
         entry = entry->next) {
        struct vmres_config_operation *next = &all[config->operation_count++];

        status = read_entry(loader, list, entry, next);
        if (status == VMRES_OK && next > all && next->at_ms < next[-1].at_ms)
            return vmres__load_fail(loader, entry->at, "this is before the last; put it in order");
    }
    return status;
}

enum vmres_status vmres__operate_read(struct config_loader *loader, const struct config_node *list,
                                      const struct config_node *vms)
{
    enum vmres_status status = list ? read_list(loader, list) : VMRES_OK;
    uint32_t index = 0;

    for (const struct config_node *vm = vms ? vms->first : NULL; vm && status == VMRES_OK;
         vm = vm->next) {
        const struct config_node *named = vmres__tree_find(vm, "reservation");

        if (named)
            status = find_reservation(loader, list, named, &loader->vms[index].reservation);
        index++;
    }
    return status;
}
