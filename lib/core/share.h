/* SPDX-License-Identifier: MIT */
/*
 * Dividing an amount among several in proportion, to the granule and with nothing left over.
 */
#ifndef VMRES_CORE_SHARE_H
#define VMRES_CORE_SHARE_H

#include <stdint.h>

/* amount * part / whole, for part <= whole. */
static inline uint64_t share_of(uint64_t amount, uint64_t part, uint64_t whole)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)amount * part / whole);
}

/*
 * One of several parts' portion of *left. *total is the sum of this part and all after it; the two
 * are brought down by what is handed out, so that going once through all parts leaves nothing of
 * *left. Needs *left <= *total; no portion exceeds its part.
 */
static inline uint32_t portion(uint64_t *left, uint64_t *total, uint32_t part)
{
    uint64_t others = *total - part;
    uint64_t piece = *total > 0 ? share_of(*left, part, *total) : 0;

    if (*left - piece > others) /* rounding: the others cannot take more than they are */
        piece = *left - others;
    *left -= piece;
    *total = others;
    return (uint32_t)piece;
}

#endif
