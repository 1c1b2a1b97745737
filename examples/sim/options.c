/* SPDX-License-Identifier: MIT */
/*
 * The command line. What is wrong is said in one line on standard error, with what to do; then
 * nothing is run and nothing printed on standard output.
 */
#include "options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <vmres/version.h>

static const char help[] =
    "usage: vmres-sim [options] SCENARIO.yaml\n"
    "       vmres-sim [--log] --replay FILE\n"
    "\n"
    "Runs a simulated host and its virtual machines, and says how well they shared it.\n"
    "\n"
    "  --policy NAME   judge by this policy, whatever the scenario says\n"
    "  --seed N        draw the noise of the sensors from this number\n"
    "  --json          print one JSON object instead of a table\n"
    "  --log           print the eight steps as they happen (with --json: to standard error)\n"
    "  --why VM@TIME   say why it has then what it has, or at the end; up to 16 times\n"
    "  --check         print each broken invariant with its tick, and audit the books every tick\n"
    "  --svg FILE      draw use and allotment of every VM, and how they shared the host\n"
    "  --report FILE   write a page for a browser: the charts, every transfer, the log, the "
    "figures\n"
    "  --csv FILE      write demand, holding and target of every VM, a row per tick\n"
    "  --record FILE   write the event log\n"
    "  --replay FILE   run an event log again: every action must be the recorded one\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 it ran, 1 it ran and an invariant was broken, 2 the input is wrong or\n"
    "an output cannot be written.\n"
    "Scenarios are described in examples/scenarios/README.md.\n";

static enum exit_code complain(const char *what, const char *which, const char *remedy)
{
    (void)fprintf(stderr, "vmres-sim: %s%s%s\n", what, which, remedy);
    return EXIT_WRONG;
}

static enum exit_code read_seed(const char *text, struct options *options)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9' || strlen(text) > 19)
        return complain("--seed must be a number of up to 19 digits, not ", text, "; write those");
    options->seed = strtoull(text, &end, 10);
    options->has_seed = true;
    if (*end)
        return complain("--seed must be a number of up to 19 digits, not ", text, "; write those");
    return EXIT_NOT_YET;
}

static enum exit_code read_why(const char *text, struct options *options)
{
    if (options->whys == WHYS_MAX)
        return complain("--why can be asked 16 times, not also ", text, "; leave it out");
    options->why[options->whys++] = text;
    return EXIT_NOT_YET;
}

/* Takes one option; EXIT_NOT_YET: there may be more. */
static enum exit_code take(int option, struct options *options)
{
    switch (option) {
    case 'j':
        options->json = true;
        break;
    case 'l':
        options->log = true;
        break;
    case 'k':
        options->check = true;
        break;
    case 's':
        options->svg = optarg;
        break;
    case 'o':
        options->report = optarg;
        break;
    case 'c':
        options->csv = optarg;
        break;
    case 'r':
        options->record = optarg;
        break;
    case 'R':
        options->replay = optarg;
        break;
    case 'p':
        options->policy = optarg;
        break;
    case 'n':
        return read_seed(optarg, options);
    case 'w':
        return read_why(optarg, options);
    case 'h':
        (void)fputs(help, stdout);
        return EXIT_RAN;
    case 'V':
        (void)printf("vmres-sim %s\n", vmres_version());
        return EXIT_RAN;
    default:
        return EXIT_WRONG;
    }
    return EXIT_NOT_YET;
}

/* What is left on the command line must be the one scenario, or nothing beside a replay. */
static enum exit_code take_rest(int argc, char **argv, struct options *options)
{
    bool alone = !options->policy && !options->svg && !options->report && !options->csv &&
                 !options->record && !options->has_seed && !options->json && !options->check &&
                 options->whys == 0;

    if (options->replay && (optind < argc || !alone))
        return complain("--replay takes only --log beside it", "", "; leave the rest out");
    if (options->replay)
        return EXIT_NOT_YET;
    if (optind >= argc)
        return complain("which scenario?", "", " give one: vmres-sim SCENARIO.yaml, or see --help");
    if (optind + 1 < argc)
        return complain("one scenario at a time, not also ", argv[optind + 1], "; leave it out");
    options->scenario = argv[optind];
    return EXIT_NOT_YET;
}

/* Whether writing the one would spoil the other. */
static bool is_same_file(const char *one, const char *other)
{
    struct stat a, b;

    if (stat(one, &a) != 0 || stat(other, &b) != 0)
        return strcmp(one, other) == 0;
    return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Nothing is written over the scenario, nor over anything else that is written. */
static enum exit_code keep_apart(const struct options *options)
{
    const char *const files[] = {options->scenario, options->svg, options->report, options->csv,
                                 options->record};

    for (size_t i = 1; i < sizeof files / sizeof files[0]; i++)
        for (size_t j = 0; files[i] && j < i; j++)
            if (files[j] && is_same_file(files[i], files[j]))
                return complain("one file for two things: ", files[i], "; name another");
    return EXIT_NOT_YET;
}

enum exit_code options_read(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"json", no_argument, NULL, 'j'},         {"log", no_argument, NULL, 'l'},
        {"check", no_argument, NULL, 'k'},        {"svg", required_argument, NULL, 's'},
        {"csv", required_argument, NULL, 'c'},    {"record", required_argument, NULL, 'r'},
        {"replay", required_argument, NULL, 'R'}, {"policy", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 'n'},   {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},      {"report", required_argument, NULL, 'o'},
        {"why", required_argument, NULL, 'w'},    {NULL, 0, NULL, 0},
    };
    enum exit_code code;
    int option;

    *options = (struct options){0};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
        if (option == ':')
            return complain(argv[optind - 1], " needs a value", "; see --help");
        if (option == '?')
            return complain("no such option: ", argv[optind - 1], "; see --help");
        code = take(option, options);
        if (code != EXIT_NOT_YET)
            return code;
    }
    code = take_rest(argc, argv, options);
    return code == EXIT_NOT_YET ? keep_apart(options) : code;
}
