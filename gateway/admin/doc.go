// Package admin is the admin plane: metrics for Prometheus, liveness, and what the gateway knows of its topics. So far it
// changes nothing.
//
//	server.go   Server   listener, routes, time limits
//	topics.go   Gateway  what the gateway tells, and the answers made of it
//	problem.go           errors (RFC 9457), as on the data plane
//	host.go              who is answered while no credentials are asked for
//
//	GET /metrics         Prometheus' text format
//	GET /healthz         200 while the process answers; the body says how it is
//	GET /v1/topics       every topic in use: where it stands, without its settings
//	GET /v1/topics/{t}   one topic, with its effective settings and where each came from
//	GET /debug/pprof/{profile}  Go's profiles: profile, heap, goroutine, ...
package admin
