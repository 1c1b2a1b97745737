/* SPDX-License-Identifier: MIT */
/*
 * kvm_demo: figure 2 with real guests. Introduces: kvm.h, real guests on a libuv loop.
 *
 * VM1 works on more memory than it is allotted, while VM2 has more than it uses. Once with the
 * library, which moves memory from VM2 to VM1 as it sees that, and once with allotments that stay:
 * how long does the work take? Everything it makes is in one temporary directory, and gone when it
 * ends.
 */
#define _GNU_SOURCE /* nftw */
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "options.h"
#include "svg.h"
#include "watch.h"

/* One run of the work. */
struct turn {
    const char *policy, *title;
    FILE *log; /* the steps; or NULL: there are none to tell */
    struct watch watch;
    uint64_t bound_ms;            /* for the work */
    uint64_t took_ms;             /* 0: it was not done in time */
    uint64_t seen_ms;             /* from the shortage in VM1 to the first request (4); or 0 */
    uint64_t notices;             /* of VM1's agent */
    uint64_t beside[HOST_GUESTS]; /* what QEMU holds of its own */
    unsigned percent;
    bool ran;
};

enum { MOVING, STAYING, TURNS };

#define BOUND_MS 120000u /* with vmres */

static const char *const names[HOST_GUESTS] = {"VM1", "VM2", "VM3"};

static bool has_kvm(const char *directory)
{
    char path[256], word[16] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/accelerator", directory);
    file = fopen(path, "r");
    if (file && !fgets(word, sizeof word, file))
        word[0] = '\0';
    if (file)
        fclose(file);
    return strncmp(word, "kvm", 3) == 0;
}

/* --- the work, once --- */

static bool take_turn(const struct options *options, const char *scratch, struct turn *turn)
{
    const struct host_options with = {.directory = options->directory,
                                      .scratch = scratch,
                                      .policy = turn->policy,
                                      .log = turn->log,
                                      .kvm = has_kvm(options->directory)};
    struct host host = {0};

    if (!watch_begin(&turn->watch, &host, stdout))
        return false;
    printf("\n%s: booting three real guests\n", turn->title);
    fflush(stdout);
    if (host_open(&host, &with)) {
        turn->took_ms = host_work(&host, turn->bound_ms);
        turn->ran = turn->took_ms > 0 || host_now_ms(&host) >= turn->bound_ms;
        turn->percent = host.guests[0].percent;
        turn->notices = host_look(&host, 0).notices;
        for (uint32_t i = 0; i < HOST_GUESTS; i++)
            turn->beside[i] = host_look(&host, i).beside;
        if (host.guests[0].low_ms > 0 && host.asked_ms > host.guests[0].low_ms)
            turn->seen_ms = host.asked_ms - host.guests[0].low_ms;
        watch_end(&turn->watch, &host);
    }
    if (host.interrupted)
        fputs("kvm-demo: interrupted; its guests are ended\n", stderr);
    host_close(&host);
    return turn->ran;
}

static bool take_turns(const struct options *options, const char *scratch, struct turn *turns)
{
    turns[MOVING].bound_ms = BOUND_MS;
    if (!take_turn(options, scratch, &turns[MOVING]))
        return false;
    turns[STAYING].bound_ms = options->patience * turns[MOVING].took_ms;
    if (turns[MOVING].took_ms > 0)
        return take_turn(options, scratch, &turns[STAYING]);
    fputs("kvm-demo: the work was not done in two minutes; is this host very busy?\n", stderr);
    return false;
}

/* --- what came of it --- */

static const char *say_time(const struct turn *turn, char *text, size_t room)
{
    if (turn->took_ms > 0)
        snprintf(text, room, "%.1f s", (double)turn->took_ms / 1000);
    else
        snprintf(text, room, "%u %% done after %.1f s", turn->percent,
                 (double)turn->bound_ms / 1000);
    return text;
}

static void print_result(const struct turn *turns)
{
    char text[64];

    if (turns[MOVING].seen_ms > 0)
        printf("\nVM1 ran short, and VM2 was asked for memory %.1f s later\n",
               (double)turns[MOVING].seen_ms / 1000);
    printf("VM1's agent gave notice %" PRIu64 " times with vmres, %" PRIu64 " times without\n",
           turns[MOVING].notices, turns[STAYING].notices);
    printf("beside the guests' memory QEMU held %" PRIu64 ", %" PRIu64 " and %" PRIu64
           " MiB of its own, in no charge: keep a reserve\n",
           turns[MOVING].beside[0] / VMRES_MIB, turns[MOVING].beside[1] / VMRES_MIB,
           turns[MOVING].beside[2] / VMRES_MIB);
    puts("\nthe same work, on real guests:");
    for (int i = 0; i < TURNS; i++)
        printf("  %-22s %s\n", turns[i].title, say_time(&turns[i], text, sizeof text));
}

static double seconds_of(const struct turn *turn)
{
    return (double)(turn->watch.ticks * HOST_TICK_MS) / 1000;
}

static void draw(const struct turn *turns, FILE *file)
{
    static const struct vmres_resource memory = {
        .name = "memory", .granule = 1, .capacity = HOST_GUESTS * HOST_ALLOTMENT};
    char subtitle[256], titles[TURNS][64], times[TURNS][64];
    struct scene scenes[TURNS];
    const struct picture picture = {.title = "Real guests of QEMU: figure 2",
                                    .subtitle = subtitle,
                                    .first = "first allotment",
                                    .scenes = scenes,
                                    .count = TURNS};

    for (int i = 0; i < TURNS; i++) {
        say_time(&turns[i], times[i], sizeof times[i]);
        snprintf(titles[i], sizeof titles[i], "%s: ", turns[i].title);
        scenes[i] = (struct scene){
            .title = titles[i],
            .resource = &memory,
            .history = turns[i].watch.history,
            .names = names,
            .seconds = seconds_of(&turns[MOVING]) > seconds_of(&turns[STAYING])
                           ? seconds_of(&turns[MOVING])
                           : seconds_of(&turns[STAYING]),
        };
    }
    snprintf(subtitle, sizeof subtitle, "VM1's work:  %s: %s  ·  %s: %s", turns[MOVING].title,
             times[MOVING], turns[STAYING].title, times[STAYING]);
    svg_write(&picture, file);
}

/* Opens a file to write, if one is wanted; false: it cannot be, and why was said. */
static bool open_output(const char *path, FILE **file)
{
    *file = path ? fopen(path, "w") : NULL;
    if (path && !*file)
        fprintf(stderr, "kvm-demo: %s cannot be written (%s); name another file\n", path,
                strerror(errno));
    return !path || *file;
}

static bool close_output(const char *path, FILE *file)
{
    bool lost = file && ferror(file);

    if (file)
        lost |= fclose(file) != 0;
    if (lost)
        fprintf(stderr, "kvm-demo: %s could not be written to the end; make room for it\n", path);
    return !lost;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

/* The runs, in a directory of their own. */
static bool run(const struct options *options, struct turn *turns)
{
    const char *tmp = getenv("TMPDIR");
    char scratch[96];
    bool done;

    snprintf(scratch, sizeof scratch, "%.60s/kvm-demo-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch)) {
        fprintf(stderr, "kvm-demo: no directory can be made in %s; set TMPDIR to one that exists\n",
                tmp ? tmp : "/tmp");
        return false;
    }
    done = take_turns(options, scratch, turns);
    (void)nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return done;
}

int main(int count, char **arguments)
{
    struct turn turns[TURNS] = {{.policy = "usage", .title = "with vmres", .log = stdout},
                                {.policy = "static", .title = "allotments that stay"}};
    struct options options;
    FILE *svg = NULL, *csv = NULL;
    bool done;
    int code;

    if (!options_read(count, arguments, &options, &code))
        return code;
    if (!open_output(options.svg, &svg) || !open_output(options.csv, &csv)) {
        (void)close_output(options.svg, svg);
        return 2;
    }
    done = run(&options, turns);
    if (done) {
        print_result(turns);
        if (svg)
            draw(turns, svg);
        if (csv)
            watch_csv(&turns[MOVING].watch, names, csv);
    }
    done &= close_output(options.svg, svg);
    done &= close_output(options.csv, csv);
    if (done && options.svg)
        printf("\n%s is the picture of it\n", options.svg);
    for (int i = 0; i < TURNS; i++)
        watch_free(&turns[i].watch);
    return done ? 0 : 1;
}
