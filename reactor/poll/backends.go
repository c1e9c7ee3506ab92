package poll

// opener is a way to make a backend, by the name that NewBackend takes. Each
// platform lists those that it has in backends, the best one first.
type opener struct {
	name string
	open func(*wakers) (backend, error)
}
