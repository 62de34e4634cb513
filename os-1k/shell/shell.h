/* What the programs of the shell have to work with. */
#ifndef OS_SHELL_H
#define OS_SHELL_H

#include <stdbool.h>

#include "abi.h"
#include "print.h"

/* lib.c: the system calls ... */
int shell_main(void);
void exit(int status) __attribute__((noreturn));
int getchar(void); /* -1 at the end of input */
void yield(void);
unsigned uptime(void);      /* in ticks */
unsigned free_memory(void); /* in KiB */

/* ... and lines. What does not fit in one is not taken. False at the end of input. */
enum { LINE_SIZE = 128 };
bool read_line(const char *prompt, char line[LINE_SIZE]);
bool same(const char *, const char *);

/* The nine programs, and one more. */
void multiplication(void);
void counter(void);
void echo(void);
void fibonacci(void);
void primes(void);
void calculator(void);
void factorial(void);
void gcd_table(void);
void about(void);
void bad_pointer(void);

#endif
