/* SPDX-License-Identifier: MIT */
/*
 * The port to the host. It may not be there yet; the host may not be there, and a virtio port says
 * so by a hangup for as long as that lasts, without ever being closed; of a terminal a hangup is
 * the end, and it is opened anew. One who left is looked for again at the next sample, not at once,
 * and what was meant for it is not kept. Nothing here blocks: what the port does not take waits in
 * `out`, and what has no place there is dropped. Invariant: what is open is a device; a file named
 * by mistake would be written over with answers to what stands in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

static int open_device(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat what;

    if (fd >= 0 && (fstat(fd, &what) != 0 || !S_ISCHR(what.st_mode))) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

void port_init(struct port *port, const char *path)
{
    memset(port, 0, sizeof *port);
    port->path = path;
    port->fd = -1;
}

void port_revive(struct port *port)
{
    port->away = false;
    if (port->fd >= 0)
        return;
    port->fd = open_device(port->path);
    port->terminal = port->fd >= 0 && isatty(port->fd);
}

static void shut(struct port *port)
{
    if (port->fd >= 0)
        (void)close(port->fd);
    port->fd = -1;
}

void port_leave(struct port *port)
{
    if (port->terminal)
        shut(port);
    port->away = true;
    port->in_length = 0;
    port->out_length = 0;
    port->skips = false;
}

/* The port itself is of no use any more: its device was taken out, or is being reset. */
static void give_up(struct port *port)
{
    shut(port);
    port_leave(port);
}

short port_events(const struct port *port)
{
    return port->out_length > 0 ? POLLIN | POLLOUT : POLLIN;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* Cuts the first line out of what has come. */
static enum port_line cut(struct port *port, char line[REQUEST_MOST], size_t *length)
{
    const char *end = memchr(port->in, '\n', port->in_length);
    size_t whole = end ? (size_t)(end - port->in) + 1 : port->in_length;
    bool skipped = port->skips;

    if (!end && port->in_length < sizeof port->in)
        return PORT_NOTHING;
    memcpy(line, port->in, whole);
    line[whole - 1] = '\0';
    *length = whole - 1;
    port->in_length -= whole;
    memmove(port->in, port->in + whole, port->in_length);
    port->skips = !end;
    if (skipped)
        return end ? PORT_TOO_LONG : PORT_NOTHING; /* once for each, when its end has come */
    return end ? PORT_LINE : PORT_NOTHING;
}

enum port_line port_read(struct port *port, char line[REQUEST_MOST], size_t *length)
{
    ssize_t got = 0;

    if (port->fd < 0)
        return PORT_GONE;
    if (!memchr(port->in, '\n', port->in_length)) {
        got = read(port->fd, port->in + port->in_length, sizeof port->in - port->in_length);
        if (got < 0 && is_passing(errno))
            return PORT_NOTHING;
        if (got == 0)
            port_leave(port);
        else if (got < 0)
            give_up(port);
        if (got <= 0)
            return PORT_GONE;
        port->in_length += (size_t)got;
    }
    return cut(port, line, length);
}

void port_flush(struct port *port)
{
    ssize_t put;

    if (port->fd < 0 || port->out_length == 0)
        return;
    put = write(port->fd, port->out, port->out_length);
    if (put < 0 && !is_passing(errno)) {
        give_up(port);
    } else if (put > 0) {
        port->out_length -= (size_t)put;
        memmove(port->out, port->out + put, port->out_length);
    }
}

void port_write(struct port *port, const char *line, size_t length)
{
    if (port->fd < 0 || port->away || length > sizeof port->out - port->out_length)
        return;
    memcpy(port->out + port->out_length, line, length);
    port->out_length += length;
    port_flush(port);
}
