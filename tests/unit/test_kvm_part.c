/* SPDX-License-Identifier: MIT */
/* How a VM's size is divided among virtio-mem and balloon: a table of cases, then all of them. */
#include "kvm/internal.h"
#include "support/check.h"

#define MIB VMRES_MIB

/* 256 MiB of base memory behind a balloon, two virtio-mem devices of 128 MiB in blocks of 2. */
static struct kvm_parts make(uint64_t first, uint64_t second, uint64_t balloon)
{
    struct kvm_parts parts = {.count = 3};
    const uint64_t now[] = {first, second, balloon};

    for (int i = 0; i < 3; i++)
        parts.parts[i] = (struct kvm_part){
            .mechanism = i < 2 ? &vmres__kvm_virtio_mem : &vmres__kvm_balloon,
            .block = i < 2 ? 2 * MIB : KVM_PAGE,
            .most = (i < 2 ? 128 : 256) * MIB,
            .now = now[i] * MIB,
            .told = now[i] * MIB,
        };
    return parts;
}

static void expect(struct kvm_parts parts, uint64_t target, const uint64_t wanted[3])
{
    vmres__kvm_part_aim(&parts, target);
    for (int i = 0; i < 3; i++)
        assert_int_equal(parts.parts[i].wanted, wanted[i]);
}

static void test_blocks_give_first(void **state)
{
    (void)state;
    expect(make(64, 32, 256), 300 * MIB, (uint64_t[]){12 * MIB, 32 * MIB, 256 * MIB});
    expect(make(64, 32, 256), 270 * MIB, (uint64_t[]){0, 14 * MIB, 256 * MIB});
    expect(make(64, 32, 256), 192 * MIB, (uint64_t[]){0, 0, 192 * MIB});
}

static void test_balloon_gives_what_is_no_block(void **state)
{
    (void)state;
    expect(make(64, 0, 256), 319 * MIB, (uint64_t[]){64 * MIB, 0, 255 * MIB});
    expect(make(64, 0, 256), 317 * MIB, (uint64_t[]){62 * MIB, 0, 255 * MIB});
}

static void test_balloon_takes_first(void **state)
{
    (void)state;
    expect(make(0, 0, 192), 224 * MIB, (uint64_t[]){0, 0, 224 * MIB});
    expect(make(0, 0, 192), 320 * MIB, (uint64_t[]){0, 64 * MIB, 256 * MIB});
    expect(make(0, 0, 192), 500 * MIB, (uint64_t[]){116 * MIB, 128 * MIB, 256 * MIB});
}

static uint64_t next(uint64_t now, uint64_t wanted, uint64_t told, uint64_t block)
{
    struct kvm_part part = make(0, 0, 0).parts[0];

    part.block = block * MIB;
    part.now = now * MIB;
    part.wanted = wanted * MIB;
    part.told = told * MIB;
    return vmres__kvm_part_next(&part) / MIB;
}

static void test_blocks_go_by_halves(void **state)
{
    (void)state;
    assert_int_equal(next(512, 0, 512, 2), 256);
    assert_int_equal(next(300, 0, 256, 2), 256); /* it is on its way there */
    assert_int_equal(next(256, 0, 256, 2), 128);
    assert_int_equal(next(250, 0, 254, 2), 126);   /* further than it was told: by itself */
    assert_int_equal(next(100, 0, 128, 2), 36);    /* a piece, at least */
    assert_int_equal(next(64, 0, 36, 2), 0);       /* the last one, before the one before is all */
    assert_int_equal(next(300, 200, 100, 2), 236); /* it was told less before: no more of that */
    assert_int_equal(next(512, 0, 512, 128), 256);
    assert_int_equal(next(256, 128, 256, 128), 128);
    assert_int_equal(next(0, 512, 0, 2), 512); /* what comes, comes at once */
}

static void test_takes_no_more_than_there_is(void **state)
{
    (void)state;
    expect(make(0, 0, 256), 4096 * MIB, (uint64_t[]){128 * MIB, 128 * MIB, 256 * MIB});
    expect(make(0, 0, 256), 257 * MIB, (uint64_t[]){0, 0, 256 * MIB}); /* half a block: none */
}

static void test_fixed_parts_stay(void **state)
{
    struct kvm_parts parts = make(64, 0, 256);

    (void)state;
    parts.parts[2].fixed = true;
    expect(parts, 192 * MIB, (uint64_t[]){0, 0, 256 * MIB});
    assert_int_equal(vmres__kvm_part_least(&parts), 256 * MIB);
    assert_true(vmres__kvm_part_movable(&parts, VMRES_KVM_VIRTIO_MEM));
    assert_false(vmres__kvm_part_movable(&parts, VMRES_KVM_BALLOON));
}

/* Whatever moves first, the VM never holds more than the larger of both sizes; and where there is
 * enough to give or take, what it comes to is less than a block off, on the safe side. */
static void test_all_sizes(void **state)
{
    (void)state;
    for (uint64_t mem = 0; mem <= 128; mem += 32)
        for (uint64_t balloon = 32; balloon <= 256; balloon += 32)
            for (uint64_t target = 16; target <= 600; target += 7) {
                struct kvm_parts parts = make(mem, 64, balloon);
                uint64_t held = vmres__kvm_part_held(&parts), comes_to = 0;
                bool grows = target * MIB > held;

                vmres__kvm_part_aim(&parts, target * MIB);
                for (uint32_t i = 0; i < parts.count; i++) {
                    const struct kvm_part *part = &parts.parts[i];

                    comes_to += part->wanted;
                    assert_true(grows ? part->wanted >= part->now : part->wanted <= part->now);
                    assert_true(part->wanted <= part->most && part->wanted % part->block == 0);
                }
                if (!grows)
                    assert_int_equal(comes_to, target * MIB);
                else if (target < 512)
                    assert_in_range(target * MIB - comes_to, 0, 2 * MIB - 1);
                else
                    assert_int_equal(comes_to, 512 * MIB);
            }
}

static void test_staying_forgets_what_it_was_told(void **state)
{
    struct kvm_parts parts = make(64, 0, 200);

    (void)state;
    vmres__kvm_part_aim(&parts, 128 * MIB);
    assert_false(vmres__kvm_part_settled(&parts));
    vmres__kvm_part_stay(&parts);
    for (uint32_t i = 0; i < parts.count; i++) {
        assert_int_equal(parts.parts[i].wanted, parts.parts[i].now);
        assert_true(parts.parts[i].told == KVM_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_give_first),
        cmocka_unit_test(test_balloon_gives_what_is_no_block),
        cmocka_unit_test(test_balloon_takes_first),
        cmocka_unit_test(test_takes_no_more_than_there_is),
        cmocka_unit_test(test_blocks_go_by_halves),
        cmocka_unit_test(test_fixed_parts_stay),
        cmocka_unit_test(test_all_sizes),
        cmocka_unit_test(test_staying_forgets_what_it_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
