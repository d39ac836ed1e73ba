// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package verdict

import "slices"

// slope is the Theil-Sen estimate of the growth per minute: the median of the slopes
// between all pairs of samples. Up to 29 % of the samples may be anything, a burst of
// requests or a step, and it does not move far, where a least-squares fit would.
func slope(samples []Sample) float64 {
	slopes := make([]float64, 0, len(samples)*(len(samples)-1)/2)
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			if minutes := b.At.Sub(a.At).Minutes(); minutes > 0 {
				slopes = append(slopes, float64(b.Excess-a.Excess)/minutes)
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	slices.Sort(slopes)
	middle := len(slopes) / 2
	if len(slopes)%2 == 1 {
		return slopes[middle]
	}
	return (slopes[middle-1] + slopes[middle]) / 2
}
