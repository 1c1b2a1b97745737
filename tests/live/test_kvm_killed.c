/* SPDX-License-Identifier: MIT */
/*
 * The process that embeds the library is killed at every step of a transfer, and a new one put over
 * the guests: it must find what is there, charge all of it, and go on (I13). The new one knows
 * nothing of the old but what QEMU and the guests tell.
 *
 * The process to be killed is this program once more: --embed DIRECTORY STEP lets b have what a is
 * to give, and kills itself as soon as the step of that number is traced.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/world.h"
#include "support/check.h"

#define ALL (GUEST_MIB * MIB)
#define LESS (ALL - 64 * MIB)
#define FIRST_STEP 4u /* the first of a transfer's; what is before it changes nothing */

static const char *directory;
static struct live_world world;

/* --- the one that is killed --- */

static unsigned steps_left;

static void die_in_time(struct live_world *it, const struct vmres_trace_record *record)
{
    (void)it;
    if (record->step >= FIRST_STEP && --steps_left == 0)
        (void)raise(SIGKILL);
}

static int embed(unsigned steps)
{
    live_find(&world, directory, 2);
    world.poll_ms = 100; /* some pieces, not dozens */
    live_manage(&world, (ALL + LESS) / MIB, GUEST_MIB);
    (void)live_reach(&world, ALL, LESS);
    steps_left = steps;
    world.shown = die_in_time;
    (void)live_reach(&world, LESS, ALL);
    live_let_go(&world);
    return 0;
}

/* --- the others --- */

/* Returns whether it was killed: at that step, or else it came to the end. */
static bool embed_and_kill(unsigned steps)
{
    char number[16];
    char *arguments[] = {"live-kvm_killed", "--embed", (char *)(uintptr_t)directory, number, NULL};
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        snprintf(number, sizeof number, "%u", steps);
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    assert_int_equal(status, 0);
    return false;
}

/* Whatever was under way: what the guests hold is charged, and all is put as it was. */
static void adopt_and_restore(void)
{
    struct vmres_pool_info pool;

    live_manage(&world, (ALL + LESS) / MIB, GUEST_MIB);
    world.sizes[0] = ALL;
    world.sizes[1] = LESS;
    live_until(&world, live_is_adopted);
    pool = live_pool(&world);
    assert_int_equal(pool.deficit, 0);
    for (uint32_t vm = 0; vm < 2; vm++)
        assert_true(live_account(&world, vm).charge >= qemu_actual(&world.guests[vm]));
    live_until(&world, live_is_reached);
    live_let_go(&world);
}

static void test_killed_at_every_step(void **state)
{
    unsigned steps = 0;

    (void)state;
    live_boot(&world, directory, 2, "fill", NULL);
    qemu_balloon(&world.guests[1], LESS);
    while (qemu_actual(&world.guests[1]) > LESS)
        qemu_pause_ms(2);
    adopt_and_restore();
    do {
        assert_true(++steps < 100);
    } while (embed_and_kill(steps) && (adopt_and_restore(), true));
    print_message("killed at each of %u steps\n", steps - 1);
    assert_true(steps > 5); /* a transfer has at least that many */
}

static int tear_down(void **state)
{
    (void)state;
    live_end(&world);
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_killed_at_every_step, tear_down),
    };

    if (count == 4 && strcmp(arguments[1], "--embed") == 0) {
        directory = arguments[2];
        return embed((unsigned)strtoul(arguments[3], NULL, 10));
    }
    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
