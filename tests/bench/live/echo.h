/* SPDX-License-Identifier: MIT */
/*
 * The least a collection can cost: one request to every endpoint, by epoll, and each reply parsed
 * with jansson. Nothing is done with what it says.
 */
#ifndef VMRES_BENCH_LIVE_ECHO_H
#define VMRES_BENCH_LIVE_ECHO_H

#include <stdint.h>

struct echo;

/* Connects to so many endpoints; NULL: it could not. */
struct echo *echo_open(const char *directory, uint32_t count);
/* One round. 0: a connection was lost, or a reply was nonsense. */
int echo_round(struct echo *echo);
void echo_close(struct echo *echo);

#endif
