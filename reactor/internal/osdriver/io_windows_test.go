package osdriver

import (
	"testing"

	"github.com/stator-go/stator/reactor/driver"
)

// A write takes at most maxIO bytes: Winsock would take all of a send into the kernel's
// memory, however large.
func TestWritesAreBounded(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	large := make([]byte, 3*maxIO)
	for name, write := range map[string]func(driver.Sock) (int, driver.Flow, error){
		"one": func(s driver.Sock) (int, driver.Flow, error) { return d.Write(s, large) },
		"many": func(s driver.Sock) (int, driver.Flow, error) {
			return d.Writev(s, &driver.Vec{B: [driver.MaxVec][]byte{large[:10], large}, N: 2})
		},
		"first": func(s driver.Sock) (int, driver.Flow, error) {
			return d.Writev(s, &driver.Vec{B: [driver.MaxVec][]byte{large, large[:10]}, N: 2})
		},
	} {
		a, b := testConnection(t, d)
		n, flow, err := write(a)
		if err != nil || n == 0 || n > maxIO {
			t.Errorf("%s: %d bytes, %v, %v: want at most %d", name, n, flow, err, maxIO)
		}
		if name == "many" && n != 10 {
			t.Errorf("%d bytes of many: want the 10 of the first piece, as the second does not fit", n)
		}
		d.Close(a)
		d.Close(b)
	}
}
