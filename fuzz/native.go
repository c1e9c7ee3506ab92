package fuzz

import (
	"encoding/binary"
	"testing"

	"github.com/stator-go/stator/fuzz/internal/feedback"
)

// Bytes of go test -fuzz are records of 8: op, hold, on, a and b. A byte '0' is what
// its minimizer likes best, so it stands for the op that does nothing.

const record = 8

// Native lets go test -fuzz make the traces of a spec. What its coverage does not see
// it is told of: transitions, faults that met a state, what probes say.
func Native(f *testing.F, spec Spec) { native(f, spec, feedback.Hit) }

func native(f *testing.F, spec Spec, hit func(feature uint32)) {
	w := newWorld(spec.filled())
	f.Add(Trace{{Op: opDial}, {Op: opSend}}.bytes())
	f.Add(Trace{{Op: opDial}, {Op: opShortRead, B: 5}, {Op: opSend}, {Op: opAdvance, A: 1, B: 4}, {Op: opReset}}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := fromBytes(b)
		failure := w.check(tr, len(b)%4 == 0)
		for _, h := range w.cover.hits {
			hit(h.feature)
		}
		if failure != nil {
			w.journal = &journal{}
			found := &Finding{Trace: tr, w: w, Runs: 1, Events: len(tr)}
			found.Failure = w.check(tr, true)
			t.Error(found.Explain())
		}
	})
}

// fromBytes reads a trace: whatever the bytes, they are one. What is missing at the
// end is zeros.
func fromBytes(b []byte) (tr Trace) {
	for len(b) > 0 && len(tr) < 1<<10 {
		var r [record]byte
		b = b[copy(r[:], b):]
		tr = append(tr, Event{
			Op: Op((int(r[0]) + 256 - '0') % 256 % int(opCount)), Hold: r[1]&1 != 0,
			On: binary.LittleEndian.Uint16(r[2:]) % 256, A: binary.LittleEndian.Uint16(r[4:]), B: binary.LittleEndian.Uint16(r[6:]),
		})
	}
	return tr
}

func (tr Trace) bytes() (b []byte) {
	for _, e := range tr {
		hold := byte('0')
		if e.Hold {
			hold = '1'
		}
		b = append(b, byte(e.Op)+'0', hold)
		b = binary.LittleEndian.AppendUint16(b, e.On)
		b = binary.LittleEndian.AppendUint16(b, e.A)
		b = binary.LittleEndian.AppendUint16(b, e.B)
	}
	return b
}
