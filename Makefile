# Targets that a person uses: build, run, image, test, generate, lint, bench, lab.

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

.PHONY: all build run image test generate lint bench lab lab-docs tools clean
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
## test: everything; with a Docker Engine's dockerd on the PATH and as root, against a real engine too
test: build
	go vet ./...
	DOCKERLOGS_COLLECTOR=$(CURDIR)/$(BINARY) GOEXPERIMENT=goroutineleakprofile go test -race -p 1 -timeout=$(TEST_TIMEOUT) ./...

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

## tools: the pinned tools of internal/tools/go.mod
tools: $(TOOLS)/builder

$(TOOLS)/builder: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(TOOLS)
	cd internal/tools && go build -o $(TOOLS)/ tool
	@touch $@

clean:
	rm -rf dist .tools
