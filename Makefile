# ngx_flowdash_module.  "make help" lists the targets.
#
# The module is compiled by nginx's own build system, from the configuration
# in ./config.  What is here does around it what a user would otherwise do by
# hand, and nothing is written outside of build/.

SHELL := /bin/bash

NAME   := ngx_http_flowdash_module
OUT    ?= build
MODULE := $(OUT)/$(NAME).so

# The nginx that is installed; an ordinary user's PATH lacks the sbin's.
NGINX ?= $(shell PATH=$$PATH:/usr/sbin:/usr/local/sbin command -v nginx)

# The nginx to build for: by default Debian's nginx-dev, else any source tree
# of nginx.  A module fits into an nginx of the same version that was
# configured --with-compat; what else configure shall know goes into
# NGINX_CONFIGURE.
NGINX_SRC ?= /usr/share/nginx/src
NGINX_CONFIGURE ?=

# As Debian builds its modules.  nginx makes every warning an error; this is
# for us to care about (WERROR=1), a newer compiler of a user's must not
# stop at it.
CC_OPT ?= -g -O2 -fstack-protector-strong -Wformat -D_FORTIFY_SOURCE=2
LD_OPT ?= -Wl,-z,relro -Wl,-z,now
WERROR ?=

warnings := -Wall -Wextra -Wno-unused-parameter
cc_opt    = $(CC_OPT) $(warnings) $(if $(WERROR),-Werror,-Wno-error)

# of "make test", measured
TEST_TIME := 14 minutes

# At once, on two cores: some tests wait most of their time.
JOBS  ?= 5
TESTS ?= $(all_tests)

# The longest begin, so that the end does not wait for one of them alone.
slow      := $(patsubst %,t/%.t,memory memory_more memory_whole flows cut keepalive demo lintian)
all_tests := $(slow) $(filter-out $(slow),$(wildcard t/*.t))

# What these test is not the module that is loaded: once is enough.
about_files := $(patsubst %,t/%.t,bench_peers docs harness install lintian \
               package spelling whole_model)

# whether all of them are to be run
run_all = $(if $(filter-out $(wildcard $(TESTS)),$(all_tests)),,yes)

# for a make that was not told how much it may do at once
all_cores = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j $(shell nproc))

BUILD_PACKAGES := gcc libc6-dev make nginx nginx-dev libcurl4-openssl-dev \
                  libssl-dev libyajl-dev zlib1g-dev
TEST_PACKAGES   = aspell aspell-en build-essential ca-certificates chromium \
                  chromium-driver clang codespell curl debhelper dpkg-dev \
                  gcovr haproxy jq \
                  libclang-rt-dev libfcgi-perl libio-socket-ssl-perl \
                  libmojolicious-perl libnginx-mod-http-js \
                  libnginx-mod-http-lua lintian lua-cjson mandoc \
                  nghttp2-server node-busboy openssl patch perl php-cli \
                  prometheus puma python3-django python3-flask \
                  python3-werkzeug ruby-actionpack ruby-rack ruby-sinatra \
                  valgrind \
                  $(call unless_there,node,nodejs) $(call unless_there,npm,npm)
PACKAGE_PACKAGES = build-essential debhelper dpkg-dev $(if $(LINTIAN),lintian)
LINT_PACKAGES  := clang clang-tidy cppcheck perl

# the parsers that only "make differential" asks
DIFFERENTIAL_PACKAGES := default-jdk-headless golang-go libplack-perl \
                         libtomcat10-embed-java python3-starlette \
                         python3-multipart python3-tornado

# for the apps of "make recipes", besides
RECIPE_PACKAGES := debootstrap rsync php-fpm uwsgi-core uwsgi-plugin-python3

# What is only at npm, in exact versions; it goes into build/npm.
NPM_PACKAGES := @hotwired/turbo@8.0.23 axe-core@4.14.1 busboy@1.6.0 \
                co-body@6.2.0 express@5.3.0 formidable@3.5.4 htmx.org@2.0.11 \
                js-yaml@4.1.0 koa@3.3.0 koa-body@8.0.1 \
                koa-bodyparser@4.4.1 kubernetes-models@3.1.0 multer@2.5.0 \
                standardwebhooks@1.1.1 undici@6.29.1

# for "make bench", besides
BENCH_PACKAGES     = apache2-bin haproxy libnginx-mod-http-js \
                     libnginx-mod-http-lua lua-cjson lua-socket openssl \
                     strace valgrind $(call unless_there,node,nodejs) \
                     $(call unless_there,npm,npm)
BENCH_NPM_PACKAGES := fastify@4.29.1 undici@6.29.1

# Many a Node isn't Debian's, and its npm can't be installed beside it.
unless_there = $(if $(shell command -v $1),,$2)

.DELETE_ON_ERROR:
.PHONY: all build deps test-deps test test-fast test-plain test-sanitized \
        test-in versions test-static mutants fuzz routes differential faults \
        soak recipes bench coverage covered sanitized unit linear lint demo \
        pictures install package deb deb-test image-test clean help FORCE

all: build


# nginx's configure writes into the directory in which it runs, and the source
# tree may be read-only, or somebody's work: so it runs in a directory of
# links to it.

src  := $(abspath $(firstword $(NGINX_SRC)))
tree := $(OUT)/nginx$(subst /,_,$(src))$(if $(WERROR),-werror)

nginx_version = $(shell sed -n 's/^\#define NGINX_VERSION *"\(.*\)"/\1/p' \
                $(src)/src/core/nginx.h 2>/dev/null)

# Sources stand in rooms, one folder each.
rooms   := ngx_flowdash_module $(patsubst %/,%,$(wildcard ngx_flowdash_module/*/))
sources := $(sort $(wildcard $(addsuffix /*.c,$(rooms))))
headers := $(sort $(wildcard $(addsuffix /*.h,$(rooms))))

settings = nginx $(nginx_version) $(src) | $(CC) | $(cc_opt) | $(LD_OPT) | \
           $(NGINX_CONFIGURE) | $(sources) $(headers)

# Changes only when what it says does, so that configure runs again then.
$(tree)/settings: FORCE
	@if [ ! -f $(src)/src/core/nginx.h ]; then \
	    echo "There is no nginx source in $(src):" \
	         "run \"make deps\", or name a tree by NGINX_SRC=." >&2; \
	    exit 1; \
	fi
	@mkdir -p $(@D)
	@echo '$(settings)' | cmp -s - $@ || echo '$(settings)' > $@

# Debian's conf_flags says how the nginx of nginx-dev was configured, as a
# bash array.  A CFLAGS in the environment would switch off nginx's own.
$(tree)/objs/Makefile: $(tree)/settings config
	@echo "configuring for nginx $(nginx_version) in $(src)"
	@find $(tree) -mindepth 1 -maxdepth 1 ! -name settings \
	    -exec rm -rf {} +
	@find $(src) -mindepth 1 -maxdepth 1 ! -name objs ! -name Makefile \
	    ! -name '.*' -exec ln -s -t $(tree) {} +
	@cd $(tree); unset CFLAGS; \
	NGX_CONF_FLAGS=(--with-compat); \
	[ ! -f conf_flags ] || . ./conf_flags; \
	[ -f configure ] && configure=./configure || configure=auto/configure; \
	$$configure "$${NGX_CONF_FLAGS[@]}" $(NGINX_CONFIGURE) \
	    --with-cc='$(CC)' --with-cc-opt='$(cc_opt)' \
	    --with-ld-opt='$(LD_OPT)' \
	    --add-dynamic-module='$(CURDIR)' > configure.log 2>&1 \
	|| { tail -n 20 configure.log >&2; exit 1; }
	@echo "compiling, about 30 s"

# nginx's Makefile knows what depends on what.  The copy is there because one
# name serves every NGINX_SRC.
build: $(tree)/objs/Makefile
	@$(MAKE) --no-print-directory $(all_cores) -s -C $(tree) \
	    -f objs/Makefile modules
	@cmp -s $(tree)/objs/$(NAME).so $(MODULE) || { \
	    cp $(tree)/objs/$(NAME).so $(MODULE).new && \
	    mv $(MODULE).new $(MODULE) && \
	    echo "built $(MODULE) for nginx $(nginx_version)"; }


deps:
	@t/build/packages.sh $(BUILD_PACKAGES)

test-deps:
	@t/build/packages.sh $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory $(npm)/packages

npm   := build/npm
bench := build/bench

$(npm)/packages: npm_packages = $(NPM_PACKAGES)

$(npm)/packages $(bench)/npm/packages: FORCE
	@echo '$(npm_packages)' | cmp -s - $@ || { \
	    rm -rf $(@D) && mkdir -p $(@D) && \
	    npm install --prefix $(@D) --no-save --no-package-lock --no-audit \
	        --no-fund --ignore-scripts $(npm_packages) && \
	    echo '$(npm_packages)' > $@; }

# In the nginx installed, counting the lines that are run, the tests of single
# functions, and then the first again with a module and an nginx that notice
# what goes wrong in memory.  The sub-makes are there because $(NGINX) may not
# have been installed when this one began.  What prove has counted in each
# part, t/build/tally adds up.
parts := coverage unit sanitized
tally := $(CURDIR)/build/tally
prove  = PERL5LIB=$(CURDIR)/t/lib$(if $(PERL5LIB),:$(PERL5LIB)) \
         FLOWDASH_TALLY=$(tally) prove --harness Test::Flowdash::Tally

test:
	@echo '"make test" takes about $(TEST_TIME) on two idle cores.'
	@$(MAKE) --no-print-directory test-deps
	@mkdir -p $(dir $(tally)); : >$(tally); \
	rm -f $(tally).said; status=0; \
	for part in $(parts); do \
	    echo $$part >>$(tally); \
	    $(MAKE) --no-print-directory test-$$part || { status=$$?; break; }; \
	done; \
	t/build/tally $(tally) $$status

test-plain:
	@$(MAKE) --no-print-directory build WERROR=1
	FLOWDASH_NGINX=$(NGINX) FLOWDASH_MODULE=$(CURDIR)/$(MODULE) \
	FLOWDASH_NPM=$(CURDIR)/$(npm) \
	$(prove) --timer -j $(JOBS) $(TESTS)

test-coverage: coverage

test-unit: unit

test-sanitized: sanitized
	FLOWDASH_NGINX=$(CURDIR)/$(san)/nginx/objs/nginx \
	FLOWDASH_MODULE=$(CURDIR)/$(san)/$(NAME).so \
	FLOWDASH_NPM=$(CURDIR)/$(npm) \
	t/build/under-sanitizers.sh env $(prove) --timer -j $(JOBS) \
	$(if $(run_all),$(filter-out $(about_files),$(TESTS)),$(TESTS))

# Of an nginx that isn't Debian's, no package is needed.
needed = $(filter-out nginx nginx-dev,$(BUILD_PACKAGES)) $(TEST_PACKAGES) \
         $(if $(NGINX),,nginx) \
         $(if $(wildcard $(src)/src/core/nginx.h),,nginx-dev)

test-fast:
	@missing=$$(t/build/packages.sh -n $(needed)); \
	echo '$(NPM_PACKAGES)' | cmp -s - $(npm)/packages || \
	    missing="$$missing $(NPM_PACKAGES)"; \
	[ -z "$$missing" ] || { \
	    echo "\"make test-deps\" installs what is missing:$$missing" >&2; \
	    exit 1; }
	@$(MAKE) --no-print-directory test-plain

# All of that in another Debian, which stays below build/.
SUITE ?= trixie

test-in:
	@[ $$(id -u) -eq 0 ] || { echo 'test-in: this needs root' >&2; exit 1; }
	@t/build/packages.sh debootstrap rsync
	@t/build/contained.sh t/build/test-in.sh $(SUITE) \
	    TESTS='$(TESTS)' JOBS=$(JOBS)


# In other nginx, and built in other ways: each is HOW@TREE, see t/tool/versions.
# The tests are those that touch nginx the most.  Their results go into the
# table of docs/versions.md.
VERSIONS ?= $(if $(filter command line environment,$(origin NGINX_SRC)), \
            $(addprefix gcc@,$(NGINX_SRC)), \
            gcc@1.22.1 clang@1.22.1 lto@1.22.1 static@1.22.1 gcc@1.26.3)

version_tests = $(if $(filter command line environment,$(origin TESTS)), \
    $(TESTS),$(patsubst %,t/%.t,contract failure retry optional form \
    grammar_form grammar_json grammar_multipart metrics killed client handlers \
    keepalive http2 coding upload lifecycle long_body error_page named guard \
    proxy_http2))

versions:
	@$(MAKE) --no-print-directory test-deps
	@t/build/packages.sh $(if $(findstring clang@,$(VERSIONS)),clang)
	@FLOWDASH_NGINX='$(NGINX)' FLOWDASH_NPM=$(CURDIR)/$(npm) JOBS=$(JOBS) \
	t/tool/versions \
	    docs/versions.md '$(san_configure)' '$(strip $(version_tests))' \
	    $(VERSIONS)

test-static:
	@$(MAKE) --no-print-directory versions VERSIONS=static@1.22.1


# What would no test notice?  SEED makes the same mutants again, ROOM takes only
# those in one folder of ngx_flowdash_module.
N ?= 20

mutants: test-deps
	@t/build/packages.sh rsync
	@JOBS=$(JOBS) t/tool/mutants $(N) '$(SEED)' '$(ROOM)'


# Are there spellings of URLs that lead around an action?  Many more of them
# than in t/routes.t otherwise, and Tomcat.

routes: N = 5000
routes: test-deps
	@t/build/packages.sh libtomcat10-embed-java \
	    $(call unless_there,javac,default-jdk-headless)
	@FLOWDASH_SLOW=1 FLOWDASH_SPELLINGS=$(N) FLOWDASH_SEED=$(SEED) \
	$(MAKE) --no-print-directory test-plain TESTS=t/routes.t


# N requests through the module, to more parsers than "make test" asks; SEED
# makes the same ones again.
differential: N := 100000
differential: test-deps
	@t/build/packages.sh $(DIFFERENTIAL_PACKAGES)
	FLOWDASH_DIFFERENTIAL=$(N) FLOWDASH_SEED=$(SEED) FLOWDASH_TIMEOUT=86400 \
	$(MAKE) --no-print-directory test-plain TESTS=t/differential.t


# Provokes each fault of docs/faults.md, and writes that page; then faults at
# random in N whole actions, for docs/whole-actions-faults.md.  SEED makes the
# same ones again.
faults: N := 10000
faults: test-deps
	FLOWDASH_FAULTS=$(CURDIR)/docs/faults.md \
	$(MAKE) --no-print-directory test-plain TESTS=t/proofs/faults.t
	FLOWDASH_WHOLE=$(N) FLOWDASH_SEED=$(SEED) FLOWDASH_TIMEOUT=7200 \
	FLOWDASH_WHOLE_TABLE=$(CURDIR)/docs/whole-actions-faults.md \
	$(MAKE) --no-print-directory test-plain TESTS=t/proofs/whole.t


# Half an hour of actions, faults and reloads, after which the log and the
# counters must say what endpoints and app have seen.
soak: TIME := 1800
soak: test-deps
	FLOWDASH_SOAK=$(TIME) FLOWDASH_SEED=$(SEED) FLOWDASH_TIMEOUT=86400 \
	$(MAKE) --no-print-directory test-plain TESTS=t/proofs/soak.t


# The configurations of docs/recipes in front of the real apps, which are
# installed below build/recipes; what the browser shows is in its shots/.
recipes: test-deps
	@[ $$(id -u) -eq 0 ] || { echo 'recipes: this needs root' >&2; exit 1; }
	@t/build/packages.sh $(RECIPE_PACKAGES)
	FLOWDASH_SHOTS=$(CURDIR)/build/recipes/shots FLOWDASH_TIMEOUT=7200 \
	$(MAKE) --no-print-directory test-plain TESTS='t/recipes/*.t' JOBS=1


# What an action costs, beside other gateways; writes docs/benchmarks.md.  QUICK=1
# shows in a few minutes that all works, and writes no page.
bench: ROUNDS := 5
bench:
	@echo '"make bench" takes about $(if $(QUICK),3 minutes,$(BENCH_TIME)).' \
	    'Nothing else may run beside it.'
	@t/build/packages.sh $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build $(bench)/npm/packages \
	    $(addprefix $(bench)/,load others libcurl)
	FLOWDASH_NGINX='$(NGINX)' FLOWDASH_MODULE=$(CURDIR)/$(MODULE) \
	FLOWDASH_NPM=$(CURDIR)/$(bench)/npm \
	t/bench/bench --rounds=$(ROUNDS) $(if $(QUICK),--quick)
	@mkdir -p docs/images
	t/bench/page $(bench)/results.json $(if $(QUICK),$(addprefix \
	    $(bench)/benchmarks.,md svg),docs/benchmarks.md \
	    docs/images/benchmarks.svg)

# measured
BENCH_TIME := 50 minutes

$(bench)/npm/packages: npm_packages = $(BENCH_NPM_PACKAGES)

$(bench)/%: t/bench/%.c
	$(bench_program)

$(bench)/%: t/bench/peers/%.c
	$(bench_program)

bench_program = @mkdir -p $(@D); $(CC) -O2 -D_GNU_SOURCE $(warnings) -Werror \
                -o $@ $< -lcurl -lm


# In the two builds below, a test can make any call of the module fail that
# needs memory: $(failing) has what the linker has to be told for that.  nginx
# links by $(LINK), and $(LD_OPT) would reach what configure tries, too.

failing := build/failing_calls

$(failing): t/tool/failing_calls.c
	@mkdir -p $(@D)
	@$(CC) $(warnings) -Werror -g -O1 -fPIC -fno-omit-frame-pointer \
	    -c -o $@.o $<
	@rm -f build/*/nginx*/objs/$(NAME).so
	@(echo '$(abspath $@.o)'; \
	  nm $@.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') > $@


# gcov counts the lines and branches that are run, in t/*.t, in the unit tests
# and in t/tool/rewrite.c; gcovr adds it up.  All is built with the same
# options, so that the branches of a line are the same ones everywhere.  A unit
# test has threads, hence "atomic".  Nothing of the module is left out: nginx's
# macros count, with the branches they have, where they are used.

cov        := build/coverage
cov_cc_opt := -g -O0 --coverage -fprofile-abs-path -fprofile-update=atomic \
              -fno-omit-frame-pointer
cov_ld_opt := -Wl,-z,relro -Wl,-z,now --coverage
cov_units   = $(patsubst t/unit/%.c,$(cov)/unit/%,$(wildcard t/unit/*.c))
cov_rewrite := $(cov)/tool/rewrite

covered: $(failing)
	@$(MAKE) --no-print-directory build OUT=$(cov) WERROR=1 \
	    CC_OPT='$(cov_cc_opt)' LD_OPT='$(cov_ld_opt)' \
	    LINK='$(CC) @$(abspath $(failing))'

coverage: covered
	@$(MAKE) --no-print-directory $(all_cores) $(cov_units) $(cov_rewrite)
	@find $(cov) -name '*.gcda' -delete
	FLOWDASH_NGINX=$(NGINX) FLOWDASH_MODULE=$(CURDIR)/$(cov)/$(NAME).so \
	FLOWDASH_NPM=$(CURDIR)/$(npm) \
	$(prove) --timer -j $(JOBS) $(TESTS)
	t/build/under-sanitizers.sh env $(prove) -e '' $(cov_units)
	FLOWDASH_REWRITE=$(CURDIR)/$(cov_rewrite) \
	t/build/under-sanitizers.sh env $(prove) t/rewrite.t
	@t/build/coverage.sh $(cov) $(if $(run_all),95 85,0 0)


# AddressSanitizer and UndefinedBehaviorSanitizer, gcc's.  NGX_DEBUG_PALLOC
# gives every ngx_palloc() its own malloc(), so that an overrun of a pool's
# piece is seen too.
#
# nginx itself calls memcpy() with NULL and no length, and stores words at odd
# addresses: it isn't ours to be stopped by that, but the module is built
# without any exception.
#
# nodelete: nginx unloads its modules as it ends, and the leak report that
# follows would have no names for their functions.

san        := build/sanitized
san_cc_opt := -g -O1 -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer
san_ld_opt := -fsanitize=address,undefined -Wl,-z,nodelete
san_core   := -fno-sanitize=nonnull-attribute,alignment -DNGX_DEBUG_PALLOC=1

# the same nginx modules as in the one installed, as far as they need no
# library of their own; and the event methods of other systems
san_configure = $(filter --with-compat --with-debug --with-threads \
                --with-http_%_module,$(shell $(NGINX) -V 2>&1)) \
                --with-poll_module --with-select_module

sanitized: $(failing)
	@CC='$(CC)' CC_OPT='$(san_cc_opt) $(san_core)' LD_OPT='$(san_ld_opt)' \
	t/build/sanitized.sh $(NGINX) $(san) $(san_configure)
	@$(MAKE) --no-print-directory build OUT=$(san) WERROR=1 \
	    NGINX_SRC=$(san)/nginx NGINX_CONFIGURE='$(san_configure)' \
	    CC_OPT='$(san_cc_opt)' LD_OPT='$(san_ld_opt)' \
	    LINK='$(CC) @$(abspath $(failing))'


# Tests of pure functions: each t/unit/NAME.c is a program that prints TAP.  It
# includes the .c files which it tests and tap.h, which all of them share, and
# is linked with the sanitized nginx (libnginx.a: all of it, its main() renamed
# to nginx_main()).

units    := $(patsubst t/unit/%.c,$(san)/unit/%,$(wildcard t/unit/*.c))
unit_inc := $(addprefix -isystem $(san)/nginx/,src/core src/event \
            src/event/modules src/event/quic src/os/unix src/http \
            src/http/modules src/http/v2 src/http/v3 objs)
unit_lib := $(san)/nginx/objs/libnginx.a

$(unit_lib): sanitized

$(san)/unit/%: t/unit/%.c $(wildcard t/unit/*.h) $(sources) $(headers) | $(unit_lib)
	@mkdir -p $(@D)
	@$(CC) $(san_cc_opt) $(warnings) -Werror $(unit_inc) \
	    $(addprefix -I ,$(rooms)) -o $@ $< $(san_ld_opt) $(unit_lib) \
	    -lcurl -lyajl -lssl -lcrypto -lpcre2-8 -lz -lcrypt -lpthread

# The program by which t/rewrite.t changes forms and JSON, without nginx.
rewrite := $(san)/tool/rewrite

$(san)/tool/%: t/tool/%.c $(sources) $(headers) | $(unit_lib)
	@mkdir -p $(@D)
	@$(CC) $(san_cc_opt) $(warnings) -Werror $(unit_inc) \
	    $(addprefix -I ,$(rooms)) -o $@ $< $(san_ld_opt) $(unit_lib) \
	    -lcurl -lyajl -lssl -lcrypto -lpcre2-8 -lz -lcrypt -lpthread

# The same for gcov.  nginx's objects need the sanitizers' libraries, but what
# is compiled here must have no branches of theirs.
$(cov)/unit/%: t/unit/%.c $(wildcard t/unit/*.h) $(sources) $(headers) Makefile | $(unit_lib)
	$(cov_program)

$(cov)/tool/%: t/tool/%.c $(sources) $(headers) Makefile | $(unit_lib)
	$(cov_program)

cov_program = @mkdir -p $(@D); \
	$(CC) $(cov_cc_opt) $(warnings) -Werror $(unit_inc) \
	    $(addprefix -I ,$(rooms)) -c -o $@.o $< && \
	$(CC) --coverage $(san_ld_opt) -o $@ $@.o $(unit_lib) \
	    -lcurl -lyajl -lssl -lcrypto -lpcre2-8 -lz -lcrypt -lpthread

# The program of t/linear.t runs under valgrind, which the sanitizers don't: it
# is built from the readers, and the few files of nginx's core that they need.
linear      := build/linear
linear_data  = $(filter-out %_id.c %_sign.c %_cache.c %_marker.c \
               %_once_table.c %_once_response.c \
               ngx_flowdash_module/data/ngx_http_flowdash_record%,$(wildcard \
               ngx_flowdash_module/data/*.c))
linear_core  = $(addprefix $(san)/nginx/src/,$(addprefix core/ngx_, \
               palloc.c array.c buf.c list.c rbtree.c string.c crc32.c) \
               os/unix/ngx_alloc.c)

$(linear): t/tool/linear.c $(sources) $(headers) | $(unit_lib)
	@$(CC) -g -O2 $(warnings) -Werror $(unit_inc) $(addprefix -I ,$(rooms)) \
	    -o $@ $< $(linear_data) $(linear_core) -lyajl -lz

# How long it takes for real is only shown: it depends on the machine.
linear: $(linear)
	@$(linear) $(or $(SIZE),9000000) | \
	    awk -F '\t' '{printf "%8.1f ms  %8d bytes  %s (%s)\n", $$4, $$2, $$1, $$3}'

# What nobody thought of: each t/fuzz/NAME.c is a program of libFuzzer's, which
# is linked with data/ as clang compiles it, and with the sanitized nginx.
# TIME is in seconds, for each of FUZZ; what it finds stays below build/fuzz,
# and the next run begins with it.
#
# "recover": the programs end by themselves, unless NULL gets 0 bytes added.

fuzz      := build/fuzz
fuzz_cc    = clang -g -O1 -fsanitize=fuzzer-no-link,address,undefined \
             -fno-sanitize-recover=undefined \
             -fsanitize-recover=pointer-overflow -fno-omit-frame-pointer \
             $(warnings) -Werror $(unit_inc) $(addprefix -I ,$(rooms))
fuzz_objs := $(patsubst ngx_flowdash_module/%.c,$(fuzz)/objs/%.o,$(sources))
fuzz_data := $(filter $(fuzz)/objs/data/%,$(fuzz_objs))
fuzzers   := $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c))

FUZZ ?= $(fuzzers)

$(fuzz)/objs/%.o: ngx_flowdash_module/%.c $(headers) Makefile | $(unit_lib)
	@mkdir -p $(@D)
	@$(fuzz_cc) -c -o $@ $<

fuzz_ld = -Wl,--wrap=__ubsan_handle_pointer_overflow \
          -lcurl -lyajl -lssl -lcrypto -lpcre2-8 -lz -lcrypt -lpthread

$(addprefix $(fuzz)/,$(filter-out whole,$(fuzzers))): $(fuzz)/%: \
        t/fuzz/%.c $(wildcard t/fuzz/*.h) $(fuzz_data) $(sources)
	@$(fuzz_cc) -fsanitize=fuzzer -o $@ $< $(fuzz_data) $(unit_lib) \
	    $(fuzz_ld)

# "whole" has the module in nginx's table of modules, at the place of its
# filter, see ./config; nginx's main() returns where it would wait.
$(fuzz)/modules.c: Makefile | $(unit_lib)
	@mkdir -p $(@D)
	@sed -e 's/^\( *\)\(["&]\)ngx_http_postpone_filter_module\(.*\)/&\n\1\2$(NAME)\3/' \
	    -e '0,/^extern/s//extern ngx_module_t $(NAME);\n&/' \
	    $(san)/nginx/objs/ngx_modules.c > $@

$(fuzz)/whole: t/fuzz/whole.c $(wildcard t/fuzz/*.h) $(fuzz_objs) \
               $(fuzz)/modules.c
	@$(fuzz_cc) -fsanitize=fuzzer -o $@ $< $(fuzz)/modules.c $(fuzz_objs) \
	    $(unit_lib) $(foreach f,single_process_cycle init_signals \
	    log_redirect_stderr init_setproctitle,-Wl,--wrap=ngx_$f) \
	    $(foreach f,cmp1 cmp2 cmp4 cmp8 const_cmp1 const_cmp2 const_cmp4 \
	    const_cmp8,-Wl,--wrap=__sanitizer_cov_trace_$f) $(fuzz_ld)

fuzz: TIME := 60
fuzz: test-deps
	@$(MAKE) --no-print-directory -j $(JOBS) $(addprefix $(fuzz)/,$(FUZZ))
	@t/build/fuzz.sh $(fuzz) $(TIME) $(FUZZ)

unit_programs := $(units) $(rewrite) $(linear) $(addprefix $(fuzz)/,$(fuzzers))

unit_parts := unit-programs unit-rewrite unit-linear unit-fuzz

.PHONY: $(unit_parts)

unit:
	@$(MAKE) --no-print-directory -j $(JOBS) $(unit_programs)
	@$(MAKE) --no-print-directory -j $(JOBS) -k -O $(unit_parts)

unit-programs:
	$(if $(units),t/build/under-sanitizers.sh env $(prove) -e '' $(units))

unit-rewrite:
	FLOWDASH_REWRITE=$(CURDIR)/$(rewrite) \
	t/build/under-sanitizers.sh env $(prove) t/rewrite.t

unit-linear:
	FLOWDASH_LINEAR=$(CURDIR)/$(linear) $(prove) t/linear.t

unit-fuzz:
	FLOWDASH_FUZZ=$(CURDIR)/$(fuzz) $(prove) t/fuzz.t


lint:
	@t/build/packages.sh $(BUILD_PACKAGES) $(LINT_PACKAGES)
	@$(MAKE) --no-print-directory build
	@t/lint/run $(tree)


# asks for packages only when something is missing
demo:
	@[ -n '$(NGINX)' -a -f $(src)/src/core/nginx.h ] || \
	    $(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory build
	@NGINX='$(NGINX)' t/demo/run


# README's picture, as the demo shows it
pictures: test-deps
	@mkdir -p docs/images
	FLOWDASH_SHOTS=$(CURDIR)/docs/images \
	$(MAKE) --no-print-directory test-plain TESTS=t/demo.t


# where this nginx looks for modules, unless told
MODULES_DIR ?= $(shell $(NGINX) -V 2>&1 | \
               sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')

# what pages load; the documentation has this path
SHARE_DIR ?= /usr/share/flowdash

install: build
	@[ -n '$(MODULES_DIR)' ] || { \
	    echo 'MODULES_DIR=... is needed: nginx does not say it' >&2; \
	    exit 1; }
	@[ -z '$(NGINX)' ] || t/build/fits.sh '$(NGINX)' $(MODULE) $(tree)
	install -D -m 644 $(MODULE) $(DESTDIR)$(MODULES_DIR)/$(NAME).so
	install -D -m 644 docs/notify.js $(DESTDIR)$(SHARE_DIR)/notify.js
	@echo
	@echo 'Now, at the top of nginx.conf:'
	@echo
	@echo '    load_module $(MODULES_DIR)/$(NAME).so;'
	@echo


# Debian's package.  "package" makes it for this Debian; "deb" for all that are
# supported, has lintian look at it, and tries it in a Debian that has nothing
# else.

SUITES  ?= bookworm trixie
LINTIAN ?=

package:
	@t/build/packages.sh $(BUILD_PACKAGES) $(PACKAGE_PACKAGES)
	@LINTIAN=$(LINTIAN) t/build/package.sh

deb:
	@[ $$(id -u) -eq 0 ] || { echo 'deb: this needs root' >&2; exit 1; }
	@t/build/packages.sh debootstrap rsync
	@t/build/deb.sh $(SUITES)
	@$(MAKE) --no-print-directory deb-test

deb-test:
	@FLOWDASH_SUITES='$(SUITES)' FLOWDASH_TIMEOUT=3600 \
	$(prove) --timer t/proofs/deb.t

image-test:
	@[ $$(id -u) -eq 0 ] || { echo 'image-test: this needs root' >&2; exit 1; }
	@t/build/packages.sh debootstrap rsync
	@FLOWDASH_SUITES='$(SUITES)' FLOWDASH_TIMEOUT=3600 \
	$(prove) --timer t/proofs/image.t

clean:
	rm -rf build

help:
	@echo 'make            build $(MODULE) for the nginx installed'
	@echo 'make deps       install the Debian packages needed for that'
	@echo 'make demo       try it: nginx, a task app and two endpoints'
	@echo 'make pictures   take the picture of an action in README again'
	@echo 'make install    install the module (DESTDIR, MODULES_DIR, SHARE_DIR)'
	@echo 'make package    build the Debian package for this Debian: build/*.deb'
	@echo 'make deb        the same for SUITES="$(SUITES)", and test them,'
	@echo '                each in a Debian that it makes below build/'
	@echo 'make deb-test   only test the packages that were built'
	@echo 'make image-test  do what the Dockerfile says, without an engine'
	@echo 'make test       run all tests, then again with sanitizers;'
	@echo '                takes about $(TEST_TIME)'
	@echo 'make test-fast  run all tests, without sanitizers'
	@echo 'make test-in    run all tests in another Debian: SUITE=$(SUITE)'
	@echo 'make versions   build other versions of nginx, run tests in them: NGINX_SRC=dirs,'
	@echo '                VERSIONS="clang@dir static@dir ..."'
	@echo 'make test-static  run tests in an nginx with the module built in'
	@echo 'make mutants    break the module N times, see if tests fail: N=$(N)'
	@echo 'make routes     look for spellings of URLs that bypass an action'
	@echo 'make differential  do apps read what endpoints are told? N=100000'
	@echo 'make faults     provoke faults, and write docs/faults.md; then faults at'
	@echo '                random in N=10000 whole actions'
	@echo 'make soak       half an hour of actions, faults and reloads: TIME=1800'
	@echo 'make recipes    run docs/recipes in front of Redmine and other apps'
	@echo 'make bench      measure what an action costs, beside other gateways, and'
	@echo '                write docs/benchmarks.md: ROUNDS=5; QUICK=1 only tries it'
	@echo 'make fuzz       try inputs that nobody thought of: TIME=60 seconds for'
	@echo '                each of FUZZ="$(fuzzers)"'
	@echo 'make coverage   run all tests, show which code did not run'
	@echo 'make unit       run the tests of single functions in t/unit'
	@echo 'make linear     show how long reading takes: SIZE=9000000 bytes, and'
	@echo '                twice as many, without limits; takes minutes'
	@echo 'make sanitized  build nginx and the module with sanitizers'
	@echo 'make lint       compilers, cppcheck, clang-tidy, our style'
	@echo 'make clean      remove build/'
	@echo
	@echo 'NGINX_SRC=dir   build for the nginx source tree dir instead;'
	@echo '                NGINX_CONFIGURE="..." for its configure'
	@echo 'WERROR=1        stop at compiler warnings'
	@echo 'TESTS=t/x.t     of the tests, run only these; JOBS=n at a time'
