/* SPDX-License-Identifier: MIT */
/*
 * How vmres declares things: the four macros every public header uses.
 *
 * VMRES_API marks a function the shared object exports; whatever lacks it is private, whatever its
 * name. VMRES_MUST_USE makes the compiler complain when a status is ignored. VMRES_BEGIN_DECLS and
 * VMRES_END_DECLS give the declarations between them C linkage in C++.
 *
 * No header of vmres needs any of these to be defined, or redefined, by its user.
 */
#ifndef VMRES_API_H
#define VMRES_API_H

#if defined(__GNUC__) || defined(__clang__)
#define VMRES_API __attribute__((visibility("default")))
#define VMRES_MUST_USE __attribute__((warn_unused_result))
#else
#define VMRES_API
#define VMRES_MUST_USE
#endif

#ifdef __cplusplus
#define VMRES_BEGIN_DECLS extern "C" {
#define VMRES_END_DECLS }
#else
#define VMRES_BEGIN_DECLS
#define VMRES_END_DECLS
#endif

#endif
