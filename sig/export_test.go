package sig

// Unknown is the bit of signals without a number.
const Unknown = unknown

// Catchable returns the signals that Notify accepts.
func Catchable() Set { return catchable }

// Pending returns what Take would return.
func (s *Source) Pending() Set { return Set(s.pending.Load()) }

// SetPending makes signals pending that did not come.
func (s *Source) SetPending(set Set) { s.pending.Store(uint64(set)) }
