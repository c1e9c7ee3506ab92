package reactor

import "slices"

// subscription is a machine that asked for signals.
type subscription struct {
	who Token
	set Signals
}

// Notify asks for signals: they come to the row's Signal handler, all that came
// since the last turn as one set. The process no longer dies of them, until the
// loop ends. An error names what cannot be caught.
func (c *IO) Notify(set Signals) error {
	l := c.loop
	if !c.inside() {
		return ErrOutside
	}
	if err := l.drv.Notify(set, l.hearSignals); err != nil {
		return err
	}
	who := c.Token()
	for i := range l.notified {
		if l.notified[i].who == who {
			l.notified[i].set |= set
			return nil
		}
	}
	if len(l.notified) == cap(l.notified) && l.signalled == 0 {
		l.notified = slices.DeleteFunc(l.notified, func(s subscription) bool { return l.live(s.who) == nil })
	}
	l.notified = append(l.notified, subscription{who, set})
	return nil
}

// hearSignals takes what came, on any goroutine.
func (l *Loop) hearSignals(set Signals) {
	if l.signals.Or(uint64(set)) == 0 {
		l.sleeper.Wake()
	}
}

// signal tells the machines that asked what came.
func (l *Loop) signal() {
	if l.signalled == 0 {
		l.signalled = Signals(l.signals.Swap(0))
	}
	for l.signalAt < len(l.notified) {
		s := l.notified[l.signalAt]
		l.signalAt++
		if h := l.live(s.who); h != nil && s.set&l.signalled != 0 && h.flags&(stopping|newborn) == 0 {
			l.stats.signals++
			l.stores[h.kind].signalled(s.who.Index(), h, s.set&l.signalled)
		}
	}
	l.signalAt = 0
	l.signalled = 0
}
