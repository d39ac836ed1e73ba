// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command healthcheck asks an URL and exits with 0 if the answer is 200, else with 1. It
// is the HEALTHCHECK of an image that has no shell:
//
//	healthcheck [URL]
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// status is goroutine_health's. It answers 503 when the verdict is critical.
const status = "http://localhost:13134/api/v1/status"

// timeout is below Docker's own default of 30 s, so that the reason is told.
const timeout = 10 * time.Second

func main() {
	url := status
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	if err := check(url); err != nil {
		fmt.Fprintln(os.Stderr, "unhealthy:", err)
		os.Exit(1)
	}
}

func check(url string) error {
	client := http.Client{Timeout: timeout}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	// Docker shows what is written here in docker inspect.
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
}
