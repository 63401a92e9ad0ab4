package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// process is the account of a process by its id.
type process int

func (p process) source() string { return "process " + strconv.Itoa(int(p)) }

// usage reads the CPU clock of the process, in nanoseconds and with the threads that have ended, and its memory.
func (p process) usage() (usage, error) {
	cpu, err := p.cpu()
	if err != nil {
		return usage{}, fmt.Errorf("process %d: %w", p, err)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(int(p)) + "/status")
	if err != nil {
		return usage{}, err
	}
	u := usage{cpu: cpu}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ":"); name {
		case "VmRSS":
			u.rss = kilobytes(value)
		case "VmHWM":
			u.peak = kilobytes(value)
		}
	}
	return u, nil
}

// cpu is what clock_getcpuclockid(3) followed by clock_gettime(2) gives: /proc/<pid>/stat counts in ticks of 10 ms, and
// /proc/<pid>/schedstat knows the first thread only.
func (p process) cpu() (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED of a whole process
	var ts syscall.Timespec
	clock := int32(^int(p)<<3 | scheduler)
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&ts)), 0)
	if errno == syscall.EINVAL {
		return 0, os.ErrProcessDone
	}
	if errno != 0 {
		return 0, errno
	}
	return time.Duration(ts.Nano()), nil
}

func kilobytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(s), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	cpu, err := process(os.Getpid()).cpu()
	if err != nil {
		return 0
	}
	return cpu
}

// ownPeak is the largest resident memory of this process so far, in bytes.
func ownPeak() int64 {
	u, err := process(os.Getpid()).usage()
	if err != nil {
		return 0
	}
	return u.peak
}

// tied makes a child end with this process, however it ends.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
