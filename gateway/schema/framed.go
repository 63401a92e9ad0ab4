package schema

import (
	"context"
	"fmt"

	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

// checkFrame sees that a value has a frame with an id that the registry has, and that what follows is a value of that schema. When the
// registry does not answer for one record of a batch, it is not asked for the others.
func (p *part) checkFrame(value []byte, c *chosen) *record.Error {
	id, rest, ok := ParseFrame(value)
	if !ok {
		found := fmt.Sprintf("%d bytes", len(value))
		if len(value) >= frameSize {
			found = fmt.Sprintf("the byte 0x%02x", value[0])
		}
		p.stats.Mismatches.Add(1)
		return p.mismatch(&codec.ValueError{Want: "Confluent's frame: a zero byte and the 4 bytes of a schema's id", Found: found})
	}
	s, err := p.framedWith(id, c)
	if err != nil {
		p.count(err)
		return err
	}
	if !p.idOnly {
		if err := s.codec.Check(rest); err != nil {
			p.stats.Mismatches.Add(1)
			return s.mismatch(err)
		}
	}
	p.stats.Encodes[Framed].Add(1)
	return nil
}

// framedWith is the schema of an id, compiled if it is needed so. That of the record before is kept: most have the same.
func (p *part) framedWith(id int, c *chosen) (*Selection, *record.Error) {
	if c.schema != nil && c.schema.ID == id {
		return c.schema, nil
	}
	found, known := p.registry.byID.now(id)
	if !known {
		if c.err != nil {
			return nil, c.err
		}
		var err error
		if found, err = p.registry.ByID(context.Background(), id); err != nil {
			failed := asRecordError(err)
			if failed.Code == record.SchemaUnavailable {
				c.err = failed
			}
			return nil, failed
		}
	}
	if last := p.known.Load(); last != nil && last.schema == found {
		c.schema = last
		return last, nil
	}
	s := &Selection{ID: id, Format: found.Format, part: p.name, schema: found, stats: p.stats, quote: p.registry.cfg.QuoteValues}
	if !p.idOnly {
		var err error
		if s.codec, err = found.Codec(codec.Options{MaxDepth: p.registry.cfg.MaxDepth}); err != nil {
			failed := asRecordError(err)
			failed.Message += "; " + p.name + ".framed.verify = \"id\" takes what is behind the frame unseen"
			return nil, failed
		}
	}
	p.known.Store(s)
	c.schema = s
	return s, nil
}
