package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkParse is what a reload costs.
func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile("testdata/precedence.good.toml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("f", data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseLarge is a reload with 2000 topics.
func BenchmarkParseLarge(b *testing.B) {
	var file strings.Builder
	file.WriteString("kafka.bootstrap.servers = \"b:9092\"\n")
	for i := range 2000 {
		fmt.Fprintf(&file, "[topics.t%d]\nprofile = \"durable\"\nproducer.linger.ms = 7\n", i)
	}
	data := []byte(file.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("f", data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTopic is what the way of a request pays, among many globs.
func BenchmarkTopic(b *testing.B) {
	data := []byte("kafka.bootstrap.servers = 'b:9092'\n[topics.orders]\n[topics.'logs.*']\n[topics.'*']\n")
	c, err := Parse("f", data)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Topic("orders")
		c.Topic("anything")
	}
}
