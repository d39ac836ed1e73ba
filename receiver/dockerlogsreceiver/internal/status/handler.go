// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

//go:embed page.html
var pageHTML string

// page is the whole page: it loads nothing but the API.
var page = webui.Page(pageHTML)

// Handler serves the page and the API.
func (b *Board) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.HandleFunc("GET /api/v1/containers", b.serveList)
	mux.HandleFunc("GET /api/v1/containers/{id}", b.serveOne)
	return mux
}

func (b *Board) serveList(w http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r.URL.Query())
	if err != nil {
		webui.Answer(w, http.StatusBadRequest, Problem{err.Error()})
		return
	}
	webui.Answer(w, http.StatusOK, b.List(query))
}

func (b *Board) serveOne(w http.ResponseWriter, r *http.Request) {
	one, err := b.One(r.PathValue("id"))
	if err != nil {
		webui.Answer(w, http.StatusNotFound, Problem{err.Error()})
		return
	}
	webui.Answer(w, http.StatusOK, one)
}

// Query says which containers are asked for. The zero value asks for all.
type Query struct {
	Name     string // is part of the container's, in lower case
	State    State
	Strategy string
	Offset   int
	Limit    int // 0 = none
}

func (q Query) admits(c Container) bool {
	return (q.State == "" || c.State == q.State) &&
		(q.Strategy == "" || c.Strategy == q.Strategy) &&
		strings.Contains(strings.ToLower(c.Name), q.Name)
}

func queryOf(values url.Values) (q Query, err error) {
	var errs []error
	number := func(key string) int {
		text := values.Get(key)
		if text == "" {
			return 0
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not a number", key, text))
		} else if n < 0 {
			errs = append(errs, fmt.Errorf("%s: must not be negative, is %d", key, n))
		}
		return n
	}
	q = Query{
		Name: strings.ToLower(values.Get("name")), State: State(values.Get("state")), Strategy: values.Get("strategy"),
		Offset: number("offset"), Limit: number("limit"),
	}
	if q.State != "" && !slices.Contains(States, q.State) {
		errs = append(errs, fmt.Errorf("state: %q is not one of %v", q.State, States))
	}
	if q.Strategy != "" && !strategy.Name(q.Strategy).Valid() {
		errs = append(errs, fmt.Errorf("strategy: %q is not %s", q.Strategy, strategy.Names))
	}
	return q, errors.Join(errs...)
}
