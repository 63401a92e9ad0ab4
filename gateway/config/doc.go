// Package config reads config.toml: one file, strict, in which a producer property has the name that Kafka gives it.
//
// Load and Parse return a Config in which every setting has its value, or Errors, which hold everything that is wrong
// with the file, each with its line. Settings is the table of all keys: names, types, defaults, ranges and what they
// mean; the reference in SETTINGS.md is written from it. Config.Report says for every setting where its value came from.
package config

//go:generate go test -run TestSettingsReference -update .
