/* SPDX-License-Identifier: MIT */
/*
 * Quantities as people write them, in both directions: "47.5GiB", "0.857GiB/s", "250ms", "12.5%",
 * "16000m". Configuration files, logs and tools all speak through these functions, so that one
 * spelling is accepted everywhere and what is printed can be read back.
 *
 * Reading: digits, at most one point with digits on both sides of it, then the unit, and nothing
 * else: no sign, no blank, no exponent. Case counts. The unit must be there, except after a bare
 * "0". Arithmetic is exact, in integers; what is below the result's unit is dropped (0.857GiB is
 * 920196743 bytes), and at most 18 digits may follow the point.
 *
 * Writing: the largest unit of which there is at least one, with up to three decimals, if that
 * reads back as the same number; else the largest unit that yields a whole number. So "1.5GiB",
 * "857MiB", "61s", and never a rounded figure. The locale plays no part.
 *
 * All are pure functions, and may be called from any thread. Those that read return
 *   VMRES_OK       the result is stored;
 *   VMRES_PARSE    the text has not this form;
 *   VMRES_INVALID  the number is too large for the result, or an argument is NULL.
 */
#ifndef VMRES_UNITS_H
#define VMRES_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include <vmres/api.h>
#include <vmres/status.h>

VMRES_BEGIN_DECLS

#define VMRES_KIB ((uint64_t)1 << 10)
#define VMRES_MIB ((uint64_t)1 << 20)
#define VMRES_GIB ((uint64_t)1 << 30)
#define VMRES_TIB ((uint64_t)1 << 40)

/* One whole, in the parts per million in which shares are counted: 12.5% is 125000. */
#define VMRES_PPM ((uint32_t)1000000)

/* A buffer of this size holds whatever a vmres_format function writes. */
#define VMRES_UNITS_ROOM 32

/* Reads a size in B, KiB, MiB, GiB or TiB into `*bytes`. KB, K, GB and the like are refused. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_parse_size(const char *text, uint64_t *bytes);

/* Reads a rate, a size followed by "/s", into `*bytes_per_second`. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_parse_rate(const char *text,
                                                            uint64_t *bytes_per_second);

/* Reads a time in ms, s, min or h into `*ms`. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_parse_time(const char *text, uint64_t *ms);

/* Reads a share in % into `*ppm`, parts per million. More than 100% is not refused here. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_parse_share(const char *text, uint32_t *ppm);

/* Reads an amount of CPU into `*millicpu`: "16000m", or in whole processors, "16" or "1.5". */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_parse_cpu(const char *text, uint64_t *millicpu);

/*
 * Each of these writes its number into `buffer`, which has room for `room` bytes, and returns
 * `buffer`, so that it can stand among the arguments of a printf. The text is cut to fit and always
 * ends with a NUL; VMRES_UNITS_ROOM bytes are enough. With NULL or without room it returns "".
 */
VMRES_API const char *vmres_format_size(char *buffer, size_t room, uint64_t bytes);
VMRES_API const char *vmres_format_rate(char *buffer, size_t room, uint64_t bytes_per_second);
VMRES_API const char *vmres_format_time(char *buffer, size_t room, uint64_t ms);
VMRES_API const char *vmres_format_share(char *buffer, size_t room, uint32_t ppm);
VMRES_API const char *vmres_format_cpu(char *buffer, size_t room, uint64_t millicpu);

VMRES_END_DECLS

#endif
