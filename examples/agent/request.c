/* SPDX-License-Identifier: MIT */
/*
 * A request is one flat JSON object in a line. Strict: texts have no escapes, numbers are whole and
 * at most NUMBER_MOST, no key may come twice; whatever is not this is nonsense as a whole. Members
 * that are not known are passed over, so that a later host can say more.
 */
#include <string.h>

#include "agent.h"

#define KEYS 4

struct reader {
    const char *at, *end;
};

struct value {
    const char *text; /* NULL: a number */
    size_t length;
    uint64_t number;
};

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r", *reader->at) && *reader->at != '\0')
        reader->at++;
}

/* Whether the next thing is this character; it is passed if so. */
static bool take(struct reader *reader, char wanted)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

static bool take_text(struct reader *reader, struct value *value)
{
    if (!take(reader, '"'))
        return false;
    value->text = reader->at;
    while (reader->at < reader->end && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20 || *reader->at == '\\')
            return false;
        reader->at++;
    }
    value->length = (size_t)(reader->at - value->text);
    return take(reader, '"');
}

static bool take_number(struct reader *reader, struct value *value)
{
    const char *first;

    skip_blanks(reader);
    first = reader->at;
    *value = (struct value){0};
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        value->number = value->number * 10 + (uint64_t)(*reader->at - '0');
        if (value->number > NUMBER_MOST)
            return false;
        reader->at++;
    }
    /* Not empty, and no leading zero. */
    return reader->at > first && (*first != '0' || reader->at == first + 1);
}

static bool is_text(const struct value *value, const char *wanted)
{
    return value->text && value->length == strlen(wanted) &&
           memcmp(value->text, wanted, value->length) == 0;
}

static enum request_ask ask_of(const struct value *value)
{
    if (is_text(value, "hello"))
        return ASK_HELLO;
    return is_text(value, "report") ? ASK_REPORT : ASK_UNKNOWN;
}

/* Takes one member; `seen` has a bit for each key that came. */
static bool take_member(struct reader *reader, struct request *request, unsigned *seen)
{
    static const char *const keys[KEYS] = {"ask", "id", "oldest", "newest"};
    uint64_t *const numbers[KEYS] = {NULL, &request->id, &request->oldest, &request->newest};
    struct value key, value;

    if (!take_text(reader, &key) || !take(reader, ':'))
        return false;
    if (!take_text(reader, &value) && !take_number(reader, &value))
        return false;
    for (unsigned i = 0; i < KEYS; i++) {
        if (!is_text(&key, keys[i]))
            continue;
        if ((*seen & 1u << i) || (value.text == NULL) != (numbers[i] != NULL))
            return false;
        *seen |= 1u << i;
        if (numbers[i])
            *numbers[i] = value.number;
        else
            request->ask = ask_of(&value);
    }
    return true;
}

struct request request_parse(const char *line, size_t length)
{
    static const struct request nonsense = {.ask = ASK_NONSENSE};
    struct reader reader = {line, line + length};
    struct request request = nonsense;
    unsigned seen = 0;

    if (!take(&reader, '{'))
        return nonsense;
    do {
        if (!take_member(&reader, &request, &seen))
            return nonsense;
    } while (take(&reader, ','));
    if (!take(&reader, '}'))
        return nonsense;
    skip_blanks(&reader);
    return reader.at == reader.end && (seen & 3) == 3 ? request : nonsense;
}
