# minikvm. `make help` lists the targets.
#
# Every .c below vmm/ and gdbstub/ is part of the program; the tests link with all
# of them but main.c (build/libminikvm.a). `make asan` builds the same tree under build/asan with the
# sanitizers.

BUILD   ?= build
PROGRAM ?= minikvm
CC      ?= gcc
PREFIX  ?= /usr/local
VERSION := 0.1

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wpointer-arith -Wwrite-strings $(if $(CI),-Werror)
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DMINIKVM_VERSION='"$(VERSION)"' -pthread $(WARN) \
              -I. $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS := -pthread $(LDFLAGS) $(SANITIZE)

SOURCES := $(wildcard vmm/*.c vmm/*/*.c gdbstub/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libminikvm.a
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))

.PHONY: all
all: $(PROGRAM) guests os-1k

$(PROGRAM): $(BUILD)/vmm/main.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

# q, not r: files of the same name in two folders are two members.
$(LIBRARY): $(filter-out $(BUILD)/vmm/main.o,$(OBJECTS))
	@rm -f $@
	$(AR) qcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

include guests/guests.mk
include os-1k/os-1k.mk
include tests/tests.mk

-include $(OBJECTS:.o=.d) $(UNITS:=.d)

.PHONY: clean
clean:
	rm -rf build minikvm
