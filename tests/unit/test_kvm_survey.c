/* SPDX-License-Identifier: MIT */
/*
 * What a QEMU process's mappings tell is read beside the loop, however long that takes: the loop
 * goes on, what depends on it waits, and who is let go of meanwhile is let go of safely. Nothing is
 * measured here: mappings that take long are a pipe into which nobody has written yet.
 */
#include <string.h>

#include "kvm/internal.h"
#include "support/check.h"
#include "support/kvm_world.h"

#define MIB KVM_WORLD_MIB

static struct kvm_world world;
static struct kvm_guest *slow, *last;

static void make_slow(struct kvm_guest *guest)
{
    guest->slow = true;
    kvm_world_process(guest);
}

/* The first of them is slow from the beginning, or will be; the last has 64 MiB less. */
static void open_world(unsigned guests, bool from_the_beginning)
{
    kvm_world_init(&world, guests);
    world.resource.capacity = (256 * guests - 64) * MIB;
    slow = &world.guests[0];
    last = &world.guests[guests - 1];
    if (guests > 1)
        last->qmp.actual = last->qmp.target = 192 * MIB;
    kvm_world_process(last);
    if (from_the_beginning)
        make_slow(slow);
    kvm_world_script(&world);
    kvm_world_create(&world);
    for (unsigned i = 0; i < guests; i++)
        kvm_world_add(&world, i, 64, 256);
}

static struct kvm_vm *vm_of(unsigned guest)
{
    return vmres__kvm_find(world.kvm, world.guests[guest].name);
}

static bool is_being_measured(void *user)
{
    const char *reason = kvm_world_info(&world, 0).reason;

    (void)user;
    return reason && strstr(reason, "being measured");
}

static bool the_others_move(void *user)
{
    (void)user;
    return kvm_guest_is_live(last) && kvm_world_account(&world, 1).charge == 192 * MIB &&
           kvm_world_account(&world, 2).held == 256 * MIB;
}

/* Met for the first time: nothing is said of what its process holds, and nobody else waits. */
static void test_the_loop_goes_on(void **state)
{
    (void)state;
    open_world(3, true);
    kvm_world_start(&world);
    kvm_world_until(&world, is_being_measured, NULL);
    world.script.sizes[1] = 192 * MIB;
    world.script.sizes[2] = 256 * MIB;
    kvm_world_until(&world, the_others_move, NULL);
    assert_int_equal(kvm_world_state(&world, 0), VMRES_VM_BOOTING);
    assert_true(is_being_measured(NULL));
    kvm_world_survey(slow, NULL);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD);
    assert_null(kvm_world_info(&world, 0).reason);
    kvm_world_close(&world);
}

static bool is_ordered(void *user)
{
    (void)user;
    return kvm_world_state(&world, 0) == VMRES_VM_LIVE && slow->qmp.actual == 192 * MIB &&
           world.kvm->surveys == 1;
}

static bool has_given(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).charge == 192 * MIB &&
           vmres_engine_settled(vmres_driver_engine(world.driver));
}

/* Its QEMU has come to hold 24 MiB more of its own, and it is to give 64. */
static void order_with_doubt(void)
{
    world.kvm->options.command_ms = 60000; /* for so long it is waited for */
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, kvm_guest_is_live, last);
    slow->overhead += 24 * MIB;
    vm_of(0)->surveyed_ms = 1; /* long ago */
    make_slow(slow);
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, is_ordered, NULL);
}

/* What it gave would be disputed, if the last word were said before the measure is there. */
static void test_the_final_waits(void **state)
{
    (void)state;
    open_world(2, false);
    order_with_doubt();
    kvm_world_turn(&world, 100);
    assert_int_not_equal(vm_of(0)->commands[KVM_SHRINK].id, 0);
    assert_false(has_given(NULL));
    kvm_world_survey(slow, NULL);
    kvm_world_until(&world, has_given, NULL);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD); /* the least */
    assert_int_equal(kvm_world_account(&world, 0).disputed, 0);
    kvm_world_close(&world);
}

static bool is_disputed(void *user)
{
    (void)user;
    return vmres_engine_settled(vmres_driver_engine(world.driver)) &&
           kvm_world_account(&world, 0).disputed > 0;
}

/* And not for ever: then it is disputed, until the measure is there. */
static void test_the_final_does_not_wait_for_ever(void **state)
{
    (void)state;
    open_world(2, false);
    order_with_doubt();
    world.kvm->options.command_ms = 1;
    kvm_world_until(&world, is_disputed, NULL);
    assert_true(vm_of(0)->survey.flying);
    assert_false(vmres__kvm_command_open(vm_of(0)));
    assert_int_equal(vm_of(0)->doubted_ms[KVM_SAYING_FINAL], 0); /* nothing is held back by it */
    kvm_world_survey(slow, NULL);
    kvm_world_until(&world, has_given, NULL);
    kvm_world_close(&world);
}

static bool is_held_back(void *user)
{
    (void)user;
    return vm_of(0)->doubted_ms[KVM_SAYING_FINAL] != 0;
}

/* What is doubted of one command is not doubted of the next, which begins later. */
static void test_a_pin_is_doubted_for_itself(void **state)
{
    const struct vmres_action pin = {.type = VMRES_ACTION_PIN, .id = 1000};

    (void)state;
    open_world(2, false);
    order_with_doubt();
    kvm_world_until(&world, is_held_back, NULL);
    assert_int_equal(vmres__kvm_command_take(vm_of(0), &pin), VMRES_OK);
    assert_int_equal(vm_of(0)->doubted_ms[KVM_SAYING_FINAL], 0);
    kvm_world_survey(slow, NULL);
    kvm_world_close(&world);
}

/* --- QEMU that swells and shrinks --- */

#define SWOLLEN (64 * MIB)

static void swell(void)
{
    slow->overhead = KVM_WORLD_OVERHEAD + SWOLLEN;
    kvm_world_process(slow);
}

static bool is_measured_swollen(void *user)
{
    (void)user;
    return vm_of(0)->witness.summed >= 256 * MIB + KVM_WORLD_OVERHEAD + SWOLLEN &&
           kvm_world_account(&world, 0).charge == 256 * MIB;
}

/* The guest keeps what it says to have given, and has QEMU give as much of its own. */
static void cheat(struct fake_qmp *qmp)
{
    slow->overhead -= 256 * MIB - qmp->actual - qmp->pinned;
    qmp->pinned = 256 * MIB - qmp->actual;
    kvm_world_process(slow);
}

static void order_from_a_cheat(void)
{
    slow->qmp.changed = cheat;
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
}

static void test_shrinking_is_no_release(void **state)
{
    (void)state;
    open_world(2, false);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, kvm_guest_is_live, last);
    swell();
    kvm_world_until(&world, is_measured_swollen, NULL);
    order_from_a_cheat();
    kvm_world_until(&world, is_disputed, NULL);
    assert_in_range(kvm_world_account(&world, 0).charge, 240 * MIB, 256 * MIB);
    assert_null(kvm_world_find(&world, NULL, "vm0 to vm1 moved 64MiB"));
    kvm_world_close(&world);
}

static bool is_found_out(void *user)
{
    (void)user;
    return kvm_world_account(&world, 0).charge >= 240 * MIB &&
           kvm_world_info(&world, 0).overhead == KVM_WORLD_OVERHEAD;
}

/* It was swollen before it was met, and never measured otherwise: believed, until it is. */
static void test_swollen_when_it_is_met(void **state)
{
    (void)state;
    open_world(2, false);
    swell();
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, kvm_guest_is_live, last);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD + SWOLLEN);
    order_from_a_cheat();
    kvm_world_until(&world, is_found_out, NULL);
    kvm_world_close(&world);
}

/* --- what is not recognised --- */

static void keep(struct fake_qmp *qmp)
{
    qmp->pinned = 256 * MIB - qmp->actual;
    kvm_world_process(slow);
}

static bool is_to_be_stated(void)
{
    const char *reason = kvm_world_info(&world, 0).reason;

    return reason && strstr(reason, "state its overhead");
}

/* Base memory on two nodes; what its virtio-mem device has is mapped as large as all of that. */
static void test_one_mapping_is_not_two_backends(void **state)
{
    (void)state;
    open_world(2, false);
    slow->numa = true;
    slow->qmp.mem_max = 256 * MIB;
    kvm_world_process(slow);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, kvm_guest_is_live, last);
    assert_int_equal(kvm_world_info(&world, 0).overhead, 0);
    assert_true(is_to_be_stated());
    slow->qmp.changed = keep;
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, is_disputed, NULL);
    assert_null(kvm_world_find(&world, NULL, "vm0 to vm1 moved 64MiB"));
    kvm_world_close(&world);
}

/* It takes part, but what it gives is disputed: whoever asks is told why, and what to do. */
static void test_what_cannot_be_measured_is_to_be_stated(void **state)
{
    (void)state;
    open_world(1, false);
    slow->smaps = false; /* they may not be read */
    kvm_world_process(slow);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    assert_true(is_to_be_stated());
    vm_of(0)->overhead = KVM_WORLD_OVERHEAD;
    assert_false(is_to_be_stated());
    kvm_world_close(&world);
}

static bool has_landed(void *user)
{
    const struct kvm_vm *vm = user;

    return !vm->survey.flying;
}

/* Whether the next look, so many idle looks after the last survey, begins another. */
static bool begins_another(unsigned looks)
{
    struct kvm_vm *vm = vm_of(0);

    vm->surveyed_ms = kvm_now(vm) - (uint64_t)looks * world.kvm->options.idle_ms;
    assert_false(vmres__kvm_witness_waits(vm, KVM_SAYING_OBSERVED));
    return vm->survey.flying;
}

/* What could not be told is asked more and more rarely. */
static void test_what_tells_nothing_is_rare(void **state)
{
    (void)state;
    open_world(1, false);
    slow->smaps = false;
    kvm_world_process(slow);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, has_landed, vm_of(0));
    vm_of(0)->futile = 3;
    assert_false(begins_another(79));
    assert_true(begins_another(80));
    kvm_world_until(&world, has_landed, vm_of(0));
    assert_int_equal(vm_of(0)->futile, 4);
    vm_of(0)->backing.whole = false; /* nor is what would tell nothing begun at all */
    vm_of(0)->surveyed_ms = 0;
    assert_false(vmres__kvm_witness_waits(vm_of(0), KVM_SAYING_FINAL));
    assert_false(vm_of(0)->survey.flying);
    assert_true(is_to_be_stated());
    kvm_world_close(&world);
}

/* Nobody waits for the next one, either. */
static void test_the_final_waits_for_nothing(void **state)
{
    (void)state;
    open_world(2, false);
    slow->smaps = false;
    kvm_world_process(slow);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    kvm_world_until(&world, kvm_guest_is_live, last);
    world.kvm->options.command_ms = 60000;
    kvm_world_until(&world, has_landed, vm_of(0));
    make_slow(slow);
    assert_true(begins_another(1000));
    assert_false(vmres__kvm_witness_waits(vm_of(0), KVM_SAYING_FINAL));
    world.script.sizes[0] = 192 * MIB;
    world.script.sizes[1] = 256 * MIB;
    kvm_world_until(&world, is_disputed, NULL);
    assert_true(vm_of(0)->survey.flying);
    kvm_world_survey(slow, NULL);
    kvm_world_until(&world, has_landed, vm_of(0));
    kvm_world_close(&world);
}

/* --- a device plugged in meanwhile --- */

/* One guest, with room for more. */
static void open_roomy(void)
{
    kvm_world_init(&world, 1);
    world.resource.capacity = 1024 * MIB;
    slow = &world.guests[0];
    kvm_world_create(&world);
    kvm_world_add(&world, 0, 64, 512);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, slow);
}

static void plug_in(void)
{
    slow->qmp.mem_max = slow->qmp.mem_size = 128 * MIB;
    slow->qmp.mem_requested = slow->qmp.mem_online = 128 * MIB;
    kvm_world_process(slow);
}

static bool is_plugged_in(void *user)
{
    (void)user;
    return vm_of(0)->parts.count == 2 && kvm_world_info(&world, 0).held == 384 * MIB;
}

static bool is_measured_with_it(void *user)
{
    (void)user;
    return vm_of(0)->witness.mapped == 384 * MIB;
}

/* Measured when QEMU had not yet been asked: what the device has passed for QEMU's own. */
static void test_measured_without_a_device(void **state)
{
    (void)state;
    open_roomy();
    plug_in();
    assert_true(vmres__kvm_survey_begin(vm_of(0)));
    kvm_world_until(&world, has_landed, vm_of(0));
    kvm_world_until(&world, is_plugged_in, NULL);
    vmres__kvm_witness_look(vm_of(0));
    assert_in_range(vm_of(0)->witness.seen, 384 * MIB, 424 * MIB);
    kvm_world_until(&world, is_measured_with_it, NULL);
    kvm_world_close(&world);
}

/* It is still on its way when the device is learnt of. */
static void test_measuring_without_a_device(void **state)
{
    FILE *pipe;

    (void)state;
    open_roomy();
    make_slow(slow);
    assert_true(vmres__kvm_survey_begin(vm_of(0)));
    pipe = kvm_world_reader(slow);
    plug_in();
    kvm_world_until(&world, is_plugged_in, NULL);
    assert_true(vm_of(0)->survey.dropped);
    kvm_world_survey(slow, pipe);
    kvm_world_until(&world, is_measured_with_it, NULL);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD);
    kvm_world_close(&world);
}

/* --- many of them --- */

static bool two_fly(void *user)
{
    (void)user;
    return world.kvm->surveys == 2 && kvm_guest_is_live(&world.guests[3]);
}

static bool are_all_live(void *user)
{
    (void)user;
    for (unsigned i = 0; i < 4; i++)
        if (!kvm_guest_is_live(&world.guests[i]))
            return false;
    return true;
}

/* The pool of threads is the embedder's, too. */
static void test_two_at_once(void **state)
{
    (void)state;
    kvm_world_init(&world, 4);
    world.resource.capacity = 1024 * MIB;
    kvm_world_create(&world);
    kvm_world_add(&world, 3, 64, 256);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[3]);
    for (unsigned i = 0; i < 3; i++) {
        make_slow(&world.guests[i]);
        kvm_world_add(&world, i, 64, 256);
    }
    kvm_world_until(&world, two_fly, NULL);
    kvm_world_turn(&world, 100);
    assert_int_equal(world.kvm->surveys, 2);
    for (unsigned i = 0, done = 0; done < 3; i = (i + 1) % 3) {
        kvm_world_turn(&world, 1);
        if (!vm_of(i)->survey.flying || vm_of(i)->surveyed_ms != 0)
            continue;
        kvm_world_survey(&world.guests[i], NULL);
        kvm_world_until(&world, has_landed, vm_of(i));
        done++;
    }
    kvm_world_until(&world, are_all_live, NULL);
    kvm_world_close(&world);
}

/* --- let go of meanwhile --- */

static void test_removed_meanwhile(void **state)
{
    FILE *pipe;

    (void)state;
    open_world(2, true);
    kvm_world_start(&world);
    kvm_world_until(&world, is_being_measured, NULL);
    pipe = kvm_world_reader(slow); /* it is begun, and cannot be called off */
    EXPECT_OK(vmres_kvm_remove_vm(world.kvm, slow->name));
    kvm_world_until(&world, kvm_guest_is_gone, slow);
    kvm_world_turn(&world, 50);
    assert_int_equal(world.kvm->surveys, 1);
    kvm_world_survey(slow, pipe);
    kvm_world_close(&world);
}

static bool is_true(void *user)
{
    const bool *flag = user;

    return *flag;
}

static void note_closed(void *user)
{
    bool *closed = user;

    *closed = true;
}

static void test_closed_meanwhile(void **state)
{
    bool closed = false;
    FILE *pipe;

    (void)state;
    open_world(1, true);
    kvm_world_start(&world);
    kvm_world_until(&world, is_being_measured, NULL);
    pipe = kvm_world_reader(slow);
    vmres_uv_close(world.uv, NULL, NULL);
    vmres_driver_destroy(world.driver);
    vmres_kvm_close(world.kvm, note_closed, &closed);
    kvm_world_turn(&world, 50);
    assert_false(closed);
    kvm_world_survey(slow, pipe);
    kvm_world_until(&world, is_true, &closed);
    world.uv = NULL;
    world.driver = NULL;
    world.kvm = NULL;
    kvm_world_close(&world);
}

/* Another process has its place before the first was measured: that tells nothing of the second. */
static void test_replaced_meanwhile(void **state)
{
    FILE *pipe;

    (void)state;
    open_world(1, true);
    slow->overhead = 60 * MIB;
    kvm_world_start(&world);
    kvm_world_until(&world, is_being_measured, NULL);
    pipe = kvm_world_reader(slow);
    kvm_world_kill(&world, 0);
    kvm_world_until(&world, kvm_guest_is_gone, slow);
    slow->slow = false;
    kvm_world_revive(&world, 0);
    kvm_world_turn(&world, 50);
    assert_true(vm_of(0)->survey.dropped);
    kvm_world_survey(slow, pipe);
    slow->overhead = KVM_WORLD_OVERHEAD;
    kvm_world_process(slow);
    kvm_world_until(&world, kvm_guest_is_live, slow);
    assert_int_equal(kvm_world_info(&world, 0).overhead, KVM_WORLD_OVERHEAD);
    kvm_world_close(&world);
}

static bool is_refused(void *user)
{
    const char *reason = kvm_world_info(&world, 1).reason;

    (void)user;
    return reason && strstr(reason, "no room") && vm_of(1)->surveyed_ms != 0;
}

static bool is_another(void *started)
{
    const struct kvm_process *process = &vm_of(1)->process;

    return process->pid != 0 && process->started != *(const uint64_t *)started;
}

/* The driver has no room for it, and does not know it: nobody is told that it was replaced. */
static void test_replaced_while_nobody_knows_it(void **state)
{
    uint64_t before;

    (void)state;
    kvm_world_init(&world, 2);
    world.driver_options.engine.max_vms = 1;
    world.guests[1].overhead = 200 * MIB;
    kvm_world_process(&world.guests[1]);
    kvm_world_create(&world);
    kvm_world_add(&world, 0, 64, 256);
    kvm_world_start(&world);
    kvm_world_until(&world, kvm_guest_is_live, &world.guests[0]);
    kvm_world_add(&world, 1, 64, 256);
    kvm_world_until(&world, is_refused, NULL);
    assert_int_equal(vm_of(1)->witness.mapped, 256 * MIB);
    before = vm_of(1)->process.started;
    kvm_world_kill(&world, 1);
    world.guests[1].since += 100;
    make_slow(&world.guests[1]);
    kvm_world_revive(&world, 1);
    kvm_world_until(&world, is_another, &before);
    assert_int_equal(vm_of(1)->surveyed_ms, 0);
    assert_int_equal(vm_of(1)->witness.overhead, 0);
    assert_true(vm_of(1)->witness.mapped == KVM_UNKNOWN);
    kvm_world_survey(&world.guests[1], NULL);
    kvm_world_until(&world, has_landed, vm_of(1));
    kvm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_loop_goes_on),
        cmocka_unit_test(test_the_final_waits),
        cmocka_unit_test(test_the_final_does_not_wait_for_ever),
        cmocka_unit_test(test_a_pin_is_doubted_for_itself),
        cmocka_unit_test(test_shrinking_is_no_release),
        cmocka_unit_test(test_swollen_when_it_is_met),
        cmocka_unit_test(test_one_mapping_is_not_two_backends),
        cmocka_unit_test(test_what_cannot_be_measured_is_to_be_stated),
        cmocka_unit_test(test_what_tells_nothing_is_rare),
        cmocka_unit_test(test_the_final_waits_for_nothing),
        cmocka_unit_test(test_measured_without_a_device),
        cmocka_unit_test(test_measuring_without_a_device),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_removed_meanwhile),
        cmocka_unit_test(test_closed_meanwhile),
        cmocka_unit_test(test_replaced_meanwhile),
        cmocka_unit_test(test_replaced_while_nobody_knows_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
