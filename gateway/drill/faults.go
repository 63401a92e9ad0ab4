package drill

import (
	"context"
	"fmt"
	"strings"
)

// Fault is something that goes wrong for a while.
type Fault struct {
	Name, About string
	start       func(ctx context.Context, s *stage) (end, error)
}

// end undoes what a fault did.
type end func(ctx context.Context) error

// Faults is all there are.
func Faults() []Fault {
	return []Fault{
		{"none", "nothing goes wrong", none},
		{"leader-kill", "kill -9 of the broker that leads, and its restart", leaderKill},
		{"all-kill", "kill -9 of all brokers, and their restart", allKill},
		{"unheard-kill", "brokers' answers stay away, then kill -9 of all brokers, and their restart", unheardKill},
		{"rolling-restart", "every broker is stopped in order and started again, one after the other", rollingRestart},
		{"broker-stop", "SIGSTOP of the broker that leads", brokerStop},
		{"all-stop", "SIGSTOP of all brokers", allStop},
		{"spool-full", "SIGSTOP of all brokers until a spool is full, and for a while", spoolFull},
		{"disk-full", "SIGSTOP of all brokers, and the gateway's writes to files fail, as on a full disk", diskFull},
		{"isr-lost", "kill -9 of two brokers of three, with min.insync.replicas=2", isrLost},
		{"isr-short", "min.insync.replicas=3 while a broker is down: not enough replicas", isrShort},
		{"controller-change", "the active controller is killed, and restarted", controllerChange},
		{"topic-recreate", "a topic is deleted, and created again", topicRecreate},
		{"partitions-add", "a topic is given more partitions", partitionsAdd},
		{"message-shrink", "a topic's max.message.bytes shrinks below some records", messageShrink},
		{"net-reset", "connections to the brokers are reset several times a second", netReset},
		{"net-closed", "connections to the brokers are accepted and closed, as by a load balancer without backends", netClosed},
		{"net-latency", "every piece to and from the brokers takes 150 ms", netLatency},
		{"net-slow", "connections to the brokers carry 20 kB/s", netSlow},
		{"net-halfopen", "brokers get requests, their answers do not come back, then connections are reset", netHalfOpen},
		{"net-blackhole", "nothing passes to and from the brokers, and comes late", netBlackhole},
		{"sender-clocks", "the senders' clocks are wrong: timestamps from 1970 to the day after tomorrow, which brokers refuse", senderClocks},
		{"gateway-term", "SIGTERM of the gateway, and its restart", gatewayTerm},
		{"gateway-kill", "kill -9 of the gateway, and its restart", gatewayKill},
	}
}

func namesOf(faults []Fault) []string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = f.Name
	}
	return names
}

// faultNames lists all names, for errors.
func faultNames() string { return strings.Join(namesOf(Faults()), ", ") }

func faultByName(name string) (Fault, error) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, nil
		}
	}
	return Fault{}, fmt.Errorf("no fault %q: there are %s", name, faultNames())
}

func none(context.Context, *stage) (end, error) { return nothing, nil }

func nothing(context.Context) error { return nil }
