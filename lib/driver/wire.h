/* SPDX-License-Identifier: MIT */
/*
 * How numbers, events and actions look in a file: little-endian whatever the machine, and byte for
 * byte what events and actions are in the memory of a little-endian one.
 */
#ifndef VMRES_DRIVER_WIRE_H
#define VMRES_DRIVER_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/action.h>
#include <vmres/event.h>

#define VMRES__WIRE_EVENT 64u /* bytes of an event, and of an action */

/* Each puts or gets one number and returns what follows it. */
unsigned char *vmres__wire_put32(unsigned char *at, uint32_t value);
unsigned char *vmres__wire_put64(unsigned char *at, uint64_t value);
const unsigned char *vmres__wire_get32(const unsigned char *at, uint32_t *value);
const unsigned char *vmres__wire_get64(const unsigned char *at, uint64_t *value);

void vmres__wire_put_event(unsigned char bytes[VMRES__WIRE_EVENT], const struct vmres_event *event);
void vmres__wire_get_event(const unsigned char bytes[VMRES__WIRE_EVENT], struct vmres_event *event);
void vmres__wire_put_action(unsigned char bytes[VMRES__WIRE_EVENT],
                            const struct vmres_action *action);
void vmres__wire_get_action(const unsigned char bytes[VMRES__WIRE_EVENT],
                            struct vmres_action *action);

/* CRC-32 as in Ethernet and zip, of data after what has the sum `crc`; start with 0. */
uint32_t vmres__wire_crc(uint32_t crc, const void *data, size_t size);

#endif
