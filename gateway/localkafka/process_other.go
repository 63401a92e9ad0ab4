//go:build !linux

package localkafka

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
