/* SPDX-License-Identifier: MIT */
/*
 * How long memory takes from one real guest to another, against the devices alone: in the same run
 * and the same guests, the same amount by hand, one QMP command to shrink the one, and when it has
 * shrunk, one to grow the other. Counted from the request to the donor (4) to the last of it in use
 * by the recipient (8); detection is apart, as it is the policy's matter and the statistics'. By
 * balloon and by virtio-mem, five times there and back, interleaved.
 *
 * The ratio is that of the fastest, for a busy host only adds, or that of the medians where that is
 * less: the fastest by hand may be a stroke of luck, for a guest asked for a whole memory block at
 * once gives it in one step, or fails several times before it goes through it. The goal is 1.25,
 * and less where donor and recipient move at the same time; the rest is for a host that is busy.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "live/world.h"
#include "support/check.h"

#define MOVES 10 /* five times there and back */
#define BASE (GUEST_MIB * MIB)
#define BALLOON (96 * MIB)
#define BLOCKS (128 * MIB)
#define PAUSE_MS 250 /* as long as a round */
#define LIMIT 1.5

static const char *directory;
static struct live_world world;

static int tear_down(void **state)
{
    (void)state;
    live_end(&world);
    return 0;
}

struct device {
    const char *name;
    uint64_t less, more; /* a guest's size, moved between both */
    void (*set)(struct qemu *qemu, uint64_t size);
    uint64_t (*get)(struct qemu *qemu);
    uint64_t base; /* of the size, which the device does not count */
};

/* What every move took, in milliseconds. */
struct series {
    uint64_t ours[MOVES], hand[MOVES];
    size_t count; /* of both */
};

/* --- by hand --- */

static void turn_to(const struct device *device, struct qemu *guest, uint64_t size)
{
    device->set(guest, size - device->base);
    while (device->get(guest) != size - device->base)
        qemu_pause_ms(1);
}

/* The guest is still busy with a block when QEMU says that it is plugged: it comes to rest first,
 * as between two rounds of the library's. */
static uint64_t by_hand(const struct device *device, struct qemu *donor, struct qemu *recipient)
{
    uint64_t begin_ms;

    qemu_pause_ms(PAUSE_MS);
    begin_ms = qemu_now_ms();
    turn_to(device, donor, device->less);
    turn_to(device, recipient, device->more);
    return qemu_now_ms() - begin_ms;
}

/* --- both --- */

/* The host has what both hold, so that what one is given the other must give. */
static void there_and_back(const struct device *device, struct series *series)
{
    struct qemu *a = &world.guests[0], *b = &world.guests[1];

    turn_to(device, a, device->more);
    turn_to(device, b, device->less);
    live_manage(&world, (device->more + device->less) / MIB, device->more / MIB);
    (void)live_reach(&world, device->more, device->less); /* both are adopted */
    series->ours[series->count] = live_reach(&world, device->less, device->more);
    series->ours[series->count + 1] = live_reach(&world, device->more, device->less);
    live_let_go(&world);
    series->hand[series->count] = by_hand(device, a, b);
    series->hand[series->count + 1] = by_hand(device, b, a);
    series->count += 2;
    turn_to(device, a, BASE);
    turn_to(device, b, BASE);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool report(const struct device *device, struct series *series)
{
    double fastest, median;

    qsort(series->ours, MOVES, sizeof *series->ours, compare);
    qsort(series->hand, MOVES, sizeof *series->hand, compare);
    fastest = (double)series->ours[0] / (double)series->hand[0];
    median = (double)series->ours[MOVES / 2] / (double)series->hand[MOVES / 2];
    print_message("%s, %" PRIu64 " MiB: %.2f of the time by hand; %" PRIu64 " and %" PRIu64
                  " ms, medians %.2f; %" PRIu64 " and %" PRIu64 " ms\n",
                  device->name, (device->more - device->less) / MIB, fastest, series->ours[0],
                  series->hand[0], median, series->ours[MOVES / 2], series->hand[MOVES / 2]);
    return fastest <= LIMIT || median <= LIMIT;
}

static void test_transfers(void **state)
{
    static const char *const extra[] = {
        "-object", "memory-backend-ram,id=more,size=128M", "-device",
        "virtio-mem-pci,id=mem0,memdev=more,requested-size=0", NULL};
    static const struct device balloon = {"balloon",    BASE - BALLOON, BASE,
                                          qemu_balloon, qemu_actual,    0};
    static const struct device blocks = {"virtio-mem", BASE,         BASE + BLOCKS,
                                         qemu_plug,    qemu_plugged, BASE};
    struct series by_balloon = {.count = 0}, by_blocks = {.count = 0};
    bool good;

    (void)state;
    live_boot(&world, directory, 2, "fill memhp_default_state=online_movable", extra);
    for (int i = 0; i < MOVES / 2; i++) {
        there_and_back(&balloon, &by_balloon);
        there_and_back(&blocks, &by_blocks);
    }
    good = report(&balloon, &by_balloon);
    good &= report(&blocks, &by_blocks);
    assert_true(good);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_transfers, tear_down)};

    directory = qemu_directory(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
