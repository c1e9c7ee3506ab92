//go:build !stator_plain

package reactor_test

// pipesOpenAnew says that Adopt opens a pipe anew, and leaves its description alone.
const pipesOpenAnew = true
