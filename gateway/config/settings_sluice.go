package config

import "math"

// The defaults of listeners are loopback addresses: nothing is open to the network unless the file says so.
const (
	defaultHTTP     = "127.0.0.1:8080"
	defaultAdmin    = "127.0.0.1:8081"
	defaultEmbedded = "127.0.0.1:9092"
)

func topLevelSettings() []Setting {
	return []Setting{{
		Name: "shutdown.timeout.ms", Type: Millis, Default: int64(30000), Max: maxMs, Support: Works,
		Doc:  "How long a stop waits for requests and unsent records before it gives them up. Spools go on sending for three quarters of it.",
		into: func(t target) any { return &t.c.ShutdownTimeout },
	}}
}

func embeddedSettings() []Setting {
	return []Setting{
		{
			Section: "embedded", Name: "listen", Type: String, Default: defaultEmbedded, Support: Works,
			Doc:  "Where the in-process broker listens, host:port; port 0 takes a free one.",
			into: func(t target) any { return &t.c.Embedded.Listen },
		},
		{
			Section: "embedded", Name: "data.dir", Type: String, Default: "data", Support: Works,
			Doc:  `Where the in-process broker keeps its records; "" keeps them in memory only.`,
			into: func(t target) any { return &t.c.Embedded.DataDir },
		},
		{
			Section: "embedded", Name: "num.partitions", Type: Int, Default: int64(3), Min: 1, Max: 1000, Support: Works,
			Doc:  "Partitions of a topic that the in-process broker creates.",
			into: func(t target) any { return &t.c.Embedded.NumPartitions },
		},
	}
}

func httpSettings() []Setting {
	return append([]Setting{
		{
			Section: "http", Name: "listen", Type: String, Default: defaultHTTP, Support: Works,
			Doc:  "Where senders connect, host:port.",
			into: func(t target) any { return &t.c.HTTP.Listen },
		},
		{
			Section: "http", Name: "read.buffer.bytes", Type: Bytes, Default: int64(16384), Min: 1024, Max: 1 << 24, Support: Works,
			Doc:  "The request line and all HTTP headers must fit into it; held once per connection.",
			into: func(t target) any { return &t.c.HTTP.ReadBufferBytes },
		},
		{
			Section: "http", Name: "max.connections", Type: Int, Default: int64(10000), Min: 1, Max: maxInt, Support: Works,
			Doc:  "Connections of senders that are open at once; further ones are refused.",
			into: func(t target) any { return &t.c.HTTP.MaxConnections },
		},
		{
			Section: "http", Name: "read.timeout.ms", Type: Millis, Default: int64(30000), Min: 1, Max: maxMs, Support: Works,
			Doc:  "How long a sender may take for a whole request; then 408.",
			into: func(t target) any { return &t.c.HTTP.ReadTimeout },
		},
		{
			Section: "http", Name: "write.timeout.ms", Type: Millis, Default: int64(30000), Min: 1, Max: maxMs, Support: Works,
			Doc:  "How long a sender may take to read an answer; then the connection is closed.",
			into: func(t target) any { return &t.c.HTTP.WriteTimeout },
		},
		{
			Section: "http", Name: "idle.timeout.ms", Type: Millis, Default: int64(120000), Min: 1, Max: maxMs, Support: Works,
			Doc:  "How long a connection may stay open between two requests.",
			into: func(t target) any { return &t.c.HTTP.IdleTimeout },
		},
	}, append(httpLimits(), idempotencySettings()...)...)
}

func httpLimits() []Setting {
	return []Setting{
		{
			Section: "http", Name: "max.body.bytes", Type: Bytes, Default: int64(4 << 20), Min: 1, Max: 1 << 30, Support: Works,
			Doc:  "The largest request body as sent, compressed or not; a larger one is refused with 413.",
			into: func(t target) any { return &t.c.HTTP.MaxBodyBytes },
		},
		{
			Section: "http", Name: "max.inflated.bytes", Type: Bytes, Default: int64(16 << 20), Min: 1, Max: 1 << 30, Support: Works,
			Doc:  "What a compressed body may inflate to; at least max.body.bytes.",
			into: func(t target) any { return &t.c.HTTP.MaxInflatedBytes },
		},
		{
			Section: "http", Name: "max.records.per.request", Type: Int, Default: int64(10000), Min: 1, Max: maxInt, Support: Works,
			Doc:  "How many records one request may carry.",
			into: func(t target) any { return &t.c.HTTP.MaxRecordsPerRequest },
		},
		{
			Section: "http", Name: "max.record.headers", Type: Int, Default: int64(64), Max: 10000, Support: Works,
			Doc:  "How many headers one record may have; 0 allows none.",
			into: func(t target) any { return &t.c.HTTP.MaxHeaders },
		},
		{
			Section: "http", Name: "max.record.header.bytes", Type: Bytes, Default: int64(16384), Max: 1 << 30, Support: Works,
			Doc:  "Names and values of one record's headers together; at most max.inflated.bytes.",
			into: func(t target) any { return &t.c.HTTP.MaxHeaderBytes },
		},
		{
			Section: "http", Name: "receive.memory", Type: Bytes, Default: int64(64 << 20), Min: 1, Max: math.MaxInt64, Support: Works,
			Doc:  "Request bodies that are being received, all connections together; at least max.body.bytes.",
			into: func(t target) any { return &t.c.HTTP.ReceiveMemory },
		},
	}
}

func adminSettings() []Setting {
	return []Setting{
		{
			Section: "admin", Name: "listen", Type: String, Default: defaultAdmin, Support: Works,
			Doc:  "Where metrics and the admin API are served, host:port; a loopback address, because it asks for no credentials.",
			into: func(t target) any { return &t.c.Admin.Listen },
		},
		{
			Section: "admin", Name: "read.timeout.ms", Type: Millis, Default: int64(60000), Min: 1, Max: maxMs, Support: Works,
			Doc:  "How long a client may take to send the body of a request, such as a module; then 408.",
			into: func(t target) any { return &t.c.Admin.ReadTimeout },
		},
	}
}

func logSettings() []Setting {
	return []Setting{
		{
			Section: "log", Name: "level", Type: Enum, Default: "info", Values: []string{"debug", "info", "warn", "error"},
			Doc: "The least important lines that are logged.", Support: Works,
			into: func(t target) any { return &t.c.Log.Level },
		},
		{
			Section: "log", Name: "format", Type: Enum, Default: "text", Values: []string{"text", "json"},
			Doc: "How a line is written to standard error.", Support: Works,
			into: func(t target) any { return &t.c.Log.Format },
		},
	}
}
