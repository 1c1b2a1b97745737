/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend with one VM, whose QEMU says what a script says and nothing else, whatever it is
 * asked. No time passes in it, so the same script always comes to the same end. A line of it is
 * said as it is, its first "@" replaced by the number of the command that waits for a reply; but
 *
 *     !r !n !p     the driver asks for less, for more, for it to stay      !x  calls that off
 *     !i  inquires      !l  it is time to look again      !t  a deadline has passed
 *     !d  QEMU closes the connection                      !c  it is time to connect again
 *
 * It needs no test framework; what must not happen aborts.
 */
#ifndef VMRES_TESTS_QMP_SCRIPT_H
#define VMRES_TESTS_QMP_SCRIPT_H

#include "kvm/internal.h"

struct qmp_script {
    uv_loop_t loop;
    struct vmres_kvm *kvm;
    struct vmres_driver *driver;
    struct vmres_resource resource;
    char path[64];
    int listener, client; /* sockets; client -1: not connected */
    uint64_t last;        /* the id of the last command of the driver's */
};

/* heap NULL: libc. */
void qmp_script_open(struct qmp_script *script, const struct vmres_allocator *heap);
void qmp_script_play(struct qmp_script *script, const char *text, size_t length);
void qmp_script_close(struct qmp_script *script);
struct kvm_vm *qmp_script_vm(const struct qmp_script *script);

#endif
