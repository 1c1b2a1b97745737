/* SPDX-License-Identifier: MIT */
/*
 * A conversation in QMP: the greeting, capabilities, then one command at a time, each with its own
 * number.
 *
 *     DOWN --connected--> GREETING --greeted--> NEGOTIATING --agreed--> UP
 *      ^                                                                 |
 *      +------ closed by the other side, no greeting, or nonsense -------+
 *
 * Invariant: a reply counts only if it carries the number in flight; a command whose deadline has
 * passed stays in flight, and nothing more is asked: the other side is stopped or hung, its reply
 * will come when it goes on, and is then taken for what it is, something seen late. Events are
 * hints: whatever one says is read back before it is believed. Who is soon lost again is tried
 * later each time, agreed or not.
 */
#include <string.h>

#include "internal.h"

#define RETRY_DOUBLINGS 6u
#define CALM_MS 10000u /* after so long a conversation, former failures are forgotten */

static uint64_t retry_after(const struct kvm_vm *vm)
{
    uint32_t doublings = vm->talk.failures < RETRY_DOUBLINGS ? vm->talk.failures : RETRY_DOUBLINGS;

    return (uint64_t)vm->kvm->options.retry_ms << doublings;
}

static void fall(struct kvm_vm *vm, const char *why)
{
    struct kvm_talk *talk = &vm->talk;

    if (talk->phase == KVM_TALK_UP && kvm_now(vm) - talk->agreed_ms >= CALM_MS)
        talk->failures = 0;
    talk->phase = KVM_TALK_DOWN;
    talk->in_flight = 0;
    talk->busy = false;
    talk->why = why;
    talk->retry_ms = kvm_now(vm) + retry_after(vm);
    talk->failures++;
    vmres__kvm_agent_end(vm);
}

static void lost(struct kvm_vm *vm, const char *why)
{
    if (vm->talk.phase == KVM_TALK_UP)
        vm->lost++;
    fall(vm, why);
    vmres__kvm_life_tried(vm);
    vmres__kvm_agenda_turn(vm);
}

/* The connection is of no use: closed from our side. */
static void give_up(struct kvm_vm *vm, const char *why)
{
    vmres__kvm_wire_close(&vm->wire);
    lost(vm, why);
}

static void opened(struct kvm_vm *vm)
{
    vm->talk.phase = KVM_TALK_GREETING;
    vmres__kvm_life_met(vm);
}

static bool send_command(struct kvm_vm *vm, json_t *command)
{
    struct kvm_talk *talk = &vm->talk;

    talk->in_flight = ++talk->serial;
    talk->deadline_ms = kvm_now(vm) + vm->kvm->options.command_ms;
    if (command &&
        json_object_set_new(command, "id", json_integer((json_int_t)talk->serial)) != 0) {
        json_decref(command);
        command = NULL;
    }
    return vmres__kvm_wire_send(&vm->wire, command);
}

void vmres__kvm_talk_ask(struct kvm_vm *vm, enum kvm_question question, uint32_t part,
                         json_t *command)
{
    vm->talk.question = question;
    vm->talk.part = part;
    (void)send_command(vm, command); /* on failure lost() has been called */
}

static void greeted(struct kvm_vm *vm)
{
    vm->talk.phase = KVM_TALK_NEGOTIATING;
    (void)send_command(vm, json_pack("{s:s}", "execute", "qmp_capabilities"));
}

static void agreed(struct kvm_vm *vm, struct kvm_reply reply)
{
    if (!reply.value) {
        give_up(vm, "its QMP wants another capability than we have");
        return;
    }
    vm->talk.phase = KVM_TALK_UP;
    vm->talk.agreed_ms = kvm_now(vm);
    vm->talk.why = NULL;
    vm->connections++;
    vmres__kvm_life_greeted(vm);
}

static bool is_awaited(const struct kvm_talk *talk, const json_t *message)
{
    uint64_t id;

    return vmres__kvm_json_amount(json_object_get(message, "id"), &id) && id == talk->in_flight &&
           id != 0;
}

/* A reply to nothing that was asked, or was asked over an older connection, says nothing. */
static void take_reply(struct kvm_vm *vm, const json_t *message, const json_t *error)
{
    struct kvm_talk *talk = &vm->talk;
    struct kvm_reply reply = {.value = error ? NULL : json_object_get(message, "return"),
                              .error = error ? vmres__kvm_json_text(error, "class") : NULL};
    bool was_busy = talk->busy;

    if (!is_awaited(talk, message)) {
        vmres__kvm_nonsense(vm, "its socket answers what was not asked");
        return;
    }
    talk->in_flight = 0;
    talk->busy = false;
    if (was_busy)
        vmres__kvm_standing_tell(vm);
    if (talk->phase == KVM_TALK_NEGOTIATING)
        agreed(vm, reply);
    else
        vmres__kvm_agenda_take(vm, talk->question, talk->part, reply);
}

static const char no_sense[] = "what its socket says makes no sense";

static void reject(struct kvm_vm *vm)
{
    vmres__kvm_nonsense(vm, no_sense);
    give_up(vm, no_sense);
}

static void message(struct kvm_vm *vm, json_t *object)
{
    const char *event = vmres__kvm_json_text(object, "event");
    const json_t *error = json_object_get(object, "error");

    if (vm->talk.phase == KVM_TALK_GREETING) {
        if (json_object_get(object, "QMP"))
            greeted(vm);
        else
            reject(vm);
        return;
    }
    if (*event != '\0' && vm->talk.phase == KVM_TALK_UP)
        vmres__kvm_life_event(vm, event, json_object_get(object, "data"));
    else if (error || json_object_get(object, "return"))
        take_reply(vm, object, error);
    else if (*event == '\0')
        vmres__kvm_nonsense(vm, no_sense);
    vmres__kvm_agenda_turn(vm);
}

static void closed(struct kvm_vm *vm)
{
    vmres__kvm_lines_finish(&vm->wire.lines);
    if (vm->leaving)
        vmres__kvm_release(vm);
    else
        vmres__kvm_agenda_turn(vm);
}

void vmres__kvm_talk_init(struct kvm_vm *vm)
{
    vmres__kvm_wire_init(&vm->wire, vm, KVM_LINE_MAX);
    vm->wire.path = vm->socket;
    vm->wire.opened = opened;
    vm->wire.message = message;
    vm->wire.lost = lost;
    vm->wire.closed = closed;
    vm->talk.why = "it has not been looked for yet";
}

void vmres__kvm_talk_begin(struct kvm_vm *vm)
{
    vm->talk.deadline_ms = kvm_now(vm) + vm->kvm->options.greeting_ms;
    vmres__kvm_wire_open(&vm->wire);
}

void vmres__kvm_talk_end(struct kvm_vm *vm)
{
    vmres__kvm_wire_close(&vm->wire);
    vm->talk.phase = KVM_TALK_DOWN;
    vm->talk.in_flight = 0;
    vm->talk.busy = false;
    vm->talk.failures = 0;
    vm->talk.retry_ms = 0;
    vmres__kvm_agent_end(vm);
}

void vmres__kvm_talk_tick(struct kvm_vm *vm)
{
    struct kvm_talk *talk = &vm->talk;
    uint64_t now = kvm_now(vm);

    if (talk->phase == KVM_TALK_DOWN) {
        if (vm->wire.state == KVM_WIRE_CONNECTING && now >= talk->deadline_ms)
            give_up(vm, "its socket takes no connection: QEMU is stopped, or clients queue for it");
        else if (vm->wire.state == KVM_WIRE_CLOSED && now >= talk->retry_ms)
            vmres__kvm_talk_begin(vm);
    } else if (talk->phase == KVM_TALK_GREETING && now >= talk->deadline_ms) {
        give_up(vm, "its socket is busy: another client holds it; give us one of our own");
    } else if (talk->in_flight != 0 && !talk->busy && now >= talk->deadline_ms) {
        talk->busy = true;
        vm->timeouts++;
        vmres__kvm_report_answer(vm);
        vmres__kvm_standing_tell(vm);
    }
}

uint64_t vmres__kvm_talk_due(const struct kvm_vm *vm)
{
    const struct kvm_talk *talk = &vm->talk;

    if (talk->phase == KVM_TALK_DOWN) {
        if (vm->wire.state == KVM_WIRE_CONNECTING)
            return talk->deadline_ms;
        return vm->wire.state == KVM_WIRE_CLOSED ? talk->retry_ms : KVM_NEVER;
    }
    if (talk->phase == KVM_TALK_GREETING)
        return talk->deadline_ms;
    return talk->in_flight != 0 && !talk->busy ? talk->deadline_ms : KVM_NEVER;
}
