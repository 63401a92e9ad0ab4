// Package modules holds the source of the modules that come with Sluice, so that the binary can build them on a machine
// that has Go. Each is a folder with a README.
package modules
