/* An ELF file that is for a debugger's eyes only: the symbols of a boot sector, a loader or a
 * kernel that the guest loads by itself (--symbols).
 *
 * Rule: a file that cannot serve is refused at the start, with a sentence.
 */
#ifndef MINIKVM_SYMBOL_FILE_H
#define MINIKVM_SYMBOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol_file {
    char *path;       /* absolute; owned */
    uint64_t segment; /* where its first segment is, linear */
    bool is_elf64;
};

/* "FILE" or "FILE@ADDR", with ADDR where its .text is, as gdb's add-symbol-file has it. 0, or -errno
 * with a sentence. */
int symbol_file_open(struct symbol_file *, const char *spec, char *error, size_t size);

#endif
