//go:build unix

package osdriver

import (
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// inheritsKeepAlive says that a connection has the keepalive of its listener.
const inheritsKeepAlive = runtime.GOOS == "linux" || runtime.GOOS == "android"

// setKeepAlive sets the keepalive of a socket. A system that lacks an option uses its own
// value: errors are not looked at.
func setKeepAlive(fd descriptor, k driver.KeepAlive) {
	if k.Off {
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
		return
	}
	unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if keepIdleOption == 0 {
		return
	}
	k = withDefaults(k)
	unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, keepIdleOption, inUnits(k.Idle, keepUnit))
	unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, keepIntervalOption, inUnits(k.Interval, keepUnit))
	unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, keepCountOption, k.Count)
}
