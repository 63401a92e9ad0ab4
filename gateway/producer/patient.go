package producer

import (
	"errors"
	"math"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// clientKey says which topics share a client.
type clientKey struct {
	config.Producer // client-wide

	patient bool
}

// patientBlock is how long an Append of a patient topic waits for room or for metadata before it is refused.
const patientBlock = time.Minute

// Patient makes the producing side of a topic for records that are safe elsewhere: they have no delivery.timeout.ms and no limit
// of retries, so that an idempotent producer carries them through an outage of any length without storing one twice. It has a client
// of its own, because the deadline of one record ends all that kgo holds of its partition; and a budget of its own, of half of
// buffer.memory and buffer.records, so that it takes no room from requests that wait. It is to be closed with Retire.
func (c *Cluster) Patient(cfg config.Topic) (*Topic, error) {
	p := &cfg.Producer
	p.BufferMemory = max(p.BufferMemory/2, 2*int64(p.MaxRequestSize)+minPatientMemory)
	if p.BufferRecords > 0 {
		p.BufferRecords = max(p.BufferRecords/2, 1)
	}
	p.MaxBlock, p.DeliveryTimeout, p.Retries = patientBlock, endless, math.MaxInt32
	return c.topic(cfg, true)
}

// minPatientMemory is room beside the largest record, for what is charged with it.
const minPatientMemory = 1 << 20

// errBehind is the error of records of a patient topic that go back unsent.
var errBehind = errors.New("a record before it has to be sent again first")

// turn notes that a record of a patient topic goes back to its owner, who sends it again. So do all behind it that kgo does not have
// yet, until Resume, or they would overtake it. A record that is at fault itself is not sent again.
func (t *Topic) turn(code record.Code) {
	if t.client.key.patient && code != record.RecordTooLarge && code != record.InvalidRecord {
		t.turning.Store(true)
	}
}

// Resume ends that. The owner of a patient topic calls it when it has the Acks of all that it appended, and before it sends again what came
// back: who knows only that all are answered does not know yet which have to come first.
func (t *Topic) Resume() { t.turning.Store(false) }
