package drill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sluice/gateway/drill/check"
)

const (
	crampedBytes = 1 << 20 // the least that spool.max.bytes may be
	fullLimit    = time.Minute
	emptyLimit   = 3 * time.Minute
)

// spoolState is what the admin API says of a spool.
type spoolState struct {
	Waiting int64 `json:"waiting"`
	Bytes   int64 `json:"disk_bytes"`
	Max     int64 `json:"max_bytes"`
}

// spool asks for the spool of a topic.
func (g *gateway) spool(ctx context.Context, topic string) (spoolState, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin+"/v1/topics/"+topic, nil)
	if err != nil {
		return spoolState{}, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return spoolState{}, err
	}
	defer resp.Body.Close()
	var t struct{ Spool *spoolState }
	if err := json.NewDecoder(resp.Body).Decode(&t); err != nil {
		return spoolState{}, fmt.Errorf("topic %s: %w", topic, err)
	}
	if t.Spool == nil {
		return spoolState{}, fmt.Errorf("the gateway says nothing of a spool of %s: status %d", topic, resp.StatusCode)
	}
	return *t.Spool, nil
}

// spoolFull keeps all brokers stopped from before the small spool is full. Another fault may keep it from filling.
func spoolFull(ctx context.Context, s *stage) (end, error) {
	if err := s.pause(1, 2, 3); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, fullLimit)
	defer cancel()
	s.await(within, s.cramped, func(q spoolState) bool { return q.Bytes+2*bulkyRecord > q.Max })
	return s.resumed(1, 2, 3), ctx.Err()
}

// diskFull lets the gateway write to no file, when its spools have begun to fill. One that is started meanwhile can.
func diskFull(ctx context.Context, s *stage) (end, error) {
	if err := s.pause(1, 2, 3); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, fullLimit)
	defer cancel()
	s.await(within, s.cramped, func(q spoolState) bool { return q.Bytes > q.Max/4 })
	wake := s.resumed(1, 2, 3)
	if err := s.gateway.limitFiles(0); err != nil {
		return nil, errors.Join(err, wake(ctx))
	}
	return func(ctx context.Context) error { return errors.Join(s.gateway.limitFiles(-1), wake(ctx)) }, ctx.Err()
}

// await waits until the spool of a topic is like that. It is false if the context ends first.
func (s *stage) await(ctx context.Context, topic string, is func(spoolState) bool) bool {
	for poll := time.Tick(kafkaPoll); ; {
		if q, err := s.gateway.spool(ctx, topic); err == nil && is(q) {
			return true
		}
		select {
		case <-poll:
		case <-ctx.Done():
			return false
		}
	}
}

// emptied waits until the spools have nothing left. That they have is a finding.
func (r *round) emptied(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, emptyLimit)
	defer cancel()
	for _, topic := range []string{r.stage.spooled, r.stage.cramped} {
		if !r.stage.await(within, topic, func(q spoolState) bool { return q.Waiting == 0 }) {
			r.findings = append(r.findings, check.Finding{
				Rule: "recovery", Detail: fmt.Sprintf("%v after everything is up again, the spool of %s is not empty", emptyLimit, topic),
			})
		}
	}
	return ctx.Err()
}
