
/*
 * Counts the comparisons of the module, which clang traces for libFuzzer: a
 * measure of its work that does not depend on the machine.  Each turn of a
 * loop makes one at least.  The linker puts these functions in between.
 */


#ifndef _FUZZ_WORK_H_INCLUDED_
#define _FUZZ_WORK_H_INCLUDED_


#include "fuzz.h"


static uint64_t  work_done;


#define work_count(name, type)                                                \
                                                                              \
void __real___sanitizer_cov_trace_##name(type a, type b);                     \
void __wrap___sanitizer_cov_trace_##name(type a, type b);                     \
                                                                              \
void                                                                          \
__wrap___sanitizer_cov_trace_##name(type a, type b)                           \
{                                                                             \
    work_done++;                                                              \
    __real___sanitizer_cov_trace_##name(a, b);                                \
}


work_count(cmp1, uint8_t)
work_count(cmp2, uint16_t)
work_count(cmp4, uint32_t)
work_count(cmp8, uint64_t)
work_count(const_cmp1, uint8_t)
work_count(const_cmp2, uint16_t)
work_count(const_cmp4, uint32_t)
work_count(const_cmp8, uint64_t)


#endif /* _FUZZ_WORK_H_INCLUDED_ */
