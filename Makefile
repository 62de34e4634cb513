# minikvm. `make help` lists the targets.
#
# Every .c below vmm/ and gdbstub/ is part of the program; the tests link with all
# of them but main.c (build/libminikvm.a). `make asan` tests the same tree built
# with the sanitizers, under build/asan.

BUILD   ?= build
PROGRAM ?= minikvm
CC      ?= gcc
PREFIX  ?= /usr/local
VERSION := 0.1

CFLAGS  ?= -O2 -g
# An archive of objects of -flto takes the compiler's own ar.
ifneq ($(findstring -flto,$(CFLAGS)),)
AR      := $(subst clang,llvm-ar,$(subst gcc,gcc-ar,$(CC)))
endif
# Instrumented code makes gcc warn of what is not there: errors in plain builds only.
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wpointer-arith -Wwrite-strings $(if $(CI),$(if $(SANITIZE),,-Werror))
# What only we can break is checked (vmm/base/invariant.h), also in the program that is
# installed: INVARIANTS=0 leaves that out.
INVARIANTS ?= 1
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DMINIKVM_VERSION='"$(VERSION)"' -pthread $(WARN) \
              $(if $(filter-out 0,$(INVARIANTS)),-DINVARIANTS) \
              -I. $(CFLAGS) $(SANITIZE) $(if $(SANITIZE),-DMINIKVM_INSTRUMENTED)
# musl's compiler sees no header but musl's, so it is shown Linux's, and only those. What
# runs in a machine is no program of the host: any gcc builds it.
ifneq ($(findstring musl,$(CC)),)
GUEST_CC       ?= gcc
KERNEL_HEADERS := $(BUILD)/kernel-headers
ALL_CFLAGS     += -idirafter $(KERNEL_HEADERS)
endif
GUEST_CC ?= $(CC)
ALL_LDFLAGS := -pthread $(LDFLAGS) $(SANITIZE)

SOURCES := $(wildcard vmm/*/*.c vmm/*/*/*.c vmm/*/*/*/*.c gdbstub/*.c gdbstub/*/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libminikvm.a
# The core is made of the same files; docs/core.md.
CORE    := vmm/core/main.c vmm/memory/memory.c vmm/x86/x86.c vmm/x86/page_walk.c vmm/cpu/cpu.c $(wildcard vmm/engines/kvm/*.c) \
           vmm/board/boot/elf.c vmm/board/boot/boot_real.c \
           $(addprefix vmm/devices/,bus.c hypercall.c uart.c)
MAINS   := vmm/app/main.c vmm/core/main.c
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))

# Objects of the tests are made on the way; kept, or the next make would make them again.
.PRECIOUS: $(BUILD)/%.o

.PHONY: all
all: $(PROGRAM) core guests os-1k ## the program, its core, the guests and the 1K OS

$(PROGRAM): $(BUILD)/vmm/app/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

.PHONY: core
core: $(BUILD)/minikvm-core ## the smallest hypervisor made of minikvm's own files
$(BUILD)/minikvm-core: $(CORE:%.c=$(BUILD)/%.o)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

# q, not r: files of the same name in two folders are two members.
$(LIBRARY): $(filter-out $(MAINS:%.c=$(BUILD)/%.o),$(OBJECTS))
	@rm -f $@
	$(AR) qcs $@ $^

ASM_HEADERS = $(firstword $(wildcard /usr/include/asm /usr/include/$(shell uname -m)-linux-gnu/asm))
$(BUILD)/kernel-headers:
	@mkdir -p $@
	@ln -sfn /usr/include/linux /usr/include/asm-generic $(ASM_HEADERS) $@

$(BUILD)/%.o: %.c | $(KERNEL_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^

# The BIOS's ROM: code of the guest's, embedded in the program, with symbols for a debugger.
BIOS := $(BUILD)/bios
$(BIOS)/rom.o: $(addprefix vmm/board/bios/,rom.S rom.h font.S bios32.S)
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -I. -c -o $@ $<
$(BIOS)/bios.elf: $(BIOS)/rom.o vmm/board/bios/rom.ld
	$(LD) -m elf_i386 -nostdlib --build-id=none -T vmm/board/bios/rom.ld -o $@ $<
$(BIOS)/rom.bin: $(BIOS)/bios.elf
	$(OBJCOPY) -O binary -j .text $< $@
$(BUILD)/vmm/board/bios/rom.o: ALL_CFLAGS += -DBIOS_BUILD='"$(BIOS)"'
$(BUILD)/vmm/board/bios/rom.o: $(BIOS)/rom.bin

# A handler of the built-in CPU that begins near the end of a cache line costs up to 5 % of its speed.
$(BUILD)/vmm/engines/soft/%.o: ALL_CFLAGS += -falign-functions=32

include guests/guests.mk
include os-1k/os-1k.mk
include tests/tests.mk
include tests/fuzz/fuzz.mk

.PHONY: static
static: ## build/static/minikvm, which needs no library of the host's (by musl-gcc)
	$(MAKE) CC=musl-gcc BUILD=build/static PROGRAM=build/static/minikvm LDFLAGS=-static all

.PHONY: format-check
format-check: ## the folders that clang-format 14 holds are as it has them
	scripts/format-check

.PHONY: check test asan coverage
check: all units ## the unit tests, how long functions are, who includes whom: seconds
	scripts/check-includes
	scripts/check-circles
	scripts/check-names
	scripts/format-check
	scripts/lengths
	tests/run --build=$(BUILD) --program=$(PROGRAM) unit

test: _needed all units test-guests ## every test that this machine can run (RUN=--times: how long each takes)
	tests/run --build=$(BUILD) --program=$(PROGRAM) $(RUN)

asan: ## the same tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) BUILD=build/asan PROGRAM=build/asan/minikvm CFLAGS='-O1 -g' \
	  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' test

# Counted as the source has it: nothing optimised away, nothing counted again in each copy of
# an inlined function (so ALWAYS of vmm/engines/soft means nothing here). A test may fail there
# that runs as nobody, who cannot write the counts.
COVERAGE = $(MAKE) BUILD=build/coverage PROGRAM=build/coverage/minikvm \
  CFLAGS='-O0 -g -Dalways_inline=unused' SANITIZE=--coverage
SHOW_COVERAGE = scripts/coverage --least=95 build/coverage vmm/engines/soft
.PHONY: coverage-all _uncounted
_uncounted:
	@mkdir -p build/coverage
	@find build/coverage -name '*.gcda' -delete

coverage: _uncounted ## lines and branches of the built-in CPU that its unit tests come to: 95 % of lines at least
	$(COVERAGE) build/coverage/minikvm _soft-units
	tests/run --build=build/coverage --program=build/coverage/minikvm $(notdir $(SOFT_UNITS))
	$(SHOW_COVERAGE)

coverage-all: _uncounted ## the same by every test (long)
	-LIMIT=900 $(COVERAGE) test
	$(SHOW_COVERAGE)

# The guests' debug information names their sources by where they will be, so that
# gdb lists them without this tree.
SHARE     = $(PREFIX)/share/minikvm
INSTALLED = $(BUILD)/installed
.PHONY: install uninstall
install: all ## the program, guests with their sources, manual page, to PREFIX (/usr/local)
	rm -rf $(INSTALLED)
	$(MAKE) BUILD=$(INSTALLED) GUEST_CFLAGS='-fdebug-prefix-map=$(CURDIR)=$(SHARE)' guests os-1k
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(addprefix $(DESTDIR)$(SHARE)/,guests/multiboot guests/disk os-1k/shell os-1k/disk)
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/minikvm
	install -m 644 $(patsubst $(BUILD)/%,$(INSTALLED)/%,$(GUEST_ELFS)) guests/*.[Sh] \
	  $(DESTDIR)$(SHARE)/guests
	install -m 644 $(patsubst $(BUILD)/%,$(INSTALLED)/%,$(GUEST_IMAGES)) $(DESTDIR)$(SHARE)/guests
	install -m 644 guests/multiboot/*.[chS] $(DESTDIR)$(SHARE)/guests/multiboot
	install -m 644 guests/disk/*.[cS] guests/disk/*.inc $(DESTDIR)$(SHARE)/guests/disk
	install -m 644 $(addprefix $(INSTALLED)/os-1k/,kernel.elf shell.elf os-1k.img os-1k.elf loader.elf) \
	  os-1k/*.[chS] $(DESTDIR)$(SHARE)/os-1k
	install -m 644 os-1k/disk/*.[cS] $(DESTDIR)$(SHARE)/os-1k/disk
	install -m 644 os-1k/shell/*.[chS] $(DESTDIR)$(SHARE)/os-1k/shell
	install -m 644 $(BIOS)/bios.elf scripts/minikvm.py $(DESTDIR)$(SHARE)
	$(abspath $(PROGRAM)) --man > $(DESTDIR)$(PREFIX)/share/man/man1/minikvm.1

# Folders that are empty then may have been made by us.
uninstall: ## removes what install has put there
	rm -rf $(DESTDIR)$(PREFIX)/bin/minikvm $(DESTDIR)$(SHARE) \
	  $(DESTDIR)$(PREFIX)/share/man/man1/minikvm.1
	-cd $(DESTDIR)$(PREFIX) && rmdir -p --ignore-fail-on-non-empty bin share/man/man1

.PHONY: docs
docs: all ## the documents' made parts: lessons, picture, tables
	MINIKVM=$(abspath $(PROGRAM)) scripts/docs

# Lines of code, without blanks and comments.
CODE = for file in $(1); do $(CC) -fpreprocessed -dD -E -P $$file 2>/dev/null; done | grep -c .
.PHONY: loc loc-core clean help
loc: ## lines of code by folder, and of all
	@total=0; for part in $(sort $(dir $(SOURCES))); do \
	  lines=$$($(call CODE,$$part*.[ch])); total=$$((total + lines)); \
	  printf '%6s %s\n' $$lines $$part; done; printf '%6s all\n' $$total
	@echo "$$($(MAKE) -s loc-core) in the core (make core), headers included"

# The core's own files, and the headers that they include.
CORE_HEADERS = $(shell $(CC) -MM -I. -D_GNU_SOURCE $(CORE) | tr ' ' '\n' | grep '^vmm/.*\.h$$' | sort -u)
loc-core: ## lines of code of the core, with the headers that it includes
	@echo $$($(call CODE,$(CORE) $(CORE_HEADERS)))

clean: ## removes all that was built
	rm -rf build minikvm

# A target without a text here begins with _: it is for other targets.
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(OBJECTS:.o=.d) $(UNITS:=.d)
