# `make help` lists the targets that a person uses: those with a comment `## name: what it does`, under their `##@ heading`.

PROJECT := github.com/dockerlogs/otelcol-dockerlogs
BINARY  := dist/otelcol-dockerlogs
TOOLS   := $(CURDIR)/.tools
VERSION := $(shell sed -n 's/^  version: //p' builder-config.yaml)
# What is built, and the time of the files in a release: all that a build takes from git.
COMMIT  := $(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null || echo unknown)
EPOCH   := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# The distribution finds goroutines that can never wake with this runtime profile.
DIST_ENV   := CGO_ENABLED=0 GOEXPERIMENT=goroutineleakprofile
DIST_FLAGS := -s -w
DIST_BUILD := go build -trimpath -buildvcs=false -ldflags='$(DIST_FLAGS) -X $(PROJECT)/internal/version.version=$(VERSION) -X $(PROJECT)/internal/version.commit=$(COMMIT)'
SOURCES    := $(shell git ls-files -co --exclude-standard -- '*.go' go.mod go.sum builder-config.yaml 2>/dev/null)

# A test may start engines, containers and the distribution: minutes, not seconds.
TEST_TIMEOUT ?= 30m

# Engines to bring, and to test with; .ci/run takes one of them.
ENGINES ?= docker-20.10 docker-26.1 docker-28.5 podman-4 podman-5

# What `make release` is for.
PLATFORMS ?= linux/amd64 linux/arm64 linux/armv7 darwin/arm64 windows/amd64

.PHONY: all help build run image sizes release push test test-release test-packages engines test-engines generate lint vulncheck fuzz bench lab lab-docs engine-facts tools clean
all: build

## help: this list
help:
	@awk -v title='otelcol-dockerlogs $(VERSION)' -f internal/help.awk $(MAKEFILE_LIST)

##@ Build and run

## build: make dist/otelcol-dockerlogs
build: $(BINARY)

# The generated main package, with the answer to --version.
dist/version.go: $(SOURCES) | $(TOOLS)/builder
	$(DIST_ENV) $(TOOLS)/builder --config=builder-config.yaml --skip-compilation
	printf 'package main\n\nimport _ "$(PROJECT)/internal/version"\n' >$@

$(BINARY): dist/version.go
	cd dist && $(DIST_ENV) $(DIST_BUILD) -o $(notdir $@) .

## run: build and start the distribution with otelcol-config.yaml
run: build
	$(BINARY) --config=otelcol-config.yaml

dist/healthcheck: cmd/healthcheck/main.go go.mod
	@mkdir -p $(@D)
	CGO_ENABLED=0 go build -trimpath -ldflags='$(DIST_FLAGS)' -o $@ ./cmd/healthcheck

dist/otelcol-dockerlogs-containers: $(wildcard cmd/containers/*.go internal/terminal/*.go internal/words/*.go) go.mod
	@mkdir -p $(@D)
	CGO_ENABLED=0 go build -trimpath -ldflags='$(DIST_FLAGS)' -o $@ ./cmd/containers

## image: the image of deploy/compose.yaml, from dist/; downloads no other image
image: build dist/healthcheck dist/otelcol-dockerlogs-containers
	docker build --target=prebuilt --file=deploy/Dockerfile --tag=otelcol-dockerlogs:$(VERSION) .

# What docs/recipes.md uses, and a collector can do without.
OPTIONAL ?= redactionprocessor kafkaexporter

## sizes: what each module of OPTIONAL adds to the binary, and all of them together; builds it once without each
sizes: build
	@mkdir -p dist/sizes; whole=$$(stat -c %s $(BINARY)); echo "$(BINARY) $$whole"; set -e; \
	for modules in $(OPTIONAL) '$(OPTIONAL)'; do \
		sed -E -e "/\/($$(echo $$modules | tr ' ' '|')) /d" -e 's|output_path: .*|output_path: ./dist/sizes|' builder-config.yaml >dist/sizes/config.yaml; \
		$(DIST_ENV) $(TOOLS)/builder --config=dist/sizes/config.yaml --ldflags='$(DIST_FLAGS)' 2>dist/sizes/log; \
		echo "$$modules $$((whole - $$(stat -c %s dist/sizes/otelcol-dockerlogs)))"; \
	done

##@ Release

# The commands of a release, for one platform: dist/build/linux_armv7 holds those for linux/armv7.
helpers    := $(notdir $(wildcard cmd/healthcheck cmd/containers))
build_dirs := $(addprefix dist/build/,$(subst /,_,$(PLATFORMS)))
.PHONY: $(build_dirs)
$(build_dirs): dist/build/%: dist/version.go
	$(eval target := GOOS=$(word 1,$(subst _, ,$*)) $(subst GOARCH=armv7,GOARCH=arm GOARM=7,GOARCH=$(word 2,$(subst _, ,$*))))
	$(eval exe := $(if $(filter windows_%,$*),.exe))
	cd dist && $(DIST_ENV) $(target) $(DIST_BUILD) -o build/$*/otelcol-dockerlogs$(exe) .
	$(foreach helper,$(helpers),CGO_ENABLED=0 $(target) go build -trimpath -buildvcs=false -ldflags='$(DIST_FLAGS)' -o dist/build/$*/otelcol-dockerlogs-$(helper)$(exe) ./cmd/$(helper) && ):

## release: archives, packages, images, SBOMs and checksums in dist/release, for PLATFORMS, the same bytes from the same commit; with TAG=v1.2.3 only of that version
release: $(build_dirs)
	@test -z '$(TAG)' -o '$(TAG)' = 'v$(VERSION)' || { echo 'release: the tag is $(TAG), but builder-config.yaml has version $(VERSION)' >&2; exit 1; }
	rm -rf dist/release
	go run -C internal/release . -root='$(CURDIR)' -version='$(VERSION)' -commit='$(COMMIT)' -epoch='$(EPOCH)' $(PLATFORMS)

# Where push puts the images.
IMAGE ?= ghcr.io/dockerlogs/otelcol-dockerlogs

## push: the images of dist/release to the registry of IMAGE, under their version and `latest`, with skopeo
push:
	skopeo copy --all oci-archive:dist/release/otelcol-dockerlogs_$(VERSION)_images.tar docker://$(IMAGE):$(VERSION)
	skopeo copy --all docker://$(IMAGE):$(VERSION) docker://$(IMAGE):latest

## test-release: whether a release for RELEASE_PLATFORM made in two directories has the same bytes, and test-packages of it
RELEASE_PLATFORM ?= linux/amd64
test-release:
	$(MAKE) release PLATFORMS=$(RELEASE_PLATFORM)
	rm -rf dist/again && mkdir -p dist/again
	git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C dist/again
	$(MAKE) -C dist/again release PLATFORMS=$(RELEASE_PLATFORM) TOOLS=$(TOOLS) COMMIT=$(COMMIT) EPOCH=$(EPOCH)
	diff dist/release/SHA256SUMS dist/again/dist/release/SHA256SUMS
	rm -rf dist/again
	$(MAKE) test-packages

## test-packages: installs, upgrades, removes and purges the packages of dist/release in a Debian chroot, and loads the image
test-packages:
	DOCKERLOGS_COLLECTOR=$(CURDIR)/dist/build/linux_amd64/otelcol-dockerlogs go test -count=1 -v -timeout=$(TEST_TIMEOUT) -run='^TestRelease' ./internal/e2e

##@ Test

# One package at a time: those with real engines measure nothing but want them to keep up.
## test: everything; with a Docker Engine's dockerd on the PATH and as root, against a real engine too, and against 28.5 if make engines has brought it
test: build
	go vet ./...
	go test -C internal/release ./...
	DOCKERLOGS_COLLECTOR=$(CURDIR)/$(BINARY) GOEXPERIMENT=goroutineleakprofile go test -race -p 1 -timeout=$(TEST_TIMEOUT) ./...
	DOCKERLOGS_ENGINE=28.5 GOEXPERIMENT=goroutineleakprofile go test -race -timeout=$(TEST_TIMEOUT) -skip=Podman ./internal/realtest

## engines: bring engines of several versions for tests, from Debian; ENGINES=docker-28.5 brings one
engines:
	@internal/dockerd/engines.sh $(ENGINES)

## test-engines: the tests on real engines with each of ENGINES, and docs/conformance.md of what they saw
test-engines: engines
	rm -rf dist/matrix
	@set -e; for engine in $(ENGINES); do \
		echo "== $$engine"; \
		export DOCKERLOGS_MATRIX=$(CURDIR)/dist/matrix DOCKERLOGS_REQUIRE_ENGINES="$${engine#docker-}"; \
		case $$engine in \
		docker-*) DOCKERLOGS_ENGINE=$${engine#docker-} go test -count=1 -timeout=$(TEST_TIMEOUT) -skip=Podman ./internal/realtest ;; \
		podman-*) DOCKERLOGS_PODMAN=$${engine#podman-} go test -count=1 -timeout=$(TEST_TIMEOUT) -run=Podman ./internal/realtest ;; \
		esac; \
	done
	go run ./cmd/enginematrix collect --from dist/matrix

##@ Maintain

## generate: all generated files
generate: tools
	PATH="$(TOOLS):$$PATH" go generate ./...

## lint: formatting, static analysis, and known vulnerabilities
lint: tools
	@test -z "$$($(TOOLS)/gofumpt -l . | grep -v ^dist/ | tee /dev/stderr)"
	go vet ./...
	$(TOOLS)/staticcheck ./...
	cd internal/release && go vet ./... && $(TOOLS)/staticcheck ./...
	@internal/tools/vulncheck.sh $(TOOLS)/govulncheck .

## vulncheck: fails for known vulnerabilities in what is called, which lint only reports
vulncheck: tools
	@DOCKERLOGS_REQUIRE_VULNCHECK=1 internal/tools/vulncheck.sh $(TOOLS)/govulncheck .

# How long each fuzz target runs.
FUZZTIME ?= 30s

## fuzz: each fuzz target in turn, for FUZZTIME
fuzz:
	@set -e; for dir in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		list=$$(go test -list='^Fuzz' ./$$dir); \
		for target in $$(echo "$$list" | grep '^Fuzz'); do \
			echo "== $$dir $$target"; \
			go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1s ./$$dir; \
		done; \
	done

##@ Measure

## bench: all benchmarks
bench:
	go test -run='^$$' -bench=. -benchmem ./...

## lab: measure every strategy, and naive clients, on a real engine, in some 40 minutes; with LAB_FLAGS=--quick in two
lab:
	GOEXPERIMENT=goroutineleakprofile go build -o dist/losslab ./cmd/losslab
	dist/losslab --out=dist/lab $(LAB_FLAGS)

## lab-docs: make docs/loss-analysis.md and the README's summary of what lab has measured
lab-docs:
	cp dist/lab/lab.json docs/lab.json
	go run ./cmd/losslab report --root .

## engine-facts: measure what Docker Engines do with logs, and make docs/engines.md of it; FACTS_FLAGS='--engines 28.5 --facts tail' does less
engine-facts:
	go run ./cmd/enginefacts $(FACTS_FLAGS)
	go run ./cmd/enginefacts report

##@ Tools

## tools: the pinned tools of internal/tools/go.mod
tools: $(TOOLS)/builder

$(TOOLS)/builder: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(TOOLS)
	cd internal/tools && go build -o $(TOOLS)/ tool
	@touch $@

## clean: removes dist/ and .tools/
clean:
	rm -rf dist .tools
