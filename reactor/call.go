package reactor

// currentCall is the handler that a loop is calling, and what it has done so far.
type currentCall struct {
	machine  uint32 // its index+1 while a handler of it runs; 0: none does
	progress bool   // it moved bytes, sent a message, ...: it is called again if something is ready
	peeked   uint8  // ports, as bits, whose input it looked at and did not consume
	reason   error  // what led to the state that it goes to, for Cause and for OnEnd

	crashed uint32 // the index+1 of a machine whose handler panicked, until it has been ended
	panic   error  // what it panicked with
}
