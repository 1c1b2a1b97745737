/* SPDX-License-Identifier: MIT */
/* The queue: order is kept, floods take one place, an answer that is owed always finds its own. */
#include "driver/queue.h"

#include <vmres/action.h>
#include <vmres/engine.h>

#include "support/check.h"
#include "support/failing_allocator.h"

enum { VMS = 3, KINDS = 2 };

static struct vmres__queue queue;

static int setup(void **state)
{
    (void)state;
    EXPECT_OK(vmres__queue_init(&queue, VMS, KINDS, NULL));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres__queue_finish(&queue, NULL);
    return 0;
}

/* An event marked by `mark` in its first word. */
static struct vmres_event event(int type, uint32_t vm, uint8_t kind, uint64_t mark)
{
    struct vmres_event made = {.type = (uint8_t)type, .vm = vm, .kind = kind, .incarnation = 1};

    made.as.words[0] = mark;
    return made;
}

static struct vmres_event answer(uint64_t id, uint32_t vm, int final, uint64_t amount)
{
    struct vmres_event made = event(VMRES_EVENT_REMOVED, vm, 0, amount);

    made.id = id;
    made.flags = final ? VMRES_FLAG_FINAL : 0;
    return made;
}

static void post(struct vmres_event posted)
{
    EXPECT_OK(vmres__queue_post(&queue, &posted));
}

static void expect_mark(uint64_t mark)
{
    struct vmres_event popped;

    assert_true(vmres__queue_pop(&queue, &popped));
    assert_int_equal(popped.as.words[0], mark);
}

static void expect_end(void)
{
    struct vmres_event popped;

    assert_false(vmres__queue_pop(&queue, &popped));
}

/* Ordinary events until no more fit; returns how many did. */
static uint32_t fill(void)
{
    struct vmres_event filler = event(VMRES_EVENT_CANCEL, 0, 0, 7);
    uint32_t count = 0;

    while (vmres__queue_post(&queue, &filler) == VMRES_OK)
        count++;
    return count;
}

static void first_in_is_first_out(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_VM_LIVE, 0, 0, 1));
    post(event(VMRES_EVENT_VM_LIVE, 1, 0, 2));
    post(event(VMRES_EVENT_ALLOT, 0, 0, 3));
    expect_mark(1);
    expect_mark(2);
    expect_mark(3);
    expect_end();
}

static void it_wraps_without_losing_order(void **state)
{
    uint64_t in = 0, out = 0;

    (void)state;
    /* Never quite empty, so that it never starts over, for several times round. */
    post(event(VMRES_EVENT_ALLOT, 0, 0, in++));
    while (in < (uint64_t)queue.capacity * 5) {
        for (int i = 0; i < 7; i++)
            post(event(VMRES_EVENT_ALLOT, 0, 0, in++));
        for (int i = 0; i < 7; i++)
            expect_mark(out++);
    }
    expect_mark(out);
    expect_end();
}

static void it_starts_over_when_empty(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < queue.capacity * 2; i++) {
        post(event(VMRES_EVENT_ALLOT, 0, 0, i));
        expect_mark(i);
        assert_int_equal(queue.first, 0);
    }
}

static void a_newer_report_takes_the_place_of_the_older(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_REPORT, 1, 1, 10));
    post(event(VMRES_EVENT_ALLOT, 0, 0, 20));
    for (uint64_t i = 0; i < 1000; i++)
        post(event(VMRES_EVENT_REPORT, 1, 1, 11 + i));
    assert_int_equal(queue.count, 2);
    assert_int_equal(queue.coalesced, 1000);
    expect_mark(1010);
    expect_mark(20);
    expect_end();
}

static void others_are_not_replaced(void **state)
{
    struct vmres_event asked = event(VMRES_EVENT_REPORT, 1, 1, 6);
    struct vmres_event reborn = event(VMRES_EVENT_REPORT, 1, 1, 7);

    (void)state;
    asked.id = 99;
    reborn.incarnation = 2;
    post(event(VMRES_EVENT_REPORT, 1, 1, 1));
    post(event(VMRES_EVENT_REPORT, 1, 0, 2)); /* another kind */
    post(event(VMRES_EVENT_REPORT, 2, 1, 3)); /* another VM */
    post(event(VMRES_EVENT_SAMPLES, 1, 1, 4));
    post(event(VMRES_EVENT_OBSERVED, 1, 1, 5));
    post(asked);  /* the answer to an inquiry must not get lost to an unasked one */
    post(reborn); /* another life */
    for (uint64_t mark = 1; mark <= 7; mark++)
        expect_mark(mark);
    expect_end();
}

static void a_delivered_report_is_not_replaced(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_REPORT, 0, 0, 1));
    post(event(VMRES_EVENT_ALLOT, 0, 0, 2));
    expect_mark(1);
    post(event(VMRES_EVENT_REPORT, 0, 0, 3));
    expect_mark(2);
    expect_mark(3);
    expect_end();
}

/* The place remembered for VM 0's report is taken by another event in the next fill. */
static void a_place_used_again_is_not_mistaken(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_REPORT, 0, 0, 1));
    expect_mark(1);
    post(event(VMRES_EVENT_REPORT, 1, 0, 2));
    post(event(VMRES_EVENT_REPORT, 0, 0, 3));
    expect_mark(2);
    expect_mark(3);
    expect_end();
}

static void what_the_host_saw_is_never_reordered(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_OBSERVED, 0, 0, 1));
    post(answer(5, 0, 0, 2));
    post(event(VMRES_EVENT_OBSERVED, 0, 0, 3));
    post(event(VMRES_EVENT_OBSERVED, 0, 0, 4)); /* in the place of 3, behind 2 */
    expect_mark(1);
    expect_mark(2);
    expect_mark(4);
    expect_end();
}

static void progress_is_replaced_by_progress_of_the_same_command(void **state)
{
    (void)state;
    post(answer(5, 0, 0, 100));
    post(answer(5, 0, 0, 200));
    post(answer(6, 0, 0, 10));
    expect_mark(200);
    expect_mark(10);
    expect_end();
}

static void a_final_answer_is_never_replaced(void **state)
{
    (void)state;
    post(answer(5, 0, 1, 100));
    post(answer(5, 0, 0, 200));
    post(answer(5, 0, 1, 300));
    expect_mark(100);
    expect_mark(200);
    expect_mark(300);
    expect_end();
}

static void nothing_moves_across_a_vm_s_coming_and_going(void **state)
{
    (void)state;
    post(event(VMRES_EVENT_REPORT, 0, 0, 1));
    post(event(VMRES_EVENT_VM_LIVE, 0, 0, 2));
    post(event(VMRES_EVENT_REPORT, 0, 0, 3));
    expect_mark(1);
    expect_mark(2);
    expect_mark(3);
    expect_end();
}

static void a_flood_is_refused_and_counted(void **state)
{
    uint32_t fitted = fill();

    (void)state;
    assert_true(fitted < queue.capacity);
    assert_int_equal(queue.dropped, 1);
    assert_false(vmres__queue_fits(&queue, 1));
    expect_mark(7);
    assert_true(vmres__queue_fits(&queue, 1));
    assert_false(vmres__queue_fits(&queue, 2));
}

static void an_answer_with_credit_fits_into_a_full_queue(void **state)
{
    uint32_t credits = 0, filled;

    (void)state;
    while (vmres__queue_credit(&queue, credits % VMS))
        credits++;
    assert_int_equal(credits, queue.headroom);
    filled = fill();
    for (uint32_t i = 0; i < credits; i++)
        post(answer(i + 1, i % VMS, 1, i));
    assert_int_equal(queue.owing, 0);
    for (uint32_t i = 0; i < filled; i++)
        expect_mark(7);
    for (uint32_t i = 0; i < credits; i++)
        expect_mark(i);
    expect_end();
}

static void a_flood_leaves_room_for_credit(void **state)
{
    struct vmres_event final;
    uint32_t credits = 0;

    (void)state;
    fill();
    while (vmres__queue_credit(&queue, 1))
        credits++;
    assert_int_equal(credits, queue.headroom);
    for (uint32_t i = 0; i < credits; i++)
        post(answer(i + 1, 1, 1, i));
    assert_int_equal(queue.count, queue.capacity);
    /* One that nobody asked for has no room of its own. */
    final = answer(1, 1, 1, 0);
    EXPECT_STATUS(vmres__queue_post(&queue, &final), VMRES_LIMIT);
}

static void one_vm_cannot_spend_the_credit_of_another(void **state)
{
    struct vmres_event final;

    (void)state;
    fill();
    assert_true(vmres__queue_credit(&queue, 1));
    final = answer(1, 2, 1, 0);
    EXPECT_STATUS(vmres__queue_post(&queue, &final), VMRES_LIMIT);
    final = answer(1, 1, 1, 0);
    EXPECT_OK(vmres__queue_post(&queue, &final));
}

static void answers_that_never_come_leave_room_for_others(void **state)
{
    (void)state;
    while (vmres__queue_credit(&queue, 2))
        ;
    assert_int_equal(queue.owing, queue.headroom);
    assert_int_equal(fill(), queue.capacity - queue.headroom);
    assert_int_equal(queue.count + queue.owing, queue.capacity);
}

static void what_is_forgiven_may_be_owed_again(void **state)
{
    (void)state;
    while (vmres__queue_credit(&queue, 2))
        ;
    assert_false(vmres__queue_credit(&queue, 1));
    vmres__queue_forgive(&queue, 2);
    assert_int_equal(queue.owing, 0);
    assert_true(vmres__queue_credit(&queue, 1));
}

static void every_failed_allocation_is_clean(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct failing_allocator heap;
        struct vmres__queue made;
        enum vmres_status status;

        failing_allocator_init(&heap, n);
        status = vmres__queue_init(&made, 4, 1, &heap.allocator);
        if (status == VMRES_OK)
            vmres__queue_finish(&made, &heap.allocator);
        failing_allocator_expect_empty(&heap);
        if (status == VMRES_OK)
            break;
        EXPECT_STATUS(status, VMRES_NOMEM);
    }
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_QUEUE(first_in_is_first_out),
        WITH_QUEUE(it_wraps_without_losing_order),
        WITH_QUEUE(it_starts_over_when_empty),
        WITH_QUEUE(a_newer_report_takes_the_place_of_the_older),
        WITH_QUEUE(others_are_not_replaced),
        WITH_QUEUE(a_delivered_report_is_not_replaced),
        WITH_QUEUE(a_place_used_again_is_not_mistaken),
        WITH_QUEUE(what_the_host_saw_is_never_reordered),
        WITH_QUEUE(progress_is_replaced_by_progress_of_the_same_command),
        WITH_QUEUE(a_final_answer_is_never_replaced),
        WITH_QUEUE(nothing_moves_across_a_vm_s_coming_and_going),
        WITH_QUEUE(a_flood_is_refused_and_counted),
        WITH_QUEUE(an_answer_with_credit_fits_into_a_full_queue),
        WITH_QUEUE(a_flood_leaves_room_for_credit),
        WITH_QUEUE(one_vm_cannot_spend_the_credit_of_another),
        WITH_QUEUE(answers_that_never_come_leave_room_for_others),
        WITH_QUEUE(what_is_forgiven_may_be_owed_again),
        cmocka_unit_test(every_failed_allocation_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
