// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"math"
	"time"
)

// histogram counts ages in buckets that grow by a twentieth, from a microsecond to hours: a quantile is right to 5 %, the
// greatest age exactly. It is small whatever the number of lines, as the process is measured for its memory.
type histogram struct {
	buckets [500]uint64
	count   uint64
	max     time.Duration
}

var growth = math.Log(1.05)

func (h *histogram) add(age time.Duration) {
	age = max(age, time.Microsecond)
	i := int(math.Log(float64(age)/float64(time.Microsecond)) / growth)
	h.buckets[min(i, len(h.buckets)-1)]++
	h.count++
	h.max = max(h.max, age)
}

// shares are those of the quantiles that are reported.
var shares = []float64{0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1}

func (h *histogram) quantiles() []Quantile {
	if h.count == 0 {
		return nil
	}
	var quantiles []Quantile
	i, below := 0, h.buckets[0]
	for _, share := range shares {
		rank := max(1, uint64(math.Ceil(share*float64(h.count))))
		for below < rank {
			i++
			below += h.buckets[i]
		}
		// The upper end of the bucket, which is never less than what is in it.
		age := time.Duration(math.Exp(float64(i+1)*growth) * float64(time.Microsecond))
		quantiles = append(quantiles, Quantile{Share: share, Age: min(age, h.max)})
	}
	return quantiles
}
