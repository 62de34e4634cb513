/* Where an escape sequence of a key is cut in two. */
#include "tests/unit/unit.h"

#include "vmm/app/terminal.h"

static bool cut(const char *text) {
    return terminal_ends_in_sequence((const unsigned char *)text, strlen(text));
}

static void sequences(void) {
    static const char *const whole[] = {"",       "a",        "\033[A",  "\033OA",    "\033x",
                                        "\033[3~", "\033[1;5C", "\033[[A", "\033[24;2~", "\033[A1",
                                        "\033[<35;123;45M", "\033[<0;1;1m",
                                        "\033\x81", "0123456789012345678901234567890"};
    static const char *const parts[] = {"\033",      "a\033",  "\033[",     "\033O",  "\033[3",
                                        "\033[1;5",  "\033[[", "\033[A\033", "\033\033", "x\033[20;", "\033[<",
                                        "a\033[<35;1234;5678"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        CHECK(!cut(whole[i]));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(cut(parts[i]));
}

int main(void) {
    sequences();
    return unit_end();
}
