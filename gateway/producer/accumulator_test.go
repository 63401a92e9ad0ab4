package producer

import (
	"math/rand/v2"
	"sync"
	"testing"
)

func TestAccumulatorModel(t *testing.T) {
	a := newAccumulator()
	r := rand.New(rand.NewPCG(1, 2))
	var model []*group
	for range 2000 {
		if r.IntN(3) > 0 {
			g := &group{}
			if !a.push(g) {
				t.Fatal("push refused")
			}
			model = append(model, g)
			continue
		}
		for g := a.drain(); g != nil; g = g.next {
			if len(model) == 0 || g != model[0] {
				t.Fatal("a group came out of order, or twice")
			}
			model = model[1:]
		}
		if len(model) > 0 {
			t.Fatalf("%d groups were lost", len(model))
		}
	}
}

func TestAccumulatorHammer(t *testing.T) {
	const writers, each = 8, 5000
	a := newAccumulator()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if !a.push(&group{claim: claim{bytes: int64(w)}, gen: int64(i)}) {
					t.Error("push refused")
				}
			}
		})
	}
	next := make([]int64, writers)
	take := func(g *group) (n int) {
		for ; g != nil; g = g.next {
			if g.gen != next[g.claim.bytes] {
				t.Errorf("writer %d: group %d came, want %d", g.claim.bytes, g.gen, next[g.claim.bytes])
			}
			next[g.claim.bytes]++
			n++
		}
		return n
	}
	for got := 0; got < writers*each; {
		<-a.wake // a wake-up must come whenever something was left to drain
		for n := take(a.drain()); n > 0; n = take(a.drain()) {
			got += n
		}
	}
	wg.Wait()
	a.close()
	if a.push(&group{}) {
		t.Fatal("push after close")
	}
}

func BenchmarkAccumulator(b *testing.B) {
	a := newAccumulator()
	g := &group{}
	b.ReportAllocs()
	for b.Loop() {
		a.push(g)
		a.drain()
	}
}
