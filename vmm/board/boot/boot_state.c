/* The CPU as an image expects it before its first instruction (image.h).
 *
 * Beyond real mode the guest finds a small set-up of ours at the top of RAM (a Multiboot kernel's
 * is in low memory, see multiboot.c):
 *
 *   top - 4 KiB   the GDT: null, code32, data, code64, data
 *   top - 32 KiB  page tables: PML4, PDPT, four PDs of 2 MiB pages = 4 GiB
 */
#include "vmm/board/boot/boot_state.h"

#include <string.h>

#include "vmm/board/boot/image.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/x86.h"

enum { GDT_BELOW = 4 << 10, TABLES_BELOW = IMAGE_RESERVED };
enum { SELECTOR_CODE32 = 0x08, SELECTOR_DATA = 0x10, SELECTOR_CODE64 = 0x18 };

static const uint64_t gdt[] = {
    0,
    0x00cf9b000000ffff, /* 08: code, 32-bit, 4 GiB, ring 0 */
    0x00cf93000000ffff, /* 10: data, 32-bit, 4 GiB, ring 0 */
    0x00af9b000000ffff, /* 18: code, 64-bit, ring 0 */
};

static void use_table(struct memory *m, struct cpu_state *s, uint64_t table) {
    memory_write(m, table, gdt, sizeof gdt);
    s->sregs.gdt = (struct kvm_dtable){.base = table, .limit = sizeof gdt - 1};
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0};
    s->sregs.cr0 = CR0_PE | CR0_ET;
    s->sregs.cs = x86_descriptor(SELECTOR_CODE32, gdt[1]);
    boot_data_segments(&s->sregs, x86_descriptor(SELECTOR_DATA, gdt[2]));
}

static void start_protected(const struct image *im, struct memory *m, struct cpu_state *s) {
    use_table(m, s, m->ram_size - GDT_BELOW);
    s->regs.rip = im->entry;
    s->regs.rsp = m->ram_size - TABLES_BELOW;
}

/* Version 1: 3.2; version 2: 3.3. */
static void start_multiboot(const struct image *im, struct memory *m, struct cpu_state *s) {
    enum { STARTED_BY_1 = 0x2badb002, STARTED_BY_2 = 0x36d76289 };
    use_table(m, s, im->multiboot.gdt);
    s->regs.rip = im->entry;
    s->regs.rsp = im->multiboot.stack;
    s->regs.rax = im->mode == START_MULTIBOOT ? STARTED_BY_1 : STARTED_BY_2;
    s->regs.rbx = im->multiboot.information;
}

/* 4-level tables with 2 MiB pages: linear = physical for the first 4 GiB. */
static void identity_map(struct memory *m, uint64_t tables) {
    enum { PRESENT_WRITE_USER = 7, LARGE = 0x80 };
    uint64_t entry = (tables + PAGE_SIZE) | PRESENT_WRITE_USER;
    memory_write(m, tables, &entry, sizeof entry);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t directory = tables + (2 + i) * PAGE_SIZE;
        entry = directory | PRESENT_WRITE_USER;
        memory_write(m, tables + PAGE_SIZE + i * 8, &entry, sizeof entry);
        for (uint64_t j = 0; j < 512; j++) {
            entry = (i << 30 | j << 21) | PRESENT_WRITE_USER | LARGE;
            memory_write(m, directory + j * 8, &entry, sizeof entry);
        }
    }
}

static void start_long(const struct image *im, struct memory *m, struct cpu_state *s) {
    uint64_t tables = m->ram_size - TABLES_BELOW;
    start_protected(im, m, s);
    identity_map(m, tables);
    s->sregs.cr3 = tables;
    s->sregs.cr4 = CR4_PAE;
    s->sregs.cr0 |= CR0_PG;
    s->sregs.efer = EFER_LME | EFER_LMA;
    s->sregs.cs = x86_descriptor(SELECTOR_CODE64, gdt[3]);
    s->sregs.cs.limit = 0xffffffff;
}

/* 9.1.1, table 9-1 */
static void start_reset(struct cpu_state *s) {
    s->sregs.cr0 = CR0_ET | CR0_CD | CR0_NW;
    s->sregs.cs = x86_real_segment(0xf000, true);
    s->sregs.cs.base = 0xffff0000;
    boot_data_segments(&s->sregs, x86_real_segment(0, false));
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->sregs.gdt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->regs.rip = 0xfff0;
    s->regs.rdx = 0x600; /* family 6 */
}

void image_start(const struct image *im, struct memory *m, struct cpu *cpu) {
    if (im->mode == START_REAL) {
        boot_real(m, cpu, im->entry, im->is_elf ? im->entry : im->load)->regs.rdx = im->told_drive;
        return;
    }
    struct cpu_state *s = boot_blank(m, cpu);
    switch (im->mode) {
    case START_RESET: start_reset(s); break;
    case START_MULTIBOOT:
    case START_MULTIBOOT2: start_multiboot(im, m, s); break;
    case START_LONG: start_long(im, m, s); break;
    default: start_protected(im, m, s); break;
    }
}
