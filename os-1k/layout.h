/* The places in memory and the selectors, for C and assembly. boot.S draws the
 * map.
 */
#ifndef OS_LAYOUT_H
#define OS_LAYOUT_H

#define KERNEL_BASE     0x80000000      /* physical 0 in the higher half */
#define MAPPED_MEMORY   0x01000000      /* how much of it is mapped there: 16 MiB */
#define PAGE            0x1000

#define USER_BASE       0x01000000      /* a user program: text, data, ... */
#define USER_END        0x01400000      /* ... and below this its stack: one directory entry */
#define USER_STACK      (4 * PAGE)

#define KERNEL_STACKS   0x00c00000      /* a kernel stack for every process */
#define KERNEL_STACK    PAGE            /* the size of one; a page without memory below it */

#define KERNEL_CODE     0x08            /* selectors: index * 8 + RPL */
#define KERNEL_DATA     0x10
#define USER_CODE       0x1b
#define USER_DATA       0x23
#define TASK            0x28

#define IRQ_BASE        32              /* the vector of IRQ 0, behind the CPU's own */
#define SYSCALL         0x80

#endif
