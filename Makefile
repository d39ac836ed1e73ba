# Targets that a person uses: build, run, image, test, engines, test-engines, generate, lint, bench, lab.

BINARY  := dist/otelcol-dockerlogs
TOOLS   := $(CURDIR)/.tools
VERSION := $(shell sed -n 's/^  version: //p' builder-config.yaml)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

# The distribution finds goroutines that can never wake with this runtime profile.
DIST_ENV   := CGO_ENABLED=0 GOEXPERIMENT=goroutineleakprofile
DIST_FLAGS := -s -w
SOURCES    := $(shell git ls-files -co --exclude-standard -- '*.go' go.mod go.sum builder-config.yaml 2>/dev/null)

# A test may start engines, containers and the distribution: minutes, not seconds.
TEST_TIMEOUT ?= 30m

# Engines to bring, and to test with; .ci/run takes one of them.
ENGINES ?= docker-20.10 docker-26.1 docker-28.5 podman-4 podman-5

.PHONY: all build run image test engines test-engines generate lint bench lab lab-docs engine-facts tools clean
all: build

## build: make dist/otelcol-dockerlogs
build: $(BINARY)

$(BINARY): $(SOURCES) | $(TOOLS)/builder
	$(DIST_ENV) $(TOOLS)/builder --config=builder-config.yaml --ldflags='$(DIST_FLAGS)'

## run: build and start the distribution with otelcol-config.yaml
run: build
	$(BINARY) --config=otelcol-config.yaml

dist/healthcheck: cmd/healthcheck/main.go go.mod
	@mkdir -p $(@D)
	CGO_ENABLED=0 go build -trimpath -ldflags='$(DIST_FLAGS)' -o $@ ./cmd/healthcheck

## image: the image of deploy/compose.yaml, from dist/; downloads no other image
image: build dist/healthcheck
	docker build --target=prebuilt --file=deploy/Dockerfile --tag=otelcol-dockerlogs:$(VERSION) .

# One package at a time: those with real engines measure nothing but want them to keep up.
## test: everything; with a Docker Engine's dockerd on the PATH and as root, against a real engine too, and against 28.5 if make engines has brought it
test: build
	go vet ./...
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

## generate: all generated files
generate: tools
	PATH="$(TOOLS):$$PATH" go generate ./...

## lint: formatting and static analysis
lint: tools
	@test -z "$$($(TOOLS)/gofumpt -l . | grep -v ^dist/ | tee /dev/stderr)"
	go vet ./...
	$(TOOLS)/staticcheck ./...

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

## tools: the pinned tools of internal/tools/go.mod
tools: $(TOOLS)/builder

$(TOOLS)/builder: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(TOOLS)
	cd internal/tools && go build -o $(TOOLS)/ tool
	@touch $@

clean:
	rm -rf dist .tools
