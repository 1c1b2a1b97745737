/* SPDX-License-Identifier: MIT */
/*
 * What a call came to.
 *
 * Every vmres function that can fail returns an enum vmres_status; 0 is success. There is no
 * global or thread-local "last error". Out-parameters are untouched when a call fails. A call that
 * touches the world outside the process (a file, a hypervisor) also takes a struct vmres_error,
 * owned by the caller, into which it writes one line that says what was wrong and what to do.
 *
 * Numbers are part of the binary interface: new ones are added at the end, none is ever reused.
 */
#ifndef VMRES_STATUS_H
#define VMRES_STATUS_H

#include <vmres/api.h>

VMRES_BEGIN_DECLS

/*
 * The one list of statuses: X(name, number, text).
 *
 * MORE is no failure: a step filled its outbox; take the actions out and call again.
 * NOROOM means that the host's capacity would be broken; LIMIT that a table, sized when the object
 * was created, is full. STALE speaks of an older incarnation of a VM, or of time running backwards.
 * CONTRACT means that a backend said what it must not say, and that this was refused.
 * BUG means that the caller broke a rule of the interface, or that vmres itself is wrong.
 */
#define VMRES_STATUS_LIST(X) \
    X(OK, 0, "ok") \
    X(MORE, 1, "there is more: take the actions and call again") \
    X(INVALID, 2, "an argument is not valid") \
    X(NOMEM, 3, "out of memory") \
    X(NOROOM, 4, "it would not fit into the capacity of the host") \
    X(UNKNOWN, 5, "no such thing is known") \
    X(EXISTS, 6, "it exists already") \
    X(STALE, 7, "it is out of date") \
    X(CONTRACT, 8, "the backend broke its contract") \
    X(LIMIT, 9, "a limit set at creation is reached") \
    X(STATE, 10, "not possible in this state") \
    X(UNSUPPORTED, 11, "not supported here") \
    X(IO, 12, "input or output failed") \
    X(BUSY, 13, "busy, try again later") \
    X(PARSE, 14, "the text could not be understood") \
    X(BUG, 15, "a rule of the interface was broken")

enum vmres_status {
#define VMRES_STATUS_ENUM_(name, number, text) VMRES_##name = number,
    VMRES_STATUS_LIST(VMRES_STATUS_ENUM_)
#undef VMRES_STATUS_ENUM_
};

/* Room for the one line of a struct vmres_error, its closing NUL included. */
#define VMRES_ERROR_ROOM 248

/*
 * What went wrong, in words. The caller owns it, on its stack as a rule, and need not initialise
 * it. It is written only when the call fails; where a function takes one, NULL is allowed and means
 * that the words are not wanted. `message` is one line without newline, in lower case, and is cut
 * at VMRES_ERROR_ROOM - 1 bytes: `host.yaml:14:7: reserve must be below memory (12GiB)`.
 */
struct vmres_error {
    enum vmres_status status;
    char message[VMRES_ERROR_ROOM];
};

/*
 * Says in a few lower-case words what a status means, such as "out of memory". Returns a constant,
 * never NULL; a number that is no status yields "unknown status". Any thread.
 */
VMRES_API const char *vmres_status_text(enum vmres_status status);

/*
 * Names a status as the source does, without prefix, such as "NOMEM". Returns a constant, never
 * NULL; a number that is no status yields "?". Any thread.
 */
VMRES_API const char *vmres_status_name(enum vmres_status status);

VMRES_END_DECLS

#endif
