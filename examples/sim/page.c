/* SPDX-License-Identifier: MIT */
/*
 * The frame of the page: what was run, what came of it, and where charts, transfers and log go.
 * Whatever a scenario may hold is escaped; the policy at the top forbids the page to load anything
 * in any case.
 */
#include "page.h"

#include <inttypes.h>
#include <string.h>

#include <vmres/units.h>
#include <vmres/version.h>

#include "plot.h"
#include "report.h"
#include "story.h"

/* page.css and page.js, made into arrays by embed.cmake. */
extern const char page_css[], page_js[];

static const char *scenario_name(const struct run *run)
{
    const char *slash = strrchr(run->options->scenario, '/');

    return slash ? slash + 1 : run->options->scenario;
}

static struct part make_part(const struct run *run, FILE *file, uint8_t kind)
{
    struct part part = {.run = run, .file = file, .kind = kind};

    part.unit = report_unit(run, kind, &part.unit_name);
    part.seconds = (double)(run_ticks(run) * run->config->sim.tick_ms) / 1000;
    return part;
}

static void put_head(const struct run *run, FILE *file)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
                file);
    plot_text(file, scenario_name(run));
    (void)fprintf(file, " · simulated by vmres</title>\n<style>\n%s</style>\n</head>\n<body>\n",
                  page_css);
}

/* What the scenario says of itself: the comment it begins with, less the licence. */
static void put_preface(const struct run *run, FILE *file)
{
    FILE *scenario = fopen(run->options->scenario, "rb");
    bool open = false;
    char line[256];

    while (scenario && fgets(line, sizeof line, scenario) && line[0] == '#') {
        const char *text = line + 1 + strspn(line + 1, " ");

        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(text, "SPDX", 4) == 0)
            continue;
        if (text[0] && !open)
            (void)fputs("<p class=\"preface\">", file);
        else if (open)
            (void)fputs(text[0] ? "\n" : "</p>\n", file);
        open = text[0] != '\0';
        plot_text(file, text);
    }
    if (open)
        (void)fputs("</p>\n", file);
    if (scenario)
        (void)fclose(scenario);
}

static void put_verdict(const struct run *run, FILE *file)
{
    const struct vmres_sim_violations *v = &run->violations;

    if (run_breaches(run) == 0) {
        (void)fputs("<p class=\"verdict\">No invariant was broken.</p>\n", file);
        return;
    }
    (void)fprintf(file,
                  "<p class=\"verdict broken\"><strong>Invariants were broken:</strong> capacity "
                  "%" PRIu64 ", conservation %" PRIu64 ", floor %" PRIu64 ", ceiling %" PRIu64
                  ", single transfer %" PRIu64 ", bound %" PRIu64 " times.</p>\n",
                  v->capacity, v->conservation + run->audits_failed, v->floor, v->ceiling,
                  v->single_transfer, v->bound);
}

static void put_title(const struct run *run, FILE *file)
{
    const struct vmres_config *config = run->config;
    char policy[256], duration[VMRES_UNITS_ROOM], period[VMRES_UNITS_ROOM];

    (void)fputs("<header>\n<p class=\"simulated\"><strong>Simulated.</strong> Virtual time, "
                "modelled devices; no real machine was measured.</p>\n<h1>",
                file);
    plot_text(file, scenario_name(run));
    (void)fputs("</h1>\n<p class=\"what\">Policy <b>", file);
    plot_text(file, report_policy(run, policy, sizeof policy));
    (void)fprintf(
        file, "</b> every %s · %" PRIu32 " VMs · %s · seed %" PRIu64 "</p>\n",
        vmres_format_time(period, sizeof period, config->engine.period_ms), config->vm_count,
        vmres_format_time(duration, sizeof duration, run_ticks(run) * config->sim.tick_ms),
        config->sim.seed);
    put_preface(run, file);
    put_verdict(run, file);
    (void)fputs("<nav aria-label=\"Parts of this page\"><a href=\"#figures\">Figures</a> "
                "<a href=\"#charts\">Charts</a> <a href=\"#transfers\">Transfers</a> "
                "<a href=\"#log\">Log</a></nav>\n</header>\n<main>\n",
                file);
}

/* A figure with its name and what it means. */
static void put_figure(const struct part *part, const char *name, double value, const char *unit,
                       const char *meaning)
{
    int decimals = unit[0] == '%' ? 3 : unit[0] == 't' ? 0 : 1; /* ticks are whole */

    (void)fprintf(part->file,
                  "<div><dt>%s</dt><dd><b>%.*f</b> %s<span class=\"note\">%s</span></dd></div>\n",
                  name, decimals, value, unit, meaning);
}

static void put_transfers(const struct part *part)
{
    const struct outcomes *outcomes = &part->run->outcomes[part->kind];

    (void)fprintf(part->file,
                  "<div><dt>transfers</dt><dd><b>%" PRIu64 "</b> done<span class=\"note\">%" PRIu64
                  " partial, %" PRIu64 " cancelled, %" PRIu64 " failed</span></dd></div>\n",
                  outcomes->done, outcomes->partial, outcomes->cancelled, outcomes->failed);
}

static void put_figures(const struct part *part)
{
    const struct vmres_sim_metrics sums = report_metrics(part->run, VMRES_VM_NONE, part->kind);
    const struct vmres_resource *resource = &part->run->config->engine.resources[part->kind];
    const bool bytes = resource->unit == VMRES_UNIT_BYTES;
    const char *unit = bytes ? "GiB" : part->unit_name; /* as the metrics are counted */
    char unit_s[16], text[96];

    (void)snprintf(unit_s, sizeof unit_s, "%s s", unit);
    (void)fputs("<h3>", part->file);
    plot_text(part->file, resource->name);
    (void)fprintf(part->file, ", %.1f %s</h3>\n<dl class=\"figures\">\n", sums.capacity, unit);
    (void)snprintf(text, sizeof text, "nobody could do better than %.1f", sums.unmet_bound);
    put_figure(part, "missing", sums.unmet, unit_s, text);
    (void)snprintf(text, sizeof text, "turned back within 2 min: %.1f", sums.reversed);
    put_figure(part, "moved", sums.moved, unit, text);
    if (resource->placement == VMRES_PLACEMENT_EXTENT)
        put_figure(part, "passed along", sums.hops, unit, "by VMs between; not in moved");
    put_figure(part, "cost", sums.cost, unit_s, "missing, and moves at their price");
    put_figure(part, "missing by right", sums.shortfall_pct, "%", "within a VM’s entitlement");
    if (bytes)
        put_figure(part, "page cache missed", sums.cache_missing, unit_s, "wished for, not held");
    put_transfers(part);
    if (sums.oom_ticks)
        put_figure(part, "out of memory", (double)sums.oom_ticks,
                   sums.oom_ticks == 1 ? "tick" : "ticks", "of one VM each, beyond its swap");
    (void)fputs("</dl>\n", part->file);
}

static void put_vm_row(const struct part *part, uint32_t vm)
{
    const struct vmres_sim_metrics sums = report_metrics(part->run, vm, part->kind);
    struct vmres_sim_state state = {.vm = VMRES_VM_NONE};
    const char *absent;

    (void)fputs("<tr><th scope=\"row\">", part->file);
    page_name(part, vm);
    (void)fprintf(part->file, "</th><td>%.1f</td><td>%.1f</td><td>%.1f</td>", sums.unmet,
                  sums.moved, sums.cost);
    (void)!vmres_sim_vm(part->run->sim, vm, part->kind, &state);
    absent = state.lived ? "gone" : "not started";
    if (state.vm == VMRES_VM_NONE)
        (void)fprintf(part->file, "<td>%s</td><td>%s</td></tr>\n", absent, absent);
    else
        (void)fprintf(part->file, "<td>%.2f</td><td>%.2f</td></tr>\n",
                      (double)state.demand / part->unit, (double)state.held / part->unit);
}

static void put_vm_table(const struct part *part)
{
    const struct vmres_resource *resource = &part->run->config->engine.resources[part->kind];
    const char *unit = resource->unit == VMRES_UNIT_BYTES ? "GiB" : part->unit_name;

    (void)fputs("<details class=\"each\"><summary>", part->file);
    plot_text(part->file, resource->name);
    (void)fprintf(part->file,
                  " of every VM, in figures</summary>\n<div class=\"scroll\"><table>\n<thead><tr>"
                  "<th scope=\"col\">VM</th><th scope=\"col\">missing [%s s]</th>"
                  "<th scope=\"col\">given [%s]</th><th scope=\"col\">taken [%s]</th>"
                  "<th scope=\"col\">wants at the end [%s]</th>"
                  "<th scope=\"col\">holds at the end [%s]</th></tr></thead>\n<tbody>\n",
                  unit, unit, unit, part->unit_name, part->unit_name);
    for (uint32_t vm = 0; vm < part->run->config->vm_count; vm++)
        put_vm_row(part, vm);
    (void)fputs("</tbody></table></div></details>\n", part->file);
}

/* The script fills these in. */
static void put_tables(const struct run *run, FILE *file)
{
    uint64_t moves_left_out;
    size_t moves;

    (void)moves_all(run->story->moves, &moves, &moves_left_out);
    (void)fprintf(file,
                  "<noscript><p>Transfers and log are shown by a script, and this browser runs "
                  "none. vmres-sim --log prints them.</p></noscript>\n"
                  "<section id=\"transfers\" aria-labelledby=\"h-transfers\">\n"
                  "<h2 id=\"h-transfers\">Transfers</h2>\n<p class=\"lead\">%zu transfers, each "
                  "in eight steps: <b>1</b> inquire, <b>2</b> report, <b>3</b> decide, <b>4</b> "
                  "ask the donor, <b>5</b> verified to be gone, <b>6</b> reassign, <b>7</b> "
                  "notify, <b>8</b> in use. Below each step: seconds since the decision.</p>\n",
                  moves);
    if (moves_left_out > 0)
        (void)fprintf(file, "<p class=\"cut\">%" PRIu64 " later ones are left out.</p>\n",
                      moves_left_out);
    (void)fprintf(file,
                  "<div id=\"transfer-view\"></div>\n</section>\n"
                  "<section id=\"log\" aria-labelledby=\"h-log\">\n<h2 id=\"h-log\">Log</h2>\n"
                  "<p class=\"lead\">%zu lines: what was decided, and why; what was done, and what "
                  "came of it. Rounds in which nothing was due are left out.</p>\n",
                  run->story->count);
    if (run->story->left_out > 0)
        (void)fprintf(file,
                      "<p class=\"cut\">%" PRIu64 " later lines are left out; vmres-sim --log "
                      "prints all.</p>\n",
                      run->story->left_out);
    (void)fputs("<div id=\"log-view\"></div>\n</section>\n", file);
}

void page_write(const struct run *run, FILE *file)
{
    uint8_t kinds = (uint8_t)run->config->engine.kinds;

    put_head(run, file);
    put_title(run, file);
    (void)fputs("<section id=\"figures\" aria-labelledby=\"h-figures\">\n"
                "<h2 id=\"h-figures\">Figures</h2>\n",
                file);
    for (uint8_t kind = 0; kind < kinds; kind++) {
        const struct part part = make_part(run, file, kind);

        put_figures(&part);
        put_vm_table(&part);
    }
    (void)fputs("</section>\n<section id=\"charts\" aria-labelledby=\"h-charts\">\n"
                "<h2 id=\"h-charts\">Charts</h2>\n<ul class=\"legend\"><li><i class=\"k-use\"></i>"
                "wanted</li><li><i class=\"k-held\"></i>allotted</li><li><i class=\"k-missing\">"
                "</i>missing</li><li><i class=\"k-first\"></i>first allotment</li><li>"
                "<i class=\"k-cap\"></i>capacity</li><li><i class=\"k-lack\"></i>pressure: share "
                "missing</li><li><i class=\"k-stall\"></i>pressure, as the VM reports it</li>"
                "</ul>\n<div id=\"clock\"></div>\n",
                file);
    for (uint8_t kind = 0; kind < kinds; kind++) {
        const struct part part = make_part(run, file, kind);

        page_charts(&part);
        page_flow(&part);
    }
    (void)fputs("</section>\n", file);
    put_tables(run, file);
    (void)fprintf(file,
                  "</main>\n<footer>vmres-sim %s, a simulation. The same scenario and seed give "
                  "this page again, byte for byte.</footer>\n",
                  vmres_version());
    page_data(run, file);
    (void)fprintf(file, "<script>/*<![CDATA[*/\n%s/*]]>*/</script>\n</body>\n</html>\n", page_js);
}
