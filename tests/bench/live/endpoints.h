/* SPDX-License-Identifier: MIT */
/*
 * Many QMP sockets in one process of its own, which answers as QEMU 7.2 does with a guest at rest.
 * Each socket takes several clients.
 */
#ifndef VMRES_BENCH_LIVE_ENDPOINTS_H
#define VMRES_BENCH_LIVE_ENDPOINTS_H

#include <stdint.h>
#include <sys/types.h>

#define ENDPOINT_BYTES ((uint64_t)256 << 20) /* each guest holds */
#define ENDPOINT_PATH 108

/* Starts it over the sockets DIRECTORY/0 .. count - 1, and returns when all of them listen. It ends
 * with us. 0: it could not be. */
pid_t endpoints_start(const char *directory, uint32_t count);
void endpoints_path(const char *directory, uint32_t index, char path[ENDPOINT_PATH]);

#endif
