/* SPDX-License-Identifier: MIT */
/* What kvm_demo was asked for on its command line. */
#ifndef KVM_DEMO_OPTIONS_H
#define KVM_DEMO_OPTIONS_H

#include <stdbool.h>

struct options {
    const char *directory, *svg, *csv;
    unsigned patience;
};

/* false: there is nothing to do, and *code is how to end; why was said. */
bool options_read(int count, char **arguments, struct options *options, int *code);

#endif
