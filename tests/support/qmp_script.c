/* SPDX-License-Identifier: MIT */
/* Everything is real but the other side of the socket, and the clock, which stands still. */
#define _GNU_SOURCE /* accept4 */
#include "support/qmp_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vmres/query.h>

#define TURNS 3
#define LINE_ROOM 16384

struct kvm_vm *qmp_script_vm(const struct qmp_script *script)
{
    return script->kvm->vms;
}

static void expect(bool truth)
{
    if (!truth)
        abort();
}

/* --- what must hold, whatever was said --- */

static void check(const struct qmp_script *script)
{
    const struct kvm_vm *vm = qmp_script_vm(script);
    uint64_t most = vm->parts.rest;

    for (uint32_t i = 0; i < vm->parts.count; i++) {
        expect(vm->parts.parts[i].now <= vm->parts.parts[i].most);
        most += vm->parts.parts[i].most;
    }
    expect(vmres__kvm_part_held(&vm->parts) <= most);
    for (int direction = KVM_SHRINK; direction <= KVM_GROW; direction++)
        expect(vm->commands[direction].id == 0 ||
               vm->commands[direction].amount <= vm->commands[direction].asked);
    expect(vmres_engine_audit(vmres_driver_engine(script->driver), NULL) == VMRES_OK);
}

/* --- the other side --- */

static void drop(struct qmp_script *script)
{
    if (script->client >= 0)
        (void)close(script->client);
    script->client = -1;
}

static void turn(struct qmp_script *script)
{
    char commands[4096];

    for (int i = 0; i < TURNS; i++) {
        (void)uv_run(&script->loop, UV_RUN_NOWAIT);
        if (script->client < 0)
            script->client = accept4(script->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        while (script->client >= 0 && read(script->client, commands, sizeof commands) > 0)
            continue;
        vmres_driver_pump(script->driver, 1);
    }
    check(script);
}

static void say(struct qmp_script *script, const char *line, size_t length)
{
    const char *at = memchr(line, '@', length);
    size_t before = at ? (size_t)(at - line) : length;
    char text[LINE_ROOM];
    int used;

    if (script->client < 0 || length > LINE_ROOM / 2)
        return;
    memcpy(text, line, before);
    used = (int)before;
    if (at) {
        used += snprintf(text + used, 32, "%" PRIu64, qmp_script_vm(script)->talk.in_flight);
        memcpy(text + used, at + 1, length - before - 1);
        used += (int)(length - before - 1);
    }
    text[used++] = '\n';
    (void)send(script->client, text, (size_t)used, MSG_NOSIGNAL);
}

/* --- this side --- */

static void submit(struct qmp_script *script, uint8_t type)
{
    const struct kvm_vm *vm = qmp_script_vm(script);
    uint64_t held = vmres__kvm_part_held(&vm->parts);
    struct vmres_action action = {
        .id = ++script->last, .type = type, .vm = vm->id, .incarnation = vm->incarnation};

    action.as.resize.amount = held / 2;
    action.as.resize.target = type == VMRES_ACTION_NOTIFY ? held + held / 2 : held / 2;
    (void)script->kvm->backend.ops->submit(&script->kvm->backend, &action);
}

static void act(struct qmp_script *script, char what)
{
    struct kvm_vm *vm = qmp_script_vm(script);

    if (what == 'r')
        submit(script, VMRES_ACTION_REQUEST_REMOVAL);
    else if (what == 'n')
        submit(script, VMRES_ACTION_NOTIFY);
    else if (what == 'p')
        submit(script, VMRES_ACTION_PIN);
    else if (what == 'i')
        submit(script, VMRES_ACTION_INQUIRE);
    else if (what == 'x')
        script->kvm->backend.ops->cancel(&script->kvm->backend, script->last);
    else if (what == 'd')
        drop(script);
    else if (what == 'l')
        vm->look_ms = 0;
    else if (what == 't')
        vm->talk.deadline_ms = 0;
    else if (what == 'c')
        vm->talk.retry_ms = 0;
    if (strchr("ltc", what))
        vmres__kvm_agenda_wake(&vm->timer);
}

void qmp_script_play(struct qmp_script *script, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;

        if (line >= 2 && text[0] == '!' && text[1] != '\0')
            act(script, text[1]);
        else
            say(script, text, line);
        turn(script);
        text += end ? line + 1 : line;
        length -= end ? line + 1 : line;
    }
}

/* --- the world --- */

static void listen_at(struct qmp_script *script)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(script->path, sizeof script->path, "/tmp/vmres-fuzz-%d", (int)getpid());
    (void)unlink(script->path);
    memcpy(address.sun_path, script->path, sizeof script->path);
    script->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    expect(script->listener >= 0);
    expect(bind(script->listener, (struct sockaddr *)&address, sizeof address) == 0);
    expect(listen(script->listener, 1) == 0);
    script->client = -1;
}

void qmp_script_open(struct qmp_script *script, const struct vmres_allocator *heap)
{
    const struct vmres_policy policy = {.ops = vmres_policy_find("static")};
    struct vmres_kvm_vm_spec spec = {
        .name = "vm0", .limits = {.ceiling = VMRES_GIB, .participation = VMRES_PARTICIPATE_BOTH}};
    struct vmres_driver_options driver;
    struct vmres_kvm_options kvm;

    *script = (struct qmp_script){.resource = {.name = "memory",
                                               .removal = VMRES_REMOVAL_GUEST,
                                               .granule = 2 * VMRES_MIB,
                                               .capacity = VMRES_GIB}};
    listen_at(script);
    expect(uv_loop_init(&script->loop) == 0);
    vmres_kvm_options_init(&kvm);
    kvm.max_vms = 1;
    kvm.proc = "/nowhere";
    kvm.allocator = heap;
    spec.socket = script->path;
    expect(vmres_kvm_create(&script->loop, &kvm, &script->kvm, NULL) == VMRES_OK);
    expect(vmres_kvm_add_vm(script->kvm, &spec, NULL) == VMRES_OK);
    vmres_driver_options_init(&driver);
    driver.backend = vmres_kvm_backend(script->kvm);
    driver.engine.max_vms = 1;
    driver.engine.kinds = 1;
    driver.engine.resources = &script->resource;
    driver.engine.policies = &policy;
    driver.engine.allocator = heap;
    expect(vmres_driver_create(&driver, &script->driver, NULL) == VMRES_OK);
    expect(vmres_driver_start(script->driver, 1, NULL) == VMRES_OK);
    turn(script);
}

void qmp_script_close(struct qmp_script *script)
{
    vmres_driver_destroy(script->driver);
    vmres_kvm_close(script->kvm, NULL, NULL);
    expect(uv_run(&script->loop, UV_RUN_DEFAULT) == 0);
    expect(uv_loop_close(&script->loop) == 0);
    drop(script);
    (void)close(script->listener);
    (void)unlink(script->path);
}
