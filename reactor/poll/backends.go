package poll

// opener creates a backend; name is the argument of NewBackend. The variable backends of
// each platform lists its openers, the best one first.
type opener struct {
	name string
	open func(*wakers) (backend, error)
}
