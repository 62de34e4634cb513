/* What the kernel of tasks64 and its tasks agree on. */
#ifndef TASKS64_KERNEL_H
#define TASKS64_KERNEL_H

#include <stdint.h>

enum system_call { SYS_YIELD, SYS_REPORT, SYS_EXIT };

/* Code and data of the tasks lie on pages of their own. */
#define USER_CODE __attribute__((section(".user_text")))
#define USER_DATA __attribute__((section(".user_data")))

/* tasks.c: two programs for ring 3. */
void task_sum(void);
void task_product(void);

#endif
