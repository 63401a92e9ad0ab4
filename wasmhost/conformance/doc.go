// Package conformance is what any guest in any language must pass: Run takes a conformance guest, which does what its
// records tell it to do (guest-sdk/CONFORMANCE.md), through every word of the SDKs and every promise of the host.
package conformance
