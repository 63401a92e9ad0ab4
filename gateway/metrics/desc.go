package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// desc is one line of the table: a metric.
type desc struct {
	name   string
	kafka  string // Kafka's own name; "" if Kafka's producer has no such metric
	group  string // of Kafka's name, the JMX type
	scope  scope
	typ    metricType
	unit   string
	help   string
	labels []string // beside those of the scope
	value  value    // of metrics that the producer's series have; nil for the gateway's own and the modules'
}

// metricType is a type of Prometheus' text format.
type metricType string

const (
	counter   metricType = "counter"
	gauge     metricType = "gauge"
	histogram metricType = "histogram"
)

// scope is what a metric is measured of.
type scope uint8

const (
	ofTopic   scope = iota // label topic
	ofOutcome              // labels topic, code and class
	ofClient               // label client_id
	ofCluster              // no label
	ofGateway              // labels of its own
	ofHook                 // labels module, version and hook
	ofVersion              // labels module and version
	ofBinding              // labels module and topic
	numScopes
)

// labelSeparator stands between the values of a scope's labels where they are one string; no value contains it.
const labelSeparator = "\x00"

// labels are those that all metrics of the scope have.
func (s scope) labels() []string {
	switch s {
	case ofTopic:
		return []string{"topic"}
	case ofOutcome:
		return []string{"topic", "code", "class"}
	case ofClient:
		return []string{"client_id"}
	case ofHook:
		return []string{"module", "version", "hook"}
	case ofVersion:
		return []string{"module", "version"}
	case ofBinding:
		return []string{"module", "topic"}
	default:
		return nil
	}
}

func (d *desc) labelNames() []string { return append(d.scope.labels(), d.labels...) }

// helpText is what a scrape shows: the meaning, the unit, and Kafka's name with its group.
func (d *desc) helpText() string {
	text := fmt.Sprintf("%s Unit: %s.", d.help, d.unit)
	if d.kafka == "" {
		return text
	}
	return fmt.Sprintf("%s Kafka: %s of %s.", text, d.kafka, d.group)
}

func (d *desc) prometheus() *prometheus.Desc {
	return prometheus.NewDesc(d.name, d.helpText(), d.labelNames(), nil)
}

func (t metricType) valueType() prometheus.ValueType {
	if t == counter {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}
