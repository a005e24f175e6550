# Shared by the native programs' Makefiles, which set NAME, SOURCES and perhaps EXTRA before they include this; and where they do
# not speak to the kernel's subsystems, what they have of SHARED and LDLIBS.

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
NATIVE := $(ROOT)/runtime/native
OUT := $(ROOT)/dist/runtime/$(notdir $(CURDIR))

CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -fstack-protector-strong -ffile-prefix-map=$(ROOT)=. -I$(NATIVE)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SHARED ?= $(wildcard $(NATIVE)/*.c)
LDLIBS ?= -lbpf -lnftables
SOURCES += $(SHARED)
HEADERS := $(wildcard *.h $(NATIVE)/*.h)

.PHONY: all asan clean
all: $(OUT)/$(NAME) $(EXTRA)
asan: $(OUT)/$(NAME).asan $(EXTRA)

$(OUT)/$(NAME): $(SOURCES) $(HEADERS) $(MAKEFILE_LIST)
	@mkdir -p $(OUT)
	$(CC) $(CFLAGS) -D_FORTIFY_SOURCE=2 -o $@ $(SOURCES) $(LDLIBS)

$(OUT)/$(NAME).asan: $(SOURCES) $(HEADERS) $(MAKEFILE_LIST)
	@mkdir -p $(OUT)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(SOURCES) $(LDLIBS)

clean:
	rm -rf $(OUT)/$(NAME) $(OUT)/$(NAME).asan $(EXTRA)
