package redis_test

import (
	"bytes"
	"runtime"
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

// allocated returns how many bytes a call of f allocates, on average.
func allocated(calls int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(calls)
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
	value := allocated(4, func() { s.serveInPieces(large) })
	if most := uint64(64 << 20); value > most {
		t.Errorf("a SET of 32 MiB allocates %d bytes, want at most %d", value, most)
	}
}

// The buffer of a long command is used again, unless SET kept it, and what is in it then does
// not change older values.
func TestBufferIsUsedAgain(t *testing.T) {
	s := newServing()
	first, second := command("SET", "a", string(bytes.Repeat([]byte("abc"), 33_000))), command("SET", "b", string(bytes.Repeat([]byte("xyz"), 33_000)))
	window := make([]byte, 0, 64<<10)
	serve := func(in []byte) {
		for len(in) > 0 {
			n := min(len(in), 20_000)
			window = append(window, in[:n]...)
			in = in[n:]
			args, used, err := s.parser.Next(window, s.args)
			if err != nil {
				t.Fatal(err)
			}
			window = append(window[:0], window[used:]...)
			if args != nil {
				s.session.Given = s.args.Given()
				s.session.Do(&s.out, args, 1)
			}
		}
		s.out.Reset()
	}
	serve(first)
	serve(second)
	if got := allocated(200, func() { serve(first) }); got > 4<<10 {
		t.Errorf("a SET of 99,000 bytes allocates %d bytes", got)
	}
	s.serve(command("GET", "b"))
	db := &s.srv.Keys.DBs[0]
	if v := db.Get([]byte("b"), 1).Value(); !bytes.Equal(v, bytes.Repeat([]byte("xyz"), 33_000)) {
		t.Errorf("b is %.40q", v)
	}
}
