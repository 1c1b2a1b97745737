/* SPDX-License-Identifier: MIT */
/*
 * Lines into values. What a guest can write into it reaches us through QEMU, so nothing is taken on
 * trust: depth is bounded before the parser recurses, a key may come once, and a number counts only
 * if it is a whole one that a double holds exactly. QEMU says "unset" as 2^64 - 1, which is why
 * integers are read as reals: the parser would refuse it otherwise.
 */
#include "internal.h"

#define EXACT 9007199254740992.0 /* 2^53 */

/* Brackets outside of texts, at most so deep; whether they match is the parser's to say. */
static bool is_shallow(struct kvm_text line)
{
    uint32_t depth = 0;
    bool text = false;

    for (size_t i = 0; i < line.length; i++) {
        char c = line.bytes[i];

        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            depth++;
        else if (!text && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > KVM_DEPTH_MAX)
            return false;
    }
    return true;
}

json_t *vmres__kvm_json_parse(struct kvm_text line)
{
    json_t *value;

    if (!is_shallow(line))
        return NULL;
    value =
        json_loadb(line.bytes, line.length, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, NULL);
    if (value && !json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

bool vmres__kvm_json_amount(const json_t *value, uint64_t *amount)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || !(number >= 0 && number <= EXACT))
        return false;
    if ((double)(uint64_t)number < number)
        return false; /* a fraction */
    *amount = (uint64_t)number;
    return true;
}

const char *vmres__kvm_json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}
