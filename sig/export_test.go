package sig

// Unknown is the bit of a signal without a number.
const Unknown = unknown

// Catchable is what Notify accepts.
func Catchable() Set { return catchable }

// Pending is what Take would answer.
func (s *Source) Pending() Set { return Set(s.pending.Load()) }
