/* Facts of the architecture that everyone needs: control bits, modes, linear addresses.
 * page_walk.h, descriptor.h, registers.h and insn.h have more. Pure functions.
 *
 * Section numbers are those of the Intel SDM, volume 3A.
 */
#ifndef MINIKVM_X86_H
#define MINIKVM_X86_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLAG_CF = 1 << 0, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7, FLAG_TF = 1 << 8, FLAG_IF = 1 << 9, FLAG_DF = 1 << 10,
    FLAG_OF = 1 << 11, FLAG_IOPL = 3 << 12, FLAG_NT = 1 << 14, FLAG_RF = 1 << 16,
    FLAG_VM = 1 << 17, FLAG_AC = 1 << 18, FLAG_VIF = 1 << 19, FLAG_VIP = 1 << 20,
    FLAG_ID = 1 << 21,
};

/* Control registers (2.5), and the EFER (2.2.1). */
enum {
    CR0_PE = 1 << 0, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_ET = 1 << 4,
    CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30,
};
#define CR0_PG (1u << 31) /* is no int */
enum {
    CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3, CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22, CR4_CET = 1 << 23,
};
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NX = 1 << 11 };

/* What the CPU is running as (9.8, 9.9). The order is that of the enum which
 * gdb shows as $cpumode. */
enum cpu_mode {
    MODE_REAL,   /* CR0.PE = 0 */
    MODE_VM86,   /* EFLAGS.VM = 1 */
    MODE_PROT16, /* CS.D = 0 */
    MODE_PROT32, /* CS.D = 1 */
    MODE_COMPAT16, MODE_COMPAT32, /* EFER.LMA = 1, CS.L = 0 */
    MODE_LONG,   /* EFER.LMA = 1, CS.L = 1 */
};
enum cpu_mode x86_mode(const struct kvm_sregs *, uint64_t rflags);

/* Linear address of an offset in a segment: in 64-bit code bases other than
 * FS and GS are zero (3.2.4); else it wraps at 4 GiB. */
uint64_t x86_linear(const struct kvm_sregs *, uint64_t rflags, const struct kvm_segment *,
                    uint64_t offset);
/* Where the next instruction is fetched from. */
uint64_t x86_pc(const struct kvm_regs *, const struct kvm_sregs *);

/* `count` bits of a value, from bit `low` on. */
static inline unsigned x86_bits(uint64_t value, unsigned low, unsigned count) {
    return value >> low & ((1ull << count) - 1);
}

/* A real-mode segment register: base = selector * 16, 64 KiB. */
struct kvm_segment x86_real_segment(uint16_t selector, bool code);

#endif
