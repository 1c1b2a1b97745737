/* SPDX-License-Identifier: MIT */
/*
 * The conversation with an agent in the guest (examples/agent/README.md), over a socket of its own:
 * a hello, then one inquiry at a time, and notices in between. It begins when QEMU talks and ends
 * when that does.
 *
 *     DOWN --connected--> GREETING --hello answered--> UP
 *      ^                     ^                          |
 *      |                     +--- silent for too long --+
 *      +---- closed, nonsense, or more than can be true ----- from either
 *
 * Invariants: an answer counts only if it carries the number in flight, and nothing counts before
 * the hello of this life was answered. Who does not answer in time is silent: then the balloon's
 * statistics serve, until it is heard again. Who says what is none of the protocol, or too much, is
 * hung up on, and for longer each time. What its words mean for memory is sample.c's to say.
 */
#include <string.h>

#include "internal.h"

#define VERSION 1 /* of the protocol; both the oldest and the newest that is spoken here */
#define LINE_MOST ((size_t)1024)
#define ANSWER_MS 100u /* an inquiry waits so long, then others are asked */
#define CALM_MS 10000u /* after so long without a fault, former ones are forgotten */
#define UNASKED_MS 1000u
#define UNASKED_MOST 16u /* lines in that time */
#define DOUBLINGS_MOST 6u

static uint64_t doubled(const struct kvm_agent *agent, uint32_t ms)
{
    return (uint64_t)ms << (agent->failures < DOUBLINGS_MOST ? agent->failures : DOUBLINGS_MOST);
}

static bool ask(struct kvm_vm *vm, json_t *request)
{
    struct kvm_agent *agent = &vm->agent;

    agent->in_flight = ++agent->serial;
    agent->asked_ms = kvm_now(vm);
    agent->asked_tick = vm->sight.tick;
    if (request &&
        json_object_set_new(request, "id", json_integer((json_int_t)agent->serial)) != 0) {
        json_decref(request);
        request = NULL;
    }
    return vmres__kvm_wire_send(&agent->wire, request);
}

static void greet(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    agent->phase = KVM_AGENT_GREETING;
    agent->reported = agent->silent = false;
    agent->marks[0].time_us = agent->marks[1].time_us = KVM_UNKNOWN;
    agent->due_ms = kvm_now(vm) + doubled(agent, vm->kvm->options.greeting_ms);
    (void)ask(vm,
              json_pack("{s:s, s:i, s:i}", "ask", "hello", "oldest", VERSION, "newest", VERSION));
}

static void opened(struct kvm_vm *vm)
{
    vm->agent.opened_ms = kvm_now(vm);
    vm->agent.unasked = 0;
    greet(vm);
    vmres__kvm_agenda_turn(vm);
}

static void lost(struct kvm_vm *vm, const char *why)
{
    struct kvm_agent *agent = &vm->agent;
    bool owed = agent->in_flight != 0 && agent->phase == KVM_AGENT_UP && !agent->silent;

    (void)why;
    agent->phase = KVM_AGENT_DOWN;
    agent->in_flight = 0;
    agent->due_ms = kvm_now(vm) + doubled(agent, vm->kvm->options.retry_ms);
    agent->failures++;
    if (owed)
        vmres__kvm_report_without(vm);
    vmres__kvm_agenda_turn(vm);
}

static void closed(struct kvm_vm *vm)
{
    vmres__kvm_lines_finish(&vm->agent.wire.lines);
    if (vm->leaving)
        vmres__kvm_release(vm);
    else
        vmres__kvm_agenda_turn(vm);
}

/* --- what it says --- */

static void hang_up(struct kvm_vm *vm, const char *why)
{
    vmres__kvm_nonsense(vm, why);
    vmres__kvm_wire_lose(&vm->agent.wire, why);
}

static void refuse(struct kvm_vm *vm)
{
    hang_up(vm, "its agent speaks another language");
}

static void take_hello(struct kvm_vm *vm, const json_t *object)
{
    struct kvm_agent *agent = &vm->agent;
    uint64_t version;

    if (agent->phase != KVM_AGENT_GREETING ||
        !vmres__kvm_json_amount(json_object_get(object, "v"), &version) || version != VERSION) {
        refuse(vm);
        return;
    }
    agent->phase = KVM_AGENT_UP;
    agent->in_flight = 0;
    agent->due_ms = KVM_NEVER;
}

static void take_report(struct kvm_vm *vm, const json_t *object)
{
    struct kvm_agent *agent = &vm->agent;

    if (agent->phase != KVM_AGENT_UP) {
        refuse(vm);
        return;
    }
    agent->in_flight = 0;
    agent->reported = true;
    agent->silent = false;
    agent->due_ms = KVM_NEVER;
    if (kvm_now(vm) - agent->opened_ms >= CALM_MS)
        agent->failures = 0;
    if (vmres__kvm_sample_report(vm, object))
        vmres__kvm_report_answer(vm);
    else
        vmres__kvm_report_without(vm);
}

/* It began anew and has to be greeted; or it is of another age, and will be asked again later. To
 * be asked for a hello in answer to one, or right after it, is nonsense: who heeded it would never
 * come to an end. */
static void take_error(struct kvm_vm *vm, const char *why)
{
    if (!vm->agent.reported || strcmp(why, "hello") != 0) {
        refuse(vm);
        return;
    }
    vmres__kvm_report_without(vm);
    greet(vm);
}

static void take_notice(struct kvm_vm *vm, const json_t *object)
{
    if (vm->agent.phase != KVM_AGENT_UP || !vmres__kvm_sample_notice(vm, object))
        return;
    vm->notices++;
    vmres__kvm_report_notice(vm);
}

static bool is_too_much(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    if (agent->unasked == 0 || kvm_now(vm) - agent->unasked_ms >= UNASKED_MS) {
        agent->unasked_ms = kvm_now(vm);
        agent->unasked = 0;
    }
    return ++agent->unasked > UNASKED_MOST;
}

/* What was not asked: a notice; or an answer to an older question, which says nothing. */
static void take_unasked(struct kvm_vm *vm, const json_t *object, const char *type)
{
    if (is_too_much(vm)) {
        hang_up(vm, "its agent says too much");
    } else if (strcmp(type, "notice") == 0) {
        take_notice(vm, object);
    }
}

static void message(struct kvm_vm *vm, json_t *object)
{
    const char *type = vmres__kvm_json_text(object, "type");
    uint64_t id = 0;

    (void)vmres__kvm_json_amount(json_object_get(object, "id"), &id);
    if (id == 0 || id != vm->agent.in_flight)
        take_unasked(vm, object, type);
    else if (strcmp(type, "hello") == 0)
        take_hello(vm, object);
    else if (strcmp(type, "report") == 0)
        take_report(vm, object);
    else
        take_error(vm, vmres__kvm_json_text(object, "why"));
    vmres__kvm_agenda_turn(vm);
}

/* --- what it is asked --- */

bool vmres__kvm_agent_ask(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    if (agent->phase != KVM_AGENT_UP || agent->silent)
        return false;
    if (agent->in_flight != 0)
        return true; /* the answer to the inquiry before does for this one, too */
    agent->due_ms = kvm_now(vm) + ANSWER_MS;
    return ask(vm, json_pack("{s:s}", "ask", "report"));
}

bool vmres__kvm_agent_is_awaited(const struct kvm_vm *vm)
{
    const struct kvm_agent *agent = &vm->agent;

    return agent->phase == KVM_AGENT_UP && !agent->silent && agent->in_flight != 0;
}

/* --- time --- */

void vmres__kvm_agent_init(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    vmres__kvm_wire_init(&agent->wire, vm, LINE_MOST);
    agent->wire.path = agent->path;
    agent->wire.opened = opened;
    agent->wire.message = message;
    agent->wire.lost = lost;
    agent->wire.closed = closed;
    agent->due_ms = KVM_NEVER;
}

void vmres__kvm_agent_begin(struct kvm_vm *vm)
{
    if (*vm->agent.path == '\0' || vm->agent.phase != KVM_AGENT_DOWN)
        return;
    vmres__kvm_wire_open(&vm->agent.wire);
    vm->agent.due_ms =
        kvm_now(vm) + (vm->agent.wire.state == KVM_WIRE_CONNECTING ? vm->kvm->options.greeting_ms
                                                                   : vm->kvm->options.retry_ms);
}

void vmres__kvm_agent_end(struct kvm_vm *vm)
{
    vmres__kvm_wire_close(&vm->agent.wire);
    vm->agent.phase = KVM_AGENT_DOWN;
    vm->agent.in_flight = 0;
    vm->agent.due_ms = KVM_NEVER;
}

void vmres__kvm_agent_renew(struct kvm_vm *vm)
{
    if (vm->agent.phase != KVM_AGENT_DOWN)
        greet(vm);
}

/* An answer is due: first it is only late, then the agent is no longer what it was. */
static void wait_longer(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    if (agent->silent) {
        greet(vm);
        return;
    }
    agent->silent = true;
    agent->due_ms = kvm_now(vm) + vm->kvm->options.greeting_ms;
    vm->timeouts++;
    vmres__kvm_report_without(vm);
}

void vmres__kvm_agent_tick(struct kvm_vm *vm)
{
    struct kvm_agent *agent = &vm->agent;

    if (kvm_now(vm) < agent->due_ms)
        return;
    if (agent->phase == KVM_AGENT_UP) {
        wait_longer(vm);
    } else if (agent->phase == KVM_AGENT_GREETING) {
        agent->failures++;
        greet(vm);
    } else if (agent->wire.state == KVM_WIRE_CONNECTING) {
        vmres__kvm_wire_lose(&agent->wire, "its agent's socket takes no connection");
    } else {
        vmres__kvm_agent_begin(vm);
    }
}
