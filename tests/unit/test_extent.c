/* SPDX-License-Identifier: MIT */
/*
 * Blocks and holes by themselves: where one fits, where one that was there is taken, what is left
 * when one goes, where pieces lie that came in, and that the audit sees what cannot be. A row is
 * made by hand; no engine moves it but in the tests of the audit.
 */
#include "support/rig_row.h"

enum { VMS = 6, CAPACITY = 1000, RESERVE = 100 };

struct row {
    struct kind kind;
    struct vmres_view views[VMS];
    struct account accounts[VMS];
    struct block blocks[VMS];
};

static struct row empty_row(void)
{
    return (struct row){
        .kind = {.ledger = {.capacity = CAPACITY, .reserve = RESERVE}, .lowest = NONE}};
}

/* The arrays move with the row. */
static struct kind *kind_of(struct row *row)
{
    row->kind.views = row->views;
    row->kind.accounts = row->accounts;
    row->kind.blocks = row->blocks;
    return &row->kind;
}

static bool fit(struct row *row, uint32_t vm, uint32_t size)
{
    struct extent_search search = {NONE, 0};

    return vmres__extent_fit(kind_of(row), vm, size, &search);
}

static void fits(struct row *row, uint32_t vm, uint32_t size, uint32_t front)
{
    assert_true(fit(row, vm, size));
    row->views[vm].charge = size;
    assert_int_equal(row->blocks[vm].front, front);
    assert_int_equal(vmres__extent_final(kind_of(row), vm), front + size);
}

static void leaves(struct row *row, uint32_t vm)
{
    vmres__extent_remove(kind_of(row), vm);
    row->views[vm].charge = 0;
    assert_false(row->blocks[vm].placed);
}

/* --- where they lie --- */

static void the_lowest_hole_that_holds_it_is_taken(void **state)
{
    struct row row = empty_row();

    (void)state;
    fits(&row, 0, 200, 0);
    fits(&row, 1, 300, 200);
    fits(&row, 2, 100, 500);
    leaves(&row, 1);
    fits(&row, 3, 250, 200);
    fits(&row, 4, 60, 600);
    fits(&row, 5, 50, 450); /* what is left of the first hole */
    assert_int_equal(row.kind.lowest, 0);
    assert_int_equal(row.blocks[5].below, 3);
    assert_int_equal(row.blocks[5].above, 2);
}

/* One search for many: it goes on where it was, and back only for what fits there. */
static void a_search_goes_over_no_hole_twice(void **state)
{
    struct row row = empty_row();
    struct extent_search search = {NONE, 0};
    const uint32_t sizes[] = {110, 120, 100}, fronts[] = {300, 410, 100};

    (void)state;
    fits(&row, 0, 100, 0);
    fits(&row, 1, 100, 100);
    fits(&row, 2, 100, 200);
    leaves(&row, 1);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t vm = 3 + i;

        assert_true(vmres__extent_fit(kind_of(&row), vm, sizes[i], &search));
        row.views[vm].charge = sizes[i];
        assert_int_equal(row.blocks[vm].front, fronts[i]);
        assert_int_equal(search.below, vm);
        assert_int_equal(search.largest, i < 2 ? 100 : 0);
    }
}

static void what_is_kept_in_reserve_is_no_hole(void **state)
{
    struct row row = empty_row();

    (void)state;
    assert_false(fit(&row, 0, CAPACITY - RESERVE + 1));
    fits(&row, 0, CAPACITY - RESERVE, 0);
    assert_false(fit(&row, 1, 1));
    fits(&row, 1, 0, 0); /* of nothing there is always room */
}

static void holes_are_measured_on_both_sides(void **state)
{
    struct row row = empty_row();

    (void)state;
    for (uint32_t vm = 0; vm < 4; vm++)
        fits(&row, vm, 100, vm * 100);
    leaves(&row, 0);
    leaves(&row, 2);
    assert_int_equal(row.kind.lowest, 1);
    assert_int_equal(vmres__extent_hole_below(kind_of(&row), 1), 100);
    assert_int_equal(vmres__extent_hole_above(kind_of(&row), 1), 100);
    assert_int_equal(vmres__extent_hole_below(kind_of(&row), 3), 100);
    assert_int_equal(vmres__extent_hole_above(kind_of(&row), 3), 500);
    leaves(&row, 1);
    leaves(&row, 3);
    assert_int_equal(row.kind.lowest, NONE);
    leaves(&row, 3); /* once more does nothing */
}

static void what_was_there_is_taken_where_it_is(void **state)
{
    struct row row = empty_row();

    (void)state;
    fits(&row, 0, 100, 0);
    assert_true(vmres__extent_adopt(kind_of(&row), 1, 700, 200));
    row.views[1].charge = 200;
    assert_false(vmres__extent_adopt(kind_of(&row), 2, 99, 10));  /* begins in 0 */
    assert_false(vmres__extent_adopt(kind_of(&row), 2, 650, 51)); /* ends in 1 */
    assert_false(vmres__extent_adopt(kind_of(&row), 2, 700, 10)); /* lies in 1 */
    assert_false(vmres__extent_adopt(kind_of(&row), 2, 900, 1));  /* beyond the host */
    assert_false(vmres__extent_adopt(kind_of(&row), 2, UINT32_MAX, 1));
    assert_true(vmres__extent_adopt(kind_of(&row), 2, 650, 50));
    row.views[2].charge = 50;
    assert_int_equal(row.blocks[2].below, 0);
    assert_int_equal(row.blocks[2].above, 1);
    assert_true(vmres__extent_fits_below(kind_of(&row), 900));
    assert_false(vmres__extent_fits_below(kind_of(&row), 899));
}

static void one_that_has_nothing_is_in_nobodys_way(void **state)
{
    struct row row = empty_row();

    (void)state;
    assert_true(vmres__extent_adopt(kind_of(&row), 0, 0, 0));
    assert_true(vmres__extent_adopt(kind_of(&row), 1, 300, 0));
    assert_true(vmres__extent_adopt(kind_of(&row), 2, 300, 100));
    row.views[2].charge = 100;
    assert_true(vmres__extent_adopt(kind_of(&row), 3, 0, 300));
    row.views[3].charge = 300;
    assert_int_equal(row.blocks[3].below, 0);
    assert_int_equal(row.blocks[3].above, 1);
    assert_int_equal(row.blocks[2].below, 1);
}

/* --- pieces --- */

static struct row one_in_the_middle(void)
{
    struct row row = empty_row();

    fits(&row, 0, 100, 0);
    fits(&row, 1, 100, 100);
    leaves(&row, 0);
    return row;
}

/* As the ledger does it. */
static void enters(struct row *row, bool front, uint32_t amount)
{
    vmres__extent_entered(kind_of(row), 1, front, amount);
    row->views[1].charge += amount;
    row->accounts[1].untold += amount;
    row->accounts[1].unincorporated += amount;
}

static void a_piece_leaves_and_comes_in_at_its_side(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    enters(&row, true, 30);
    assert_int_equal(row.blocks[1].front, 70);
    assert_int_equal(vmres__extent_final(kind_of(&row), 1), 200);
    enters(&row, false, 20);
    assert_int_equal(row.blocks[1].front, 70);
    assert_int_equal(vmres__extent_final(kind_of(&row), 1), 220);
    row.views[1].charge -= 10;
    vmres__extent_left(kind_of(&row), 1, true, 10);
    assert_int_equal(row.blocks[1].front, 80);
    row.views[1].charge -= 5;
    vmres__extent_left(kind_of(&row), 1, false, 5);
    assert_int_equal(row.blocks[1].front, 80);
    assert_int_equal(vmres__extent_final(kind_of(&row), 1), 215);
}

static void a_vm_knows_what_it_was_told(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    enters(&row, true, 30);
    assert_int_equal(vmres__extent_told_front(kind_of(&row), 1), 100);
    vmres__extent_told(kind_of(&row), 1);
    row.accounts[1].untold = 0;
    assert_int_equal(vmres__extent_told_front(kind_of(&row), 1), 70);
    enters(&row, true, 10);
    assert_int_equal(vmres__extent_told_front(kind_of(&row), 1), 70);
}

/* 30 at the front and 20 at the final side, told; then nothing more is heard. Where one that holds
 * less than it had before that lies in it nobody can say. */
static void the_front_is_taken_in_first(void **state)
{
    static const struct {
        uint32_t holds, own, front;
    } cases[] = {{150, 150, 70}, {140, 140, 70},  {130, 130, 70},
                 {120, 120, 80}, {100, 100, 100}, {60, 100, 100}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct row row = one_in_the_middle();

        enters(&row, true, 30);
        enters(&row, false, 20);
        vmres__extent_told(kind_of(&row), 1);
        row.views[1].held = cases[i].holds;
        assert_int_equal(vmres__extent_own(kind_of(&row), 1), cases[i].own);
        assert_int_equal(vmres__extent_own_front(kind_of(&row), 1, cases[i].own), cases[i].front);
        vmres__extent_returned(kind_of(&row), 1, 150 - cases[i].own);
        row.views[1].charge = cases[i].own;
        assert_int_equal(row.blocks[1].front, cases[i].front);
    }
}

static void what_was_taken_in_is_not_given_back(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    enters(&row, true, 30);
    enters(&row, false, 20);
    vmres__extent_told(kind_of(&row), 1);
    vmres__extent_taken_in(kind_of(&row), 1, 35); /* the front, and 5 of the other */
    assert_int_equal(vmres__extent_own(kind_of(&row), 1), 135);
    assert_int_equal(vmres__extent_own_front(kind_of(&row), 1, 135), 70);
    vmres__extent_returned(kind_of(&row), 1, 15);
    assert_int_equal(row.blocks[1].front, 70);
}

static void what_it_was_not_told_of_it_lacks_first(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    enters(&row, false, 20);
    enters(&row, true, 30);
    assert_int_equal(vmres__extent_own(kind_of(&row), 1), 100);
    assert_int_equal(vmres__extent_own_front(kind_of(&row), 1, 100), 100);
}

/* It was asked to let go and did, but the word was lost: nobody knows on which side. */
static void what_left_unheard_is_still_its_own(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    row.views[1].held = 60;
    assert_int_equal(vmres__extent_own(kind_of(&row), 1), 100);
    assert_int_equal(vmres__extent_own_front(kind_of(&row), 1, 100), 100);
}

static void a_link_may_hold_a_piece_beyond_its_ceiling(void **state)
{
    struct row row = one_in_the_middle();

    (void)state;
    row.views[1].ceiling = 100;
    assert_int_equal(vmres__extent_most(kind_of(&row), 1), 100);
    row.views[1].outgoing = 1;
    assert_int_equal(vmres__extent_most(kind_of(&row), 1), 100 + (CAPACITY - RESERVE) / 64);
}

/* --- the audit --- */

static void sees(struct rig *rig, const char *what)
{
    const char *wrong = vmres__extent_audit(rig->engine, &rig->engine->kinds[MEMORY]);

    if (what == NULL)
        assert_null(wrong);
    else
        assert_string_equal(wrong, what);
}

static void the_audit_sees_what_cannot_be(void **state)
{
    struct rig *rig = row_new(400);
    struct kind *kind = &rig->engine->kinds[MEMORY];

    (void)state;
    rig_fleet(rig, 3, 100);
    sees(rig, NULL);
    kind->blocks[1].front--;
    sees(rig, "two blocks overlap");
    kind->blocks[1].front++;
    kind->blocks[2].front = 301;
    sees(rig, "a block lies beyond the host");
    kind->blocks[2].front = 200;
    kind->blocks[2].below = 0;
    sees(rig, "the chain of blocks is broken");
    kind->blocks[2].below = 1;
    kind->blocks[1].placed = false;
    sees(rig, "the chain of blocks is broken");
    kind->blocks[1].placed = true;
    kind->blocks[1].above = NONE;
    kind->blocks[2].placed = false;
    sees(rig, "a charge has no block");
    kind->blocks[1].above = 2;
    kind->blocks[2].placed = true;
    kind->accounts[0].unincorporated = 5;
    sees(rig, "where a piece lies is not known");
    kind->accounts[0].unincorporated = 0;
    kind->views[0].outgoing = 101;
    sees(rig, "a link is to give what does not come");
    kind->views[0].outgoing = 0;
    sees(rig, NULL);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_hole_that_holds_it_is_taken),
        cmocka_unit_test(a_search_goes_over_no_hole_twice),
        cmocka_unit_test(what_is_kept_in_reserve_is_no_hole),
        cmocka_unit_test(holes_are_measured_on_both_sides),
        cmocka_unit_test(what_was_there_is_taken_where_it_is),
        cmocka_unit_test(one_that_has_nothing_is_in_nobodys_way),
        cmocka_unit_test(a_piece_leaves_and_comes_in_at_its_side),
        cmocka_unit_test(a_vm_knows_what_it_was_told),
        cmocka_unit_test(the_front_is_taken_in_first),
        cmocka_unit_test(what_was_taken_in_is_not_given_back),
        cmocka_unit_test(what_it_was_not_told_of_it_lacks_first),
        cmocka_unit_test(what_left_unheard_is_still_its_own),
        cmocka_unit_test(a_link_may_hold_a_piece_beyond_its_ceiling),
        cmocka_unit_test(the_audit_sees_what_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
