/* SPDX-License-Identifier: MIT */
/*
 * Bytes become events, and an engine is told them: mostly plausible ones, answers to commands it
 * really sent among them, now and then 64 bytes as they come. After each step the books are
 * audited; no more is expected, for what these backends say of a host need not be true.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <vmres/vmres.h>

#include "fuzz/heap.h"

#define VMS 6u
#define RING 16u /* commands remembered, to be answered */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t left;
};

struct play {
    struct input input;
    struct heap heap;
    struct vmres_engine *engine;
    uint64_t now;
    uint32_t incarnations[VMS];
    struct vmres_action ring[RING];
    uint32_t sent;
};

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

static bool create(struct play *play)
{
    struct input *input = &play->input;
    struct vmres_engine_options options;
    struct vmres_resource resources[2];
    struct vmres_policy policies[2];
    uint8_t shape = take(input), tables = take(input);

    vmres_engine_options_init(&options);
    for (uint32_t k = 0; k < 2; k++) {
        resources[k] = (struct vmres_resource){.name = k ? "cpu" : "memory",
                                               .granule = 1 + take(input) % 8,
                                               .capacity = 64 + 8u * take(input),
                                               .reserve = take(input) % 32,
                                               .tolerance = take(input) % 4,
                                               .placement = shape >> (k + 1) & 1,
                                               .removal = shape >> (k + 3) & 1};
        /* All but "script", which needs a table. */
        policies[k] = (struct vmres_policy){
            vmres_policy_find((const char *[]){"static", "usage", "pressure"}[take(input) % 3]),
            NULL};
    }
    options.max_vms = VMS;
    options.kinds = 1 + (shape & 1);
    options.max_transfers = tables % 8;
    if (options.max_transfers > 0 && (resources[0].placement || resources[1].placement))
        options.max_transfers += 2 * VMS;
    options.max_actions = tables / 8 % 4;
    options.dry_run = tables >> 7;
    options.resources = resources;
    options.policies = policies;
    options.allocator = &play->heap.allocator;
    return vmres_engine_create(&options, &play->engine, NULL) == VMRES_OK;
}

static void keep(struct play *play, const struct vmres_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++)
        play->ring[play->sent++ % RING] = actions->items[i];
}

static void step(struct play *play, const struct vmres_event *event)
{
    struct vmres_actions actions;
    struct vmres_error error;
    enum vmres_status status = vmres_engine_step(play->engine, event, &actions);

    keep(play, &actions);
    while (status == VMRES_MORE) {
        status = vmres_engine_step(play->engine, NULL, &actions);
        keep(play, &actions);
    }
    if (vmres_engine_audit(play->engine, &error) != VMRES_OK) {
        fprintf(stderr, "audit: %s\n", error.message);
        abort();
    }
}

static uint64_t amount(struct input *input)
{
    uint8_t coarse = take(input);

    if (coarse == 255)
        return UINT64_MAX - take(input);
    return coarse < 128 ? coarse : 8u * coarse;
}

/* An answer to a command that was sent, right or wrong. */
static struct vmres_event answer(struct play *play)
{
    struct input *input = &play->input;
    uint8_t which = take(input), how = take(input);
    const struct vmres_action *action = &play->ring[which % RING];
    struct vmres_event event =
        vmres_event_answer(action, play->now, (enum vmres_result)(how >> 1 & 7));

    if (which >= 240)
        event.type = which;
    event.flags = how & 1;
    event.valid = (how & 16 ? VMRES_VALID_HELD : 0) | (how & 32 ? VMRES_VALID_WITNESS : 0) |
                  (how & 64 ? VMRES_VALID_ENFORCED : 0);
    event.as.answer.amount = how & 128 ? amount(input) : action->as.resize.amount;
    event.as.answer.held = action->as.resize.target + (how & 128 ? take(input) : 0);
    event.as.answer.witness = action->as.resize.target + (how & 128 ? take(input) : 0);
    return event;
}

/* Any event of a type, with words of any size. */
static struct vmres_event word(struct play *play, uint8_t type)
{
    struct input *input = &play->input;
    uint8_t who = take(input);
    uint32_t vm = who % (VMS + 1);
    struct vmres_event event = vmres_event_make((enum vmres_event_type)type, play->now, vm,
                                                vm < VMS ? play->incarnations[vm] : 1);

    event.kind = who / 16 % 2;
    if (type == VMRES_EVENT_VM_ADDED || who >= 248)
        event.incarnation++;
    event.flags = take(input);
    event.valid = take(input) | (uint16_t)((who / 32 & 1) << 8);
    event.result = (uint16_t)(take(input) * 64u);
    if (type == VMRES_EVENT_DRY_RUN)
        event.result = event.result >> 6 & 1;
    event.id = play->ring[take(input) % RING].id;
    for (uint32_t i = 0; i < 3; i++)
        event.as.words[i] = amount(input);
    if (type == VMRES_EVENT_VM_LIMITS) {
        event.as.limits.weight = take(input);
        event.as.limits.participation = 3 - take(input) % 4;
    }
    return event;
}

static void play_one(struct play *play)
{
    struct input *input = &play->input;
    uint8_t what = take(input);
    struct vmres_event event;
    struct vmres_vm_info info;

    play->now += what / 64 * 100u;
    what %= 64;
    if (what < 24) {
        event = answer(play);
    } else if (what < 60) {
        event = word(play, what - 23);
    } else if (what < 63 || input->left < sizeof event) {
        play->now = vmres_engine_deadline(play->engine) == UINT64_MAX
                        ? play->now
                        : vmres_engine_deadline(play->engine);
        event = vmres_event_make(VMRES_EVENT_TIMEOUT, play->now, 0, 0);
    } else {
        memcpy(&event, input->data, sizeof event);
        input->data += sizeof event;
        input->left -= sizeof event;
        event.time_ms = play->now; /* who posts an event has no say in its time */
    }
    step(play, &event);
    for (uint32_t vm = 0; vm < VMS; vm++)
        if (vmres_engine_vm(play->engine, vm, &info) == VMRES_OK)
            play->incarnations[vm] = info.incarnation;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play play = {.input = {data, size}};

    heap_init(&play.heap);
    if (create(&play)) {
        while (play.input.left > 0)
            play_one(&play);
        vmres_engine_destroy(play.engine);
    }
    heap_expect_empty(&play.heap);
    return 0;
}
