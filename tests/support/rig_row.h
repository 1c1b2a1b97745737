/* SPDX-License-Identifier: MIT */
/*
 * A rig with a contiguous host: MEMORY lies in one block per VM. Guests keep their own note of
 * where their blocks are, made from the actions alone: none may ever be told a place that another
 * one holds.
 */
#ifndef VMRES_TESTS_RIG_ROW_H
#define VMRES_TESTS_RIG_ROW_H

#include "support/rig.h"

/* A contiguous host; one kind, the policy commands; started. */
struct rig *row_new(uint32_t capacity);
/* Adds a VM that ran before, in [front, front + size); expects this of its EXTENT. */
void row_adopt(struct rig *rig, uint32_t vm, uint32_t front, uint32_t size,
               enum vmres_status status);

/* Where the blocks lie by the engine's books, as "0:[0,100) 2:[150,200)". */
#define EXPECT_ROW(rig, row) row_expect(rig, row, __FILE__, __LINE__)
void row_expect(const struct rig *rig, const char *row, const char *file, int line);

/* A number below `below`; the same seed gives the same numbers. */
uint32_t row_random(uint32_t *seed, uint32_t below);

#endif
