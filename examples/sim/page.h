/* SPDX-License-Identifier: MIT */
/*
 * The page of a run: one file for a browser, which needs nothing else. Charts and figures are drawn
 * here and can be seen without its script; page.js shows transfers and log from the data at the
 * end, and marks a moment in all charts. It is well-formed XML, too.
 */
#ifndef VMRES_SIM_PAGE_H
#define VMRES_SIM_PAGE_H

#include <stdint.h>
#include <stdio.h>

struct run;

void page_write(const struct run *run, FILE *file);

/* Below: for the files of the page alone. */

/* What concerns one kind. */
struct part {
    const struct run *run;
    FILE *file;
    uint8_t kind;
    double unit; /* of an amount, in what is printed */
    const char *unit_name;
    double seconds;
};

/* The host by VM, by address where it is contiguous, then each VM. */
void page_charts(const struct part *part);
/* Who gave and took when, a row per VM. */
void page_flow(const struct part *part);
/* What the script needs, as JSON. */
void page_data(const struct run *run, FILE *file);

/* A VM's name, escaped, after the mark of its colour. */
void page_name(const struct part *part, uint32_t vm);
/* The numbers below a plot; at most `most` of them. */
void page_times(const struct part *part, uint32_t most);

#endif
