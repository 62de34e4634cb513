/* TF while an instruction is stepped: KVM's single step sets it for us, and the guest may have one of
 * its own, which traps into its handler of #DB.
 *
 * Rule: the guest sees its own TF alone: in RFLAGS, in what an instruction or a fault pushes, and by
 * a #DB after each instruction that it traces. Where the guest has it set, ours is no other.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include "vmm/x86/descriptor.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

enum { EXCEPTIONS = 32 };

static bool is_sysret(const struct insn *in) { return in->opcode == 0x0f && in->second == 0x07; }
static bool is_syscall(const struct insn *in) { return in->opcode == 0x0f && in->second == 0x05; }

bool step_loads_ss(const struct insn *in) {
    return in->opcode == 0x17 || (in->opcode == 0x8e && (insn_modrm(in) >> 3 & 7) == 2);
}

/* --- TF in what was pushed ------------------------------------------------------------ */

/* Linear address of a word at an offset from the top of the stack. */
static uint64_t stack_at(const struct cpu_state *s, unsigned offset) {
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    uint64_t sp = s->regs.rsp + offset;
    if (!wide)
        sp = s->sregs.ss.db ? (uint32_t)sp : (uint16_t)sp;
    return x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, sp);
}

static void put_tf_at(struct cpu *cpu, unsigned offset, bool tf) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t high; /* TF is bit 0 of the second byte */
    uint64_t at = stack_at(s, offset + 1);
    if (x86_read(cpu->memory, &s->sregs, at, &high, 1) == 1 && (high & 1) != tf) {
        high ^= 1;
        x86_write(cpu->memory, &s->sregs, at, &high, 1);
    }
}

static bool stands_at_handler(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t handler;
    for (unsigned vector = 0; vector < EXCEPTIONS; vector++)
        if (x86_handler(cpu->memory, &s->sregs, vector, &handler) && handler == vcpu_pc(cpu))
            return true;
    return false;
}

static bool is_interrupt(const struct insn *in) { return in->opcode >= 0xcc && in->opcode <= 0xce; }

/* Is the word at this offset from the top of the stack where the instruction was, or, of an INT,
 * behind it? */
static bool holds_return(struct cpu *cpu, const struct insn *in, unsigned offset, unsigned size) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t ip = 0, start = debugged_of(cpu)->before.regs.rip;
    uint64_t behind = start + in->prefixes + (in->opcode == 0xcd ? 2 : 1);
    return x86_read(cpu->memory, &s->sregs, stack_at(s, offset), &ip, size) == size &&
           (ip == start || (is_interrupt(in) && ip == behind));
}

/* At the first instruction of a handler: the frame is [error] ip cs flags, in words of 2,
 * 4 or 8 bytes by the gate. */
static void put_tf_in_frame(struct cpu *cpu, const struct insn *in, bool tf) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool real = !(s->sregs.cr0 & CR0_PE), wide = s->sregs.efer & EFER_LMA;
    unsigned most = real ? 2 : wide ? 8 : 4, least = wide ? 8 : 2;
    for (unsigned slot = most; slot >= least; slot /= 2)
        for (unsigned error = 0; error <= !real; error++)
            if (holds_return(cpu, in, error * slot, slot)) {
                put_tf_at(cpu, (error + 2) * slot, tf);
                return;
            }
}

static void mend_pushed(struct cpu *cpu, const struct insn *in, bool tf) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool in_sequence = x86_pc(&s->regs, &s->sregs) - in->pc <= INSN_MAX;
    if (in->opcode == 0x9c && in_sequence)
        put_tf_at(cpu, 0, tf);
    else if (is_syscall(in) && !tf)
        cpu_write(cpu, CPU_REGS)->regs.r11 &= ~(uint64_t)FLAG_TF;
    else if (!in_sequence && (is_interrupt(in) || stands_at_handler(cpu)))
        put_tf_in_frame(cpu, in, tf);
}

/* --- the guest's own TF --------------------------------------------------------------- */

/* The TF that popf and iret are about to load. */
static bool tf_on_stack(struct cpu *cpu, const struct insn *in) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint16_t flags = 0;
    uint64_t at = stack_at(s, in->opcode == 0xcf ? 2 * in->operand : 0);
    x86_read(cpu->memory, &s->sregs, at, &flags, 2);
    return flags & FLAG_TF;
}

static bool tf_after(struct cpu *cpu, const struct insn *in, bool tf) {
    if (is_sysret(in))
        return cpu_read(cpu, CPU_REGS)->regs.r11 & FLAG_TF;
    if (in->opcode == 0x9d || in->opcode == 0xcf)
        return tf_on_stack(cpu, in);
    if (tf && is_syscall(in))
        return !(cpu_read(cpu, CPU_MSRS)->msrs.fmask & FLAG_TF);
    return tf;
}

/* SYSRET takes RFLAGS from R11, and TF counts when it is done: so ours must be there. */
static void set_tf_of_sysret(struct cpu *cpu, const struct insn *in, bool tf) {
    if (!is_sysret(in))
        return;
    __u64 *r11 = &cpu_write(cpu, CPU_REGS)->regs.r11;
    *r11 = (*r11 & ~(uint64_t)FLAG_TF) | (tf ? FLAG_TF : 0);
}

/* SYSCALL and SYSRET trap by the TF that they leave, MOV SS holds the trap off (17.3.1.4, 6.8.3),
 * and an INT has none: its handler begins without TF. */
struct guest_trace step_tf_begin(struct cpu *cpu, const struct insn *in, bool interrupts) {
    struct guest_trace t = {.before = cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_TF};
    t.after = !interrupts && tf_after(cpu, in, t.before);
    bool by_new = is_sysret(in) || is_syscall(in);
    t.trap = !interrupts && !step_loads_ss(in) && (by_new ? t.after : t.before);
    set_tf_of_sysret(cpu, in, true);
    return t;
}

static void set_guest_tf(struct cpu *cpu, bool tf) {
    struct debugged_vcpu *d = debugged_of(cpu);
    if (d->guest_tf == tf)
        return;
    struct kvm_regs *regs = &cpu_write(cpu, CPU_REGS)->regs;
    regs->rflags = (regs->rflags & ~(uint64_t)FLAG_TF) | (tf ? FLAG_TF : 0);
    d->guest_tf = tf;
}

static void queue_own_trap(struct cpu *cpu) {
    cpu_write(cpu, CPU_DEBUGREGS)->debugregs.dr6 |= DR6_BS;
    debugged_of(cpu)->inject = KVM_GUESTDBG_INJECT_DB;
}

void step_tf_end(struct cpu *cpu, const struct insn *in, const struct guest_trace *t,
                 bool delivered, bool unfinished) {
    set_tf_of_sysret(cpu, in, t->after);
    if (unfinished)
        return;
    if (debugged_of(cpu)->stepping) {
        mend_pushed(cpu, in, t->before);
        set_guest_tf(cpu, t->after && !delivered);
    }
    if (t->trap && !delivered)
        queue_own_trap(cpu);
}
