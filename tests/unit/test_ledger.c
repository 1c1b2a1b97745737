/* SPDX-License-Identifier: MIT */
/* The ledger's entries, one by one and in long random sequences: the books balance. */
#include "core/ledger.h"

#include "support/check.h"

static void expect(const struct ledger *ledger, uint64_t free, uint64_t charged, uint64_t transit,
                   uint64_t deficit)
{
    assert_int_equal(ledger->free, free);
    assert_int_equal(ledger->charged, charged);
    assert_int_equal(ledger->transit, transit);
    assert_int_equal(ledger->deficit, deficit);
    assert_true(vmres__ledger_balanced(ledger));
}

static void a_piece_goes_its_way(void **state)
{
    struct ledger ledger;
    uint32_t donor = 0, recipient = 0;

    (void)state;
    vmres__ledger_open(&ledger, 100, 10);
    expect(&ledger, 90, 0, 0, 0);
    vmres__ledger_draw(&ledger, 60);
    expect(&ledger, 30, 0, 60, 0);
    vmres__ledger_place(&ledger, &donor, 60);
    expect(&ledger, 30, 60, 0, 0);
    vmres__ledger_release(&ledger, &donor, 25);
    expect(&ledger, 30, 35, 25, 0);
    vmres__ledger_place(&ledger, &recipient, 20);
    vmres__ledger_park(&ledger, 5);
    expect(&ledger, 35, 55, 0, 0);
    assert_int_equal(donor, 35);
    assert_int_equal(recipient, 20);
    vmres__ledger_shed(&ledger, &recipient, 20);
    expect(&ledger, 55, 35, 0, 0);
}

static void what_is_seized_beyond_the_free_part_is_a_deficit(void **state)
{
    struct ledger ledger;
    uint32_t charge = 0;

    (void)state;
    vmres__ledger_open(&ledger, 100, 0);
    vmres__ledger_seize(&ledger, &charge, 130);
    expect(&ledger, 0, 130, 0, 30);
    assert_int_equal(vmres__ledger_grantable(&ledger), 0);
    vmres__ledger_shed(&ledger, &charge, 20);
    expect(&ledger, 0, 110, 0, 10);
    vmres__ledger_release(&ledger, &charge, 15);
    expect(&ledger, 0, 95, 15, 10);
    vmres__ledger_park(&ledger, 15);
    expect(&ledger, 5, 95, 0, 0);
    assert_int_equal(vmres__ledger_grantable(&ledger), 5);
}

static void a_host_may_shrink_and_grow(void **state)
{
    struct ledger ledger;
    uint32_t charge = 0;

    (void)state;
    vmres__ledger_open(&ledger, 100, 20);
    vmres__ledger_seize(&ledger, &charge, 70);
    vmres__ledger_resize(&ledger, 90, 30);
    expect(&ledger, 0, 70, 0, 10);
    vmres__ledger_resize(&ledger, 0, 0);
    expect(&ledger, 0, 70, 0, 70);
    vmres__ledger_resize(&ledger, 200, 50);
    expect(&ledger, 80, 70, 0, 0);
}

static uint32_t draw_number(uint32_t *random, uint64_t below)
{
    *random = *random * 1664525 + 1013904223;
    return below == 0 ? 0 : (*random >> 8) % (uint32_t)below;
}

static void no_sequence_of_entries_loses_a_granule(void **state)
{
    struct ledger ledger;
    uint32_t charges[4] = {0, 0, 0, 0}, random = 7;

    (void)state;
    vmres__ledger_open(&ledger, 1000, 100);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t *charge = &charges[draw_number(&random, 4)];
        uint64_t sum = 0;

        switch (draw_number(&random, 7)) {
        case 0:
            vmres__ledger_draw(&ledger, draw_number(&random, vmres__ledger_grantable(&ledger) + 1));
            break;
        case 1:
            if (ledger.deficit == 0)
                vmres__ledger_place(&ledger, charge, draw_number(&random, ledger.transit + 1));
            break;
        case 2:
            vmres__ledger_release(&ledger, charge, draw_number(&random, *charge + 1));
            break;
        case 3:
            vmres__ledger_park(&ledger, draw_number(&random, ledger.transit + 1));
            break;
        case 4:
            vmres__ledger_shed(&ledger, charge, draw_number(&random, *charge + 1));
            break;
        case 5:
            vmres__ledger_seize(&ledger, charge, draw_number(&random, 50));
            break;
        default:
            vmres__ledger_resize(&ledger, 900 + draw_number(&random, 200),
                                 draw_number(&random, 200));
        }
        for (uint32_t vm = 0; vm < 4; vm++)
            sum += charges[vm];
        assert_int_equal(sum, ledger.charged);
        assert_true(vmres__ledger_balanced(&ledger));
    }
}

static void imbalance_is_noticed(void **state)
{
    struct ledger ledger;

    (void)state;
    vmres__ledger_open(&ledger, 100, 0);
    ledger.free++;
    assert_false(vmres__ledger_balanced(&ledger));
    ledger.deficit++; /* the sums agree, and yet: free while something is owed */
    assert_false(vmres__ledger_balanced(&ledger));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_goes_its_way),
        cmocka_unit_test(what_is_seized_beyond_the_free_part_is_a_deficit),
        cmocka_unit_test(a_host_may_shrink_and_grow),
        cmocka_unit_test(no_sequence_of_entries_loses_a_granule),
        cmocka_unit_test(imbalance_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
