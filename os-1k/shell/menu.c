/* The shell: a menu, and what its keys do. */
#include "shell.h"

static const struct program {
    char key;
    const char *title; /* NULL: not in the menu */
    void (*run)(void);
} programs[] = {
    {'1', "Multiplication Table (2x1 ~ 9x9)", multiplication},
    {'2', "Counter (0-9)", counter},
    {'3', "Echo (interactive)", echo},
    {'4', "Fibonacci Sequence", fibonacci},
    {'5', "Prime Numbers (up to 100)", primes},
    {'6', "Calculator", calculator},
    {'7', "Factorial (0! ~ 12!)", factorial},
    {'8', "GCD (Greatest Common Divisor)", gcd_table},
    {'9', "About 1K OS", about},
    {'0', "Exit", NULL},
    {'!', NULL, bad_pointer},
};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static void show_menu(void) {
    printf("\n=== 1K OS Menu ===\n\n");
    for (int i = 0; i < PROGRAMS; i++)
        if (programs[i].title)
            printf("  %c. %s\n", programs[i].key, programs[i].title);
    printf("\n");
}

static const struct program *find(const char *line) {
    for (int i = 0; i < PROGRAMS; i++)
        if (line[0] == programs[i].key && line[1] == '\0')
            return &programs[i];
    return NULL;
}

/* A line that is not empty. */
static bool choose(char line[LINE_SIZE]) {
    do {
        if (!read_line("Select: ", line))
            return false;
    } while (line[0] == '\0');
    return true;
}

int shell_main(void) {
    char line[LINE_SIZE];
    for (;;) {
        show_menu();
        if (!choose(line))
            break;
        const struct program *chosen = find(line);
        if (!chosen)
            printf("Unknown option: %s\nPlease select 0-9\n", line);
        else if (!chosen->run)
            break;
        else
            chosen->run();
    }
    printf("\nExiting shell...\nThank you for using 1K OS!\n");
    return 0;
}
