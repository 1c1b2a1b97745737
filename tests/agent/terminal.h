/* SPDX-License-Identifier: MIT */
/*
 * The agent as a program, at the other end of a pseudo terminal in the place of a virtio port. What
 * it opens is a link, so that the terminal behind it can be taken away and another one put there.
 */
#ifndef VMRES_TESTS_AGENT_TERMINAL_H
#define VMRES_TESTS_AGENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal {
    char directory[64];
    pid_t pid;
    int fd;   /* the host's end; -1: there is none */
    int kept; /* the guest's end, kept open so that it stays as it was set */
    char line[2048];
};

/* Says that there are no pseudo terminals here, where that is so: then nothing can be tested. */
bool terminal_missing(void);
/* Starts the program with a port, and `proc` for /proc where that is given. Whatever goes wrong
 * fails the running test. */
void terminal_start(struct terminal *terminal, const char *program, const char *proc);
void terminal_end(struct terminal *terminal);
/* The host goes away, or comes back. */
void terminal_hang_up(struct terminal *terminal);
void terminal_connect(struct terminal *terminal);
void terminal_say(struct terminal *terminal, const char *text);
/* The next line, without its end. */
const char *terminal_hear(struct terminal *terminal);
/* Says hello, and hears the answer. */
void terminal_greet(struct terminal *terminal);

#endif
