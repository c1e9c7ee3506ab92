package poll

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Waker lets any goroutine end a Poller's Wait, with an event that has the Waker's token.
// Any number of calls of Wake before that Wait cause one event.
//
// A Wake is a single atomic load if the event of an earlier one was not returned yet, and
// a system call otherwise. Memory written before Wake is visible to the goroutine that
// gets the event.
type Waker struct {
	p     *Poller
	token Token

	// state is wakerIdle, wakerPending or wakerClosed. Wait changes pending to idle
	// before it returns the event, so a Wake after that causes another one.
	state atomic.Uint32

	mu sync.Mutex // keeps fd open while it is used
	fd int        // of the backend, if it has one per Waker
}

const (
	wakerIdle = iota
	wakerPending
	wakerClosed
)

// NewWaker returns a Waker whose events carry t and are Readable.
func NewWaker(p *Poller, t Token) (*Waker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("poll: new waker: poller %w", ErrClosed)
	}
	w := &Waker{p: p, token: t, fd: -1}
	if err := p.b.addWaker(w); err != nil {
		return nil, fmt.Errorf("poll: new waker: %w", err)
	}
	p.wakers.add(w)
	return w, nil
}

// Wake makes the current Wait, or the next one, return w's event.
func (w *Waker) Wake() error {
	if w.state.Load() == wakerPending || !w.state.CompareAndSwap(wakerIdle, wakerPending) {
		return w.errIfClosed()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Load() == wakerClosed {
		return w.errIfClosed()
	}
	if err := w.p.b.wake(w); err != nil {
		w.state.CompareAndSwap(wakerPending, wakerIdle)
		return fmt.Errorf("poll: wake: %w", err)
	}
	return nil
}

// errIfClosed returns ErrClosed if w is closed.
func (w *Waker) errIfClosed() error {
	if w.state.Load() == wakerClosed {
		return fmt.Errorf("poll: wake: %w", ErrClosed)
	}
	return nil
}

// Close releases the resources of the Waker. An event of it may still come.
func (w *Waker) Close() error {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if !w.close() {
		return fmt.Errorf("poll: close waker: %w", ErrClosed)
	}
	w.p.wakers.remove(w)
	return nil
}

// close closes w and reports whether it was open.
func (w *Waker) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Swap(wakerClosed) == wakerClosed {
		return false
	}
	w.p.b.removeWaker(w)
	return true
}

// clearPending makes w idle and reports whether it was pending.
func (w *Waker) clearPending() bool {
	return w.state.Load() == wakerPending && w.state.CompareAndSwap(wakerPending, wakerIdle)
}

// wakers is the list of a Poller's Wakers. It is changed with the Poller's lock held and
// read by Wait without it.
type wakers struct {
	list atomic.Pointer[[]*Waker]
	next int // index that collect starts with, for fairness
}

func (ws *wakers) all() []*Waker {
	if list := ws.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (ws *wakers) add(w *Waker) {
	list := append(slices.Clone(ws.all()), w)
	ws.list.Store(&list)
}

func (ws *wakers) remove(w *Waker) {
	list := slices.DeleteFunc(slices.Clone(ws.all()), func(x *Waker) bool { return x == w })
	ws.list.Store(&list)
}

// collect stores the events of pending Wakers in dst. more reports whether some did not
// fit, so that the next Wait must call collect again. It is used by backends whose Wakers
// share one way to end a wait.
func (ws *wakers) collect(dst []Event) (n int, more bool) {
	all := ws.all()
	for k := range all {
		at := (ws.next + k) % len(all)
		if n == len(dst) {
			ws.next = at
			return n, true
		}
		if w := all[at]; w.clearPending() {
			dst[n] = Event{w.token, Readable}
			n++
		}
	}
	return n, false
}
