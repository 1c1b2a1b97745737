/* SPDX-License-Identifier: MIT */
/*
 * One connection to one QMP socket: bytes in, JSON objects up; commands down. It knows nothing of
 * what they mean. Invariant: after lost(), or a close, nothing more is handed up from the old
 * connection; a new one can be opened once closed() was called.
 *
 * There is at most one short command in flight, so a socket that does not take all of it at once is
 * taken for broken: no write is ever left waiting.
 */
#define _GNU_SOURCE /* struct ucred */
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

#define COMMAND_ROOM 1024

static struct kvm_vm *vm_of(const void *handle)
{
    return ((const uv_handle_t *)handle)->data;
}

static void handle_closed(uv_handle_t *handle)
{
    struct kvm_vm *vm = vm_of(handle);

    vm->wire.state = KVM_WIRE_CLOSED;
    vm->wire.closed(vm);
}

void vmres__kvm_wire_close(struct kvm_vm *vm)
{
    if (vm->wire.state != KVM_WIRE_CONNECTING && vm->wire.state != KVM_WIRE_OPEN)
        return;
    vm->wire.state = KVM_WIRE_CLOSING;
    uv_close((uv_handle_t *)&vm->wire.pipe, handle_closed);
}

static void lose(struct kvm_vm *vm, const char *why)
{
    vmres__kvm_wire_close(vm);
    vm->wire.lost(vm, why);
}

/* Hands up every whole line there is. */
static void hand_up(struct kvm_vm *vm)
{
    struct kvm_wire *wire = &vm->wire;
    enum kvm_lines_status status = KVM_LINES_MORE;
    struct kvm_text line;

    while (wire->state == KVM_WIRE_OPEN) {
        json_t *message;

        status = vmres__kvm_lines_take(&wire->lines, &line);
        if (status != KVM_LINES_ONE)
            break;
        message = vmres__kvm_json_parse(line);
        if (message)
            wire->message(vm, message);
        else
            vm->rejected++;
        if (!message && wire->state == KVM_WIRE_OPEN)
            lose(vm, "what its socket says is no QMP");
        json_decref(message);
    }
    if (status == KVM_LINES_TOO_LONG && wire->state == KVM_WIRE_OPEN) {
        vm->rejected++;
        lose(vm, "a message of its socket is too long");
    }
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct kvm_vm *vm = vm_of(handle);
    size_t room = 0;

    (void)suggested;
    buffer->base = vmres__kvm_lines_room(&vm->wire.lines, &room);
    buffer->len = room;
}

static void take_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct kvm_vm *vm = vm_of(stream);

    (void)buffer;
    if (length > 0) {
        vmres__kvm_lines_add(&vm->wire.lines, (size_t)length);
        hand_up(vm);
    } else if (length == UV_ENOBUFS) {
        vm->rejected++;
        lose(vm, "a message of its socket is too long");
    } else if (length < 0) {
        lose(vm, "its socket was closed");
    }
}

static const char *why_not(int status)
{
    switch (status) {
    case UV_ECONNREFUSED:
    case UV_ENOENT:
        return "nobody listens at its socket";
    case UV_EACCES:
    case UV_EPERM:
        return "its socket may not be opened by this user";
    default:
        return "its socket takes no connection: QEMU is stopped, or clients queue for it";
    }
}

static void connected(uv_connect_t *request, int status)
{
    struct kvm_vm *vm = request->data;

    if (status == UV_ECANCELED || vm->wire.state != KVM_WIRE_CONNECTING)
        return; /* closed meanwhile */
    vm->wire.deserted = status == UV_ECONNREFUSED || status == UV_ENOENT;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&vm->wire.pipe, make_room, take_bytes);
    if (status != 0) {
        lose(vm, why_not(status));
        return;
    }
    vm->wire.state = KVM_WIRE_OPEN;
    vm->wire.opened(vm);
}

void vmres__kvm_wire_open(struct kvm_vm *vm)
{
    struct kvm_wire *wire = &vm->wire;

    if (wire->state != KVM_WIRE_CLOSED || uv_pipe_init(vm->kvm->loop, &wire->pipe, 0) != 0)
        return;
    wire->pipe.data = vm;
    wire->connect.data = vm;
    vmres__kvm_lines_clear(&wire->lines);
    wire->state = KVM_WIRE_CONNECTING;
    uv_pipe_connect(&wire->connect, &wire->pipe, vm->socket, connected);
}

/* Past libuv, whose writes raise SIGPIPE when the other side is gone: that would end an embedder
 * who does not ignore it, and it is not ours to ignore. */
static bool write_all(struct kvm_vm *vm, const char *bytes, size_t length)
{
    uv_os_fd_t fd;

    return vm->wire.state == KVM_WIRE_OPEN &&
           uv_fileno((const uv_handle_t *)&vm->wire.pipe, &fd) == 0 &&
           send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

bool vmres__kvm_wire_send(struct kvm_vm *vm, json_t *message)
{
    char bytes[COMMAND_ROOM];
    size_t length = message ? json_dumpb(message, bytes, sizeof bytes - 1, JSON_COMPACT) : 0;
    bool sent = false;

    json_decref(message);
    if (length > 0 && length < sizeof bytes) {
        bytes[length] = '\n';
        sent = write_all(vm, bytes, length + 1);
    }
    if (!sent && vm->wire.state == KVM_WIRE_OPEN)
        lose(vm, "its socket takes no command");
    return sent;
}

int64_t vmres__kvm_wire_peer(const struct kvm_vm *vm)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    uv_os_fd_t fd;

    if (vm->wire.state != KVM_WIRE_OPEN ||
        uv_fileno((const uv_handle_t *)&vm->wire.pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return 0;
    return peer.pid;
}
