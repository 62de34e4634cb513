/* System calls, and input and output by the line. */
#include "shell.h"

static int syscall(int number, int first, int second) {
    int answer;
    __asm__ volatile("int $0x80"
                     : "=a"(answer)
                     : "a"(number), "b"(first), "c"(second)
                     : "memory");
    return answer;
}

/* Text is kept back until a line is complete or input is wanted: one system call
 * then does for all of it. */
static char output[64];
static size_t output_length;

static void flush(void) {
    syscall(SYS_WRITE, (int)output, output_length);
    output_length = 0;
}

void putchar(char c) {
    output[output_length++] = c;
    if (c == '\n' || output_length == sizeof output)
        flush();
}

int getchar(void) {
    flush();
    return syscall(SYS_GETCHAR, 0, 0);
}

void exit(int status) {
    flush();
    for (;;)
        syscall(SYS_EXIT, status, 0);
}

void yield(void) {
    syscall(SYS_YIELD, 0, 0);
}

unsigned uptime(void) {
    return syscall(SYS_TICKS, 0, 0);
}

unsigned free_memory(void) {
    return syscall(SYS_FREE_MEMORY, 0, 0);
}

/* --- lines ------------------------------------------------------------------------ */

/* Takes one key into a line, and shows what it did. */
static int edit(char *line, int length, int key) {
    if (key == '\b' && length > 0) {
        printf("\b \b");
        return length - 1;
    }
    if (key >= ' ' && key <= '~' && length < LINE_SIZE - 1) {
        putchar(key);
        line[length++] = key;
    }
    return length;
}

bool read_line(const char *prompt, char line[LINE_SIZE]) {
    int length = 0, key;
    printf("%s", prompt);
    while ((key = getchar()) != '\n' && key >= 0)
        length = edit(line, length, key);
    putchar('\n');
    line[length] = '\0';
    return key >= 0 || length > 0; /* the last line may lack its end */
}

bool same(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}
