// Package sdktest holds the tests of the SDKs that are not written in Go: that their layout is that of guest-sdk/abi, that
// what their READMEs say builds, that the modules export and import what they should, and that they do what WORDS.md and
// CONFORMANCE.md say. A compiler that is missing skips its tests, or fails them with SLUICE_REQUIRE_ALL=1.
package sdktest
