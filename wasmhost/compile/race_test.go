//go:build race

package compile

// raceDetector maps so much address space that a limit of it means something else.
const raceDetector = true
