/* SPDX-License-Identifier: MIT */
/*
 * The host's end of the agent's port. Bytes come from an agent in a guest, in portions. Each line
 * finds the host just after it asked with number 7, so that answers are taken, too; but
 *
 *     !g  it has asked for a hello      !u  and had it      !s  and then heard nothing for too long
 *     !t  a deadline has passed         !r  the guest begins a new life
 *
 * Whatever they say, the sample stays within what the VM holds, and nothing is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/heap.h"
#include "kvm/internal.h"

#define HELD (256 * VMRES_MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_bounds(const struct kvm_vm *vm)
{
    const struct kvm_sample *sample = &vm->sample;

    if (sample->used != KVM_UNKNOWN && (sample->used > sample->held || sample->held > HELD))
        abort();
    if (sample->stall > VMRES_STALL_ONE || (vm->dregs != KVM_UNKNOWN && vm->dregs > HELD / 8))
        abort();
}

static void hear(struct kvm_vm *vm, json_t *object)
{
    if (vm->agent.phase == KVM_AGENT_DOWN)
        vm->agent.phase = KVM_AGENT_UP; /* it was hung up on, and is there again */
    vm->agent.serial = vm->agent.in_flight = 7;
    vm->agent.unasked = 0;
    vm->agent.wire.message(vm, object);
    expect_bounds(vm);
}

static void act(struct kvm_vm *vm, char what)
{
    if (what == 'g' || what == 'u')
        vm->agent.phase = what == 'g' ? KVM_AGENT_GREETING : KVM_AGENT_UP;
    else if (what == 's')
        vm->agent.silent = true;
    else if (what == 'r')
        vmres__kvm_agent_renew(vm);
    if (what != 't' || vm->agent.phase == KVM_AGENT_DOWN)
        return;
    vm->agent.due_ms = 0;
    vmres__kvm_agent_tick(vm);
}

static void take_lines(struct kvm_vm *vm, struct kvm_lines *lines)
{
    struct kvm_text line;

    while (vmres__kvm_lines_take(lines, &line) == KVM_LINES_ONE) {
        json_t *object = NULL;

        if (line.length == 2 && line.bytes[0] == '!')
            act(vm, line.bytes[1]);
        else
            object = vmres__kvm_json_parse(line);
        if (object)
            hear(vm, object);
        json_decref(object);
    }
}

/* The first byte says how long the portions are. */
static void feed(struct kvm_vm *vm, const uint8_t *data, size_t size)
{
    struct kvm_lines *lines = &vm->agent.wire.lines;
    size_t most = size > 0 ? data[0] + 1u : 0, room;
    char *place;

    for (size_t at = 1; at < size && (place = vmres__kvm_lines_room(lines, &room)) != NULL;) {
        size_t portion = most < size - at ? most : size - at;

        portion = portion < room ? portion : room;
        memcpy(place, data + at, portion);
        vmres__kvm_lines_add(lines, portion);
        take_lines(vm, lines);
        at += portion;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap heap;
    struct vmres_kvm kvm = {.options = {.retry_ms = 1, .greeting_ms = 1}};
    struct kvm_vm vm = {.kvm = &kvm, .id = VMRES_VM_NONE, .dregs = KVM_UNKNOWN};
    uv_loop_t loop;

    heap_init(&heap);
    kvm.heap = heap.allocator;
    kvm.loop = &loop;
    if (uv_loop_init(&loop) != 0 || uv_timer_init(&loop, &vm.timer) != 0)
        abort();
    vmres__kvm_agent_init(&vm);
    vm.sample.used = KVM_UNKNOWN;
    vm.peak = HELD;
    vm.parts.rest = HELD;
    feed(&vm, data, size);
    vmres__kvm_lines_finish(&vm.agent.wire.lines);
    uv_close((uv_handle_t *)&vm.timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0)
        abort();
    heap_expect_empty(&heap);
    return 0;
}
