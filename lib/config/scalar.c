/* SPDX-License-Identifier: MIT */
/*
 * One value of the file as a number, a name or a choice. Units are read by units.h, as everywhere;
 * what is added here is the sentence that says how such a value is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"

/* What a value should have been, and how that looks. */
struct form {
    const char *what, *how;
};

static const struct form size_form = {"a size", "write 512MiB or 1.5GiB (B, KiB, MiB, GiB, TiB)"};
static const struct form milli_form = {"an amount of cpu",
                                       "write 250m, or whole processors as 1.5"};
static const struct form count_form = {"a whole number", "write digits alone"};
static const struct form size_rate_form = {"a rate", "write 0.857GiB/s"};
static const struct form milli_rate_form = {"a rate of cpu", "write 250m/s"};
static const struct form count_rate_form = {"a rate", "write digits and /s"};
static const struct form time_form = {"a time", "write 250ms, 1.5s, 5min or 2h"};
static const struct form share_form = {"a share", "write 12.5%"};

static enum vmres_status expect_scalar(struct config_loader *loader, const struct config_node *node)
{
    if (node->type != CONFIG_SCALAR)
        return vmres__load_fail(loader, node->at, "a %s where one value belongs; write it here",
                                node->type == CONFIG_LIST ? "list" : "map");
    return VMRES_OK;
}

/* Turns the outcome of a reader of units.h into an error with position. */
static enum vmres_status judge(struct config_loader *loader, const struct config_node *node,
                               const struct form *form, enum vmres_status status)
{
    if (status == VMRES_OK)
        return VMRES_OK;
    if (status == VMRES_INVALID)
        return vmres__load_fail(loader, node->at, "'%.40s' is too large; lower it", node->text);
    if (node->text[0] == '\0')
        return vmres__load_fail(loader, node->at, "nothing where %s belongs; %s", form->what,
                                form->how);
    if (node->text[0] == '-')
        return vmres__load_fail(loader, node->at, "'%.40s' is negative; raise it to 0 or more",
                                node->text);
    return vmres__load_fail(loader, node->at, "'%.40s' is not %s; %s", node->text, form->what,
                            form->how);
}

enum vmres_status vmres__scalar_text(struct config_loader *loader, const struct config_node *node,
                                     const char **value)
{
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;

    if (node && status == VMRES_OK) {
        if (node->text[0] == '\0')
            return vmres__load_fail(loader, node->at, "nothing where a name belongs; write it");
        *value = node->text;
    }
    return status;
}

static enum vmres_status parse_count(const char *text, uint64_t *value)
{
    uint64_t number = 0;

    if (!*text)
        return VMRES_PARSE;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';

        if (digit > 9)
            return VMRES_PARSE;
        if (number > (UINT64_MAX - digit) / 10)
            return VMRES_INVALID;
        number = number * 10 + digit;
    }
    *value = number;
    return VMRES_OK;
}

enum vmres_status vmres__scalar_parse_amount(enum vmres_unit unit, const char *text,
                                             uint64_t *value)
{
    switch (unit) {
    case VMRES_UNIT_BYTES:
        return vmres_parse_size(text, value);
    case VMRES_UNIT_MILLI:
        return vmres_parse_cpu(text, value);
    case VMRES_UNIT_COUNT:
        break;
    }
    return parse_count(text, value);
}

const char *vmres__scalar_format(char *buffer, size_t room, enum vmres_unit unit, uint64_t value)
{
    switch (unit) {
    case VMRES_UNIT_BYTES:
        return vmres_format_size(buffer, room, value);
    case VMRES_UNIT_MILLI:
        return vmres_format_cpu(buffer, room, value);
    case VMRES_UNIT_COUNT:
        break;
    }
    (void)snprintf(buffer, room, "%" PRIu64, value);
    return buffer;
}

enum vmres_status vmres__scalar_amount(struct config_loader *loader, const struct config_node *node,
                                       enum vmres_unit unit, uint64_t *value)
{
    static const struct form *const forms[] = {
        [VMRES_UNIT_BYTES] = &size_form,
        [VMRES_UNIT_MILLI] = &milli_form,
        [VMRES_UNIT_COUNT] = &count_form,
    };
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;

    if (!node || status)
        return status;
    return judge(loader, node, forms[unit], vmres__scalar_parse_amount(unit, node->text, value));
}

enum vmres_status vmres__scalar_rate(struct config_loader *loader, const struct config_node *node,
                                     enum vmres_unit unit, uint64_t *value)
{
    static const struct form *const forms[] = {
        [VMRES_UNIT_BYTES] = &size_rate_form,
        [VMRES_UNIT_MILLI] = &milli_rate_form,
        [VMRES_UNIT_COUNT] = &count_rate_form,
    };
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;
    char amount[64];
    size_t length;

    if (!node || status)
        return status;
    if (unit == VMRES_UNIT_BYTES)
        return judge(loader, node, forms[unit], vmres_parse_rate(node->text, value));
    length = strlen(node->text);
    if (length < 3 || length >= sizeof amount || strcmp(node->text + length - 2, "/s") != 0)
        return judge(loader, node, forms[unit],
                     strcmp(node->text, "0") == 0 ? parse_count("0", value) : VMRES_PARSE);
    memcpy(amount, node->text, length - 2);
    amount[length - 2] = '\0';
    return judge(loader, node, forms[unit], vmres__scalar_parse_amount(unit, amount, value));
}

enum vmres_status vmres__scalar_time(struct config_loader *loader, const struct config_node *node,
                                     uint64_t *value)
{
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;

    if (!node || status)
        return status;
    return judge(loader, node, &time_form, vmres_parse_time(node->text, value));
}

enum vmres_status vmres__scalar_share(struct config_loader *loader, const struct config_node *node,
                                      uint32_t *value)
{
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;

    if (!node || status)
        return status;
    return judge(loader, node, &share_form, vmres_parse_share(node->text, value));
}

enum vmres_status vmres__scalar_count(struct config_loader *loader, const struct config_node *node,
                                      uint64_t *value)
{
    return vmres__scalar_amount(loader, node, VMRES_UNIT_COUNT, value);
}

enum vmres_status vmres__scalar_choice(struct config_loader *loader, const struct config_node *node,
                                       const char *const *names, uint32_t *value)
{
    enum vmres_status status = node ? expect_scalar(loader, node) : VMRES_OK;
    char known[120];

    if (!node || status)
        return status;
    for (uint32_t i = 0; names[i]; i++) {
        if (strcmp(names[i], node->text) == 0) {
            *value = i;
            return VMRES_OK;
        }
    }
    return vmres__load_fail(loader, node->at, "'%.40s' is not known here; one of: %s", node->text,
                            vmres__tree_join(known, sizeof known, names));
}

enum vmres_status vmres__scalar_flag(struct config_loader *loader, const struct config_node *node,
                                     uint64_t *value)
{
    static const char *const names[] = {"false", "true", NULL};
    uint32_t choice = 0;
    enum vmres_status status = vmres__scalar_choice(loader, node, names, &choice);

    if (node && status == VMRES_OK)
        *value = choice;
    return status;
}
