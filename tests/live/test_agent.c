/* SPDX-License-Identifier: MIT */
/*
 * The agent in real guests, and the policy that listens to it: a task in one guest wants more than
 * that has, and the other's idle memory comes. How soon the shortage was known, by notice and by
 * inquiry, is measured and printed, not judged: that is the machine's to say.
 */
#include <inttypes.h>
#include <string.h>

#include "live/world.h"
#include "support/check.h"

#define LESS (192 * MIB)   /* what the guest that will be short holds at first: too little */
#define ENOUGH (224 * MIB) /* for this, in MiB, of which some must not fit into LESS: */
#define WANTED "180"
#define REPEATS 5 /* by turns: who was short has then what the other needs */

static const char *directory;
static struct live_world world;

/* Since a guest was told to want more, milliseconds; 0: not yet. */
static struct {
    uint32_t vm, turn;
    uint64_t inquired_ms, told_ms; /* the clock at the last inquiry, and then */
    uint64_t noticed_ms, polled_ms, asked_ms, taken_ms;
} seen;

static int tear_down(void **state)
{
    (void)state;
    live_end(&world);
    return 0;
}

static void note_first(uint64_t *when)
{
    if (*when == 0)
        *when = qemu_now_ms() - seen.told_ms;
}

static bool is_stalled(const struct live_world *it, uint32_t vm)
{
    return live_account(it, vm).stall >= VMRES_STALL_ONE / 100;
}

static void shown(struct live_world *it, const struct vmres_trace_record *record)
{
    if (record->type == VMRES_TRACE_INQUIRE)
        seen.inquired_ms = qemu_now_ms();
    if (seen.told_ms == 0)
        return;
    if (record->step == 4)
        note_first(&seen.asked_ms);
    if (record->step == 8)
        note_first(&seen.taken_ms);
    if (record->type != VMRES_TRACE_REPORT || record->vm != seen.vm)
        return;
    if (record->reason)
        note_first(&seen.noticed_ms);
    else if (is_stalled(it, seen.vm))
        note_first(&seen.polled_ms);
}

static void boot(unsigned count)
{
    static const char *const names[] = {"a", "b"};

    memset(&world, 0, sizeof world);
    memset(&seen, 0, sizeof seen);
    world.count = count;
    for (unsigned i = 0; i < count; i++)
        qemu_start(&world.guests[i], &(struct qemu_options){.directory = directory,
                                                            .name = names[i],
                                                            .words = "",
                                                            .mib = GUEST_MIB,
                                                            .agent = true});
    for (unsigned i = 0; i < count; i++)
        qemu_wait(&world.guests[i]);
    world.judged = true;
    world.shown = shown;
}

static bool agents_speak(struct live_world *it)
{
    for (unsigned i = 0; i < it->count; i++) {
        struct vmres_kvm_vm_info info;

        EXPECT_OK(vmres_kvm_vm(it->kvm, i ? "b" : "a", &info));
        if (!info.agent)
            return false;
    }
    return live_is_adopted(it);
}

/* --- relief --- */

/* It may be over before an inquiry sees it, or before a notice comes. */
static bool is_relieved(struct live_world *it)
{
    return seen.taken_ms > 0 && live_account(it, seen.vm).held >= ENOUGH &&
           !is_stalled(it, seen.vm);
}

static bool is_at_ease(struct live_world *it)
{
    return vmres_engine_settled(vmres_driver_engine(it->driver)) && !is_stalled(it, 0) &&
           !is_stalled(it, 1) && live_account(it, 0).available > 64 * MIB &&
           live_account(it, 1).available > 64 * MIB;
}

/* A shortage comes at any time between two inquiries: here at one after the other of some. */
static bool is_its_moment(struct live_world *it)
{
    (void)it;
    return seen.inquired_ms > 0 &&
           qemu_now_ms() - seen.inquired_ms >= (uint64_t)seen.turn * 1000 / REPEATS;
}

static void run_short(uint32_t turn)
{
    uint32_t vm = turn % 2;
    uint64_t held = live_account(&world, vm).held;

    memset(&seen, 0, sizeof seen);
    seen.vm = vm;
    seen.turn = turn;
    live_until(&world, is_its_moment);
    seen.told_ms = qemu_now_ms();
    qemu_tell(&world.guests[vm], "hog " WANTED " &");
    live_until(&world, is_relieved);
    assert_true(live_account(&world, vm).held > held);
    assert_true(qemu_actual(&world.guests[vm]) > held);
    assert_true(seen.noticed_ms > 0 || seen.polled_ms > 0);
    print_message("short of memory: known after %" PRIu64 " ms by notice, %" PRIu64
                  " by inquiry (0: not before it was over); asked for after %" PRIu64
                  ", the first of it there after %" PRIu64 "\n",
                  seen.noticed_ms, seen.polled_ms, seen.asked_ms, seen.taken_ms);
    seen.told_ms = 0;
    qemu_tell(&world.guests[vm], "killall hog");
    live_until(&world, is_at_ease);
}

static void test_shortage_is_relieved(void **state)
{
    const uint64_t all = GUEST_MIB * MIB;

    (void)state;
    boot(2);
    qemu_balloon(&world.guests[0], LESS);
    while (qemu_actual(&world.guests[0]) > LESS)
        qemu_pause_ms(2);
    live_manage(&world, (LESS + all) / MIB, GUEST_MIB);
    live_until(&world, agents_speak);
    live_until(&world, is_at_ease);
    for (uint32_t i = 0; i < REPEATS; i++)
        run_short(i);
    assert_non_null(strstr(world.trace, "is short"));
    live_let_go(&world);
}

/* --- what it lives through --- */

static bool has_killed(struct live_world *it)
{
    return qemu_said(&it->guests[0], "Killed process") && seen.noticed_ms > 0;
}

static bool has_much_again(struct live_world *it)
{
    return agents_speak(it) && live_account(it, 0).available > 64 * MIB;
}

static void test_lives_through_the_last_page(void **state)
{
    (void)state;
    boot(1);
    live_manage(&world, GUEST_MIB, GUEST_MIB);
    live_until(&world, agents_speak);
    qemu_tell(&world.guests[0], "swapoff /dev/vda");
    seen.told_ms = qemu_now_ms();
    qemu_tell(&world.guests[0], "hog 150 & hog 150 &");
    live_until(&world, has_killed);
    assert_true(qemu_said(&world.guests[0], "(hog)"));
    assert_false(qemu_said(&world.guests[0], "(vmres-agent)"));
    qemu_tell(&world.guests[0], "killall hog");
    live_until(&world, has_much_again);
    live_let_go(&world);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_shortage_is_relieved, tear_down),
        cmocka_unit_test_teardown(test_lives_through_the_last_page, tear_down),
    };

    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
