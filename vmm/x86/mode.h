/* What a mode is called and how wide its code is; vectors and the debug registers' bits. */
#ifndef MINIKVM_MODE_H
#define MINIKVM_MODE_H

#include "vmm/x86/x86.h"

const char *x86_mode_name(enum cpu_mode); /* "REAL16", "PROT32", … */
unsigned x86_mode_bits(enum cpu_mode);    /* 16, 32 or 64: how code is decoded */
unsigned x86_cpl(const struct kvm_sregs *);

/* Exceptions (6.3.1). */
enum { VECTOR_DE = 0, VECTOR_DB, VECTOR_NMI, VECTOR_BP, VECTOR_OF, VECTOR_BR, VECTOR_UD,
       VECTOR_NM, VECTOR_DF, VECTOR_TS = 10, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF,
       VECTOR_MF = 16, VECTOR_AC, VECTOR_MC, VECTOR_XM };

/* DR6 (17.2.3). */
#define DR6_BD (1u << 13)
#define DR6_BS (1u << 14)
#define DR6_BT (1u << 15)
#define DR6_TRAPS (DR6_BT | DR6_BS | 15) /* what a #DB trap sets */
/* DR7 (17.2.4). */
#define DR7_GD (1u << 13)

#endif
