/* Asking a terminal what it can; see attributes.h. */
#include "vmm/app/attributes.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool asked, answered, sixel;

void attributes_ask(void) {
    static const char question[] = "\033[c";
    if (!asked)
        asked = write(STDOUT_FILENO, question, sizeof question - 1) == sizeof question - 1;
}

/* Behind ESC [ ?, where no key's sequence goes on: numbers, and c. 0: it is none. */
static size_t answer_length(const unsigned char *bytes, size_t length) {
    size_t n = 3;
    if (length < 4 || memcmp(bytes, "\033[?", 3))
        return 0;
    while (n < length && ((bytes[n] >= '0' && bytes[n] <= '9') || bytes[n] == ';'))
        n++;
    return n < length && bytes[n] == 'c' ? n + 1 : 0;
}

/* 4 is one of the numbers. */
static bool says_sixel(const unsigned char *answer, size_t length) {
    for (size_t i = 3; i + 1 < length; i++)
        if (answer[i] == '4' && answer[i - 1] == ';' && (answer[i + 1] == ';' || answer[i + 1] == 'c'))
            return true;
    return false;
}

size_t attributes_take(unsigned char *bytes, size_t length) {
    for (size_t at = 0; asked && at < length; at++) {
        size_t n = answer_length(bytes + at, length - at);
        if (!n)
            continue;
        answered = true;
        sixel = says_sixel(bytes + at, n);
        memmove(bytes + at, bytes + at + n, length - at - n);
        return length - n;
    }
    return length;
}

bool attributes_have_sixel(void) { return sixel; }

void attributes_wait(void) {
    enum { WAIT_MS = 100 };
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char bytes[64];
    while (asked && !answered && poll(&p, 1, WAIT_MS) > 0) {
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n <= 0 || attributes_take(bytes, (size_t)n) != (size_t)n)
            return;
    }
    answered = true; /* late as it is, nobody waits for it again */
}

bool attributes_cell(unsigned *width, unsigned *height) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col || !size.ws_xpixel ||
        !size.ws_ypixel)
        return false;
    *width = size.ws_xpixel / size.ws_col;
    *height = size.ws_ypixel / size.ws_row;
    return *width && *height;
}
