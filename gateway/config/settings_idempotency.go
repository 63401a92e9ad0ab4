package config

import "time"

// Idempotency is the keys of [http] about Idempotency-Key.
type Idempotency struct {
	Enabled        bool          // idempotency.enabled
	MaxBytes       int64         // idempotency.max.bytes: all keys and answers together
	MaxAnswerBytes int           // idempotency.answer.max.bytes
	MaxKeyBytes    int           // idempotency.key.max.bytes
	TTL            time.Duration // idempotency.ttl.ms
}

// minAnswer is what there is always room for: a summary of an answer.
const minAnswer = 1024

func idempotencySettings() []Setting {
	row := func(name string, t Type, def, smallest, largest int64, doc string, into func(*Idempotency) any) Setting {
		return Setting{
			Section: "http", Name: name, Type: t, Default: def, Min: smallest, Max: largest, Doc: doc, Support: Works,
			into: func(t target) any { return into(&t.c.HTTP.Idempotency) },
		}
	}
	return []Setting{
		{
			Section: "http", Name: "idempotency.enabled", Type: Bool, Default: true, Support: Works,
			Doc:  "Remember answers by the Idempotency-Key of their requests; false refuses requests that have one with 400.",
			into: func(t target) any { return &t.c.HTTP.Idempotency.Enabled },
		},
		row("idempotency.max.bytes", Bytes, 64<<20, 65536, 1<<40,
			"Keys and answers that are remembered; the oldest answers go first, and when requests in progress have all of it, 503.",
			func(i *Idempotency) any { return &i.MaxBytes }),
		row("idempotency.answer.max.bytes", Bytes, 65536, minAnswer, 1<<30,
			"The largest answer that is remembered whole; of a larger one, status and counts are. At most idempotency.max.bytes.",
			func(i *Idempotency) any { return &i.MaxAnswerBytes }),
		row("idempotency.key.max.bytes", Bytes, 255, 1, 8192, "The longest Idempotency-Key.",
			func(i *Idempotency) any { return &i.MaxKeyBytes }),
		row("idempotency.ttl.ms", Millis, 3_600_000, 1, maxMs,
			"How long an answer is remembered, unless idempotency.max.bytes is used up before.",
			func(i *Idempotency) any { return &i.TTL }),
	}
}
