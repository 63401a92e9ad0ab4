// Package admin is the admin plane: metrics for Prometheus, liveness, what the gateway knows of its topics, and everything
// that is done with modules while it runs.
//
//	server.go   Server   listener, routes, time limits
//	request.go           how bodies and parameters are read
//	problem.go           errors (RFC 9457), as on the data plane, with codes of their own
//	host.go              who is answered while no credentials are asked for
//	topics.go   Gateway  what the gateway tells, and the answers made of it
//	modules.go           modules and versions as they are; stats.go is what they did
//	upload.go            new versions
//	rollout.go           which version runs
//	bind.go     Binding  which module a topic uses
//	try.go      Trial    runs of a version on records of a request; records.go reads those
//	logs.go              what guests log
//
//	GET /metrics         Prometheus' text format
//	GET /healthz         200 while the process answers; the body says how it is
//	GET /readyz          200 while records are accepted, as on the data plane
//	GET /v1/topics       every topic in use: where it stands, without its settings
//	GET /v1/topics/{t}   one topic, with its effective settings and where each came from, and its modules
//	PUT, DELETE /v1/topics/{t}/partitioner, /v1/topics/{t}/interceptors   bind {"module","config","on_error","instances",
//	                     "fallback"}; interceptors a list, with "routes" instead of "fallback"
//	GET /v1/modules, GET /v1/modules/{name}, DELETE /v1/modules/{name}
//	PUT /v1/modules/{name}                 upload (body: the .wasm; ?activate=true): 201, or 200 when these bytes are known
//	GET, DELETE /v1/modules/{name}/versions/{id}; GET .../wasm is the bytes; POST .../try runs it on records
//	PUT /v1/modules/{name}/active          {"version"} | {"version","canary_percent"} | {"version","shadow":true}
//	POST /v1/modules/{name}/rollback, POST /v1/modules/{name}/promote, DELETE /v1/modules/{name}/candidate
//	GET /v1/modules/{name}/logs            newest first (?limit, ?level); with Accept: text/event-stream as they come
//	GET /debug/pprof/{profile}  Go's profiles: profile, heap, goroutine, ...
//
// A version is named by its id, by at least six digits of that if no other version begins with them, or as "active". A module
// that the configuration names by its path is there under that path, with %2F for each slash.
package admin
