/* SPDX-License-Identifier: MIT */
/* Quantities: what is accepted, what is refused, what is written, and that it reads back. */
#include <vmres/units.h>

#include <locale.h>
#include <string.h>

#include "support/check.h"

static const struct {
    const char *text;
    uint64_t bytes;
} sizes[] = {
    {"0", 0},
    {"0B", 0},
    {"0.0TiB", 0},
    {"1B", 1},
    {"007B", 7},
    {"1KiB", 1024},
    {"1.5KiB", 1536},
    {"512MiB", 512 * VMRES_MIB},
    {"47.5GiB", 47 * VMRES_GIB + VMRES_GIB / 2},
    {"0.857GiB", 920196743},
    {"0.000000000000000001TiB", 0},
    {"0.000000000001TiB", 1},
    {"1.999999999999999999TiB", 2 * VMRES_TIB - 1},
    {"16777215.999999999999999999TiB", UINT64_MAX},
    {"18446744073709551615B", UINT64_MAX},
};

static void sizes_are_read_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t bytes = 99;

        print_message("%s\n", sizes[i].text);
        EXPECT_OK(vmres_parse_size(sizes[i].text, &bytes));
        assert_true(bytes == sizes[i].bytes);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    static const char *const texts[] = {
        "",      " ",      "GiB",      ".5GiB", "5.GiB",   "1..5GiB",
        "1",     "00",     "1 GiB",    "1GiB ", " 1GiB",   "+1GiB",
        "-1GiB", "1e3B",   "1,5GiB",   "0x10B", "1G",      "1GB",
        "1gib",  "1GiB/s", "1.5.5GiB", "1KB",   "1GiBGiB", "1.0000000000000000000GiB",
        "inf",   "1\nB",   "1%",       "1m",    "1KiBs",   "0.5",
        "NaNB",  "\2401B",
    };
    uint64_t bytes = 99;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        print_message("'%s'\n", texts[i]);
        EXPECT_STATUS(vmres_parse_size(texts[i], &bytes), VMRES_PARSE);
        assert_true(bytes == 99);
    }
}

static void overflow_is_refused(void **state)
{
    static const char *const texts[] = {
        "18446744073709551616B", "99999999999999999999999999GiB", "16777216TiB",
        "18014398509481984KiB",  "18446744073709551615TiB",
    };
    uint64_t bytes = 99;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        EXPECT_STATUS(vmres_parse_size(texts[i], &bytes), VMRES_INVALID);
        assert_true(bytes == 99);
    }
}

static void null_is_refused(void **state)
{
    uint64_t number = 99;
    uint32_t ppm = 99;

    (void)state;
    EXPECT_STATUS(vmres_parse_size(NULL, &number), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_size("1B", NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_rate("1B/s", NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_time("1s", NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_share("1%", NULL), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_share(NULL, &ppm), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_cpu("1m", NULL), VMRES_INVALID);
    assert_true(number == 99 && ppm == 99);
}

static void rates_are_sizes_per_second(void **state)
{
    uint64_t rate = 99;

    (void)state;
    EXPECT_OK(vmres_parse_rate("0.857GiB/s", &rate));
    assert_true(rate == 920196743);
    EXPECT_OK(vmres_parse_rate("64MiB/s", &rate));
    assert_true(rate == 64 * VMRES_MIB);
    EXPECT_STATUS(vmres_parse_rate("64MiB", &rate), VMRES_PARSE);
    EXPECT_STATUS(vmres_parse_rate("64MiB/min", &rate), VMRES_PARSE);
}

static void times_are_read(void **state)
{
    uint64_t ms = 99;

    (void)state;
    EXPECT_OK(vmres_parse_time("250ms", &ms));
    assert_true(ms == 250);
    EXPECT_OK(vmres_parse_time("1.5s", &ms));
    assert_true(ms == 1500);
    EXPECT_OK(vmres_parse_time("2min", &ms));
    assert_true(ms == 120000);
    EXPECT_OK(vmres_parse_time("0.25h", &ms));
    assert_true(ms == 900000);
    EXPECT_STATUS(vmres_parse_time("2m", &ms), VMRES_PARSE);
    EXPECT_STATUS(vmres_parse_time("2", &ms), VMRES_PARSE);
}

static void shares_are_read(void **state)
{
    uint32_t ppm = 99;

    (void)state;
    EXPECT_OK(vmres_parse_share("12.5%", &ppm));
    assert_int_equal(ppm, 125000);
    EXPECT_OK(vmres_parse_share("100%", &ppm));
    assert_int_equal(ppm, VMRES_PPM);
    EXPECT_OK(vmres_parse_share("0.00019%", &ppm));
    assert_int_equal(ppm, 1);
    EXPECT_OK(vmres_parse_share("429496.7295%", &ppm));
    assert_true(ppm == UINT32_MAX);
    EXPECT_STATUS(vmres_parse_share("429496.7296%", &ppm), VMRES_INVALID);
    EXPECT_STATUS(vmres_parse_share("0.5", &ppm), VMRES_PARSE);
    assert_true(ppm == UINT32_MAX);
}

static void cpu_is_read(void **state)
{
    uint64_t millicpu = 99;

    (void)state;
    EXPECT_OK(vmres_parse_cpu("16000m", &millicpu));
    assert_true(millicpu == 16000);
    EXPECT_OK(vmres_parse_cpu("16", &millicpu));
    assert_true(millicpu == 16000);
    EXPECT_OK(vmres_parse_cpu("1.5", &millicpu));
    assert_true(millicpu == 1500);
    EXPECT_OK(vmres_parse_cpu("0", &millicpu));
    assert_true(millicpu == 0);
    EXPECT_STATUS(vmres_parse_cpu("1M", &millicpu), VMRES_PARSE);
}

static void sizes_are_written_in_the_largest_fitting_unit(void **state)
{
    char buffer[VMRES_UNITS_ROOM];

    (void)state;
#define WRITES(bytes, text) \
    assert_string_equal(vmres_format_size(buffer, sizeof buffer, bytes), text)
    WRITES(0, "0B");
    WRITES(1, "1B");
    WRITES(1023, "1023B");
    WRITES(VMRES_KIB, "1KiB");
    WRITES(1536, "1.5KiB");
    WRITES(857 * VMRES_MIB, "857MiB");
    WRITES(VMRES_GIB, "1GiB");
    WRITES(VMRES_GIB * 3 / 2, "1.5GiB");
    WRITES(VMRES_GIB * 19 / 16, "1216MiB");
    WRITES(VMRES_GIB + 1, "1073741825B");
    WRITES(VMRES_GIB + 4 * VMRES_KIB, "1048580KiB");
    WRITES(VMRES_TIB * 2, "2TiB");
    WRITES(VMRES_TIB * 4096, "4096TiB");
    WRITES(920196743, "877.568MiB");
    WRITES(UINT64_MAX, "18446744073709551615B");
#undef WRITES
}

static void the_other_quantities_are_written(void **state)
{
    char buffer[VMRES_UNITS_ROOM];

    (void)state;
#define WRITES(kind, number, text) \
    assert_string_equal(vmres_format_##kind(buffer, sizeof buffer, number), text)
    WRITES(rate, 0, "0B/s");
    WRITES(rate, 64 * VMRES_MIB, "64MiB/s");
    WRITES(rate, UINT64_MAX, "18446744073709551615B/s");
    WRITES(time, 0, "0ms");
    WRITES(time, 999, "999ms");
    WRITES(time, 1100, "1.1s");
    WRITES(time, 61000, "61s");
    WRITES(time, 90000, "1.5min");
    WRITES(time, 7200000, "2h");
    WRITES(time, 3600001, "3600001ms");
    WRITES(share, 0, "0%");
    WRITES(share, 125000, "12.5%");
    WRITES(share, 1, "0.0001%");
    WRITES(share, VMRES_PPM, "100%");
    WRITES(share, UINT32_MAX, "429496.7295%");
    WRITES(cpu, 16000, "16000m");
    WRITES(cpu, 0, "0m");
#undef WRITES
}

static void the_locale_plays_no_part(void **state)
{
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"};
    char buffer[VMRES_UNITS_ROOM];
    uint64_t bytes = 0;

    (void)state;
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        (void)setlocale(LC_ALL, locales[i]);
        assert_string_equal(vmres_format_size(buffer, sizeof buffer, 1536), "1.5KiB");
        EXPECT_OK(vmres_parse_size("1.5KiB", &bytes));
        assert_true(bytes == 1536);
        (void)setlocale(LC_ALL, "C");
    }
}

static void a_small_buffer_is_filled_and_terminated(void **state)
{
    char buffer[] = "######";

    (void)state;
    assert_string_equal(vmres_format_size(buffer, 4, 1536), "1.5");
    assert_int_equal(buffer[4], '#');
    assert_string_equal(vmres_format_size(buffer, 1, 1536), "");
    assert_string_equal(vmres_format_size(buffer, 0, 1536), "");
    assert_string_equal(vmres_format_share(NULL, 10, 1536), "");
}

/* Numbers of every magnitude, round and ragged. */
static uint64_t probe(uint64_t *seed)
{
    uint64_t bits;

    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    bits = *seed >> (*seed >> 58);
    switch ((*seed >> 20) & 3) {
    case 0:
        return bits;
    case 1:
        return bits >> 20 << 20;
    case 2:
        return bits / 1000 * 1000;
    default:
        return (bits >> 10) * 1024 / 1000;
    }
}

static void what_is_written_reads_back(void **state)
{
    uint64_t seed = 1987;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t wrote = probe(&seed);
        uint64_t got = ~wrote;
        uint32_t ppm = 0;
        char buffer[VMRES_UNITS_ROOM];

        EXPECT_OK(vmres_parse_size(vmres_format_size(buffer, sizeof buffer, wrote), &got));
        assert_true(got == wrote);
        EXPECT_OK(vmres_parse_rate(vmres_format_rate(buffer, sizeof buffer, wrote), &got));
        assert_true(got == wrote);
        EXPECT_OK(vmres_parse_time(vmres_format_time(buffer, sizeof buffer, wrote), &got));
        assert_true(got == wrote);
        EXPECT_OK(vmres_parse_cpu(vmres_format_cpu(buffer, sizeof buffer, wrote), &got));
        assert_true(got == wrote);
        (void)vmres_format_share(buffer, sizeof buffer, (uint32_t)wrote);
        EXPECT_OK(vmres_parse_share(buffer, &ppm));
        assert_true(ppm == (uint32_t)wrote);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_exactly),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(null_is_refused),
        cmocka_unit_test(rates_are_sizes_per_second),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(shares_are_read),
        cmocka_unit_test(cpu_is_read),
        cmocka_unit_test(sizes_are_written_in_the_largest_fitting_unit),
        cmocka_unit_test(the_other_quantities_are_written),
        cmocka_unit_test(the_locale_plays_no_part),
        cmocka_unit_test(a_small_buffer_is_filled_and_terminated),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
