/* SPDX-License-Identifier: MIT */
/*
 * The command line. Whatever is wrong with it is told in one line, before a guest is started.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MAX 1000u

static const char help[] =
    "usage: kvm_demo [--patience TIMES] [--svg FILE] [--csv FILE] DIRECTORY\n"
    "\n"
    "Three real guests, once with vmres and once without. DIRECTORY has what\n"
    "examples/kvm-demo/prepare puts there; examples/kvm-demo/run does all.\n"
    "\n"
    "  --patience TIMES  without vmres the work may take so many times as long; 6\n"
    "  --svg FILE        draws both\n"
    "  --csv FILE        what every VM wanted and held with vmres, ten times a second\n";

static int complain(const char *what, const char *which, const char *remedy)
{
    fprintf(stderr, "kvm-demo: %s%s%s\n", what, which, remedy);
    return 2;
}

static int say_help(void)
{
    if (fputs(help, stdout) < 0 || fflush(stdout) != 0)
        return complain("standard output could not be written to the end", "",
                        "; make room for it");
    return 0;
}

static int read_patience(const char *text, struct options *options)
{
    char *end;
    unsigned long times = strtoul(text, &end, 10);

    options->patience = (unsigned)times;
    if (*text < '0' || *text > '9' || *end != '\0' || times == 0 || times > PATIENCE_MAX)
        return complain("--patience must be a number from 1 to 1000, not ", text, "; write digits");
    return -1;
}

/* Takes one option. -1: go on. */
static int take(int option, char **arguments, struct options *options)
{
    switch (option) {
    case 'p':
        return read_patience(optarg, options);
    case 's':
        options->svg = optarg;
        return -1;
    case 'c':
        options->csv = optarg;
        return -1;
    case 'h':
        return say_help();
    case ':':
        return complain(arguments[optind - 1], " needs a value", "; see --help");
    default:
        return complain("no such option: ", arguments[optind - 1], "; see --help");
    }
}

static int take_directory(int count, char **arguments, struct options *options)
{
    char path[4096];

    if (optind == count)
        return complain("which DIRECTORY?", "", " let examples/kvm-demo/run make one");
    if (optind + 1 < count)
        return complain("one DIRECTORY, not also ", arguments[optind + 1], "; leave it out");
    options->directory = arguments[optind];
    if (snprintf(path, sizeof path, "%s/demo-initrd", options->directory) >= (int)sizeof path ||
        access(path, R_OK) != 0)
        return complain("there are no guests in ", options->directory,
                        "; let examples/kvm-demo/run prepare it");
    return -1;
}

bool options_read(int count, char **arguments, struct options *options, int *code)
{
    static const struct option known[] = {{"help", no_argument, NULL, 'h'},
                                          {"patience", required_argument, NULL, 'p'},
                                          {"svg", required_argument, NULL, 's'},
                                          {"csv", required_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *options = (struct options){.patience = 6};
    *code = -1;
    opterr = 0;
    while (*code < 0 && (option = getopt_long(count, arguments, ":", known, NULL)) != -1)
        *code = take(option, arguments, options);
    if (*code < 0)
        *code = take_directory(count, arguments, options);
    return *code < 0;
}
