/* The programs that ask for input. */
#include "shell.h"

void echo(void) {
    char line[LINE_SIZE];
    printf("\n=== Echo (quit leaves) ===\n");
    while (read_line("$ ", line) && !same(line, "quit"))
        printf("Echo: %s\n", line);
}

/* --- calculator --------------------------------------------------------------------- */

enum outcome { FINE, DIVISION_BY_ZERO, BAD_OPERATOR, BAD_EXPRESSION, TOO_LARGE };

static const char *const complaints[] = {
    [DIVISION_BY_ZERO] = "Division by zero",
    [BAD_OPERATOR] = "Invalid operator",
    [BAD_EXPRESSION] = "Invalid expression",
    [TOO_LARGE] = "Overflow",
};

static void skip_spaces(const char **at) {
    while (**at == ' ')
        ++*at;
}

/* Reads an int off the text. It grows below zero, where there is room for one
 * more: -2147483648 has no positive counterpart. */
static enum outcome parse_number(const char **at, int *number) {
    skip_spaces(at);
    bool negative = **at == '-', overflow = false;
    *at += negative;
    if (**at < '0' || **at > '9')
        return BAD_EXPRESSION;
    for (*number = 0; **at >= '0' && **at <= '9'; ++*at) {
        overflow |= __builtin_mul_overflow(*number, 10, number);
        overflow |= __builtin_sub_overflow(*number, **at - '0', number);
    }
    if (!negative)
        overflow |= __builtin_sub_overflow(0, *number, number);
    return overflow ? TOO_LARGE : FINE;
}

static enum outcome divide(int a, int b, int *result) {
    if (b == 0)
        return DIVISION_BY_ZERO;
    if (b == -1) /* the least int has no negative: to the CPU this is a #DE too */
        return __builtin_sub_overflow(0, a, result) ? TOO_LARGE : FINE;
    *result = a / b;
    return FINE;
}

static enum outcome compute(int a, char operator, int b, int *result) {
    switch (operator) {
    case '+': return __builtin_add_overflow(a, b, result) ? TOO_LARGE : FINE;
    case '-': return __builtin_sub_overflow(a, b, result) ? TOO_LARGE : FINE;
    case '*': return __builtin_mul_overflow(a, b, result) ? TOO_LARGE : FINE;
    case '/': return divide(a, b, result);
    default: return BAD_OPERATOR;
    }
}

static bool is_operator(char c) {
    return c == '+' || c == '-' || c == '*' || c == '/';
}

/* NUMBER OPERATOR NUMBER, with spaces where one likes. */
static enum outcome evaluate(const char *text, int *result) {
    int a, b;
    enum outcome outcome = parse_number(&text, &a);
    if (outcome != FINE)
        return outcome;
    skip_spaces(&text);
    if (*text == '\0')
        return BAD_EXPRESSION;
    char operator = *text++;
    if (!is_operator(operator))
        return BAD_OPERATOR;
    if ((outcome = parse_number(&text, &b)) != FINE)
        return outcome;
    skip_spaces(&text);
    return *text ? BAD_EXPRESSION : compute(a, operator, b, result);
}

void calculator(void) {
    char line[LINE_SIZE];
    printf("\n=== Calculator (+ - * /, q leaves) ===\n");
    while (read_line("Calculate: ", line) && !same(line, "q") && !same(line, "quit")) {
        int result = 0;
        enum outcome outcome = evaluate(line, &result);
        if (outcome == FINE)
            printf("Result: %d\n", result);
        else
            printf("Error: %s\n", complaints[outcome]);
    }
}
