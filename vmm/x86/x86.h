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

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)

#define CR4_VME (1u << 0)
#define CR4_PVI (1u << 1)
#define CR4_TSD (1u << 2)
#define CR4_DE (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_PGE (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NX (1u << 11)

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
