package guest

import (
	"sluice/gateway/record"
)

// copyOf is a call with the same records, before any guest has seen them. What a shadow returns is kept apart from the
// memory of the batch, which is charged to a topic.
func (m *Bound) copyOf(b *record.Batch, c *call) *call {
	s := m.calls.take(b)
	s.Now = c.Now
	s.Topics = append(s.Topics, c.Topics...)
	s.Records = append(s.Records, c.Records...)
	s.index = append(s.index, c.index...)
	return s
}

// compare has the shadow work on its copy and counts where it differs.
func (m *Bound) compare(r *rollout, active, shadow *call) {
	own := shadow.Alloc
	shadow.Alloc = func(n int) []byte { return make([]byte, n) }
	defer func() { shadow.Alloc = own }()
	m.run(r.candidate, shadow)
	differ := int64(0)
	for i := range shadow.Records {
		if !same(&active.Records[i], &shadow.Records[i]) {
			differ++
		}
	}
	m.Stats.Compared.Add(int64(len(shadow.Records)))
	m.Stats.Differed.Add(differ)
	r.judge(shadow.Records)
}
