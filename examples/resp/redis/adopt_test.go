package redis_test

import (
	"bytes"
	"testing"
)

// serveInPieces is serve for a window that arrives in pieces, as from a connection.
func (s *serving) serveInPieces(in []byte) {
	var window []byte
	for len(in) > 0 {
		n := min(len(in), 20_000)
		window = append(window, in[:n]...)
		in = in[n:]
		for {
			args, n, err := s.parser.Next(window, s.args)
			if err != nil {
				panic(err)
			}
			window = append(window[:0], window[n:]...) // overwrites what was consumed
			if args == nil {
				break
			}
			s.session.Given = s.args.Given()
			s.session.Do(&s.out, args, 1_700_000_000_000_000)
		}
	}
}

// SET keeps a long value that arrived in pieces without a copy. Nothing changes it but later
// commands.
func TestLongValueIsAdopted(t *testing.T) {
	s := newServing()
	first, second := bytes.Repeat([]byte("abc"), 100_000), bytes.Repeat([]byte("xyz"), 150_000)
	get := func(key string, want []byte) {
		t.Helper()
		s.out.Reset()
		s.serveInPieces(command("GET", key))
		if got := all(&s.out); !bytes.Contains([]byte(got), want) {
			t.Errorf("%s is %.40q, of %d bytes", key, got, len(got))
		}
	}
	s.serveInPieces(command("SET", "a", string(first)))
	s.serveInPieces(command("SET", "b", string(second)))
	s.serveInPieces(command("MSET", "c", string(second), "d", string(first)))
	get("a", first)
	get("b", second)
	get("c", second)
	get("d", first)
	s.serveInPieces(command("APPEND", "a", "!"))
	s.serveInPieces(command("SETRANGE", "b", "0", "new"))
	s.serveInPieces(command("SET", "a", string(second)))
	get("a", second)
	get("b", append([]byte("new"), second[3:]...))

	large := command("SET", "large", string(make([]byte, 32<<20)))
	value := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.serveInPieces(large)
		}
	}).AllocedBytesPerOp()
	if most := int64(64 << 20); value > most {
		t.Errorf("a SET of 32 MiB allocates %d bytes, want at most %d", value, most)
	}
}
