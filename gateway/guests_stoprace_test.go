package gateway

import (
	"testing"

	"sluice/gateway/registry"
)

func TestBindingChangesWhileItStops(t *testing.T) {
	c := fake(t)
	for i := range 30 {
		cfg, _ := guestConfig(t, c, "[topics.orders]\n[topics.other]\n", steer(t))
		r := serveConfig(t, cfg)
		r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := range 20 {
				_ = r.g.registry.SetInterceptors([]string{"orders", "other"}[n%2], []registry.Binding{{Module: "steer", Config: []byte([]string{`{"mark":"a"}`, `{"mark":"b"}`, `{"mark":"c"}`}[n%3])}})
			}
		}()
		if i%2 == 0 {
			<-done
		}
		r.clean()
		<-done
		if t.Failed() {
			return
		}
	}
}
