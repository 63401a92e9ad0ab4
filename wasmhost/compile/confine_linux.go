package compile

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// confine limits this process: its processor time, its address space, and no core file of what users upload.
func confine(cpuSeconds, memory int64) (warnings []string, err error) {
	if err := limitProcessor(cpuSeconds); err != nil {
		return nil, err
	}
	reserved, err := addressSpace()
	if err != nil {
		return nil, err
	}
	if err := setLimit(syscall.RLIMIT_AS, reserved+memory, reserved+memory); err != nil {
		return nil, fmt.Errorf("%s = %d: %w", settingMemory, memory, err)
	}
	limitRuntime(memory)
	return nil, nil
}

// addressSpace is what this process has reserved so far, in bytes: far more than it uses, for Go's heap is laid out in
// advance.
func addressSpace() (int64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("%s cannot be enforced: %w", settingMemory, err)
	}
	pages, _, _ := bytes.Cut(b, []byte(" "))
	n, err := strconv.ParseInt(string(pages), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/self/statm: %w", err)
	}
	return n * int64(os.Getpagesize()), nil
}
