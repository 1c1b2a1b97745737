/* SPDX-License-Identifier: MIT */
/*
 * The host's monotonic clock, for embedders whose loop has none of its own:
 *
 *     poll(descriptors, count, vmres_clock_wait(vmres_driver_deadline(driver)));
 *     vmres_driver_pump(driver, vmres_clock_ms());
 *
 * Nothing in vmres calls these: engine and driver take the time they are told. Any thread may.
 */
#ifndef VMRES_CLOCK_H
#define VMRES_CLOCK_H

#include <stdint.h>
#include <vmres/api.h>

VMRES_BEGIN_DECLS

/* Milliseconds since some moment before now; never goes backwards. */
VMRES_API uint64_t vmres_clock_ms(void);

/* How long from now until vmres_clock_ms() says deadline_ms, as poll(2) takes it: milliseconds, at
 * most INT_MAX; 0 when that has come; -1, for ever, for UINT64_MAX. */
VMRES_API int vmres_clock_wait(uint64_t deadline_ms);

VMRES_END_DECLS

#endif
