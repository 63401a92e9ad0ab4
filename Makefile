# Sugar for plain go commands; nothing needs it.
FUZZTIME ?= 60s

.PHONY: help build test race bench fuzz lint ci

help: ## what there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1	/' | expand -t 8

build: ## the binary, ./sluice
	go build ./cmd/sluice

test: ## all tests; those that want a real Kafka look for it
	go test ./...

race: ## the tests that need only Go, under the race detector
	go test -race -short ./...

bench: ## all benchmarks once
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzzer for FUZZTIME
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

lint: ## gofmt, go vet, golangci-lint
	.ci/run lint

ci: ## everything CI does
	.ci/run
