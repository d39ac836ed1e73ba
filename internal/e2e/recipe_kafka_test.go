// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/plog"
)

// startKafka starts a fake broker with a topic of several partitions, and a consumer that keeps in a backend what comes. It
// returns the broker's address.
func startKafka(t testing.TB, topic string, b *backend) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, topic))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	address := cluster.ListenAddrs()[0]
	consumer, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var consuming sync.WaitGroup
	consuming.Go(func() { consume(ctx, consumer, b) })
	t.Cleanup(func() {
		cancel()
		consuming.Wait()
		consumer.Close()
	})
	return address
}

// consume reads messages until the context ends. What is of one container has to be in one partition.
func consume(ctx context.Context, consumer *kgo.Client, b *backend) {
	partitions := make(map[any]int32) // by container
	var decoder plog.ProtoUnmarshaler
	for {
		fetches := consumer.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		fetches.EachError(func(_ string, _ int32, err error) { b.fail(err) })
		fetches.EachRecord(func(message *kgo.Record) {
			data, err := decoder.UnmarshalLogs(message.Value)
			if err != nil {
				b.fail(err)
				return
			}
			for _, r := range recordsIn(data) {
				container := r["resource"].(map[string]any)["container.name"]
				if p, known := partitions[container]; known && p != message.Partition {
					b.fail(fmt.Errorf("%v is in the partitions %d and %d", container, p, message.Partition))
				}
				partitions[container] = message.Partition
				r["topic"] = message.Topic
				b.keep(r)
			}
		})
	}
}

// TestRecipeKafkaLongLines has more wait than fits into a message, in lines that are as long as the recipe lets them be.
func TestRecipeKafkaLongLines(t *testing.T) {
	base, recipes := readRecipes(t)
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.title == "Kafka" })
	require.GreaterOrEqual(t, i, 0)
	r := recipes[i]
	r.lines = nil
	const lines = 40
	for n := range lines {
		r.lines = append(r.lines, recipeLine{container: "shop-web-1", text: fmt.Sprintf("%02d%s", n, strings.Repeat("x", 256<<10-2))})
	}
	k := kitchen{recipe: r, base: recipe{title: "the top", config: base}}
	records := k.run(t, []string{base, r.config})
	require.Len(t, records, lines)
	for n, record := range records {
		assert.True(t, record["body"] == r.lines[n].text, "line %d, in order", n) // not Equal: what it would print
	}
}
