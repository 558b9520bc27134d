# `make` lists what can be done.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
TOOLS := go tool -modfile=.ci/tools/go.mod

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## run the whole cycle against an invented practice and prescriber
	go run ./cmd/kaphub demo --once

.PHONY: build
build: ## build the binary into ./kaphub
	CGO_ENABLED=0 go build -trimpath -o kaphub ./cmd/kaphub

.PHONY: test
test: needs ## install what the tests need, then vet and test with the race detector, then the console in a real browser
	go vet ./...
	go test -race -shuffle=on -timeout 60m ./...
	KAPHUB_BROWSER=1 go test -count=1 -timeout 40m -run 'Browser$$' ./cmd/kaphub

.PHONY: needs
needs: # PostgreSQL's binaries, where they can be had
	@.ci/needs

.PHONY: lint
lint: ## golangci-lint and gofmt
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(TOOLS) golangci-lint run ./...

.PHONY: vuln
vuln: ## known vulnerabilities, where the database can be reached
	@$(TOOLS) govulncheck ./... || { code=$$?; if [ $$code -eq 3 ]; then exit 3; fi; echo "skipped: the vulnerability database cannot be reached from here"; }

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@.ci/fuzz $${FUZZTIME:-30s}

.PHONY: faults
faults: ## SCHEDULES (1000) random schedules of faults between the hub and both sides; after each both must agree
	KAPHUB_SCHEDULES=$${SCHEDULES:-1000} go test -count=1 -timeout 3h -run TestAfterAnyFaultBothSidesAgree -v ./cmd/kaphub | grep -v '^ *\(===\|---\)'

.PHONY: simulate
simulate: ## CLIENT_DAYS (1000000) of whole lives against an oracle that knows the truth; then each rule and gate broken on purpose
	KAPHUB_CLIENT_DAYS=$${CLIENT_DAYS:-1000000} go test -count=1 -timeout 3h -run 'TestNoLifeIsUnsafelyReady|TestEveryMutationIsNoticed' -v ./fhir/readiness | grep -v '^ *\(===\|---\)'

.PHONY: bench
bench: ## Go benchmarks, readable by benchstat; then the ratios in one run
	go test -run '^$$' -bench . -benchmem -count=$${COUNT:-1} ./fhir/... ./jobs/...

.PHONY: ratios
ratios: ## the ratios the project promises, measured in one run
	@.ci/ratios

.PHONY: interop
interop: build ## the loop against independent FHIR and authorisation servers (needs node)
	@.ci/interop/run

.PHONY: mail
mail: build ## notices against an independent mail server (needs node)
	@.ci/mail/run

.PHONY: screenshots
screenshots: needs ## the README's pictures of the console, made of the demo
	@mkdir -p cmd/kaphub/screens
	KAPHUB_BROWSER=1 KAPHUB_SCREENSHOTS=$(CURDIR)/cmd/kaphub/screens go test -count=1 -run TestScreenshots ./cmd/kaphub

.PHONY: generate
generate: ## sqlc
	go generate ./...
