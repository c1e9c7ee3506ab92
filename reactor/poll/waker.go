package poll

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Waker ends a Poller's Wait from another goroutine, with an event of its own
// token. Any number of Wakes before the Wait that answers it are one event.
//
// A Wake while an earlier one is yet to be answered is a single atomic load;
// else it is a system call. What was done before a Wake is visible to the
// goroutine whose Wait answers the event.
type Waker struct {
	p     *Poller
	token Token

	// state is wakerIdle, wakerPending or wakerShut. Wait makes pending idle
	// before it answers, so that a Wake that comes after the answer counts.
	state atomic.Uint32

	mu sync.Mutex // keeps fd open while it is rung
	fd int        // the backend's: what rings, if each waker has its own
}

const (
	wakerIdle = iota
	wakerPending
	wakerShut
)

// NewWaker makes a Waker whose events carry t and are Readable.
func NewWaker(p *Poller, t Token) (*Waker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("poll: new waker: poller %w", ErrClosed)
	}
	w := &Waker{p: p, token: t, fd: -1}
	if err := p.b.watch(w); err != nil {
		return nil, fmt.Errorf("poll: new waker: %w", err)
	}
	p.wakers.add(w)
	return w, nil
}

// Wake makes the Wait under way, or the next one, answer with w's event.
func (w *Waker) Wake() error {
	if w.state.Load() == wakerPending || !w.state.CompareAndSwap(wakerIdle, wakerPending) {
		return w.refuse()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Load() == wakerShut {
		return w.refuse()
	}
	if err := w.p.b.ring(w); err != nil {
		w.state.CompareAndSwap(wakerPending, wakerIdle)
		return fmt.Errorf("poll: wake: %w", err)
	}
	return nil
}

// refuse is the answer to a Wake that has nothing to do.
func (w *Waker) refuse() error {
	if w.state.Load() == wakerShut {
		return fmt.Errorf("poll: wake: %w", ErrClosed)
	}
	return nil
}

// Close frees what the Waker holds. An event of it may still come.
func (w *Waker) Close() error {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if !w.shut() {
		return fmt.Errorf("poll: close waker: %w", ErrClosed)
	}
	w.p.wakers.drop(w)
	return nil
}

// shut ends w, and tells whether it was open.
func (w *Waker) shut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Swap(wakerShut) == wakerShut {
		return false
	}
	w.p.b.forget(w)
	return true
}

// heard tells whether w was pending, and makes it idle.
func (w *Waker) heard() bool {
	return w.state.Load() == wakerPending && w.state.CompareAndSwap(wakerPending, wakerIdle)
}

// wakers are the Wakers of a Poller: changed with its lock held, read by Wait
// without.
type wakers struct {
	list atomic.Pointer[[]*Waker]
	next int // index that hear begins with, so that each has its turn
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

func (ws *wakers) drop(w *Waker) {
	list := slices.DeleteFunc(slices.Clone(ws.all()), func(x *Waker) bool { return x == w })
	ws.list.Store(&list)
}

// hear is what Wait does where all Wakers share what ends it: it fills dst with
// the events of those that are pending, and tells whether it had no room for some,
// so that the next Wait has to ask again.
func (ws *wakers) hear(dst []Event) (n int, more bool) {
	all := ws.all()
	for k := range all {
		at := (ws.next + k) % len(all)
		if n == len(dst) {
			ws.next = at
			return n, true
		}
		if w := all[at]; w.heard() {
			dst[n] = Event{w.token, Readable}
			n++
		}
	}
	return n, false
}
