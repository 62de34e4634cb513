/* A fuzzer's corpus as a unit test: every file of corpus/NAME/, NAME being what
 * follows `corpus_` in the program's name, or the files that are named, each through
 * the fuzzer once. To end is to pass: what goes wrong ends in a signal, or in a line of
 * a sanitizer.
 *
 * `corpus_NAME FILE` shows what an input does without libFuzzer.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "tests/unit/unit.h"

enum { SECONDS = 10 }; /* of the processor, for one input; a hang is a failure, too */

/* Mutations are for libFuzzer; here nobody asks for one. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max) {
    (void)bytes, (void)max;
    return size;
}

static uint8_t *read_whole(const char *path, size_t *size) {
    enum { FILE_MAX = 1 << 20 };
    FILE *f = fopen(path, "rbe");
    uint8_t *bytes = malloc(FILE_MAX);
    if (!f || !bytes) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    *size = fread(bytes, 1, FILE_MAX, f);
    fclose(f);
    return bytes;
}

/* A copy of the right size: the sanitizer then sees who reads behind it. */
static void run_file(const char *path) {
    size_t size;
    uint8_t *bytes = read_whole(path, &size), *exact = malloc(size ? size : 1);
    fprintf(stderr, "%s\n", path); /* the last line says which input it was */
    memcpy(exact, bytes, size);
    unit_limit(SECONDS);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(bytes);
}

static int run_folder(const char *folder) {
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort), run = 0;
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            run_file(path);
            run++;
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return run;
}

int main(int argc, char **argv) {
    char folder[256];
    const char *name = strstr(argv[0], "corpus_");
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name ? name + strlen("corpus_") : "");
    int run = argc - 1;
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    if (argc == 1)
        run = run_folder(folder);
    printf("%d passed, %d failed\n", run, run == 0);
    return run == 0;
}
