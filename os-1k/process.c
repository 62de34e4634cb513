/* Processes: an address space and a kernel stack each. Process 0 is the idle
 * process, which has neither: it is the kernel itself.
 */
#include "kernel.h"

/* The parts of an ELF file that the loader reads (System V ABI, chapters 4 and 5). */
struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, segments_at, sections_at, flags;
    uint16_t size, segment_size, segments;
};
struct elf_segment {
    uint32_t type, offset, linear, physical, file_size, memory_size, flags, align;
};
enum { ELF_LOAD = 1, ELF_WRITABLE = 2 };

struct process processes[PROCESS_MAX];
struct process *current = processes;

/* The task-state segment (§7.2.1). We switch tasks by ourselves; what the CPU
 * takes from here is the stack when an interrupt leads from ring 3 to ring 0. */
static struct {
    uint32_t link, esp0, ss0, unused[22];
    uint16_t debug, io_map;
} tss;

void task_init(void) {
    uint64_t base = (uint32_t)&tss, limit = sizeof tss - 1;
    uint64_t *descriptor = &((uint64_t *)higher_half_of(gdt))[TASK / 8];
    tss.ss0 = KERNEL_DATA;
    tss.io_map = sizeof tss; /* at its end: no port is allowed to ring 3 */
    *descriptor = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | base >> 24 << 56;
    __asm__ volatile("ltr %w0" : : "r"(TASK));
    printf("TSS: loaded, for the way back from ring 3\n");
}

/* The kernel stacks lie below the user programs, and not with the kernel: a
 * debugger trusts a backtrace only as long as callers have higher addresses, and
 * the caller of a system call is the user program. */
void process_init(void) {
    uint32_t top = KERNEL_STACKS;
    for (struct process *p = processes + 1; p < processes + PROCESS_MAX; p++) {
        top += PAGE; /* left out: to run over the end of a stack is a fault */
        space_map(higher_half_of(page_directory), top, PAGE_WRITE);
        p->stack_top = top += KERNEL_STACK;
    }
    processes[0] = (struct process){.state = READY, .name = "idle",
                                    .directory = higher_half_of(page_directory)};
    printf("processes: room for %d; this is number 0, idle\n", PROCESS_MAX);
}

/* --- making one ------------------------------------------------------------------ */

/* Copies a segment into fresh pages; what the file does not fill stays 0. */
static bool load_segment(uint32_t *directory, const uint8_t *elf, const struct elf_segment *s) {
    unsigned flags = PAGE_USER | (s->flags & ELF_WRITABLE ? PAGE_WRITE : 0);
    for (uint32_t done = 0; done < s->memory_size; done += PAGE) {
        void *page = space_map(directory, s->linear + done, flags);
        if (!page)
            return false;
        if (done < s->file_size) {
            uint32_t left = s->file_size - done;
            memcpy(page, elf + s->offset + done, left < PAGE ? left : PAGE);
        }
    }
    return true;
}

static bool load(uint32_t *directory, const uint8_t *elf) {
    const struct elf_header *header = (const void *)elf;
    const struct elf_segment *segment = (const void *)(elf + header->segments_at);
    for (int i = 0; i < header->segments; i++)
        if (segment[i].type == ELF_LOAD && !load_segment(directory, elf, &segment[i]))
            return false;
    for (uint32_t page = USER_END - USER_STACK; page < USER_END; page += PAGE)
        if (!space_map(directory, page, PAGE_USER | PAGE_WRITE))
            return false;
    return true;
}

/* The kernel stack of a process that has never run: as if it had called
 * context_switch from enter_user (trap-entry.S). */
static void prepare_stack(struct process *p, uint32_t entry) {
    uint32_t *stack = (uint32_t *)p->stack_top;
    *--stack = (uint32_t)enter_user;
    *--stack = 0;        /* ebp */
    *--stack = entry;    /* ebx */
    *--stack = USER_END; /* esi: the user stack */
    *--stack = 0;        /* edi */
    p->stack_pointer = (uint32_t)stack;
}

static struct process *find_free(void) {
    for (struct process *p = processes; p < processes + PROCESS_MAX; p++)
        if (p->state == FREE)
            return p;
    return NULL;
}

/* Not for a process that is about to end: its stack may be given to the new one. */
bool process_create(const char *name, const uint8_t *elf) {
    struct process *p = find_free();
    uint32_t *directory = p ? space_create() : NULL;
    if (!directory)
        return false;
    if (!load(directory, elf)) {
        space_destroy(directory);
        return false;
    }
    prepare_stack(p, ((const struct elf_header *)elf)->entry);
    p->name = name;
    p->directory = directory;
    p->state = READY;
    return true;
}

/* --- running ----------------------------------------------------------------------- */

/* The next after the current one, in a circle; the idle process is for when there
 * is no other. */
static struct process *next_ready(void) {
    unsigned now = current - processes;
    for (unsigned i = 1; i <= PROCESS_MAX; i++) {
        struct process *p = &processes[(now + i) % PROCESS_MAX];
        if (p != processes && p->state == READY)
            return p;
    }
    return processes;
}

/* Gives the CPU to the next process. Returns when it is this one's turn again. */
void schedule(void) {
    struct process *before = current, *next = next_ready();
    if (next == before)
        return;
    current = next;
    tss.esp0 = next->stack_top;
    context_switch(&before->stack_pointer, next->stack_pointer, physical(next->directory));
}

void process_wake(void) {
    for (struct process *p = processes; p < processes + PROCESS_MAX; p++)
        if (p->state == WAITING)
            p->state = READY;
}

unsigned process_count(void) {
    unsigned count = 0;
    for (struct process *p = processes + 1; p < processes + PROCESS_MAX; p++)
        count += p->state != FREE;
    return count;
}

/* The stack that this runs on is not freed with the rest: it belongs to the place
 * in the table, and is needed until another process runs. */
void process_end(void) {
    current->state = FREE;
    space_use(processes[0].directory);
    space_destroy(current->directory);
    schedule();
}
