/* SPDX-License-Identifier: MIT */
/* The terminal is raw, and read with a patience that only a hung agent exhausts. */
#define _GNU_SOURCE /* posix_openpt, cfmakeraw, prctl */
#include "agent/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "support/check.h"

#define PATIENCE_MS 20000

static void path_of(const struct terminal *terminal, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", terminal->directory, name);
}

bool terminal_missing(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        return close(fd) != 0;
    (void)puts("agent: SKIPPED: there are no pseudo terminals here; mount /dev/pts");
    return true;
}

void terminal_connect(struct terminal *terminal)
{
    char port[128], fresh[128];
    struct termios raw;

    terminal->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal->fd >= 0);
    assert_int_equal(grantpt(terminal->fd), 0);
    assert_int_equal(unlockpt(terminal->fd), 0);
    terminal->kept = open(ptsname(terminal->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(tcgetattr(terminal->kept, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(terminal->kept, TCSANOW, &raw), 0);
    path_of(terminal, "port", port);
    path_of(terminal, "fresh", fresh);
    assert_int_equal(symlink(ptsname(terminal->fd), fresh), 0);
    assert_int_equal(rename(fresh, port), 0);
}

void terminal_hang_up(struct terminal *terminal)
{
    if (terminal->fd >= 0) {
        close(terminal->fd);
        close(terminal->kept);
    }
    terminal->fd = -1;
}

void terminal_start(struct terminal *terminal, const char *program, const char *proc)
{
    char port[128];

    memset(terminal, 0, sizeof *terminal);
    snprintf(terminal->directory, sizeof terminal->directory, "/tmp/vmres-test-XXXXXX");
    assert_non_null(mkdtemp(terminal->directory));
    terminal_connect(terminal);
    path_of(terminal, "port", port);
    terminal->pid = fork();
    assert_true(terminal->pid >= 0);
    if (terminal->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    if (proc)
        execl(program, program, "--port", port, "--period", "50", "--proc", proc, (char *)NULL);
    else
        execl(program, program, "--port", port, "--period", "50", (char *)NULL);
    _exit(1);
}

void terminal_end(struct terminal *terminal)
{
    char port[128];

    if (terminal->pid > 0) {
        kill(terminal->pid, SIGKILL);
        waitpid(terminal->pid, NULL, 0);
    }
    terminal_hang_up(terminal);
    path_of(terminal, "port", port);
    (void)unlink(port);
    (void)rmdir(terminal->directory);
    terminal->pid = 0;
}

void terminal_say(struct terminal *terminal, const char *text)
{
    size_t length = strlen(text);

    assert_int_equal(write(terminal->fd, text, length), (ssize_t)length);
}

/* Whether a whole line came in this time. */
static int hear(struct terminal *terminal, int patience_ms)
{
    size_t length = 0;

    for (;;) {
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};

        if (poll(&ready, 1, patience_ms) != 1 || !(ready.revents & POLLIN) ||
            read(terminal->fd, terminal->line + length, 1) != 1)
            return 0;
        if (terminal->line[length] == '\n') {
            terminal->line[length] = '\0';
            return 1;
        }
        assert_true(++length < sizeof terminal->line);
    }
}

const char *terminal_hear(struct terminal *terminal)
{
    if (!hear(terminal, PATIENCE_MS))
        fail_msg("the agent says nothing");
    return terminal->line;
}

void terminal_greet(struct terminal *terminal)
{
    terminal_say(terminal, "\n{\"ask\":\"hello\",\"id\":1,\"oldest\":1,\"newest\":1}\n");
    assert_non_null(strstr(terminal_hear(terminal), "\"type\":\"hello\",\"id\":1,"));
}
