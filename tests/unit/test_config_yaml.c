/* SPDX-License-Identifier: MIT */
/*
 * The tree of a YAML text: what shape it has, where everything stands, and that a text made to be
 * expensive is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "support/check.h"

static struct vmres_error error;
static struct vmres_config_options options;

/* Reads text of a given size; the caller releases loader->scratch. */
static enum vmres_status read_bytes(struct config_loader *loader, const char *bytes, size_t size,
                                    struct config_node **root)
{
    char *copy = malloc(size + 1);
    struct config_text text = {copy, size, size + 1};
    enum vmres_status status;

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    *loader = (struct config_loader){.path = "t.yaml", .error = &error, .options = &options};
    status = vmres__yaml_read(loader, &text, root);
    free(copy);
    return status;
}

static void expect_refused(const char *bytes, size_t size, const char *message)
{
    struct config_loader loader;
    struct config_node *root;

    EXPECT_STATUS(read_bytes(&loader, bytes, size, &root), VMRES_PARSE);
    assert_string_equal(error.message, message);
    vmres__arena_release(&loader.scratch);
}

static void expect_mark(struct config_mark mark, uint32_t line, uint32_t column)
{
    assert_int_equal(mark.line, line);
    assert_int_equal(mark.column, column);
}

static void keys_and_values_know_where_they_stand(void **state)
{
    static const char text[] = "# a comment\n"
                               "first:  one\n"
                               "list: [ a, \"b c\", ]\n"
                               "map:\n"
                               "  inner: { }\n";
    struct config_loader loader;
    struct config_node *root;
    const struct config_node *node;

    (void)state;
    EXPECT_OK(read_bytes(&loader, text, sizeof text - 1, &root));
    assert_int_equal(root->type, CONFIG_MAP);
    assert_int_equal(root->count, 3);
    node = vmres__tree_find(root, "first");
    assert_string_equal(node->text, "one");
    expect_mark(node->key_at, 2, 1);
    expect_mark(node->at, 2, 9);
    node = vmres__tree_find(root, "list");
    assert_int_equal(node->type, CONFIG_LIST);
    assert_int_equal(node->count, 2);
    assert_string_equal(node->first->next->text, "b c");
    expect_mark(node->first->next->at, 3, 12);
    assert_null(node->first->next->next);
    node = vmres__tree_find(vmres__tree_find(root, "map"), "inner");
    assert_int_equal(node->type, CONFIG_MAP);
    assert_int_equal(node->count, 0);
    expect_mark(node->at, 5, 10);
    assert_null(vmres__tree_find(root, "second"));
    assert_null(vmres__tree_find(NULL, "first"));
    vmres__arena_release(&loader.scratch);
}

static void columns_count_characters(void **state)
{
    static const char text[] = "{ \xc3\xa4: 1, b: 2 }";
    struct config_loader loader;
    struct config_node *root;

    (void)state;
    EXPECT_OK(read_bytes(&loader, text, sizeof text - 1, &root));
    expect_mark(vmres__tree_find(root, "b")->at, 1, 12);
    vmres__arena_release(&loader.scratch);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char text[] = "host: 1\nname: \xff\xfe\n";

    (void)state;
    expect_refused(text, sizeof text - 1,
                   "t.yaml:2:7: this is no UTF-8 text (invalid leading UTF-8 octet);"
                   " save the file as plain text");
}

/* `count` times `piece`, after `head`. */
static void expect_repeated_refused(const char *head, const char *piece, size_t count,
                                    const char *message)
{
    size_t start = strlen(head), length = strlen(piece);
    char *text = malloc(start + length * count);

    assert_non_null(text);
    memcpy(text, head, start);
    for (size_t i = 0; i < count; i++)
        memcpy(text + start + i * length, piece, length);
    expect_refused(text, start + length * count, message);
    free(text);
}

static void a_deep_text_is_refused_where_it_is_too_deep(void **state)
{
    (void)state;
    expect_repeated_refused("", "[", 200000, "t.yaml:1:18: nested more than 16 deep; flatten it");
    expect_repeated_refused("", "- ", 200000, "t.yaml:1:35: nested more than 16 deep; flatten it");
}

static void a_text_of_too_many_values_is_refused(void **state)
{
    (void)state;
    expect_repeated_refused("", "- a\n", 600000,
                            "t.yaml:500000:3: more than 500000 values; use a fleet and a trace");
}

static void a_map_of_too_many_keys_is_refused(void **state)
{
    char text[8192] = "";

    (void)state;
    for (int i = 0; i < 300; i++)
        (void)snprintf(text + strlen(text), 16, "k%d: 1\n", i);
    expect_refused(text, strlen(text), "t.yaml:257:1: more than 256 keys in one map; use a list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values_know_where_they_stand),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_deep_text_is_refused_where_it_is_too_deep),
        cmocka_unit_test(a_text_of_too_many_values_is_refused),
        cmocka_unit_test(a_map_of_too_many_keys_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
