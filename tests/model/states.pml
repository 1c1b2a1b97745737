/* SPDX-License-Identifier: MIT */
/*
 * The states of the code, and which may follow which. `check` compares the lists with the enums in
 * include/vmres/query.h and lib/core/internal.h, and the edges with the tables in lib/core/vm.c and
 * lib/core/transfer.c: what is here and not there, or there and not here, fails.
 */

mtype:vm = {
    VM_VACANT,   /* no VM here: it vanished; nothing is charged */
    VM_BOOTING,  /* reborn: charged with the most it could hold */
    VM_ADOPTING, /* being pinned */
    VM_LIVE,     /* takes part */
    VM_SILENT,   /* a command's end never came */
    VM_FROZEN    /* left alone on request */
};

mtype:transfer = {
    TRANSFER_NONE,      /* the slot is free */
    TRANSFER_PLANNED,   /* a dry run's: goes no further, and is not modelled */
    TRANSFER_REQUESTED, /* the donor was asked */
    TRANSFER_MOVING,    /* pieces come */
    TRANSFER_PLACING,   /* all came, not all is taken in */
    TRANSFER_DONE,      /* the four ends: passed through, the slot is free at once */
    TRANSFER_PARTIAL,
    TRANSFER_CANCELLED,
    TRANSFER_FAILED
};

mtype:command = {
    COMMAND_FREE,
    COMMAND_OPEN,
    COMMAND_SUPERSEDED,
    COMMAND_CANCELLING,
    COMMAND_LOST
};

#define VM_EDGE(from, to)                                                                          \
    ((from == VM_VACANT && (to == VM_BOOTING)) ||                                                  \
     (from == VM_BOOTING && (to == VM_LIVE || to == VM_ADOPTING || to == VM_FROZEN ||              \
                             to == VM_SILENT || to == VM_VACANT)) ||                               \
     (from == VM_ADOPTING && (to == VM_FROZEN || to == VM_LIVE || to == VM_BOOTING ||              \
                              to == VM_SILENT || to == VM_VACANT)) ||                              \
     (from == VM_LIVE && (to == VM_FROZEN || to == VM_BOOTING || to == VM_SILENT ||                \
                          to == VM_VACANT)) ||                                                     \
     (from == VM_FROZEN && (to == VM_ADOPTING || to == VM_SILENT || to == VM_BOOTING ||            \
                            to == VM_VACANT)) ||                                                   \
     (from == VM_SILENT && (to == VM_ADOPTING || to == VM_FROZEN || to == VM_BOOTING ||            \
                            to == VM_VACANT)))

#define TRANSFER_EDGE(from, to)                                                                    \
    ((from == TRANSFER_NONE &&                                                                     \
      (to == TRANSFER_PLANNED || to == TRANSFER_REQUESTED || to == TRANSFER_PLACING)) ||           \
     (from == TRANSFER_REQUESTED &&                                                                \
      (to == TRANSFER_MOVING || to == TRANSFER_CANCELLED || to == TRANSFER_FAILED)) ||             \
     (from == TRANSFER_MOVING && (to == TRANSFER_PLACING || to == TRANSFER_DONE ||                 \
                                  to == TRANSFER_PARTIAL || to == TRANSFER_CANCELLED ||            \
                                  to == TRANSFER_FAILED)) ||                                       \
     (from == TRANSFER_PLACING && (to == TRANSFER_DONE || to == TRANSFER_PARTIAL ||                \
                                   to == TRANSFER_CANCELLED || to == TRANSFER_FAILED)))
