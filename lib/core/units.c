/* SPDX-License-Identifier: MIT */
/*
 * Quantities in words, both ways, in integers. Each family of units is a table from the largest to
 * the smallest, whose last entry is the unit of the result; reading and writing walk the same
 * table. Invariant: what the writers write, the readers read back as the same number.
 */
#include <vmres/units.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { MAX_FRACTION_DIGITS = 18, MAX_DECIMALS = 3 };

struct unit {
    const char *name;
    uint64_t size; /* in units of the result; 0 ends the table */
};

static const struct unit size_units[] = {
    {"TiB", VMRES_TIB}, {"GiB", VMRES_GIB}, {"MiB", VMRES_MIB},
    {"KiB", VMRES_KIB}, {"B", 1},           {NULL, 0},
};

static const struct unit rate_units[] = {
    {"TiB/s", VMRES_TIB}, {"GiB/s", VMRES_GIB}, {"MiB/s", VMRES_MIB},
    {"KiB/s", VMRES_KIB}, {"B/s", 1},           {NULL, 0},
};

static const struct unit time_units[] = {
    {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

static const struct unit share_units[] = {{"%", 10000}, {NULL, 0}};

/* A bare number is whole processors: the name is empty. */
static const struct unit cpu_units[] = {{"", 1000}, {"m", 1}, {NULL, 0}};

/* A number as it was written: whole + fraction / scale. */
struct number {
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits into *whole, returns the first character after them; NULL when they overflow. */
static const char *read_whole(const char *text, uint64_t *whole)
{
    *whole = 0;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (*whole > (UINT64_MAX - digit) / 10)
            return NULL;
        *whole = *whole * 10 + digit;
    }
    return text;
}

static enum vmres_status read_number(const char **text, struct number *number)
{
    const char *at = *text;

    if (!is_digit(*at))
        return VMRES_PARSE;
    at = read_whole(at, &number->whole);
    if (!at)
        return VMRES_INVALID;
    number->fraction = 0;
    number->scale = 1;
    if (*at == '.') {
        const char *start = ++at;

        for (; is_digit(*at) && at - start < MAX_FRACTION_DIGITS; at++) {
            number->fraction = number->fraction * 10 + (uint64_t)(*at - '0');
            number->scale *= 10;
        }
        if (at == start || is_digit(*at))
            return VMRES_PARSE;
    }
    *text = at;
    return VMRES_OK;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->size != 0; units++) {
        if (strcmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

static enum vmres_status parse(const struct unit *units, const char *text, uint64_t most,
                               uint64_t *result)
{
    struct number number;
    const struct unit *unit;
    enum vmres_status status;
    wide value;

    if (!text)
        return VMRES_INVALID;
    if (strcmp(text, "0") == 0) {
        *result = 0;
        return VMRES_OK;
    }
    status = read_number(&text, &number);
    if (status)
        return status;
    unit = find_unit(units, text);
    if (!unit)
        return VMRES_PARSE;
    value = (wide)number.whole * unit->size + (wide)number.fraction * unit->size / number.scale;
    if (value > most)
        return VMRES_INVALID;
    *result = (uint64_t)value;
    return VMRES_OK;
}

enum vmres_status vmres_parse_size(const char *text, uint64_t *bytes)
{
    return bytes ? parse(size_units, text, UINT64_MAX, bytes) : VMRES_INVALID;
}

enum vmres_status vmres_parse_rate(const char *text, uint64_t *bytes_per_second)
{
    return bytes_per_second ? parse(rate_units, text, UINT64_MAX, bytes_per_second) : VMRES_INVALID;
}

enum vmres_status vmres_parse_time(const char *text, uint64_t *ms)
{
    return ms ? parse(time_units, text, UINT64_MAX, ms) : VMRES_INVALID;
}

enum vmres_status vmres_parse_share(const char *text, uint32_t *ppm)
{
    uint64_t value;
    enum vmres_status status;

    if (!ppm)
        return VMRES_INVALID;
    status = parse(share_units, text, UINT32_MAX, &value);
    if (status == VMRES_OK)
        *ppm = (uint32_t)value;
    return status;
}

enum vmres_status vmres_parse_cpu(const char *text, uint64_t *millicpu)
{
    return millicpu ? parse(cpu_units, text, UINT64_MAX, millicpu) : VMRES_INVALID;
}

/*
 * Finds the fewest decimals, up to `most`, with which `value` in this unit reads back as itself.
 * Reading drops what is below one, so the right decimals are those rounded up. Returns their number
 * and stores them; returns -1 when there are none.
 */
static int find_decimals(uint64_t value, uint64_t unit, int most, uint64_t *decimals)
{
    uint64_t rest = value % unit;
    uint64_t scale = 1;

    for (int digits = 0; digits <= most; digits++, scale *= 10) {
        wide rounded_up = ((wide)rest * scale + unit - 1) / unit;

        if (rounded_up < scale && rounded_up * unit / scale == rest) {
            *decimals = (uint64_t)rounded_up;
            return digits;
        }
    }
    return -1;
}

/* As snprintf, yet it yields the buffer, or "" for want of one. */
static const char *write_number(char *buffer, size_t room, const struct number *number, int digits,
                                const char *unit)
{
    if (!buffer || room == 0)
        return "";
    if (digits > 0)
        (void)snprintf(buffer, room, "%llu.%0*llu%s", (unsigned long long)number->whole, digits,
                       (unsigned long long)number->fraction, unit);
    else
        (void)snprintf(buffer, room, "%llu%s", (unsigned long long)number->whole, unit);
    return buffer;
}

static const char *format(const struct unit *units, char *buffer, size_t room, uint64_t value)
{
    int most = MAX_DECIMALS;

    for (; units[1].size != 0; units++) {
        struct number number = {value / units->size, 0, 1};
        int digits;

        if (number.whole == 0)
            continue;
        digits = find_decimals(value, units->size, most, &number.fraction);
        if (digits >= 0)
            return write_number(buffer, room, &number, digits, units->name);
        most = 0;
    }
    return write_number(buffer, room, &(struct number){value, 0, 1}, 0, units->name);
}

const char *vmres_format_size(char *buffer, size_t room, uint64_t bytes)
{
    return format(size_units, buffer, room, bytes);
}

const char *vmres_format_rate(char *buffer, size_t room, uint64_t bytes_per_second)
{
    return format(rate_units, buffer, room, bytes_per_second);
}

const char *vmres_format_time(char *buffer, size_t room, uint64_t ms)
{
    return format(time_units, buffer, room, ms);
}

const char *vmres_format_share(char *buffer, size_t room, uint32_t ppm)
{
    struct number number = {ppm / share_units[0].size, ppm % share_units[0].size, 1};
    int digits = 4;

    while (digits > 0 && number.fraction % 10 == 0) {
        number.fraction /= 10;
        digits--;
    }
    return write_number(buffer, room, &number, digits, share_units[0].name);
}

const char *vmres_format_cpu(char *buffer, size_t room, uint64_t millicpu)
{
    return write_number(buffer, room, &(struct number){millicpu, 0, 1}, 0, cpu_units[1].name);
}
