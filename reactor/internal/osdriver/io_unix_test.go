//go:build unix

package osdriver

import (
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// A Writev of more than one call takes returns no WriteBlocked: the kernel's buffer is not
// full, so that no event for room would come.
func TestWritevOfMuch(t *testing.T) {
	d := testDriver(t)
	a, b := testConnection(t, d)
	const pieces, size = 3, 30 << 10
	var sent, got int
	piece, into := make([]byte, size), make([]byte, pieces*size)
	for until := time.Now().Add(10 * time.Second); got < pieces*size && time.Now().Before(until); {
		v := driver.Vec{}
		for left := pieces*size - sent; left > 0; left -= size {
			v.B[v.N] = piece[:min(left, size)]
			v.N++
		}
		if v.N > 0 {
			n, flow, err := d.Writev(a, &v)
			if err != nil || n%size != 0 || flow != 0 {
				t.Fatalf("%d bytes, %v, %v: want whole pieces", n, flow, err)
			}
			sent += n
		}
		n, _, err := d.Read(b, into)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	if got != pieces*size {
		t.Errorf("%d bytes of %d", got, pieces*size)
	}
}
