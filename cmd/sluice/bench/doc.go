// Package bench is `sluice bench`: load over many keep-alive connections, and the comparisons by which the gateway's
// speed and memory are judged.
//
// It has four ways to run:
//
//	sluice bench [URL...]     one load against a running gateway, or side by side against several
//	sluice bench --limit      Sluice beside its two limits: a fasthttp server that does nothing, and kgo in a tight loop
//	sluice bench --overload   the peak, then twice the peak at max.block.ms=0: goodput, refusals, memory over the budget
//	sluice bench --idle N     memory per idle connection
//
// The last three start everything they need as child processes of the same binary (the broker is kfake without storage,
// unless --bootstrap-servers names a real one), so that the CPU of each party is its own and can be read from the system.
// Every figure is a ratio or comes with the figure of a contender measured in the same run: absolute figures depend on
// the machine, and here the generator shares the machine with what it measures.
//
// A request's latency is measured from the moment it was due, not from the moment a connection was free to send it. At a
// fixed rate that includes the time it had to wait behind a slow server (no "coordinated omission"); without a rate, a
// connection's next request is due when its last one was answered.
//
// Goroutines: one per connection, plus the progress printer; all of them end before the call that started them returns.
// Children are stopped by the function that started them, on success, error and cancellation alike.
package bench
