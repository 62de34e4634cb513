/* System calls: one row in the table each. Their numbers are in abi.h. */
#include "kernel.h"

static uint32_t sys_exit(uint32_t status, uint32_t unused) {
    if (process_count() == 1)
        machine_exit(status);
    process_end();
    return 0;
}

static uint32_t sys_write(uint32_t text, uint32_t length) {
    if (!space_has(current->directory, text, length))
        return -1;
    for (uint32_t i = 0; i < length; i++)
        putchar(((const char *)text)[i]);
    return length;
}

static uint32_t sys_getchar(uint32_t unused, uint32_t unused_too) {
    int key;
    while ((key = keyboard_take()) == KEY_NONE) {
        current->state = WAITING;
        schedule();
    }
    return key == KEY_END ? -1 : key;
}

static uint32_t sys_yield(uint32_t unused, uint32_t unused_too) {
    schedule();
    return 0;
}

static uint32_t sys_ticks(uint32_t unused, uint32_t unused_too) {
    return ticks;
}

static uint32_t sys_free_memory(uint32_t unused, uint32_t unused_too) {
    return memory_free();
}

static uint32_t (*const calls[SYS_COUNT])(uint32_t, uint32_t) = {
    [SYS_EXIT] = sys_exit,       [SYS_WRITE] = sys_write, [SYS_GETCHAR] = sys_getchar,
    [SYS_YIELD] = sys_yield,     [SYS_TICKS] = sys_ticks, [SYS_FREE_MEMORY] = sys_free_memory,
};

void syscall(struct trap *t) {
    t->eax = t->eax < SYS_COUNT ? calls[t->eax](t->ebx, t->ecx) : (uint32_t)-1;
}
