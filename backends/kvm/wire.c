/* SPDX-License-Identifier: MIT */
/*
 * One connection to a socket of a VM's: bytes in, JSON objects up; commands down. It knows nothing
 * of what they mean. Invariant: after lost(), or a close, nothing more is handed up from the old
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

static struct kvm_wire *wire_of(const void *handle)
{
    return ((const uv_handle_t *)handle)->data;
}

static void handle_closed(uv_handle_t *handle)
{
    struct kvm_wire *wire = wire_of(handle);

    wire->state = KVM_WIRE_CLOSED;
    wire->closed(wire->vm);
}

void vmres__kvm_wire_close(struct kvm_wire *wire)
{
    if (wire->state != KVM_WIRE_CONNECTING && wire->state != KVM_WIRE_OPEN)
        return;
    wire->state = KVM_WIRE_CLOSING;
    uv_close((uv_handle_t *)&wire->pipe, handle_closed);
}

void vmres__kvm_wire_lose(struct kvm_wire *wire, const char *why)
{
    vmres__kvm_wire_close(wire);
    wire->lost(wire->vm, why);
}

static void refuse(struct kvm_wire *wire, const char *why)
{
    vmres__kvm_nonsense(wire->vm, why);
    vmres__kvm_wire_lose(wire, why);
}

/* Hands up every whole line there is. */
static void hand_up(struct kvm_wire *wire)
{
    enum kvm_lines_status status = KVM_LINES_MORE;
    struct kvm_text line;

    while (wire->state == KVM_WIRE_OPEN) {
        json_t *message;

        status = vmres__kvm_lines_take(&wire->lines, &line);
        if (status != KVM_LINES_ONE)
            break;
        message = vmres__kvm_json_parse(line);
        if (message)
            wire->message(wire->vm, message);
        else
            refuse(wire, "what its socket says makes no sense");
        json_decref(message);
    }
    if (status == KVM_LINES_TOO_LONG && wire->state == KVM_WIRE_OPEN)
        refuse(wire, "a message of its socket is too long");
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    size_t room = 0;

    (void)suggested;
    buffer->base = vmres__kvm_lines_room(&wire_of(handle)->lines, &room);
    buffer->len = room;
}

static void take_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct kvm_wire *wire = wire_of(stream);

    (void)buffer;
    if (length > 0) {
        vmres__kvm_lines_add(&wire->lines, (size_t)length);
        hand_up(wire);
    } else if (length == UV_ENOBUFS) {
        refuse(wire, "a message of its socket is too long");
    } else if (length < 0) {
        vmres__kvm_wire_lose(wire, "its socket was closed");
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
    struct kvm_wire *wire = request->data;

    if (status == UV_ECANCELED || wire->state != KVM_WIRE_CONNECTING)
        return; /* closed meanwhile */
    wire->deserted = status == UV_ECONNREFUSED || status == UV_ENOENT;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&wire->pipe, make_room, take_bytes);
    if (status != 0) {
        vmres__kvm_wire_lose(wire, why_not(status));
        return;
    }
    wire->state = KVM_WIRE_OPEN;
    wire->opened(wire->vm);
}

void vmres__kvm_wire_init(struct kvm_wire *wire, struct kvm_vm *vm, size_t most)
{
    wire->vm = vm;
    wire->lines = (struct kvm_lines){.heap = &vm->kvm->heap, .most = most};
}

void vmres__kvm_wire_open(struct kvm_wire *wire)
{
    uv_loop_t *loop = wire->vm->kvm->loop;

    if (wire->state != KVM_WIRE_CLOSED || uv_pipe_init(loop, &wire->pipe, 0) != 0)
        return;
    wire->pipe.data = wire;
    wire->connect.data = wire;
    vmres__kvm_lines_clear(&wire->lines);
    wire->state = KVM_WIRE_CONNECTING;
    uv_pipe_connect(&wire->connect, &wire->pipe, wire->path, connected);
}

/* Past libuv, whose writes raise SIGPIPE when the other side is gone: that would end an embedder
 * who does not ignore it, and it is not ours to ignore. */
static bool write_all(struct kvm_wire *wire, const char *bytes, size_t length)
{
    uv_os_fd_t fd;

    return wire->state == KVM_WIRE_OPEN && uv_fileno((const uv_handle_t *)&wire->pipe, &fd) == 0 &&
           send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

bool vmres__kvm_wire_send(struct kvm_wire *wire, json_t *message)
{
    char bytes[COMMAND_ROOM];
    size_t length = message ? json_dumpb(message, bytes, sizeof bytes - 1, JSON_COMPACT) : 0;
    bool sent = false;

    json_decref(message);
    if (length > 0 && length < sizeof bytes) {
        bytes[length] = '\n';
        sent = write_all(wire, bytes, length + 1);
    }
    if (!sent && wire->state == KVM_WIRE_OPEN)
        vmres__kvm_wire_lose(wire, "its socket takes no command");
    return sent;
}

int64_t vmres__kvm_wire_peer(const struct kvm_wire *wire)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    uv_os_fd_t fd;

    if (wire->state != KVM_WIRE_OPEN || uv_fileno((const uv_handle_t *)&wire->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return 0;
    return peer.pid;
}
