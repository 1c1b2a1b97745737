/* SPDX-License-Identifier: MIT */
/*
 * Bytes are a script of what a QEMU says (support/qmp_script.h), after a greeting, so that what is
 * behind it is reached, too. Whatever it says, the books hold and nothing is kept.
 */
#include "fuzz/heap.h"
#include "support/qmp_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char greeting[] = "{\"QMP\": {}}\n{\"return\": {}, \"id\": @}";
    struct qmp_script script;
    struct heap heap;

    heap_init(&heap);
    qmp_script_open(&script, &heap.allocator);
    if (size > 0 && data[0] == '{')
        qmp_script_play(&script, greeting, sizeof greeting - 1);
    qmp_script_play(&script, (const char *)data, size);
    qmp_script_close(&script);
    heap_expect_empty(&heap);
    return 0;
}
