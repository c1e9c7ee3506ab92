package osdriver

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

const inheritsKeepAlive = false

// setKeepAlive sets the keepalive of a socket. Versions of Windows before 10, 1703, have a
// count of their own: errors are not looked at.
func setKeepAlive(h descriptor, k driver.KeepAlive) {
	k = withDefaults(k)
	values := windows.TCPKeepalive{
		OnOff:    1,
		Time:     uint32(inUnits(k.Idle, time.Second) * 1000), // milliseconds
		Interval: uint32(inUnits(k.Interval, time.Second) * 1000),
	}
	if k.Off {
		values.OnOff = 0
	}
	var n uint32
	windows.WSAIoctl(h, windows.SIO_KEEPALIVE_VALS, (*byte)(unsafe.Pointer(&values)), uint32(unsafe.Sizeof(values)), nil, 0, &n, nil, 0)
	windows.SetsockoptInt(h, windows.IPPROTO_TCP, windows.TCP_KEEPCNT, k.Count)
}
