/* SPDX-License-Identifier: MIT */
/*
 * YAML into a tree of nodes with positions. The only file that knows libyaml.
 *
 * What comes out is plain: scalars, lists and maps with scalar keys, each key once. Anchors,
 * aliases and tags are refused, for they let a file say something else than it shows; depth and
 * number of values are bounded, so that no file costs more than its size.
 */
#include <string.h>

#include <yaml.h>

#include "config/internal.h"

enum { MAX_DEPTH = 16, MAX_NODES = 500000, MAX_KEYS = 256 };

struct reader {
    struct config_loader *loader;
    const struct config_text *text;
    uint32_t nodes;
    yaml_parser_t parser;
};

static struct config_mark mark_of(yaml_mark_t mark)
{
    return (struct config_mark){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* libyaml tells of bytes that are no text by their offset alone. */
static struct config_mark mark_of_offset(const struct config_text *text, size_t offset)
{
    struct config_mark at = {1, 1};

    for (size_t i = 0; i < offset && i < text->size; i++) {
        at.column++;
        if (text->bytes[i] == '\n')
            at = (struct config_mark){at.line + 1, 1};
    }
    return at;
}

static enum vmres_status fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct config_mark at = mark_of(parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        return vmres__load_no_memory(reader->loader);
    if (parser->error == YAML_READER_ERROR) {
        at = mark_of_offset(reader->text, parser->problem_offset);
        return vmres__load_fail(reader->loader, at,
                                "this is no UTF-8 text (%s); save the file as plain text",
                                parser->problem);
    }
    return vmres__load_fail(reader->loader, at, "this is no YAML (%s); mend it here",
                            parser->problem);
}

static enum vmres_status next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) ? VMRES_OK : fail_syntax(reader);
}

/* Refuses what would make a value mean something else than its text. */
static enum vmres_status check_plain(struct reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return vmres__load_fail(reader->loader, mark_of(event->start_mark),
                                "aliases are not taken here; write the value out");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor)
        return vmres__load_fail(reader->loader, mark_of(event->start_mark),
                                "anchors are not taken here; remove '&%.40s'",
                                (const char *)anchor);
    if (tag)
        return vmres__load_fail(reader->loader, mark_of(event->start_mark),
                                "tags are not taken here; remove '%.40s'", (const char *)tag);
    return VMRES_OK;
}

/* A copy of a scalar's text. */
static enum vmres_status copy_text(struct reader *reader, const yaml_event_t *event,
                                   const char **text)
{
    size_t length = event->data.scalar.length;

    if (memchr(event->data.scalar.value, '\0', length))
        return vmres__load_fail(reader->loader, mark_of(event->start_mark),
                                "this text contains a NUL character; remove it");
    *text =
        vmres__arena_copy(&reader->loader->scratch, (const char *)event->data.scalar.value, length);
    return *text ? VMRES_OK : vmres__load_no_memory(reader->loader);
}

static enum vmres_status read_children(struct reader *reader, struct config_node *parent,
                                       uint32_t depth);

static enum vmres_status read_node(struct reader *reader, const yaml_event_t *event, uint32_t depth,
                                   struct config_node **result)
{
    struct config_mark at = mark_of(event->start_mark);
    enum vmres_status status = check_plain(reader, event);
    struct config_node *node;

    if (status)
        return status;
    if (depth > MAX_DEPTH)
        return vmres__load_fail(reader->loader, at, "nested more than %d deep; flatten it",
                                MAX_DEPTH);
    if (++reader->nodes > MAX_NODES)
        return vmres__load_fail(reader->loader, at, "more than %d values; use a fleet and a trace",
                                MAX_NODES);
    node = vmres__arena_take(&reader->loader->scratch, 1, sizeof *node);
    if (!node)
        return vmres__load_no_memory(reader->loader);
    node->at = at;
    node->text = "";
    *result = node;
    if (event->type == YAML_SCALAR_EVENT)
        return copy_text(reader, event, &node->text);
    node->type = event->type == YAML_MAPPING_START_EVENT ? CONFIG_MAP : CONFIG_LIST;
    return read_children(reader, node, depth + 1);
}

/* A key must be text, new in its map, and one of not too many. */
static enum vmres_status read_key(struct reader *reader, const struct config_node *parent,
                                  const yaml_event_t *event, const char **key)
{
    struct config_mark at = mark_of(event->start_mark);
    enum vmres_status status = check_plain(reader, event);

    if (status)
        return status;
    if (event->type != YAML_SCALAR_EVENT)
        return vmres__load_fail(reader->loader, at, "a key must be a word; write one");
    if (parent->count >= MAX_KEYS)
        return vmres__load_fail(reader->loader, at, "more than %d keys in one map; use a list",
                                MAX_KEYS);
    status = copy_text(reader, event, key);
    if (status)
        return status;
    for (const struct config_node *node = parent->first; node; node = node->next) {
        if (strcmp(node->key, *key) == 0)
            return vmres__load_fail(reader->loader, at,
                                    "duplicate key '%.40s', first in line %u; remove one", *key,
                                    node->key_at.line);
    }
    return VMRES_OK;
}

/* One key, whose event is given, and its value. */
static enum vmres_status read_pair(struct reader *reader, const struct config_node *parent,
                                   const yaml_event_t *event, uint32_t depth,
                                   struct config_node **child)
{
    yaml_event_t value = {0};
    const char *key = NULL;
    enum vmres_status status = read_key(reader, parent, event, &key);

    if (status == VMRES_OK)
        status = next_event(reader, &value);
    if (status)
        return status;
    status = read_node(reader, &value, depth, child);
    yaml_event_delete(&value);
    if (status == VMRES_OK) {
        (*child)->key = key;
        (*child)->key_at = mark_of(event->start_mark);
    }
    return status;
}

/* The next child, or *child NULL at the end of the parent. */
static enum vmres_status read_child(struct reader *reader, const struct config_node *parent,
                                    uint32_t depth, struct config_node **child)
{
    yaml_event_t event = {0};
    enum vmres_status status = next_event(reader, &event);

    if (status)
        return status;
    if (event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT)
        status = parent->type == CONFIG_MAP ? read_pair(reader, parent, &event, depth, child)
                                            : read_node(reader, &event, depth, child);
    yaml_event_delete(&event);
    return status;
}

static enum vmres_status read_children(struct reader *reader, struct config_node *parent,
                                       uint32_t depth)
{
    struct config_node **tail = &parent->first;

    for (;;) {
        struct config_node *child = NULL;
        enum vmres_status status = read_child(reader, parent, depth, &child);

        if (status || !child)
            return status;
        *tail = child;
        tail = &child->next;
        parent->count++;
    }
}

/* The one document of the stream. */
static enum vmres_status read_stream(struct reader *reader, struct config_node **root)
{
    for (;;) {
        yaml_event_t event = {0};
        enum vmres_status status = next_event(reader, &event);
        yaml_event_type_t type = status ? YAML_NO_EVENT : event.type;

        if (status)
            return status;
        if (type == YAML_DOCUMENT_START_EVENT && *root)
            status = vmres__load_fail(reader->loader, mark_of(event.start_mark),
                                      "a second document begins here; keep one a file");
        else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                 type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT)
            status = read_node(reader, &event, 0, root);
        yaml_event_delete(&event);
        if (status || type == YAML_STREAM_END_EVENT)
            return status;
    }
}

enum vmres_status vmres__yaml_read(struct config_loader *loader, const struct config_text *text,
                                   struct config_node **root)
{
    struct reader reader = {.loader = loader, .text = text};
    enum vmres_status status;

    if (!yaml_parser_initialize(&reader.parser))
        return vmres__load_no_memory(loader);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text->bytes, text->size);
    *root = NULL;
    status = read_stream(&reader, root);
    yaml_parser_delete(&reader.parser);
    if (status == VMRES_OK && !*root)
        status = vmres__load_fail(loader, (struct config_mark){1, 1},
                                  "the file is empty; describe a host, see examples/scenarios");
    return status;
}
