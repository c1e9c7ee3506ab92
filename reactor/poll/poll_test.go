package poll_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// each runs f with a Poller of each backend.
func each(t *testing.T, f func(t *testing.T, p *poll.Poller)) {
	for _, name := range poll.Backends() {
		t.Run(name, func(t *testing.T) {
			p, err := poll.NewBackend(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := p.Close(); err != nil && !errors.Is(err, poll.ErrClosed) {
					t.Error(err)
				}
			})
			f(t, p)
		})
	}
}

// number returns the descriptor of c, which still belongs to c.
func number(t testing.TB, c syscall.Conn) (fd int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(n uintptr) { fd = int(n) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestNew(t *testing.T) {
	names := poll.Backends()
	if len(names) == 0 {
		t.Skipf("no backend on %s", runtime.GOOS)
	}
	for _, env := range append([]string{""}, names...) {
		t.Setenv("STATOR_POLLER", env)
		p, err := poll.New()
		if err != nil {
			t.Fatal(err)
		}
		if want := env; want != "" && p.Backend() != want || want == "" && p.Backend() != names[0] {
			t.Errorf("STATOR_POLLER=%q: backend %s, want that one, or %s if empty", env, p.Backend(), names[0])
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Setenv("STATOR_POLLER", "unknown")
	if _, err := poll.New(); !errors.Is(err, poll.ErrUnsupported) {
		t.Errorf("New with an unknown backend: %v, want ErrUnsupported", err)
	}
}

func TestToken(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		w, fd := source(t)
		w.Write([]byte("x"))
		var dst [2]poll.Event
		if err := p.Register(fd, 0, poll.Readable); err != nil {
			t.Fatal(err)
		}
		for _, want := range []poll.Token{0, 1, 1 << 31, 1 << 32, 1<<63 | 1, ^poll.Token(0), 0x0123456789abcdef} {
			if err := p.Modify(fd, want, poll.Readable); err != nil {
				t.Fatal(err)
			}
			n, err := p.Wait(dst[:], time.Second)
			if n != 1 || err != nil || dst[0].Token != want {
				t.Errorf("%d events, %v, token %#x: want %#x", n, err, uint64(dst[0].Token), uint64(want))
			}
		}
	})
}

// untilBusy returns when another goroutine is in p.Wait, where nothing is ready.
func untilBusy(t *testing.T, p *poll.Poller) {
	t.Helper()
	var dst [1]poll.Event
	for {
		n, err := p.Wait(dst[:], 0)
		if errors.Is(err, poll.ErrBusy) {
			return
		}
		if n != 0 || err != nil {
			t.Fatalf("%d events, %v: want none, or ErrBusy", n, err)
		}
		runtime.Gosched()
	}
}

func TestWaitErrors(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		if _, err := p.Wait(nil, 0); !errors.Is(err, poll.ErrNoRoom) {
			t.Errorf("Wait with an empty slice: %v, want ErrNoRoom", err)
		}
		w, err := poll.NewWaker(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		returned := make(chan error)
		go func() { returned <- blockingWait(p) }()
		untilBusy(t, p)
		if err := w.Wake(); err != nil {
			t.Error(err)
		}
		if err := <-returned; err != nil {
			t.Error(err)
		}
	})
}

// blockingWait calls p.Wait without a timeout, again as long as another goroutine is in Wait.
func blockingWait(p *poll.Poller) error {
	var dst [1]poll.Event
	for {
		if _, err := p.Wait(dst[:], -1); !errors.Is(err, poll.ErrBusy) {
			return err
		}
	}
}

// TestClose closes a Poller while a goroutine waits and others register and wake.
func TestClose(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		_, fd := source(t)
		w, err := poll.NewWaker(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var rounds [3]atomic.Int64 // of each goroutine
		untilClosed := func(i int, f func() error) {
			wg.Go(func() {
				for ; ; rounds[i].Add(1) {
					switch err := f(); {
					case errors.Is(err, poll.ErrClosed):
						return
					case err != nil:
						t.Error(err)
						return
					}
				}
			})
		}
		untilClosed(0, func() error {
			var dst [4]poll.Event
			_, err := p.Wait(dst[:], -1)
			return err
		})
		untilClosed(1, func() error {
			runtime.Gosched()
			return w.Wake()
		})
		untilClosed(2, func() error {
			runtime.Gosched()
			if err := p.Register(fd, 2, poll.Readable); err != nil {
				return err
			}
			return p.Remove(fd)
		})
		for i := range rounds {
			for rounds[i].Load() < 20 {
				runtime.Gosched()
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		var dst [1]poll.Event
		_, err = p.Wait(dst[:], 0)
		_, err2 := poll.NewWaker(p, 1)
		for i, err := range []error{err, err2, p.Close(), p.Register(fd, 1, poll.Readable), p.Modify(fd, 1, poll.Readable), p.Remove(fd), w.Close(), w.Wake()} {
			if !errors.Is(err, poll.ErrClosed) {
				t.Errorf("call %d after Close: %v, want ErrClosed", i, err)
			}
		}
	})
}

// TestCloseEndsWait closes Pollers while a goroutine is in a Wait that nothing else ends, at
// different moments of that Wait.
func TestCloseEndsWait(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		for yields := range 20 {
			q, err := poll.NewBackend(p.Backend())
			if err != nil {
				t.Fatal(err)
			}
			returned := make(chan error)
			go func() { returned <- blockingWait(q) }()
			untilBusy(t, q)
			for range yields {
				runtime.Gosched()
			}
			if err := q.Close(); err != nil {
				t.Error(err)
			}
			if err := <-returned; !errors.Is(err, poll.ErrClosed) {
				t.Errorf("Wait during Close: %v, want ErrClosed", err)
			}
		}
	})
}

// TestPublished reads data in the goroutine that gets an event; another one wrote it before
// Register, Modify or Wake, without a lock. The race detector finds a missing order.
func TestPublished(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		var data [3]int
		w, fd := source(t)
		w.Write([]byte("x"))
		wk, err := poll.NewWaker(p, 3)
		if err != nil {
			t.Fatal(err)
		}
		step := make(chan int, 1)
		go func() {
			for i := range step {
				data[i] = i + 1
				var err error
				switch i {
				case 0:
					err = p.Register(fd, 1, poll.Readable|poll.Edge)
				case 1:
					err = p.Modify(fd, 2, poll.Readable|poll.Edge)
				case 2:
					err = wk.Wake()
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
		defer close(step)
		for i := range data {
			step <- i
			var dst [1]poll.Event
			if n, err := p.Wait(dst[:], 10*time.Second); n != 1 || err != nil || dst[0].Token != poll.Token(i+1) {
				t.Fatalf("%d events, %v, %v: want token %d", n, err, dst, i+1)
			}
			if data[i] != i+1 {
				t.Errorf("data %d: want %d", data[i], i+1)
			}
		}
	})
}

// TestWaitFromManyGoroutines lets one goroutine after the other call Wait.
func TestWaitFromManyGoroutines(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		w, err := poll.NewWaker(p, 5)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if i%10 == 0 {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1 + i/10%2))
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				var dst [1]poll.Event
				if n, err := p.Wait(dst[:], 10*time.Second); n != 1 || err != nil {
					t.Errorf("%d events, %v: want the event of the waker", n, err)
				}
			}()
			runtime.Gosched()
			if err := w.Wake(); err != nil {
				t.Error(err)
			}
			<-done
		}
	})
}

// TestTimeouts mixes timeouts of many lengths with wakes, so that each kind of wait follows
// each other kind. No timeout may end early.
func TestTimeouts(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		w, err := poll.NewWaker(p, 5)
		if err != nil {
			t.Fatal(err)
		}
		var dst [1]poll.Event
		for i := range 120 {
			d := []time.Duration{0, 1, 50 * time.Microsecond, 300 * time.Microsecond, 3 * time.Millisecond, time.Hour}[i*7%6]
			wake := d == time.Hour || i%5 == 0
			if wake {
				time.AfterFunc(time.Duration(i%4)*200*time.Microsecond, func() { w.Wake() })
			}
			begin := time.Now()
			n, err := p.Wait(dst[:], d)
			if took := time.Since(begin); err != nil || n == 0 && took < d {
				t.Fatalf("timeout %v: %d events, %v, after %v", d, n, err, took)
			}
			for wake && n == 0 {
				if n, err = p.Wait(dst[:], 10*time.Second); err != nil || n == 0 {
					t.Fatalf("%d events, %v: want the event of the waker", n, err)
				}
			}
		}
	})
}

// TestManyWakers has more pending wakers than Wait has room for.
func TestManyWakers(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		const wakers = 5
		var ws []*poll.Waker
		for i := range wakers {
			w, err := poll.NewWaker(p, poll.Token(i))
			if err != nil {
				t.Fatal(err)
			}
			ws = append(ws, w)
		}
		var dst [2]poll.Event
		for range 3 {
			for _, w := range ws {
				for range 10 {
					if err := w.Wake(); err != nil {
						t.Fatal(err)
					}
				}
			}
			var got []poll.Token
			for len(got) < wakers {
				n, err := p.Wait(dst[:], 10*time.Second)
				if n == 0 || err != nil {
					t.Fatalf("%d events, %v after %v", n, err, got)
				}
				for _, ev := range dst[:n] {
					got = append(got, ev.Token)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, []poll.Token{0, 1, 2, 3, 4}) {
				t.Fatalf("tokens %v: want each once", got)
			}
			if n, err := p.Wait(dst[:], 0); n != 0 || err != nil {
				t.Fatalf("%d events, %v: want none", n, err)
			}
		}
		for _, w := range ws {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if err := w.Close(); !errors.Is(err, poll.ErrClosed) {
				t.Errorf("a second Close: %v: want ErrClosed", err)
			}
		}
	})
}

// TestYield checks that a goroutine whose Wait always finds events yields the processor.
func TestYield(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	each(t, func(t *testing.T, p *poll.Poller) {
		w, fd := source(t)
		w.Write([]byte("x"))
		if err := p.Register(fd, 1, poll.Readable); err != nil {
			t.Fatal(err)
		}
		var late []time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 50 {
				begin := time.Now()
				time.Sleep(time.Millisecond)
				late = append(late, time.Since(begin)-time.Millisecond)
			}
		}()
		var dst [1]poll.Event
		for {
			if n, err := p.Wait(dst[:], -1); n != 1 || err != nil {
				t.Fatalf("%d events, %v", n, err)
			}
			select {
			case <-done:
				slices.Sort(late)
				t.Logf("a sleep of 1ms is late by %v (median), %v (maximum)", late[len(late)/2], late[len(late)-1])
				if late[len(late)/2] > 5*time.Millisecond { // 10 ms and more if Wait does not yield
					t.Errorf("late by %v: want under 5ms", late[len(late)/2])
				}
				return
			default:
			}
		}
	})
}

func TestAllocs(t *testing.T) {
	each(t, func(t *testing.T, p *poll.Poller) {
		w, fd := source(t)
		w.Write([]byte("x"))
		wk, err := poll.NewWaker(p, 2)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]poll.Event, 16)
		wait := func(timeout time.Duration) {
			if _, err := p.Wait(dst, timeout); err != nil {
				t.Fatal(err)
			}
		}
		zero := func(what string, f func()) {
			t.Helper()
			if n := testing.AllocsPerRun(50, f); n != 0 {
				t.Errorf("%s: %v allocations: want 0", what, n)
			}
		}
		zero("a Wait that finds nothing", func() { wait(0) })
		zero("a timeout of 100µs", func() { wait(100 * time.Microsecond) })
		zero("a timeout of 2ms", func() { wait(2 * time.Millisecond) })
		zero("Wake and Wait", func() {
			wk.Wake()
			wk.Wake()
			wait(-1)
		})
		zero("Register and Remove", func() {
			if err := errors.Join(p.Register(fd, 1, poll.Readable), p.Remove(fd)); err != nil {
				t.Fatal(err)
			}
		})
		if err := p.Register(fd, 1, poll.Readable|poll.Edge); err != nil {
			t.Fatal(err)
		}
		zero("Modify, Wait and Rearm", func() {
			if err := p.Modify(fd, 1, poll.Readable|poll.Edge); err != nil {
				t.Fatal(err)
			}
			wait(-1)
			if err := p.Rearm(fd, 1, poll.Writable); err != nil {
				t.Fatal(err)
			}
		})
		// A Wait that another goroutine ends.
		turn := make(chan struct{})
		defer close(turn)
		go func() {
			for range turn {
				wk.Wake()
			}
		}()
		zero("a Wait that parks", func() {
			turn <- struct{}{}
			wait(-1)
		})
	})
}

func TestStrings(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{(poll.Readable | poll.Edge).String(), "readable|edge"},
		{poll.Interest(poll.Writable | poll.Priority).String(), "writable|priority"},
		{poll.Ready(0).String(), "nothing"},
		{(poll.Readable | poll.Writable | poll.ReadClosed | poll.WriteClosed | poll.Error).String(), "readable|writable|read closed|write closed|error"},
		{poll.Interest(1 << 5).String(), "bit 5"},
	} {
		if c.got != c.want {
			t.Errorf("%q: want %q", c.got, c.want)
		}
	}
}

func TestDrop(t *testing.T) {
	batch := []poll.Event{{1, poll.Readable}, {2, poll.Writable}, {1, poll.Error}}
	poll.Drop(batch[1:], 1)
	if want := []poll.Event{{1, poll.Readable}, {2, poll.Writable}, {1, 0}}; !slices.Equal(batch, want) {
		t.Errorf("%v: want %v", batch, want)
	}
}
