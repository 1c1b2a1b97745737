/* SPDX-License-Identifier: MIT */
/* vmres-sim: runs a scenario on a simulated host and reports. Introduces: config.h, sim.h. */
#include <stdio.h>

#include "replay.h"
#include "report.h"
#include "run.h"

static enum exit_code simulate(const struct options *options)
{
    struct run run;
    enum exit_code code = run_open(&run, options);

    if (code == EXIT_NOT_YET)
        code = run_turn(&run);
    if (code != EXIT_WRONG && options->json)
        json_write(&run, stdout);
    else if (code != EXIT_WRONG)
        table_write(&run, stdout);
    return run_close(&run, code);
}

int main(int argc, char **argv)
{
    struct options options;
    enum exit_code code = options_read(argc, argv, &options);

    if (code == EXIT_NOT_YET)
        code = options.replay ? replay(&options) : simulate(&options);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    (void)fputs("vmres-sim: standard output could not be written to the end; make room for it\n",
                stderr);
    return EXIT_WRONG;
}
