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

CONFIG ?= sekisho.yml
ARCH   ?= arm64
LAMBDA := -tags lambda.norpc -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: package
package: ## Build Lambda's zips, the policy among it: make package CONFIG=sekisho.yml
	@test -f "$(CONFIG)" || { echo "there is no $(CONFIG): write the policy first, or say where it is: make package CONFIG=…"; exit 1; }
	@$(GO) run ./bot/cmd/sekisho policy check "$(CONFIG)"
	@set -e; for arch in arm64 x86_64; do \
	  echo "$(BIN)/lambda-$$arch.zip"; \
	  for program in bootstrap sekisho; do \
	    CGO_ENABLED=0 GOOS=linux GOARCH=$${arch/x86_64/amd64} $(GO) build $(LAMBDA) -o $(BIN)/$$arch/$$program ./bot/cmd/$$program; \
	  done; \
	  $(GO) run ./infra/deploy/pack -o $(BIN)/lambda-$$arch.zip \
	    bootstrap=$(BIN)/$$arch/bootstrap sekisho=$(BIN)/$$arch/sekisho sekisho.yml="$(CONFIG)"; \
	done

.PHONY: deploy
deploy: ## Package, and deploy to Lambda by AWS SAM, which asks for the parameters the first time: make deploy CONFIG=… ARCH=arm64
	@case "$(ARCH)" in arm64|x86_64) ;; *) echo "ARCH is arm64 or x86_64, and not $(ARCH)"; exit 1;; esac
	@command -v sam >/dev/null || { echo "AWS SAM's command line is missing; how to install it:"; \
	  echo "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html"; exit 1; }
	@$(MAKE) --no-print-directory package
	@cp $(BIN)/lambda-$(ARCH).zip $(BIN)/lambda.zip
	@echo "The zip is for $(ARCH): let the parameter Architecture say the same."
	sam deploy $(if $(wildcard infra/deploy/samconfig.toml),,--guided) --template-file infra/deploy/template.yaml \
	  --capabilities CAPABILITY_NAMED_IAM

.PHONY: image
image: ## Build the image for both processors, and push it: make image IMAGE=registry.example.com/sekisho:1.0.0
	@test -n "$(IMAGE)" || { echo "say where it goes: make image IMAGE=registry.example.com/sekisho:1.0.0"; exit 1; }
	@set -e; for arch in arm64 amd64; do \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" \
	    -o $(BIN)/image/linux/$$arch/sekisho ./bot/cmd/sekisho; \
	done
	docker buildx build --platform linux/arm64,linux/amd64 --file infra/deploy/Dockerfile --tag "$(IMAGE)" --push $(BIN)/image

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
lint: lint-deploy ## Check the form of the code and of the templates: gofmt, vet, staticcheck, govulncheck, yamllint
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@$(MAKE) --no-print-directory vuln

.PHONY: lint-deploy
lint-deploy: setup ## Check the form of what is deployed
	yamllint --strict infra/deploy manifest.yml .goreleaser.yaml .yamllint
	@if command -v cfn-lint >/dev/null; then cfn-lint --ignore-checks W1030 -- infra/deploy/template.yaml infra/deploy/fargate.yaml; \
	else echo "cfn-lint is not installed; skipped"; fi # W1030 takes an empty default for a mistake

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
setup: ## Install what the tests and lint need and is missing: redis-server, Chromium, yamllint
	@missing=""; \
	command -v redis-server >/dev/null || missing="$$missing redis"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  test -d "/Applications/Google Chrome.app" || test -d /Applications/Chromium.app || missing="$$missing chromium"; \
	command -v yamllint >/dev/null || missing="$$missing yamllint"; \
	test -z "$$missing" && exit 0; \
	if command -v apt-get >/dev/null; then \
	  root=""; test "$$(id -u)" = 0 || root=sudo; \
	  echo "installing:$$missing"; \
	  $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends \
	    $$(echo "$$missing" | sed 's/redis/redis-server redis-tools/') fonts-noto-color-emoji >/dev/null; \
	elif command -v brew >/dev/null; then \
	  for p in $$missing; do brew install $$p; done; \
	else \
	  echo "please install with your system's packages:$$missing (redis-server, Chromium, yamllint)"; exit 1; \
	fi

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BIN)
