// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWords(t *testing.T) {
	assert.Equal(t, "7", Count(7))
	assert.Equal(t, "123", Count(123))
	assert.Equal(t, "1,234,567", Count(1234567))
	assert.Equal(t, "0 %", Percent(0))
	assert.Equal(t, "0.004 %", Percent(0.00004))
	assert.Equal(t, "7.3 %", Percent(0.0732))
	assert.Equal(t, "46 %", Percent(0.4648))
}
