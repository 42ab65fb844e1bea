# Everything a developer or CI calls. `make` lists it.

SHELL      := bash
GO         ?= go
BIN        := bin
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
RELEASE    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the bot in a world of its own and print the address of its page
	@echo "Building; the first time this takes a few minutes (AWS's SDK is large)."
	@$(GO) run ./bot/cmd/sekisho demo

.PHONY: build
build: ## Build the program, and its Lambda form, into bin/
	$(RELEASE) -o $(BIN)/sekisho ./bot/cmd/sekisho
	$(RELEASE) -tags lambda.norpc -o $(BIN)/bootstrap ./bot/cmd/bootstrap

.PHONY: test
test: setup ## Run every test with the race detector
	CI=$${CI:-true} $(GO) test -race -timeout 20m ./...

.PHONY: fuzz
fuzz: ## Run each fuzz target for a minute (FUZZTIME=10s for less)
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for t in $$(grep -ohE '^func Fuzz\w+' $$f | awk '{print $$2}'); do \
	    echo "== $$t"; $(GO) test -run '^$$' -fuzz "^$$t$$" -fuzztime $(or $(FUZZTIME),60s) ./$$(dirname $$f); \
	  done; done

.PHONY: lint
lint: ## Check the form of the code: gofmt, vet, staticcheck, govulncheck
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@$(MAKE) --no-print-directory vuln

.PHONY: vuln
vuln:
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1) && echo "$$out" | tail -n 1 || \
	  case "$$out" in \
	    *"dial tcp"*|*"no such host"*|*"Forbidden"*|*"connection refused"*|*"i/o timeout"*|*"fetching vulnerabilities"*) \
	      echo "govulncheck: its database cannot be reached from here; skipped";; \
	    *) echo "$$out"; exit 1;; \
	  esac

.PHONY: bench
bench: setup ## Measure, each pair side by side in one run
	@$(GO) run ./bot/cmd/bench

.PHONY: manifest-http
manifest-http: ## Print the Slack manifest for the http door: make manifest-http URL=https://…
	@test -n "$(URL)" || { echo "say where: make manifest-http URL=https://sekisho.example.com"; exit 1; }
	@sed -e '1,3d' \
	  -e 's|^\(    - command: .*\)|\1\n      url: $(URL:/=)/slack/commands|' \
	  -e 's|^    is_enabled: true|&\n    request_url: $(URL:/=)/slack/interactions|' \
	  -e 's|^  event_subscriptions:|&\n    request_url: $(URL:/=)/slack/events|' \
	  -e 's|socket_mode_enabled: true|socket_mode_enabled: false|' manifest.yml

.PHONY: setup
setup: ## Install what the tests need and is missing: redis-server and Chromium
	@missing=""; \
	command -v redis-server >/dev/null || missing="$$missing redis"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  test -d "/Applications/Google Chrome.app" || test -d /Applications/Chromium.app || missing="$$missing chromium"; \
	test -z "$$missing" && exit 0; \
	if command -v apt-get >/dev/null; then \
	  root=""; test "$$(id -u)" = 0 || root=sudo; \
	  echo "installing:$$missing"; \
	  $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends \
	    $$(echo "$$missing" | sed 's/redis/redis-server redis-tools/') fonts-noto-color-emoji >/dev/null; \
	elif command -v brew >/dev/null; then \
	  for p in $$missing; do brew install $$p; done; \
	else \
	  echo "please install with your system's packages:$$missing (redis-server and Chromium)"; exit 1; \
	fi

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BIN)
