package abi

// Module names of imports and the marker export.
const (
	Module = "sluice_v1"
	Marker = "sluice_abi_v1"
	Alloc  = "sluice_alloc"
)

// Header: 32 bytes at the start of an input.
const (
	HeaderSize = 32

	HdrMagic    = 0  // u32: BatchMagic or AcksMagic
	HdrSize     = 4  // u32: bytes of the whole input
	HdrCount    = 8  // u32: records
	HdrRecords  = 12 // u32: address of the first record
	HdrTopics   = 16 // u32: address of the first topic
	HdrNTopics  = 20 // u32: topics
	HdrFlags    = 24 // u32: DryRun
	HdrProgress = 28 // u32: written by the guest: index of the record it works on

	BatchMagic = 0x31424c53 // "SLB1"
	AcksMagic  = 0x31414c53 // "SLA1"

	DryRun = 1 // nothing of what the guest does is used
)

// Topic: 16 bytes.
const (
	TopicSize = 16

	TopicName       = 0  // u32
	TopicNameLen    = 4  // u32
	TopicPartitions = 8  // i32: number of partitions; 0 when not known (in on_send)
	TopicReserved   = 12 // u32: 0
)

// Record: 64 bytes.
const (
	RecordSize = 64

	RecKey         = 0  // u32
	RecKeyLen      = 4  // i32: -1 = null
	RecValue       = 8  // u32
	RecValueLen    = 12 // i32: -1 = null
	RecHeaders     = 16 // u32: address of the first header
	RecHeaderCount = 20 // u32
	RecTimestamp   = 24 // i64: Unix milliseconds, -1 = when it is sent
	RecTopic       = 32 // u32: index of its topic
	RecPartition   = 36 // i32: -1 = not chosen
	RecFlags       = 40 // u32: Flag*, written by the guest
	RecRouteLen    = 44 // u32
	RecRoute       = 48 // u32: name of the topic to go to, with FlagRoute
	RecReserved    = 52 // u32: 0
	RecCookie      = 56 // u64: the guest's own
)

// What a guest changed in a record. Only what is flagged is read back.
const (
	FlagKey       = 1
	FlagValue     = 2
	FlagHeaders   = 4
	FlagTimestamp = 8
	FlagRoute     = 16
	FlagDrop      = 32

	AllFlags = 63
)

// KeyValue: 16 bytes, one header of a record.
const (
	KeyValueSize = 16

	KVKey      = 0  // u32
	KVKeyLen   = 4  // u32
	KVValue    = 8  // u32
	KVValueLen = 12 // i32: -1 = null
)

// Ack: 64 bytes.
const (
	AckSize = 64

	AckCookie     = 0  // u64
	AckTopic      = 8  // u32
	AckTopicLen   = 12 // u32
	AckPartition  = 16 // i32: -1 = never chosen
	AckError      = 20 // i32: Kafka's error code, 0 = stored, -1 = an error that Kafka has no code for
	AckOffset     = 24 // i64: -1 = not stored or not known
	AckTimestamp  = 32 // i64: Unix milliseconds, -1 = not stored
	AckMessage    = 40 // u32: what went wrong, UTF-8
	AckMessageLen = 44 // u32
	AckKeySize    = 48 // i32: -1 = null
	AckValueSize  = 52 // i32: -1 = null
	AckReserved   = 56 // u64: 0
)

// Null is the length of a null key, value or header value.
const Null = -1

// Levels of a log line.
const (
	LevelTrace = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// Limits that are part of the contract: what is longer is cut.
const (
	MaxReason = 512  // bytes of a record_error
	MaxLine   = 1024 // bytes of a log line
)

// Configuration is what configure gets, as JSON.
type Configuration struct {
	Topic   string `json:"topic"`   // that the module is bound to
	Module  string `json:"module"`  // its name
	Version string `json:"version"` // hex SHA-256 of the module as uploaded
	Host    string `json:"host"`    // the name of the gateway's machine
	Config  any    `json:"config"`  // the config table of the binding, {} if there is none
}
