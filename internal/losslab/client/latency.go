// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"math"
	"time"
)

// histogram counts ages in buckets that grow by a twentieth, from a microsecond to hours, so
// that quantiles are right to 5 %, and the greatest age exactly. Its size does not depend on
// the number of lines, because the memory of the process is measured.
type histogram struct {
	buckets [500]uint64
	count   uint64
	max     time.Duration
}

var bucketGrowth = math.Log(1.05)

func (h *histogram) add(age time.Duration) {
	age = max(age, time.Microsecond)
	i := int(math.Log(float64(age)/float64(time.Microsecond)) / bucketGrowth)
	h.buckets[min(i, len(h.buckets)-1)]++
	h.count++
	h.max = max(h.max, age)
}

// shares are the quantiles to report.
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
		// The upper end of the bucket.
		age := time.Duration(math.Exp(float64(i+1)*bucketGrowth) * float64(time.Microsecond))
		quantiles = append(quantiles, Quantile{Share: share, Age: min(age, h.max)})
	}
	return quantiles
}
