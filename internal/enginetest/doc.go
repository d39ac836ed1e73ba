// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package enginetest is a fake Docker Engine that a test can script: it serves the part of the Engine API that reads
// logs, with real frames, over a unix socket or over in-memory connections that live inside a testing/synctest bubble.
//
// What it answers was captured from Engine 20.10.24 (testdata holds some of it); what differs on Engine 29 and on Podman
// is a matter of the options. Everything that can go wrong with an engine can be switched on and off while it runs.
//
//	e := enginetest.New()
//	defer e.Close()
//	c := e.Add(enginetest.ContainerSpec{Name: "web", Running: true})
//	c.Write(enginetest.Stdout, "hello\n")
//	client := &http.Client{Transport: &http.Transport{DialContext: e.DialContext}}
//
// In a bubble, create and close the engine inside it.
package enginetest
