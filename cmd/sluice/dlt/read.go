package dlt

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Read calls each with the records of any topic, from at on if that is given, and at most limit of them; 0 is all.
func (c *Cluster) Read(ctx context.Context, name string, at *Position, limit int, each func(at Position, key, value []byte) error) error {
	t, err := c.open(ctx, name, &Filter{At: at})
	if err != nil {
		return err
	}
	n := 0
	for i := range t.parts {
		err := t.records(ctx, &t.parts[i], func(r *kgo.Record) error {
			if err := each(Position{r.Partition, r.Offset}, r.Key, r.Value); err != nil {
				return err
			}
			if n++; n == limit {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
